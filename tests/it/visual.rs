//! Images of topics: selection, omissions, and the collage.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use image::{ImageFormat, Rgb, RgbImage};
use ndarray::{Array2, array};
use polars::prelude::*;
use topicframe::corpus::{Embeddings, ImageColumn};
use topicframe::error::{Error, ErrorKind};
use topicframe::progress::Progress;
use topicframe::represent::Representation;
use topicframe::represent::visual::{Gallery, OnImageError, Ranking, VisualRepresentation};
use topicframe::vision::{ImageSource, Limits, decode};

use crate::notes::Notes;

fn color(index: u32) -> Rgb<u8> {
    Rgb([(index * 37 % 256) as u8, (index * 101 % 256) as u8, (40 + index * 13 % 200) as u8])
}

/// A PNG of a single color, a different one for every index.
fn png(index: u32, width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let image = RgbImage::from_pixel(width, height, color(index));
    image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

fn write_pngs(folder: &Path, count: u32) {
    for index in 0..count {
        fs::write(folder.join(format!("{index}.png")), png(index, 40, 30)).unwrap();
    }
}

fn column(paths: &[Option<&str>], folder: &Path) -> ImageColumn {
    let frame = df!("image" => paths).unwrap();
    ImageColumn::read(&frame, "image", folder).unwrap()
}

fn numbered(count: usize, folder: &Path) -> ImageColumn {
    let names: Vec<String> = (0..count).map(|index| format!("{index}.png")).collect();
    column(&names.iter().map(|name| Some(name.as_str())).collect::<Vec<_>>(), folder)
}

fn rows(gallery: &Gallery, topic: i32) -> Vec<usize> {
    gallery.pictures(topic).iter().map(|picture| picture.row).collect()
}

fn ranked(ranking: &Ranking, topic: i32) -> Vec<usize> {
    ranking.topics()[&topic].iter().map(|&(row, _)| row).collect()
}

/// All rows in topic 0, with scores decreasing by row.
fn falling(images: &ImageColumn) -> Ranking {
    let scores: Vec<f64> = (0..images.len()).map(|row| 1.0 - row as f64 / 1000.0).collect();
    Ranking::by_text(&[0], &vec![0; images.len()], images, &scores)
}

fn choose(images: &ImageColumn, visual: &VisualRepresentation) -> Result<(Gallery, Vec<String>), Error> {
    let notes = Arc::new(Notes::default());
    let gallery = visual.gallery(&falling(images), images, &Progress::to(notes.clone()))?;
    let notes = notes.0.lock().unwrap().clone();
    Ok((gallery, notes))
}

fn pixels(bytes: &[u8]) -> RgbImage {
    decode(&ImageSource::Encoded { bytes, name: None }, &Limits::new()).unwrap()
}

#[test]
fn images_are_ranked_by_the_cosine_to_the_mean_image() {
    let images = numbered(7, Path::new("."));
    // Row 3 points along the mean of topic 0; rows 0 and 2 are identical; row 5 has no image vector; row 6 is an
    // outlier.
    let vectors = array![[1.0, 0.0], [0.0, 9.0], [1.0, 0.0], [5.0, 2.0], [0.0, 0.0], [3.0, 4.0_f32]];
    let vectors = Embeddings::scatter(vectors, &[0, 1, 2, 3, 4, 6], 7).unwrap();
    let ranking = Ranking::by_image(&[-1, 0, 1], &[0, 0, 0, 0, 0, 0, -1], &images, &vectors);
    assert_eq!(ranked(&ranking, 0), [3, 0, 2, 1, 4]);
    assert_eq!(ranked(&ranking, -1), [6]);
    assert_eq!(ranked(&ranking, 1), [0; 0]);
    let scores: Vec<f64> = ranking.topics()[&0].iter().map(|&(_, score)| score).collect();
    // The mean direction is (1, 0) + (0, 1) + (1, 0) + (5, 2) / sqrt(29): lengths do not count.
    let mean = [2.0 + 5.0 / 29_f64.sqrt(), 1.0 + 2.0 / 29_f64.sqrt()];
    let length = mean[0].hypot(mean[1]);
    for (score, expected) in scores.iter().zip([
        (mean[0] * 5.0 + mean[1] * 2.0) / 29_f64.sqrt() / length,
        mean[0] / length,
        mean[0] / length,
        mean[1] / length,
        0.0,
    ]) {
        assert!((score - expected).abs() < 1e-12, "{score} {expected}");
    }
}

#[test]
fn images_are_ranked_by_their_texts_where_they_have_no_vectors() {
    let paths = [Some("a"), Some("b"), None, Some("d"), Some(" "), Some("f")];
    let images = column(&paths, Path::new("."));
    let ranking = Ranking::by_text(&[0, 1], &[0, 0, 0, 0, 0, 1], &images, &[0.5, 0.9, 1.0, 0.5, 1.0, f64::NAN]);
    assert_eq!(ranking.topics()[&0], [(1, 0.9), (0, 0.5), (3, 0.5)]);
    assert_eq!(ranking.topics()[&1], [(5, 0.0)]);
    assert!(!ranking.topics().contains_key(&-1));
}

#[test]
fn the_best_nine_are_chosen_for_every_topic() {
    let folder = tempfile::tempdir().unwrap();
    write_pngs(folder.path(), 24);
    let images = numbered(24, folder.path());
    let assignments: Vec<i32> = (0..24).map(|row| [-1, 0][row % 2]).collect();
    let scores: Vec<f64> = (0..24).map(|row| f64::from(row * 7 % 24) / 24.0).collect();
    let ranking = Ranking::by_text(&[-1, 0], &assignments, &images, &scores);
    let gallery = VisualRepresentation::new().gallery(&ranking, &images, &Progress::silent()).unwrap();
    assert_eq!(gallery.topics(), [-1, 0]);
    for topic in [-1, 0] {
        assert_eq!(rows(&gallery, topic), ranked(&ranking, topic)[..9]);
        for (rank, picture) in gallery.pictures(topic).iter().enumerate() {
            assert_eq!((picture.topic, picture.rank), (topic, rank));
            assert_eq!(picture.path, Some(format!("{}.png", picture.row)));
            assert_eq!(picture.score, scores[picture.row]);
            let thumbnail = gallery.thumbnail(topic, rank).unwrap();
            assert_eq!(pixels(&thumbnail.bytes).get_pixel(3, 3), &color(picture.row as u32));
        }
        assert!(gallery.thumbnail(topic, 9).is_none());
    }
    assert!(gallery.pictures(7).is_empty() && gallery.thumbnails(7).is_empty());
    assert!(gallery.skipped().is_empty());
}

#[test]
fn the_table_has_one_row_for_each_picture() {
    let folder = tempfile::tempdir().unwrap();
    write_pngs(folder.path(), 3);
    let (gallery, _) = choose(&numbered(3, folder.path()), &VisualRepresentation::new()).unwrap();
    let frame = gallery.to_frame().unwrap();
    let expected = df!(
        "topic" => [0_i32; 3],
        "rank" => [0_u32, 1, 2],
        "row" => [0_u32, 1, 2],
        "score" => [1.0, 0.999, 0.998],
        "path" => ["0.png", "1.png", "2.png"],
    );
    assert!(frame.equals(&expected.unwrap()), "{frame}");
}

#[test]
fn no_image_is_shown_twice() {
    let folder = tempfile::tempdir().unwrap();
    write_pngs(folder.path(), 4);
    fs::copy(folder.path().join("0.png"), folder.path().join("copy.png")).unwrap();
    let paths =
        ["0.png", "0.png", "copy.png", "./0.png", "1.png", "missing.png", "missing.png", "2.png", "1.png", "3.png"];
    let images = column(&paths.map(Some), folder.path());
    let (gallery, _) = choose(&images, &VisualRepresentation::new()).unwrap();
    assert_eq!(rows(&gallery, 0), [0, 4, 7, 9]);
    assert_eq!(gallery.pictures(0).iter().map(|picture| picture.rank).collect::<Vec<_>>(), [0, 1, 2, 3]);
    // The same missing file twice is one unreadable image.
    assert_eq!(gallery.skipped().len(), 1);
    // Two topics may show the same file.
    let ranking = Ranking::by_text(&[0, 1], &[0, 1], &images, &[1.0, 1.0]);
    let gallery = VisualRepresentation::new().gallery(&ranking, &images, &Progress::silent()).unwrap();
    assert_eq!((rows(&gallery, 0), rows(&gallery, 1)), (vec![0], vec![1]));
}

#[test]
fn images_that_cannot_be_read_make_room_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    write_pngs(folder.path(), 14);
    fs::write(folder.path().join("1.png"), "no pixels").unwrap();
    fs::remove_file(folder.path().join("3.png")).unwrap();
    let whole = fs::read(folder.path().join("4.png")).unwrap();
    fs::write(folder.path().join("4.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.path().join("5.png"), "").unwrap();
    // Beyond the needed images: never tried.
    fs::write(folder.path().join("13.png"), "no pixels").unwrap();
    let (gallery, notes) = choose(&numbered(14, folder.path()), &VisualRepresentation::new()).unwrap();
    assert_eq!(rows(&gallery, 0), [0, 2, 6, 7, 8, 9, 10, 11, 12]);
    let skipped: Vec<(usize, &str)> =
        gallery.skipped().iter().map(|image| (image.row, image.path.as_deref().unwrap())).collect();
    assert_eq!(skipped, [(1, "1.png"), (3, "3.png"), (4, "4.png"), (5, "5.png")]);
    assert_eq!(gallery.skipped()[1].reason, "there is no such file");
    assert_eq!(gallery.skipped()[3].to_string(), "row 5 (5.png): the file is empty");
    assert_eq!(notes.len(), 1);
    assert!(notes[0].starts_with(
        "4 of the 13 candidate images could not be read and were skipped: row 1 (1.png): this is not a PNG"
    ));
    assert!(
        notes[0].contains("row 3 (3.png): there is no such file; ") && notes[0].ends_with("; and 1 more"),
        "{notes:?}"
    );
}

#[test]
fn an_unreadable_image_is_an_error_if_wanted() {
    let folder = tempfile::tempdir().unwrap();
    write_pngs(folder.path(), 5);
    fs::remove_file(folder.path().join("2.png")).unwrap();
    let images = numbered(5, folder.path());
    let strict = VisualRepresentation::new().on_error(OnImageError::Fail);
    let error = choose(&images, &strict).unwrap_err();
    assert_eq!((error.kind(), error.column(), error.row()), (ErrorKind::Image, Some("image"), Some(2)));
    assert_eq!(error.path(), Some(Path::new("2.png")));
    assert!(format!("{error:#}").contains("there is no such file"));
    // Only the needed images are tried.
    assert!(choose(&images, &strict.nr_repr_images(2)).is_ok());
}

#[test]
fn if_no_image_can_be_read_that_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = choose(&numbered(40, folder.path()), &VisualRepresentation::new()).unwrap_err();
    assert_eq!((error.kind(), error.column(), error.row()), (ErrorKind::Image, Some("image"), Some(0)));
    let text = format!("{error:#}");
    assert!(
        text.contains("none of the 40 candidate images") && text.contains("0.png") && text.contains("image folder"),
        "{text}"
    );
}

#[test]
fn a_column_without_images_gives_no_pictures_and_a_note() {
    let images = column(&[None, Some("  "), None], Path::new("."));
    let (gallery, notes) = choose(&images, &VisualRepresentation::new()).unwrap();
    assert_eq!((gallery.topics(), rows(&gallery, 0)), (vec![0], vec![]));
    assert_eq!(gallery.collage(0).unwrap(), None);
    assert_eq!(gallery.collages().unwrap().len(), 0);
    assert_eq!(gallery.to_frame().unwrap().shape(), (0, 5));
    assert_eq!(notes, ["no row has an image in column `image`"]);
}

#[test]
fn paths_that_leave_the_folder_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("images")).unwrap();
    write_pngs(folder.path(), 1);
    write_pngs(&folder.path().join("images"), 2);
    let images = column(&[Some("../0.png"), Some("1.png")], &folder.path().join("images"));
    let (gallery, notes) = choose(&images, &VisualRepresentation::new()).unwrap();
    assert_eq!(rows(&gallery, 0), [1]);
    assert!(notes[0].contains("leaves the image folder"), "{notes:?}");
}

