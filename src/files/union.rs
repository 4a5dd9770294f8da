//! Parts of a table as one frame.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::parts::Kind;
use crate::corpus::{in_words, internal};
use crate::error::{Error, ErrorKind, Result, Stage, quoted};

/// A column of the whole: its type, and the part that it has it from.
struct Wanted {
    name: PlSmallStr,
    dtype: DataType,
    from: usize,
}

/// Reads `parts` by `read`, which takes the names of columns that are to stay text, one after the other.
pub(super) fn read_parts(
    parts: &[PathBuf],
    kind: Kind,
    text: &[&str],
    read: impl Fn(&Path, &[&str]) -> Result<DataFrame>,
) -> Result<DataFrame> {
    let mut frames: Vec<DataFrame> = parts.iter().map(|part| read(part, text)).collect::<Result<_>>()?;
    if kind == Kind::Delimited {
        read_again_as_text(parts, &mut frames, text, read)?;
    }
    let wanted = wanted_columns(parts, kind, &frames)?;
    let mut whole: Option<DataFrame> = None;
    for (part, frame) in parts.iter().zip(frames) {
        let columns = wanted.iter().map(|wanted| as_wanted(part, &frame, wanted, parts)).collect::<Result<Vec<_>>>()?;
        let frame = DataFrame::new(frame.height(), columns).map_err(internal)?;
        match &mut whole {
            Some(whole) => {
                whole.vstack_mut_owned(frame).map_err(internal)?;
            }
            None => whole = Some(frame),
        }
    }
    Ok(whole.unwrap_or_default())
}

/// In one part all values of a column may look like numbers, and in another not: then none of them are numbers, and the
/// parts that took them for that are read again.
fn read_again_as_text(
    parts: &[PathBuf],
    frames: &mut [DataFrame],
    text: &[&str],
    read: impl Fn(&Path, &[&str]) -> Result<DataFrame>,
) -> Result<()> {
    let mut types: BTreeMap<PlSmallStr, DataType> = BTreeMap::new();
    let mut mixed: BTreeSet<PlSmallStr> = BTreeSet::new();
    for column in frames.iter().flat_map(DataFrame::columns).filter(|column| !is_blank(column)) {
        let dtype = types.entry(column.name().clone()).or_insert_with(|| column.dtype().clone());
        if dtype != column.dtype() {
            mixed.insert(column.name().clone());
        }
    }
    if mixed.is_empty() {
        return Ok(());
    }
    let text: Vec<&str> = text.iter().copied().chain(mixed.iter().map(PlSmallStr::as_str)).collect();
    let is_text = |frame: &DataFrame, name: &str| frame.column(name).is_ok_and(|column| column.dtype().is_string());
    for (part, frame) in parts.iter().zip(frames) {
        if mixed.iter().any(|name| !is_text(frame, name)) {
            *frame = read(part, &text)?;
        }
    }
    Ok(())
}

fn is_blank(column: &Column) -> bool {
    column.null_count() == column.len()
}

/// The columns of the whole, in the order of the first part.
fn wanted_columns(parts: &[PathBuf], kind: Kind, frames: &[DataFrame]) -> Result<Vec<Wanted>> {
    let mut all: Vec<Wanted> = Vec::new();
    let mut places: BTreeMap<PlSmallStr, usize> = BTreeMap::new();
    for (from, (part, frame)) in parts.iter().zip(frames).enumerate() {
        if from > 0 && kind != Kind::Json {
            check_names(part, frame, parts, &places)?;
        }
        for column in frame.columns() {
            let dtype = if is_blank(column) && kind != Kind::Binary { &DataType::Null } else { column.dtype() };
            let Some(wanted) = places.get(column.name()).and_then(|&place| all.get_mut(place)) else {
                places.insert(column.name().clone(), all.len());
                all.push(Wanted { name: column.name().clone(), dtype: dtype.clone(), from });
                continue;
            };
            let both = widened(&wanted.dtype, dtype)
                .ok_or_else(|| other_type(part, column.name(), column.dtype(), wanted, parts))?;
            if both != wanted.dtype {
                *wanted = Wanted { name: wanted.name.clone(), dtype: both, from };
            }
        }
    }
    // A column without any value keeps the type that it was read with.
    for wanted in all.iter_mut().filter(|wanted| wanted.dtype == DataType::Null) {
        if let Some(column) = frames.get(wanted.from).and_then(|frame| frame.column(&wanted.name).ok()) {
            wanted.dtype = column.dtype().clone();
        }
    }
    Ok(all)
}

