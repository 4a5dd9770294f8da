//! `topicframe transform`: places new documents in the topics of a saved model.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use topicframe::FittedTopicModel;
use topicframe::corpus::Columns;
use topicframe::error::{Error, ErrorKind, Interface, Result, Stage};
use topicframe::files::{
    FrameBatches, FrameWriter, IMAGE_COLUMN, Inputs, check_writable_frame, is_binary, is_compressed,
    read_image_folder_with, same_file,
};
use topicframe::polars::prelude::DataFrame;
use topicframe::progress::Progress;

use crate::edits::OUTLIER;
use crate::gather::Gather;
use crate::limits::ImageLimits;
use crate::loading::Loading;
use crate::names::Names;
use crate::reading::Reading;
use crate::table::counted;
use crate::{bar, outputs, table};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Transform {
    /// The new documents: .csv, .tsv, .json, .ndjson (optionally compressed with gzip or zstd), .parquet or .arrow; a
    /// folder of these files, a quoted glob pattern ('data/new-*.parquet') or several files, each with an output of its
    /// own; or a folder of images. Of .csv, .tsv and .ndjson, only a batch of rows is in memory, of .parquet a row group;
    /// .arrow files and JSON arrays are read as a whole.
    #[arg(required = true, value_name = "INPUT")]
    input: Vec<PathBuf>,

    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,

    /// Write the documents with their topics here (.csv, .tsv, .json, .ndjson, .parquet, .arrow); with several inputs, a
    /// folder, in which each output has the name of its input [default, or `-`: standard output, as CSV].
    #[arg(long, value_name = "FILE|FOLDER|-")]
    documents: Option<PathBuf>,

    /// The text column [default: that of the fit].
    #[arg(long, value_name = "COLUMN")]
    text: Option<String>,

    /// The image column [default: that of the fit].
    #[arg(long, value_name = "COLUMN")]
    images: Option<String>,

    /// With several inputs, also replace outputs that exist. Otherwise, their inputs are skipped, so that a run that was
    /// interrupted can be continued: outputs are complete or absent.
    #[arg(long)]
    overwrite: bool,

    /// Omit the embeddings, which .parquet and .arrow files otherwise contain.
    #[arg(long)]
    no_embeddings: bool,

    /// Maximum number of rows in a batch: the topics do not depend on it.
    #[arg(long, value_name = "N", default_value_t = 16_384)]
    batch_rows: usize,

    /// A column of precomputed embeddings; no embedder runs [default: that of the fit, if it had one].
    #[arg(long, value_name = "COLUMN", conflicts_with = "embedder", help_heading = "Embedder")]
    embeddings: Option<String>,

    #[command(flatten)]
    loading: Loading,

    #[command(flatten)]
    limits: ImageLimits,

    /// Base folder of relative image paths [default: the folder of the input].
    #[arg(long, value_name = "FOLDER", help_heading = "Images")]
    image_folder: Option<PathBuf>,

    /// Reject images outside the image folder [default: as in the fit].
    #[arg(long, help_heading = "Images")]
    only_in_image_folder: bool,

    #[command(flatten)]
    reading: Reading,
}

const EXAMPLES: &str = "\
Examples:
  topicframe transform new.csv --model topics/ --documents new-with-topics.csv
  topicframe transform 'archive/*.parquet' --model topics/ --documents archive-with-topics/

Whether a .tsv file has quoted fields is detected in its first 4 MB; --quotes decides it.";

/// An input, and where its rows go.
struct Job {
    input: PathBuf,
    is_image_folder: bool,
    /// The folder of relative image paths.
    folder: PathBuf,
    /// `None`: standard output.
    output: Option<PathBuf>,
}

/// The number of rows of an input.
#[derive(Default)]
struct Placed {
    rows: usize,
    outliers: usize,
}

impl Placed {
    fn count(&mut self, topic: i32) {
        self.rows += 1;
        self.outliers += usize::from(topic == OUTLIER);
    }
}

impl Transform {
    /// Applies the model to each input.
    pub fn run(&self) -> Result<()> {
        let sink = bar::sink();
        let progress = bar::to(Arc::clone(&sink));
        if self.batch_rows == 0 {
            return Err(Error::invalid_parameter(Stage::Input, "batch_rows", 0, "at least 1"));
        }
        let (jobs, skipped) = self.jobs()?;
        for path in &skipped {
            table::report_line(&format!("skipped          {}, which exists (--overwrite redoes it)", path.display()));
        }
        if jobs.is_empty() {
            return Ok(());
        }
        let topics = self.loading.load(&self.model, &self.limits, &progress)?;
        let columns = self.columns(&topics)?;
        let (mut failed, all) = (Vec::new(), jobs.len());
        for job in &jobs {
            let started = Instant::now();
            let gather = Arc::new(Gather::new(Arc::clone(&sink)));
            let model =
                topics.with_columns(job.columns(&columns, self)).with_progress(bar::to(Arc::clone(&gather) as _));
            let placed = self.apply(&model, job, &gather, &progress);
            gather.tell(&progress);
            match placed {
                Ok(placed) => job.report(&placed, started),
                Err(error) if all == 1 => return Err(error),
                Err(error) => {
                    let error = if error.path().is_none() { error.with_path(&job.input) } else { error };
                    table::report_line(&format!("error: {}", error.report(Interface::CommandLine)));
                    failed.push(error);
                }
            }
        }
        match failed.len() {
            0 => Ok(()),
            number => {
                let message = format!("{number} of {all} inputs failed; the outputs of the others are complete");
                Err(Error::new(ErrorKind::Io, Stage::Output, message))
            }
        }
    }

