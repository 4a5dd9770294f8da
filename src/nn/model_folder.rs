//! Reads model folders that may come from anyone: regular files, of sensible sizes.

use std::fs::File;
use std::ops::RangeInclusive;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result, Stage, quoted};
use crate::regular_file::{self, Refusal};

/// Size limit for a configuration: a page of text, or some thousand class names.
const MAX_CONFIG_BYTES: u64 = 4 << 20;

/// Size limit for `tokenizer.json`: those with 250,000 tokens have some 30 MB.
pub(crate) const MAX_TOKENIZER_BYTES: u64 = 64 << 20;

/// Size limit for a vocabulary or list of merges.
pub(crate) const MAX_VOCABULARY_BYTES: u64 = 16 << 20;

/// An error about a model's file or folder.
pub(crate) fn model_error(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Model, Stage::Embed, format!("the model cannot be used: {what}"))
        .with_path(PathBuf::from(path))
}

/// A computation that failed in candle.
#[cfg(feature = "models")]
pub(crate) fn compute_error(cause: candle_core::Error) -> Error {
    Error::new(ErrorKind::Internal, Stage::Embed, "the model could not be computed").with_cause(cause)
}

/// Checks that the folder exists.
pub(crate) fn check_folder(folder: &Path) -> Result<()> {
    match std::fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(model_error(folder, "this is a file, but a model is a folder")),
        Err(cause) => Err(model_error(folder, "there is no such folder").with_cause(cause)),
    }
}

/// Opens a regular file, and returns its length, too.
pub(crate) fn open_regular(path: &Path) -> Result<(File, u64)> {
    regular_file::open(path).map_err(|refusal| refused(path, refusal, u64::MAX))
}

/// Reads a whole configuration, vocabulary or tokenizer of at most `limit` bytes, some MiB.
pub(crate) fn read_text_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    regular_file::read(path, limit).map_err(|refusal| refused(path, refusal, limit))
}

fn refused(path: &Path, refusal: Refusal, limit: u64) -> Error {
    let what = describe_refusal(&refusal, limit);
    match refusal {
        Refusal::Io(cause) => model_error(path, &what)
            .with_cause(cause)
            .with_hint("Is this the folder of a model, and was it downloaded completely?"),
        _ => model_error(path, &what),
    }
}

/// Why a file of a model is not read, as a clause.
pub(crate) fn describe_refusal(refusal: &Refusal, limit: u64) -> String {
    match refusal {
        Refusal::TooLarge => format!("it is over {} MiB, too large for a file of this name", limit >> 20),
        _ => refusal.to_string(),
    }
}

/// Reads a configuration.
pub(crate) fn read_json(path: &Path) -> Result<Value> {
    read_json_of(path, MAX_CONFIG_BYTES)
}

/// Reads a JSON file of at most `limit` bytes.
pub(crate) fn read_json_of(path: &Path, limit: u64) -> Result<Value> {
    let bytes = read_text_file(path, limit)?;
    serde_json::from_slice(&bytes).map_err(|cause| model_error(path, "it is not JSON").with_cause(cause))
}

/// Reads a configuration, if it exists.
pub(crate) fn read_json_if_exists(path: &Path) -> Result<Option<Value>> {
    if path.exists() { read_json(path).map(Some) } else { Ok(None) }
}

/// A folder or file within `folder`, with a name that comes from the model itself.
///
/// # Errors
/// A name that leads outside the folder.
pub(crate) fn within(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    match plain && !name.contains('\\') {
        true => Ok(folder.join(path)),
        false => Err(model_error(folder, &format!("it names `{name}`, which is not in its folder"))),
    }
}

/// The values of a configuration, each within bounds: a hostile size must not become an allocation.
pub(crate) struct Config<'a> {
    json: &'a Value,
    path: &'a Path,
    /// The prefix of the keys in a part of the configuration.
    prefix: String,
}

impl<'a> Config<'a> {
    pub(crate) fn new(json: &'a Value, path: &'a Path) -> Self {
        Config { json, path, prefix: String::new() }
    }

    /// The part of the configuration under `key`; an empty one if it does not exist.
    pub(crate) fn part(&self, key: &str) -> Config<'a> {
        let prefix = format!("{}{key}.", self.prefix);
        Config { json: self.json.get(key).unwrap_or(&Value::Null), path: self.path, prefix }
    }

    /// The full name of a key in the file.
    pub(crate) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The value of `key`, if it is not null.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.json.get(key).filter(|value| !value.is_null())
    }

    /// An error about the value of `key`.
    pub(crate) fn invalid(&self, key: &str, must: &str) -> Error {
        let found = self.get(key).map_or("missing".to_owned(), |value| quoted(&value.to_string(), 100));
        model_error(self.path, &format!("`{}` is {found}, but must be {must}", self.name(key)))
    }

    /// A whole number from 1 to `most`.
    pub(crate) fn size(&self, key: &str, default: Option<usize>, most: usize) -> Result<usize> {
        let size = match self.get(key) {
            None => default,
            Some(value) => value.as_u64().and_then(|size| usize::try_from(size).ok()),
        };
        let size = size.filter(|size| (1..=most).contains(size));
        size.ok_or_else(|| self.invalid(key, &format!("a whole number from 1 to {most}")))
    }

    /// A number in this range; `None` if the key does not exist.
    pub(crate) fn optional_number(&self, key: &str, range: RangeInclusive<f64>) -> Result<Option<f64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = value.as_f64().filter(|number| range.contains(number));
        let must = || format!("a number from {:?} to {:?}", range.start(), range.end());
        number.map(Some).ok_or_else(|| self.invalid(key, &must()))
    }

    /// A number in this range; `default` if the key does not exist.
    pub(crate) fn number(&self, key: &str, default: f64, range: RangeInclusive<f64>) -> Result<f64> {
        Ok(self.optional_number(key, range)?.unwrap_or(default))
    }

    /// The number added to variances, so that nothing is divided by zero.
    pub(crate) fn epsilon(&self, key: &str, default: f64) -> Result<f64> {
        self.number(key, default, 0.0..=1.0)
    }

    /// A whole number of 0 or more; `None` if the key does not exist.
    pub(crate) fn integer(&self, key: &str) -> Result<Option<u64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.as_u64().map(Some).ok_or_else(|| self.invalid(key, "a whole number of 0 or more"))
    }

    /// Whole numbers of 0 or more: one, or a list of them; empty if the key does not exist.
    pub(crate) fn integers(&self, key: &str) -> Result<Vec<u64>> {
        let integers = match self.get(key) {
            None => Some(Vec::new()),
            Some(Value::Array(values)) => values.iter().map(Value::as_u64).collect(),
            Some(number) => number.as_u64().map(|number| vec![number]),
        };
        integers.ok_or_else(|| self.invalid(key, "a whole number of 0 or more, or a list of them"))
    }

    /// True or false.
    pub(crate) fn flag(&self, key: &str, default: bool) -> bool {
        self.get(key).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A string.
    pub(crate) fn string(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str)
    }

    /// A list of strings; `None` if there is none.
    pub(crate) fn strings(&self, key: &str) -> Option<Vec<&'a str>> {
        self.get(key)?.as_array()?.iter().map(Value::as_str).collect()
    }

    /// Whether `key` has a value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The file.
    pub(crate) fn path(&self) -> &'a Path {
        self.path
    }
}
