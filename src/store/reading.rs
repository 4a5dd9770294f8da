//! Reading a model, all of whose files are checked.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;
use rayon::prelude::*;
use serde_json::Value;

use super::arrays::read_arrays;
use super::hashing::sha256;
use super::manifest::{FORMAT, FRAME, FileEntry, MODEL, Manifest, VERSION};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::files::read_arrow;
use crate::state::State;

/// Size limit of `model.json`.
const MAX_MODEL: u64 = 256 << 20;

/// How often the model may be replaced while it is read.
const ATTEMPTS: usize = 10;

/// What is in a folder.
#[derive(Debug)]
pub(crate) struct Contents {
    folder: PathBuf,
    pub(crate) model: Value,
    pub(crate) states: BTreeMap<String, State<'static>>,
    pub(crate) frames: BTreeMap<String, DataFrame>,
    files: BTreeMap<String, String>,
}

impl Contents {
    /// Takes out the state of a part.
    pub(crate) fn take_state(&mut self, part: &str) -> Result<State<'static>> {
        let missing = || damaged(&self.folder.join(MODEL), format!("it lists no part `{part}`"));
        self.states.remove(part).ok_or_else(missing)
    }

    /// The file of a part, for errors.
    pub(crate) fn path_of(&self, part: &str) -> PathBuf {
        self.folder.join(self.files.get(part).map_or(MODEL, String::as_str))
    }
}

enum Content {
    State(State<'static>),
    Frame(DataFrame),
}

/// Reads the model in `folder`. Links are followed if they lead to a file in `links_into`.
///
/// # Errors
/// A file is missing, damaged, or not what `model.json` says; the error has its path.
pub(crate) fn read(folder: &Path, links_into: Option<&Path>) -> Result<Contents> {
    let path = folder.join(MODEL);
    let mut json = read_model(&path, links_into)?;
    let mut was_same = false;
    for _ in 1..ATTEMPTS {
        let error = match read_listed(folder, links_into, &json) {
            Ok(contents) => return Ok(contents),
            Err(error) => error,
        };
        // The files of a model that was replaced in the meantime are gone. It may have been replaced twice, by the same.
        let now = read_model(&path, links_into)?;
        if now == json && was_same {
            return Err(error);
        }
        was_same = now == json;
        json = now;
    }
    read_listed(folder, links_into, &json)
}

fn read_model(path: &Path, links_into: Option<&Path>) -> Result<Vec<u8>> {
    let (file, length) = open_within(path, links_into).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::new(
            ErrorKind::NotFound,
            Stage::Input,
            "this is not the folder of a saved model: it has no `model.json`",
        )
        .with_path(path),
        _ => unreadable(path, error),
    })?;
    if length > MAX_MODEL {
        return Err(damaged(path, format!("it has {length} bytes; the maximum is {MAX_MODEL}")));
    }
    let mut bytes = Vec::new();
    file.take(MAX_MODEL).read_to_end(&mut bytes).map_err(|error| unreadable(path, error))?;
    Ok(bytes)
}

fn read_listed(folder: &Path, links_into: Option<&Path>, json: &[u8]) -> Result<Contents> {
    let path = folder.join(MODEL);
    let manifest = manifest(&path, json)?;
    let read = |file: &FileEntry| Ok((file.part.clone(), read_file(folder, links_into, file, &manifest)?));
    let found: Vec<Result<(String, Content)>> = manifest.files.par_iter().with_max_len(1).map(read).collect();
    let mut contents = Contents {
        folder: folder.to_path_buf(),
        files: manifest.files.iter().map(|file| (file.part.clone(), file.name.clone())).collect(),
        model: manifest.model,
        states: BTreeMap::new(),
        frames: BTreeMap::new(),
    };
    for found in found {
        let (part, content) = found?;
        let is_new = match content {
            Content::State(state) => contents.states.insert(part, state).is_none(),
            Content::Frame(frame) => contents.frames.insert(part, frame).is_none(),
        };
        if !is_new {
            return Err(damaged(&path, "it lists two files of one part"));
        }
    }
    Ok(contents)
}