    /// The inputs with their outputs; and the outputs that exist already.
    fn jobs(&self) -> Result<(Vec<Job>, Vec<PathBuf>)> {
        let mut jobs = Vec::new();
        for input in &self.input {
            self.add_jobs(input, &mut jobs)?;
        }
        let output = self.documents.as_deref().filter(|path| *path != Path::new("-"));
        let is_folder = |path: &Path| path.is_dir() || path.to_string_lossy().ends_with(std::path::is_separator);
        match (output, jobs.as_mut_slice()) {
            (None, [_]) => {}
            (None, _) => {
                let message = "several inputs cannot be written to standard output";
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, message)
                    .with_hint("Name a folder for the outputs: --documents FOLDER."));
            }
            (Some(path), [job]) if !is_folder(path) => {
                if same_file(path, &job.input) {
                    return Err(outputs::taken(path, "this would overwrite the input"));
                }
                check_writable_frame(path)?;
                job.output = Some(path.to_path_buf());
            }
            (Some(folder), _) => return self.in_folder(folder, jobs),
        }
        Ok((jobs, Vec::new()))
    }

    fn add_jobs(&self, input: &Path, jobs: &mut Vec<Job>) -> Result<()> {
        let found = Inputs::find(input)?;
        found.check_readable()?;
        if input.is_dir() && found.tables().is_empty() {
            let folder = input.to_path_buf();
            jobs.push(Job { input: folder.clone(), is_image_folder: true, folder, output: None });
            return Ok(());
        }
        for path in found.tables() {
            if let Err(cause) = fs::metadata(path) {
                return Err(Error::new(ErrorKind::Io, Stage::Input, "the input cannot be read")
                    .with_path(path)
                    .with_cause(cause));
            }
            if jobs.iter().any(|job| same_file(&job.input, path)) {
                let message = "the file is listed twice";
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, message).with_path(path));
            }
            let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
            jobs.push(Job { input: path.clone(), is_image_folder: false, folder, output: None });
        }
        Ok(())
    }

    /// Gives each input an output of the same name in `folder`, which is created.
    fn in_folder(&self, folder: &Path, mut jobs: Vec<Job>) -> Result<(Vec<Job>, Vec<PathBuf>)> {
        if folder.exists() && !folder.is_dir() {
            return Err(Error::new(
                ErrorKind::InvalidParameter,
                Stage::Output,
                "this is a file, but there are several inputs",
            )
            .with_path(folder)
            .with_hint("Name a folder for the outputs."));
        }
        let mut names: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        let inputs: Vec<PathBuf> = jobs.iter().map(|job| job.input.clone()).collect();
        for job in &mut jobs {
            let path = folder.join(job.name());
            if let Some(other) = names.insert(path.clone(), job.input.clone()) {
                let message =
                    format!("the outputs of two inputs would have the same name; the other is {}", other.display());
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, message).with_path(&job.input));
            }
            if inputs.iter().any(|input| same_file(input, &path)) {
                return Err(outputs::taken(&path, "this would overwrite an input"));
            }
            job.output = Some(path);
        }
        fs::create_dir_all(folder).map_err(|cause| {
            Error::new(ErrorKind::Io, Stage::Output, "the folder cannot be created").with_path(folder).with_cause(cause)
        })?;
        let exists = |job: &Job| !self.overwrite && job.output.as_ref().is_some_and(|path| path.exists());
        let (skipped, jobs): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(exists);
        for path in jobs.iter().filter_map(|job| job.output.as_ref()) {
            check_writable_frame(path)?;
        }
        Ok((jobs, skipped.into_iter().filter_map(|job| job.output).collect()))
    }

    /// The columns of the inputs: those of the fit, or others that were named.
    fn columns(&self, topics: &FittedTopicModel) -> Result<Columns> {
        let mut columns = topics.columns();
        let unused = |option: &str, what: &str| {
            let message = format!("{option} names a column of {what}, but the model was fitted without {what}");
            Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, message).with_path(&self.model))
        };
        match (&self.text, &mut columns.text) {
            (None, _) => {}
            (Some(text), Some(column)) => column.clone_from(text),
            (Some(_), None) => return unused("--text", "texts"),
        }
        match (&self.images, &mut columns.image) {
            (None, _) => {}
            (Some(images), Some(column)) => column.clone_from(images),
            (Some(_), None) => return unused("--images", "images"),
        }
        if let Some(embeddings) = &self.embeddings {
            columns.embeddings = Some(embeddings.clone());
        } else if self.loading.name().is_some() {
            // Whoever names an embedder wants it to be used.
            columns.embeddings = None;
        }
        columns.only_in_image_folder |= self.only_in_image_folder;
        Ok(columns)
    }

    /// Places the rows of an input, batch by batch.
    fn apply(&self, topics: &FittedTopicModel, job: &Job, gather: &Gather, progress: &Progress) -> Result<Placed> {
        let batches = self.batches(topics, job, progress)?;
        if batches.total_rows() == 0 {
            return Err(Error::new(ErrorKind::InvalidData, Stage::Input, "the input has no rows, only column names")
                .with_path(&job.input));
        }
        let is_closed = Arc::new(AtomicBool::new(false));
        let mut writer = match &job.output {
            Some(path) => FrameWriter::create(path)?,
            None => FrameWriter::csv(Pipe(Arc::clone(&is_closed))),
        };
        let names = Names::of(topics);
        let task = progress.task(Stage::Topics, "rows", batches.total_rows());
        let mut placed = Placed::default();
        for batch in batches {
            let batch = batch?;
            gather.begin(placed.rows);
            let frame = topics.transform(&batch).map_err(|error| match error.row() {
                Some(row) => error.with_row(row + placed.rows),
                None => error,
            })?;
            if placed.rows == 0 {
                names.note_replaced(&frame, progress);
            }
            let frame = names.add(&frame, |topic| placed.count(topic))?;
            writer.write(&self.written(frame, job, placed.rows == batch.height(), progress))?;
            task.advance(batch.height());
            if is_closed.load(Ordering::Relaxed) {
                return Ok(placed);
            }
        }
        task.finish()?;
        writer.finish()?;
        Ok(placed)
    }

    fn batches(&self, topics: &FittedTopicModel, job: &Job, progress: &Progress) -> Result<FrameBatches> {
        if job.is_image_folder {
            if topics.columns().image.is_none() {
                let message = "this is a folder of images, but the model was fitted without images";
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, message).with_path(&job.input));
            }
            return Ok(FrameBatches::of(read_image_folder_with(&job.input, progress)?, self.batch_rows));
        }
        let columns = topics.columns();
        let text: Vec<&str> = columns.text.as_deref().into_iter().chain(columns.image.as_deref()).collect();
        self.reading.options(&text, progress).batches(&job.input, self.batch_rows)
    }

    /// The columns that the output can have. `is_first`: whether to report those that it cannot.
    fn written(&self, frame: DataFrame, job: &Job, is_first: bool, progress: &Progress) -> DataFrame {
        let path = job.output.as_deref().unwrap_or(Path::new("standard output"));
        let frame = match self.no_embeddings {
            true => frame.drop_many(["embedding"]),
            false => frame,
        };
        match is_binary(path) {
            true => frame,
            false if is_first => outputs::writable(&frame, path, progress),
            false => outputs::writable(&frame, path, &Progress::silent()),
        }
    }
}

