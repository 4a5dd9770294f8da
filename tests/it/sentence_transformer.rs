//! Sentence-transformers models compared with the Python library (tests/fixtures/models/make.py), and invalid folders.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use topicframe::embed::{Device, SentenceTransformer, TextEmbedder};
use topicframe::error::ErrorKind;
use topicframe::model::TopicModel;
use topicframe::polars::prelude::df;
use topicframe::progress::Progress;

use crate::test_device::test_device;

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/sentence_transformers")
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The largest difference from the values computed by Python.
fn difference(vectors: &ndarray::Array2<f32>, expected: &Value) -> f64 {
    let rows = expected.as_array().unwrap();
    assert_eq!(vectors.nrows(), rows.len());
    let numbers = rows.iter().flat_map(|row| row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()));
    let differences = vectors.iter().zip(numbers).map(|(x, expected)| (f64::from(*x) - expected).abs());
    differences.fold(0.0, f64::max)
}

fn load(name: &str) -> SentenceTransformer {
    SentenceTransformer::from_dir(models().join(name)).unwrap().device(test_device()).unwrap()
}

#[test]
fn every_architecture_and_pooling_gives_what_python_gives() {
    let mut compared = 0;
    for entry in fs::read_dir(models()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let reference = json(&path);
        let model = load(&name);
        let texts = strings(&reference["texts"]);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for case in reference["cases"].as_array().unwrap() {
            let model = match (case["prompt_name"].as_str(), case["prompt"].as_str()) {
                (Some(name), _) => model.clone().prompt_name(name),
                (None, Some(prompt)) => model.clone().prompt(prompt),
                (None, None) => model.clone(),
            };
            let vectors = model.encode(&texts, &Progress::silent()).unwrap();
            let difference = difference(&vectors, &case["embeddings"]);
            assert!(difference < 1e-4, "{name}, {case:.80}: {difference}");
            compared += 1;
        }
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn a_text_has_one_vector_whatever_it_stands_beside() {
    let model = load("mpnet");
    let texts: Vec<String> = (0..3000).map(|i| format!("cat {} dog {}", "house ".repeat(i % 30), i % 7)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let all = model.embed_texts(&texts, &Progress::silent()).unwrap();
    for row in [0, 29, 1500, 2999] {
        let alone = model.embed_texts(&texts[row..=row], &Progress::silent()).unwrap();
        assert_eq!(alone.row(0), all.row(row), "row {row}");
    }
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one_thread.install(|| model.embed_texts(&texts, &Progress::silent()).unwrap()), all);
}

#[test]
fn filling_texts_up_to_one_length_does_not_show() {
    for name in ["modernbert", "nomic_bert"] {
        let model = load(name);
        let texts: Vec<String> = (0..600)
            .map(|i| format!("cat {} dog {}", "house ".repeat(i * i % 53), i % 7))
            .chain([String::new()])
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let all = model.encode(&texts, &Progress::silent()).unwrap();
        for row in [0, 1, 29, 52, 300, 599, 600] {
            let alone = model.encode(&texts[row..=row], &Progress::silent()).unwrap();
            let difference = (&alone.row(0) - &all.row(row)).fold(0.0_f32, |most, x| most.max(x.abs()));
            assert!(difference < 1e-5, "{name}, row {row}: {difference}");
        }
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one_thread.install(|| model.encode(&texts, &Progress::silent()).unwrap()), all, "{name}");
    }
}

/// The embeddings of two texts by the model in `folder`; one of the texts has many tokens.
fn of_two_texts(folder: &Path) -> ndarray::Array2<f32> {
    let texts = ["A photo of a cat and a dog.", &"a cat on the red house ".repeat(12)];
    SentenceTransformer::from_dir(folder).unwrap().encode(&texts, &Progress::silent()).unwrap()
}

#[test]
fn configurations_of_other_versions_are_read() {
    let folder = copy("modernbert");
    let config = folder.path().join("config.json");
    let as_saved = of_two_texts(folder.path());
    edit(&config, |c| c["local_attention"] = 12.into());
    assert_ne!(of_two_texts(folder.path()).row(1), as_saved.row(1));
    edit(&config, |c| {
        for key in ["global_attn_every_n_layers", "global_rope_theta", "local_rope_theta"] {
            c.as_object_mut().unwrap().remove(key);
        }
        c["local_attention"] = 8.into();
        c["layer_types"] = vec!["full_attention", "sliding_attention", "full_attention"].into();
        c["rope_parameters"] = serde_json::json!({
            "full_attention": {"rope_theta": 500.0, "rope_type": "default"},
            "sliding_attention": {"rope_theta": 20.0, "rope_type": "default"},
        });
    });
    assert_eq!(of_two_texts(folder.path()), as_saved);

    let folder = copy("nomic_bert");
    let as_saved = of_two_texts(folder.path());
    edit(&folder.path().join("config.json"), |c| {
        // As in nomic-embed-text-v1.5.
        *c = serde_json::json!({
            "model_type": "nomic_bert", "activation_function": "swiglu", "causal": false, "layer_norm_epsilon": 0.001,
            "max_trained_positions": 2048, "mlp_fc1_bias": false, "mlp_fc2_bias": false, "n_embd": 16, "n_head": 2,
            "n_inner": 24, "n_layer": 2, "n_positions": 64, "parallel_block": false, "prenorm": false,
            "qkv_proj_bias": false, "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0,
            "rotary_emb_interleaved": false, "rotary_scaling_factor": null, "type_vocab_size": 2,
            "use_rms_norm": false, "vocab_size": 161
        });
    });
    assert_eq!(of_two_texts(folder.path()), as_saved);
}

#[test]
fn vectors_have_length_one_and_no_text_is_no_error() {
    let model = load("bert_cls");
    let vectors = model.embed_texts(&["", "a cat", "🐱"], &Progress::silent()).unwrap();
    for row in vectors.outer_iter() {
        assert!((row.dot(&row) - 1.0).abs() < 1e-5);
    }
    assert_eq!(model.embed_texts(&[], &Progress::silent()).unwrap().dim(), (0, model.dimensions()));
}

#[test]
fn lengths_and_prompts_out_of_range_are_told() {
    let model = load("bert_prompts");
    let bad = [
        (model.clone().max_seq_length(0), ErrorKind::InvalidParameter, "max_seq_length = 0 "),
        (model.clone().max_seq_length(2), ErrorKind::InvalidParameter, "max_seq_length = 2 "),
        (model.clone().max_seq_length(100_000), ErrorKind::InvalidParameter, "max_seq_length = 100000 "),
        (model.clone().prompt_name("nothing"), ErrorKind::NotFound, "query"),
    ];
    for (bad, kind, message) in bad {
        let error = bad.check().unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(format!("{error:#}").contains(message), "{error:#}");
        // Without texts, too: nothing has to be embedded for the error.
        let direct = [bad.embed_texts(&[], &Progress::silent()), bad.encode(&["a cat"], &Progress::silent())];
        for refused in direct {
            assert_eq!(refused.unwrap_err().to_string(), error.to_string());
        }
        let fitted = TopicModel::text("text", bad).fit(&df!("text" => ["a cat"; 30]).unwrap());
        assert_eq!(fitted.map(|_| ()).unwrap_err().to_string(), error.to_string());
    }
    assert!(model.check().is_ok());
    assert!(model.clone().max_seq_length(2).max_seq_length(4).check().is_ok(), "the last one counts");
    assert!(model.clone().prompt_name("nothing").prompt("").check().is_ok(), "the last one counts");
    let short = model.clone().max_seq_length(4);
    let texts = ["cat dog house red market", "cat dog house red market and more"];
    assert_ne!(
        model.embed_texts(&texts, &Progress::silent()).unwrap().row(0),
        short.embed_texts(&texts, &Progress::silent()).unwrap().row(0)
    );
    assert!("cuda:x".parse::<Device>().is_err());
    assert_eq!("cuda:1".parse::<Device>().unwrap(), Device::Cuda(1));
}

/// A copy of a model's folder, to be corrupted.
fn copy(name: &str) -> tempfile::TempDir {
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
    let folder = tempfile::tempdir().unwrap();
    copy_all(&models().join(name), folder.path());
    folder
}

fn refused(folder: &Path) -> String {
    let error = SentenceTransformer::from_dir(folder).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model, "{error:#}");
    format!("{error:#}")
}

