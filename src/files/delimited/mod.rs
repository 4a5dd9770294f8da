//! Delimited files: CSV, TSV, and variants, as written by spreadsheets, scrapers, and programs.

use std::path::Path;

use polars::prelude::*;

use self::columns::ColumnBuilder;
use self::records::{BadQuote, Dialect, Records};
use super::LONGEST_NAME;
use super::budget::{MAX_COLUMNS, Missing};
use super::decode::{error, line_at};
use super::format::Format;
use super::options::{ReadOptions, quotes_hint};
use crate::corpus::internal;
use crate::error::{Error, Hint, Result, Stage, quoted};

mod columns;
mod dialect;
mod names;
mod parts;
mod records;
mod write;

pub(super) use parts::DelimitedParts;
pub(super) use write::{write_delimited, write_names};

/// Parses `text`, the content of the file `path`.
pub(super) fn read_delimited(path: &Path, text: &str, format: Format, options: &ReadOptions) -> Result<DataFrame> {
    if text.trim_start_matches(['\r', '\n']).is_empty() {
        return Err(error(path, "the file is empty"));
    }
    let (dialect, start) = dialect::detect(text, format.separator(), options);
    let mut reader = Reader {
        path,
        text,
        dialect,
        records: Records::new(text, start, dialect),
        columns: Vec::new(),
        missing: Missing::of(text.len() as u64),
        lines_before: 0,
    };
    reader.read_header(options)?;
    let (height, short) = reader.read_rows()?;
    if let Some(short) = short {
        options.progress.note(Stage::Input, short.told(path));
    }
    let columns: Vec<Column> = reader.columns.into_iter().map(ColumnBuilder::finish).collect();
    DataFrame::new(height, columns).map_err(internal)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    dialect: Dialect,
    records: Records<'a>,
    columns: Vec<ColumnBuilder>,
    missing: Missing,
    /// The number of lines of the file before `text`.
    lines_before: usize,
}

/// Rows with fewer fields than the header.
struct ShortRows {
    first_line: usize,
    rows: usize,
}

impl ShortRows {
    fn told(&self, path: &Path) -> String {
        let (rows, have) = if self.rows == 1 { ("row", "has") } else { ("rows", "have") };
        format!(
            "{} {rows} of {} {have} fewer fields than the header (first in line {}): missing values are null",
            self.rows,
            path.display(),
            self.first_line
        )
    }
}