#[test]
fn encoded_images_and_structs_work_like_files() {
    let encoded: Vec<Vec<u8>> = (0..3).map(|index| png(index, 20, 10)).collect();
    let cells =
        [Some(encoded[0].as_slice()), None, Some(&b"broken"[..]), Some(&encoded[1]), Some(&encoded[0]), Some(b"")];
    let frame = df!("image" => cells).unwrap();
    let images = ImageColumn::read(&frame, "image", Path::new(".")).unwrap();
    let (gallery, notes) = choose(&images, &VisualRepresentation::new()).unwrap();
    assert_eq!(rows(&gallery, 0), [0, 3]);
    assert_eq!(gallery.pictures(0)[0].path, None);
    assert!(
        notes[0].starts_with("1 of the 3 candidate images could not be read and was skipped: row 2: this is not"),
        "{notes:?}"
    );
    // In structs, names may repeat: the bytes determine identity.
    let bytes = Column::new("bytes".into(), &encoded);
    let path = Column::new("path".into(), ["image.png"; 3]);
    let cells = StructChunked::from_columns("image".into(), 3, &[bytes, path]).unwrap().into_column();
    let images = ImageColumn::read(&DataFrame::new(3, vec![cells]).unwrap(), "image", Path::new(".")).unwrap();
    let (gallery, _) = choose(&images, &VisualRepresentation::new()).unwrap();
    assert_eq!(rows(&gallery, 0), [0, 1, 2]);
    assert_eq!(gallery.pictures(0)[2].path.as_deref(), Some("image.png"));
    assert!(gallery.collage(0).unwrap().is_some());
}

