//! Reading a folder that BERTopic saved. Whoever it comes from: nothing in it is executed, links are not followed, and what
//! is read is checked.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::tensors::{floats, integers, parse, tensor};
use super::{
    BertopicModel, CONFIG, CTFIDF, CTFIDF_CONFIG, CtfIdf, CtfIdfConfig, EMBEDDINGS, IMAGES, TOPICS, Topics,
    VISUAL_ASPECT,
};
use crate::cluster::OUTLIER;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::store::reading::{damaged, open, unreadable};

/// Size limits of files, in bytes.
const MAX_JSON: u64 = 1 << 30;
const MAX_CONFIG: u64 = 16 << 20;
const MAX_ARRAYS: u64 = 16 << 30;
const MAX_IMAGE: u64 = 64 << 20;

/// The files that are pickles, by the file that they are instead of.
const PICKLES: [(&str, &str); 3] =
    [("topic_embeddings.bin", EMBEDDINGS), ("pytorch_model.bin", EMBEDDINGS), ("ctfidf.bin", CTFIDF)];

/// Reads a folder.
///
/// # Errors
/// There is no model, it is a pickle, or a file is damaged: the error has its path.
pub(crate) fn read_bertopic(folder: &Path) -> Result<BertopicModel> {
    refuse_pickles(folder)?;
    let topics: Topics = json(folder, TOPICS, MAX_JSON)?;
    let ids = ids_of(&topics).map_err(|what| damaged(&folder.join(TOPICS), what))?;
    let config: Map<String, Value> = json(folder, CONFIG, MAX_CONFIG)?;
    let embeddings = embeddings(folder, &ids)?;
    let ctfidf = match exists(&folder.join(CTFIDF)) {
        true => Some(ctfidf(folder, ids.len())?),
        false => None,
    };
    let images = images(folder, &topics, &ids)?;
    Ok(BertopicModel { topics, config, embeddings, ctfidf, images })
}