/// Reads `model.json`; a newer format is refused before the rest is looked at.
fn manifest(path: &Path, json: &[u8]) -> Result<Manifest> {
    let value: Value =
        serde_json::from_slice(json).map_err(|cause| damaged(path, "it is not JSON").with_cause(cause))?;
    if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(damaged(path, "it was not written by topicframe"));
    }
    match value.get("format_version").and_then(Value::as_u64) {
        Some(1..=VERSION) => {}
        Some(newer) if newer > VERSION => {
            let by = value.get("topicframe").and_then(Value::as_str).unwrap_or("a newer version");
            let message = format!("the model has format version {newer}, and this version reads up to {VERSION}");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Input, message)
                .with_path(path)
                .with_hint(format!("It was saved by topicframe {by:.20}: use that version, or a newer one.")));
        }
        _ => return Err(damaged(path, "it has no format version")),
    }
    serde_json::from_value(value)
        .map_err(|cause| damaged(path, "it is not the description of a model").with_cause(cause))
}

fn read_file(folder: &Path, links_into: Option<&Path>, entry: &FileEntry, manifest: &Manifest) -> Result<Content> {
    if !entry.is_consistent() {
        return Err(damaged(
            &folder.join(MODEL),
            format!("it lists a file with the wrong name, `{:.100}`", entry.name),
        ));
    }
    let path = folder.join(&entry.name);
    let (file, length) = open_within(&path, links_into).map_err(|error| unreadable(&path, error))?;
    if length != entry.bytes {
        return Err(damaged(&path, format!("it has {length} bytes instead of {}", entry.bytes)));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length).read_to_end(&mut bytes).map_err(|error| unreadable(&path, error))?;
    if sha256(&bytes) != entry.sha256 {
        return Err(damaged(&path, "its content has changed: the hash differs").with_hint("Copy the model again."));
    }
    if entry.name.ends_with(FRAME) {
        return Ok(Content::Frame(read_arrow(Cursor::new(bytes), length, &path, None)?));
    }
    let arrays = read_arrays(&bytes).map_err(|what| damaged(&path, what))?;
    let stated = manifest.parts.get(&entry.part);
    let stated = stated
        .ok_or_else(|| damaged(&folder.join(MODEL), format!("it says nothing about the part `{:.100}`", entry.part)))?;
    Ok(Content::State(State::of(stated.kind.clone(), stated.settings.clone(), arrays)))
}

/// Opens a regular file; a link is followed if it leads to a file in `links_into`.
fn open_within(path: &Path, links_into: Option<&Path>) -> io::Result<(File, u64)> {
    let Some(root) = links_into.filter(|_| fs::symlink_metadata(path).is_ok_and(|entry| entry.is_symlink())) else {
        return open(path);
    };
    let file = fs::canonicalize(path)?;
    if !file.starts_with(fs::canonicalize(root)?) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a link to a file elsewhere"));
    }
    open(&file)
}

/// Opens a regular file, without following links.
pub(super) fn open(path: &Path) -> io::Result<(File, u64)> {
    let refused = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    let check = |metadata: &fs::Metadata| match (metadata.is_symlink(), metadata.is_file()) {
        (true, _) => Err(refused("it is a link, and links are not followed")),
        (_, false) => Err(refused("it is not a regular file")),
        _ => Ok(metadata.len()),
    };
    check(&fs::symlink_metadata(path)?)?;
    let file = open_to_read(path)?;
    let length = check(&file.metadata()?)?;
    Ok((file, length))
}

#[cfg(unix)]
fn open_to_read(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
fn open_to_read(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

pub(super) fn unreadable(path: &Path, cause: io::Error) -> Error {
    let message = match cause.kind() {
        io::ErrorKind::NotFound => "a file of the model is missing",
        _ => "a file of the model cannot be read",
    };
    Error::new(ErrorKind::Io, Stage::Input, message).with_path(path).with_cause(cause)
}

/// The error for a file that is not what it should be.
pub(super) fn damaged(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Input, format!("a file of the model is damaged: {what}")).with_path(path)
}
