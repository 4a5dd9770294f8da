//! Column types: reading a column as text or bytes, and describing its type in words.

use polars::prelude::*;

/// The column in its storage type, if its type is an extension type (`arrow.json`, `arrow.fixed_shape_tensor`, or
/// user-defined).
pub(super) fn stored(column: &Column) -> Column {
    match column.dtype() {
        DataType::Extension(..) => stored(&column.as_materialized_series().to_storage().clone().into_column()),
        _ => column.clone(),
    }
}

/// The texts of a column of any type that can contain text: String, Categorical, Enum, Binary with valid UTF-8, and
/// Null (a column without values may have lost its type).
pub(super) fn texts(column: &Column) -> Option<StringChunked> {
    let column = stored(column);
    match column.dtype() {
        DataType::String => column.str().ok().cloned(),
        DataType::Null | DataType::Categorical(..) | DataType::Enum(..) | DataType::Binary | DataType::BinaryOffset => {
            column.strict_cast(&DataType::String).ok()?.str().ok().cloned()
        }
        _ => None,
    }
}

/// The first row of a binary column that is not valid UTF-8.
pub(super) fn first_that_is_not_text(column: &Column) -> Option<usize> {
    let is_other = |bytes: Option<&[u8]>| bytes.is_some_and(|bytes| std::str::from_utf8(bytes).is_err());
    bytes(column)?.iter().position(is_other)
}

/// The bytes of a binary column.
pub(super) fn bytes(column: &Column) -> Option<BinaryChunked> {
    let column = stored(column);
    match column.dtype() {
        DataType::Binary => column.binary().ok().cloned(),
        DataType::BinaryOffset => column.cast(&DataType::Binary).ok()?.binary().ok().cloned(),
        _ => None,
    }
}

/// The maximum number of nesting levels that are spelled out.
const SPELLED_OUT: usize = 3;

/// What a column of this type contains, for messages: plain words, with the name of the type if it is one that users
/// know.
pub(crate) fn describe_type(dtype: &DataType) -> String {
    spelled(dtype, SPELLED_OUT)
}

fn spelled(dtype: &DataType, depth: usize) -> String {
    let inner = |dtype: &DataType| match depth {
        0 => "nested values".to_owned(),
        _ => spelled(dtype, depth - 1),
    };
    match dtype {
        DataType::String => "strings".to_owned(),
        DataType::Categorical(..) | DataType::Enum(..) => "categories".to_owned(),
        DataType::Boolean => "booleans".to_owned(),
        DataType::Null => "only nulls".to_owned(),
        DataType::Binary | DataType::BinaryOffset => "bytes (Binary)".to_owned(),
        DataType::Date => "dates".to_owned(),
        DataType::Time => "times of day".to_owned(),
        DataType::Datetime(..) => "timestamps (Datetime)".to_owned(),
        DataType::Duration(_) => "durations".to_owned(),
        DataType::Decimal(..) => "decimals".to_owned(),
        DataType::List(item) => format!("lists of {}", inner(item)),
        DataType::Array(item, width) => format!("arrays of {width} {}", inner(item)),
        DataType::Struct(fields) => format!("structs of {}", fields_in_words(fields)),
        DataType::Extension(extension, storage) => {
            format!("the extension type `{}`, stored as {}", extension.name(), inner(storage))
        }
        number => number_in_words(number),
    }
}

fn number_in_words(dtype: &DataType) -> String {
    let name = match dtype {
        DataType::Float16 => "Float16",
        DataType::Float32 => "Float32",
        DataType::Float64 => "Float64",
        DataType::Int8 => "Int8",
        DataType::Int16 => "Int16",
        DataType::Int32 => "Int32",
        DataType::Int64 => "Int64",
        DataType::Int128 => "Int128",
        DataType::UInt8 => "UInt8",
        DataType::UInt16 => "UInt16",
        DataType::UInt32 => "UInt32",
        DataType::UInt64 => "UInt64",
        _ => return "values of an unknown type".to_owned(),
    };
    let whole = if dtype.is_float() { "" } else { "whole " };
    format!("{whole}numbers ({name})")
}

/// The names of a struct's fields, as many as fit on a line.
fn fields_in_words(fields: &[Field]) -> String {
    const MAX_LISTED: usize = 5;
    let names: Vec<String> = fields.iter().take(MAX_LISTED).map(|field| format!("`{}`", field.name())).collect();
    match fields.len() {
        0 => "nothing".to_owned(),
        n if n <= MAX_LISTED => names.join(", "),
        n => format!("{} and {} more", names.join(", "), n - MAX_LISTED),
    }
}
