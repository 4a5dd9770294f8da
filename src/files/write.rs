//! Frames to files.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use polars::prelude::*;

use super::cell::{for_csv, write_json};
use super::delimited::write_delimited;
use super::replace::{check_writable, replace};
use super::{Format, format_of};
use crate::corpus::internal;
use crate::error::{Result, Stage};

/// As [`check_writable`], and the name must have a known ending (see [`read_frame`](super::read_frame)).
///
/// # Errors
/// A name of another kind, and those of [`check_writable`].
pub fn check_writable_frame(path: impl AsRef<Path>) -> Result<()> {
    format_of(path.as_ref(), Stage::Output)?;
    check_writable(path)
}

/// Writes `frame` to a file of the kind that its name says (see [`read_frame`](super::read_frame)), whole or not at
/// all: after an error an older file is as it was.
///
/// What a kind of file cannot hold becomes text. In CSV, TSV and JSON: binary cells become base64, dates, times and
/// durations ISO 8601 (what has a zone is in UTC), categories their names, decimals and 128-bit integers their digits.
/// In Parquet, arrays of which some are null become lists, since most readers take no null for an array there.
/// In CSV and TSV also: lists, arrays and structs become JSON. Names and texts with a separator, a quote or a line end are
/// in quotes in both. If any field of a TSV is in quotes, its header is too: that tells readers that quotes are not part of
/// the texts.
///
/// # Errors
/// A name of another kind, or a file that cannot be written.
pub fn write_frame(frame: &DataFrame, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let format = format_of(path, Stage::Output)?;
    let mut frame = match format {
        Format::Csv | Format::Tsv => for_csv(frame)?,
        Format::Parquet => for_parquet(frame)?,
        Format::Json | Format::NdJson | Format::Arrow => frame.clone(),
    };
    replace(path, |file| write_as(&mut frame, format, file))
}

/// A null among arrays of a fixed width is an empty list in Parquet, at which pyarrow (and so pandas) stops.
fn for_parquet(frame: &DataFrame) -> Result<DataFrame> {
    let columns = frame.columns().iter().map(|column| match column.dtype() {
        DataType::Array(inner, _) if column.null_count() > 0 => column.cast(&DataType::List(inner.clone())),
        _ => Ok(column.clone()),
    });
    let columns: Vec<Column> = columns.collect::<PolarsResult<_>>().map_err(internal)?;
    DataFrame::new(frame.height(), columns).map_err(internal)
}

fn write_as(frame: &mut DataFrame, format: Format, file: &mut BufWriter<File>) -> PolarsResult<()> {
    match format {
        Format::Csv => write_delimited(frame, b',', file),
        Format::Tsv => write_delimited(frame, b'\t', file),
        Format::Json | Format::NdJson => Ok(write_json(frame, file, format == Format::NdJson)?),
        Format::Parquet => ParquetWriter::new(file).finish(frame).map(|_| ()),
        Format::Arrow => IpcWriter::new(file).finish(frame),
    }
}
