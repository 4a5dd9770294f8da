//! Saved models: the folders that are mutated, and what is asked of a model that could be loaded.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use topicframe::model::{SaveOptions, SavedVectors};
use topicframe::prelude::*;

use crate::Outcome;
use crate::mutate::{Random, mutate};

/// The list of files, which is in every folder.
const LIST: &str = "model.json";

/// Saves a model with each of the built-in stages, and with and without what can be left out, below `folder`.
pub fn write_seeds(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let plain = || TopicModel::text("text", NoEmbedder).embeddings("v");
    let frame = frame(48)?;
    let all = SaveOptions::new;
    let models = [
        ("kmeans", plain().reducer(NoReduction).clusterer(KMeans::new(4)).outliers(0.1), all()),
        ("communities", plain().clusterer(Communities::new().n_neighbors(5)), all()),
        (
            "half",
            plain().reducer(Pca::new().n_components(2)).clusterer(KMeans::new(3)),
            all().vectors(SavedVectors::Half),
        ),
        ("hdbscan", plain().reducer(umap()).clusterer(Hdbscan::new().min_cluster_size(4)), all().documents(false)),
        (
            "pictures",
            TopicModel::images("image", NoEmbedder)
                .embeddings("v")
                .reducer(NoReduction)
                .clusterer(KMeans::new(3))
                .representation("Pictures", VisualRepresentation::new().nr_repr_images(2)),
            all(),
        ),
        ("centroids", plain().clusterer(KMeans::new(3)), all().vectors(SavedVectors::None)),
    ];
    let mut paths = Vec::new();
    for (name, model, options) in models {
        let path = folder.join(name);
        let topics = model.fit(&frame)?.merge_topics(&[&[0, 1]])?.set_topic_labels([(0, "a label")])?;
        // Divided, if its rows are different enough.
        topics.split_topic(0, 2).unwrap_or(topics).save_with(&path, &options)?;
        paths.push(path);
    }
    Ok(paths)
}

fn umap() -> Umap {
    Umap::new().n_neighbors(5).n_components(2).n_epochs(20)
}

/// Texts, vectors and pictures in three groups.
fn frame(rows: usize) -> Outcome<DataFrame> {
    let things = ["a red apple", "the fast train", "an old castle"];
    let texts: Vec<String> = (0..rows).map(|row| format!("{} number {}", things[row % 3], row / 6)).collect();
    let vector = |row: usize| {
        let mut vector = [0.1, 0.02 * row as f32, 0.01 * (row * row % 17) as f32];
        vector[row % 3] += 1.0;
        // A vector is missing.
        (row != 7).then(|| Series::new("".into(), vector))
    };
    let vectors: Vec<Option<Series>> = (0..rows).map(vector).collect();
    let pictures: Vec<Vec<u8>> = (0..rows).map(crate::target::picture).collect();
    let pictures: Vec<&[u8]> = pictures.iter().map(Vec::as_slice).collect();
    let columns = vec![
        Column::new("text".into(), texts),
        Column::new("v".into(), vectors),
        Column::new("image".into(), pictures),
    ];
    Ok(DataFrame::new(rows, columns)?)
}

/// Mutates one file of a saved model. In three of four cases, its size and hash are listed anew, as an attacker would.
pub fn mutate_folder(folder: &Path, files: &[PathBuf], random: &mut Random) -> Outcome<()> {
    let path = &files[random.below(files.len())];
    let before = fs::read(path)?;
    let mut bytes = before.clone();
    let is_list = path.ends_with(LIST);
    let is_arrays = path.extension().is_some_and(|extension| extension == "safetensors");
    // Most arbitrary changes are refused at once, so others keep the form of the file.
    match random.below(4) {
        1 if is_list => bytes = with_other_value(&before, random).unwrap_or(bytes),
        2 | 3 if is_list => bytes = with_other_values(&before, random),
        1 if is_arrays => bytes = with_other_header(&before, random).unwrap_or(bytes),
        2 | 3 if is_arrays => change_numbers(&mut bytes, random),
        _ => mutate(&mut bytes, &before, is_list, random),
    }
    fs::write(path, &bytes)?;
    if !is_list && random.below(4) > 0 {
        list_anew(folder, path, &bytes)?;
    }
    Ok(())
}

/// The JSON with one to four values replaced.
fn with_other_values(json: &[u8], random: &mut Random) -> Vec<u8> {
    let mut json = json.to_vec();
    for _ in 0..=random.below(4) {
        json = with_other_value(&json, random).unwrap_or(json);
    }
    json
}

