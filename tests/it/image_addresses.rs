//! Values of an image column other than plain paths: URLs, `data:` URIs, Windows paths, files elsewhere.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use topicframe::corpus::ImageColumn;
use topicframe::error::ErrorKind;
use topicframe::files::write_frame;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::vision::decode;

use crate::colors::{Eye, png};
use crate::notes::Notes;

const ROWS: usize = 30;

fn column(frame: &DataFrame, folder: &Path) -> ImageColumn {
    ImageColumn::read(frame, "image", folder).unwrap()
}

fn names(name: impl Fn(usize) -> String) -> DataFrame {
    df!("image" => (0..ROWS).map(name).collect::<Vec<_>>()).unwrap()
}

/// A folder with images `0.png`, `1.png` and so on, in `images`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("images")).unwrap();
    for row in 0..ROWS {
        fs::write(folder.path().join("images").join(format!("{row}.png")), png(row % 3, row)).unwrap();
    }
    folder
}

fn model(folder: &Path) -> TopicModel {
    TopicModel::images("image", Eye).image_folder(folder).reducer(NoReduction).clusterer(KMeans::new(3))
}

/// The topics of a fit, and its notes.
fn fit(model: TopicModel, frame: &DataFrame) -> (Vec<i32>, String) {
    let notes = Arc::new(Notes::default());
    let topics = model.with_progress(Progress::to(notes.clone())).fit(frame).unwrap();
    // That these models have no words is unrelated to URLs.
    let said: Vec<String> = notes.text().lines().filter(|line| !line.contains("no words")).map(str::to_owned).collect();
    (topics.labels().to_vec(), said.join("\n"))
}

fn data_uri(row: usize) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png(row % 3, row)))
}

#[test]
fn web_addresses_are_told_as_such() {
    for scheme in ["https", "http", "HTTPS", "s3", "ftp", "gs", "hf"] {
        let frame = names(|row| format!("{scheme}://example.org/{row}.jpg"));
        let error = model(Path::new("")).fit(&frame).map(|_| ()).unwrap_err();
        assert_eq!(
            (error.kind(), error.column(), error.row()),
            (ErrorKind::Image, Some("image"), Some(0)),
            "{error:#}"
        );
        let said = format!("{error:#}");
        assert!(said.contains("address") && said.contains("none of the 30 images"), "{said}");
        assert!(said.contains("Download") && !said.contains("image_folder"), "{said}");
        let is_web = scheme.to_lowercase().starts_with("http");
        assert_eq!((said.contains("web address"), said.contains("wget")), (is_web, is_web), "{said}");
    }
    // A scheme requires its slashes, and a drive letter is not a scheme.
    assert!(column(&names(|_| "https:x.png".into()), Path::new("")).get(0).is_ok());
}

#[test]
fn some_web_addresses_among_paths_are_counted() {
    let folder = folder();
    let frame = names(|row| match row % 5 {
        1 => format!("https://example.org/{row}.png"),
        _ => format!("images/{row}.png"),
    });
    let (topics, said) = fit(model(folder.path()), &frame);
    assert!(topics.iter().enumerate().all(|(row, &topic)| (topic == -1) == (row % 5 == 1)), "{topics:?}");
    assert!(said.contains("6 images are addresses, which are not fetched (the first: row 1, https://"), "{said}");
    // The first hundred files that are checked may all be missing.
    let many: Vec<String> =
        (0..1000).map(|row| if row == 7 { "images/7.png".into() } else { "no.png".into() }).collect();
    assert!(column(&df!("image" => many).unwrap(), folder.path()).check_reachable().is_ok());
}

