//! MultiModalBackend compared with transformers' CLIPModel and SiglipModel on small models, and invalid folders and
//! inputs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use ndarray::{Array2, ArrayView1};
use serde_json::{Value, json};
use topicframe::embed::{
    Device, Fusion, ImageEmbedder, MultiModalBackend, SentenceTransformer, StaticEmbedder, TextEmbedder,
};
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::model::TopicModel;
use topicframe::progress::{Interrupt, Progress};
use topicframe::vision::{Encoding, ImageSource, Limits, OnImageError, encode};

use crate::notes::Notes;
use crate::test_device::test_device;

const MODELS: [&str; 5] = ["quick_gelu", "gelu", "siglip", "sentence_transformers", "new_layout"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models")
}

fn read(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(fixtures().join(name)).unwrap()).unwrap()
}

fn folder(name: &str) -> PathBuf {
    fixtures().join("clip").join(name)
}

fn model(name: &str) -> MultiModalBackend {
    MultiModalBackend::from_dir(folder(name)).unwrap().device(test_device()).unwrap()
}

fn file(name: &str) -> ImageSource<'static> {
    ImageSource::File(fixtures().join("images").join(name))
}

fn rows(value: &Value) -> Vec<Vec<f32>> {
    let row = |row: &Value| row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
    value.as_array().unwrap().iter().map(row).collect()
}

fn texts(expected: &Value) -> Vec<&str> {
    expected["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// The pixels decoded by Pillow, as a PNG, to rule out differences in rounding between JPEG decoders.
fn pictures(images: &Value) -> Vec<Vec<u8>> {
    let pictures = read("images.json");
    let png = |image: &Value| {
        let same = |one: &&Value| one["file"] == image["file"] && one["upright"] == image["upright"];
        let one = pictures.as_array().unwrap().iter().find(same).unwrap();
        let side = |key: &str| one[key].as_u64().unwrap() as u32;
        let pixels = STANDARD.decode(one["rgb"].as_str().unwrap()).unwrap();
        let image = RgbImage::from_raw(side("width"), side("height"), pixels).unwrap();
        encode(&image, Encoding::Png).unwrap().bytes
    };
    images.as_array().unwrap().iter().map(png).collect()
}

fn worst(found: &Array2<f32>, expected: &[Vec<f32>]) -> f32 {
    assert_eq!(found.nrows(), expected.len());
    let pairs = found.outer_iter().zip(expected).flat_map(|(row, expected)| {
        assert_eq!(row.len(), expected.len());
        row.iter().zip(expected).map(|(a, b)| (a - b).abs()).collect::<Vec<_>>()
    });
    pairs.fold(0.0, f32::max)
}

fn is_zero(row: ArrayView1<'_, f32>) -> bool {
    row.iter().all(|x| *x == 0.0)
}

/// A copy of a model folder that may be corrupted.
fn copy(name: &str) -> tempfile::TempDir {
    fn copy_into(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap() {
            let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
            if path.is_dir() {
                fs::create_dir(to.join(&name)).unwrap();
                copy_into(&path, &to.join(&name));
            } else {
                fs::copy(&path, to.join(&name)).unwrap();
            }
        }
    }
    let copy = tempfile::tempdir().unwrap();
    copy_into(&folder(name), copy.path());
    copy
}

fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut json: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    change(&mut json);
    fs::write(path, json.to_string()).unwrap();
}

fn load_error(folder: &Path) -> Error {
    let error = MultiModalBackend::from_dir(folder).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model, "{error:#}");
    error
}

/// Loads a copy of `name` after a change to its configuration.
fn config_error(name: &str, spoil: impl FnOnce(&mut Value)) -> String {
    let copy = copy(name);
    let path = copy.path().join("config.json");
    change(&path, spoil);
    let error = load_error(copy.path());
    assert_eq!(error.path(), Some(path.as_path()), "{error:#}");
    format!("{error:#}")
}

#[test]
fn texts_equal_those_of_transformers() {
    for name in MODELS {
        let expected = read(&format!("clip/{name}.json"));
        let texts = texts(&expected);
        let found = model(name).embed_documents(&texts).unwrap();
        let mut vectors = rows(&expected["text_normalized"]);
        // There, an empty text has the model's embedding of an empty text; here it has no vector.
        for (text, vector) in texts.iter().zip(&mut vectors) {
            if text.trim().is_empty() {
                vector.fill(0.0);
            }
        }
        let difference = worst(&found, &vectors);
        assert!(difference < 1e-4, "{name}: {difference}");
    }
}

