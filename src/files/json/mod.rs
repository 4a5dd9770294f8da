//! JSON: an array of objects, or one object per line. Each object is a row.

use std::path::Path;

use polars::prelude::*;

use self::cells::Records;
use self::kind::{Kind, Record, Settling};
use self::scan::{Fault, MAX_DEPTH, Reason, Scanner, Token};
use super::LONGEST_NAME;
use super::budget::Missing;
use super::decode::{error, line_at};
use super::format::Format;
use super::options::ReadOptions;
use crate::corpus::internal;
use crate::error::{Error, Result, Stage, quoted};

mod cells;
mod kind;
mod parts;
mod scan;

pub(super) use parts::JsonParts;

/// The layout of the objects in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One per line.
    Lines,
    /// In an array, or concatenated.
    Document,
}

/// Parses `text`, the content of the file `path`.
pub(super) fn read_json(path: &Path, text: &str, format: Format, options: &ReadOptions) -> Result<DataFrame> {
    if text.trim_ascii().is_empty() {
        return Err(error(path, "the file is empty"));
    }
    let layout = layout_of(text, format);
    let told = |fault: Fault| not_json(path, text, 0, layout, &fault);
    let mut record = Record::default();
    each_row(text, layout, |scanner| record.see(scanner)).map_err(told)?;
    let height = record.objects;
    let mut records = Records::new(settled(record, path, text.len(), options)?);
    each_row(text, layout, |scanner| records.push(scanner)).map_err(told)?;
    let columns = records.into_series().map_err(internal)?;
    DataFrame::new(height, columns.into_iter().map(Column::from).collect()).map_err(internal)
}

/// The columns of a file with `length` bytes of text, from all of its objects.
fn settled(record: Record, path: &Path, length: usize, options: &ReadOptions) -> Result<Record> {
    if let Some(message) = unpaired_surrogates(&record, path) {
        options.progress.note(Stage::Input, message);
    }
    if let Some(message) = mixed_kinds(&record, path) {
        options.progress.note(Stage::Input, message);
    }
    // A field takes some bytes where it is present, and a cell where it is missing.
    let most = length.saturating_mul(2).saturating_add(1 << 20);
    if record.cells() > most {
        let message = format!(
            "the {} objects have {} distinct fields, nearly all of which are missing in each object",
            record.objects,
            record.fields.len()
        );
        return Err(
            error(path, message).with_hint("Use the same field names in all objects: each field becomes a column.")
        );
    }
    let height = record.objects;
    let mut settling = Settling { most, missing: Missing::of(length as u64), keeps_null: options.keeps_null };
    let mut record = settling.record(record, height);
    for (name, field) in record.names.names.iter().zip(&mut record.fields) {
        if options.text.contains(name) {
            field.kind.as_text();
        }
    }
    Ok(record)
}

/// The note about columns that are strings because no other type fits all of their values.
fn mixed_kinds(record: &Record, path: &Path) -> Option<String> {
    let fields = record.names.names.iter().zip(&record.fields);
    let mut mixed = fields.filter(|(_, field)| matches!(field.kind, Kind::Mixed)).map(|(name, _)| name);
    let first = quoted(mixed.next()?, LONGEST_NAME);
    let columns = match mixed.count() {
        0 => format!("the column `{first}` of {} is", path.display()),
        more => format!("the column `{first}` of {} and {more} more are", path.display()),
    };
    Some(format!(
        "{columns} read as text, with the values as written in the file: they are of mixed types, or too large for a \
         number"
    ))
}

/// The note about unpaired UTF-16 surrogate escapes, such as `\ud83d`.
fn unpaired_surrogates(record: &Record, path: &Path) -> Option<String> {
    let fields = record.names.names.iter().zip(&record.fields);
    let with: Vec<(&String, usize)> =
        fields.map(|(name, field)| (name, field.halves)).filter(|&(_, halves)| halves > 0).collect();
    let &(first, _) = with.first()?;
    let all: usize = with.iter().map(|(_, halves)| halves).sum();
    let (escapes, becomes) = if all == 1 { ("escape", "becomes") } else { ("escapes", "become") };
    let first = quoted(first, LONGEST_NAME);
    let place = match with.len() {
        1 => format!("column `{first}`"),
        columns => format!("{columns} columns, the first of them `{first}`,"),
    };
    Some(format!("{all} unpaired surrogate {escapes} in {place} of {} {becomes} U+FFFD", path.display()))
}