#[test]
fn data_uris_are_images() {
    let bytes = png(1, 5);
    let wrapped: String = STANDARD
        .encode(&bytes)
        .as_bytes()
        .chunks(20)
        .map(|line| format!("{}\n ", str::from_utf8(line).unwrap()))
        .collect();
    let escaped: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
    let percent = STANDARD.encode(&bytes).replace('+', "%2B").replace('=', "%3D").replace('/', "%2F");
    let uris = [
        data_uri(5),
        format!("DATA:;base64,{}", STANDARD.encode(&bytes)),
        format!("  data:image/png;charset=x;BASE64,{wrapped}"),
        format!("data:image/jpeg;base64,{}", URL_SAFE_NO_PAD.encode(&bytes)),
        format!("data:image/png;base64,{percent}"),
        format!("data:,{escaped}"),
    ];
    let expected = [png(2, 5), bytes.clone(), bytes.clone(), bytes.clone(), bytes.clone(), bytes.clone()];
    for (uri, expected) in uris.iter().zip(&expected) {
        let frame = df!("image" => [uri.as_str()]).unwrap();
        let images = column(&frame, Path::new("/nowhere"));
        images.check_reachable().unwrap();
        let source = images.get(0).unwrap().unwrap();
        let expected = decode(&ImageSource::Encoded { bytes: expected, name: None }, &Limits::new()).unwrap();
        assert_eq!(decode(&source, &Limits::new()).unwrap(), expected, "{uri}");
        let limited = decode(&source, &Limits::new().max_bytes(20)).map_err(|error| format!("{error:#}")).unwrap_err();
        assert!(limited.contains("larger than 20 bytes"), "{limited}");
    }
    let (topics, said) = fit(model(Path::new("")), &names(data_uri));
    assert!(topics.iter().all(|&topic| topic >= 0) && said.is_empty(), "{topics:?} {said}");
}

#[test]
fn data_uris_that_hold_no_image_are_cut_in_what_is_told() {
    let long = "A".repeat(160_000);
    let bad = [
        (format!("data:image/png;base64,{long}"), "not a PNG"),
        (format!("data:image/png;base64,!{long}"), "not base64"),
        (format!("data:image/png;base64{long}"), "no comma"),
        ("data:image/png;base64,".to_owned(), "empty"),
        (format!("data:text/plain,{long}"), "not a PNG"),
    ];
    for (uri, reason) in bad {
        let frame = df!("image" => [uri.as_str()]).unwrap();
        let images = column(&frame, Path::new(""));
        let error =
            decode(&images.get(0).unwrap().unwrap(), &Limits::new()).map_err(|error| format!("{error:#}")).unwrap_err();
        assert!(error.contains(reason) && error.contains("characters)"), "{error:#}");
        assert!(error.len() < 500, "{error:#}");
        let frame = names(|row| if row == 3 { uri.clone() } else { data_uri(row) });
        let model =
            model(Path::new("")).representation("Visual_Aspect", VisualRepresentation::new().nr_repr_images(20));
        let (topics, said) = fit(model, &frame);
        assert_eq!(topics[3], -1);
        assert!(said.len() < 1000, "{said}");
    }
    let topics = model(Path::new("")).representation("Visual_Aspect", VisualRepresentation::new());
    let topics = topics.fit(&names(data_uri)).unwrap();
    let paths = topics.get_topic_info_with_paths().unwrap();
    assert!(format!("{paths:?}").len() < 10_000);
    let Aspect::Images(gallery) = topics.topic_aspect("Visual_Aspect").unwrap() else { panic!("pictures") };
    assert!(gallery.pictures(0)[0].path.as_deref().unwrap().starts_with("data:image/png;base64,… ("));
}

#[test]
fn file_addresses_are_paths() {
    let folder = folder();
    let here = folder.path().join("images");
    fs::write(here.join("a cat & \u{e9}.png"), png(0, 99)).unwrap();
    let here = here.to_str().unwrap();
    for address in
        [format!("file://{here}/0.png"), format!("file://localhost{here}/0.png"), format!("FILE:{here}/0.png")]
    {
        let frame = df!("image" => [address]).unwrap();
        let images = column(&frame, Path::new("/nowhere"));
        let source = images.get(0).unwrap().unwrap();
        assert_eq!(source, ImageSource::File(format!("{here}/0.png").into()));
    }
    let frame = df!("image" => [format!("file://{here}/a%20cat%20&%20%C3%A9.png")]).unwrap();
    let images = column(&frame, Path::new(""));
    let source = images.get(0).unwrap().unwrap();
    assert!(decode(&source, &Limits::new()).is_ok());
    let frame = df!("image" => ["file://server/share/a.png", "file:///../../etc/passwd"]).unwrap();
    let error = column(&frame, Path::new("")).get(0).unwrap_err();
    assert!(format!("{error:#}").contains("another machine"), "{error:#}");
}

