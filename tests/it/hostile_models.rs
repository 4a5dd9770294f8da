//! Model folders as an enemy would make them: each is an error that names the file and what is wrong with it, soon and
//! with little memory.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::RgbImage;
use serde_json::{Value, json};
use topicframe::embed::{Captioner, Device, LoadedEmbedder, MultiModalBackend, SentenceTransformer, TextEmbedder};
use topicframe::error::{Error, ErrorKind};
use topicframe::progress::Progress;
use topicframe::vision::Preprocessor;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Nothing may take longer, on a machine that has other work as well.
const SOON: Duration = Duration::from_secs(10);

fn fixtures() -> PathBuf {
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

/// A copy of a model's folder, to be spoiled.
fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_all(&fixtures().join(name), folder.path());
    folder
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = json_of(path);
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// Loads a folder as what it is.
fn load(folder: &Path) -> Result<(), Error> {
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

fn refused(folder: &Path) -> String {
    let error = load(folder).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model, "{error}");
    let told = error.to_string();
    assert!(told.len() < 3_000, "{} bytes of a message", told.len());
    told
}

const SENTENCE: &str = "models/sentence_transformers";

/// The error of a model after a change to one of its files.
fn spoiled(model: &str, file: &str, change: impl FnOnce(&mut Value)) -> String {
    let folder = copy(model);
    edit(&folder.path().join(file), change);
    let told = refused(folder.path());
    assert!(told.contains(file), "{file}: {told}");
    told
}

// Configurations.

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
        assert!(told.contains(&format!("`{part}.{key}` is {value}, and must be ")), "{told}");
    }
}

/// The places of all numbers in a JSON file, as pointers.
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
                    assert!(error.file().is_some(), "{place} = {value}: {error}");
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
        ("eos_token_id", json!([3; 17])),
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
    // A line of an image becomes as long as its proportions ask; only what is cut out of it is made.
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
    assert!(told.contains("`prompts.query` has 3145728 characters, and may have 10000"), "{told}");
    let told = spoiled(&model, "config_sentence_transformers.json", |config| {
        config["prompts"] = json!({"passage": "é".repeat(10_001), "query": ""});
    });
    assert!(told.contains("`prompts.passage` has 10001 characters"), "{told}");
    let told = spoiled(&model, "config_sentence_transformers.json", |config| {
        config["prompts"] = json!({"query": "x".repeat(5 << 20)});
    });
    assert!(told.contains("over 4 MiB"), "{told}");
    let told = spoiled(&model, "1_Pooling/config.json", |config| config["pooling_mode"] = json!(vec!["mean"; 100_000]));
    assert!(told.contains("100000 ways of pooling"), "{told}");
    let told = spoiled(&model, "modules.json", |modules| {
        let pooling = modules[1].clone();
        modules.as_array_mut().unwrap().extend(vec![pooling; 1_000]);
    });
    assert!(told.contains("may list 64"), "{told}");
    let told = spoiled(&format!("{SENTENCE}/bert_dense"), "modules.json", |modules| {
        let dense = modules[2].clone();
        modules.as_array_mut().unwrap().extend(vec![dense; 20]);
    });
    assert!(told.contains("two of its modules"), "{told}");
}

// Tokenizers.

fn spoiled_tokenizer(model: &str, change: impl FnOnce(&mut Value)) -> String {
    spoiled(model, "tokenizer.json", change)
}

