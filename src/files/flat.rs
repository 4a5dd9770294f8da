//! Nested and binary columns in a form that CSV and JSON can hold.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polars::prelude::*;
use serde_json::Value;

use crate::corpus::internal;
use crate::error::Result;

/// Lists, structs and binary cells as text; in a TSV, which has no quotes, tabs and line ends become spaces.
pub(super) fn for_csv(frame: &DataFrame, unquoted: bool) -> Result<DataFrame> {
    map_columns(frame, |column| match column.dtype() {
        DataType::String if unquoted => text_column(column, |value| one_line(&json_of(&value))),
        DataType::List(_) | DataType::Array(..) | DataType::Struct(_) => {
            text_column(column, |value| json_of(&value).to_string())
        }
        DataType::Binary => text_column(column, |value| match json_of(&value) {
            Value::String(text) => text,
            other => other.to_string(),
        }),
        _ => Ok(column.clone()),
    })
}

/// Binary cells as base64, arrays as lists.
pub(super) fn for_json(frame: &DataFrame) -> Result<DataFrame> {
    map_columns(frame, |column| match column.dtype() {
        DataType::Array(inner, _) => column.cast(&DataType::List(inner.clone())).map_err(internal),
        DataType::Binary => for_csv(&DataFrame::new(column.len(), vec![column.clone()]).map_err(internal)?, false)
            .and_then(|frame| frame.column(column.name()).cloned().map_err(internal)),
        _ => Ok(column.clone()),
    })
}

fn map_columns(frame: &DataFrame, change: impl Fn(&Column) -> Result<Column>) -> Result<DataFrame> {
    let columns: Vec<Column> = frame.columns().iter().map(change).collect::<Result<_>>()?;
    DataFrame::new(frame.height(), columns).map_err(internal)
}

fn text_column(column: &Column, to_text: impl Fn(AnyValue<'_>) -> String) -> Result<Column> {
    let mut texts = StringChunkedBuilder::new(column.name().clone(), column.len());
    for row in 0..column.len() {
        match column.get(row).map_err(internal)? {
            AnyValue::Null => texts.append_null(),
            value => texts.append_value(to_text(value)),
        }
    }
    Ok(texts.finish().into_column())
}

fn one_line(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.chars().map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c }).collect()
}

fn json_of(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(value) => Value::from(*value),
        AnyValue::String(text) => Value::from(*text),
        AnyValue::StringOwned(text) => Value::from(text.as_str()),
        AnyValue::Binary(bytes) => Value::from(STANDARD.encode(bytes)),
        AnyValue::BinaryOwned(bytes) => Value::from(STANDARD.encode(bytes)),
        AnyValue::List(list) | AnyValue::Array(list, _) => list.iter().map(|value| json_of(&value)).collect(),
        // Through f32's own shortest form: 0.1_f32 stays 0.1.
        AnyValue::Float32(number) => number.to_string().parse::<f64>().map_or(Value::Null, Value::from),
        AnyValue::Float64(number) => Value::from(*number),
        value if value.dtype().is_integer() => value.extract::<i64>().map_or(Value::Null, Value::from),
        AnyValue::Struct(..) | AnyValue::StructOwned(_) => json_of_struct(value),
        other => Value::from(other.to_string()),
    }
}

fn json_of_struct(value: &AnyValue<'_>) -> Value {
    let names: Vec<String> = match value.dtype() {
        DataType::Struct(fields) => fields.iter().map(|field| field.name().to_string()).collect(),
        _ => Vec::new(),
    };
    let values: Vec<Value> = match value {
        AnyValue::Struct(..) => value._iter_struct_av().map(|field| json_of(&field)).collect(),
        AnyValue::StructOwned(fields) => fields.0.iter().map(json_of).collect(),
        _ => Vec::new(),
    };
    names.into_iter().zip(values).collect()
}
