//! Writing frames to files.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use polars::prelude::*;
use polars_io::ipc::IpcCompression;

use super::cell::{for_csv, write_json};
use super::delimited::write_delimited;
use super::foreign::guarded;
use super::format::{Format, format_of};
use super::replace::{check_writable, replace};
use crate::corpus::internal;
use crate::error::{Result, Stage};

/// Like [`check_writable`], but also requires a known extension (see [`read_frame`](super::read_frame)).
///
/// # Errors
/// The extension is unknown; the errors of [`check_writable`].
pub fn check_writable_frame(path: impl AsRef<Path>) -> Result<()> {
    format_of(path.as_ref(), Stage::Output)?;
    check_writable(path)
}

/// Writes `frame` to a file in the format given by its extension (see [`read_frame`](super::read_frame)). The write is
/// atomic: on error, an existing file is left unchanged.
///
/// Values that a format cannot represent are written as text. In CSV, TSV, and JSON, binary values become base64;
/// dates, times, and durations ISO 8601 (zoned ones in UTC); categories their names; decimals and 128-bit integers
/// their digits. In Parquet, array columns with nulls become lists, since most readers do not accept null arrays there.
/// In CSV and TSV, lists, arrays, and structs also become JSON, and names and strings with a separator, a quote, or a
/// line break are quoted. If any field of a TSV is quoted, so is its header, which signals to readers that quotes are
/// not part of the strings.
///
/// ```
/// use topicframe::prelude::*;
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("topics.parquet");
///
/// let topics = df!("Topic" => [0, 1], "Words" => ["cat, dog", "train, bus"])?;
/// write_frame(&topics, &file)?;                                     // or .csv, .json, .arrow ...
/// assert!(read_frame(&file)?.equals(&topics));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The extension is unknown, or the file cannot be written.
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

/// Writes `frame` as an Arrow file, compressed with Zstandard.
pub(crate) fn write_arrow(frame: &mut DataFrame, file: &mut impl Write) -> io::Result<()> {
    let compression = Some(IpcCompression::default());
    guarded(|| IpcWriter::new(file).with_compression(compression).finish(frame))
        .map_err(|cause| io::Error::other(cause.to_string()))
}

/// A null in a column of fixed-width arrays is an empty list in Parquet, which pyarrow (and so pandas) rejects.
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
        Format::Csv | Format::Tsv => write_delimited(frame, format.separator().unwrap_or(b','), file),
        Format::Json | Format::NdJson => Ok(write_json(frame, file, format == Format::NdJson)?),
        Format::Parquet => ParquetWriter::new(file).finish(frame).map(|_| ()),
        Format::Arrow => IpcWriter::new(file).finish(frame),
    }
}
