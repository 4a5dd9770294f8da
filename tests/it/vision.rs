//! Pixels: decoding compared with Pillow and on invalid files, resampling, thumbnails, collages.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{Rgb, RgbImage};
use serde_json::Value;
use topicframe::error::{ErrorKind, Stage};
use topicframe::vision::{
    Collage, Encoding, Filter, ImageFormat, ImageSource, Layout, Limits, decode, decode_as_stored, encode, reduce,
    resize, resize_region, sniff_format, thumbnail,
};

fn fixture(name: &str) -> Value {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vision")).join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes_of(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap() as u32
}

fn encoded(bytes: &[u8]) -> ImageSource<'_> {
    ImageSource::Encoded { bytes, name: Some("picture") }
}

fn decode_error(bytes: &[u8]) -> String {
    let error = decode(&encoded(bytes), &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Image);
    assert_eq!(error.path(), Some(Path::new("picture")));
    format!("{error:#}")
}

/// The encoded bytes of one case of decode.json.
pub fn case(name: &str) -> Vec<u8> {
    let cases = fixture("decode.json");
    let found = cases.as_array().unwrap().iter().find(|case| case["name"] == name);
    bytes_of(&found.unwrap_or_else(|| panic!("no case {name}"))["bytes"])
}

fn noise(width: u32, height: u32) -> RgbImage {
    let mut state = 12345_u32;
    RgbImage::from_fn(width, height, |_, _| {
        Rgb([(); 3].map(|()| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }))
    })
}