#[test]
fn images_equal_those_of_transformers() {
    for name in MODELS {
        let expected = read(&format!("clip/{name}.json"));
        let pictures = pictures(&expected["images"]);
        let sources: Vec<ImageSource<'_>> = pictures.iter().map(|png| png.as_slice().into()).collect();
        let found = model(name).embed_images(&sources).unwrap();
        let difference = worst(&found, &rows(&expected["image_normalized"]));
        assert!(difference < 1e-4, "{name}: {difference}");
    }
}

#[test]
fn files_of_every_kind_are_read_upright_or_as_stored() {
    let expected = read("clip/quick_gelu.json");
    let vectors = rows(&expected["image_normalized"]);
    for (image, vector) in expected["images"].as_array().unwrap().iter().zip(vectors) {
        let model = model("quick_gelu").upright(image["upright"].as_bool().unwrap());
        let name = image["file"].as_str().unwrap();
        let found = model.embed_images(&[file(name)]).unwrap();
        // JPEG decoders may round differently.
        let allowed = if name.ends_with("jpg") { 0.02 } else { 1e-4 };
        let difference = worst(&found, &[vector]);
        assert!(difference < allowed, "{name}: {difference}");
    }
    let rotated = [file("rotated.jpg")];
    let stored = model("quick_gelu").upright(false).embed_images(&rotated).unwrap();
    assert_ne!(model("quick_gelu").embed_images(&rotated).unwrap(), stored);
}

#[test]
fn rows_depend_on_nothing_around_them() {
    let expected = read("clip/siglip.json");
    let texts = texts(&expected);
    for name in ["quick_gelu", "siglip"] {
        let model = model(name);
        let all = model.embed_documents(&texts).unwrap();
        let images = [file("odd.png"), file("tiny.png"), file("smooth.png"), file("odd.png")];
        let pictures = model.embed_images(&images).unwrap();
        for batch_size in [1, 3] {
            let model = model.clone().batch_size(batch_size);
            assert_eq!(model.embed_documents(&texts).unwrap(), all);
            assert_eq!(model.embed_images(&images).unwrap(), pictures);
        }
        for (row, text) in texts.iter().enumerate() {
            assert_eq!(model.embed_documents(&[text]).unwrap().row(0), all.row(row));
        }
        assert_eq!(pictures.row(0), pictures.row(3));
        let doubled: Vec<&str> = texts.iter().chain(&texts).copied().collect();
        let doubled = model.embed_documents(&doubled).unwrap();
        assert_eq!(doubled.row(0), doubled.row(texts.len()));
    }
}

#[test]
fn empty_and_endless_texts_are_no_errors() {
    for name in MODELS {
        let model = model(name);
        let endless = "a cat on the red house ".repeat(100_000);
        let wall = "a".repeat(1_000_000);
        let found = model.embed_documents(&["", " \n\t", &endless, &wall, "a cat"]).unwrap();
        assert!(is_zero(found.row(0)), "{name}");
        for row in 2..5 {
            let length: f32 = found.row(row).iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-5, "{name} {row}");
        }
        assert_eq!(model.embed_documents(&[]).unwrap().dim(), (0, TextEmbedder::dimensions(&model)));
        assert_eq!(model.embed_images(&[]).unwrap().nrows(), 0);
        assert_eq!(model.embed(&[], &[]).unwrap().nrows(), 0);
    }
}

#[test]
fn a_row_with_one_of_the_two_has_its_vector() {
    let model = model("quick_gelu");
    let documents = [Some("a photo of a cat"), Some("the red house"), None, Some(""), None];
    let images = [Some(file("odd.png")), None, Some(file("smooth.png")), Some(file("tiny.png")), None];
    let both = model.embed(&documents, &images).unwrap();
    let texts = model.embed_documents(&["a photo of a cat", "the red house"]).unwrap();
    let pictures = model.embed_images(&[file("odd.png"), file("smooth.png"), file("tiny.png")]).unwrap();
    let near = |a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(near(both.row(1), texts.row(1)));
    assert!(near(both.row(2), pictures.row(1)));
    assert!(near(both.row(3), pictures.row(2)), "an empty text counts as missing");
    assert!(is_zero(both.row(4)));
    let mean = (&texts.row(0) + &pictures.row(0)) * 0.5;
    let length = mean.dot(&mean).sqrt();
    assert!(near(both.row(0), (mean / length).view()));

    let images_count = model.clone().fusion(Fusion::new().image_weight(1.0)).embed(&documents, &images).unwrap();
    assert!(near(images_count.row(0), pictures.row(0)));
    let alone = model.embed(&[], &images[2..4]).unwrap();
    assert!(near(alone.row(0), pictures.row(1)));
    let error = model.embed(&documents, &images[..3]).unwrap_err();
    assert!(format!("{error:#}").contains("5 documents and 3 images"), "{error:#}");
    assert!(model.fusion(Fusion::new().image_weight(1.5)).embed(&documents, &images).is_err());
}

