//! Reading frames from files.

use std::path::Path;

use polars::prelude::*;

use super::format::{Format, format_of};
use super::options::ReadOptions;
use super::parts::Inputs;
use super::single::read_as;
use super::union::read_parts;
use crate::error::{Error, ErrorKind, Result, Stage};

/// Reads a CSV file. The separator is detected; everything else works as in [`read_frame`].
///
/// ```
/// use topicframe::prelude::*;
///
/// let drawings = read_csv("examples/data/openclipart/captions.csv")?;
/// assert_eq!(drawings.shape(), (1485, 4));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// The file cannot be read or is not CSV.
pub fn read_csv(path: impl AsRef<Path>) -> Result<DataFrame> {
    read_as(path.as_ref(), Format::Csv, &ReadOptions::new())
}

/// Reads a frame from a file in the format given by its extension: `.csv`, `.tsv` (or `.tab`), `.json`, `.ndjson` (or
/// `.jsonl`), `.parquet` (or `.pq`), `.arrow` (or `.ipc`, `.feather`; files and streams). Delimited files and JSON may
/// be compressed with gzip or zstd, with or without a matching extension (`.csv.gz`).
///
/// Delimited files have a header. The separator is detected in `.csv` and is a tab in `.tsv`. A field that contains a
/// separator, a quote, or a line break must be quoted (see [`Quotes`](super::Quotes) for `.tsv` without quoting). A
/// column is Int64, Float64, or Boolean only if every field would be written back unchanged, and String otherwise:
/// `00501` and `1.20` are preserved. An empty field is null; an empty quoted field is an empty string. Missing fields
/// at the end of a row are null; more fields than in the header are an error. Duplicate column names are renamed as in
/// Polars: `x_duplicated_0`.
///
/// JSON is an array of objects or one object per line, regardless of the extension. A column with values of different
/// types (strings and numbers) is String and contains them as written in the file. Values are nested at most 64 levels
/// deep.
///
/// [`ReadOptions`] sets the separator, quoting, and encoding.
///
/// If `path` is a folder or a pattern (`data/train-*.parquet`; see [`Inputs::find`](super::Inputs::find) for the files
/// that match), the files are concatenated into one frame. They must have the same columns, in any order (in JSON,
/// missing columns are null). Differing types are widened if that is lossless; in CSV and TSV such a column is String.
///
/// ```
/// use topicframe::prelude::*;
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("posts.jsonl");
///
/// std::fs::write(&file, "{\"text\": \"a cat\", \"likes\": 3}\n{\"text\": \"a train\", \"likes\": 5}\n")?;
/// let posts = read_frame(&file)?;
/// assert_eq!(posts.column("likes")?.i64()?.get(1), Some(5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The extension is unknown, the file cannot be read, or its content is not in the expected format (the error includes
/// the line); the parts have different formats or conflicting columns.
pub fn read_frame(path: impl AsRef<Path>) -> Result<DataFrame> {
    ReadOptions::new().read(path)
}

/// Like [`read_frame`], but the columns `text` of delimited files and JSON are read as String even if they look like
/// numbers.
///
/// ```
/// use topicframe::files::read_frame_as_text;
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("posts.csv");
///
/// std::fs::write(&file, "text,likes\n1984,3\n2001,5\n")?;
/// let books = read_frame_as_text(&file, &["text"])?;
/// assert_eq!(books.column("text")?.str()?.get(0), Some("1984"));    // a title, not a number
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Same as [`read_frame`]; also if a name in `text` occurs twice in the header of a delimited file.
pub fn read_frame_as_text(path: impl AsRef<Path>, text: &[&str]) -> Result<DataFrame> {
    ReadOptions::new().text(text).read(path)
}

impl ReadOptions {
    /// Reads a frame from a file in the format given by its extension; see [`read_frame`](super::read_frame).
    ///
    /// # Errors
    /// Same as [`read_frame`](super::read_frame); also if a name in [`text`](Self::text) occurs twice in the header, or
    /// if a separator, an encoding, or quotes are invalid or do not apply to the file format.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<DataFrame> {
        self.read_inputs(&Inputs::find(path)?)
    }

    /// Like [`read`](Self::read), for resolved inputs.
    ///
    /// # Errors
    /// Same as [`read`](Self::read).
    pub fn read_inputs(&self, inputs: &Inputs) -> Result<DataFrame> {
        let kind = match (inputs.kind()?, inputs.tables()) {
            (None, [path]) => return read_as(path, format_of(path, Stage::Input)?, self),
            (kind, _) => kind.ok_or_else(|| Error::new(ErrorKind::Internal, Stage::Input, "no file was found"))?,
        };
        if let Some(name) = inputs.partition() {
            let message = format!("partition folders such as `{name}` are not turned into columns");
            self.progress.note(Stage::Input, message);
        }
        read_parts(inputs.tables(), kind, self)
    }
}
