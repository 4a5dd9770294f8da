//! Any value of a frame as one line of plain text.

use polars::prelude::*;

use super::number::short_float;
use crate::corpus::civil;

/// The maximum number of list items that are written; the rest are counted.
const ITEMS: usize = 10;

/// The maximum number of bytes of a binary value that are written.
const BYTES: usize = 12;

/// The maximum nesting depth that is written.
const DEPTH: usize = 12;

/// `value` as one line of text. Writing stops soon after `limit` bytes, so that a huge cell costs no more than others.
pub(super) fn plain(value: &AnyValue<'_>, limit: usize) -> String {
    let mut line = Line { text: String::new(), limit };
    line.push(value, 0);
    line.text
}

struct Line {
    text: String,
    limit: usize,
}

impl Line {
    fn push(&mut self, value: &AnyValue<'_>, depth: usize) {
        if depth > DEPTH || self.text.len() > self.limit {
            self.text.push('…');
            return;
        }
        match value {
            AnyValue::Null => self.text.push_str("null"),
            AnyValue::Binary(bytes) => self.push_bytes(bytes),
            AnyValue::BinaryOwned(bytes) => self.push_bytes(bytes),
            AnyValue::Date(days) => self.text.push_str(&date(i64::from(*days))),
            AnyValue::Datetime(ticks, unit, zone) => self.text.push_str(&datetime(*ticks, *unit, zone.is_some())),
            AnyValue::DatetimeOwned(ticks, unit, zone) => {
                self.text.push_str(&datetime(*ticks, *unit, zone.is_some()));
            }
            AnyValue::List(items) => self.push_list(items, depth),
            AnyValue::Array(items, _) => self.push_list(items, depth),
            AnyValue::Struct(_, _, fields) => {
                let names = fields.iter().map(|field| field.name().as_str());
                self.push_fields(names.zip(value._iter_struct_av()), depth);
            }
            AnyValue::StructOwned(parts) => {
                let names = parts.1.iter().map(|field| field.name().as_str());
                self.push_fields(names.zip(parts.0.iter().cloned()), depth);
            }
            _ => self.push_scalar(value, depth),
        }
    }

    fn push_scalar(&mut self, value: &AnyValue<'_>, depth: usize) {
        if let Some(text) = value.get_str() {
            return self.push_text(text, depth > 0);
        }
        match float(value) {
            Some(number) => self.text.push_str(&short_float(number)),
            None => self.text.push_str(&value.to_string()),
        }
    }

    fn push_text(&mut self, text: &str, quoted: bool) {
        let end = text.char_indices().map(|(start, _)| start).find(|&start| start > self.limit);
        let head = end.and_then(|end| text.get(..end)).unwrap_or(text);
        let quote = if quoted { "\"" } else { "" };
        self.text.extend([quote, head, quote]);
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        self.text.push_str(&bytes_in_words(bytes));
    }

    fn push_list(&mut self, items: &Series, depth: usize) {
        self.text.push('[');
        for position in 0..items.len().min(ITEMS) {
            self.text.push_str(if position == 0 { "" } else { ", " });
            match items.get(position) {
                Ok(item) => self.push(&item, depth + 1),
                Err(_) => self.text.push('?'),
            }
        }
        if items.len() > ITEMS {
            self.text.push_str(&format!(", … {} more", items.len() - ITEMS));
        }
        self.text.push(']');
    }

    fn push_fields<'a>(&mut self, fields: impl Iterator<Item = (&'a str, AnyValue<'a>)>, depth: usize) {
        self.text.push('{');
        for (position, (name, value)) in fields.enumerate() {
            self.text.push_str(if position == 0 { "" } else { ", " });
            self.push_text(name, false);
            self.text.push_str(": ");
            self.push(&value, depth + 1);
        }
        self.text.push('}');
    }
}

/// The number, if `value` is a float.
pub(super) fn float(value: &AnyValue<'_>) -> Option<f64> {
    match value {
        AnyValue::Float64(number) => Some(*number),
        AnyValue::Float32(number) => Some(f64::from(*number)),
        AnyValue::Float16(_) => value.extract::<f64>(),
        _ => None,
    }
}

/// The number, if `value` is numeric.
pub(super) fn number(value: &AnyValue<'_>) -> Option<f64> {
    if value.is_primitive_numeric() || matches!(value, AnyValue::Decimal(..)) { value.extract::<f64>() } else { None }
}

/// The bytes, if `value` is binary.
pub(super) fn binary<'a>(value: &'a AnyValue<'_>) -> Option<&'a [u8]> {
    match value {
        AnyValue::Binary(bytes) => Some(bytes),
        AnyValue::BinaryOwned(bytes) => Some(bytes),
        _ => None,
    }
}

/// The fields `bytes` and `path` of a struct as in Hugging Face image columns; `None` for anything else.
pub(super) fn image_struct(value: &AnyValue<'_>) -> Option<(Option<Vec<u8>>, Option<String>)> {
    let fields: Vec<(String, AnyValue<'_>)> = match value {
        AnyValue::Struct(_, _, fields) => {
            fields.iter().map(|field| field.name().to_string()).zip(value._iter_struct_av()).collect()
        }
        AnyValue::StructOwned(parts) => {
            parts.1.iter().map(|field| field.name().to_string()).zip(parts.0.iter().cloned()).collect()
        }
        _ => return None,
    };
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value);
    let bytes = field("bytes").and_then(binary).map(<[u8]>::to_vec);
    let path = field("path").and_then(AnyValue::get_str).map(str::to_owned);
    (bytes.is_some() || path.is_some()).then_some((bytes, path))
}

/// `12 bytes: 89 50 4e …`.
pub(super) fn bytes_in_words(bytes: &[u8]) -> String {
    let head: Vec<String> = bytes.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect();
    match bytes.len() {
        0 => "0 bytes".to_owned(),
        1 => format!("1 byte: {}", head.join(" ")),
        length if length <= BYTES => format!("{length} bytes: {}", head.join(" ")),
        length => format!("{length} bytes: {} …", head.join(" ")),
    }
}

/// Days since 1970-01-01 as `2024-02-29`.
fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Ticks since 1970-01-01 00:00 UTC. A column with a time zone is written in UTC and labeled as such.
fn datetime(ticks: i64, unit: TimeUnit, zoned: bool) -> String {
    let (per_second, places) = match unit {
        TimeUnit::Nanoseconds => (1_000_000_000, 9),
        TimeUnit::Microseconds => (1_000_000, 6),
        TimeUnit::Milliseconds => (1_000, 3),
    };
    let (seconds, fraction) = (ticks.div_euclid(per_second), ticks.rem_euclid(per_second));
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let mut text = format!("{} {:02}:{:02}:{:02}", date(day), second / 3_600, second / 60 % 60, second % 60);
    if fraction > 0 {
        let digits = format!(".{fraction:0places$}");
        text.push_str(digits.trim_end_matches('0'));
    }
    text.push_str(if zoned { " UTC" } else { "" });
    text
}
