//! Reading a file in batches of rows.

use std::path::Path;

use polars::prelude::*;

use super::delimited::DelimitedParts;
use super::format::{Format, format_of};
use super::json::JsonParts;
use super::options::ReadOptions;
use super::parquet_groups::ParquetGroups;
use super::single::{even, read_as};
use crate::error::{Error, ErrorKind, Result, Stage};

/// About the maximum size of the text of a batch in bytes.
const MAX_BYTES: usize = 64 << 20;

/// The rows of a file in batches, in order: see [`ReadOptions::batches`].
///
/// ```
/// use topicframe::prelude::*;
/// use topicframe::files::{FrameWriter, ReadOptions};
/// # let folder = tempfile::tempdir()?;
/// # let (input, output) = (folder.path().join("posts.csv"), folder.path().join("topics.csv"));
///
/// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
/// let topics = TopicModel::text("text", StaticEmbedder::builtin()).fit(&posts)?;
/// write_frame(&posts, &input)?;
///
/// let mut output = FrameWriter::create(&output)?;
/// for posts in ReadOptions::new().text(&["text"]).batches(&input, 8)? {
///     output.write(&topics.transform(&posts?)?.drop("embedding")?)?; // at most 8 rows in memory
/// }
/// output.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FrameBatches {
    source: Source,
    /// Rows that were read, of which those before `at` were returned.
    pending: DataFrame,
    at: usize,
    rows: usize,
    total: usize,
    is_in_parts: bool,
}

enum Source {
    Delimited(DelimitedParts),
    Json(Box<JsonParts>),
    Parquet(ParquetGroups),
    /// Everything was read.
    Whole,
}

impl ReadOptions {
    /// Reads a file in batches of at most `rows` rows, in order, with the types of columns that [`read`](Self::read)
    /// would find.
    ///
    /// The memory needed does not depend on the size of the file: of `.csv`, `.tsv` and JSON with one object per line,
    /// compressed or not, only a batch is in memory, of `.parquet` only a row group. The former are read twice, first to
    /// check all rows and to find the types of columns; whether a `.tsv` is [quoted](Self::quotes) is detected in its
    /// first 4 MB. Arrow files, JSON arrays, and UTF-16 without a byte-order mark are read as a whole.
    ///
    /// # Errors
    /// As [`read`](Self::read), for a single file; `rows` is 0.
    pub fn batches(&self, path: impl AsRef<Path>, rows: usize) -> Result<FrameBatches> {
        let path = path.as_ref();
        if rows == 0 {
            return Err(Error::invalid_parameter(Stage::Input, "batch_rows", rows, "at least 1"));
        }
        let format = format_of(path, Stage::Input)?;
        self.check(path, format)?;
        let limits = (rows, MAX_BYTES);
        let source = match format {
            Format::Csv | Format::Tsv => DelimitedParts::open(path, format, self, limits)?.map(Source::Delimited),
            Format::Json | Format::NdJson => {
                JsonParts::open(path, format, self, limits)?.map(|parts| Source::Json(Box::new(parts)))
            }
            Format::Parquet => Some(Source::Parquet(ParquetGroups::open(path, self)?)),
            Format::Arrow => None,
        };
        let Some(source) = source else { return Ok(FrameBatches::of(read_as(path, format, self)?, rows)) };
        let total = match &source {
            Source::Delimited(parts) => parts.rows(),
            Source::Json(parts) => parts.rows(),
            Source::Parquet(groups) => groups.rows(),
            Source::Whole => 0,
        };
        Ok(FrameBatches { source, pending: DataFrame::empty(), at: 0, rows, total, is_in_parts: true })
    }
}

impl FrameBatches {
    /// The rows of a frame in batches of at most `rows` rows.
    pub fn of(frame: DataFrame, rows: usize) -> Self {
        let total = frame.height();
        FrameBatches { source: Source::Whole, pending: frame, at: 0, rows: rows.max(1), total, is_in_parts: false }
    }

    /// The number of rows of all batches (in a Parquet file, as its footer claims).
    pub fn total_rows(&self) -> usize {
        self.total
    }

    /// Whether the file is read in parts, and not as a whole.
    pub fn is_in_parts(&self) -> bool {
        self.is_in_parts
    }

    fn read(&mut self) -> Result<Option<DataFrame>> {
        match &mut self.source {
            Source::Delimited(parts) => parts.next(self.rows, MAX_BYTES),
            Source::Json(parts) => parts.next(self.rows, MAX_BYTES),
            Source::Parquet(groups) => {
                let frame = groups.next()?;
                frame.map(|frame| even(frame, groups.path())).transpose()
            }
            Source::Whole => Ok(None),
        }
    }

    fn next_batch(&mut self) -> Result<Option<DataFrame>> {
        while self.at >= self.pending.height() {
            let Some(frame) = self.read()? else { return Ok(None) };
            (self.pending, self.at) = (frame, 0);
        }
        let start = i64::try_from(self.at).map_err(|_| {
            Error::new(ErrorKind::Internal, Stage::Input, "a batch begins beyond the rows that can be counted")
        })?;
        let batch = self.pending.slice(start, self.rows);
        self.at += batch.height();
        Ok(Some(batch))
    }
}

impl Iterator for FrameBatches {
    type Item = Result<DataFrame>;

    /// The next batch, which has rows; after an error, there are no more.
    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_batch();
        if next.is_err() {
            (self.source, self.pending, self.at) = (Source::Whole, DataFrame::empty(), 0);
        }
        next.transpose()
    }
}

impl std::fmt::Debug for FrameBatches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameBatches").field("rows", &self.rows).field("total", &self.total).finish_non_exhaustive()
    }
}
