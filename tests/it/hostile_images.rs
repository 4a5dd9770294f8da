//! Malicious images: decompression bombs, loops, and endless nesting. Each results in an image or an error within
//! seconds and within the documented memory limit.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::{DynamicImage, RgbImage};
use topicframe::error::ErrorKind;
use topicframe::files::write_frame;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::vision::decode;

use crate::image_kinds::raw_tiff;

/// The time limit for any image.
const LONGEST: Duration = Duration::from_secs(10);

fn decoded(bytes: &[u8]) -> Result<RgbImage, String> {
    let started = Instant::now();
    let image = decode(&ImageSource::Encoded { bytes, name: None }, &Limits::new());
    assert!(started.elapsed() < LONGEST, "it took {:?}", started.elapsed());
    image.map_err(|error| {
        assert_eq!(error.kind(), ErrorKind::Image);
        format!("{error:#}")
    })
}

fn error_of(bytes: &[u8]) -> String {
    decoded(bytes).unwrap_err()
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&name[..], &(body.len() as u32).to_le_bytes(), body].concat()
}

fn webp(chunks: &[u8]) -> Vec<u8> {
    [b"RIFF", &(chunks.len() as u32 + 4).to_le_bytes()[..], b"WEBP", chunks].concat()
}

/// An animation of 64 x 64 pixels with nested frames, `depth` levels deep.
fn nested_frames(depth: usize) -> Vec<u8> {
    let mut chunks = chunk(b"VP8X", b"\x02\0\0\0\x3f\0\0\x3f\0\0");
    chunks.extend(chunk(b"ANIM", &[0; 6]));
    for level in (0..depth).rev() {
        chunks.extend(b"ANMF");
        chunks.extend((16 + 24 * level as u32).to_le_bytes());
        chunks.extend([0; 16]);
    }
    webp(&chunks)
}

#[test]
fn frames_within_frames_are_an_error_however_deep() {
    for depth in [2, 3, 50_000, 500_000] {
        let error = error_of(&nested_frames(depth));
        assert!(error.contains("frames within frames"), "{depth}: {error}");
    }
    let long = "ANMF".repeat(1_000_000);
    assert!(error_of(&webp(long.as_bytes())).contains("truncated"));
}

#[test]
fn what_follows_a_webp_is_not_read() {
    for name in ["webp lossy", "webp lossy, alpha"] {
        let whole = crate::vision::case(name);
        let expected = decoded(&whole).unwrap();
        // Junk, and chunks that the decoder could mistake for chunks of the image.
        let chunks = [chunk(b"ANMF", &[0; 40]), b"VP8 \xff\xff\xff\x7f".to_vec()];
        for tail in [vec![0xff; 7], vec![0xff; 8], vec![0xff; 100], vec![0; 4096]].iter().chain(&chunks) {
            assert_eq!(
                decoded(&[&whole[..], tail].concat()).as_ref(),
                Ok(&expected),
                "{name}, {} bytes more",
                tail.len()
            );
        }
        for missing in [2, 9, 21, whole.len() / 2] {
            let error = error_of(&whole[..whole.len() - missing]);
            assert!(error.contains("truncated"), "{name}, {missing}: {error}");
        }
    }
    let mut short = crate::vision::case("webp lossy");
    // The outer size is smaller than the first chunk.
    short[4..8].copy_from_slice(&20_u32.to_le_bytes());
    assert!(error_of(&short).contains("truncated"));
}

/// A big-endian chunk of a PNG.
fn png_chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(name);
    crc.update(body);
    [&(body.len() as u32).to_be_bytes()[..], name, body, &crc.sum().to_be_bytes()].concat()
}

fn deflated_zeros(bytes: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    let zeros = vec![0; 1 << 20];
    for _ in 0..bytes >> 20 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.write_all(&zeros[..bytes % (1 << 20)]).unwrap();
    encoder.finish().unwrap()
}

/// A PNG of `side` x `side` black pixels, with chunks between its header and its data.
fn png(side: u32, depth: u8, color: u8, interlaced: bool, between: &[u8]) -> Vec<u8> {
    let channels = match color {
        6 => 4,
        2 => 3,
        _ => 1,
    };
    let row = side as usize * channels * usize::from(depth) / 8 + 1;
    // Interlaced images are rejected here before their data is read.
    let data = deflated_zeros(if interlaced { 1 } else { row * side as usize });
    let header = [&side.to_be_bytes()[..], &side.to_be_bytes(), &[depth, color, 0, 0, u8::from(interlaced)]].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        png_chunk(b"IHDR", &header),
        between.to_vec(),
        png_chunk(b"IDAT", &data),
        png_chunk(b"IEND", b""),
    ]
    .concat()
}

