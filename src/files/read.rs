//! Frames from files.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;

use super::arrow::read_arrow;
use super::foreign::{Cause, guarded};
use super::parquet::read_parquet;
use super::parts::Inputs;
use super::regular::open_regular;
use super::union::read_parts;
use super::{Format, format_of};
use crate::error::{Error, ErrorKind, Result, Stage};

/// Reads a CSV file: comma, quotes, a header line. Types are inferred from all rows.
///
/// # Errors
/// A file that cannot be read, or that is not CSV.
pub fn read_csv(path: impl AsRef<Path>) -> Result<DataFrame> {
    read_as(path.as_ref(), Format::Csv, &[])
}

/// Reads a frame from a file of the kind that its name says: `.csv`, `.tsv` (or `.tab`; split on tabs, unquoted),
/// `.json`, `.ndjson` (or `.jsonl`), `.parquet` (or `.pq`), `.arrow` (or `.ipc`, `.feather`; files and streams). From
/// several files where `path` is a folder or a pattern (`data/train-*.parquet`): see [`Inputs::find`] for those that are
/// read.
///
/// Several files are parts of one frame, one after the other. They must have the same columns, in any order (in JSON a
/// column that a part has not is null there); types that differ are widened where nothing is lost by it, and in CSV and
/// TSV such a column is String.
///
/// # Errors
/// A name of another kind, a file that cannot be read, or one whose content is not of that kind; parts of several kinds,
/// or that disagree about a column.
pub fn read_frame(path: impl AsRef<Path>) -> Result<DataFrame> {
    read_frame_as_text(path, &[])
}

/// As [`read_frame`], where the columns `text` of a delimited file stay String even if they look like numbers.
///
/// # Errors
/// As [`read_frame`], and a delimited file with two columns of a name in `text`.
pub fn read_frame_as_text(path: impl AsRef<Path>, text: &[&str]) -> Result<DataFrame> {
    let path = path.as_ref();
    let inputs = Inputs::find(path)?;
    match inputs.kind()? {
        None => read_as(path, format_of(path, Stage::Input)?, text),
        Some(kind) => {
            read_parts(inputs.tables(), kind, text, |part, text| read_as(part, format_of(part, Stage::Input)?, text))
        }
    }
}

fn read_as(path: &Path, format: Format, text: &[&str]) -> Result<DataFrame> {
    let (file, length) = open_regular(path)?;
    match format {
        Format::Parquet => return read_parquet(file, length, path),
        Format::Arrow => return read_arrow(file, length, path),
        Format::Csv | Format::Tsv | Format::Json | Format::NdJson => {}
    }
    let frame = guarded(|| match format {
        Format::Csv => read_delimited(file, b',', Some(b'"'), text),
        Format::Tsv => read_delimited(file, b'\t', None, text),
        Format::Json => read_json(file, JsonFormat::Json),
        _ => read_json(file, JsonFormat::JsonLines),
    });
    let frame = frame.map_err(|cause| unreadable(path, format, cause))?;
    match format {
        Format::Csv | Format::Tsv => check_unambiguous(path, &frame, text).map(|()| frame),
        _ => Ok(frame),
    }
}

fn read_delimited(file: File, separator: u8, quote: Option<u8>, text: &[&str]) -> PolarsResult<DataFrame> {
    let as_text: Schema = text.iter().map(|&name| Field::new(name.into(), DataType::String)).collect();
    CsvReadOptions::default()
        .with_has_header(true)
        .with_infer_schema_length(None)
        .with_schema_overwrite(Some(Arc::new(as_text)))
        .map_parse_options(|options| options.with_separator(separator).with_quote_char(quote))
        .into_reader_with_file_handle(file)
        .finish()
}

fn read_json(file: File, format: JsonFormat) -> PolarsResult<DataFrame> {
    JsonReader::new(BufReader::new(file)).infer_schema_len(None).with_json_format(format).finish()
}

/// Polars gives the second column of a name another name; which of them was meant as the text nobody knows.
fn check_unambiguous(path: &Path, frame: &DataFrame, text: &[&str]) -> Result<()> {
    let twice = text.iter().find(|name| frame.get_column_index(&format!("{name}_duplicated_0")).is_some());
    match twice {
        Some(&name) => Err(Error::new(ErrorKind::InvalidData, Stage::Input, "two columns have this name")
            .column(name)
            .path(path)
            .hint("Give one of them another name.")),
        None => Ok(()),
    }
}

fn unreadable(path: &Path, format: Format, cause: Cause) -> Error {
    let error = |message: &str| Error::new(ErrorKind::Io, Stage::Input, message).path(path);
    if cause.says("found more fields") {
        return error("a row has more fields than the header").hint(separator_hint(format));
    }
    if ["utf-8", "UTF-8", "utf8", "UTF8"].iter().any(|name| cause.says(name)) {
        return error("the file is not text in UTF-8").hint("Convert it to UTF-8, for example with iconv.");
    }
    if format == Format::Csv && (cause.says("not properly escaped") || cause.says("could not parse `\"")) {
        return error("a quote in the file is not closed, or not doubled within a quoted field").hint(QUOTES);
    }
    error("the file cannot be read as what its name says").hint(content_hint(format)).cause(cause)
}

const QUOTES: &str = "A quoted field ends with a quote before the next comma, and a quote within it is written twice.";

fn separator_hint(format: Format) -> &'static str {
    match format {
        Format::Tsv => "A .tsv file is split on tabs and has no quotes: a field cannot hold a tab.",
        _ => "A field that holds a comma must be in quotes.",
    }
}

fn content_hint(format: Format) -> &'static str {
    match format {
        Format::Csv => "Check that the content is CSV: a header, commas, and quotes that are closed.",
        Format::Tsv => "Check that the content is split on tabs; a .tsv file has no quotes.",
        Format::Json => "Check that the content is a JSON array of objects.",
        _ => "Check that each line is a JSON object.",
    }
}