/// Whether all channels differ by no more than JPEG's rounding error.
fn near(a: &Rgb<u8>, b: &Rgb<u8>) -> bool {
    a.0.iter().zip(b.0).all(|(a, b)| a.abs_diff(b) <= 6)
}

#[test]
fn the_collage_shows_the_originals_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..9 {
        // Larger than a thumbnail, and with one-pixel lines that no thumbnail can show.
        let mut image = RgbImage::from_pixel(640, 480, color(index));
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            if y >= 240 && (x / 2) % 2 == 0 {
                *pixel = Rgb([255; 3]);
            }
        }
        image.save(folder.path().join(format!("{index}.png"))).unwrap();
    }
    let images = numbered(9, folder.path());
    let (gallery, _) = choose(&images, &VisualRepresentation::new().image_height(1440)).unwrap();
    let bytes = gallery.collage(0).unwrap().unwrap();
    assert_eq!(&bytes[..3], b"\xff\xd8\xff");
    let collage = pixels(&bytes);
    assert_eq!(collage.dimensions(), (1920, 1440));
    for index in 0..9 {
        let (x, y) = (index % 3 * 640, index / 3 * 480);
        assert!(near(collage.get_pixel(x + 320, y + 100), &color(index)), "{index}");
    }
    // At full size the lines are visible: alternately white and colored.
    let line: Vec<u8> = (100..140).map(|x| collage.get_pixel(x, 400).0[1]).collect();
    assert!(line.iter().max().unwrap() - line.iter().min().unwrap() > 150, "{line:?}");
    assert_eq!(gallery.collages().unwrap()[&0], bytes);
    for thumbnail in gallery.thumbnails(0) {
        assert_eq!((thumbnail.width, thumbnail.height), (256, 192));
        assert_eq!(pixels(&thumbnail.bytes).dimensions(), (256, 192));
    }
}

