//! Image formats: TIFF, formats that are recognized but not read, and folders of all of them.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use image::codecs::tiff::TiffEncoder;
use image::{DynamicImage, ExtendedColorType, GrayImage, ImageEncoder, Rgb, RgbImage};
use topicframe::error::ErrorKind;
use topicframe::files::{read_frame, read_image_folder, read_image_folder_with, write_frame};
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::vision::{ImageFormat, decode, decode_as_stored, sniff_format};

use crate::colors::{Eye, column_of_topics, png};
use crate::notes::Notes;

fn encoded(bytes: &[u8]) -> ImageSource<'_> {
    ImageSource::Encoded { bytes, name: Some("picture") }
}

fn error_of(bytes: &[u8]) -> String {
    let error = decode(&encoded(bytes), &Limits::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Image);
    format!("{error:#}")
}

fn picture() -> RgbImage {
    RgbImage::from_fn(7, 5, |x, y| Rgb([x as u8 * 30, y as u8 * 50, 200 - x as u8 * 9]))
}

fn tiff(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Tiff).unwrap();
    bytes.into_inner()
}

/// An uncompressed TIFF of 7 x 5 three-byte pixels, with additional entries (tag, type, value) in its directory.
pub fn raw_tiff(pixels: &[u8], more: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut entries = vec![(256, 4, 7), (257, 4, 5), (258, 3, 8), (259, 3, 1), (262, 3, 2), (277, 3, 3), (278, 4, 5)];
    entries.extend([(273, 4, 8), (279, 4, pixels.len() as u32)]);
    entries.retain(|(tag, ..)| !more.iter().any(|(other, ..)| tag == other));
    if more.iter().any(|(tag, ..)| *tag == 322) {
        // Tiles replace strips.
        entries.retain(|(tag, ..)| ![273, 278, 279].contains(tag));
    }
    entries.extend(more);
    entries.sort_unstable();
    let directory = 8 + pixels.len() as u32;
    let mut bytes = [b"II*\0", &directory.to_le_bytes()[..], pixels].concat();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        bytes.extend([tag, kind].map(u16::to_le_bytes).concat());
        bytes.extend([1, value].map(u32::to_le_bytes).concat());
    }
    // There is no next directory.
    bytes.extend([0; 4]);
    bytes
}

#[test]
fn tiff_is_read_pixel_for_pixel() {
    let rgb = picture();
    let bytes = tiff(&DynamicImage::ImageRgb8(rgb.clone()));
    assert_eq!(sniff_format(&bytes), Some(ImageFormat::Tiff));
    assert_eq!(ImageFormat::Tiff.mime(), "image/tiff");
    assert_eq!(decode(&encoded(&bytes), &Limits::new()).unwrap(), rgb);
    let whole = DynamicImage::ImageRgb8(rgb.clone());
    let wide = RgbImage::from_vec(7, 5, whole.to_rgb16().iter().map(|value| (value >> 8) as u8).collect()).unwrap();
    assert_eq!(decode(&encoded(&tiff(&DynamicImage::ImageRgb16(whole.to_rgb16()))), &Limits::new()).unwrap(), wide);
    let grey = DynamicImage::ImageLuma8(whole.to_luma8());
    assert_eq!(decode(&encoded(&tiff(&grey)), &Limits::new()).unwrap(), grey.to_rgb8());
    let floats = decode(&encoded(&tiff(&DynamicImage::ImageRgb32F(whole.to_rgb32f()))), &Limits::new()).unwrap();
    assert!(floats.iter().zip(rgb.iter()).all(|(a, b)| a.abs_diff(*b) <= 1));
    let clear = image::RgbaImage::from_pixel(7, 5, image::Rgba([9, 9, 9, 0]));
    let white = decode(&encoded(&tiff(&DynamicImage::ImageRgba8(clear))), &Limits::new()).unwrap();
    assert!(white.iter().all(|&value| value == 255), "transparency is composited onto white");
    for length in [8, bytes.len() / 2, bytes.len() - 30] {
        assert!(error_of(&bytes[..length]).contains("decoded"), "cut to {length}");
    }
}

#[test]
fn tiff_is_upright_and_its_first_page_counts() {
    let rgb = picture();
    let turned = raw_tiff(rgb.as_raw(), &[(274, 3, 6)]);
    assert_eq!(decode(&encoded(&turned), &Limits::new()).unwrap(), image::imageops::rotate90(&rgb));
    assert_eq!(decode_as_stored(&encoded(&turned), &Limits::new()).unwrap(), rgb);
    // A second page, which is the first again at another offset.
    let mut pages = raw_tiff(rgb.as_raw(), &[]);
    let second = pages[8 + 105..].to_vec();
    let (last, next) = (pages.len() - 4, pages.len() as u32);
    pages[last..].copy_from_slice(&next.to_le_bytes());
    pages.extend(second);
    assert_eq!(decode(&encoded(&pages), &Limits::new()).unwrap(), rgb);
}