#[test]
fn what_a_tokenizer_makes_of_a_text_is_in_proportion_to_it() {
    let bert = format!("{SENTENCE}/bert_cls");
    let replace =
        |pattern: &str, content: &str| json!({"type": "Replace", "pattern": {"String": pattern}, "content": content});
    let doubling = json!({"type": "Sequence", "normalizers": vec![replace("e", "ee"); 40]});
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["normalizer"] = doubling.clone());
    assert!(told.contains("1099511627776 times") && told.contains("normalizer"), "{told}");
    // The same for other models, in sequences within sequences, with and without the names of the steps' types.
    let nested = json!({"normalizers": [doubling["normalizers"].clone(), {"normalizers": [{"pattern": {"Regex": "[ae]"}, "content": "aeaeae"}]}]});
    for model in ["models/clip/gelu", "static_embedder/model2vec/f32", "models/blip/base"] {
        let told = spoiled_tokenizer(model, |tokenizer| tokenizer["normalizer"] = nested.clone());
        assert!(told.contains("times as much"), "{told}");
    }
    for (part, step) in [
        (
            "normalizer",
            json!({"type": "Sequence", "normalizers": vec![json!({"type": "Prepend", "prepend": "x".repeat(40)}); 4]}),
        ),
        (
            "normalizer",
            json!({"type": "Sequence", "normalizers": vec![json!({"type": "Replace", "pattern": {"Regex": ""}, "content": "ab"}); 9]}),
        ),
        ("normalizer", replace("a", &"b".repeat(20_000))),
        (
            "pre_tokenizer",
            json!({"type": "Sequence", "pretokenizers": vec![json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}); 30]}),
        ),
        ("decoder", json!({"type": "Sequence", "decoders": vec![json!({"type": "BPEDecoder", "suffix": ""}); 40]})),
        ("decoder", json!({"type": "Sequence", "decoders": vec![replace("a", "aa"); 40]})),
    ] {
        let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer[part] = step);
        assert!(told.contains("times as much"), "{told}");
    }
}

#[test]
fn what_is_put_around_a_text_is_bounded() {
    let bert = format!("{SENTENCE}/bert_cls");
    let text = json!({"Sequence": {"id": "A", "type_id": 0}});
    let special = json!({"SpecialToken": {"id": "[CLS]", "type_id": 0}});
    let template = |single: Vec<Value>, ids: usize| {
        json!({"type": "TemplateProcessing", "single": single, "pair": [],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": vec![2; ids], "tokens": vec!["[CLS]"; ids]}}})
    };
    for processor in [
        template(vec![text.clone(); 5], 1),
        json!({"type": "Sequence", "processors": vec![template(vec![text.clone(), text.clone()], 1); 40]}),
        template(vec![special.clone(), text.clone()], 100_000),
        template([vec![special.clone(); 300], vec![text.clone()]].concat(), 1),
        // No room for a token of the text.
        template([vec![special; 200], vec![text]].concat(), 1),
    ] {
        let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["post_processor"] = processor);
        assert!(told.contains("around"), "{told}");
    }
}

#[test]
fn steps_tokens_and_words_are_bounded() {
    let bert = format!("{SENTENCE}/bert_cls");
    let strip = json!({"type": "Strip", "strip_left": true, "strip_right": true});
    let deep = (0..20).fold(strip.clone(), |inner, _| json!({"type": "Sequence", "normalizers": [inner]}));
    for normalizer in [json!({"type": "Sequence", "normalizers": vec![strip; 10_000]}), deep] {
        let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["normalizer"] = normalizer);
        assert!(told.contains("128 steps"), "{told}");
    }
    let token = tokenizer_token("x".repeat(2_000));
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["added_tokens"].as_array_mut().unwrap().push(token));
    assert!(told.contains("2000 bytes"), "{told}");
    let many: Vec<Value> = (0..120_000).map(|i| tokenizer_token(format!("token {i}"))).collect();
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["added_tokens"].as_array_mut().unwrap().extend(many));
    assert!(told.contains("added_tokens"), "{told}");
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["model"]["max_input_chars_per_word"] = json!(1_000_000));
    assert!(told.contains("max_input_chars_per_word"), "{told}");
    let told = spoiled_tokenizer(&bert, |tokenizer| {
        tokenizer["model"]["continuing_subword_prefix"] = json!("#".repeat(1_000))
    });
    assert!(told.contains("continuing_subword_prefix"), "{told}");
    let told = spoiled_tokenizer(&bert, |tokenizer| {
        tokenizer["model"]["vocab"]["y".repeat(100_000)] = json!(161);
    });
    assert!(told.contains("model.vocab"), "{told}");
    // A tree as deep as its longest token would not fit the stack that takes it down.
    let told = spoiled_tokenizer("static_embedder/model2vec/unigram_unlimited", |tokenizer| {
        let tokens = tokenizer["model"]["vocab"].as_array_mut().unwrap();
        tokens.push(json!(["z".repeat(1 << 20), -1.0]));
    });
    assert!(told.contains("model.vocab"), "{told}");
}

