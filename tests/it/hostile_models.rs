//! Malicious model folders: each results in an error that names the file and the problem, quickly and with little
//! memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::RgbImage;
use serde_json::{Value, json};
use topicframe::caption::Captioner;
use topicframe::embed::{Device, LoadedEmbedder};
use topicframe::error::{Error, ErrorKind};
use topicframe::progress::Progress;
use topicframe::vision::Preprocessor;

/// The time limit, generous enough for a busy machine.
pub const SOON: Duration = Duration::from_secs(10);

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir(&to).unwrap();
            copy_all(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// A copy of a model's folder, to be corrupted.
pub fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_all(&fixtures().join(name), folder.path());
    folder
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

pub fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = json_of(path);
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// Loads a folder as the type of model it contains.
pub fn load(folder: &Path) -> Result<(), Error> {
    let begun = Instant::now();
    let config = folder.join("config.json");
    let writes = config.exists() && {
        let text = fs::read_to_string(&config).unwrap();
        text.contains("vision-encoder-decoder") || text.contains("BlipForConditionalGeneration")
    };
    let result = match writes {
        true => Captioner::from_dir(folder).map(drop),
        false => LoadedEmbedder::load(&folder.to_string_lossy(), Device::Cpu, &Progress::silent()).map(drop),
    };
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    result
}

pub fn refused(folder: &Path) -> String {
    let error = load(folder).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model, "{error:#}");
    let told = format!("{error:#}");
    assert!(told.len() < 3_000, "{} bytes of a message", told.len());
    told
}

pub const SENTENCE: &str = "models/sentence_transformers";

/// The error of a model after a change to one of its files.
pub fn spoiled(model: &str, file: &str, change: impl FnOnce(&mut Value)) -> String {
    let folder = copy(model);
    edit(&folder.path().join(file), change);
    let told = refused(folder.path());
    assert!(told.contains(file), "{file}: {told}");
    told
}

#[test]
fn a_table_of_gigabytes_is_refused_by_the_number_that_asks_for_it() {
    let mpnet = format!("{SENTENCE}/mpnet");
    let told = spoiled(&mpnet, "config.json", |config| {
        config["max_position_embeddings"] = json!(1_048_576);
        config["num_attention_heads"] = json!(1024);
        config["hidden_size"] = json!(1024);
    });
    assert!(told.contains("max_position_embeddings") && told.contains("1 to 131072"), "{told}");
    for (key, value, must) in [
        ("max_position_embeddings", 131_072_u64, "must be 82"),
        ("hidden_size", 1024, "must be 16"),
        ("num_attention_heads", 16, "must be 2"),
        ("num_attention_heads", 3, "a divisor of `hidden_size`, which is 16"),
        ("relative_attention_num_buckets", 4096, "must be 32"),
        ("intermediate_size", 1 << 18, "must be 40"),
        ("vocab_size", 1 << 24, "must be 161"),
        ("num_hidden_layers", 1024, "must be 1 to 2"),
        ("pad_token_id", 80, "must be 0 to 78"),
    ] {
        let told = spoiled(&mpnet, "config.json", |config| config[key] = json!(value));
        assert!(told.contains(&format!("`{key}` is {value}")) && told.contains(must), "{told}");
    }
}

#[test]
fn parts_of_configurations_are_named_with_their_place() {
    for (model, part, key, value) in [
        ("models/clip/gelu", "text_config", "max_position_embeddings", 8_192_u64),
        ("models/clip/gelu", "vision_config", "hidden_size", 16_384),
        ("models/clip/siglip", "text_config", "vocab_size", 4_000_000),
        ("models/vit_gpt2/same", "decoder", "n_positions", 8_192),
        ("models/vit_gpt2/projected", "encoder", "num_hidden_layers", 1_000),
        ("models/blip/base", "text_config", "vocab_size", 10_000_000),
        ("models/blip/base", "vision_config", "intermediate_size", 65_536),
    ] {
        let told = spoiled(model, "config.json", |config| config[part][key] = json!(value));
        assert!(told.contains(&format!("`{part}.{key}` is {value}, but must be ")), "{told}");
    }
}

/// The locations of all numbers in a JSON file, as JSON pointers.
fn numbers(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(place.to_owned()),
        Value::Object(map) => map.iter().for_each(|(key, value)| numbers(value, &format!("{place}/{key}"), found)),
        Value::Array(list) => (0..).zip(list).for_each(|(at, value)| numbers(value, &format!("{place}/{at}"), found)),
        _ => {}
    }
}

