//! Frames from files.

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

/// Reads a CSV file: the separator is recognised, and the rest as in [`read_frame`].
///
/// # Errors
/// A file that cannot be read, or that is not CSV.
pub fn read_csv(path: impl AsRef<Path>) -> Result<DataFrame> {
    read_as(path.as_ref(), Format::Csv, &ReadOptions::new())
}

/// Reads a frame from a file of the kind that its name says: `.csv`, `.tsv` (or `.tab`), `.json`, `.ndjson` (or `.jsonl`),
/// `.parquet` (or `.pq`), `.arrow` (or `.ipc`, `.feather`; files and streams). Delimited files and JSON may be compressed
/// with gzip or zstd, whether their name says so (`.csv.gz`) or not.
///
/// Delimited files have a header. What separates their fields is recognised in `.csv`, and a tab in `.tsv`; a field that
/// holds a separator, a quote or a line end is in quotes ([`Quotes`](super::Quotes) for `.tsv` without). A column is Int64,
/// Float64 or Boolean only if each of its fields would be written back as it is, and String otherwise: `00501` and `1.20`
/// stay as they are. An empty field is null, an empty field in quotes an empty text. Rows may lack fields at their end
/// (null); more fields than the header has are an error. The second column of a name gets another name as in Polars:
/// `x_duplicated_0`.
///
/// JSON is an array of objects, or an object a line, whatever the name. A column of values of different kinds (texts and
/// numbers) is String and has them as they stand in the file; values lie at most 64 deep within each other.
///
/// [`ReadOptions`] sets separator, quotes and encoding.
///
/// Several files, where `path` is a folder or a pattern (`data/train-*.parquet`; [`Inputs::find`](super::Inputs::find) says which are read), are
/// parts of one frame, one after the other. They must have the same columns, in any order (in JSON a column that a part has
/// not is null there); types that differ are widened where nothing is lost by it, and in CSV and TSV such a column is
/// String.
///
/// # Errors
/// A name of another kind, a file that cannot be read, or one whose content is not of that kind, with the line; parts of several
/// kinds, or that disagree about a column.
pub fn read_frame(path: impl AsRef<Path>) -> Result<DataFrame> {
    ReadOptions::new().read(path)
}

/// As [`read_frame`], where the columns `text` of a delimited file or of JSON are String even if they look like numbers.
///
/// # Errors
/// As [`read_frame`], and a delimited file with two columns of a name in `text`.
pub fn read_frame_as_text(path: impl AsRef<Path>, text: &[&str]) -> Result<DataFrame> {
    ReadOptions::new().text(text).read(path)
}

/// Reads one file of one kind.
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

/// The readers of damaged files may give columns of different lengths, on which every later step would fail.
fn even(frame: DataFrame, path: &Path) -> Result<DataFrame> {
    match frame.columns().iter().find(|column| column.len() != frame.height()) {
        None => Ok(frame),
        Some(column) => {
            let message =
                format!("the file is damaged: it has {} rows, and {} of a column", frame.height(), column.len());
            Err(Error::new(ErrorKind::Io, Stage::Input, message)
                .column(column.name().as_str())
                .path(path)
                .hint("Write or download it again."))
        }
    }
}
