//! Captions: the values and tokens that transformers produces for the same models, and the handling of bad input.

use std::collections::HashMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};
use topicframe::caption::{Captioner, EarlyStopping, ImageCaptioner};
use topicframe::embed::{Device, NoEmbedder};
use topicframe::error::{ErrorKind, Stage};
use topicframe::model::TopicModel;
use topicframe::progress::{Interrupt, Progress};
use topicframe::vision::{ImageSource, Limits};

use crate::notes::Notes;
use crate::test_device::test_device;

const MODELS: [&str; 3] = ["vit_gpt2/projected", "vit_gpt2/same", "blip/base"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models")
}

fn read(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path.as_ref()).unwrap()).unwrap()
}

fn captioner(model: &str) -> Captioner {
    Captioner::from_dir(fixtures().join(model)).unwrap().device(test_device()).unwrap()
}

/// The images that a fixture's model was given, as PNG, to rule out differences between JPEG decoders.
fn shown(expected: &Value) -> Vec<Vec<u8>> {
    let all = read(fixtures().join("images.json"));
    let key = |image: &Value| (image["file"].as_str().unwrap().to_owned(), image["upright"].as_bool().unwrap());
    let all: HashMap<_, &Value> = all.as_array().unwrap().iter().map(|image| (key(image), image)).collect();
    let encode = |image: &Value| {
        let image = all[&key(image)];
        let rgb = base64::engine::general_purpose::STANDARD.decode(image["rgb"].as_str().unwrap()).unwrap();
        let [width, height] = ["width", "height"].map(|side| image[side].as_u64().unwrap() as u32);
        let mut png = Cursor::new(Vec::new());
        RgbImage::from_raw(width, height, rgb).unwrap().write_to(&mut png, ImageFormat::Png).unwrap();
        png.into_inner()
    };
    expected["images"].as_array().unwrap().iter().map(encode).collect()
}

fn sources(images: &[Vec<u8>]) -> Vec<ImageSource<'_>> {
    images.iter().map(|bytes| ImageSource::Encoded { bytes, name: None }).collect()
}

fn numbers(rows: &Value) -> Vec<f32> {
    let flat = |row: &Value| row.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect();
    rows.as_array().unwrap().iter().flat_map(|row| -> Vec<f32> { flat(row) }).collect()
}

fn ids(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn assert_near(name: &str, found: impl IntoIterator<Item = f32>, expected: &[f32]) {
    let found: Vec<f32> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{name}");
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-4, "{name}: {worst}");
}

/// A model's captioner with the settings of one run of the fixture.
fn with_settings(captioner: Captioner, run: &Value, max_length: usize) -> Captioner {
    let settings = &run["settings"];
    let mut captioner = captioner.max_length(max_length);
    captioner = captioner.num_beams(settings["num_beams"].as_u64().unwrap() as usize);
    if let Some(size) = settings["no_repeat_ngram_size"].as_u64() {
        captioner = captioner.no_repeat_ngram_size(size as usize);
    }
    if let Some(penalty) = settings["length_penalty"].as_f64() {
        captioner = captioner.length_penalty(penalty);
    }
    match &settings["early_stopping"] {
        Value::Bool(true) => captioner.early_stopping(EarlyStopping::Full),
        Value::String(_) => captioner.early_stopping(EarlyStopping::Never),
        _ => captioner,
    }
}

#[test]
fn states_and_scores_are_those_of_transformers() {
    for model in MODELS {
        let (captioner, expected) = (captioner(model), read(fixtures().join(format!("{model}.json"))));
        let images = shown(&expected);
        let images = sources(&images);
        assert_near(model, captioner.image_states(&images[0]).unwrap(), &numbers(&expected["encoder"]));
        let given = ids(&expected["given_ids"]);
        let scores = captioner.token_scores(&images[0], &given).unwrap();
        assert_near(model, scores, &numbers(&expected["given_logits"]));
        for (image, first) in images.iter().zip(expected["first_logits"].as_array().unwrap()) {
            let scores = captioner.token_scores(image, &given[..1]).unwrap();
            assert_near(model, scores, &numbers(&json!([first])));
        }
    }
}