/// The layout of the content, regardless of the extension: programs use `.json` for both layouts.
fn layout_of(text: &str, format: Format) -> Layout {
    let content = text.trim_ascii_start();
    let first_line = content.lines().next().unwrap_or_default();
    let is_object = || {
        let mut scanner = Scanner::new(first_line, 0, first_line.len());
        let token = scanner.value();
        token.and_then(|token| scanner.skip(&token)).is_ok() && scanner.is_at_end()
    };
    match format {
        _ if content.starts_with('[') => Layout::Document,
        Format::NdJson => Layout::Lines,
        _ if is_object() => Layout::Lines,
        _ => Layout::Document,
    }
}

/// Calls `row` with a reader positioned at the fields of each object.
fn each_row<'a>(
    text: &'a str,
    layout: Layout,
    mut row: impl FnMut(&mut Scanner<'a>) -> std::result::Result<(), Fault>,
) -> std::result::Result<(), Fault> {
    let mut object = |scanner: &mut Scanner<'a>| {
        let at = scanner.start();
        match scanner.value()? {
            Token::Record => row(scanner),
            _ => Err(Fault {
                at,
                reason: Reason::Words("a row must be an object, such as {\"text\": \"...\"}".to_owned()),
            }),
        }
    };
    if layout == Layout::Document {
        let mut scanner = Scanner::new(text, 0, text.len());
        return each_of_document(&mut scanner, text, &mut object);
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mut scanner = Scanner::new(text, start, start + line.trim_end_matches(['\n', '\r']).len());
        start += line.len();
        if scanner.is_at_end() {
            continue;
        }
        object(&mut scanner)?;
        if !scanner.is_at_end() {
            return Err(scanner.fault("unexpected content after the object: a line must contain exactly one"));
        }
    }
    Ok(())
}

fn each_of_document<'a>(
    scanner: &mut Scanner<'a>,
    text: &str,
    object: &mut impl FnMut(&mut Scanner<'a>) -> std::result::Result<(), Fault>,
) -> std::result::Result<(), Fault> {
    let start = scanner.start();
    if text.as_bytes().get(start) != Some(&b'[') {
        while !scanner.is_at_end() {
            object(scanner)?;
        }
        return Ok(());
    }
    scanner.value()?;
    let mut is_first = true;
    while scanner.element(is_first)? {
        object(scanner)?;
        is_first = false;
    }
    match scanner.is_at_end() {
        true => Ok(()),
        false => Err(scanner.fault("unexpected content after the array: a file must contain exactly one")),
    }
}

/// The error for a fault in `text`, before which the file has `lines` lines.
fn not_json(path: &Path, text: &str, lines: usize, layout: Layout, fault: &Fault) -> Error {
    let line_end = if memchr::memchr(b'\n', text.as_bytes()).is_some() { b'\n' } else { b'\r' };
    let line = lines + line_at(text.as_bytes(), fault.at, line_end);
    let before = text.get(..fault.at).unwrap_or(text);
    let column = 1 + before.rsplit(['\n', '\r']).next().unwrap_or_default().chars().count();
    match (&fault.reason, layout) {
        (Reason::Cut, Layout::Lines) => error(path, format!("line {line} is truncated")).with_hint(layout.hint()),
        (Reason::Cut, Layout::Document) => {
            error(path, format!("the file is truncated: it ends in line {line}, within a value"))
                .with_hint(layout.hint())
        }
        (Reason::Deep, _) => {
            error(path, format!("line {line}, column {column}: values are nested more than {MAX_DEPTH} levels deep"))
                .with_hint("Remove this value, or write it as a string.")
        }
        (Reason::Words(words), _) => {
            error(path, format!("line {line}, column {column}: {words}")).with_hint(layout.hint())
        }
    }
}

impl Layout {
    fn hint(self) -> &'static str {
        match self {
            Layout::Lines => "Each line must be a JSON object.",
            Layout::Document => "The content must be a JSON array of objects, or one object per line.",
        }
    }
}
