//! A cell in a form that CSV and JSON can hold.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polars::prelude::*;
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};

use super::moment;
use crate::corpus::internal;
use crate::error::Result;

/// Only texts, numbers and truth values: everything else as text.
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
    let mut texts = StringChunkedBuilder::new(column.name().clone(), column.len());
    for row in 0..column.len() {
        let value = column.get(row).map_err(internal)?;
        match text_of(&value) {
            _ if value.is_null() => texts.append_null(),
            Some(text) => texts.append_value(text),
            None => texts.append_value(serde_json::to_string(&Cell(value)).map_err(internal)?),
        }
    }
    Ok(texts.finish().into_column())
}

/// The text of a value that is a text, or that JSON has no type for.
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

/// Writes the rows as JSON objects: one a line, or in an array.
pub(super) fn write_json(frame: &DataFrame, out: &mut impl Write, lines: bool) -> std::io::Result<()> {
    if !lines {
        out.write_all(b"[")?;
    }
    for row in 0..frame.height() {
        if row > 0 {
            out.write_all(if lines { b"\n" } else { b",\n" })?;
        }
        serde_json::to_writer(&mut *out, &Row { frame, row })?;
    }
    out.write_all(if lines { b"\n" } else { b"]\n" })
}

struct Row<'a> {
    frame: &'a DataFrame,
    row: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.frame.width()))?;
        for column in self.frame.columns() {
            let value = column.get(self.row).map_err(S::Error::custom)?;
            map.serialize_entry(column.name().as_str(), &Cell(value))?;
        }
        map.end()
    }
}

/// A value as JSON: binary as base64, and what JSON has no type for as text. Numbers that are not finite are null.
struct Cell<'a>(AnyValue<'a>);

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match &self.0 {
            AnyValue::Null => serializer.serialize_none(),
            AnyValue::Boolean(value) => serializer.serialize_bool(*value),
            AnyValue::String(text) => serializer.serialize_str(text),
            AnyValue::List(list) | AnyValue::Array(list, _) => serializer.collect_seq(list.iter().map(Cell)),
            AnyValue::Struct(_, _, fields) => serialize_struct(serializer, fields, self.0._iter_struct_av()),
            AnyValue::StructOwned(parts) => serialize_struct(serializer, &parts.1, parts.0.iter().cloned()),
            AnyValue::Float64(number) => serializer.serialize_f64(*number),
            // Through f32's own shortest form: 0.1_f32 stays 0.1.
            AnyValue::Float16(_) | AnyValue::Float32(_) => self.0.extract::<f32>().serialize(serializer),
            value => match text_of(value) {
                Some(text) => serializer.serialize_str(&text),
                None => serialize_integer(serializer, value),
            },
        }
    }
}

fn serialize_integer<S: Serializer>(serializer: S, value: &AnyValue<'_>) -> std::result::Result<S::Ok, S::Error> {
    match (value.extract::<i64>(), value.extract::<u64>()) {
        (Some(number), _) => serializer.serialize_i64(number),
        (None, Some(number)) => serializer.serialize_u64(number),
        (None, None) => serializer.serialize_str(&value.to_string()),
    }
}

fn serialize_struct<'a, S: Serializer>(
    serializer: S,
    fields: &[Field],
    values: impl Iterator<Item = AnyValue<'a>>,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|field| field.name().as_str()).zip(values.map(Cell)))
}