#[test]
fn broken_images_are_told_and_have_no_vector() {
    let notes = Arc::new(Notes::default());
    let model = model("quick_gelu").progress(Progress::to(notes.clone()));
    let missing = || ImageSource::File("no/such/picture.png".into());
    let images = [file("odd.png"), missing(), b"no image".as_slice().into(), file("smooth.png")];
    let found = model.embed_images(&images).unwrap();
    assert!(is_zero(found.row(1)) && is_zero(found.row(2)) && !is_zero(found.row(0)) && !is_zero(found.row(3)));
    let told = notes.0.lock().unwrap().join("\n");
    assert!(told.contains("2 of 4 images cannot be read"), "{told}");
    assert!(told.contains("no/such/picture.png") && told.contains("row 1"), "{told}");

    let strict = model.clone().on_error(OnImageError::Fail);
    let error = strict.embed_images(&images).unwrap_err();
    assert_eq!((error.kind(), error.row()), (ErrorKind::Image, Some(1)), "{error:#}");
    let error = model.embed_images(&[missing(), missing()]).unwrap_err();
    assert!(format!("{error:#}").contains("none of the 2 images can be read"), "{error:#}");
    assert_eq!(error.kind(), ErrorKind::Image);
    let error = model.clone().limits(Limits::new().max_side(30)).embed_images(&[file("odd.png")]).unwrap_err();
    assert!(format!("{error:#}").contains("a side may be at most 30"), "{error:#}");
    assert!(model.clone().limits(Limits::new().max_side(0)).embed_images(&images).is_err());
    assert!(model.batch_size(0).embed_images(&images).is_err());
}

#[test]
fn it_is_an_embedder_of_both_in_one_space() {
    let model = model("gelu");
    let images: &dyn ImageEmbedder = &model;
    assert_eq!(images.dimensions(), 12);
    let texts = images.text_side().unwrap().embed_texts(&["a cat"], &Progress::silent()).unwrap();
    assert_eq!(texts, model.embed_documents(&["a cat"]).unwrap());
    assert!(format!("{model:?}").contains("12 dimensions, cpu"));
}

