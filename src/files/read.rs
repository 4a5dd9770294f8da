//! Reading frames from files.

use std::path::Path;

use polars::prelude::*;

use super::Format;
use super::arrow::read_arrow;
use super::decode::read_text;
use super::delimited::read_delimited;
use super::json::read_json;
use super::options::ReadOptions;
use super::parquet::read_parquet;
use super::regular::open_regular;
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

/// Reads a single file.
pub(super) fn read_as(path: &Path, format: Format, options: &ReadOptions) -> Result<DataFrame> {
    options.check(path, format)?;
    let (file, length) = open_regular(path)?;
    match format {
        Format::Csv | Format::Tsv => read_delimited(path, &read_text(path, file, length, options)?, format, options),
        Format::Json | Format::NdJson => read_json(path, &read_text(path, file, length, options)?, format, options),
        Format::Parquet => even(read_parquet(file, length, path, options.max_unpacked_bytes)?, path),
        Format::Arrow => even(read_arrow(file, length, path, options.max_unpacked_bytes)?, path),
    }
}

/// Readers may return columns of different lengths for corrupt files, and every later step would fail on them.
fn even(frame: DataFrame, path: &Path) -> Result<DataFrame> {
    match frame.columns().iter().find(|column| column.len() != frame.height()) {
        None => Ok(frame),
        Some(column) => {
            let message =
                format!("the file is corrupt: it has {} rows, but one column has {}", frame.height(), column.len());
            Err(Error::new(ErrorKind::Io, Stage::Input, message)
                .with_column(column.name().as_str())
                .with_path(path)
                .with_hint("Write or download it again."))
        }
    }
}