#[test]
fn tokens_and_captions_are_those_of_transformers() {
    for model in MODELS {
        let expected = read(fixtures().join(format!("{model}.json")));
        let images = shown(&expected);
        for run in expected["generated"].as_array().unwrap() {
            let captioner = with_settings(captioner(model), run, expected["max_length"].as_u64().unwrap() as usize);
            let tokens = captioner.caption_tokens(&sources(&images), &Progress::silent()).unwrap();
            let tokens: Vec<Vec<u32>> = tokens.into_iter().map(Option::unwrap).collect();
            let wanted: Vec<Vec<u32>> = run["ids"].as_array().unwrap().iter().map(ids).collect();
            assert_eq!(tokens, wanted, "{model}, {}", run["settings"]);
            let captions = captioner.caption_images(&sources(&images), &Progress::silent()).unwrap();
            for (caption, wanted) in captions.iter().zip(run["texts"].as_array().unwrap()) {
                let wanted: Vec<&str> = wanted.as_str().unwrap().split_whitespace().collect();
                assert_eq!(caption.as_deref().unwrap(), wanted.join(" "), "{model}, {}", run["settings"]);
            }
        }
    }
}

#[test]
fn captions_do_not_depend_on_batches_and_threads() {
    for model in MODELS {
        let images = shown(&read(fixtures().join(format!("{model}.json"))));
        let images = sources(&images);
        for beams in [1, 4] {
            let captioner = captioner(model).num_beams(beams).max_length(20);
            let all = captioner.caption_tokens(&images, &Progress::silent()).unwrap();
            for (threads, batch) in [(1, 1), (1, 5), (1, 100), (3, 2)] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let captioner = captioner.clone().batch_size(batch);
                let some = pool.install(|| captioner.caption_tokens(&images, &Progress::silent())).unwrap();
                assert_eq!(some, all, "{model}, {beams} beams, {threads} threads, batches of {batch}");
            }
        }
    }
}

#[test]
fn twenty_tokens_follow_the_first_where_the_model_says_nothing() {
    let (captioner, expected) = (captioner("vit_gpt2/same"), read(fixtures().join("vit_gpt2/same.json")));
    let images = shown(&expected);
    let plain = captioner.caption_tokens(&sources(&images), &Progress::silent()).unwrap();
    let greedy = captioner.clone().num_beams(1).max_length(21).caption_tokens(&sources(&images), &Progress::silent());
    assert_eq!(plain, greedy.unwrap());
    assert!(plain.iter().flatten().any(|tokens| tokens.len() > 16));
}

#[test]
fn a_models_own_settings_count_until_others_are_made() {
    let folder = copy("vit_gpt2/projected");
    let path = folder.path().join("generation_config.json");
    let mut generation = read(&path);
    generation["max_length"] = 9.into();
    generation["num_beams"] = 4.into();
    fs::write(&path, generation.to_string()).unwrap();
    let (own, other) = (Captioner::from_dir(folder.path()).unwrap(), captioner("vit_gpt2/projected"));
    let images = shown(&read(fixtures().join("vit_gpt2/projected.json")));
    let tokens = |captioner: &Captioner| captioner.caption_tokens(&sources(&images), &Progress::silent()).unwrap();
    assert_eq!(tokens(&own), tokens(&other.clone().num_beams(4).max_length(9)));
    assert_eq!(tokens(&own.num_beams(1).max_length(12)), tokens(&other.max_length(12)));
}

