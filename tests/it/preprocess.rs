//! Preprocessing of images for models, compared with transformers' image processors, and invalid configurations.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use topicframe::error::ErrorKind;
use topicframe::vision::{Filter, ImageSource, Limits, Preprocessor, decode, decode_as_stored, resize, resize_part};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models")
}

fn read(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(fixtures().join(name)).unwrap()).unwrap()
}

/// The pixels decoded by Pillow.
fn picture(pictures: &Value, file: &Value, upright: &Value) -> RgbImage {
    let found = pictures.as_array().unwrap().iter().find(|one| one["file"] == *file && one["upright"] == *upright);
    let found = found.unwrap();
    let side = |key: &str| found[key].as_u64().unwrap() as u32;
    RgbImage::from_raw(side("width"), side("height"), STANDARD.decode(found["rgb"].as_str().unwrap()).unwrap()).unwrap()
}

fn parse_error(config: &Value) -> String {
    let error = Preprocessor::from_json(&config.to_string()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    format!("{error:#}")
}

#[test]
fn images_of_every_kind_decode_as_pillow_decodes_them() {
    for one in read("images.json").as_array().unwrap() {
        let file = fixtures().join("images").join(one["file"].as_str().unwrap());
        let image = match one["upright"].as_bool().unwrap() {
            true => decode(&ImageSource::File(file), &Limits::new()).unwrap(),
            false => decode_as_stored(&ImageSource::File(file), &Limits::new()).unwrap(),
        };
        let pillow = picture(&json!([one]), &one["file"], &one["upright"]);
        assert_eq!(image.dimensions(), pillow.dimensions(), "{}", one["file"]);
        let worst = image.iter().zip(pillow.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        let allowed = if one["exact"].as_bool().unwrap() { 0 } else { 8 };
        assert!(worst <= allowed, "{} differs by {worst}", one["file"]);
    }
}

#[test]
fn input_equals_that_of_transformers() {
    let pictures = read("images.json");
    let mut compared = 0;
    for case in read("preprocess.json").as_array().unwrap() {
        let preprocessor = Preprocessor::from_json(&case["config"].to_string()).unwrap();
        for image in case["images"].as_array().unwrap() {
            let shape: Vec<usize> =
                image["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
            let &[_, height, width] = shape.as_slice() else { panic!("{shape:?}") };
            assert_eq!((preprocessor.width() as usize, preprocessor.height() as usize), (width, height));
            let pixels = preprocessor.pixels(&picture(&pictures, &image["file"], &image["upright"]));
            assert_eq!(pixels.len(), 3 * height * width);
            let step = image["step"].as_u64().unwrap() as usize;
            let kept: Vec<f32> = (0..3)
                .flat_map(|c| (0..height).step_by(step).map(move |y| (c, y)))
                .flat_map(|(c, y)| (0..width).step_by(step).map(move |x| (c * height + y) * width + x))
                .map(|at| pixels[at])
                .collect();
            let expected = STANDARD.decode(image["pixels"].as_str().unwrap()).unwrap();
            let expected: Vec<f32> = expected.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
            assert_eq!(kept, expected, "{} {}", case["name"], image["file"]);
            let mean = pixels.iter().map(|x| f64::from(*x)).sum::<f64>() / pixels.len() as f64;
            assert!((mean - image["mean"].as_f64().unwrap()).abs() < 1e-4, "{} {}", case["name"], image["file"]);
            compared += 1;
        }
    }
    assert!(compared >= 70);
}

#[test]
fn a_part_of_a_resized_image_is_that_part() {
    let image = RgbImage::from_fn(37, 53, |x, y| Rgb([(x * 7) as u8, (y * 5) as u8, (x * y) as u8]));
    for filter in [Filter::Nearest, Filter::Bilinear, Filter::Bicubic, Filter::Lanczos3] {
        for (width, height) in [(20, 30), (37, 53), (37, 90), (100, 53), (80, 20)] {
            let whole = resize(&image, width, height, filter);
            let part = resize_part(&image, width, height, 3..17, 5..19, filter);
            assert_eq!(part, image::imageops::crop_imm(&whole, 3, 5, 14, 14).to_image(), "{filter:?} {width} {height}");
        }
    }
    assert_eq!(resize_part(&image, 20, 30, 15..90, 40..50, Filter::Bicubic).dimensions(), (5, 0));
}

#[test]
fn a_hair_of_pixels_needs_no_more_room_than_a_square() {
    let clip = json!({ "image_processor_type": "CLIPImageProcessor" });
    let preprocessor = Preprocessor::from_json(&clip.to_string()).unwrap();
    // The whole image would be 224 x 7,340,032 pixels after resizing.
    let pixels = preprocessor.pixels(&RgbImage::from_pixel(1, 32_768, Rgb([255; 3])));
    assert_eq!(pixels.len(), 3 * 224 * 224);
    assert!((pixels[0] - (1.0 - 0.481_454_66) / 0.268_629_54).abs() < 1e-6);
    assert_eq!(preprocessor.pixels(&RgbImage::new(0, 0)).len(), 3 * 224 * 224);
}

#[test]
fn what_a_configuration_leaves_out_is_as_for_its_kind() {
    for (kind, side) in [("ViTFeatureExtractor", 224), ("BlipImageProcessor", 384), ("SiglipImageProcessorFast", 224)] {
        let preprocessor = Preprocessor::from_json(&json!({ "image_processor_type": kind }).to_string()).unwrap();
        assert_eq!((preprocessor.width(), preprocessor.height()), (side, side));
    }
    let nested = json!({ "processor_class": "CLIPProcessor",
        "image_processor": { "image_processor_type": "CLIPImageProcessor", "size": 30, "crop_size": 20 } });
    assert_eq!(Preprocessor::from_json(&nested.to_string()).unwrap().width(), 20);
}

#[test]
fn hostile_configurations_are_errors() {
    let vit = |key: &str, value: Value| {
        let mut config = json!({ "image_processor_type": "ViTImageProcessor" });
        config[key] = value;
        parse_error(&config)
    };
    assert!(vit("size", json!(4_000_000_000_u64)).contains("not a length from 1 to 2048"));
    assert!(vit("size", json!({ "height": 0, "width": 224 })).contains("height = 0"));
    assert!(vit("size", json!({ "height": -1, "width": 224 })).contains("height = -1"));
    assert!(vit("size", json!({ "longest_edge": 224 })).contains("names neither"));
    assert!(vit("size", json!([1, 2, 3])).contains("not height and width"));
    assert!(vit("size", json!({ "shortest_edge": 224 })).contains("different sizes"));
    assert!(vit("do_resize", json!(false)).contains("different sizes"));
    assert!(vit("do_resize", json!("yes")).contains("neither true nor false"));
    assert!(vit("resample", json!(9)).contains("resample = 9"));
    assert!(vit("image_mean", json!([0.5, 0.5])).contains("not three numbers"));
    assert!(vit("image_std", json!([0.5, 0.0, 0.5])).contains("pixels are not finite"));
    assert!(vit("rescale_factor", json!("much")).contains("is not a number"));
    assert!(vit("image_processor_type", json!("FuyuImageProcessor")).contains("`FuyuImageProcessor` is not supported"));
    assert!(parse_error(&json!([1])).contains("not a JSON object"));
    assert!(Preprocessor::from_json("{").map_err(|error| format!("{error:#}")).unwrap_err().contains("not JSON"));
}

#[test]
fn files_that_are_none_are_errors_with_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("preprocessor_config.json");
    let error = |path: &Path| {
        let error = Preprocessor::from_file(path).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Model, Some(path)));
        format!("{error:#}")
    };
    assert!(error(&path).contains("missing"));
    assert!(error(folder.path()).contains("folder, not a file"));
    fs::write(&path, vec![b' '; (1 << 20) + 1]).unwrap();
    assert!(error(&path).contains("over 1 MiB"));
    fs::write(&path, [0xFF, 0xFE]).unwrap();
    assert!(error(&path).contains("cannot be read"));
}
