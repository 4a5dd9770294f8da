//! Frames from files and to files, by the name of the file.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;

use crate::error::{Error, ErrorKind, Result, Stage};

/// A kind of file that frames live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Tsv,
    Json,
    NdJson,
    Parquet,
    Arrow,
}

const FORMATS: &str =
    "The names end in .csv, .tsv, .json, .ndjson (or .jsonl), .parquet, or .arrow (or .ipc, .feather).";

fn format_of(path: &Path, stage: Stage) -> Result<Format> {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
    match extension.as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("tsv" | "tab") => Ok(Format::Tsv),
        Some("json") => Ok(Format::Json),
        Some("ndjson" | "jsonl") => Ok(Format::NdJson),
        Some("parquet" | "pq") => Ok(Format::Parquet),
        Some("arrow" | "ipc" | "feather") => Ok(Format::Arrow),
        _ => Err(Error::new(ErrorKind::InvalidParameter, stage, "the name does not say what kind of file this is")
            .path(path)
            .hint(FORMATS)),
    }
}

/// Reads a CSV file: comma, quotes, a header line. Types are inferred from all rows.
///
/// # Errors
/// A file that cannot be read, or that is not CSV.
pub fn read_csv(path: impl AsRef<Path>) -> Result<DataFrame> {
    read_delimited(path.as_ref(), b',', Some(b'"'), &[])
}

/// Reads a frame from a file of the kind that its name says: `.csv`, `.tsv` (split on tabs, unquoted), `.json`,
/// `.ndjson`, `.parquet`, `.arrow`.
///
/// # Errors
/// A name of another kind, a file that cannot be read, or one whose content is not of that kind.
pub fn read_frame(path: impl AsRef<Path>) -> Result<DataFrame> {
    read_frame_as_text(path, &[])
}

/// As [`read_frame`], where the columns `text` of a delimited file stay String even if they look like numbers.
///
/// # Errors
/// As [`read_frame`].
pub fn read_frame_as_text(path: impl AsRef<Path>, text: &[&str]) -> Result<DataFrame> {
    let path = path.as_ref();
    match format_of(path, Stage::Input)? {
        Format::Csv => read_delimited(path, b',', Some(b'"'), text),
        Format::Tsv => read_delimited(path, b'\t', None, text),
        Format::Json => JsonReader::new(open(path)?).infer_schema_len(None).finish().map_err(|e| unreadable(path, e)),
        Format::NdJson => JsonReader::new(open(path)?)
            .infer_schema_len(None)
            .with_json_format(JsonFormat::JsonLines)
            .finish()
            .map_err(|e| unreadable(path, e)),
        Format::Parquet => ParquetReader::new(open_file(path)?).finish().map_err(|e| unreadable(path, e)),
        Format::Arrow => IpcReader::new(open_file(path)?).finish().map_err(|e| unreadable(path, e)),
    }
}

fn read_delimited(path: &Path, separator: u8, quote: Option<u8>, text: &[&str]) -> Result<DataFrame> {
    let file = open_file(path)?;
    let as_text: Schema = text.iter().map(|&name| Field::new(name.into(), DataType::String)).collect();
    CsvReadOptions::default()
        .with_has_header(true)
        .with_infer_schema_length(None)
        .with_schema_overwrite(Some(Arc::new(as_text)))
        .map_parse_options(|options| options.with_separator(separator).with_quote_char(quote))
        .into_reader_with_file_handle(file)
        .finish()
        .map_err(|error| unreadable(path, error))
}

fn open_file(path: &Path) -> Result<File> {
    let refuse = |message: &str| Err(Error::new(ErrorKind::Io, Stage::Input, message).path(path));
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => refuse("this is a folder, not a file"),
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => refuse("the file is empty"),
        _ => File::open(path).map_err(|error| {
            Error::new(ErrorKind::Io, Stage::Input, "the file cannot be opened").path(path).cause(error)
        }),
    }
}

fn open(path: &Path) -> Result<BufReader<File>> {
    open_file(path).map(BufReader::new)
}

fn unreadable(path: &Path, error: PolarsError) -> Error {
    Error::new(ErrorKind::Io, Stage::Input, "the file cannot be read as what its name says")
        .path(path)
        .hint("Check that the content is what the ending says; a .tsv file is split on tabs and has no quotes.")
        .cause(error)
}

/// Checks, without changing anything, that `path` has a known ending and can be written.
///
/// # Errors
/// A name of another kind, a folder that is not there, or one that must not be written to.
pub fn check_writable_frame(path: impl AsRef<Path>) -> Result<()> {
    format_of(path.as_ref(), Stage::Output)?;
    check_writable(path)
}

/// Checks, without changing anything, that `path` can be written.
///
/// # Errors
/// A folder that is not there, or one that must not be written to.
pub fn check_writable(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let existed = path.exists();
    OpenOptions::new().append(true).create(true).open(path).map_err(|error| unwritable(path, error))?;
    if !existed {
        std::fs::remove_file(path).map_err(|error| unwritable(path, error))?;
    }
    Ok(())
}

pub(crate) fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, Stage::Output, "the file cannot be written")
        .path(path)
        .hint("Check that the folder exists and may be written to.")
        .cause(error)
}

/// Writes `frame` to a file of the kind that its name says (see [`read_frame`]). What a kind of file cannot hold is
/// changed to the nearest that it can: in CSV and TSV lists become JSON text and binary cells base64; in JSON binary
/// cells become base64.
///
/// # Errors
/// A name of another kind, or a file that cannot be written.
pub fn write_frame(frame: &DataFrame, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let format = format_of(path, Stage::Output)?;
    let mut frame = match format {
        Format::Csv | Format::Tsv => flat::for_csv(frame, format == Format::Tsv)?,
        Format::Json | Format::NdJson => flat::for_json(frame)?,
        Format::Parquet | Format::Arrow => frame.clone(),
    };
    let file = BufWriter::new(File::create(path).map_err(|error| unwritable(path, error))?);
    write_as(&mut frame, format, file).map_err(|error| {
        Error::new(ErrorKind::Io, Stage::Output, "the frame cannot be written").path(path).cause(error)
    })
}

fn write_as(frame: &mut DataFrame, format: Format, mut file: BufWriter<File>) -> PolarsResult<()> {
    match format {
        Format::Csv => CsvWriter::new(&mut file).finish(frame),
        Format::Tsv => {
            CsvWriter::new(&mut file).with_separator(b'\t').with_quote_style(QuoteStyle::Never).finish(frame)
        }
        Format::Json => JsonWriter::new(&mut file).with_json_format(JsonFormat::Json).finish(frame),
        Format::NdJson => JsonWriter::new(&mut file).with_json_format(JsonFormat::JsonLines).finish(frame),
        Format::Parquet => ParquetWriter::new(&mut file).finish(frame).map(|_| ()),
        Format::Arrow => IpcWriter::new(&mut file).finish(frame),
    }?;
    std::io::Write::flush(&mut file)?;
    Ok(())
}

mod flat;
