//! Reading a delimited file in parts.

use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::columns::{ColumnBuilder, ColumnKind};
use super::records::{Dialect, Records};
use super::{Reader, ShortRows, dialect};
use crate::corpus::internal;
use crate::error::{Result, Stage};
use crate::files::budget::Missing;
use crate::files::decode::error;
use crate::files::format::Format;
use crate::files::options::ReadOptions;
use crate::files::text_stream::TextStream;

/// A delimited file of which some rows are in memory. It is read twice: first to check all rows and to find the types of
/// columns, which depend on all rows, then for its values.
pub(in crate::files) struct DelimitedParts {
    path: PathBuf,
    stream: TextStream,
    dialect: Dialect,
    names: Vec<PlSmallStr>,
    kinds: Vec<ColumnKind>,
    rows: usize,
}

/// The number of rows, those that are short, and the columns.
type Rows = (usize, Option<ShortRows>, Vec<ColumnBuilder>);

impl DelimitedParts {
    /// Opens a file and reads it for the first time; `None` if it must be read as a whole. `rows` and `bytes` limit what
    /// is in memory.
    pub(in crate::files) fn open(
        path: &Path,
        format: Format,
        options: &ReadOptions,
        (rows, bytes): (usize, usize),
    ) -> Result<Option<Self>> {
        let Some(mut parts) = Self::begin(path, format, options)? else { return Ok(None) };
        let mut short = None::<ShortRows>;
        loop {
            let names = parts.names.iter().zip(&parts.kinds);
            let builder = |(name, kind): (&PlSmallStr, &ColumnKind)| match kind {
                ColumnKind::Texts => ColumnBuilder::of_texts(name.clone()),
                _ => ColumnBuilder::new(name.clone()),
            };
            let Some((height, more, columns)) = parts.read(names.map(builder).collect(), rows, bytes)? else { break };
            parts.rows += height;
            for (kind, column) in parts.kinds.iter_mut().zip(&columns) {
                *kind = kind.joined(column.kind());
            }
            short = match (short, more) {
                (Some(short), Some(more)) => Some(ShortRows { rows: short.rows + more.rows, ..short }),
                (short, more) => short.or(more),
            };
        }
        if let Some(short) = short {
            options.progress.note(Stage::Input, short.told(path));
        }
        let (kinds, height) = (parts.kinds, parts.rows);
        let silent = ReadOptions { progress: crate::progress::Progress::silent(), ..options.clone() };
        let again = Self::begin(path, format, &silent)?;
        Ok(again.map(|again| DelimitedParts { kinds, rows: height, ..again }))
    }

    /// Opens a file and reads its header.
    fn begin(path: &Path, format: Format, options: &ReadOptions) -> Result<Option<Self>> {
        let Some(mut stream) = TextStream::open(path, options)? else { return Ok(None) };
        if stream.text().trim_start_matches(['\r', '\n']).is_empty() && stream.is_ended() {
            return Err(error(path, "the file is empty"));
        }
        let (dialect, start) = dialect::detect(stream.text(), format.separator(), options);
        stream.take(start);
        let end = loop {
            match complete_rows(stream.text(), dialect, stream.is_ended(), (1, usize::MAX), true) {
                (_, false) if !stream.is_ended() => stream.fill()?,
                (end, _) => break end,
            }
        };
        let text = stream.text().get(..end).unwrap_or_default();
        let mut reader = Reader::of_part(path, text, dialect, stream.lines(), Vec::new());
        reader.read_header(options)?;
        let (names, kinds) = reader.columns.iter().map(|column| (column.name().clone(), column.kind())).unzip();
        stream.take(end);
        Ok(Some(DelimitedParts { path: path.to_path_buf(), stream, dialect, names, kinds, rows: 0 }))
    }

    /// The number of rows.
    pub(in crate::files) fn rows(&self) -> usize {
        self.rows
    }

    /// The next rows, at most `rows`; `None` at the end.
    pub(in crate::files) fn next(&mut self, rows: usize, bytes: usize) -> Result<Option<DataFrame>> {
        let columns = self.names.iter().zip(&self.kinds);
        let columns = columns.map(|(name, kind)| ColumnBuilder::of_kind(name.clone(), *kind)).collect();
        let Some((height, _, columns)) = self.read(columns, rows, bytes)? else { return Ok(None) };
        let columns: Vec<Column> = columns.into_iter().map(ColumnBuilder::finish).collect();
        DataFrame::new(height, columns).map(Some).map_err(internal)
    }

    /// Reads the next rows into `columns`. Returns their number, and which of them are short.
    fn read(&mut self, columns: Vec<ColumnBuilder>, rows: usize, bytes: usize) -> Result<Option<Rows>> {
        let skips_blank = columns.len() > 1;
        let end = loop {
            let (text, is_ended) = (self.stream.text(), self.stream.is_ended());
            match complete_rows(text, self.dialect, is_ended, (rows, bytes), skips_blank) {
                (_, false) if !is_ended => self.stream.fill()?,
                (end, _) => break end,
            }
        };
        if end == 0 {
            return Ok(None);
        }
        let text = self.stream.text().get(..end).unwrap_or_default();
        let mut reader = Reader::of_part(&self.path, text, self.dialect, self.stream.lines(), columns);
        let (height, short) = reader.read_rows()?;
        let columns = reader.columns;
        self.stream.take(end);
        Ok(Some((height, short, columns)))
    }
}

impl<'a> Reader<'a> {
    fn of_part(
        path: &'a Path,
        text: &'a str,
        dialect: Dialect,
        lines_before: usize,
        columns: Vec<ColumnBuilder>,
    ) -> Self {
        let missing = Missing::of(text.len() as u64);
        Reader { path, text, dialect, records: Records::new(text, 0, dialect), columns, missing, lines_before }
    }
}

/// The end of the last of the first `rows` rows of `text` that are complete, or of fewer that have `bytes` bytes; and
/// whether these limits were reached. A row that ends where the text does is complete if the file ends there too, and one
/// with a misplaced quote is, for whoever reads it to find the error.
fn complete_rows(
    text: &str,
    dialect: Dialect,
    is_ended: bool,
    (rows, bytes): (usize, usize),
    skips_blank: bool,
) -> (usize, bool) {
    let mut records = Records::new(text, 0, dialect);
    let (mut end, mut found) = (0, 0);
    while found < rows && end < bytes {
        if records.is_at_end() {
            return (end, is_ended);
        }
        let is_blank = skips_blank && records.pass_blank_line();
        let mut is_over = is_blank;
        while !is_over {
            match records.field() {
                Ok(field) => is_over = field.is_last,
                Err(quote) if quote.stray.is_some() || is_ended => return (text.len(), true),
                Err(_) => return (end, false),
            }
        }
        if records.is_at_end() && !is_ended {
            return (end, false);
        }
        (end, found) = (records.at(), found + usize::from(!is_blank));
    }
    (end, true)
}