impl Reader<'_> {
    fn read_header(&mut self, options: &ReadOptions) -> Result<()> {
        while self.records.pass_blank_line() {}
        let mut names = Vec::new();
        loop {
            let field = self.records.field().map_err(|quote| self.bad_quote(quote, "the header"))?;
            names.push(field.text.into_owned());
            if names.len() > MAX_COLUMNS {
                let message =
                    format!("the header has more than {MAX_COLUMNS} names: the file seems to have no line breaks");
                return Err(error(self.path, message));
            }
            if field.is_last {
                break;
            }
        }
        if let Some(name) = names::ambiguous(&names, &options.text) {
            return Err(error(self.path, "duplicate column name")
                .with_column(name)
                .with_hint("Rename one of the columns."));
        }
        let is_text = |name: &str| options.text.iter().chain(&options.mixed).any(|text| text == name);
        let column = |name: PlSmallStr| match is_text(&name) {
            true => ColumnBuilder::of_texts(name),
            false => ColumnBuilder::new(name),
        };
        let distinct = names::distinct(&names);
        if let Some((given, taken)) = names.iter().zip(&distinct).find(|(given, taken)| **given != ***taken) {
            let message = format!(
                "the header of {} contains the name `{}` more than once: the second of these columns was renamed to \
                 `{}`",
                self.path.display(),
                quoted(given, LONGEST_NAME),
                quoted(taken, LONGEST_NAME)
            );
            options.progress.note(Stage::Input, message);
        }
        self.columns = distinct.into_iter().map(column).collect();
        Ok(())
    }

    /// Reads all rows. Returns their number, and those with too few fields.
    fn read_rows(&mut self) -> Result<(usize, Option<ShortRows>)> {
        let (mut rows, mut short) = (0, None::<ShortRows>);
        while !self.records.is_at_end() {
            // In a table with one column, an empty line is a row; with several columns, it is not.
            if self.columns.len() > 1 && self.records.pass_blank_line() {
                continue;
            }
            let begins = self.records.at();
            let missing = self.read_row(begins)?;
            rows += 1;
            if missing > 0 {
                short = Some(match short {
                    Some(short) => ShortRows { rows: short.rows + 1, ..short },
                    None => ShortRows { first_line: self.line(begins), rows: 1 },
                });
            }
        }
        Ok((rows, short))
    }

    /// Reads a row that begins at the byte `begins`. Returns the number of missing fields.
    fn read_row(&mut self, begins: usize) -> Result<usize> {
        let mut fields = 0;
        loop {
            let field = match self.records.field() {
                Ok(field) => field,
                Err(quote) => return Err(self.bad_quote(quote, &format!("column {}", fields + 1))),
            };
            match self.columns.get_mut(fields) {
                Some(column) => column.push(&field.text, field.quoted),
                None if field.text.is_empty() => {}
                None => return Err(self.too_long(begins)),
            }
            fields += 1;
            if field.is_last {
                break;
            }
        }
        let lacking = self.columns.len().saturating_sub(fields);
        if !self.missing.take(lacking as u64) {
            return Err(self.mostly_empty(begins, fields));
        }
        self.columns.iter_mut().skip(fields).for_each(ColumnBuilder::push_null);
        Ok(lacking)
    }

    /// The line number of the byte `at`.
    fn line(&self, at: usize) -> usize {
        self.lines_before + line_at(self.text.as_bytes(), at, self.dialect.line_end)
    }

    fn mostly_empty(&self, begins: usize, fields: usize) -> Error {
        let (line, names) = (self.line(begins), self.columns.len());
        let have = if fields == 1 { "field" } else { "fields" };
        let message = format!(
            "the header has {names} names, but too many rows have few fields (line {line} has {fields} {have}): more \
             than {} fields are missing so far",
            self.missing
        );
        error(self.path, message).with_hint(
            "Is the first line the header of these rows? Remove the names that have no values, or complete the rows.",
        )
    }

    fn bad_quote(&self, quote: BadQuote, place: &str) -> Error {
        let opens = self.line(quote.opens);
        let message = match quote.stray {
            None => format!("the quote that opens in line {opens} ({place}) is not closed"),
            Some(stray) => format!(
                "the quoted field that begins in line {opens} ({place}) contains a quote in line {} that is neither \
                 doubled nor closing",
                self.line(stray)
            ),
        };
        let ends = format!(
            "A quoted field ends with a quote before the next {}, and quotes within it are doubled.",
            self.separator()
        );
        error(self.path, message).with_hint(quotes_hint(&ends))
    }

    fn too_long(&self, begins: usize) -> Error {
        let mut records = Records::new(self.text, begins, self.dialect);
        let mut fields = 1;
        while records.field().is_ok_and(|field| !field.is_last) {
            fields += 1;
        }
        let line = self.line(begins);
        let names = if self.columns.len() == 1 { "name" } else { "names" };
        let message = format!("line {line} has {fields} fields, but the header has {} {names}", self.columns.len());
        let separator = self.separator();
        let quoting = match self.dialect.quoted {
            true => format!("A field that contains a {separator} must be quoted."),
            false => format!("A field cannot contain a {separator} if quotes are ordinary characters."),
        };
        error(self.path, message).with_hint(
            Hint::new(format!(
                "{quoting} Is this the right separator? To change it: ReadOptions::new().separator(b';')."
            ))
            .on_command_line(format!(
                "{quoting} Is this the right separator? To change it: --separator ';', or --separator tab."
            )),
        )
    }

    fn separator(&self) -> String {
        match self.dialect.separator {
            b',' => "comma".to_owned(),
            b';' => "semicolon".to_owned(),
            b'\t' => "tab".to_owned(),
            b' ' => "space".to_owned(),
            other => format!("`{}`", quoted(&char::from(other).to_string(), LONGEST_NAME)),
        }
    }
}
