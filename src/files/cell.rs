//! Cells in a form that CSV and JSON can represent.

use std::io::Write;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polars::prelude::*;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use super::moment;
use crate::corpus::internal;
use crate::error::Result;

/// Converts everything except strings, numbers, and Booleans to text.
pub(super) fn for_csv(frame: &DataFrame) -> Result<DataFrame> {
    let columns = frame.columns().iter().map(|column| match column.dtype() {
        DataType::String | DataType::Boolean | DataType::Float32 | DataType::Float64 => Ok(column.clone()),
        DataType::Int128 | DataType::UInt128 => text_column(column),
        dtype if dtype.is_integer() => Ok(column.clone()),
        _ => text_column(column),
    });
    let columns: Vec<Column> = columns.collect::<Result<_>>()?;
    DataFrame::new(frame.height(), columns).map_err(internal)
}

fn text_column(column: &Column) -> Result<Column> {
    let values = Values::of(column.as_materialized_series()).map_err(internal)?;
    let mut texts = StringChunkedBuilder::new(column.name().clone(), column.len());
    for row in 0..column.len() {
        match values.text(row).map_err(internal)? {
            Text::Null => texts.append_null(),
            Text::Plain(text) => texts.append_value(text),
            Text::Nested => texts.append_value(serde_json::to_string(&values.at(row)).map_err(internal)?),
        }
    }
    Ok(texts.finish().into_column())
}

/// The text of a string, or of a value that JSON has no type for.
fn text_of(value: &AnyValue<'_>) -> Option<String> {
    match value {
        AnyValue::Binary(bytes) => Some(STANDARD.encode(bytes)),
        AnyValue::BinaryOwned(bytes) => Some(STANDARD.encode(bytes)),
        AnyValue::Date(days) => Some(moment::date(i64::from(*days))),
        AnyValue::Datetime(at, unit, zone) => Some(moment::datetime(*at, *unit, zone.is_some())),
        AnyValue::DatetimeOwned(at, unit, zone) => Some(moment::datetime(*at, *unit, zone.is_some())),
        AnyValue::Time(nanoseconds) => Some(moment::time(*nanoseconds)),
        AnyValue::Duration(length, unit) => Some(moment::duration(*length, *unit)),
        AnyValue::Int128(_) | AnyValue::UInt128(_) | AnyValue::Decimal(..) => Some(value.to_string()),
        value => value.get_str().map(str::to_owned),
    }
}

/// Writes the rows as JSON objects: one per line, or in an array.
pub(super) fn write_json(frame: &DataFrame, out: &mut impl Write, lines: bool) -> std::io::Result<()> {
    if !lines {
        out.write_all(b"[")?;
    }
    write_json_rows(frame, out, lines, true)?;
    out.write_all(if lines { b"\n" } else { b"]\n" })
}

/// Writes the rows as JSON objects, with separators between them, and before the first unless it `is_first`.
pub(super) fn write_json_rows(
    frame: &DataFrame,
    out: &mut impl Write,
    lines: bool,
    is_first: bool,
) -> std::io::Result<()> {
    let columns = frame.columns().iter().map(|column| {
        let values = Values::of(column.as_materialized_series()).map_err(std::io::Error::other)?;
        Ok((column.name().as_str(), values))
    });
    let columns: Vec<(&str, Values)> = columns.collect::<std::io::Result<_>>()?;
    for row in 0..frame.height() {
        if row > 0 || !is_first {
            out.write_all(if lines { b"\n" } else { b",\n" })?;
        }
        serde_json::to_writer(&mut *out, &Row { columns: &columns, row })?;
    }
    Ok(())
}

struct Row<'a> {
    columns: &'a [(&'a str, Values)],
    row: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns.iter().map(|(name, values)| (name, values.at(self.row))))
    }
}

/// A column, unpacked once down to its leaf values. Polars would unpack every cell again at every level, which takes
/// time polynomial in the depth.
enum Values {
    Plain(Series),
    /// The ranges of the rows in the values; `None` for null.
    Lists(Vec<Option<Range<usize>>>, Box<Values>),
    /// The validity of each row, and the fields.
    Struct(Vec<bool>, Vec<(PlSmallStr, Values)>),
}