fn edit(path: &Path, change: impl Fn(&mut Value)) {
    let mut value = json(path);
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

#[test]
fn a_broken_folder_is_told_with_its_file() {
    assert!(refused(Path::new("/nowhere/at/all")).contains("no such folder"));

    for (file, said) in [
        ("config.json", "config.json"),
        ("tokenizer.json", "tokenizer.json"),
        ("model.safetensors", "model.safetensors"),
        ("1_Pooling/config.json", "1_Pooling"),
    ] {
        let folder = copy("bert_mean_normalize");
        fs::remove_file(folder.path().join(file)).unwrap();
        let error = refused(folder.path());
        assert!(error.contains(said) && error.contains("missing") || error.contains("there is no"), "{file}: {error}");

        let folder = copy("bert_mean_normalize");
        let whole = fs::read(folder.path().join(file)).unwrap();
        fs::write(folder.path().join(file), &whole[..whole.len() / 2]).unwrap();
        assert!(refused(folder.path()).contains(said), "{file}");
    }
}

#[test]
fn a_configuration_that_cannot_be_is_told() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change, &str); 8] = [
        ("config.json", |c| c["model_type"] = "llama".into(), "llama"),
        ("config.json", |c| c["hidden_size"] = 4_000_000_000_u64.into(), "hidden_size"),
        ("config.json", |c| c["num_attention_heads"] = 7.into(), "heads"),
        ("config.json", |c| c["num_hidden_layers"] = 3.into(), "num_hidden_layers"),
        ("config.json", |c| c["hidden_act"] = "mish".into(), "mish"),
        ("modules.json", |m| m[1]["path"] = "../elsewhere".into(), "elsewhere"),
        ("modules.json", |m| m[1]["type"] = "sentence_transformers.models.LSTM".into(), "LSTM"),
        ("1_Pooling/config.json", |p| p["pooling_mode_mean_tokens"] = false.into(), "pooling"),
    ];
    for (file, change, said) in changes {
        let folder = copy("bert_mean_normalize");
        edit(&folder.path().join(file), change);
        let error = refused(folder.path());
        assert!(error.contains(said), "{file}: {error}");
    }
    let folder = copy("bert_dense");
    edit(&folder.path().join("2_Dense/config.json"), |c| c["in_features"] = 8.into());
    assert!(refused(folder.path()).contains("linear.weight"));
}