#[cfg(unix)]
#[test]
fn paths_of_windows_are_recognized() {
    let folder = folder();
    // They are found as if written with slashes.
    let (topics, said) = fit(model(folder.path()), &names(|row| format!("images\\{row}.png")));
    assert!(topics.iter().all(|&topic| topic >= 0) && said.is_empty(), "{said}");
    for path in ["pictures\\0.jpg", "C:\\Users\\me\\0.jpg", "d:/photos/0.jpg", "\\\\server\\share\\0.jpg"] {
        let error = model(folder.path())
            .fit(&names(|_| path.into()))
            .map(|_| ())
            .map_err(|error| format!("{error:#}"))
            .unwrap_err();
        assert!(error.contains("looks like a Windows path") && error.contains("with /"), "{error:#}");
    }
    let climbs = column(&names(|_| "..\\..\\secret.png".into()), folder.path()).get(0).unwrap_err();
    assert!(climbs.to_string().contains("leaves the image folder"), "{climbs}");
    // A name that contains a backslash is found as written.
    fs::write(folder.path().join("odd\\name.png"), png(0, 0)).unwrap();
    let images = column(&names(|_| "odd\\name.png".into()), folder.path());
    let source = images.get(0).unwrap().unwrap();
    assert_eq!(source, ImageSource::File(folder.path().join("odd\\name.png")));
}

#[cfg(unix)]
#[test]
fn pictures_from_outside_the_image_folder_are_told_or_refused() {
    use std::os::unix::fs::symlink;

    let folder = folder();
    let inside = folder.path().join("images");
    let secret = folder.path().join("secret.png");
    fs::write(&secret, png(0, 50)).unwrap();
    symlink(&secret, inside.join("link.png")).unwrap();
    symlink(folder.path(), inside.join("up")).unwrap();
    symlink(inside.join("1.png"), inside.join("within.png")).unwrap();
    let frame = names(|row| match row {
        3 => secret.to_str().unwrap().to_owned(),
        6 => "link.png".to_owned(),
        9 => "up/secret.png".to_owned(),
        12 => inside.join("12.png").to_str().unwrap().to_owned(),
        15 => "within.png".to_owned(),
        18 => format!("file://{}", secret.to_str().unwrap()),
        _ => format!("{row}.png"),
    });
    let (topics, said) = fit(model(&inside), &frame);
    assert!(topics.iter().all(|&topic| topic >= 0), "{topics:?}");
    let first = format!("4 images are outside the image folder (the first, in row 3: {}", secret.display());
    assert!(said.contains(&first) && said.contains("only_in_image_folder"), "{said}");

    let refusing = model(&inside).only_in_image_folder(true);
    let (topics, said) = fit(refusing.clone(), &frame);
    let refused: Vec<usize> = (0..ROWS).filter(|&row| topics[row] == -1).collect();
    assert_eq!(refused, [3, 6, 9, 18], "{said}");
    assert!(said.contains("4 images cannot be read") && said.contains("outside the image folder"), "{said}");
    assert!(!said.contains("are outside"), "{said}");
    // Images of topics respect it too, and a table within the folder needs no note.
    let shown = refusing.representation("Visual_Aspect", VisualRepresentation::new().nr_repr_images(30));
    let topics = shown.fit(&frame).unwrap();
    let Aspect::Images(gallery) = topics.topic_aspect("Visual_Aspect").unwrap() else { panic!("pictures") };
    let rows: Vec<usize> =
        (-1..3).flat_map(|topic| gallery.pictures(topic).iter().map(|picture| picture.row)).collect();
    assert!(rows.len() > 20 && refused.iter().all(|row| !rows.contains(row)), "{rows:?}");
    assert!(fit(model(&inside), &names(|row| format!("{row}.png"))).1.is_empty());
}