/// Parts have the same columns, in any order.
fn check_names(part: &Path, frame: &DataFrame, parts: &[PathBuf], places: &BTreeMap<PlSmallStr, usize>) -> Result<()> {
    let first = named(parts, 0);
    let differ = |message: String, column: &str| {
        Err(Error::new(ErrorKind::InvalidData, Stage::Input, message)
            .column(column)
            .path(part)
            .hint("Parts of one table have the same columns. Name those that belong together with a pattern."))
    };
    if let Some(missing) = places.keys().find(|name| frame.get_column_index(name).is_none()) {
        return differ(format!("this part does not have the column, and {first} has"), missing);
    }
    let more = frame.columns().iter().find(|column| !places.contains_key(column.name()));
    match more {
        Some(column) => differ(format!("this part has a column that {first} does not have"), column.name()),
        None => Ok(()),
    }
}

fn named(parts: &[PathBuf], part: usize) -> String {
    /// As much of a path as a message takes.
    const LONGEST: usize = 200;
    let path = parts.get(part).map(|path| path.display().to_string());
    quoted(&path.unwrap_or_default(), LONGEST)
}

fn other_type(part: &Path, name: &str, dtype: &DataType, wanted: &Wanted, parts: &[PathBuf]) -> Error {
    let message = format!(
        "the column holds {} in this part, and {} in {}",
        in_words(dtype),
        in_words(&wanted.dtype),
        named(parts, wanted.from)
    );
    Error::new(ErrorKind::WrongType, Stage::Input, message)
        .column(name)
        .path(part)
        .hint("Parts of one table have columns of the same types: write one of them again.")
}

/// The type that holds the values of both, if there is one that changes none of them (for whole numbers among others
/// that depends on their size: see [`as_wanted`]).
fn widened(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Array, Categorical, Enum, List, Null, String, Struct};
    match (a, b) {
        (a, b) if a == b => Some(a.clone()),
        (Null, other) | (other, Null) => Some(other.clone()),
        (String | Categorical(..) | Enum(..), String | Categorical(..) | Enum(..)) => Some(String),
        (a, b) if a.is_primitive_numeric() && b.is_primitive_numeric() => widened_number(a, b),
        (List(a), List(b)) => Some(List(Box::new(widened(a, b)?))),
        (Array(a, width), Array(b, other)) if width == other => Some(Array(Box::new(widened(a, b)?), *width)),
        (Array(a, _) | List(a), Array(b, _) | List(b)) => Some(List(Box::new(widened(a, b)?))),
        (Struct(a), Struct(b)) => Some(Struct(widened_fields(a, b)?)),
        _ => None,
    }
}

/// Whether a number fits is seen when it is cast.
fn widened_number(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    let later = |order: &[DataType]| {
        let place = |dtype: &DataType| order.iter().position(|other| other == dtype);
        order.get(place(a)?.max(place(b)?)).cloned()
    };
    if a.is_float() && b.is_float() {
        return later(&[DataType::Float16, Float32, Float64]);
    }
    let is_usual = |dtype: &DataType| !matches!(dtype, DataType::Int128 | DataType::UInt128);
    match (a.is_float() || b.is_float(), is_usual(a) && is_usual(b)) {
        (_, false) => None,
        (true, _) => Some(Float64),
        _ => later(&[Int8, Int16, Int32, Int64]).or_else(|| later(&[UInt8, UInt16, UInt32, UInt64])).or(Some(Int64)),
    }
}

/// The fields of both structs; one that only one of them has is null in the other.
fn widened_fields(a: &[Field], b: &[Field]) -> Option<Vec<Field>> {
    let of = |fields: &[Field], name: &PlSmallStr| fields.iter().find(|field| field.name() == name).cloned();
    let mut fields = Vec::with_capacity(a.len());
    for field in a {
        let dtype = match of(b, field.name()) {
            Some(other) => widened(field.dtype(), other.dtype())?,
            None => field.dtype().clone(),
        };
        fields.push(Field::new(field.name().clone(), dtype));
    }
    fields.extend(b.iter().filter(|field| of(a, field.name()).is_none()).cloned());
    Some(fields)
}

/// The column of a part as the whole has it: nulls where the part does not have it.
fn as_wanted(part: &Path, frame: &DataFrame, wanted: &Wanted, parts: &[PathBuf]) -> Result<Column> {
    let Ok(column) = frame.column(&wanted.name) else {
        return Ok(Column::full_null(wanted.name.clone(), frame.height(), &wanted.dtype));
    };
    if column.dtype() == &wanted.dtype {
        return Ok(column.clone());
    }
    let differs = || other_type(part, column.name(), column.dtype(), wanted, parts);
    let cast = column.strict_cast(&wanted.dtype).map_err(|_| differs())?;
    // Large whole numbers are not all among the floats.
    let back = cast.strict_cast(column.dtype()).map_err(|_| differs())?;
    match is_blank(column) || back.equals_missing(column) {
        true => Ok(cast),
        false => Err(differs()),
    }
}
