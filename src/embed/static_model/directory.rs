//! Model2Vec folders: `model.safetensors`, `tokenizer.json` and `config.json`.
//!
//! Follows Model2Vec 0.10 in what is read and how. Every file is treated as hostile: its size is limited before it is
//! read, and its tensors are checked against each other and against the tokenizer before any of their values is used.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use super::folder_tokenizer::FolderTokenizer;
use super::token_table::{Rows, TokenTable};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::nn::model_folder::{MAX_TOKENIZER_BYTES, describe_refusal};
use crate::regular_file::{self, Refusal};

const MAX_TENSOR_BYTES: u64 = 4 << 30;
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// No static model has more dimensions.
const MAX_DIMENSIONS: usize = 65_536;

/// Larger values would overflow when many are added and squared.
const MAX_MAGNITUDE: f32 = 1e12;

/// Model2Vec's own limit if the configuration does not set one.
const DEFAULT_MAX_LENGTH: usize = 512;

const SAVE_AGAIN: &str = "Save the model again with Model2Vec's save_pretrained, or copy the whole folder again.";

/// Reads and checks the folder.
pub(super) fn load(folder: &Path) -> Result<(FolderTokenizer, TokenTable)> {
    if !folder.is_dir() {
        return Err(model_error(folder, "there is no such folder")
            .with_hint("Use a folder with model.safetensors, tokenizer.json and config.json, as Model2Vec saves it."));
    }
    let max_length = read_max_length(&folder.join("config.json"))?;
    let tokenizer_path = folder.join("tokenizer.json");
    let tokenizer_file = read(&tokenizer_path, MAX_TOKENIZER_BYTES)?;
    let tokenizer = FolderTokenizer::parse(&tokenizer_file, max_length)
        .map_err(|why| model_error(&tokenizer_path, &why).with_hint(SAVE_AGAIN))?;
    let tensor_path = folder.join("model.safetensors");
    let tensor_file = read(&tensor_path, MAX_TENSOR_BYTES)?;
    let table =
        read_table(&tensor_file, &tokenizer).map_err(|why| model_error(&tensor_path, &why).with_hint(SAVE_AGAIN))?;
    Ok((tokenizer, table))
}

/// The configuration's `max_length`: the number of tokens used of each text; `null` for all of them.
fn read_max_length(path: &Path) -> Result<Option<usize>> {
    let bytes = read(path, MAX_CONFIG_BYTES)?;
    let config: Value =
        serde_json::from_slice(&bytes).map_err(|cause| model_error(path, "it is not JSON").with_cause(cause))?;
    let Value::Object(config) = config else {
        return Err(model_error(path, "it is not a JSON object").with_hint(SAVE_AGAIN));
    };
    match config.get("max_length") {
        None => Ok(Some(DEFAULT_MAX_LENGTH)),
        Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|length| usize::try_from(length).ok()) {
            Some(length) if length > 0 => Ok(Some(length)),
            _ => Err(model_error(path, &format!("max_length = {value} is not a number of tokens"))
                .with_hint("Use a whole number of at least 1, or null for no limit.")),
        },
    }
}

fn read_table(file: &[u8], tokenizer: &FolderTokenizer) -> std::result::Result<TokenTable, String> {
    let tensors =
        SafeTensors::deserialize(file).map_err(|cause| format!("it is not a complete safetensors file: {cause}"))?;
    let embeddings = tensor(&tensors, "embeddings")
        .or_else(|| tensor(&tensors, "embedding.weight"))
        .ok_or_else(|| format!("it has no tensor `embeddings`, only {:?}", tensors.names()))?;
    let &[rows, dimensions] = embeddings.shape() else {
        return Err(format!("`embeddings` has the shape {:?}, not rows x dimensions", embeddings.shape()));
    };
    if rows == 0 || dimensions == 0 || dimensions > MAX_DIMENSIONS {
        return Err(format!("`embeddings` is {rows} x {dimensions}: no tokens, or unusable dimensions"));
    }
    let tokens = tokenizer.tokens();
    let mapping = tensor(&tensors, "mapping").map(|view| read_mapping(&view, tokens, rows)).transpose()?;
    if mapping.is_none() && rows != tokens {
        return Err(format!("`embeddings` has {rows} rows, but tokenizer.json has {tokens} tokens"));
    }
    let factors = match tensor(&tensors, "weights") {
        Some(view) => read_weights(&view, tokens)?,
        None => vec![1.0; tokens],
    };
    Ok(TokenTable { dimensions, rows: read_rows(&embeddings)?, factors, mapping })
}

