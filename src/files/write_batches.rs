//! Writing a file in batches of rows.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use polars::prelude::{
    Column, DataFrame, DataType, IpcWriter, ParquetWriter, PolarsError, PolarsResult, Schema, SchemaExt,
};
use polars_arrow::io::ipc::write::default_ipc_fields;
use polars_io::SerWriter;
use polars_io::{ipc, parquet::write as parquet};

use super::cell::{for_csv, write_json_rows};
use super::delimited::write_names;
use super::foreign::{Cause, guarded};
use super::format::{Format, format_of};
use super::replace::Replacement;
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};

/// Writes frames with the same columns to one file, one after the other. The file gets its name when it is complete
/// ([`finish`](Self::finish)); otherwise, an existing file is left unchanged.
///
/// Formats and values are those of [`write_frame`](super::write_frame), with these differences, since later rows are not
/// known: all names in a TSV are quoted; in Parquet, arrays become lists, and each frame is a row group; categories
/// become strings.
///
/// ```
/// use topicframe::files::FrameWriter;
/// use topicframe::prelude::*;
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("numbers.parquet");
///
/// let mut writer = FrameWriter::create(&file)?;
/// for start in [0, 3] {
///     writer.write(&df!("number" => [start, start + 1, start + 2])?)?;
/// }
/// writer.finish()?;
/// assert_eq!(read_frame(&file)?.height(), 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FrameWriter {
    path: PathBuf,
    replaces: Option<Replacement>,
    format: Format,
    sink: Sink,
    /// The names and types of the columns, after the first frame.
    schema: Option<Schema>,
    has_rows: bool,
}

type Out = BufWriter<Box<dyn Write + Send>>;

enum Sink {
    /// The file of a text format, or any before the first frame.
    Plain(Out),
    Parquet(Box<parquet::BatchedWriter<Out>>),
    Arrow(Box<ipc::BatchedWriter<Out>>),
    /// After an error.
    Broken,
}

impl FrameWriter {
    /// Begins a file in the format given by its extension (see [`read_frame`](super::read_frame)).
    ///
    /// # Errors
    /// The extension is unknown, or the file cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let format = format_of(path, Stage::Output)?;
        let replaces = Replacement::begin(path)?;
        let file: File = replaces.handle()?;
        let sink = Sink::Plain(BufWriter::new(Box::new(file)));
        let path = path.to_path_buf();
        Ok(FrameWriter { path, replaces: Some(replaces), format, sink, schema: None, has_rows: false })
    }

    /// Writes CSV to `out`, such as standard output.
    pub fn csv(out: impl Write + Send + 'static) -> Self {
        let sink = Sink::Plain(BufWriter::new(Box::new(out)));
        FrameWriter { path: PathBuf::new(), replaces: None, format: Format::Csv, sink, schema: None, has_rows: false }
    }

    /// Writes the rows of `frame` after those before.
    ///
    /// # Errors
    /// The file cannot be written; the columns have other names or types than those of the first frame.
    pub fn write(&mut self, frame: &DataFrame) -> Result<()> {
        let frame = self.writable(frame)?;
        let is_first = self.schema.is_none();
        match &self.schema {
            None => self.schema = Some((**frame.schema()).clone()),
            Some(schema) if *schema == **frame.schema() => {}
            Some(_) => {
                let message = "the columns of these rows differ in name or type from those of the rows before";
                return Err(self.at_path(Error::new(ErrorKind::InvalidData, Stage::Output, message)));
            }
        }
        let sink = std::mem::replace(&mut self.sink, Sink::Broken);
        let (format, is_first_row) = (self.format, !self.has_rows);
        let written = guarded(|| sink.with(frame, format, is_first, is_first_row));
        self.has_rows |= written.as_ref().is_ok_and(|(_, rows)| *rows > 0);
        self.sink = written.map_err(|cause| self.incomplete(cause))?.0;
        Ok(())
    }

    /// Completes the file. A file without any frame has no columns.
    ///
    /// # Errors
    /// The file cannot be written; an existing one is left unchanged.
    pub fn finish(mut self) -> Result<()> {
        if self.schema.is_none() {
            self.write(&DataFrame::empty())?;
        }
        let sink = std::mem::replace(&mut self.sink, Sink::Broken);
        let (format, has_rows) = (self.format, self.has_rows);
        guarded(|| sink.end(format, has_rows)).map_err(|cause| self.incomplete(cause))?;
        self.replaces.take().map_or(Ok(()), Replacement::complete)
    }

    /// The frame with the types that are written.
    fn writable(&self, frame: &DataFrame) -> Result<DataFrame> {
        let wanted = |dtype: &DataType| match (self.format, dtype) {
            (Format::Parquet, DataType::Array(inner, _)) => Some(DataType::List(inner.clone())),
            (Format::Parquet | Format::Arrow, DataType::Categorical(..) | DataType::Enum(..)) => Some(DataType::String),
            _ => None,
        };
        match self.format {
            Format::Csv | Format::Tsv => for_csv(frame),
            Format::Json | Format::NdJson => Ok(frame.clone()),
            Format::Parquet | Format::Arrow => {
                let columns = frame.columns().iter().map(|column| match wanted(column.dtype()) {
                    Some(dtype) => column.cast(&dtype),
                    None => Ok(column.clone()),
                });
                let columns: Vec<Column> = columns.collect::<PolarsResult<_>>().map_err(internal)?;
                let mut frame = DataFrame::new(frame.height(), columns).map_err(internal)?;
                // Writers need aligned chunks, and write each as a part.
                frame.rechunk_mut();
                Ok(frame)
            }
        }
    }

    fn incomplete(&self, cause: Cause) -> Error {
        match &self.replaces {
            Some(replaces) => replaces.incomplete(cause),
            None => Error::new(ErrorKind::Io, Stage::Output, "the output cannot be written").with_cause(cause),
        }
    }

    fn at_path(&self, error: Error) -> Error {
        if self.path.as_os_str().is_empty() { error } else { error.with_path(&self.path) }
    }
}