/// Each of these is about 250 KB and inflates to 256 MB.
fn ancillary_bombs() -> Vec<Vec<u8>> {
    let zeros = deflated_zeros(256 << 20);
    let profile = png_chunk(b"iCCP", &[b"p\0\0", &zeros[..]].concat());
    let text = png_chunk(b"zTXt", &[b"t\0\0", &zeros[..]].concat());
    let international = png_chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\x01\0\0\0", &zeros[..]].concat());
    vec![profile, text, international]
}

#[test]
fn ancillary_data_is_stepped_over() {
    let plain = decoded(&png(8, 8, 2, false, b"")).unwrap();
    for bomb in ancillary_bombs() {
        assert_eq!(decoded(&png(8, 8, 2, false, &bomb)).unwrap(), plain);
    }
}

#[test]
fn pixels_beyond_the_last_row_are_not_inflated() {
    let zeros = deflated_zeros(512 << 20);
    let header = [&8_u32.to_be_bytes()[..], &8_u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let bomb = [&b"\x89PNG\r\n\x1a\n"[..], &png_chunk(b"IHDR", &header), &png_chunk(b"IDAT", &zeros)].concat();
    let started = Instant::now();
    assert!(decoded(&bomb).unwrap().iter().all(|&value| value == 0));
    assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
}

#[test]
fn what_takes_too_much_memory_for_its_pixels_is_told_with_the_option() {
    // 121 megapixels of four channels: if interlaced, they must all be in memory together.
    let error = error_of(&png(11_000, 8, 6, true, b""));
    assert!(error.contains("808 MiB to decode, more than the 768 MiB"), "{error:#}");
    assert!(error.contains("max_pixels(142000000)"), "{error:#}");
}

/// The segments of a JPEG.
fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    [&[0xff, marker][..], &(body.len() as u16 + 2).to_be_bytes(), body].concat()
}

fn jpeg() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(16, 16).write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

fn progressive_jpeg() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vision/decode.json");
    let cases: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let case = cases.as_array().unwrap().iter().find(|case| case["name"] == "jpeg progressive").unwrap();
    base64::engine::general_purpose::STANDARD.decode(case["bytes"].as_str().unwrap()).unwrap()
}

#[test]
fn a_jpeg_of_tables_is_refused() {
    let good = jpeg();
    let quantisation = segment(0xdb, &[&[0][..], &[1; 64]].concat());
    let huffman = segment(0xc4, &[&[0][..], &[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], &[0; 12]].concat());
    for table in [quantisation, huffman] {
        let bomb = [&good[..2], &table.repeat((44 << 20) / table.len()), &good[2..]].concat();
        let error = error_of(&bomb);
        assert!(error.contains("bytes of tables"), "{error:#}");
    }
    // Comments and profiles are skipped.
    let comments = segment(0xfe, &[b'x'; 60_000]).repeat(1000);
    assert!(decoded(&[&good[..2], &comments, &good[2..]].concat()).is_ok());
}

#[test]
fn a_jpeg_of_thousands_of_passes_is_refused() {
    let good = progressive_jpeg();
    assert!(decoded(&good).is_ok());
    let last = good.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    let scan = &good[last..good.len() - 2];
    let bomb = [&good[..last], &scan.repeat(5000), b"\xff\xd9"].concat();
    assert!(error_of(&bomb).contains("passes over"), "{}", error_of(&bomb));
    // Few scans over many pixels are too much as well.
    let mut large = [&good[..last], &scan.repeat(60), b"\xff\xd9"].concat();
    let frame = large.windows(2).position(|pair| pair == [0xff, 0xc2]).unwrap();
    large[frame + 5..frame + 9].copy_from_slice(&[0x2c, 0, 0x2c, 0]);
    assert!(
        error_of(&large).contains("--max-image-megapixels") || error_of(&large).contains("max_pixels("),
        "{}",
        error_of(&large)
    );
}

#[test]
fn directories_that_go_round_in_circles_end() {
    // An Exif block with a directory that points to itself, both as the next one and as its sub-directory.
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0".to_vec();
    for (tag, kind, value) in [(0x0112_u16, 3_u16, 6_u32), (0x8769, 4, 8)] {
        exif.extend([tag, kind].map(u16::to_le_bytes).concat());
        exif.extend([1, value].map(u32::to_le_bytes).concat());
    }
    exif.extend(8_u32.to_le_bytes());
    let good = jpeg();
    assert!(decoded(&[&good[..2], &segment(0xe1, &exif), &good[2..]].concat()).is_ok());
    let pixels = vec![7; 105];
    let sub = raw_tiff(&pixels, &[(330, 4, 8 + 105), (0x8769, 4, 8 + 105)]);
    assert_eq!(decoded(&sub).unwrap().dimensions(), (7, 5));
    let mut circle = raw_tiff(&pixels, &[]);
    let last = circle.len() - 4;
    circle[last..].copy_from_slice(&(8 + 105_u32).to_le_bytes());
    assert!(error_of(&circle).contains("cycle"));
}

