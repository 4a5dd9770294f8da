//! Models of BERTopic: what it saved is read as it reads it itself (tests/fixtures/bertopic_saved/make.py), and what is
//! written is what it saved, or what it loads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use safetensors::SafeTensors;
use serde_json::{Value, json};
use tempfile::TempDir;
use topicframe::model::SaveOptions;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{column_of_topics, image_frame};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bertopic_saved")
}

fn parsed(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn loaded(name: &str) -> FittedTopicModel {
    FittedTopicModel::load_bertopic(fixtures().join(name)).unwrap()
}

fn vectors(rows: &Value) -> DataFrame {
    let row = |row: &Value| {
        let values: Vec<f32> = row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
        Series::new("".into(), values)
    };
    let rows: Vec<Series> = rows.as_array().unwrap().iter().map(row).collect();
    df!("embedding" => rows).unwrap()
}

/// Equal, but for the last digit of numbers.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-15 * a.abs()
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn cell(value: AnyValue<'_>) -> Value {
    match value {
        AnyValue::Int32(x) => json!(x),
        AnyValue::Int64(x) => json!(x),
        AnyValue::String(text) => json!(text),
        AnyValue::List(texts) => texts.str().unwrap().iter().map(|text| json!(text)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_model_of_bertopic_says_what_it_says_there() {
    let expected = parsed(fixtures().join("expected.json"));
    for name in ["full", "small"] {
        let (model, expected_of, info) = (loaded(name), &expected[name], loaded(name).get_topic_info().unwrap());
        for (column, cells) in expected_of["topic_info"].as_object().unwrap() {
            let own = info.column(column).unwrap();
            let own: Value = (0..own.len()).map(|row| cell(own.get(row).unwrap())).collect();
            assert_eq!(own, *cells, "{name}: {column}");
        }
        let words: Value = serde_json::to_value(model.get_topics()).unwrap();
        assert!(
            same(&words, &parsed(fixtures().join(name).join("topics.json"))["topic_representations"]),
            "{name}: {words}"
        );
        let placed = model.transform(&vectors(&expected["queries"])).unwrap();
        assert_eq!(json!(column_of_topics(&placed)), expected_of["topics"], "{name}");
        let probabilities = placed.column("Probability").unwrap().f64().unwrap().to_vec();
        for (own, expected) in probabilities.iter().zip(expected_of["similarities"].as_array().unwrap()) {
            assert!((own.unwrap() - expected.as_f64().unwrap().max(0.0)).abs() < 1e-6, "{name}: {own:?} {expected}");
        }
    }
    let columns = loaded("full").get_topic_info().unwrap();
    let names: Vec<&str> = columns.columns().iter().map(|column| column.name().as_str()).collect();
    let expected = ["Topic", "Count", "Name", "CustomName", "Representation", "First", "Label", "Visual_Aspect"];
    assert_eq!(names, [&expected[..], &["Representative_Docs"]].concat());
}

#[test]
fn pictures_are_those_of_the_folder() {
    let model = loaded("full");
    let Aspect::Images(gallery) = model.topic_aspect("Visual_Aspect").unwrap() else { panic!("no pictures") };
    for topic in model.topic_ids() {
        let file = fs::read(fixtures().join(format!("full/images/{topic}.jpg"))).unwrap();
        assert_eq!(gallery.collage(topic).unwrap(), Some(file));
        assert_eq!((gallery.pictures(topic).len(), gallery.thumbnails(topic)[0].width), (1, 12));
    }
}

#[test]
fn what_needs_documents_or_an_embedder_says_so() {
    let model = loaded("small");
    let error = model.get_document_info().unwrap_err();
    assert!(error.message().contains("needs the documents of the fit"), "{error:#}");
    let error = model.reduce_topics(1).unwrap_err();
    assert!(error.message().contains("needs the rows of the fit"), "{error:#}");
    assert!(model.quality().is_ok() && model.topic_quality().is_ok() && !model.to_html().is_empty());
    let texts = df!("text" => ["a cat"]).unwrap();
    for error in [model.transform(&texts).unwrap_err(), model.find_topics("cat", 1).unwrap_err()] {
        let report = format!("{error:#}");
        assert!(report.contains("embedding model whose name was not saved"), "{report}");
        assert!(report.contains("with_embedder"), "{report}");
    }
    // The name on the Hub is in the folder.
    assert!(loaded("full").summary().embedder.contains("sentence-transformers/all-MiniLM-L6-v2"));
    let error = model.with_embedder(StaticEmbedder::builtin()).unwrap_err();
    assert!(format!("{error:#}").contains("dimensions"), "{error:#}");
}

/// The files of a folder, and of `images` in it.
fn files(folder: &Path) -> Vec<String> {
    let names = |folder: &Path| -> Vec<String> {
        fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    };
    let images = names(&folder.join("images")).into_iter().map(|name| format!("images/{name}"));
    let mut files: Vec<String> = names(folder).into_iter().chain(images).collect();
    files.sort();
    files
}

/// The entries of each row of a sparse matrix, by column.
fn entries(tensors: &SafeTensors<'_>) -> Vec<BTreeMap<i32, u64>> {
    let integers = |name: &str| -> Vec<i32> {
        let tensor = tensors.tensor(name);
        tensor.map_or(Vec::new(), |t| t.data().as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect())
    };
    let (starts, columns) = (integers("indptr"), integers("indices"));
    let data = tensors.tensor("data").map_or(Vec::new(), |tensor| tensor.data().to_vec());
    let data: Vec<u64> = data.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect();
    let row = |range: &[i32]| (range[0] as usize..range[1] as usize).map(|at| (columns[at], data[at])).collect();
    starts.windows(2).map(row).collect()
}

fn assert_same_files(folder: &Path, expected: &Path, context: &str) {
    assert_eq!(files(folder), files(expected), "{context}");
    for name in files(expected) {
        let (own, expected) = (folder.join(&name), expected.join(&name));
        let context = format!("{context}: {name}");
        if name.ends_with(".json") {
            assert!(same(&parsed(&own), &parsed(&expected)), "{context}: {:#}", parsed(&own));
            continue;
        }
        let (own, expected) = (fs::read(&own).unwrap(), fs::read(&expected).unwrap());
        if name.ends_with(".jpg") {
            assert_eq!(own, expected, "{context}");
            continue;
        }
        let (own, expected) = (SafeTensors::deserialize(&own).unwrap(), SafeTensors::deserialize(&expected).unwrap());
        assert_eq!(own.len(), expected.len(), "{context}");
        // scipy does not sort the columns of a row.
        let is_sorted = |name: &str| ["indices", "data"].contains(&name);
        for (array, tensor) in expected.iter().filter(|(array, _)| !is_sorted(array)) {
            assert_eq!(own.tensor(array).unwrap(), tensor, "{context}: {array}");
        }
        assert_eq!(entries(&own), entries(&expected), "{context}");
    }
}

#[test]
fn a_model_of_bertopic_is_saved_as_it_was() {
    for name in ["full", "small"] {
        let (folder, own, again) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
        let model = loaded(name);
        assert_eq!(model.save_bertopic(folder.path()).unwrap(), Vec::<String>::new());
        assert_same_files(folder.path(), &fixtures().join(name), name);
        // Also by way of a folder of ours.
        model.save(own.path()).unwrap();
        let kept = FittedTopicModel::load(own.path()).unwrap();
        assert_eq!(kept.save_bertopic(again.path()).unwrap(), Vec::<String>::new());
        assert_same_files(again.path(), &fixtures().join(name), name);
        assert!(kept.get_topic_info().unwrap().equals_missing(&model.get_topic_info().unwrap()));
        let queries = vectors(&parsed(fixtures().join("expected.json"))["queries"]);
        assert!(kept.transform(&queries).unwrap().equals_missing(&model.transform(&queries).unwrap()));
        // A smaller model replaces all of it.
        loaded("small").save_bertopic(folder.path()).unwrap();
        assert_same_files(folder.path(), &fixtures().join("small"), "replaced");
    }
}

/// A model of texts with given vectors and a topic of outliers, whose texts are `other`, and its frame.
fn own_model(other: &str) -> (FittedTopicModel, DataFrame) {
    let texts = ["the cat sleeps", "a fast train", "bread and cake", other];
    let row = |row: usize| {
        let (kind, turn) = (row % 4, row as f32);
        let noise = [turn.sin(), (2.0 * turn).cos(), (3.0 * turn).sin(), (5.0 * turn).cos()];
        let scale = if kind == 3 { 3.0 } else { 0.1 };
        let vector: Vec<f32> = (0..4).map(|i| f32::from(u8::from(i == kind)) + scale * noise[i]).collect();
        (texts[kind], Series::new("".into(), vector))
    };
    let (texts, vectors): (Vec<&str>, Vec<Series>) = (0..80).map(row).unzip();
    let frame = df!("text" => texts, "vectors" => vectors).unwrap();
    let model = TopicModel::text("text", NoEmbedder).text_embeddings("vectors").reducer(NoReduction);
    let model =
        model.clusterer(Hdbscan::new().min_cluster_size(8)).representation("Diverse", MaximalMarginalRelevance::new());
    (model.fit(&frame).unwrap(), frame)
}

/// The frame, as a model of BERTopic reads it.
fn renamed(frame: &DataFrame) -> DataFrame {
    let vectors = frame.column("vectors").unwrap().clone().with_name("embedding".into());
    DataFrame::new(frame.height(), vec![vectors]).unwrap()
}

#[test]
fn a_model_of_ours_passes() {
    // A stop word, so that topic -1 has no words.
    let (model, frame) = own_model("nothing");
    assert!(model.topic_size(-1).is_some() && model.topic_ids().len() > 2, "{:?}", model.topic_ids());
    let (folder, own) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let sentences = model.save_bertopic(folder.path()).unwrap();
    for part in ["clusterer", "topic -1", "Documents", "no name by which BERTopic", "CountVectorizer without coverage"]
    {
        let part = part.replace("CountVectorizer without", "CountVectorizer and weighs them without");
        assert!(sentences.iter().any(|sentence| sentence.contains(&part)), "{part}: {sentences:#?}");
    }
    assert!(sentences.iter().all(|sentence| sentence.ends_with('.')), "{sentences:#?}");
    let there = FittedTopicModel::load_bertopic(folder.path()).unwrap();
    assert_eq!((there.labels(), there.topic_ids()), (model.labels(), model.topic_ids()));
    for topic in model.topic_ids() {
        assert_eq!(there.topic_label(topic), model.topic_label(topic));
        assert_eq!(there.topic_size(topic), model.topic_size(topic));
    }
    let described = |model: &FittedTopicModel| serde_json::to_value(model.get_topics()).unwrap();
    assert!(same(&described(&there), &described(&model)));
    assert_eq!(*there.vocabulary(), *model.vocabulary());
    assert_eq!(there.terms().c_tf_idf, model.terms().c_tf_idf);
    assert!(matches!(there.topic_aspect("Diverse").unwrap(), Aspect::Words(_)));

    model.save_with(own.path(), &SaveOptions::new().place_by_centroids(true).documents(false)).unwrap();
    let by_centroids = FittedTopicModel::load(own.path()).unwrap().without_data();
    let (here, there) = (by_centroids.transform(&frame).unwrap(), there.transform(&renamed(&frame)).unwrap());
    assert_eq!(column_of_topics(&here), column_of_topics(&there));
}

#[test]
fn pictures_of_ours_pass_as_collages() {
    let model = TopicModel::images("image", NoEmbedder).image_embeddings("vectors").reducer(NoReduction);
    let rows = 12;
    let vectors: Vec<Series> =
        (0..rows).map(|row| Series::new("".into(), if row % 2 == 0 { [1.0_f32, 0.1] } else { [0.1, 1.0] })).collect();
    let mut frame = image_frame(rows);
    frame.with_column(Column::new("vectors".into(), vectors)).unwrap();
    let model = model.clusterer(KMeans::new(2)).representation("Pictures", VisualRepresentation::new());
    let model = model.fit(&frame).unwrap();
    let folder = TempDir::new().unwrap();
    let sentences = model.save_bertopic(folder.path()).unwrap();
    assert!(sentences.iter().any(|sentence| sentence.contains("one collage")), "{sentences:#?}");
    let Aspect::Images(gallery) = model.topic_aspect("Pictures").unwrap() else { panic!("no pictures") };
    let there = FittedTopicModel::load_bertopic(folder.path()).unwrap();
    let Aspect::Images(passed) = there.topic_aspect("Visual_Aspect").unwrap() else { panic!("no pictures") };
    for topic in model.topic_ids() {
        assert_eq!(passed.collage(topic).unwrap(), gallery.collage(topic).unwrap());
    }
}

#[test]
fn pickles_and_other_programs_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let error = FittedTopicModel::load_bertopic(path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    for pickle in ["topic_embeddings.bin", "pytorch_model.bin", "ctfidf.bin"] {
        fs::write(path.join(pickle), b"\x80\x04").unwrap();
        for place in [path.to_path_buf(), path.join(pickle)] {
            let error = FittedTopicModel::load_bertopic(&place).unwrap_err();
            assert!(format!("{error:#}").contains("serialization=\"safetensors\""), "{error:#}");
        }
        fs::remove_file(path.join(pickle)).unwrap();
    }
    fs::write(path.join("config.json"), r#"{"model_type": "bert"}"#).unwrap();
    let error = loaded("small").save_bertopic(path).unwrap_err();
    assert!(error.message().contains("another program"), "{error:#}");
    assert_eq!(files(path), ["config.json"]);
}

/// A copy of the fixture `full`.
fn copied() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("images")).unwrap();
    for name in files(&fixtures().join("full")) {
        fs::copy(fixtures().join("full").join(&name), folder.path().join(&name)).unwrap();
    }
    folder
}

/// The error for the fixture with one file changed, which names it.
fn refused(name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let folder = copied();
    let path = folder.path().join(name);
    fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
    let error = FittedTopicModel::load_bertopic(folder.path()).unwrap_err();
    assert!(error.path().is_some(), "{error:#}");
    format!("{error:#}")
}

#[test]
fn damaged_folders_are_errors() {
    let edit = |name: &str, change: &dyn Fn(&mut Value)| {
        refused(name, |bytes| {
            let mut value: Value = serde_json::from_slice(&bytes).unwrap();
            change(&mut value);
            serde_json::to_vec(&value).unwrap()
        })
    };
    let topics = |change: &dyn Fn(&mut Value)| edit("topics.json", change);
    for report in [
        topics(&|value| value["topic_sizes"] = json!({"-1": 5, "0": 14, "1": 10, "3": 7})),
        topics(&|value| value["topic_sizes"] = json!({"0": u64::MAX, "1": u64::MAX, "-1": 1, "2": 1})),
        topics(&|value| value["topic_sizes"] = json!({"99999999999": 5})),
        topics(&|value| value["topics"][3] = json!(7)),
        topics(&|value| value["topic_representations"] = json!({})),
        topics(&|value| value["topic_aspects"] = json!({"Topic": {"0": [["a", 1.0]]}})),
        topics(&|value| value["topic_aspects"] = json!({"A": {"x": [["a", 1.0]]}})),
        topics(&|value| value["topic_aspects"] = json!({"A": [1, 2]})),
        edit("ctfidf_config.json", &|value| value["vectorizer_model"]["vocab"]["cat"] = json!(1_000_000)),
        edit("ctfidf_config.json", &|value| value["vectorizer_model"] = json!([])),
        edit("config.json", &|value| *value = json!([1])),
        refused("topics.json", |_| "[".repeat(1_000_000).into_bytes()),
        refused("topics.json", |bytes| String::from_utf8(bytes).unwrap().replace("0.65", "NaN").into_bytes()),
        refused("topic_embeddings.safetensors", |mut bytes| {
            let end = bytes.len();
            bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
            bytes
        }),
        refused("images/1.jpg", |_| b"no picture".to_vec()),
    ] {
        assert!(!report.is_empty());
    }
    // Every file, cut off anywhere or with a byte changed, is read or refused, without a panic.
    for name in files(&fixtures().join("full")) {
        let folder = copied();
        let path = folder.path().join(&name);
        let bytes = fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(bytes.len().div_ceil(24)) {
            fs::write(&path, &bytes[..at]).unwrap();
            let error = FittedTopicModel::load_bertopic(folder.path()).unwrap_err();
            assert!(error.path().is_some(), "{name} {at}: {error:#}");
            let mut changed = bytes.clone();
            changed[at] ^= 0x55;
            fs::write(&path, changed).unwrap();
            if let Ok(model) = FittedTopicModel::load_bertopic(folder.path()) {
                model.get_topic_info().unwrap();
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    for name in ["topics.json", "topic_embeddings.safetensors", "ctfidf_config.json", "images/0.jpg"] {
        let folder = copied();
        fs::remove_file(folder.path().join(name)).unwrap();
        std::os::unix::fs::symlink(fixtures().join("full").join(name), folder.path().join(name)).unwrap();
        let error = FittedTopicModel::load_bertopic(folder.path()).unwrap_err();
        assert!(format!("{error:#}").contains("link"), "{error:#}");
    }
}

#[test]
fn the_embedding_of_outliers_that_are_gone_is_left_out() {
    let folder = copied();
    let path = folder.path().join("topics.json");
    let mut topics = parsed(&path);
    for part in ["topic_sizes", "topic_representations"] {
        topics[part].as_object_mut().unwrap().remove("-1");
    }
    topics["topic_aspects"] = json!({});
    topics["custom_labels"] = json!(null);
    for topic in topics["topics"].as_array_mut().unwrap().iter_mut().filter(|topic| **topic == json!(-1)) {
        *topic = json!(0);
    }
    fs::write(&path, serde_json::to_vec(&topics).unwrap()).unwrap();
    fs::remove_file(folder.path().join("ctfidf.safetensors")).unwrap();
    let model = FittedTopicModel::load_bertopic(folder.path()).unwrap();
    assert_eq!((model.topic_ids(), model.custom_labels().len()), (vec![0, 1, 2], 0));
    assert_eq!(model.topic_embeddings()[&1], loaded("full").topic_embeddings()[&1]);
}

/// Python with BERTopic: that of `TOPICFRAME_BERTOPIC_PYTHON`, or with packages that pip installs next to the build.
fn python() -> Result<Command, String> {
    if let Ok(python) = std::env::var("TOPICFRAME_BERTOPIC_PYTHON") {
        return Ok(Command::new(python));
    }
    const BERTOPIC: &str = "bertopic==0.17.4";
    const NEEDED: [&str; 10] =
        ["numpy", "pandas", "scipy", "scikit-learn", "tqdm", "plotly", "safetensors", "pillow", "pyyaml", "packaging"];
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bertopic-0.17.4");
    if !target.join("bertopic/_bertopic.py").exists() {
        let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).map_err(|error| format!("{error:#}"))?;
        let install = |packages: &[&str], options: &[&str]| {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "15", "--target"]);
            let output = pip.arg(fresh.path()).args(options).args(packages).output();
            let output = output.map_err(|error| format!("python3: {error}"))?;
            let said = String::from_utf8_lossy(&output.stderr);
            if output.status.success() { Ok(()) } else { Err(format!("pip: {}", said.lines().last().unwrap_or("?"))) }
        };
        install(&NEEDED, &[])?;
        install(&[BERTOPIC], &["--no-deps"])?;
        // Another process may have been faster.
        let _ = fs::rename(fresh.path(), &target);
    }
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", target);
    Ok(python)
}

/// Prints what BERTopic says of the model in a folder.
const SCRIPT: &str = r#"
import json, sys
import numpy as np
from bertopic import BERTopic
model = BERTopic.load(sys.argv[1])
info = model.get_topic_info()
queries = np.array(json.load(open(sys.argv[2])), dtype=np.float32)
topics, similarities = model.transform([""] * len(queries), embeddings=queries)
print(json.dumps({
    "Topic": [int(topic) for topic in info.Topic],
    "Count": [int(count) for count in info.Count],
    "Name": list(info.Name),
    "Representation": list(info.Representation),
    "Diverse": list(info.Diverse),
    "topics": [int(topic) for topic in topics],
    "similarities": [float(similarity) for similarity in similarities],
    "weights": float(model.c_tf_idf_.sum()),
    "idf": float(model.ctfidf_model._idf_diag.sum()),
    "distribution": model.approximate_distribution(["the cat sleeps"], window=2)[0].shape,
}))
"#;

#[test]
#[ignore = "installs BERTopic with pip: cargo test --release --test it -- --ignored bertopic"]
fn bertopic_loads_what_is_saved_for_it() {
    let mut python = python().unwrap_or_else(|why| panic!("BERTopic could not be installed ({why})"));
    let (model, frame) = own_model("zebra");
    let folder = TempDir::new().unwrap();
    model.save_bertopic(folder.path()).unwrap();
    let embeddings = frame.column("vectors").unwrap();
    let row = |row: usize| match embeddings.get(row).unwrap() {
        AnyValue::List(values) => values.f32().unwrap().into_no_null_iter().collect::<Vec<f32>>(),
        other => panic!("{other:?}"),
    };
    let queries: Vec<Vec<f32>> = (0..embeddings.len()).map(row).collect();
    let file = folder.path().join("queries.json");
    fs::write(&file, serde_json::to_vec(&queries).unwrap()).unwrap();
    let output = python.args(["-c", SCRIPT]).arg(folder.path()).arg(&file).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();

    let info = model.get_topic_info().unwrap();
    for name in ["Topic", "Count", "Name", "Representation", "Diverse"] {
        let column = info.column(name).unwrap();
        let own: Value = (0..column.len()).map(|row| cell(column.get(row).unwrap())).collect();
        assert_eq!(said[name], own, "{name}");
    }
    let here = FittedTopicModel::load_bertopic(folder.path()).unwrap().transform(&renamed(&frame)).unwrap();
    assert_eq!(said["topics"], json!(column_of_topics(&here)));
    for (own, said) in
        here.column("Probability").unwrap().f64().unwrap().iter().zip(said["similarities"].as_array().unwrap())
    {
        assert!((own.unwrap() - said.as_f64().unwrap().max(0.0)).abs() < 1e-6);
    }
    let sum: f64 = model.terms().c_tf_idf.data().iter().sum();
    assert!((said["weights"].as_f64().unwrap() - sum).abs() < 1e-9 && said["idf"].as_f64().unwrap() > 0.0);
    let topics = model.topic_ids().into_iter().filter(|&topic| topic >= 0).count();
    assert_eq!(said["distribution"], json!([1, topics]));
}
