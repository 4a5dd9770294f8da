//! Detecting the separator and quoting of a text.

use std::cmp::Ordering;

use memchr::{memchr, memmem};

use super::records::{Dialect, Field, Records};
use crate::files::decode::line_end_of;
use crate::files::options::{Quotes, ReadOptions};

/// Separators, the most likely first.
pub(super) const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The size of the sample for separator detection.
const SAMPLE_BYTES: usize = 256 << 10;
const SAMPLE_ROWS: usize = 200;

/// The dialect of `text`, and the start of its header. `usual` is the separator implied by the file extension; without
/// one it is detected.
pub(super) fn detect(text: &str, usual: Option<u8>, options: &ReadOptions) -> (Dialect, usize) {
    let line_end = line_end_of(text.as_bytes());
    let (announced, start) = announced_separator(text);
    let separator = options.separator.or(announced).or(usual);
    let rest = text.get(start..).unwrap_or_default();
    let separator = separator.unwrap_or_else(|| separator_of(rest, line_end));
    let quoted = Dialect { separator, quoted: true, line_end };
    let quoted = match options.quotes {
        Quotes::Yes => true,
        Quotes::No => false,
        Quotes::Auto => separator != b'\t' || is_quoted(rest, quoted),
    };
    (Dialect { separator, quoted, line_end }, start)
}

/// The separator in Excel's first line `sep=;`, and the start of the next line.
fn announced_separator(text: &str) -> (Option<u8>, usize) {
    let line = text.lines().next().unwrap_or_default();
    let after = |separator| match text.get(line.len()..).map(str::as_bytes) {
        Some([b'\n', ..]) => (Some(separator), line.len() + 1),
        Some([b'\r', b'\n', ..]) => (Some(separator), line.len() + 2),
        _ => (None, 0),
    };
    match line.as_bytes() {
        [b's', b'e', b'p', b'=', separator] if SEPARATORS.contains(separator) => after(*separator),
        _ => (None, 0),
    }
}

/// How well a separator splits the first rows.
struct Split {
    separator: u8,
    columns: usize,
    rows: usize,
    /// The number of rows with as many fields as the header.
    even: usize,
}

impl Split {
    /// The more even rows, the better; ties go to the one with more columns.
    fn compare(&self, other: &Split) -> Ordering {
        let share = |split: &Split, rows: usize| (split.even.max(usize::from(split.rows == 0))) * rows.max(1);
        share(self, other.rows).cmp(&share(other, self.rows)).then(self.columns.cmp(&other.columns))
    }
}

fn separator_of(text: &str, line_end: u8) -> u8 {
    let sample = sample_of(text, line_end);
    let splits = SEPARATORS.iter().map(|&separator| split(sample, Dialect { separator, quoted: true, line_end }));
    let splits = splits.filter(|split| split.columns > 1 && (split.separator == b',' || split.even * 2 >= split.rows));
    // The first one wins ties.
    let best = splits.reduce(|best, split| if split.compare(&best) == Ordering::Greater { split } else { best });
    best.map_or(b',', |best| best.separator)
}

/// The first rows, as complete lines.
fn sample_of(text: &str, line_end: u8) -> &str {
    if text.len() <= SAMPLE_BYTES {
        return text;
    }
    let bytes = text.as_bytes();
    let end = bytes.get(SAMPLE_BYTES..).and_then(|rest| memchr(line_end, rest));
    end.and_then(|end| text.get(..SAMPLE_BYTES + end + 1)).unwrap_or(text)
}

fn split(sample: &str, dialect: Dialect) -> Split {
    let mut records = Records::new(sample, 0, dialect);
    let mut split = Split { separator: dialect.separator, columns: 0, rows: 0, even: 0 };
    while split.rows < SAMPLE_ROWS {
        while records.pass_blank_line() {}
        if records.is_at_end() {
            break;
        }
        let (fields, faults) = survey_record(&mut records);
        if split.columns == 0 {
            split.columns = if faults == 0 { fields } else { 1 };
            continue;
        }
        split.rows += 1;
        split.even += usize::from(fields == split.columns && faults == 0);
    }
    split
}

/// The number of fields in the next record, and of those that begin with a quote but do not end with one.
fn survey_record(records: &mut Records<'_>) -> (usize, usize) {
    let (mut fields, mut faults) = (0, 0);
    loop {
        let field = records.field().unwrap_or_else(|_| {
            faults += 1;
            records.plain_field()
        });
        fields += 1;
        if field.is_last {
            return (fields, faults);
        }
    }
}

/// The anomalies left by an interpretation of a text.
#[derive(Default)]
struct Survey {
    columns: usize,
    rows: usize,
    /// The number of rows with a different number of fields than the header.
    uneven: usize,
    /// The number of quoted fields with an undoubled quote.
    stray: usize,
}

/// Whether a tab-separated text uses quoting. Many do not, and contain strings that begin with a quote; others have
/// line breaks and tabs within quotes. The interpretation with fewer anomalous rows and quotes is used; if neither has
/// any, rows are not joined.
fn is_quoted(text: &str, quoted: Dialect) -> bool {
    if !begins_a_field_with_a_quote(text, quoted) || names_are_quoted(text, quoted) {
        return true;
    }
    let as_quoted = survey(text, quoted);
    let as_plain = survey(text, Dialect { quoted: false, ..quoted });
    match (as_quoted.uneven + as_quoted.stray).cmp(&as_plain.uneven) {
        Ordering::Less => true,
        Ordering::Equal => as_quoted.stray == 0 && (as_quoted.rows == as_plain.rows || as_plain.columns == 1),
        Ordering::Greater => false,
    }
}

fn begins_a_field_with_a_quote(text: &str, dialect: Dialect) -> bool {
    let after = |byte: u8| memmem::find(text.as_bytes(), &[byte, b'"']).is_some();
    text.starts_with('"') || after(dialect.separator) || after(dialect.line_end)
}

/// A header with all names quoted implies quoting: our writer signals it this way.
fn names_are_quoted(text: &str, quoted: Dialect) -> bool {
    let mut records = Records::new(text, 0, quoted);
    while records.pass_blank_line() {}
    loop {
        match records.field() {
            Ok(Field { quoted: true, is_last: true, .. }) => return true,
            Ok(Field { quoted: true, .. }) => {}
            _ => return false,
        }
    }
}

fn survey(text: &str, dialect: Dialect) -> Survey {
    let mut records = Records::new(text, 0, dialect);
    let mut survey = Survey::default();
    loop {
        while records.pass_blank_line() {}
        if records.is_at_end() {
            return survey;
        }
        let mut fields = 0;
        loop {
            let field = records.field().unwrap_or_else(|_| records.plain_field());
            fields += 1;
            survey.stray += usize::from(!field.quoted && memchr(b'"', field.text.as_bytes()).is_some());
            if field.is_last {
                break;
            }
        }
        if survey.columns == 0 {
            survey.columns = fields;
        }
        survey.rows += 1;
        survey.uneven += usize::from(fields != survey.columns);
    }
}