impl Sink {
    /// Writes `frame`; `is_first`: whether it is the first, so that a header is needed.
    fn with(
        self,
        mut frame: DataFrame,
        format: Format,
        is_first: bool,
        is_first_row: bool,
    ) -> PolarsResult<(Sink, usize)> {
        let rows = frame.height();
        let sink = match (self, format) {
            (Sink::Plain(mut out), Format::Csv | Format::Tsv) => {
                let separator = format.separator().unwrap_or(b',');
                if is_first {
                    write_names(&frame, separator, format == Format::Tsv, &mut out)?;
                }
                let writer = polars_io::csv::write::CsvWriter::new(&mut out);
                writer.include_header(false).with_separator(separator).finish(&mut frame)?;
                Sink::Plain(out)
            }
            (Sink::Plain(mut out), Format::Json | Format::NdJson) => {
                let lines = format == Format::NdJson;
                if is_first && !lines {
                    out.write_all(b"[")?;
                }
                write_json_rows(&frame, &mut out, lines, is_first_row)?;
                Sink::Plain(out)
            }
            (Sink::Plain(out), Format::Parquet) => {
                let mut writer = ParquetWriter::new(out).batched(frame.schema())?;
                writer.write_batch(&frame)?;
                Sink::Parquet(Box::new(writer))
            }
            (Sink::Plain(out), Format::Arrow) => {
                let level = polars::prelude::CompatLevel::newest();
                let fields = frame.schema().iter_fields().map(|field| field.to_arrow(level)).collect::<Vec<_>>();
                let mut writer = IpcWriter::new(out).batched(frame.schema(), default_ipc_fields(fields.iter()))?;
                writer.write_batch(&frame)?;
                Sink::Arrow(Box::new(writer))
            }
            (Sink::Parquet(mut writer), _) => {
                writer.write_batch(&frame)?;
                Sink::Parquet(writer)
            }
            (Sink::Arrow(mut writer), _) => {
                writer.write_batch(&frame)?;
                Sink::Arrow(writer)
            }
            (Sink::Broken, _) => return Err(PolarsError::from(io::Error::other("it failed before"))),
        };
        Ok((sink, rows))
    }

    fn end(self, format: Format, has_rows: bool) -> PolarsResult<()> {
        match self {
            Sink::Plain(mut out) => {
                match format {
                    Format::Json => out.write_all(b"]\n")?,
                    Format::NdJson if has_rows => out.write_all(b"\n")?,
                    _ => {}
                }
                out.flush()?;
            }
            Sink::Parquet(writer) => {
                writer.finish()?;
            }
            Sink::Arrow(mut writer) => writer.finish()?,
            Sink::Broken => return Err(PolarsError::from(io::Error::other("it failed before"))),
        }
        Ok(())
    }
}

impl std::fmt::Debug for FrameWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameWriter").field("path", &self.path).field("format", &self.format).finish_non_exhaustive()
    }
}
