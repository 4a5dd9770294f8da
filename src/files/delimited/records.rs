//! Splitting a text into records and fields.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// The format of a delimited text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) separator: u8,
    /// Whether a quote at the beginning of a field opens a quoted field. Within a field, it is always a character.
    pub(super) quoted: bool,
    /// The last byte of the line terminator: LF also for CR LF.
    pub(super) line_end: u8,
}

pub(super) struct Field<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) quoted: bool,
    /// Whether it is the last field of the record.
    pub(super) is_last: bool,
}

/// The byte position of a field that begins with a quote but does not end with one.
#[derive(Debug, Clone, Copy)]
pub(super) struct BadQuote {
    pub(super) opens: usize,
    /// The quote that is neither doubled nor at the end of the field; `None` if no quote follows at all.
    pub(super) stray: Option<usize>,
}

/// A reader of records. (The csv crate appends to a quoted field whatever follows it, extends an unclosed quote to the
/// end of the file, and does not distinguish an empty quoted field from an empty unquoted one.)
pub(super) struct Records<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a str, at: usize, dialect: Dialect) -> Self {
        Records { text, at, dialect }
    }

    /// The byte position of the next field.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Skips an empty line. Returns whether there was one.
    pub(super) fn pass_blank_line(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let is_blank = match bytes.get(self.at) {
            Some(&byte) if byte == self.dialect.line_end => true,
            Some(b'\r') => bytes.get(self.at + 1) == Some(&b'\n'),
            _ => false,
        };
        if is_blank {
            self.at = self.stop_at(self.at).map_or(self.at, |(after, _)| after);
        }
        is_blank
    }

    /// The next field. After an error, the reader is still positioned before it.
    pub(super) fn field(&mut self) -> Result<Field<'a>, BadQuote> {
        match self.dialect.quoted && self.text.as_bytes().get(self.at) == Some(&b'"') {
            true => self.quoted_field(),
            false => Ok(self.plain_field()),
        }
    }

    /// The next field, in which quotes are characters.
    pub(super) fn plain_field(&mut self) -> Field<'a> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = memchr2(self.dialect.separator, self.dialect.line_end, rest.as_bytes());
        let mut text = length.and_then(|length| rest.get(..length)).unwrap_or(rest);
        let (after, is_last) = self.stop_at(self.at + text.len()).unwrap_or((self.text.len(), true));
        if length.is_some() && is_last && self.dialect.line_end == b'\n' {
            text = text.strip_suffix('\r').unwrap_or(text);
        }
        self.at = after;
        Field { text: Cow::Borrowed(text), quoted: false, is_last }
    }

    fn quoted_field(&mut self) -> Result<Field<'a>, BadQuote> {
        let bytes = self.text.as_bytes();
        let opens = self.at;
        let (mut from, mut has_doubled) = (opens + 1, false);
        loop {
            let found = bytes.get(from..).and_then(|rest| memchr(b'"', rest));
            let Some(quote) = found.map(|length| from + length) else { return Err(BadQuote { opens, stray: None }) };
            if bytes.get(quote + 1) == Some(&b'"') {
                (from, has_doubled) = (quote + 2, true);
                continue;
            }
            let Some((after, is_last)) = self.stop_at(quote + 1) else {
                return Err(BadQuote { opens, stray: Some(quote) });
            };
            let inner = self.text.get(opens + 1..quote).unwrap_or_default();
            self.at = after;
            let text = if has_doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
            return Ok(Field { text, quoted: true, is_last });
        }
    }

    /// If a field ends before `at`, the start of the next field, and whether the record ends there too.
    fn stop_at(&self, at: usize) -> Option<(usize, bool)> {
        let bytes = self.text.as_bytes();
        match (bytes.get(at), bytes.get(at + 1)) {
            (None, _) => Some((at, true)),
            (Some(&byte), _) if byte == self.dialect.separator => Some((at + 1, false)),
            (Some(b'\r'), Some(b'\n')) => Some((at + 2, true)),
            (Some(b'\r'), None) => Some((at + 1, true)),
            (Some(&byte), _) if byte == self.dialect.line_end => Some((at + 1, true)),
            _ => None,
        }
    }
}
