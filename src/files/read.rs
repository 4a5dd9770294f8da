//! Frames from files.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use polars::prelude::*;

use super::Format;
use super::decode::read_text;
use super::delimited::read_delimited;
use super::foreign::{Cause, guarded};
use super::json::read_json;
use super::options::ReadOptions;
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
/// # Errors
/// A name of another kind, a file that cannot be read, or one whose content is not of that kind; with the line.
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
    let file = open(path)?;
    match format {
        Format::Csv | Format::Tsv => {
            read_delimited(path, &read_text(path, file, options.encoding.as_deref())?, format, options)
        }
        Format::Json | Format::NdJson => {
            read_json(path, &read_text(path, file, options.encoding.as_deref())?, format, options)
        }
        Format::Parquet => {
            guarded(|| ParquetReader::new(file).finish()).map_err(|cause| unreadable(path, format, cause))
        }
        Format::Arrow => guarded(|| read_arrow(file)).map_err(|cause| unreadable(path, format, cause)),
    }
}

/// An Arrow file, or an Arrow stream, which has no footer and begins with the length of its first message.
fn read_arrow(mut file: File) -> PolarsResult<DataFrame> {
    const STREAM: [u8; 4] = [0xff; 4];
    let mut start = Vec::new();
    file.by_ref().take(STREAM.len() as u64).read_to_end(&mut start)?;
    file.rewind()?;
    match start == STREAM {
        true => IpcStreamReader::new(BufReader::new(file)).finish(),
        false => IpcReader::new(file).finish(),
    }
}

fn open(path: &Path) -> Result<File> {
    let refuse = |message: &str| Err(Error::new(ErrorKind::Io, Stage::Input, message).path(path));
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => refuse("this is a folder, not a file"),
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => refuse("the file is empty"),
        _ => File::open(path).map_err(|error| {
            Error::new(ErrorKind::Io, Stage::Input, "the file cannot be opened").path(path).cause(error)
        }),
    }
}

fn unreadable(path: &Path, format: Format, cause: Cause) -> Error {
    let hint = match format {
        Format::Parquet => "Check that the content is complete and is Parquet.",
        _ => "Check that the content is complete and is an Arrow file or stream (Feather version 2).",
    };
    Error::new(ErrorKind::Io, Stage::Input, "the file cannot be read as what its name says")
        .path(path)
        .hint(hint)
        .cause(cause)
}
