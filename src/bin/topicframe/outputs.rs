//! The files that the command writes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Interface, Result, Stage};
use topicframe::files::{check_writable, check_writable_frame, is_binary, is_delimited, same_file, write_frame};
use topicframe::polars::prelude::{DataFrame, DataType};
use topicframe::progress::Progress;

use crate::contents::Contents;
use crate::names::Names;
use crate::{plots, table};

/// The files with topics and documents.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Outputs")]
#[command(group(ArgGroup::new("shown").args(["report", "map", "plots"]).multiple(true)))]
pub struct Files {
    /// Write an HTML report here: one self-contained file.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,

    /// Write an interactive map of the documents here, with their texts and pictures: one self-contained HTML file. With
    /// --time, it has a timeline; with --class, documents can be colored by these columns.
    #[arg(long, value_name = "FILE.html")]
    map: Option<PathBuf>,

    /// Write the topic table here (.csv, .tsv, .json, .ndjson, .parquet, .arrow).
    #[arg(long, value_name = "FILE")]
    topics: Option<PathBuf>,

    /// Write the documents here, with their topics, probabilities and the names of the topics (same formats; images and
    /// arrays only to .parquet and .arrow, lists of numbers also to JSON).
    #[arg(long, value_name = "FILE")]
    documents: Option<PathBuf>,

    /// Write figures to this folder, as SVG: topics and documents in the plane, the tree, the similarity of topics, their
    /// words, sizes, reliability and layers; with --time and --class, also topics over time and by class. What the model
    /// has no data for is left out, with a note. Files with the same names are replaced.
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,

    #[command(flatten)]
    contents: Contents,
}

impl Files {
    /// Checks that `frame` has the columns that the report and the figures show, before a fit.
    pub fn check_columns(&self, frame: &DataFrame) -> Result<()> {
        self.contents.check(frame)
    }

    /// The files that are to be written.
    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.topics, &self.documents, &self.report, &self.map].into_iter().flatten()
    }

    /// Reports files that cannot be written, or that would overwrite one of `inputs` or another output.
    pub fn check(&self, inputs: &[PathBuf]) -> Result<()> {
        check([&self.topics, &self.documents], [&self.report, &self.map], inputs)?;
        self.plots.as_deref().map_or(Ok(()), plots::check_folder)
    }

    /// Reports files in the folder of a model.
    pub fn check_beside(&self, model: &Path) -> Result<()> {
        self.all().try_for_each(|path| check_beside(path, model))?;
        match self.plots.as_deref().filter(|folder| same_file(folder, model)) {
            Some(folder) => Err(taken(folder, "this is the folder of the model, whose files are its own")),
            None => Ok(()),
        }
    }

    /// Writes the files that can be written; `documents` returns the frame of the documents.
    pub fn write(
        &self,
        outputs: &mut Outputs,
        topics: &FittedTopicModel,
        with_quality: bool,
        documents: impl FnOnce() -> Result<DataFrame>,
        progress: &Progress,
    ) {
        outputs.add("topics", self.topics.as_deref(), |path| write_topics(topics, path, with_quality));
        outputs.add("documents", self.documents.as_deref(), |path| {
            let (documents, names) = (documents()?, Names::of(topics));
            names.note_replaced(&documents, progress);
            write_frame(&writable(&names.add(&documents, |_| ())?, path, progress), path)
        });
        outputs.add("report", self.report.as_deref(), |path| self.contents.report(topics).write(path));
        outputs.add("map", self.map.as_deref(), |path| self.contents.map(topics).write(path));
        outputs.add("figures", self.plots.as_deref(), |folder| plots::write(topics, folder, &self.contents, progress));
    }
}

/// Reports a file in the folder of a model.
pub fn check_beside(path: &Path, model: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match same_file(folder.unwrap_or(".".as_ref()), model) {
        true => Err(taken(path, "this is in the folder of the model, whose files are its own")),
        false => Ok(()),
    }
}

/// Which outputs were written and which failed.
#[derive(Default)]
pub struct Outputs {
    written: Vec<(&'static str, String)>,
    failed: Vec<Error>,
}

impl Outputs {
    pub fn add(&mut self, name: &'static str, path: Option<&Path>, write: impl FnOnce(&Path) -> Result<()>) {
        let Some(path) = path else { return };
        match write(path) {
            Ok(()) => self.written.push((name, path.display().to_string())),
            Err(error) => self.failed.push(error),
        }
    }

    /// Prints the files that were written.
    pub fn tell(&self) {
        for (name, path) in &self.written {
            table::report_line(&format!("wrote {name:<9}  {path}"));
        }
    }

    /// Reports each output that failed.
    ///
    /// # Errors
    /// If any output failed; the error lists those that were written.
    pub fn complete(self) -> Result<()> {
        if self.failed.is_empty() {
            return Ok(());
        }
        for error in &self.failed {
            table::report_line(&format!("error: {}", error.report(Interface::CommandLine)));
        }
        let all = self.failed.len() + self.written.len();
        let written: Vec<String> = self.written.iter().map(|(name, path)| format!("the {name} ({path})")).collect();
        let written = match written.is_empty() {
            true => "nothing was written".to_owned(),
            false => format!("written: {}", written.join(", ")),
        };
        let message = format!("{} of {all} outputs failed; {written}", self.failed.len());
        Err(Error::new(ErrorKind::Io, Stage::Output, message))
    }
}

fn check_page(path: &Path) -> Result<()> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
    match extension.as_str() {
        "html" | "htm" => check_writable(path),
        _ => {
            Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, "the name of a page must end in .html or .htm")
                .with_path(path))
        }
    }
}