#[test]
fn work_can_be_stopped() {
    let interrupt = Interrupt::new();
    interrupt.stop();
    let model = model("gelu").progress(Progress::silent().with_interrupt(interrupt));
    assert_eq!(model.embed_documents(&["a cat"]).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(model.embed_images(&[file("odd.png")]).unwrap_err().kind(), ErrorKind::Interrupted);
}

/// Embeds texts by their length.
#[derive(Debug)]
struct Lengths(usize);

impl TextEmbedder for Lengths {
    fn dimensions(&self) -> usize {
        self.0
    }

    fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>> {
        Ok(Array2::from_shape_fn((texts.len(), self.0), |(row, column)| f32::from(column == texts[row].len() % self.0)))
    }
}

#[test]
fn another_text_tower_takes_the_texts() {
    let model = model("quick_gelu");
    let with_tower = model.clone().text_tower(Lengths(20));
    let found = with_tower.embed_documents(&["four"]).unwrap();
    assert_eq!(found[[0, 4]], 1.0);
    assert_eq!(with_tower.text_side().unwrap().embed_texts(&["four"], &Progress::silent()).unwrap(), found);
    let both = with_tower.embed(&[Some("four"), None], &[None, Some(file("odd.png"))]).unwrap();
    assert_eq!(both.row(0), found.row(0));
}

/// A text tower with a parameter out of range.
#[derive(Debug)]
struct Refused;

impl TextEmbedder for Refused {
    fn check(&self) -> Result<()> {
        Err(Error::invalid_parameter(Stage::Embed, "threshold", 2, "0 to 1"))
    }

    fn dimensions(&self) -> usize {
        20
    }

    fn embed_texts(&self, _: &[&str], _: &Progress) -> Result<Array2<f32>> {
        panic!("the slow step ran before the parameters were checked")
    }
}

#[test]
fn settings_out_of_range_are_errors_before_any_work() {
    let model = model("quick_gelu");
    let bad = [
        (model.clone().batch_size(0), "batch_size = 0 "),
        (model.clone().fusion(Fusion::new().image_weight(1.5)), "image_weight = 1.5 "),
        (model.clone().limits(Limits::new().max_pixels(0)), "max_pixels = 0 "),
        (model.clone().text_tower(StaticEmbedder::builtin()), "but the image vectors have 20"),
        (model.clone().text_tower(Refused), "threshold = 2 "),
    ];
    for (bad, message) in bad {
        let error = TextEmbedder::check(&bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(format!("{error:#}").contains(message), "{error:#}");
        // Without texts and images, too: nothing has to be embedded for the error.
        let told = error.to_string();
        assert_eq!(ImageEmbedder::check(&bad).unwrap_err().to_string(), told);
        assert_eq!(bad.embed_documents(&[]).unwrap_err().to_string(), told);
        assert_eq!(bad.embed_images(&[]).unwrap_err().to_string(), told);
        assert_eq!(bad.embed(&[], &[]).unwrap_err().to_string(), told);
        for model in [
            TopicModel::text("text", bad.clone()),
            TopicModel::images("image", bad.clone()),
            TopicModel::text_and_images("text", "image", bad),
        ] {
            assert_eq!(model.check().unwrap_err().to_string(), told);
        }
    }
    assert!(TextEmbedder::check(&model).is_ok() && ImageEmbedder::check(&model).is_ok());
}

#[test]
fn a_model_of_texts_alone_is_refused() {
    let texts = fixtures().join("sentence_transformers/bert_cls");
    let error = load_error(&texts);
    assert!(format!("{error:#}").contains("SentenceTransformer"), "{error:#}");
    let error = config_error("gelu", |config| config["model_type"] = json!("bert"));
    assert!(error.contains("`bert`") && error.contains("SentenceTransformer"), "{error:#}");
    let error = config_error("gelu", |config| config["model_type"] = json!("blip"));
    assert!(error.contains("`blip`") && !error.contains("SentenceTransformer"), "{error:#}");
    assert!(config_error("gelu", |config| *config = json!({})).contains("no `model_type`"));
}

#[test]
fn absurd_sizes_are_refused_before_anything_is_allocated() {
    let vision = |key: &'static str, value: Value| config_error("gelu", |config| config["vision_config"][key] = value);
    assert!(vision("hidden_size", json!(1_u64 << 40)).contains("vision_config.hidden_size`"));
    assert!(vision("num_attention_heads", json!(7)).contains("vision_config.num_attention_heads`"));
    assert!(vision("num_hidden_layers", json!(-1)).contains("vision_config.num_hidden_layers`"));
    assert!(vision("image_size", json!(1_000_000)).contains("vision_config.image_size`"));
    assert!(vision("patch_size", json!(0)).contains("vision_config.patch_size`"));
    assert!(vision("num_channels", json!(4)).contains("three channels"));
    assert!(vision("hidden_act", json!("mish")).contains("`mish`"));
    assert!(config_error("gelu", |config| config["projection_dim"] = json!("many")).contains("`projection_dim`"));
    let text = |key: &'static str, value: Value| config_error("gelu", |config| config["text_config"][key] = value);
    assert!(text("max_position_embeddings", json!(1_u64 << 33)).contains("text_config.max_position_embeddings`"));
    let patches = config_error("gelu", |config| {
        config["vision_config"]["image_size"] = json!(2048);
        config["vision_config"]["patch_size"] = json!(2);
    });
    assert!(patches.contains("patches"), "{patches}");
    let headless = config_error("siglip", |config| config["vision_config"]["vision_use_head"] = json!(false));
    assert!(headless.contains("no head"), "{headless}");
    let widths = config_error("siglip", |config| config["text_config"]["projection_size"] = json!(7));
    assert!(widths.contains("text vectors have 7 dimensions"), "{widths}");
}

#[test]
fn sizes_that_do_not_fit_the_weights_name_the_tensor() {
    let folder = copy("gelu");
    change(&folder.path().join("config.json"), |config| config["text_config"]["hidden_size"] = json!(64));
    let error = load_error(folder.path());
    assert!(format!("{error:#}").contains("has the shape") && error.path().unwrap().ends_with("config.json"));
    let copy = copy("gelu");
    change(&copy.path().join("preprocessor_config.json"), |config| config["crop_size"] = json!(7));
    let error = load_error(copy.path());
    assert!(format!("{error:#}").contains("7 x 7"), "{error:#}");
}

#[test]
fn missing_and_damaged_files_are_named() {
    for name in ["config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json"] {
        let copy = copy("quick_gelu");
        let path = copy.path().join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(load_error(copy.path()).path(), Some(path.as_path()), "half a {name}");
        fs::write(&path, b"").unwrap();
        assert_eq!(load_error(copy.path()).path(), Some(path.as_path()), "an empty {name}");
        fs::remove_file(&path).unwrap();
        let error = load_error(copy.path()).to_string();
        assert!(error.contains(name) || name == "tokenizer.json" && error.contains("vocab.json"), "no {name}: {error}");
    }
    let old = copy("sentence_transformers");
    fs::remove_file(old.path().join("0_CLIPModel/merges.txt")).unwrap();
    assert!(load_error(old.path()).path().unwrap().ends_with("0_CLIPModel/merges.txt"));
    assert!(load_error(Path::new("no/such/folder")).to_string().contains("no such folder"));
}

#[test]
fn modules_stay_in_their_folder() {
    let copy = copy("sentence_transformers");
    let path = copy.path().join("modules.json");
    change(&path, |modules| modules[0]["path"] = json!("../elsewhere"));
    assert!(load_error(copy.path()).to_string().contains("not in its folder"));
    change(&path, |modules| modules[0]["path"] = json!(7));
    assert!(load_error(copy.path()).to_string().contains("lacks its type or its path"));
    fs::write(&path, "[]").unwrap();
    assert!(load_error(copy.path()).to_string().contains("names no model"));
}

#[test]
fn a_tokenizer_that_does_not_fit_is_refused() {
    let copy = copy("quick_gelu");
    let path = copy.path().join("tokenizer.json");
    let whole = fs::read(&path).unwrap();
    change(&path, |tokenizer| tokenizer["post_processor"] = Value::Null);
    assert!(load_error(copy.path()).to_string().contains("does not end texts"));
    fs::write(&path, whole).unwrap();
    change(&path, |tokenizer| tokenizer["model"]["vocab"]["cat</w>"] = json!(100_000));
    let model = MultiModalBackend::from_dir(copy.path());
    let found = model.and_then(|model| model.embed_documents(&["a cat"]));
    assert_eq!(found.unwrap_err().kind(), ErrorKind::Model);
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    assert!(model("gelu").device(Device::Cpu).is_ok());
    let error = model("gelu").device(Device::Cuda(99)).unwrap_err();
    assert!(format!("{error:#}").contains("cuda:99"), "{error:#}");
}

#[test]
#[ignore = "needs TOPICFRAME_FULL_SIZE, the folder made by tests/peers/models.py"]
fn a_model_of_full_size_agrees_with_transformers() {
    let root = PathBuf::from(std::env::var_os("TOPICFRAME_FULL_SIZE").expect("TOPICFRAME_FULL_SIZE"));
    let expected: Value = serde_json::from_str(&fs::read_to_string(root.join("clip.json")).unwrap()).unwrap();
    let model = MultiModalBackend::from_dir(root.join("clip")).unwrap();
    let unit = |rows: Vec<Vec<f32>>| -> Vec<Vec<f32>> {
        let scale = |row: &Vec<f32>| 1.0 / row.iter().map(|x| x * x).sum::<f32>().sqrt();
        rows.iter().map(|row| row.iter().map(|x| x * scale(row)).collect()).collect()
    };
    let names = expected["images"].as_array().unwrap().iter();
    let images: Vec<ImageSource<'_>> =
        names.map(|name| root.join("images").join(name.as_str().unwrap()).into()).collect();
    let difference = worst(&model.embed_images(&images).unwrap(), &unit(rows(&expected["image_embeds"])));
    assert!(difference < 1e-3, "images: {difference}");
    let texts = texts(&expected);
    let mut vectors = unit(rows(&expected["text_embeds"]));
    texts.iter().zip(&mut vectors).filter(|(text, _)| text.is_empty()).for_each(|(_, vector)| vector.fill(0.0));
    let difference = worst(&model.embed_documents(&texts).unwrap(), &vectors);
    assert!(difference < 1e-3, "texts: {difference}");
}

#[test]
fn another_model_for_the_texts_gives_their_vectors() {
    let tower = SentenceTransformer::from_dir(folder("multilingual")).unwrap();
    let model = model("quick_gelu").text_tower(tower);
    let expected = read("clip/multilingual.json");
    let texts = texts(&expected);
    let vectors = model.embed_documents(&texts).unwrap();
    for (row, expected) in vectors.outer_iter().zip(rows(&expected["cases"][0]["embeddings"])) {
        let expected = ArrayView1::from(&expected);
        let length = expected.dot(&expected).sqrt();
        assert!(row.iter().zip(expected).all(|(x, y)| (x - y / length).abs() < 1e-4));
    }
    assert_eq!(ImageEmbedder::text_side(&model).map(TextEmbedder::dimensions), Some(20));
}