impl Job {
    /// The name of its output.
    fn name(&self) -> PathBuf {
        match (self.is_image_folder, is_compressed(&self.input)) {
            (true, _) => {
                let resolved = fs::canonicalize(&self.input).unwrap_or_else(|_| self.input.clone());
                let name = resolved.file_name().map_or("images".into(), |name| name.to_string_lossy().into_owned());
                format!("{name}.csv").into()
            }
            (false, true) => self.input.with_extension("").file_name().unwrap_or_default().into(),
            (false, false) => self.input.file_name().unwrap_or_default().into(),
        }
    }

    fn columns(&self, columns: &Columns, options: &Transform) -> Columns {
        let image_folder = options.image_folder.clone().unwrap_or_else(|| self.folder.clone());
        let mut columns = Columns { image_folder, ..columns.clone() };
        if self.is_image_folder && columns.image.is_some() {
            columns.image = Some(IMAGE_COLUMN.to_owned());
        }
        columns
    }

    fn report(&self, placed: &Placed, started: Instant) {
        let share = 100.0 * placed.outliers as f64 / placed.rows.max(1) as f64;
        table::report_line(&format!(
            "{}, {} ({share:.0}%), {:.1} s",
            counted(placed.rows, "row"),
            counted(placed.outliers, "outlier"),
            started.elapsed().as_secs_f64()
        ));
        if let Some(path) = &self.output {
            table::report_line(&format!("wrote documents  {}", path.display()));
        }
    }
}

/// Standard output. A closed pipe, as by `head`, is not an error, but noted: there is nothing more to do.
struct Pipe(Arc<AtomicBool>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match io::stdout().write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.0.store(true, Ordering::Relaxed);
                Ok(bytes.len())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}