#[test]
fn a_prompt_begins_every_caption_of_blip() {
    let images = shown(&read(fixtures().join("blip/base.json")));
    let captioner = captioner("blip/base").max_length(12);
    // The output of transformers 5.24 for the first four images.
    let cases: [(&str, usize, [&[u32]; 4]); 3] = [
        (
            "the",
            1,
            [
                &[161, 89, 161, 130, 161, 130, 130, 136, 130, 150, 130, 130],
                &[161, 89, 135, 130, 130, 130, 130, 147, 147, 135, 130, 130],
                &[161, 89, 161, 3],
                &[161, 89, 137, 146, 160, 146, 146, 160, 3],
            ],
        ),
        (
            "the men",
            1,
            [
                &[161, 89, 28, 56, 65, 130, 130, 150, 130, 150, 130, 130],
                &[161, 89, 28, 56, 65, 130, 130, 150, 130, 150, 130, 130],
                &[161, 89, 28, 56, 65, 141, 3],
                &[161, 89, 28, 56, 65, 137, 146, 133, 3],
            ],
        ),
        (
            "the men",
            3,
            [
                &[161, 89, 28, 56, 65, 130, 136, 130, 136, 130, 150, 130],
                &[161, 89, 28, 56, 65, 135, 130, 150, 130, 135, 130, 130],
                &[161, 89, 28, 56, 65, 141, 3],
                &[161, 89, 28, 56, 65, 141, 146, 160, 3],
            ],
        ),
    ];
    for (prompt, beams, wanted) in cases {
        let captioner = captioner.clone().prompt(prompt).num_beams(beams);
        let tokens = captioner.caption_tokens(&sources(&images[..4]), &Progress::silent()).unwrap();
        assert_eq!(tokens, wanted.map(|tokens| Some(tokens.to_vec())), "{prompt}, {beams}");
        for caption in captioner.caption_images(&sources(&images[..4]), &Progress::silent()).unwrap() {
            assert!(caption.as_deref().unwrap().starts_with(prompt), "{caption:?}");
        }
    }
    let error = self::captioner("vit_gpt2/same").prompt("the").check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
}

#[test]
fn a_vocabulary_does_where_there_is_no_tokenizer_file() {
    let whole = read(fixtures().join("vit_gpt2/same/tokenizer.json"));
    let folder = copy("vit_gpt2/same");
    fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    let mut vocabulary = whole["model"]["vocab"].clone();
    for added in whole["added_tokens"].as_array().unwrap() {
        vocabulary[added["content"].as_str().unwrap()] = added["id"].clone();
    }
    fs::write(folder.path().join("vocab.json"), vocabulary.to_string()).unwrap();
    let images = shown(&read(fixtures().join("vit_gpt2/same.json")));
    let captions = |captioner: Captioner| captioner.caption_images(&sources(&images), &Progress::silent()).unwrap();
    assert_eq!(captions(Captioner::from_dir(folder.path()).unwrap()), captions(captioner("vit_gpt2/same")));
}

#[test]
fn a_broken_image_gets_no_caption_and_is_told() {
    let images = shown(&read(fixtures().join("vit_gpt2/projected.json")));
    let (captioner, notes) = (captioner("vit_gpt2/projected"), Arc::new(Notes::default()));
    let whole = captioner.caption_images(&sources(&images[..2]), &Progress::silent()).unwrap();
    let missing = ImageSource::File(PathBuf::from("there-is-no-such.png"));
    let cut = ImageSource::Encoded { bytes: &images[0][..40], name: Some("cut.png") };
    let [first, second] = [0, 1].map(|at| sources(&images).swap_remove(at));
    let mixed = [first, missing.clone(), second, cut.clone()];
    let captions = captioner.caption_images(&mixed, &Progress::to(notes.clone())).unwrap();
    assert_eq!(captions, [whole[0].clone(), None, whole[1].clone(), None]);
    let notes = notes.0.lock().unwrap();
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("2 of 4 images") && notes[0].contains("there-is-no-such.png"), "{notes:?}");

    let error = captioner.caption_images(&[missing, cut], &Progress::silent()).unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::Image, Stage::Embed));
    assert!(captioner.caption_images(&[], &Progress::silent()).unwrap().is_empty());
    let small = captioner.limits(Limits::new().max_bytes(10));
    assert_eq!(small.caption_images(&sources(&images), &Progress::silent()).unwrap_err().kind(), ErrorKind::Image);
}