/// A pickle can run any code when it is read.
fn refuse_pickles(folder: &Path) -> Result<()> {
    let refused = |path: &Path| {
        let message = "this is a pickle, which can run any code when it is read, so it is not read";
        Error::new(ErrorKind::InvalidData, Stage::Input, message).with_path(path).with_hint(
            "Save the model anew in Python: BERTopic.load(path).save(folder, serialization=\"safetensors\", \
             save_ctfidf=True).",
        )
    };
    if folder.is_file() {
        return Err(refused(folder));
    }
    for (pickle, instead_of) in PICKLES {
        if exists(&folder.join(pickle)) && !exists(&folder.join(instead_of)) {
            return Err(refused(&folder.join(pickle)));
        }
    }
    match exists(&folder.join(TOPICS)) {
        true => Ok(()),
        false => {
            let message = "this is no folder with a model of BERTopic: it has no `topics.json`";
            Err(Error::new(ErrorKind::NotFound, Stage::Input, message).with_path(folder))
        }
    }
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let (file, length) = open(path).map_err(|cause| unreadable(path, cause))?;
    if length > limit {
        return Err(damaged(path, format!("it has {length} bytes; the maximum is {limit}")));
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(|cause: io::Error| unreadable(path, cause))?;
    Ok(bytes)
}

fn json<T: DeserializeOwned>(folder: &Path, name: &str, limit: u64) -> Result<T> {
    let path = folder.join(name);
    serde_json::from_slice(&bytes(&path, limit)?)
        .map_err(|cause| damaged(&path, "it is not what BERTopic writes").with_cause(cause))
}

/// The topics, ascending.
fn ids_of(topics: &Topics) -> std::result::Result<Vec<i32>, String> {
    let ids: Vec<i32> = topics.topic_sizes.keys().copied().collect();
    let first = ids.first().copied().filter(|&first| first == OUTLIER).unwrap_or(0);
    if ids.is_empty() || !ids.iter().zip(first..).all(|(&id, expected)| id == expected) {
        return Err("its topics are not numbered from 0 (or -1) without gaps".to_owned());
    }
    if !ids.iter().eq(topics.topic_representations.keys()) {
        return Err("it has words of other topics than those that have a size".to_owned());
    }
    if let Some(other) = topics.topics.iter().find(|topic| !topics.topic_sizes.contains_key(topic)) {
        return Err(format!("a document is in topic {other}, which does not exist"));
    }
    match topics.topic_sizes.values().try_fold(0_usize, |sum, &size| sum.checked_add(size)) {
        Some(_) => Ok(ids),
        None => Err("the sizes of its topics are out of range".to_owned()),
    }
}

fn embeddings(folder: &Path, ids: &[i32]) -> Result<Array2<f32>> {
    let path = folder.join(EMBEDDINGS);
    embeddings_of(&bytes(&path, MAX_ARRAYS)?, ids).map_err(|what| damaged(&path, what))
}

fn embeddings_of(bytes: &[u8], ids: &[i32]) -> std::result::Result<Array2<f32>, String> {
    let name = "topic_embeddings";
    let tensors = parse(bytes)?;
    let tensor = tensor(&tensors, name, 2)?;
    let columns = tensor.shape().last().copied().unwrap_or(0);
    let mut values: Vec<f32> = floats(&tensor, name)?.into_iter().map(|value| value as f32).collect();
    let rows = values.len().checked_div(columns).unwrap_or(0);
    // Where all outliers were moved to topics, BERTopic 0.17 keeps the row of topic -1: every topic is off by one.
    if rows == ids.len() + 1 && !ids.contains(&OUTLIER) {
        values.drain(..columns);
    } else if rows != ids.len() {
        return Err(format!("it has {rows} vectors for {} topics", ids.len()));
    }
    if !values.iter().all(|value| value.is_finite()) {
        return Err(format!("the array `{name}` has a value out of range"));
    }
    Array2::from_shape_vec((ids.len(), columns), values).map_err(|cause| cause.to_string())
}

/// `ctfidf_config.json`.
#[derive(Deserialize)]
struct ConfigFile {
    ctfidf_model: Map<String, Value>,
    vectorizer_model: Vectorizer,
}

#[derive(Deserialize)]
struct Vectorizer {
    params: Map<String, Value>,
    vocab: BTreeMap<String, usize>,
}

fn ctfidf(folder: &Path, topics: usize) -> Result<CtfIdf> {
    let config: ConfigFile = json(folder, CTFIDF_CONFIG, MAX_JSON)?;
    let vocabulary = vocabulary(config.vectorizer_model.vocab)
        .ok_or_else(|| damaged(&folder.join(CTFIDF_CONFIG), "the columns of its terms are not 0, 1, 2, ..."))?;
    let path = folder.join(CTFIDF);
    let (weights, idf) =
        weights(&bytes(&path, MAX_ARRAYS)?, topics, vocabulary.len()).map_err(|what: String| damaged(&path, what))?;
    let config = CtfIdfConfig { ctfidf_model: config.ctfidf_model, vectorizer: config.vectorizer_model.params };
    Ok(CtfIdf { weights, idf, vocabulary, config })
}

/// The terms in the order of their columns.
fn vocabulary(columns: BTreeMap<String, usize>) -> Option<Vec<String>> {
    let mut terms: Vec<(usize, String)> = columns.into_iter().map(|(term, column)| (column, term)).collect();
    terms.sort_unstable();
    terms.into_iter().enumerate().map(|(at, (column, term))| (at == column).then_some(term)).collect()
}

fn weights(bytes: &[u8], topics: usize, terms: usize) -> std::result::Result<(CsrMatrix<f64>, Vec<f64>), String> {
    let tensors = parse(bytes)?;
    let numbers = |name: &str| integers(&tensor(&tensors, name, 1)?, name);
    let values = |name: &str| floats(&tensor(&tensors, name, 1)?, name);
    let (shape, idf) = (numbers("shape")?, values("diag")?);
    if shape != [topics, terms] || idf.len() != terms {
        return Err(format!("its weights are not those of {topics} topics and {terms} terms"));
    }
    let (starts, columns, data) = (numbers("indptr")?, numbers("indices")?, values("data")?);
    let columns: Option<Vec<u32>> = columns.into_iter().map(|column| u32::try_from(column).ok()).collect();
    let columns = columns.ok_or("the array `indices` has a number out of range")?;
    if starts.len() != topics + 1 || columns.len() != data.len() {
        return Err("its arrays have different lengths".to_owned());
    }
    let (columns, data) = sorted(&starts, &columns, &data).ok_or("the array `indptr` has a number out of range")?;
    let weights = CsrMatrix::new(terms, starts, columns, data).map_err(|cause| cause.message().to_owned())?;
    Ok((weights, idf))
}

/// The columns of each row in ascending order, as scipy does not guarantee.
fn sorted(starts: &[usize], columns: &[u32], data: &[f64]) -> Option<(Vec<u32>, Vec<f64>)> {
    let mut entries = Vec::with_capacity(data.len());
    for range in starts.windows(2) {
        let range = *range.first()?..*range.last()?;
        let mut row: Vec<(u32, f64)> =
            columns.get(range.clone())?.iter().copied().zip(data.get(range)?.iter().copied()).collect();
        row.sort_by_key(|&(column, _)| column);
        entries.extend(row);
    }
    Some(entries.into_iter().unzip())
}

/// The pictures of topics; as in BERTopic, none if topic 0 has none.
fn images(folder: &Path, topics: &Topics, ids: &[i32]) -> Result<BTreeMap<i32, Vec<u8>>> {
    let is_visual = |(name, value): &(String, Value)| name == VISUAL_ASPECT && *value == Value::Bool(true);
    let is_expected = topics.topic_aspects.iter().flat_map(|aspects| &aspects.0).any(is_visual);
    let images = folder.join(IMAGES);
    // A link could lead out of the folder.
    let is_folder = fs::symlink_metadata(&images).is_ok_and(|metadata| metadata.is_dir());
    let path = |id: i32| -> PathBuf { images.join(format!("{id}.jpg")) };
    if !is_expected || !is_folder || !exists(&path(0)) {
        return Ok(BTreeMap::new());
    }
    let present = ids.iter().map(|&id| (id, path(id))).filter(|(_, path)| exists(path));
    present.map(|(id, path)| Ok((id, bytes(&path, MAX_IMAGE)?))).collect()
}
