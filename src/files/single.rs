//! Reading a single file.

use std::path::Path;

use polars::prelude::*;

use super::arrow::read_arrow;
use super::decode::read_text;
use super::delimited::read_delimited;
use super::format::Format;
use super::json::read_json;
use super::options::ReadOptions;
use super::parquet::read_parquet;
use super::regular::open_regular;
use crate::error::{Error, ErrorKind, Result, Stage};

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
pub(super) fn even(frame: DataFrame, path: &Path) -> Result<DataFrame> {
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