#[test]
fn settings_out_of_range_are_errors_before_any_work() {
    let captioner = captioner("blip/base");
    let bad = [
        captioner.clone().max_length(0),
        captioner.clone().max_length(1),
        captioner.clone().max_length(25),
        captioner.clone().num_beams(0),
        captioner.clone().num_beams(101),
        captioner.clone().batch_size(0),
        captioner.clone().batch_size(100_000),
        captioner.clone().length_penalty(f64::NAN),
        captioner.clone().no_repeat_ngram_size(100_000),
        captioner.clone().max_length(3).prompt("the men and the women"),
        captioner.clone().limits(Limits::new().max_pixels(0)),
    ];
    for captioner in bad {
        assert_eq!(captioner.check().unwrap_err().kind(), ErrorKind::InvalidParameter, "{captioner:?}");
        let missing = [ImageSource::File(PathBuf::from("missing.png"))];
        let error = captioner.caption_images(&missing, &Progress::silent()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{captioner:?}");
        let model = TopicModel::images("image", NoEmbedder).embeddings("embedding").captioner(captioner);
        assert_eq!(model.check().unwrap_err().to_string(), error.to_string());
    }
    captioner.max_length(24).num_beams(20).check().unwrap();
}

#[test]
fn an_interrupt_ends_the_work() {
    let images = shown(&read(fixtures().join("blip/base.json")));
    let interrupt = Interrupt::new();
    interrupt.stop();
    let progress = Progress::silent().with_interrupt(interrupt);
    let error = captioner("blip/base").caption_images(&sources(&images), &progress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

/// A copy of a fixture's folder, to be corrupted.
fn copy(model: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(fixtures().join(model)).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

/// The error for a model with a modified `file`.
fn damaged(model: &str, file: &str, change: impl Fn(&Path)) -> String {
    let folder = copy(model);
    change(&folder.path().join(file));
    let error = Captioner::from_dir(folder.path()).map(|_| ()).expect_err(file);
    assert_eq!(error.kind(), ErrorKind::Model, "{error:#}");
    assert!(error.path().is_some(), "{error:#}");
    format!("{error:#}")
}

#[test]
fn damaged_folders_are_errors_that_name_the_file() {
    for model in MODELS {
        let weights = if model.ends_with("same") { "pytorch_model.bin" } else { "model.safetensors" };
        for file in ["config.json", "preprocessor_config.json", "tokenizer.json", weights] {
            let error = damaged(model, file, |path| fs::remove_file(path).unwrap());
            assert!(error.contains(file), "{error:#}");
            let error = damaged(model, file, |path| {
                let bytes = fs::read(path).unwrap();
                fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
            });
            assert!(error.contains(file), "{error:#}");
            damaged(model, file, |path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            });
        }
    }
    assert_eq!(Captioner::from_dir("there-is-no-such-folder").unwrap_err().kind(), ErrorKind::Model);
}

#[test]
fn a_configuration_that_cannot_be_is_an_error() {
    let cases: [(&str, &[&str], Value); 19] = [
        ("vit_gpt2/same", &["model_type"], json!("bert")),
        ("vit_gpt2/same", &["model_type"], json!(3)),
        ("vit_gpt2/same", &["encoder", "model_type"], json!("swin")),
        ("vit_gpt2/same", &["decoder", "model_type"], json!("bert")),
        ("vit_gpt2/same", &["decoder", "vocab_size"], json!(u64::MAX)),
        ("vit_gpt2/same", &["decoder", "n_embd"], json!(0)),
        ("vit_gpt2/same", &["decoder", "n_embd"], json!(64)),
        ("vit_gpt2/same", &["decoder", "n_head"], json!(5)),
        ("vit_gpt2/same", &["decoder", "n_layer"], json!(3)),
        ("vit_gpt2/same", &["decoder", "n_positions"], json!(1_000_000_000)),
        ("vit_gpt2/same", &["decoder", "activation_function"], json!("magic")),
        ("vit_gpt2/same", &["encoder", "patch_size"], json!(0)),
        ("vit_gpt2/same", &["encoder", "patch_size"], json!(64)),
        ("vit_gpt2/same", &["encoder", "image_size"], json!(64)),
        ("vit_gpt2/same", &["encoder", "num_channels"], json!(1)),
        ("blip/base", &["architectures"], json!(["BlipForQuestionAnswering"])),
        ("blip/base", &["text_config", "sep_token_id"], json!(163)),
        ("blip/base", &["text_config", "hidden_size"], json!(-1)),
        ("blip/base", &["vision_config", "num_hidden_layers"], json!(1_000_000)),
    ];
    for (model, place, value) in cases {
        let error = damaged(model, "config.json", |path| {
            let mut config = read(path);
            let mut at = &mut config;
            for key in place {
                at = &mut at[*key];
            }
            *at = value.clone();
            fs::write(path, config.to_string()).unwrap();
        });
        assert!(!error.is_empty());
    }
    for (key, value) in [("num_beams", json!(1_000_000)), ("max_length", json!(0)), ("eos_token_id", json!(10_000))] {
        let error = damaged("vit_gpt2/same", "generation_config.json", |path| {
            let mut config = read(path);
            config[key] = value.clone();
            fs::write(path, config.to_string()).unwrap();
        });
        assert!(error.contains(key), "{error:#}");
    }
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    if cfg!(feature = "cuda") {
        return;
    }
    let error = captioner("blip/base").device(Device::Cuda(0)).unwrap_err();
    // Before the name is looked up, which could mean a download.
    let by_name = Captioner::load("no/such/model", Device::Cuda(0), &Progress::silent()).unwrap_err();
    for error in [error, by_name] {
        assert_eq!(error.kind(), ErrorKind::Model);
        assert!(format!("{error:#}").contains("cuda"), "{error:#}");
    }
}

/// `python tests/peers/models.py make FOLDER` and `expected FOLDER` create the models.
#[test]
#[ignore = "needs TOPICFRAME_FULL_SIZE, a folder of full-size models"]
fn models_of_full_size_agree_with_transformers() {
    let folder = PathBuf::from(std::env::var_os("TOPICFRAME_FULL_SIZE").expect("TOPICFRAME_FULL_SIZE"));
    let expected = read(folder.join("vit_gpt2.json"));
    let captioner = Captioner::from_dir(folder.join("vit_gpt2")).unwrap();
    let names = expected["images"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    let images: Vec<_> = names.map(|name| ImageSource::File(folder.join("images").join(name))).collect();
    let length = expected["max_length"].as_u64().unwrap() as usize;
    for run in expected["generated"].as_array().unwrap() {
        let captioner = with_settings(captioner.clone(), run, length);
        let tokens = captioner.caption_tokens(&images, &Progress::silent()).unwrap();
        let wanted: Vec<Option<Vec<u32>>> = run["ids"].as_array().unwrap().iter().map(|one| Some(ids(one))).collect();
        assert_eq!(tokens, wanted, "{}", run["settings"]);
        for ((image, tokens), wanted) in
            images.iter().zip(&tokens).zip(expected["first_logits_of_256"].as_array().unwrap())
        {
            let scores = captioner.token_scores(image, &tokens.as_ref().unwrap()[..1]).unwrap();
            let worst = scores.iter().zip(numbers(&json!([wanted]))).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "{worst}");
        }
    }
}
