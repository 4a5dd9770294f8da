//! Reading JSON with one object per line in parts.

use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::cells::Records;
use super::kind::Record;
use super::{Layout, each_row, layout_of, not_json, settled};
use crate::corpus::internal;
use crate::error::Result;
use crate::files::decode::error;
use crate::files::format::Format;
use crate::files::options::ReadOptions;
use crate::files::text_stream::TextStream;

/// A file with one object per line, of which some lines are in memory. It is read twice: first to check all objects and
/// to find the types of fields, which depend on all of them, then for its values.
pub(in crate::files) struct JsonParts {
    path: PathBuf,
    stream: TextStream,
    record: Record,
}

impl JsonParts {
    /// Opens a file and reads it for the first time; `None` if it must be read as a whole. `rows` and `bytes` limit what
    /// is in memory.
    pub(in crate::files) fn open(
        path: &Path,
        format: Format,
        options: &ReadOptions,
        (rows, bytes): (usize, usize),
    ) -> Result<Option<Self>> {
        let Some(mut stream) = TextStream::open(path, options)? else { return Ok(None) };
        if stream.text().trim_ascii().is_empty() && stream.is_ended() {
            return Err(error(path, "the file is empty"));
        }
        if layout_of(stream.text(), format) != Layout::Lines {
            return Ok(None);
        }
        let mut record = Record::default();
        while let Some(end) = next_lines(&mut stream, rows, bytes)? {
            let text = stream.text().get(..end).unwrap_or_default();
            each_row(text, Layout::Lines, |scanner| record.see(scanner))
                .map_err(|fault| not_json(path, text, stream.lines(), Layout::Lines, &fault))?;
            stream.take(end);
        }
        let length = usize::try_from(stream.length()).unwrap_or(usize::MAX);
        let record = settled(record, path, length, options)?;
        let again = TextStream::open(path, options)?;
        Ok(again.map(|stream| JsonParts { path: path.to_path_buf(), stream, record }))
    }

    /// The number of rows.
    pub(in crate::files) fn rows(&self) -> usize {
        self.record.objects
    }

    /// The next rows, at most `rows`; `None` at the end.
    pub(in crate::files) fn next(&mut self, rows: usize, bytes: usize) -> Result<Option<DataFrame>> {
        let Some(end) = next_lines(&mut self.stream, rows, bytes)? else { return Ok(None) };
        let text = self.stream.text().get(..end).unwrap_or_default();
        let (mut height, mut records) = (0, Records::new(self.record.clone()));
        let push = |scanner: &mut super::Scanner<'_>| {
            height += 1;
            records.push(scanner)
        };
        each_row(text, Layout::Lines, push)
            .map_err(|fault| not_json(&self.path, text, self.stream.lines(), Layout::Lines, &fault))?;
        self.stream.take(end);
        let columns = records.into_series().map_err(internal)?;
        DataFrame::new(height, columns.into_iter().map(Column::from).collect()).map(Some).map_err(internal)
    }
}

/// The end of the next `rows` lines, or of fewer that have `bytes` bytes; `None` at the end of the file.
fn next_lines(stream: &mut TextStream, rows: usize, bytes: usize) -> Result<Option<usize>> {
    loop {
        let text = stream.text();
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let mut numbered = ends.enumerate();
        if let Some((_, end)) = numbered.find(|&(number, end)| number + 1 >= rows || end >= bytes) {
            return Ok(Some(end));
        }
        if stream.is_ended() {
            return Ok(if stream.is_at_end() { None } else { Some(text.len()) });
        }
        stream.fill()?;
    }
}