pub fn taken(path: &Path, message: &str) -> Error {
    Error::new(ErrorKind::InvalidParameter, Stage::Output, message).with_path(path).with_hint("Choose another name.")
}

/// Whether a column contains embeddings (arrays; except in JSON, also lists of floats) or encoded images (binary
/// values, also within structs and lists).
fn is_bulky(dtype: &DataType, is_json: bool) -> bool {
    match dtype {
        DataType::Binary | DataType::Array(..) => true,
        DataType::List(inner) => inner.is_float() && !is_json || is_bulky(inner, is_json),
        DataType::Struct(fields) => fields.iter().any(|field| is_bulky(field.dtype(), is_json)),
        _ => false,
    }
}

/// Reports outputs that cannot be written, or that would overwrite one of `inputs` or another output.
fn check(tables: [&Option<PathBuf>; 2], pages: [&Option<PathBuf>; 2], inputs: &[PathBuf]) -> Result<()> {
    let outputs: Vec<&PathBuf> = tables.into_iter().chain(pages).flatten().collect();
    for (i, path) in outputs.iter().enumerate() {
        if inputs.iter().any(|input| same_file(path, input)) {
            return Err(taken(path, "this would overwrite the input"));
        }
        if outputs.iter().take(i).any(|earlier| same_file(path, earlier)) {
            return Err(taken(path, "two outputs would be written to this file"));
        }
    }
    tables.into_iter().flatten().try_for_each(check_writable_frame)?;
    pages.into_iter().flatten().try_for_each(|path| check_page(path))
}

/// Checks that a model can be saved to `folder`: it does not exist, is empty, or has a saved model.
pub fn check_model_folder(folder: &Path) -> Result<()> {
    let refused = |message: &str| {
        Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, message)
            .with_path(folder)
            .with_hint("Name a folder that does not exist yet, or one with a saved model, which is then replaced."))
    };
    let listing = folder.join("model.json");
    match fs::read(&listing) {
        Ok(bytes) => {
            let listed: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
            match listed.is_some_and(|listed| listed["format"] == "topicframe") {
                true => check_writable(listing),
                false => refused("this folder has a `model.json` that is not one of a saved model"),
            }
        }
        Err(_) if folder.is_dir() => match fs::read_dir(folder).map(|entries| entries.flatten().all(is_left_behind)) {
            Ok(true) => check_writable(listing),
            Ok(false) => refused("this folder has other files, but no saved model"),
            Err(cause) => Err(Error::new(ErrorKind::Io, Stage::Output, "cannot read the folder")
                .with_path(folder)
                .with_cause(cause)),
        },
        Err(error) if folder.exists() && error.kind() != io::ErrorKind::NotFound => {
            refused("a model is saved to a folder, but this is a file")
        }
        Err(_) => check_writable(folder),
    }
}

/// Whether a file is one that was left by a process that was killed while it saved a model: `part-0123456789abcdef.arrow`
/// or a temporary one.
fn is_left_behind(entry: fs::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy().into_owned();
    let stem = name.strip_suffix(".safetensors").or_else(|| name.strip_suffix(".arrow"));
    let hash = stem.and_then(|stem| stem.rsplit_once('-')).map(|(_, hash)| hash);
    name.starts_with(".topicframe")
        || hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Writes the topic table, with the measures of each topic if `with_quality`.
fn write_topics(topics: &FittedTopicModel, path: &Path, with_quality: bool) -> Result<()> {
    let info = match (is_binary(path), with_quality) {
        (true, false) => topics.get_topic_info()?,
        (true, true) => topics.get_topic_info_with_quality()?,
        (false, false) => topics.get_topic_info_with_paths()?,
        (false, true) => topics.get_topic_info_with_paths_and_quality()?,
    };
    write_frame(&info, path)
}

/// Embeddings and encoded images would make text files huge and unreadable; they are omitted, with a note.
pub fn writable(documents: &DataFrame, path: &Path, progress: &Progress) -> DataFrame {
    if is_binary(path) {
        return documents.clone();
    }
    let is_json = !is_delimited(path);
    let columns = documents.columns().iter().filter(|column| is_bulky(column.dtype(), is_json));
    let left_out: Vec<String> = columns.map(|column| column.name().to_string()).collect();
    if !left_out.is_empty() {
        let message = format!(
            "{} omits {} {}; a .parquet file can contain {}",
            path.display(),
            if left_out.len() == 1 { "the column" } else { "the columns" },
            left_out.join(", "),
            if left_out.len() == 1 { "it" } else { "them" },
        );
        progress.note(Stage::Output, message);
    }
    documents.drop_many(left_out)
}
