//! What separates the fields of a text, and what its quotes mean.

use std::cmp::Ordering;

use memchr::{memchr, memmem};

use super::records::{Dialect, Field, Records};
use crate::files::decode::line_end_of;
use crate::files::options::{Quotes, ReadOptions};

/// What separates fields, the likelier first.
pub(super) const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How much of a text its separator is looked for in.
const SAMPLE_BYTES: usize = 256 << 10;
const SAMPLE_ROWS: usize = 200;

/// The dialect of `text`, and where its header begins. `usual` is the separator that the file's name speaks for; without
/// one it is looked for.
pub(super) fn recognise(text: &str, usual: Option<u8>, options: &ReadOptions) -> (Dialect, usize) {
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

/// Excel's first line `sep=;`, and where the next one begins.
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
    /// The rows that have as many fields as the header.
    even: usize,
}

impl Split {
    /// The more rows are even, the better; of equals, the one with more columns.
    fn compare(&self, other: &Split) -> Ordering {
        let share = |split: &Split, rows: usize| (split.even.max(usize::from(split.rows == 0))) * rows.max(1);
        share(self, other.rows).cmp(&share(other, self.rows)).then(self.columns.cmp(&other.columns))
    }
}

fn separator_of(text: &str, line_end: u8) -> u8 {
    let sample = sample_of(text, line_end);
    let splits = SEPARATORS.iter().map(|&separator| split(sample, Dialect { separator, quoted: true, line_end }));
    let splits = splits.filter(|split| split.columns > 1 && (split.separator == b',' || split.even * 2 >= split.rows));
    // The first of equals.
    let best = splits.reduce(|best, split| if split.compare(&best) == Ordering::Greater { split } else { best });
    best.map_or(b',', |best| best.separator)
}

/// The first rows, whole lines.
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

/// The number of fields of the next record, and of those that begin with a quote and do not end with one.
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

/// What a way to read a text leaves unexplained.
#[derive(Default)]
struct Survey {
    columns: usize,
    rows: usize,
    /// Rows that have not as many fields as the header.
    uneven: usize,
    /// Fields with a quote that whoever quotes would have doubled, within quotes.
    stray: usize,
}

/// Whether a text that tabs separate is written with quotes. Many are not, and have texts that begin with a quote;
/// others have line ends and tabs within quotes. The reading that leaves fewer rows and quotes unexplained is right; where
/// both explain all, no rows are joined.
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

/// Whoever quotes all names of the header quotes: our writer says so by it.
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
