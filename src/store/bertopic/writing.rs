//! Writing a folder that BERTopic loads.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::tensors::Tensor;
use super::{BertopicModel, CONFIG, CTFIDF, CTFIDF_CONFIG, CtfIdf, EMBEDDINGS, IMAGES, TOPICS};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::files::write_whole;

/// Writes a model to `folder`, which is created if it does not exist. `topics.json`, without which BERTopic loads nothing,
/// is removed first and written last, so that no mixture of two models is ever loaded.
pub(crate) fn write_bertopic(folder: &Path, model: &BertopicModel) -> Result<()> {
    refuse_others(folder)?;
    fs::create_dir_all(folder).map_err(|cause| failed(folder, cause))?;
    // What BERTopic itself saved before, also as pickles, must not be mixed with this model.
    for name in [TOPICS, CTFIDF, CTFIDF_CONFIG, "topic_embeddings.bin", "ctfidf.bin"] {
        remove(&folder.join(name))?;
    }
    write_images(folder, &model.images)?;
    let embeddings = Tensor::f32(model.embeddings.shape(), model.embeddings.iter().copied());
    write_tensors(folder, EMBEDDINGS, &[("topic_embeddings", embeddings)])?;
    if let Some(ctfidf) = &model.ctfidf {
        write_ctfidf(folder, ctfidf)?;
    }
    write_json(folder, CONFIG, &model.config)?;
    write_json(folder, TOPICS, &model.topics)
}

/// A `config.json` that is not BERTopic's belongs to another model, and is not replaced.
fn refuse_others(folder: &Path) -> Result<()> {
    let path = folder.join(CONFIG);
    let Ok(bytes) = fs::read(&path) else { return Ok(()) };
    let config: Option<Value> = serde_json::from_slice(&bytes).ok();
    match config.is_some_and(|config| config.get("top_n_words").is_none()) {
        false => Ok(()),
        true => {
            let message = "the folder has a `config.json` of another program, which is not replaced";
            Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, message)
                .with_path(path)
                .with_hint("Save the model to another folder."))
        }
    }
}

fn write_ctfidf(folder: &Path, ctfidf: &CtfIdf) -> Result<()> {
    let CtfIdf { weights, idf, vocabulary, config } = ctfidf;
    let too_large = || {
        let message = "the c-TF-IDF weights are too many for BERTopic's format";
        Error::new(ErrorKind::InvalidData, Stage::Output, message).with_path(folder.join(CTFIDF))
    };
    let starts: Option<Vec<i32>> = weights.indptr().iter().map(|&start| i32::try_from(start).ok()).collect();
    let columns: Option<Vec<i32>> = weights.indices().iter().map(|&column| i32::try_from(column).ok()).collect();
    let (starts, columns) = (starts.ok_or_else(too_large)?, columns.ok_or_else(too_large)?);
    let tensors = [
        ("indptr", Tensor::i32(&starts)),
        ("indices", Tensor::i32(&columns)),
        ("data", Tensor::f64(weights.data())),
        ("shape", Tensor::i64(&[weights.rows() as i64, weights.cols() as i64])),
        ("diag", Tensor::f64(idf)),
    ];
    write_tensors(folder, CTFIDF, &tensors)?;
    let columns: BTreeMap<&str, usize> = vocabulary.iter().map(String::as_str).zip(0..).collect();
    let config = json!({
        "ctfidf_model": config.ctfidf_model,
        "vectorizer_model": { "params": config.vectorizer, "vocab": columns },
    });
    write_json(folder, CTFIDF_CONFIG, &config)
}

fn write_images(folder: &Path, images: &BTreeMap<i32, Vec<u8>>) -> Result<()> {
    let folder = folder.join(IMAGES);
    // Those of a model that was here before.
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let topic = name.to_str().and_then(|name| name.strip_suffix(".jpg")?.parse::<i32>().ok());
        if topic.is_some_and(|topic| !images.contains_key(&topic)) {
            remove(&entry.path())?;
        }
    }
    if images.is_empty() {
        // Only if it is empty.
        let _ = fs::remove_dir(&folder);
        return Ok(());
    }
    fs::create_dir_all(&folder).map_err(|cause| failed(&folder, cause))?;
    images.iter().try_for_each(|(topic, image)| write_whole(folder.join(format!("{topic}.jpg")), image))
}

fn write_tensors(folder: &Path, name: &str, tensors: &[(&str, Tensor)]) -> Result<()> {
    let path = folder.join(name);
    let named = tensors.iter().map(|(name, tensor)| (*name, tensor));
    let bytes = safetensors::serialize(named, None).map_err(|cause| failed(&path, cause))?;
    write_whole(&path, bytes)
}

fn write_json(folder: &Path, name: &str, value: &impl Serialize) -> Result<()> {
    let path = folder.join(name);
    let json = serde_json::to_vec_pretty(value).map_err(|cause| failed(&path, cause))?;
    write_whole(&path, json)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(failed(path, cause)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Io, Stage::Output, "the model could not be saved for BERTopic")
        .with_path(path)
        .with_hint("Check that the folder is writable, and that the disk has enough space.")
        .with_cause(cause)
}