/// A cell in a text table.
enum Text {
    Null,
    Plain(String),
    Nested,
}

impl Values {
    fn of(series: &Series) -> PolarsResult<Self> {
        let series = series.rechunk();
        Ok(match series.dtype() {
            DataType::List(_) => {
                let lists = series.list()?;
                let offsets = lists.offsets()?;
                let (mut ranges, mut bounds) = (Vec::with_capacity(series.len()), offsets.buffer().iter());
                let mut start = bounds.next().map_or(0, |&first| first as usize);
                for (&end, is_null) in bounds.zip(lists.is_null().iter()) {
                    ranges.push((is_null != Some(true)).then_some(start..end as usize));
                    start = end as usize;
                }
                Values::Lists(ranges, Box::new(Values::of(&lists.get_inner())?))
            }
            DataType::Array(_, width) => {
                let arrays = series.array()?;
                let range = |(row, is_null): (usize, Option<bool>)| {
                    (is_null != Some(true)).then_some(row * width..(row + 1) * width)
                };
                let ranges = arrays.is_null().iter().enumerate().map(range).collect();
                Values::Lists(ranges, Box::new(Values::of(&arrays.get_inner())?))
            }
            DataType::Struct(_) => {
                let fields = series.struct_()?.fields_as_series();
                let fields = fields.iter().map(|field| Ok((field.name().clone(), Values::of(field)?)));
                let validity = series.is_not_null().iter().map(|is_valid| is_valid == Some(true)).collect();
                Values::Struct(validity, fields.collect::<PolarsResult<_>>()?)
            }
            _ => Values::Plain(series),
        })
    }

    fn at(&self, row: usize) -> Value<'_> {
        Value { values: self, row }
    }

    fn text(&self, row: usize) -> PolarsResult<Text> {
        let is_valid = match self {
            Values::Plain(series) => {
                let value = series.get(row)?;
                return Ok(match text_of(&value) {
                    _ if value.is_null() => Text::Null,
                    Some(text) => Text::Plain(text),
                    None => Text::Nested,
                });
            }
            Values::Lists(ranges, _) => ranges.get(row).is_some_and(Option::is_some),
            Values::Struct(validity, _) => validity.get(row) == Some(&true),
        };
        Ok(if is_valid { Text::Nested } else { Text::Null })
    }
}

/// A value as JSON: binary values as base64, and types without a JSON equivalent as text. Non-finite numbers are null.
struct Value<'a> {
    values: &'a Values,
    row: usize,
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.values {
            Values::Plain(series) => serialize_plain(serializer, &series.get(self.row).map_err(S::Error::custom)?),
            Values::Lists(ranges, inner) => match ranges.get(self.row).cloned().flatten() {
                Some(range) => serializer.collect_seq(range.map(|row| inner.at(row))),
                None => serializer.serialize_none(),
            },
            Values::Struct(validity, fields) => match validity.get(self.row) {
                Some(true) => {
                    serializer.collect_map(fields.iter().map(|(name, field)| (name.as_str(), field.at(self.row))))
                }
                _ => serializer.serialize_none(),
            },
        }
    }
}

fn serialize_plain<S: Serializer>(serializer: S, value: &AnyValue<'_>) -> std::result::Result<S::Ok, S::Error> {
    match value {
        AnyValue::Null => serializer.serialize_none(),
        AnyValue::Boolean(value) => serializer.serialize_bool(*value),
        AnyValue::String(text) => serializer.serialize_str(text),
        AnyValue::Float64(number) => serializer.serialize_f64(*number),
        // Through f32's own shortest form: 0.1_f32 stays 0.1.
        AnyValue::Float16(_) | AnyValue::Float32(_) => value.extract::<f32>().serialize(serializer),
        value => match text_of(value) {
            Some(text) => serializer.serialize_str(&text),
            None => serialize_integer(serializer, value),
        },
    }
}

fn serialize_integer<S: Serializer>(serializer: S, value: &AnyValue<'_>) -> std::result::Result<S::Ok, S::Error> {
    match (value.extract::<i64>(), value.extract::<u64>()) {
        (Some(number), _) => serializer.serialize_i64(number),
        (None, Some(number)) => serializer.serialize_u64(number),
        (None, None) => serializer.serialize_str(&value.to_string()),
    }
}