#[test]
fn collages_have_sensible_sizes_for_any_number_of_images() {
    let folder = tempfile::tempdir().unwrap();
    write_pngs(folder.path(), 9);
    for count in 1..=9 {
        let images = numbered(count, folder.path());
        for squares in [false, true] {
            let (gallery, _) = choose(&images, &VisualRepresentation::new().image_squares(squares)).unwrap();
            let collage = pixels(&gallery.collage(0).unwrap().unwrap());
            let rows = count.div_ceil(3) as u32;
            let wide = f64::from(if squares { 200 } else { 800 }) / if squares { 1.0 } else { 3.0 };
            let width = (wide * count.min(3) as f64).round() as u32;
            assert_eq!(collage.dimensions(), (width, 200 * rows), "{count} images, squares: {squares}");
        }
    }
}

#[test]
fn a_collage_survives_the_loss_of_its_files() {
    let folder = tempfile::tempdir().unwrap();
    write_pngs(folder.path(), 2);
    let (gallery, _) = choose(&numbered(2, folder.path()), &VisualRepresentation::new()).unwrap();
    let before = gallery.collage(0).unwrap().unwrap();
    drop(folder);
    let after = gallery.clone().collage(0).unwrap().unwrap();
    assert_eq!(pixels(&before).dimensions(), pixels(&after).dimensions());
    assert!(near(pixels(&after).get_pixel(50, 50), &color(0)));
}