#[test]
fn the_command_tells_of_addresses_and_of_pictures_elsewhere() {
    let folder = folder();
    let here = folder.path();
    let elsewhere = tempfile::tempdir().unwrap();
    let fit = |image: &dyn Fn(usize) -> String, more: &[&str]| {
        let mut frame = crate::corpora::frame(60);
        frame.with_column(Column::new("image".into(), (0..60).map(image).collect::<Vec<_>>())).unwrap();
        write_frame(&frame, here.join("posts.csv")).unwrap();
        let arguments = ["fit", "posts.csv", "--text", "caption", "--images", "image", "--report", "page.html"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_topicframe"));
        let output = command.current_dir(here).args(arguments).args(more).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (done, said) = fit(&|row| format!("https://example.org/{row}.jpg"), &[]);
    assert!(!done && said.contains("web address") && !said.contains("--image-folder"), "{said}");
    let (done, said) = fit(&|row| format!("pictures\\{row}.jpg"), &[]);
    assert!(!done && said.contains("looks like a Windows path") && said.contains("--image-folder"), "{said}");
    let (done, said) = fit(&|row| format!("pictures/{row}.jpg"), &[]);
    assert!(!done && said.contains("no such file") && said.contains("--image-folder"), "{said}");
    assert!(!said.contains(".image_folder("), "{said}");
    let long = format!("data:image/png;base64,{}", "A".repeat(160_000));
    let (done, said) = fit(&|_| long.clone(), &[]);
    assert!(!done && said.contains("data:image/png;base64,… (160022 characters)"), "{said}");
    assert!(said.len() < 1000, "{} bytes", said.len());

    let private = elsewhere.path().join("private.png");
    fs::write(&private, png(0, 3)).unwrap();
    let image = |row: usize| match row {
        4 => private.to_str().unwrap().to_owned(),
        _ => format!("images/{}.png", row % ROWS),
    };
    let (done, said) = fit(&image, &[]);
    assert!(done && said.contains("1 image is outside the image folder (row 4: "), "{said}");
    assert!(said.contains("use --only-in-image-folder to reject them"), "{said}");
    let (done, said) = fit(&image, &["--only-in-image-folder"]);
    assert!(done && !said.contains("is outside the image folder (row"), "{said}");
}

#[test]
fn a_missing_image_folder_lets_no_file_through() {
    let folder = folder();
    let missing = folder.path().join("missing");
    let frame = names(|row| folder.path().join("images").join(format!("{row}.png")).to_str().unwrap().to_owned());
    let error = model(&missing).only_in_image_folder(true).fit(&frame).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.column(), error.path()), (ErrorKind::Image, Some("image"), Some(&*missing)));
    assert!(format!("{error:#}").contains("image folder does not exist"), "{error:#}");
    let images = column(&frame, &missing).only_in_folder(true);
    assert!(images.get(0).map_err(|error| format!("{error:#}")).unwrap_err().contains("outside the image folder"));
    // If it is allowed, it is noted.
    let (topics, said) = fit(model(&missing), &frame);
    assert!(topics.iter().all(|&topic| topic >= 0), "{topics:?}");
    assert!(said.contains("30 images are outside the image folder"), "{said}");
    // Images embedded in the table need no folder.
    let (topics, said) = fit(model(&missing).only_in_image_folder(true), &names(data_uri));
    assert!(topics.iter().all(|&topic| topic >= 0) && said.is_empty(), "{topics:?} {said}");
}

#[cfg(unix)]
#[test]
fn files_with_the_names_of_addresses_are_files() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir_all(home.join("file:")).unwrap();
    fs::create_dir(home.join("data:")).unwrap();
    for name in ["data:1.png", "file:/x.png", "data:/2,3.png"] {
        fs::write(home.join(name), png(0, 1)).unwrap();
    }
    fs::write(home.join(OsStr::from_bytes(b"data:\xe9.png")), png(0, 1)).unwrap();
    fs::write(folder.path().join("secret.png"), png(0, 2)).unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret.png"), home.join("data:link.png")).unwrap();
    let listed = topicframe::files::read_image_folder(&home).unwrap();
    let paths = listed.column("image").unwrap().str().unwrap().clone();
    assert_eq!(paths.len(), 5, "{paths:?}");
    let images = ImageColumn::read(&listed, "image", &home).unwrap().only_in_folder(true);
    for (row, path) in paths.iter().flatten().enumerate() {
        match images.get(row) {
            Ok(source) => {
                assert!(decode(&source.unwrap(), &Limits::new()).is_ok(), "{path}");
                assert_eq!(images.label(row).as_deref(), Some(path));
            }
            Err(error) => assert!(path.contains("link") && format!("{error:#}").contains("outside"), "{path}: {error}"),
        }
    }
    // A folder is not an image, a path that leaves the folder is not followed, and a URI of megabytes is not looked up.
    for text in ["data:".to_owned(), "data:/../../secret.png".to_owned(), format!("data:,{}", "A".repeat(1 << 20))] {
        let frame = df!("image" => [text.as_str()]).unwrap();
        assert_eq!(column(&frame, &home).get(0).unwrap(), Some(ImageSource::DataUri(&text)));
    }
}