fn tokenizer_token(content: String) -> Value {
    json!({"id": 161, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": true,
        "special": false})
}

#[test]
fn patterns_that_go_back_and_forth_are_refused() {
    let bert = format!("{SENTENCE}/bert_cls");
    let split = |pattern: &str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
    for pattern in [r"(?:a+a+)+b(?=c)", r"(?=(?:\w*)*-)x", r"(\s*)*\1!", "(?:a{1000}){1000}"] {
        let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["pre_tokenizer"] = split(pattern));
        assert!(told.contains("takes") || told.contains("built"), "{pattern}: {told}");
    }
    let many = json!({"type": "Sequence", "pretokenizers": vec![split("a"); 33]});
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["pre_tokenizer"] = many);
    assert!(told.contains("32 regular expressions"), "{told}");
    let told = spoiled_tokenizer(&bert, |tokenizer| tokenizer["pre_tokenizer"] = split(&"(a|b)".repeat(1_000)));
    assert!(told.contains("5000 bytes"), "{told}");
    // What models have stays.
    let folder = copy(&bert);
    let gpt4 = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
    edit(&folder.path().join("tokenizer.json"), |tokenizer| tokenizer["pre_tokenizer"] = split(gpt4));
    load(folder.path()).unwrap();
}

#[test]
fn a_text_of_megabytes_is_cut_where_nothing_of_it_counts_any_more() {
    let model = SentenceTransformer::from_dir(fixtures().join(SENTENCE).join("bert_mean_normalize")).unwrap();
    let word = "cat on the red house ";
    let long = word.repeat(4 << 20);
    let begun = Instant::now();
    let vectors = model.embed_texts(&[&long, &word.repeat(100)], &Progress::silent()).unwrap();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(vectors.row(0), vectors.row(1));
}

// Weights.

/// A `pytorch_model.bin` of these entries.
fn archive(path: &Path, entries: &[(&str, &[u8])]) {
    let mut writer = ZipWriter::new(File::create(path).unwrap());
    for (name, content) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap();
}

fn entries(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|number| {
            let mut entry = archive.by_index(number).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.name().unwrap().into_owned(), content)
        })
        .collect()
}

const PICKLED: &str = "models/sentence_transformers/bert_pickle";

fn refused_pickle(entries: &[(&str, &[u8])]) -> String {
    let folder = copy(PICKLED);
    archive(&folder.path().join("pytorch_model.bin"), entries);
    let told = refused(folder.path());
    assert!(told.contains("pytorch_model.bin"), "{told}");
    told
}

#[test]
fn pickles_nested_without_end_are_read_to_their_end() {
    for opcode in [b"\x85".as_slice(), b"NR", b"]a", b"Q", b"(t", b"}NNs0"] {
        let program = [b"\x80\x02N".as_slice(), &opcode.repeat(1_000_000), b"."].concat();
        refused_pickle(&[("archive/data.pkl", &program)]);
    }
    let lists = [b"\x80\x02".as_slice(), &b"]".repeat(500_000), &b"a".repeat(499_999), b"."].concat();
    assert!(refused_pickle(&[("archive/data.pkl", &lists)]).contains("no dict"));
}