/// The JSON with one value replaced; `None` if it is not JSON.
fn with_other_value(json: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut json: Value = serde_json::from_slice(json).ok()?;
    let mut at = random.below(count(&json));
    replace(&mut json, &mut at, random);
    serde_json::to_vec(&json).ok()
}

/// The number of values in a value, including itself.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(count).sum::<usize>(),
        Value::Object(values) => 1 + values.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Replaces the value with the number `at`, counted from 0.
fn replace(value: &mut Value, at: &mut usize, random: &mut Random) {
    if *at == 0 {
        *value = other(value, random);
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, at, random)),
        Value::Object(values) => values.values_mut().for_each(|value| replace(value, at, random)),
        _ => {}
    }
}

fn other(value: &Value, random: &mut Random) -> Value {
    // The settings of a part are JSON in a text.
    if let Value::String(text) = value
        && let Some(json) = with_other_value(text.as_bytes(), random)
        && random.below(4) > 0
    {
        return Value::String(String::from_utf8(json).unwrap_or_default());
    }
    match random.below(12) {
        0 => Value::Null,
        1 => json!(random.below(2) == 0),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(random.below(100)),
        5 => json!(u64::MAX >> random.below(64)),
        6 => json!(1e300),
        7 => json!(0.5),
        8 => json!(["", "clustered", "full", "none", "\u{202e}"][random.below(5)]),
        9 => json!([]),
        10 => json!({}),
        _ => json!([value, value]),
    }
}

/// Arrays whose header has another value; `None` if there is no header.
fn with_other_header(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let (header, arrays) = bytes.get(8..)?.split_at_checked(header_length(bytes)?)?;
    let mut header = with_other_value(header, random)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Some([&(header.len() as u64).to_le_bytes()[..], &header, arrays].concat())
}

fn header_length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(..8)?.try_into().ok()?;
    usize::try_from(u64::from_le_bytes(length)).ok()
}

/// Mutates numbers in the arrays, of which there are as many as before.
fn change_numbers(bytes: &mut [u8], random: &mut Random) {
    let start = header_length(bytes).unwrap_or(0).saturating_add(8);
    let Some(arrays) = bytes.get_mut(start..) else { return };
    let before = arrays.to_vec();
    let mut after = before.clone();
    mutate(&mut after, &before, false, random);
    arrays.iter_mut().zip(after).for_each(|(place, byte)| *place = byte);
}

/// Renames a file of a saved model, and corrects its entry in the list.
fn list_anew(folder: &Path, path: &Path, bytes: &[u8]) -> Outcome<()> {
    let list = folder.join(LIST);
    let mut json: Value = serde_json::from_slice(&fs::read(&list)?)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let files = json["files"].as_array_mut().ok_or("no list of files")?;
    // Other files may lie in the folder, too.
    let Some(file) = files.iter_mut().find(|file| file["name"] == name) else { return Ok(()) };
    let part = file["part"].as_str().unwrap_or_default().to_owned();
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let name = format!("{part}-{}.{extension}", &hash[..16]);
    *file = json!({ "part": part, "name": name, "bytes": bytes.len(), "sha256": hash });
    fs::rename(path, folder.join(name))?;
    fs::write(list, json.to_string())?;
    Ok(())
}

/// Loads a model and asks it everything; only loading may fail.
pub fn read(folder: &Path) -> Result<(), Error> {
    let topics = FittedTopicModel::load(folder)?;
    let new = frame(4).unwrap_or_else(|error| panic!("a frame of new rows: {error}"));
    let _ = (topics.transform(&new), topics.fitted_frame(), topics.captions(), topics.history());
    let _ = (topics.get_topic_info(), topics.get_document_info_with_runners_up(), topics.quality());
    let _ = (topics.layers(), topics.topics_at(&[2, 3]), topics.reliability(1), topics.at(2));
    let _ = (topics.merge_topics(&[&[0, 1]]), topics.reduce_topics(2), topics.reduce_topics(NrTopics::Auto));
    let _ = (topics.split_topic(0, 2), topics.delete_topics(&[0]), topics.reduce_outliers(OutlierStrategy::CTfIdf));
    let _ = (topics.hierarchical_topics(), topics.topic_probabilities(), topics.lineage());
    let _ = (topics.with_outliers(0.3), topics.with_outliers(Outliers::None), topics.with_ctfidf(ClassTfIdf::new()));
    let _ = topics.report().to_html();
    let copy = tempfile::tempdir().unwrap_or_else(|error| panic!("a folder for a copy: {error}"));
    if topics.save(copy.path()).is_ok() {
        FittedTopicModel::load(copy.path())
            .unwrap_or_else(|error| panic!("what was saved cannot be loaded: {error:#}"));
    }
    Ok(())
}