#[test]
fn the_outcome_does_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    write_pngs(folder.path(), 60);
    for broken in [0, 7, 8, 30] {
        fs::write(folder.path().join(format!("{broken}.png")), "no pixels").unwrap();
    }
    let images = numbered(60, folder.path());
    let assignments: Vec<i32> = (0..60).map(|row| row / 20 - 1).collect();
    let vectors = Array2::from_shape_fn((60, 3), |(row, column)| ((row * 31 + column * 17) % 23) as f32 - 7.0);
    let vectors = Embeddings::scatter(vectors, &(0..60).collect::<Vec<_>>(), 60).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let ranking = Ranking::by_image(&[-1, 0, 1], &assignments, &images, &vectors);
            let gallery = VisualRepresentation::new().gallery(&ranking, &images, &Progress::silent()).unwrap();
            let thumbnails: Vec<_> = gallery.topics().iter().flat_map(|&id| gallery.thumbnails(id).to_vec()).collect();
            (gallery.to_frame().unwrap(), gallery.skipped().to_vec(), thumbnails, gallery.collages().unwrap())
        })
    };
    let (one, four) = (run(1), run(4));
    assert!(one.0.equals(&four.0));
    assert!(one.1 == four.1 && one.2 == four.2 && one.3 == four.3);
    assert_eq!(one.0.height(), 27);
}

#[test]
fn limits_hold_and_parameters_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    write_pngs(folder.path(), 2);
    fs::write(folder.path().join("0.png"), png(0, 400, 300)).unwrap();
    let images = numbered(2, folder.path());
    let small = VisualRepresentation::new().limits(Limits::new().max_pixels(2000));
    let (gallery, notes) = choose(&images, &small).unwrap();
    assert_eq!(rows(&gallery, 0), [1]);
    assert!(notes[0].contains("400 x 300, more than 2000 pixels"), "{notes:?}");
    let bad = [
        ("nr_repr_images = 0", VisualRepresentation::new().nr_repr_images(0)),
        ("nr_repr_images = 101", VisualRepresentation::new().nr_repr_images(101)),
        ("image_height = 29", VisualRepresentation::new().image_height(29)),
        ("image_height = 4097", VisualRepresentation::new().image_height(4097)),
        ("max_side = 0", VisualRepresentation::new().limits(Limits::new().max_side(0))),
    ];
    for (named, visual) in bad {
        let error = visual.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(format!("{error:#}").contains(named), "{error:#}");
        assert!(choose(&images, &visual).is_err());
    }
    assert!(VisualRepresentation::new().check().is_ok() && VisualRepresentation::new().needs_images());
}