#[test]
fn tags_that_claim_to_be_enormous_take_nothing() {
    let pixels = vec![7; 105];
    let good = raw_tiff(&pixels, &[(700, 1, 0), (34675, 7, 0)]);
    for count in [1_u32 << 20, 1 << 28, u32::MAX] {
        for at in (8 + 105 + 2..good.len() - 4).step_by(12) {
            let mut bomb = good.clone();
            bomb[at + 4..at + 8].copy_from_slice(&count.to_le_bytes());
            // An image if the tag does not matter, an error if it does.
            let _ = decoded(&bomb);
        }
    }
}

/// For text beyond its limits, the decoder would print to standard error.
#[test]
fn a_text_in_a_tiff_that_claims_to_be_longer_than_the_file_is_refused_before_it_is_decoded() {
    let mut bomb = raw_tiff(&[7; 105], &[(530, 2, 8)]);
    let entry = bomb.windows(4).position(|bytes| bytes == [0x12, 0x02, 2, 0]).unwrap();
    bomb[entry + 4..entry + 8].copy_from_slice(&(1_u32 << 29).to_le_bytes());
    assert!(error_of(&bomb).contains("longer than the file"), "{}", error_of(&bomb));
}

#[test]
fn small_files_that_claim_many_pixels_end_in_time() {
    // A screen of 25 megapixels with a single pixel on it.
    let gif = b"GIF89a\x88\x13\x88\x13\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
    assert_eq!(decoded(gif).unwrap().dimensions(), (5000, 5000));
    // Endless extensions before the first image.
    let extensions = b"!\xfe\x01x\0".repeat(4_000_000);
    let _ = decoded(&[&gif[..19], &extensions, &gif[19..]].concat());
    // A run-length-encoded bitmap of 25 megapixels in 60 bytes.
    let mut bmp = b"BM\0\0\0\0\0\0\0\0\x3e\0\0\0\x28\0\0\0".to_vec();
    bmp.extend([5000_u32.to_le_bytes(), 5000_u32.to_le_bytes()].concat());
    bmp.extend(
        b"\x01\0\x08\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\0\xff\x01\0\0\0\x01",
    );
    let _ = decoded(&bmp);
}

/// A TIFF with random corrupted bytes results in an image or an error, never a panic, a hang or a huge allocation.
#[test]
fn a_damaged_tiff_never_panics() {
    let good = raw_tiff(&[9; 105], &[(274, 3, 6)]);
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut errors = 0;
    for _ in 0..3000 {
        let mut bytes = good.clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
        }
        errors += usize::from(decoded(&bytes).is_err());
    }
    assert!(errors > 500, "{errors}");
}

/// The command reads images that would fill the memory, within a memory limit.
#[cfg(target_os = "linux")]
#[test]
#[cfg_attr(not(feature = "models"), ignore = "needs the feature models")]
fn the_command_stays_within_its_memory() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut frame = crate::corpora::frame_with_images(60, here);
    for (i, bomb) in ancillary_bombs().iter().enumerate() {
        fs::write(here.join(format!("{i}.png")), png(8, 8, 2, false, bomb)).unwrap();
    }
    // 64 megapixels of 16 bits and four channels, which are 512 MB.
    fs::write(here.join("3.png"), png(8192, 16, 6, false, b"")).unwrap();
    fs::write(here.join("4.png"), nested_frames(50_000)).unwrap();
    let path: Vec<String> = (0..60).map(|i| format!("{i}.png")).collect();
    frame.with_column(Column::new("image".into(), path)).unwrap();
    write_frame(&frame, here.join("posts.csv")).unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/clip/gelu");
    // Address space: the program, its threads and 200 MB of pixels, not the inflated size of the bombs.
    let output = Command::new("sh")
        .current_dir(here)
        .env("RAYON_NUM_THREADS", "2")
        .args(["-c", "ulimit -v 900000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_topicframe")])
        .args(["fit", "posts.csv", "--images", "image", "--cluster-on", "images", "--report", "page.html"])
        .arg("--embedder")
        .arg(model)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("Relative paths"), "the images exist: {said}");
    assert!(said.contains("1 of 60 images cannot be read") && said.contains("frames within frames"), "{said}");
}