fn tensor<'a>(tensors: &SafeTensors<'a>, name: &str) -> Option<TensorView<'a>> {
    tensors.tensor(name).ok()
}

/// For each token the row that it shares with others (Model2Vec's vocabulary quantization).
fn read_mapping(view: &TensorView<'_>, tokens: usize, rows: usize) -> std::result::Result<Vec<u32>, String> {
    if view.shape() != [tokens] {
        return Err(format!("`mapping` has the shape {:?}, but tokenizer.json has {tokens} tokens", view.shape()));
    }
    let data = view.data();
    let values: Vec<i64> = match view.dtype() {
        Dtype::I64 => data.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect(),
        Dtype::I32 => data.as_chunks().0.iter().map(|&bytes| i64::from(i32::from_le_bytes(bytes))).collect(),
        Dtype::U32 => data.as_chunks().0.iter().map(|&bytes| i64::from(u32::from_le_bytes(bytes))).collect(),
        Dtype::U16 => data.as_chunks().0.iter().map(|&bytes| i64::from(u16::from_le_bytes(bytes))).collect(),
        other => return Err(format!("`mapping` has the type {other:?}, not integers")),
    };
    let row = |(token, &row): (usize, &i64)| match u32::try_from(row) {
        Ok(row) if (row as usize) < rows => Ok(row),
        _ => Err(format!("`mapping` maps token {token} to row {row}, but there are {rows} rows")),
    };
    values.iter().enumerate().map(row).collect()
}

fn read_weights(view: &TensorView<'_>, tokens: usize) -> std::result::Result<Vec<f32>, String> {
    if view.shape() != [tokens] {
        return Err(format!("`weights` has the shape {:?}, but tokenizer.json has {tokens} tokens", view.shape()));
    }
    read_floats("weights", view)
}

fn read_rows(view: &TensorView<'_>) -> std::result::Result<Rows, String> {
    match view.dtype() {
        Dtype::I8 => Ok(Rows::Int8(Cow::Owned(view.data().to_vec()))),
        _ => read_floats("embeddings", view).map(Rows::Float),
    }
}

fn read_floats(name: &str, view: &TensorView<'_>) -> std::result::Result<Vec<f32>, String> {
    let data = view.data();
    let values: Vec<f32> = match view.dtype() {
        Dtype::F64 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32).collect(),
        Dtype::F32 => data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect(),
        Dtype::BF16 => data.as_chunks().0.iter().map(|&bytes| bf16::from_le_bytes(bytes).to_f32()).collect(),
        other => {
            return Err(format!("`{name}` has the type {other:?}; only F64, F32, F16, BF16 and I8 are supported"));
        }
    };
    match values.iter().position(|value| value.is_nan() || value.abs() > MAX_MAGNITUDE) {
        Some(at) => Err(format!("`{name}` contains the unusable value {} at index {at}", values[at])),
        None => Ok(values),
    }
}

/// Reads a whole file of the model.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    regular_file::read(path, limit).map_err(|refusal| {
        let error = model_error(path, &describe_refusal(&refusal, limit));
        match refusal {
            Refusal::Io(cause) => error
                .with_cause(cause)
                .with_hint("A Model2Vec folder has model.safetensors, tokenizer.json and config.json, all readable."),
            _ => error,
        }
    })
}

fn model_error(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Model, Stage::Embed, format!("the static model cannot be used: {what}"))
        .with_path(PathBuf::from(path))
}
