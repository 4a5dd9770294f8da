//! Writing a model: its files, then the list of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;
use rayon::prelude::*;
use serde_json::Value;

use super::arrays::write_arrays;
use super::hashing::Hashing;
use super::lock::Lock;
use super::manifest::{ARRAYS, FORMAT, FRAME, FileEntry, MODEL, Manifest, Stated, VERSION, is_name, listed};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::files::{create_named, write_arrow, write_whole};
use crate::state::State;

/// A part of a model.
pub(crate) enum Part<'a> {
    State(State<'a>),
    Frame(DataFrame),
}

/// Writes a model with these `parts` to `folder`, which is created if it does not exist. On error, nothing has changed.
pub(crate) fn write(folder: &Path, model: Value, parts: Vec<(&str, Part<'_>)>) -> Result<()> {
    let is_new = !folder.exists();
    fs::create_dir_all(folder).map_err(|cause| failed(folder, cause))?;
    let written = locked(folder, model, parts);
    if written.is_err() && is_new {
        // Only if it is empty.
        let _ = fs::remove_dir(folder);
    }
    written
}

fn locked(folder: &Path, model: Value, parts: Vec<(&str, Part<'_>)>) -> Result<()> {
    let _lock = Lock::of(folder)?;
    let before = files_before(folder)?;
    let stated = parts.iter().filter_map(|(name, part)| match part {
        Part::State(state) => {
            Some(((*name).to_owned(), Stated { kind: state.kind().to_owned(), settings: state.settings().clone() }))
        }
        Part::Frame(_) => None,
    });
    let stated: BTreeMap<String, Stated> = stated.collect();
    let written: Vec<io::Result<FileEntry>> =
        parts.into_par_iter().with_max_len(1).map(|(name, part)| write_part(folder, name, part)).collect();
    let names: BTreeSet<String> = written.iter().flatten().map(|file| file.name.clone()).collect();
    let listing = written.into_iter().collect::<io::Result<Vec<FileEntry>>>().map_err(|cause| failed(folder, cause));
    let finished = listing.and_then(|files| {
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            format_version: VERSION,
            topicframe: env!("CARGO_PKG_VERSION").to_owned(),
            model,
            parts: stated,
            files,
        };
        let json = serde_json::to_vec_pretty(&manifest).map_err(|cause| failed(folder, cause))?;
        write_whole(folder.join(MODEL), json)
    });
    match &finished {
        Ok(()) => remove(folder, |name| is_name(name) && !names.contains(name)),
        Err(_) => remove(folder, |name| names.contains(name) && !before.contains(name)),
    }
    finished
}

/// The files of the model that is in the folder; all that may be, if its list is damaged.
fn files_before(folder: &Path) -> Result<BTreeSet<String>> {
    let path = folder.join(MODEL);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        bytes => bytes.map_err(|cause| failed(&path, cause))?,
    };
    match (listed(&bytes), serde_json::from_slice::<Value>(&bytes)) {
        (Some(files), _) => Ok(files),
        (None, Ok(Value::Object(other))) if other.get("format").and_then(Value::as_str) != Some(FORMAT) => {
            let message = "the folder has a `model.json` of another program, which is not replaced";
            Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, message)
                .with_path(path)
                .with_hint("Save the model to another folder."))
        }
        (None, _) => Ok(names_in(folder).filter(|name| is_name(name)).collect()),
    }
}

fn write_part(folder: &Path, name: &str, part: Part<'_>) -> io::Result<FileEntry> {
    let mut entry = None;
    create_named(folder, |file| {
        let mut file = Hashing::new(file);
        let extension = match part {
            Part::State(state) => {
                write_arrays(&state, &mut file)?;
                ARRAYS
            }
            Part::Frame(mut frame) => {
                frame.rechunk_mut();
                write_arrow(&mut frame, &mut file)?;
                FRAME
            }
        };
        file.flush()?;
        let written = FileEntry::new(name, extension, file.finish());
        let name = written.name.clone();
        entry = Some(written);
        Ok(name)
    })?;
    entry.ok_or_else(|| io::Error::other("nothing was written"))
}

/// Removes the files with such names. One that cannot be removed does no harm.
fn remove(folder: &Path, is_unneeded: impl Fn(&str) -> bool) {
    for name in names_in(folder).filter(|name| is_unneeded(name)) {
        let _ = fs::remove_file(folder.join(name));
    }
}

fn names_in(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

fn failed(path: &Path, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    let message = "the model could not be saved; what was in the folder is unchanged";
    Error::new(ErrorKind::Io, Stage::Output, message)
        .with_path(PathBuf::from(path))
        .with_hint("Check that the folder is writable, and that the disk has enough space.")
        .with_cause(cause)
}