#[test]
fn a_configuration_that_candle_cannot_take_is_told() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change, &str); 17] = [
        ("modernbert", |c| c["hidden_size"] = 4_000_000_000_u64.into(), "hidden_size"),
        ("modernbert", |c| c["max_position_embeddings"] = (1_u64 << 40).into(), "max_position_embeddings"),
        ("modernbert", |c| c["num_attention_heads"] = 16.into(), "num_attention_heads"),
        ("modernbert", |c| c["num_hidden_layers"] = 4.into(), "num_hidden_layers"),
        ("modernbert", |c| c["intermediate_size"] = 32.into(), "mlp.Wi.weight"),
        ("modernbert", |c| c["vocab_size"] = 160.into(), "tok_embeddings"),
        ("modernbert", |c| c["global_attn_every_n_layers"] = 0.into(), "global_attn_every_n_layers"),
        ("modernbert", |c| c["global_rope_theta"] = (-1.0).into(), "global_rope_theta"),
        ("modernbert", |c| c["hidden_activation"] = "relu".into(), "relu"),
        ("modernbert", |c| c["norm_bias"] = true.into(), "norm_bias"),
        ("modernbert", |c| c["layer_types"] = vec!["sliding_attention"; 3].into(), "layer_types"),
        ("nomic_bert", |c| c["num_attention_heads"] = 0.into(), "num_attention_heads"),
        ("nomic_bert", |c| c["num_experts"] = 8.into(), "experts"),
        ("nomic_bert", |c| c["qkv_proj_bias"] = true.into(), "qkv_proj_bias"),
        ("nomic_bert", |c| c["rotary_emb_fraction"] = 0.5.into(), "rotary_emb_fraction"),
        ("nomic_bert", |c| c["rope_parameters"]["rope_type"] = "yarn".into(), "yarn"),
        ("nomic_bert", |c| c["type_vocab_size"] = 3.into(), "token_type_embeddings"),
    ];
    for (name, change, said) in changes {
        let folder = copy(name);
        edit(&folder.path().join("config.json"), change);
        let error = refused(folder.path());
        assert!(error.contains(said), "{name}: {error}");
    }
}

#[test]
fn every_tensor_must_be_there() {
    for (name, tensor) in [("modernbert", "layers.1.attn_norm.weight"), ("nomic_bert", "encoder.layers.1.norm2.bias")] {
        let folder = copy(name);
        let path = folder.path().join("model.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.windows(tensor.len()).position(|window| window == tensor.as_bytes()).unwrap();
        bytes[at..at + 6].copy_from_slice(b"nobody");
        fs::write(&path, bytes).unwrap();
        let error = refused(folder.path());
        assert!(error.contains(tensor) && error.contains("model.safetensors"), "{error:#}");
    }
}

#[test]
fn a_vocabulary_alone_is_enough_for_bert() {
    let folder = copy("bert_mean_normalize");
    let tokenizer = json(&folder.path().join("tokenizer.json"));
    let mut tokens: Vec<(u64, String)> = tokenizer["model"]["vocab"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(token, id)| (id.as_u64().unwrap(), token.clone()))
        .collect();
    tokens.sort();
    let vocabulary: Vec<String> = tokens.into_iter().map(|(_, token)| token).collect();
    fs::write(folder.path().join("vocab.txt"), vocabulary.join("\n")).unwrap();
    fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    let texts = ["A photo of a cat and a dog.", "unseen zebra"];
    let alone = SentenceTransformer::from_dir(folder.path()).unwrap().embed_texts(&texts, &Progress::silent()).unwrap();
    assert_eq!(alone, load("bert_mean_normalize").embed_texts(&texts, &Progress::silent()).unwrap());
}