#[test]
fn pickles_that_double_themselves_are_no_more_than_they_say() {
    let mut laughs = b"\x80\x02Nq\x00".to_vec();
    (0..40).for_each(|i| laughs.extend([b'h', i, b'h', i, 0x86, b'q', i + 1]));
    laughs.push(b'.');
    assert!(refused_pickle(&[("archive/data.pkl", &laughs)]).contains("no dict"));
    // The same in a dict that keeps itself, and by marks.
    let mut dicts = b"\x80\x02}q\x00".to_vec();
    (0..60).for_each(|_| dicts.extend(b"h\x00h\x00s"));
    dicts.push(b'.');
    let told = refused_pickle(&[("archive/data.pkl", &dicts)]);
    assert!(told.contains("pickle") || told.contains("tensor"), "{told}");
    let mut marks = b"\x80\x02Nq\x00".to_vec();
    (0..40).for_each(|i| marks.extend([b'(', b'h', i, b'h', i, b'h', i, b't', b'q', i + 1]));
    marks.push(b'.');
    assert!(refused_pickle(&[("archive/data.pkl", &marks)]).contains("no dict"));
    let long = [b"\x80\x02".as_slice(), &b"N".repeat(17 << 20), b"."].concat();
    assert!(refused_pickle(&[("archive/data.pkl", &long)]).contains("17825795 bytes"));
}

#[test]
fn pickled_tensors_lie_within_their_storage() {
    let folder = copy(PICKLED);
    let path = folder.path().join("pytorch_model.bin");
    let whole = entries(&path);
    let rewritten = |change: &dyn Fn(&str, &mut Vec<u8>)| {
        let mut changed = whole.clone();
        changed.iter_mut().for_each(|(name, content)| change(name, content));
        let borrowed: Vec<(&str, &[u8])> = changed.iter().map(|(n, c)| (n.as_str(), c.as_slice())).collect();
        archive(&path, &borrowed);
        load(folder.path())
    };
    rewritten(&|_, _| {}).unwrap();
    // Storages that are shorter than their tensors.
    let error = rewritten(&|name, content| {
        if name.contains("/data/") {
            content.truncate(content.len() / 2);
        }
    });
    assert!(error.unwrap_err().to_string().contains("not wholly in its storage"));
    // Storages that are not there: their names in the pickle are others.
    let error = rewritten(&|name, content| {
        if name.ends_with("data.pkl") {
            let at = content.windows(7).position(|window| window == b"storage").unwrap();
            content[at + 7..].iter_mut().filter(|byte| **byte == b'1').for_each(|byte| *byte = b'x');
        }
    });
    assert!(error.is_err());
    // The largest sides that a number of one byte can give.
    let error = rewritten(&|name, content| {
        if name.ends_with("data.pkl") {
            let sides: Vec<usize> = (0..content.len() - 1).filter(|at| content[*at] == b'K').collect();
            sides.into_iter().for_each(|at| content[at + 1] = 255);
        }
    });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Model);
    // Every cut, every so many bytes.
    let bytes = fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(bytes.len() / 40) {
        fs::write(&path, &bytes[..length]).unwrap();
        refused(folder.path());
    }
    // Compressed, or so it says.
    let mut packed = bytes.clone();
    for (mark, at) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
        let places: Vec<usize> = (0..packed.len() - 4).filter(|i| &packed[*i..*i + 4] == mark).collect();
        places.into_iter().for_each(|place| packed[place + at] = 8);
    }
    fs::write(&path, packed).unwrap();
    assert!(refused(folder.path()).contains("compressed"));
    // As PyTorch wrote it before 1.6.
    fs::write(&path, b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.").unwrap();
    assert!(refused(folder.path()).contains("PyTorch 1.6"));
}

/// A safetensors file with this header, and so many bytes behind it.
fn safetensors(path: &Path, header: &str, bytes: usize) {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + bytes, 0);
    fs::write(path, file).unwrap();
}