#[test]
fn every_number_of_every_configuration_is_either_used_or_refused() {
    let mut models: Vec<PathBuf> = Vec::new();
    for group in
        ["models/sentence_transformers", "models/clip", "models/vit_gpt2", "models/blip", "static_embedder/model2vec"]
    {
        let entries = fs::read_dir(fixtures().join(group)).unwrap().map(|entry| entry.unwrap().path());
        models.extend(entries.filter(|path| path.is_dir()));
    }
    let values = [json!(0), json!(-1), json!(1 << 20), json!(u64::MAX), json!(1e300), json!(0.5), json!("many")];
    let mut tried = 0;
    for model in models {
        let folder = tempfile::tempdir().unwrap();
        copy_all(&model, folder.path());
        load(folder.path()).unwrap();
        for file in [
            "config.json",
            "generation_config.json",
            "sentence_bert_config.json",
            "tokenizer_config.json",
            "preprocessor_config.json",
            "1_Pooling/config.json",
            "2_Dense/config.json",
        ] {
            let path = folder.path().join(file);
            if !path.exists() {
                continue;
            }
            let whole = json_of(&path);
            let mut places = Vec::new();
            numbers(&whole, "", &mut places);
            for (place, value) in places.iter().flat_map(|place| values.iter().map(move |value| (place, value))) {
                let mut changed = whole.clone();
                *changed.pointer_mut(place).unwrap() = value.clone();
                fs::write(&path, changed.to_string()).unwrap();
                if let Err(error) = load(folder.path()) {
                    assert_eq!(error.kind(), ErrorKind::Model, "{place} = {value}: {error}");
                    assert!(error.path().is_some(), "{place} = {value}: {error}");
                }
                tried += 1;
            }
            fs::write(&path, whole.to_string()).unwrap();
        }
    }
    assert!(tried > 2_000, "{tried}");
}

#[test]
fn what_a_model_writes_with_is_bounded() {
    for (key, value) in [
        ("num_beams", json!(101)),
        ("num_beams", json!(-1)),
        ("max_length", json!(u64::MAX)),
        ("length_penalty", json!(1e300)),
        ("repetition_penalty", json!(0)),
        ("no_repeat_ngram_size", json!(1_001)),
        ("eos_token_id", json!(vec![3; 17])),
    ] {
        let told = spoiled("models/vit_gpt2/same", "generation_config.json", |config| config[key] = value);
        assert!(told.contains(key), "{told}");
    }
}

#[test]
fn preprocessors_take_no_sizes_and_no_numbers_that_lead_nowhere() {
    let (processor, image) = ("image_processor_type", RgbImage::new(3_000, 2));
    for (key, value) in [
        ("size", json!({"shortest_edge": 1_000_000_000})),
        ("crop_size", json!(1_000_000_000)),
        ("crop_size", json!({"height": 16, "width": 4_000_000_000_u64})),
        ("image_std", json!([0.0, 1.0, 1.0])),
        ("image_std", json!(1e-300)),
        ("image_mean", json!([1e300, 0.0, 0.0])),
        ("rescale_factor", json!(1e300)),
        ("rescale_factor", json!("NaN")),
    ] {
        let config = json!({processor: "CLIPImageProcessor", key: value}).to_string();
        assert!(Preprocessor::from_json(&config).is_err(), "{config}");
    }
    // A line of an image becomes as long as its aspect ratio requires; only the cropped part is computed.
    let config = json!({processor: "CLIPImageProcessor", "size": {"shortest_edge": 2048}, "crop_size": 16});
    assert_eq!(Preprocessor::from_json(&config.to_string()).unwrap().fit(&image).dimensions(), (16, 16));
}

#[test]
fn prompts_and_lists_without_end_are_refused() {
    let model = format!("{SENTENCE}/bert_exclude_prompt");
    let told = spoiled(&model, "config_sentence_transformers.json", |config| {
        config["prompts"] = json!({"query": "x".repeat(3 << 20)});
        config["default_prompt_name"] = json!("query");
    });
    assert!(told.contains("`prompts.query` has 3145728 characters; the maximum is 10000"), "{told}");
    let told = spoiled(&model, "config_sentence_transformers.json", |config| {
        config["prompts"] = json!({"passage": "é".repeat(10_001), "query": ""});
    });
    assert!(told.contains("`prompts.passage` has 10001 characters"), "{told}");
    let told = spoiled(&model, "config_sentence_transformers.json", |config| {
        config["prompts"] = json!({"query": "x".repeat(5 << 20)});
    });
    assert!(told.contains("over 4 MiB"), "{told}");
    let told = spoiled(&model, "1_Pooling/config.json", |config| config["pooling_mode"] = json!(vec!["mean"; 100_000]));
    assert!(told.contains("100000 pooling modes"), "{told}");
    let told = spoiled(&model, "modules.json", |modules| {
        let pooling = modules[1].clone();
        modules.as_array_mut().unwrap().extend(vec![pooling; 1_000]);
    });
    assert!(told.contains("the maximum is 64"), "{told}");
    let told = spoiled(&format!("{SENTENCE}/bert_dense"), "modules.json", |modules| {
        let dense = modules[2].clone();
        modules.as_array_mut().unwrap().extend(vec![dense; 20]);
    });
    assert!(told.contains("two of its modules"), "{told}");
}

#[test]
fn a_folder_of_model2vec_needs_no_model_type() {
    for (name, change) in [("f32", Value::Null), ("i8", json!({"max_length": 512})), ("unigram_unlimited", json!({}))] {
        let folder = copy(&format!("static_embedder/model2vec/{name}"));
        edit(&folder.path().join("config.json"), |config| match change {
            Value::Null => drop(config.as_object_mut().unwrap().remove("model_type")),
            other => *config = other,
        });
        let loaded = LoadedEmbedder::load(&folder.path().to_string_lossy(), Device::Cpu, &Progress::silent()).unwrap();
        assert!(matches!(loaded, LoadedEmbedder::Static(_)), "{name}");
    }
    let folder = copy(&format!("{SENTENCE}/bert_cls"));
    fs::remove_file(folder.path().join("modules.json")).unwrap();
    edit(&folder.path().join("config.json"), |config| drop(config.as_object_mut().unwrap().remove("model_type")));
    assert!(refused(folder.path()).contains("no `model_type`"));
}