#[test]
fn a_tiff_of_a_kind_that_is_not_read_says_so() {
    let pixels = picture().into_raw();
    assert!(error_of(&raw_tiff(&pixels, &[(259, 3, 7)])).contains("with embedded JPEGs are not supported"));
    assert!(error_of(&raw_tiff(&pixels, &[(277, 3, 60_000)])).contains("60000 samples per pixel"));
    assert!(error_of(&raw_tiff(&pixels, &[(262, 3, 3), (277, 3, 1)])).contains("cannot be decoded"), "a palette");
    let tiles = raw_tiff(&pixels, &[(322, 4, 1 << 30), (323, 4, 16), (324, 4, 8), (325, 4, 105)]);
    assert!(error_of(&tiles).contains("its tiles are"), "{}", error_of(&tiles));
    assert!(error_of(&raw_tiff(&pixels, &[(256, 4, 60_000)])).contains("a side may be at most 32768"));
}

#[test]
fn images_that_cannot_be_read_are_named() {
    let kinds: [(&[u8], &str); 8] = [
        (b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC image"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
        (b"8BPS\0\x01", "a Photoshop document"),
        (b"\0\0\x01\0\x01\0", "an icon"),
        (b"<?xml version=\"1.0\"?><svg/>", "an SVG drawing"),
        (b"\0\0\0\x18ftypisom", "a video"),
        (b"<?xml version=\"1.0\"?><rss/>", "an XML file"),
    ];
    for (bytes, kind) in kinds {
        assert!(error_of(bytes).contains(kind), "{}", error_of(bytes));
    }
}

#[test]
fn a_folder_tells_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let put = |name: &str, bytes: &[u8]| fs::write(here.join(name), bytes).unwrap();
    let avif = b"\0\0\0\x1cftypavif\0\0\0\0";
    for i in 0..3 {
        put(&format!("{i}.png"), &png(i, i));
        put(&format!("{i}.AVIF"), avif);
        put(&format!("plain{i}"), &png(i, 10 + i));
        put(&format!("t{i}.tif"), &tiff(&DynamicImage::ImageRgb8(picture())));
    }
    put("one.heic", b"");
    put("notes.txt", b"about these pictures");
    put("README", b"about these pictures");
    put("nameless_avif", avif);
    put(".hidden.png", &png(0, 0));
    fs::create_dir(here.join("more")).unwrap();
    put("more/x.jfif", &png(0, 4));
    if cfg!(unix) {
        std::os::unix::fs::symlink(here, here.join("again")).unwrap();
        std::os::unix::fs::symlink(here.join("0.png"), here.join("link.png")).unwrap();
        assert!(Command::new("mkfifo").arg(here.join("pipe")).status().unwrap().success());
    }
    let notes = Arc::new(Notes::default());
    let frame = read_image_folder_with(here, &Progress::to(notes.clone())).unwrap();
    let paths: Vec<&str> = frame.column("image").unwrap().str().unwrap().iter().flatten().collect();
    let expected = ["0.png", "1.png", "2.png", "link.png", "more/x.jfif", "plain0", "plain1", "plain2"];
    assert_eq!(paths[..8], expected);
    assert_eq!(paths[8..], ["t0.tif", "t1.tif", "t2.tif"]);
    let told = notes.text();
    assert!(told.contains("3 .avif, 1 (no extension) and 1 .heic files are images in unsupported formats"), "{told}");
    assert!(told.contains("2 (no extension) and 1 .txt files are not images and were skipped"), "{told}");
    assert!(told.contains("1 link to a folder was not followed"), "{told}");
}

#[test]
fn a_folder_without_an_image_that_can_be_read_says_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..2 {
        fs::write(folder.path().join(format!("{i}.avif")), b"").unwrap();
    }
    let error = read_image_folder(folder.path()).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(
        error.contains("the folder contains no images")
            && error.contains("2 .avif files are images in an unsupported format"),
        "{error:#}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_unicode_are_read() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for i in 0..30 {
        let name = [b"caf\xe9 \xff", i.to_string().as_bytes(), b".png"].concat();
        fs::create_dir_all(here.join(OsStr::from_bytes(b"\xc3"))).unwrap();
        fs::write(here.join(OsStr::from_bytes(b"\xc3")).join(OsStr::from_bytes(&name)), png(i % 3, i)).unwrap();
    }
    // A name that looks like an escape but is meant literally.
    let escaped = format!("{}/\\xE9.png", here.display());
    fs::write(escaped, png(0, 77)).unwrap();
    let frame = read_image_folder(here).unwrap();
    let paths: Vec<&str> = frame.column("image").unwrap().str().unwrap().iter().flatten().collect();
    assert_eq!((paths.len(), paths[0]), (31, "\\xC3/caf\\xE9 \\xFF0.png"));
    assert!(paths.contains(&"\\xE9.png"));
    let model = TopicModel::images("image", Eye).image_folder(here).reducer(NoReduction).clusterer(KMeans::new(3));
    let topics = column_of_topics(&model.fit_transform(&frame).unwrap().1);
    assert!(topics.iter().all(|&topic| topic >= 0), "{topics:?}");
}