#[test]
fn every_pixel_format_decodes_as_in_pillow() {
    let cases = fixture("decode.json");
    let mut failures = Vec::new();
    for case in cases.as_array().unwrap() {
        let bytes = bytes_of(&case["bytes"]);
        let image = match decode(&encoded(&bytes), &Limits::default()) {
            Ok(image) => image,
            Err(error) => {
                failures.push(format!("{}: {error}", case["name"]));
                continue;
            }
        };
        assert_eq!(image.dimensions(), (number(&case["width"]), number(&case["height"])), "{}", case["name"]);
        let expected = bytes_of(&case["rgb"]);
        let worst = image.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        if u32::from(worst) > number(&case["tolerance"]) {
            failures.push(format!("{}: differs by {worst}", case["name"]));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(cases.as_array().unwrap().len() >= 40);
}

#[test]
fn orientation_is_applied_unless_it_is_not_wanted() {
    let cases = fixture("decode.json");
    for case in cases.as_array().unwrap() {
        let bytes = bytes_of(&case["bytes"]);
        let stored = decode_as_stored(&encoded(&bytes), &Limits::default()).unwrap();
        assert_eq!(stored.dimensions(), (number(&case["stored"][0]), number(&case["stored"][1])), "{}", case["name"]);
    }
}

#[test]
fn formats_are_told_by_content() {
    let formats = [
        ("png rgb", ImageFormat::Png, "image/png"),
        ("jpeg grey", ImageFormat::Jpeg, "image/jpeg"),
        ("webp lossy", ImageFormat::WebP, "image/webp"),
        ("gif", ImageFormat::Gif, "image/gif"),
        ("bmp palette", ImageFormat::Bmp, "image/bmp"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, format, mime) in formats {
        let bytes = case(name);
        assert_eq!(sniff_format(&bytes), Some(format));
        assert_eq!(format.mime(), mime);
        let wrong_name = folder.path().join("picture.txt");
        fs::write(&wrong_name, &bytes).unwrap();
        assert!(decode(&ImageSource::File(wrong_name), &Limits::default()).is_ok());
    }
    for other in ["", "BMW is a car maker from Munich", "GIF", "RIFF....WAVE", "\u{89}PNG"] {
        assert_eq!(sniff_format(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn what_is_no_image_says_what_it_seems_to_be() {
    assert!(decode_error(b"").contains("empty"));
    assert!(decode_error(b"just some text").contains("not a PNG, JPEG, WebP, GIF, BMP or TIFF image"));
    assert!(decode_error(b"<!DOCTYPE html><title>404</title>").contains("web page"));
    assert!(decode_error(b"<svg xmlns='http://www.w3.org/2000/svg'/>").contains("SVG"));
    assert!(decode_error(b"II*\0\x08\0\0\0").contains("cannot be decoded"));
    assert!(decode_error(b"\0\0\0\x1cftypavif").contains("AVIF"));
    assert!(decode_error("\u{feff}ümlaut".repeat(99).as_bytes()).contains("not a PNG"));
}

#[test]
fn only_regular_files_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &Path| {
        let error = decode(&ImageSource::File(path.to_path_buf()), &Limits::default()).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Image, Some(path)));
        format!("{error:#}")
    };
    assert!(error(&folder.path().join("missing.png")).contains("there is no such file"));
    assert!(error(folder.path()).contains("folder"));
    let text = folder.path().join("text.png");
    fs::write(&text, "not pixels").unwrap();
    assert!(error(&text).contains("not a PNG"));
    let empty = folder.path().join("empty.png");
    fs::write(&empty, "").unwrap();
    assert!(error(&empty).contains("empty"));
    if cfg!(unix) {
        assert!(error(Path::new("/dev/zero")).contains("not a regular file"));
        if cfg!(target_os = "linux") {
            assert!(error(Path::new("/proc/version")).contains("empty"));
        }
        let pipe = folder.path().join("pipe.png");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(error(&pipe).contains("not a regular file"));
        let loops = folder.path().join("loops.png");
        std::os::unix::fs::symlink(&loops, &loops).unwrap();
        assert!(error(&loops).contains("cannot be read"));
    }
}

#[test]
fn images_that_are_cut_short_are_errors() {
    let cases = fixture("decode.json");
    for case in cases.as_array().unwrap() {
        let (name, bytes) = (case["name"].as_str().unwrap(), bytes_of(&case["bytes"]));
        if name.contains("animated") {
            continue; // the first frame may be complete
        }
        // The last bytes of a GIF or PNG are a trailer, without which the pixels are still complete.
        for length in [bytes.len() / 4, bytes.len() / 2, bytes.len() * 2 / 3] {
            let error = decode(&encoded(&bytes[..length]), &Limits::default());
            assert!(error.is_err(), "{name} cut to {length} of {} bytes", bytes.len());
        }
    }
    let jpeg = case("jpeg progressive");
    assert!(decode_error(&jpeg[..jpeg.len() - 2]).contains("truncated"));
    let with_tail = [&jpeg[..], b"appended by a camera"].concat();
    assert!(decode(&encoded(&with_tail), &Limits::default()).is_ok());
}

/// A corrupted file results in an image or an error, never a panic, an endless loop or a huge allocation.
#[test]
fn damaged_bytes_never_panic() {
    let cases = fixture("decode.json");
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let limits = Limits::default().max_pixels(1 << 20);
    let mut errors = 0;
    for case in cases.as_array().unwrap() {
        let good = bytes_of(&case["bytes"]);
        for _ in 0..60 {
            let mut bytes = good.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            errors += usize::from(decode(&encoded(&bytes), &limits).is_err());
        }
    }
    assert!(errors > 100);
}

/// A PNG with a header that claims `width` x `height`, and almost no data.
fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    for body in [header, b"IDAT\x78\x9c\x03\0\0\0\0\x01".to_vec()] {
        png.extend((body.len() as u32 - 4).to_be_bytes());
        png.extend(&body);
        png.extend(crc32(&body).to_be_bytes());
    }
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn bombs_are_found_in_the_header() {
    assert!(decode_error(&png_bomb(30_000, 30_000)).contains("30000 x 30000, more than 134217728 pixels"));
    assert!(decode_error(&png_bomb(2_000_000_000, 1)).contains("a side may be at most 32768"));
    assert!(decode_error(&png_bomb(u32::MAX, u32::MAX)).contains("a side may be at most 32768"));
    assert!(decode_error(&png_bomb(0, 5)).contains("no pixels: 0 x 5"));
    // Even a small image may have far too little data.
    assert!(decode_error(&png_bomb(5, 5)).contains("cannot be decoded"));
    let mut gif = case("gif");
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert!(decode_error(&gif).contains("65535 x 65535"));
    let mut bmp = case("bmp 24 bits");
    bmp[18..22].copy_from_slice(&60_000_i32.to_le_bytes());
    assert!(decode_error(&bmp).contains("60000 x 9"));
    let mut jpeg = case("jpeg grey");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert!(decode_error(&jpeg).contains("65535 x 65535"));
}

/// The outer header of a WebP may be modest while the image inside claims to be huge.
#[test]
fn bombs_within_a_webp_are_found() {
    let mut webp = case("webp lossy, alpha");
    let start = webp.windows(3).position(|code| code == [0x9d, 0x01, 0x2a]).unwrap() + 3;
    webp[start..start + 4].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert!(decode_error(&webp).contains("16383 x 16383"));
    let mut webp = case("webp lossless");
    webp[16..20].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    assert!(decode_error(&webp).contains("truncated"));
}

#[test]
fn limits_are_settable_and_checked() {
    let png = case("png rgb");
    let error = |limits: Limits| decode(&encoded(&png), &limits).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(error(Limits::new().max_bytes(10)).contains("larger than 10 bytes"));
    assert!(error(Limits::new().max_pixels(13 * 9 - 1)).contains("more than 116 pixels"));
    assert!(error(Limits::new().max_side(12)).contains("at most 12"));
    let exact = Limits::new().max_bytes(png.len() as u64).max_pixels(13 * 9).max_side(13);
    assert!(decode(&encoded(&png), &exact).is_ok());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.png"), &png).unwrap();
    let file = ImageSource::File(folder.path().join("a.png"));
    assert!(
        decode(&file, &Limits::new().max_bytes(10))
            .map_err(|error| format!("{error:#}"))
            .unwrap_err()
            .contains("larger than 10 bytes")
    );
    let parameter = Limits::new().max_pixels(0).check(Stage::Represent).unwrap_err();
    assert_eq!(parameter.kind(), ErrorKind::InvalidParameter);
    assert!(parameter.to_string().contains("max_pixels = 0"));
    assert!(Limits::new().check(Stage::Embed).is_ok());
}

fn filter(name: &Value) -> Filter {
    match name.as_str().unwrap() {
        "nearest" => Filter::Nearest,
        "bilinear" => Filter::Bilinear,
        "bicubic" => Filter::Bicubic,
        _ => Filter::Lanczos3,
    }
}

fn sources(fixture: &Value) -> Vec<RgbImage> {
    let sources = fixture["sources"].as_array().unwrap().iter();
    let image = |source: &Value| {
        let (width, height) = (number(&source["size"][0]), number(&source["size"][1]));
        RgbImage::from_raw(width, height, bytes_of(&source["rgb"])).unwrap()
    };
    sources.map(image).collect()
}

#[test]
fn resampling_is_pillows_bit_for_bit() {
    let fixture = fixture("resample.json");
    let sources = sources(&fixture);
    let mut cases = 0;
    for case in fixture["resized"].as_array().unwrap() {
        let source = &sources[number(&case["source"]) as usize];
        let (width, height) = (number(&case["size"][0]), number(&case["size"][1]));
        let resized = match case["region"].as_array() {
            None => resize(source, width, height, filter(&case["filter"])),
            Some(region) => {
                let edge = |index: usize| region[index].as_f64().unwrap() as f32;
                let region = [edge(0), edge(1), edge(2), edge(3)];
                resize_region(source, region, width, height, filter(&case["filter"])).unwrap()
            }
        };
        let name = format!("{} {} {} {}", case["source"], case["filter"], case["size"], case["region"]);
        assert_eq!(resized.dimensions(), (width, height), "{name}");
        assert!(resized.into_raw() == bytes_of(&case["rgb"]), "{name}");
        cases += 1;
    }
    assert_eq!(cases, 64);
}

#[test]
fn block_averages_are_pillows_bit_for_bit() {
    let fixture = fixture("resample.json");
    let sources = sources(&fixture);
    for case in fixture["reduced"].as_array().unwrap() {
        let (x, y) = (number(&case["factors"][0]), number(&case["factors"][1]));
        let reduced = reduce(&sources[number(&case["source"]) as usize], x, y);
        assert_eq!(reduced.dimensions(), (number(&case["size"][0]), number(&case["size"][1])), "{x} x {y}");
        assert!(reduced.into_raw() == bytes_of(&case["rgb"]), "{x} x {y}");
    }
    let white = RgbImage::from_pixel(600, 500, Rgb([255; 3]));
    assert_eq!(reduce(&white, 600, 500).into_raw(), [255; 3]);
    assert_eq!(reduce(&white, 0, 0), white);
}

#[test]
fn resampling_keeps_flat_colors_and_odd_sizes() {
    let flat = RgbImage::from_pixel(33, 21, Rgb([250, 3, 128]));
    for filter in [Filter::Nearest, Filter::Bilinear, Filter::Bicubic, Filter::Lanczos3] {
        for (width, height) in [(1, 1), (100, 1), (7, 90), (33, 21)] {
            let resized = resize(&flat, width, height, filter);
            assert!(resized.pixels().all(|pixel| pixel.0 == [250, 3, 128]));
        }
        assert_eq!(resize(&flat, 0, 5, filter).dimensions(), (0, 5));
        assert_eq!(resize(&RgbImage::new(0, 0), 2, 2, filter), RgbImage::new(2, 2));
    }
    for region in [[0.0, 0.0, 34.0, 1.0], [5.0, 0.0, 5.0, 1.0], [-1.0, 0.0, 5.0, 1.0], [0.0, f32::NAN, 5.0, 1.0]] {
        let error = resize_region(&flat, region, 2, 2, Filter::Bicubic).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    }
}

#[test]
fn thumbnails_fit_and_are_never_enlarged() {
    let sizes = [((1000, 500), (100, 50)), ((500, 1000), (50, 100)), ((5000, 1), (100, 1)), ((1, 300), (1, 100))];
    for ((width, height), expected) in sizes {
        assert_eq!(thumbnail(&noise(width, height), 100).dimensions(), expected);
    }
    let small = noise(60, 100);
    assert_eq!(thumbnail(&small, 100), small);
    assert_eq!(thumbnail(&small, 0).dimensions(), (1, 1));
}

/// The fast method is close to the exact one.
#[test]
fn thumbnails_look_like_the_full_filter() {
    let source = resize(&noise(40, 30), 1200, 900, Filter::Bicubic);
    let (quick, exact) = (thumbnail(&source, 100), resize(&source, 100, 75, Filter::Lanczos3));
    let worst = quick.iter().zip(exact.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(worst <= 4, "{worst}");
}

#[test]
fn encoding_comes_back_and_picks_the_smaller_format() {
    let limits = Limits::default();
    let drawing =
        RgbImage::from_fn(80, 60, |x, y| if (x / 9 + y / 7) % 2 == 0 { Rgb([255; 3]) } else { Rgb([200, 0, 0]) });
    let photo = resize(&noise(8, 6), 80, 60, Filter::Bicubic);
    let smallest = Encoding::Smallest { quality: 85 };
    let (drawing_bytes, photo_bytes) = (encode(&drawing, smallest).unwrap(), encode(&photo, smallest).unwrap());
    assert_eq!((drawing_bytes.format, drawing_bytes.mime()), (ImageFormat::Png, "image/png"));
    assert_eq!((photo_bytes.format, photo_bytes.mime()), (ImageFormat::Jpeg, "image/jpeg"));
    assert_eq!((photo_bytes.width, photo_bytes.height), (80, 60));
    assert_eq!(decode(&encoded(&drawing_bytes.bytes), &limits).unwrap(), drawing);
    let back = decode(&encoded(&photo_bytes.bytes), &limits).unwrap();
    let worst = back.iter().zip(photo.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(worst < 40, "{worst}");
    assert!(encode(&photo, Encoding::Jpeg { quality: 30 }).unwrap().bytes.len() < photo_bytes.bytes.len());
    for quality in [0, 101] {
        let error = encode(&photo, Encoding::Jpeg { quality }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    }
    assert!(encode(&RgbImage::new(0, 0), Encoding::Png).is_err());
    assert!(encode(&RgbImage::new(70_000, 1), Encoding::Jpeg { quality: 80 }).is_err());
}

/// Every pixel of the layout belongs to at most one cell; returns the area that no cell covers.
fn uncovered(layout: &Layout) -> u32 {
    let mut covered = vec![false; (layout.width * layout.height) as usize];
    for cell in &layout.cells {
        assert!(cell.width > 0 && cell.height > 0);
        for y in cell.y..cell.y + cell.height {
            for x in cell.x..cell.x + cell.width {
                assert!(x < layout.width && y < layout.height, "{cell:?} leaves {} x {}", layout.width, layout.height);
                assert!(!std::mem::replace(&mut covered[(y * layout.width + x) as usize], true), "{cell:?} overlaps");
            }
        }
    }
    covered.iter().filter(|covered| !**covered).count() as u32
}

#[test]
fn nine_images_fill_the_height_without_gaps() {
    let same = Collage::new(600, false).layout(&[(640, 480); 9]).unwrap().unwrap();
    assert_eq!((same.width, same.height), (800, 600));
    assert_eq!(uncovered(&same), 0);
    let mixed = [(640, 480), (480, 640), (500, 500), (1920, 1080), (30, 20), (20, 30), (4000, 3000), (9, 16), (1, 1)];
    let layout = Collage::new(600, false).layout(&mixed).unwrap().unwrap();
    assert_eq!(layout.height, 600);
    assert_eq!(uncovered(&layout), 0);
    for (cell, (width, height)) in layout.cells.iter().zip(mixed) {
        let (shape, wanted) = (f64::from(cell.width) / f64::from(cell.height), f64::from(width) / f64::from(height));
        assert!((shape / wanted - 1.0).abs() < 0.02, "{cell:?} for {width} x {height}");
    }
}

#[test]
fn squares_are_a_third_of_the_height() {
    let layout = Collage::new(600, true).layout(&[
        (640, 480),
        (10, 900),
        (5, 5),
        (1, 1),
        (2, 9),
        (9, 2),
        (3, 3),
        (4, 4),
        (5, 6),
    ]);
    let layout = layout.unwrap().unwrap();
    assert_eq!((layout.width, layout.height), (600, 600));
    assert!(layout.cells.iter().all(|cell| (cell.width, cell.height) == (200, 200)));
    assert_eq!(uncovered(&layout), 0);
    // A height not divisible by three is still matched exactly.
    let odd = Collage::new(500, true).layout(&[(1, 1); 9]).unwrap().unwrap();
    assert_eq!((odd.width, odd.height, uncovered(&odd)), (500, 500, 0));
}

#[test]
fn short_rows_are_not_blown_up() {
    for squares in [false, true] {
        let collage = Collage::new(600, squares);
        assert_eq!(collage.layout(&[]).unwrap(), None);
        for count in 1..=12 {
            let layout = collage.layout(&vec![(400, 400); count]).unwrap().unwrap();
            let rows = count.div_ceil(3) as u32;
            assert_eq!((layout.width, layout.height), (200 * count.min(3) as u32, 200 * rows), "{count} images");
            let short = if count > 3 { count % 3 } else { 0 };
            let empty = if short == 0 { 0 } else { 3 - short as u32 };
            assert_eq!(uncovered(&layout), empty * 200 * 200, "{count} images");
        }
    }
    let wide = Collage::new(600, false).layout(&[(1, 2), (1, 2), (1, 2), (2, 1), (2, 1)]).unwrap().unwrap();
    assert_eq!(wide.width, 300);
    assert!(wide.cells[3].height < 200, "a short row is no wider than the rest: {wide:?}");
}

#[test]
fn extreme_shapes_do_not_decide_the_rest() {
    let layout = Collage::new(600, false).layout(&[(10_000, 1), (640, 480), (640, 480)]).unwrap().unwrap();
    assert_eq!((layout.width, layout.height), (200 * 2 + 267 * 2 - 1, 200));
    let tiny = Collage::new(3, false).layout(&[(1, 10_000), (10_000, 1), (1, 1), (5, 5)]).unwrap().unwrap();
    uncovered(&tiny);
}

#[test]
fn collages_of_an_absurd_height_are_refused_before_anything_is_allocated() {
    for height in [0, 2, 4097, u32::MAX] {
        let collage = Collage::new(height, false);
        let error = collage.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(format!("{error:#}").contains(&format!("image_height = {height} ")), "{error:#}");
        assert!(collage.layout(&[(4, 3)]).is_err() && collage.compose(&[RgbImage::new(4, 3)]).is_err());
    }
    assert!(Collage::new(3, false).check().is_ok() && Collage::new(4096, true).check().is_ok());
}

#[test]
fn collages_show_each_image_once_in_order() {
    let colors: Vec<Rgb<u8>> = (0..7_u8).map(|index| Rgb([index * 30, 100, 255 - index * 30])).collect();
    let sizes = [(40, 30), (30, 40), (300, 30), (50, 50), (64, 48), (1, 1), (90, 60)];
    let images: Vec<RgbImage> = sizes
        .iter()
        .zip(&colors)
        .map(|(&(width, height), &color)| RgbImage::from_pixel(width, height, color))
        .collect();
    let collage = Collage::new(300, false);
    let composed = collage.compose(&images).unwrap().unwrap();
    assert_eq!(Some(composed.clone()), collage.compose(&images).unwrap());
    let layout = collage.layout(&sizes).unwrap().unwrap();
    assert_eq!(composed.dimensions(), (layout.width, layout.height));
    for (cell, color) in layout.cells.iter().zip(&colors) {
        for (x, y) in [(0, 0), (cell.width - 1, cell.height - 1), (cell.width / 2, cell.height / 2)] {
            assert_eq!(composed.get_pixel(cell.x + x, cell.y + y), color);
        }
    }
    let white = composed.pixels().filter(|pixel| pixel.0 == [255; 3]).count() as u32;
    assert_eq!(white, uncovered(&layout));
    assert!(Collage::new(300, true).compose(&[]).unwrap().is_none());
}

/// Images are center-cropped, not squeezed.
#[test]
fn squares_show_the_middle() {
    let stripes =
        RgbImage::from_fn(300, 100, |x, _| if (100..200).contains(&x) { Rgb([9, 9, 9]) } else { Rgb([255, 0, 0]) });
    let composed = Collage::new(300, true).compose(&[stripes]).unwrap().unwrap();
    assert_eq!(composed, RgbImage::from_pixel(100, 100, Rgb([9, 9, 9])));
}