#[test]
fn headers_that_lie_are_refused() {
    let folder = copy(&format!("{SENTENCE}/bert_cls"));
    let path = folder.path().join("model.safetensors");
    let tensor = |shape: &str, start: u64, end: u64| {
        format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    for (header, bytes, said) in [
        (format!(r#"{{"a":{}}}"#, tensor("[4]", 0, 17)), 64, "not wholly"),
        (format!(r#"{{"a":{}}}"#, tensor("[4]", 16, 0)), 64, "not wholly"),
        (format!(r#"{{"a":{}}}"#, tensor("[16]", 8, 72)), 64, "not wholly"),
        (format!(r#"{{"a":{}}}"#, tensor("[4611686018427387904,8]", 0, 64)), 64, "too large"),
        (format!(r#"{{"a":{}}}"#, tensor("[-1]", 0, 64)), 64, "no shape"),
        (format!(r#"{{"a":{}}}"#, tensor("[4]", u64::MAX - 8, 7)), 64, "not wholly"),
        (format!(r#"{{"a":{},"b":{}}}"#, tensor("[8]", 0, 32), tensor("[8]", 28, 60)), 64, "share their place"),
        (format!(r#"{{"a":{}}}"#, "[".repeat(100_000)), 64, "no JSON"),
        ("[]".to_owned(), 64, "no object"),
    ] {
        safetensors(&path, &header, bytes);
        let told = refused(folder.path());
        assert!(told.contains("model.safetensors") && told.contains(said), "{header:.100}: {told}");
    }
    // Layers that all lie in one place would be as many times as large in memory.
    let whole = fs::read(fixtures().join(SENTENCE).join("bert_cls/model.safetensors")).unwrap();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&whole[8..8 + length]).unwrap();
    let layers: Vec<(String, Value)> = header
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.contains("layer.0."))
        .map(|(name, place)| (name.clone(), place.clone()))
        .collect();
    for number in 2..1_000 {
        for (name, place) in &layers {
            header[name.replace("layer.0.", &format!("layer.{number}."))] = place.clone();
        }
    }
    safetensors(&path, &header.to_string(), whole.len() - 8 - length);
    assert!(refused(folder.path()).contains("share their place"));
    fs::write(&path, (17_u64 << 20).to_le_bytes()).unwrap();
    assert!(refused(folder.path()).contains("longer than the file"));
    safetensors(&path, &" ".repeat(17 << 20), 0);
    assert!(refused(folder.path()).contains("at most 16777216"));
}

#[test]
fn an_index_names_few_files_of_its_own_folder() {
    let folder = copy(&format!("{SENTENCE}/bert_cls"));
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    let index = folder.path().join("model.safetensors.index.json");
    let with = |files: Vec<String>| {
        let map: serde_json::Map<String, Value> =
            (0..).zip(files).map(|(i, file): (usize, String)| (format!("tensor.{i}"), json!(file))).collect();
        fs::write(&index, json!({"weight_map": map}).to_string()).unwrap();
        refused(folder.path())
    };
    let told = with((0..8_000).map(|i| format!("model-{i}.safetensors")).collect());
    assert!(told.contains("names 8000 files") && told.contains("index.json"), "{told}");
    for file in ["../model.safetensors", "/etc/model.safetensors", "a\\model.safetensors", "config.json", ""] {
        assert!(with(vec![file.to_owned()]).contains("index.json"), "{file}");
    }
    assert!(with(vec!["none.safetensors".to_owned()]).contains("none.safetensors"));
    assert!(with(Vec::new()).contains("empty"));
    // Many tensors of few files take no longer than they are.
    assert!(with(vec!["none.safetensors".to_owned(); 100_000]).contains("none.safetensors"));
}

#[test]
fn a_file_that_is_cut_short_while_it_is_read_is_an_error() {
    let folder = copy("models/clip/gelu");
    let path = folder.path().join("model.safetensors");
    // The towers are read when they are first needed.
    let model = MultiModalBackend::from_dir(folder.path()).unwrap();
    let length = fs::metadata(&path).unwrap().len();
    File::options().write(true).open(&path).unwrap().set_len(length / 4).unwrap();
    let error = model.embed_documents(&["a cat"]).unwrap_err();
    assert!(error.kind() == ErrorKind::Model && error.to_string().contains("model.safetensors"), "{error}");
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