#[test]
#[cfg_attr(not(feature = "models"), ignore = "needs the feature models")]
fn the_command_reads_a_mixed_folder_and_tells_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    for i in 0..24 {
        fs::write(pictures.join(format!("p{i}.jpg")), png(i % 3, i)).unwrap();
    }
    for i in 0..12 {
        fs::write(pictures.join(format!("q{i}.avif")), b"\0\0\0\x1cftypavif\0\0\0\0").unwrap();
        let color = Rgb([(i * 20) as u8, 100, 255 - (i * 20) as u8]);
        let tiff = tiff(&DynamicImage::ImageRgb8(RgbImage::from_pixel(9, 9, color)));
        fs::write(pictures.join(format!("r{i}.tif")), tiff).unwrap();
    }
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/clip/gelu");
    let output = Command::new(env!("CARGO_BIN_EXE_topicframe"))
        .current_dir(folder.path())
        .args(["fit", "pictures", "--min-cluster-size", "3", "--documents", "d.csv", "--embedder"])
        .arg(model)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("12 .avif files are images in an unsupported format"), "{said}");
    assert!(said.contains("in 36 rows"), "{said}");
    assert_eq!(read_frame(folder.path().join("d.csv")).unwrap().height(), 36);
}

#[test]
fn a_page_shows_tiff_as_something_that_browsers_know() {
    let bytes = tiff(&DynamicImage::ImageRgb8(picture()));
    let html = topicframe::display::picture(bytes.as_slice()).to_string();
    assert!(html.contains("data:image/") && !html.contains("image/tiff"), "{html}");
}

/// Limits that reject an image name the option that raises them, in the terms of the interface.
#[test]
#[cfg_attr(not(feature = "models"), ignore = "needs the feature models")]
fn limits_name_the_option_that_lifts_them() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for i in 0..60 {
        fs::write(here.join(format!("{i}.png")), png(i % 3, i)).unwrap();
    }
    // 12,000 x 11,500 pixels of one color.
    let large = GrayImage::new(12_000, 11_500);
    large.save_with_format(here.join("7.png"), image::ImageFormat::Png).unwrap();
    let mut frame = crate::corpora::frame(60);
    frame.with_column(Column::new("image".into(), (0..60).map(|i| format!("{i}.png")).collect::<Vec<_>>())).unwrap();
    write_frame(&frame, here.join("posts.csv")).unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/clip/gelu");
    let fit = |more: &[&str]| {
        let arguments = ["fit", "posts.csv", "--images", "image", "--cluster-on", "images", "--embedder"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_topicframe"));
        let output = command.current_dir(here).args(arguments).arg(&model).args(more).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let said = fit(&[]);
    assert!(said.contains("12000 x 11500, more than 134217728 pixels"), "{said}");
    assert!(said.contains("--max-image-megapixels 138") && !said.contains("Limits::new()"), "{said}");
    let said = fit(&["--max-image-megapixels", "138"]);
    assert!(!said.contains("more than") && !said.contains("cannot be read"), "{said}");
    assert!(fit(&["--max-image-side", "10"]).contains("a side may be at most 10"));
    assert!(fit(&["--max-image-megabytes", "0"]).contains("--max-image-megabytes 0 cannot be used"));
    let source = ImageSource::File(here.join("7.png"));
    let error = decode(&source, &Limits::new()).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(error.contains("Limits::new().max_pixels(138000000)"), "{error:#}");
    let error = decode(&source, &Limits::new().max_side(100)).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(error.contains("max_side(12000)"), "{error:#}");
}

#[test]
fn tiff_encoders_of_others_are_read() {
    // Files that the `tiff` crate writes with compression.
    for compression in [tiff::encoder::Compression::Lzw, tiff::encoder::Compression::Packbits] {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap().with_compression(compression);
        encoder.write_image::<tiff::encoder::colortype::RGB8>(7, 5, picture().as_raw()).unwrap();
        assert_eq!(decode(&encoded(bytes.get_ref()), &Limits::new()).unwrap(), picture());
    }
    let mut bytes = Cursor::new(Vec::new());
    TiffEncoder::new(&mut bytes).write_image(&picture().into_raw(), 7, 5, ExtendedColorType::Rgb8).unwrap();
    assert_eq!(decode(&encoded(bytes.get_ref()), &Limits::new()).unwrap(), picture());
}
