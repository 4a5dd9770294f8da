//! Combining the parts of a table into one frame.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::LONGEST_NAME;
use super::budget::Missing;
use super::format::{compressed_ending, format_of};
use super::options::ReadOptions;
use super::parts::Kind;
use super::single::read_as;
use crate::corpus::{describe_type, internal};
use crate::error::{Error, ErrorKind, Result, Stage, quoted};
use crate::progress::Progress;

/// A column of the combined frame: its type, and the part that determined the type.
struct Wanted {
    name: PlSmallStr,
    dtype: DataType,
    from: usize,
}

/// The concatenated rows of `parts`.
pub(super) fn read_parts(parts: &[PathBuf], kind: Kind, options: &ReadOptions) -> Result<DataFrame> {
    let options = ReadOptions { keeps_null: true, ..options.clone() };
    let mut frames: Vec<DataFrame> = parts.iter().map(|part| read_part(part, &options)).collect::<Result<_>>()?;
    if kind == Kind::Delimited {
        read_again_as_text(parts, &mut frames, options)?;
    }
    let wanted = wanted_columns(parts, kind, &frames)?;
    check_missing(parts, kind, &frames, &wanted)?;
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

fn read_part(part: &Path, options: &ReadOptions) -> Result<DataFrame> {
    read_as(part, format_of(part, Stage::Input)?, options)
}

/// All values of a column may look like numbers in one part but not in another. Such a column is String, so the parts
/// that read it as numbers are read again.
fn read_again_as_text(parts: &[PathBuf], frames: &mut [DataFrame], options: ReadOptions) -> Result<()> {
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
    // All notes were reported on the first read.
    let mixed_names = mixed.iter().map(PlSmallStr::to_string).collect();
    let options = ReadOptions { mixed: mixed_names, progress: Progress::silent(), ..options };
    let is_text = |frame: &DataFrame, name: &str| frame.column(name).is_ok_and(|column| column.dtype().is_string());
    for (part, frame) in parts.iter().zip(frames) {
        if mixed.iter().any(|name| !is_text(frame, name)) {
            *frame = read_part(part, &options)?;
        }
    }
    Ok(())
}

fn is_blank(column: &Column) -> bool {
    column.null_count() == column.len()
}

/// The columns of the combined frame, in the order of the first part.
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
    // A column without values keeps the type that it was read with; in JSON, where any type would do, that is String.
    for wanted in all.iter_mut().filter(|wanted| kind == Kind::Json || wanted.dtype == DataType::Null) {
        if kind == Kind::Json {
            wanted.dtype = null_as_text(&wanted.dtype);
        } else if let Some(column) = frames.get(wanted.from).and_then(|frame| frame.column(&wanted.name).ok()) {
            wanted.dtype = column.dtype().clone();
        }
    }
    Ok(all)
}

/// Checks that the parts have the same columns, in any order.
fn check_names(part: &Path, frame: &DataFrame, parts: &[PathBuf], places: &BTreeMap<PlSmallStr, usize>) -> Result<()> {
    let first = named(parts, 0);
    let differ = |message: String, column: &str| {
        Err(Error::new(ErrorKind::InvalidData, Stage::Input, message).with_column(column).with_path(part).with_hint(
            "All parts of a table must have the same columns. Select the files that belong together with a pattern.",
        ))
    };
    if let Some(missing) = places.keys().find(|name| frame.get_column_index(name).is_none()) {
        return differ(format!("this part lacks a column that {first} has"), missing);
    }
    let more = frame.columns().iter().find(|column| !places.contains_key(column.name()));
    match more {
        Some(column) => differ(format!("this part has a column that {first} lacks"), column.name()),
        None => Ok(()),
    }
}

/// Rejects parts with few fields in common: fields that a part lacks are null in all its rows.
fn check_missing(parts: &[PathBuf], kind: Kind, frames: &[DataFrame], wanted: &[Wanted]) -> Result<()> {
    /// The assumed number of text bytes per byte of a compressed file.
    const PACKED: u64 = 8;
    let length = |part: &PathBuf| {
        let bytes = std::fs::metadata(part).map_or(0, |metadata| metadata.len());
        if kind == Kind::Binary || compressed_ending(part).is_some() { bytes.saturating_mul(PACKED) } else { bytes }
    };
    let mut missing = Missing::of(parts.iter().map(length).fold(0, u64::saturating_add));
    for (part, frame) in parts.iter().zip(frames) {
        let cells = wanted.iter().map(|wanted| match frame.column(&wanted.name) {
            Ok(column) => missing_cells(column.as_materialized_series(), &wanted.dtype),
            Err(_) => nulls_in_a_row(&wanted.dtype).saturating_mul(frame.height() as u64),
        });
        if !missing.take(cells.fold(0, u64::saturating_add)) {
            let message = format!(
                "this part lacks most of the fields that other parts have: more than {missing} values \
                 are missing so far"
            );
            return Err(Error::new(ErrorKind::InvalidData, Stage::Input, message).with_path(part).with_hint(
                "Use the same field names in all parts, or select the parts that belong together with a pattern.",
            ));
        }
    }
    Ok(())
}

/// The number of nulls needed to convert a column to the type `wanted`.
fn missing_cells(column: &Series, wanted: &DataType) -> u64 {
    use DataType::{List, Null, Struct};
    let length = column.len() as u64;
    match (column.dtype(), wanted) {
        (a, b) if a == b => 0,
        (Null, wanted) => nulls_in_a_row(wanted).saturating_mul(length),
        (List(_), List(inner)) => column.list().map_or(0, |lists| missing_cells(&lists.get_inner(), inner)),
        (Struct(_), Struct(wanted)) => {
            let fields = column.struct_().map(|column| column.fields_as_series()).unwrap_or_default();
            let cells = wanted.iter().map(|wanted| match fields.iter().find(|field| field.name() == wanted.name()) {
                Some(field) => missing_cells(field, wanted.dtype()),
                None => nulls_in_a_row(wanted.dtype()).saturating_mul(length),
            });
            cells.fold(0, u64::saturating_add)
        }
        _ => 0,
    }
}

/// The number of values in a null of the type.
fn nulls_in_a_row(dtype: &DataType) -> u64 {
    match dtype {
        DataType::Struct(fields) => {
            fields.iter().map(|field| nulls_in_a_row(field.dtype())).fold(1, u64::saturating_add)
        }
        DataType::Array(inner, width) => nulls_in_a_row(inner).saturating_mul(*width as u64),
        _ => 1,
    }
}

fn named(parts: &[PathBuf], part: usize) -> String {
    /// The maximum length of a path in a message.
    const MAX_LENGTH: usize = 200;
    let path = parts.get(part).map(|path| path.display().to_string());
    quoted(&path.unwrap_or_default(), MAX_LENGTH)
}

fn other_type(part: &Path, name: &str, dtype: &DataType, wanted: &Wanted, parts: &[PathBuf]) -> Error {
    let mut path = Vec::new();
    let (found, expected) = differing(dtype, &wanted.dtype, &mut path);
    let place = match path.is_empty() {
        true => "the column".to_owned(),
        false => format!("the field `{}` of the column", quoted(&path.join("."), LONGEST_NAME)),
    };
    let message = format!(
        "{place} contains {} in this part, but {} in {}",
        describe_type(found),
        describe_type(expected),
        named(parts, wanted.from)
    );
    Error::new(ErrorKind::WrongType, Stage::Input, message)
        .with_column(name)
        .with_path(part)
        .with_hint("All parts of a table must have the same column types: rewrite one of them.")
}

/// The innermost types without a common type, and the path of fields to them.
fn differing<'a>(a: &'a DataType, b: &'a DataType, path: &mut Vec<&'a str>) -> (&'a DataType, &'a DataType) {
    match (a, b) {
        (DataType::List(inner_a), DataType::List(inner_b)) if widened(inner_a, inner_b).is_none() => {
            differing(inner_a, inner_b, path)
        }
        (DataType::Struct(fields_a), DataType::Struct(fields_b)) => {
            let mut pairs = fields_a.iter().filter_map(|field| Some((field, field_of(fields_b, field.name())?)));
            match pairs.find(|(a, b)| widened(a.dtype(), b.dtype()).is_none()) {
                Some((a, b)) => {
                    path.push(a.name().as_str());
                    differing(a.dtype(), b.dtype(), path)
                }
                None => (a, b),
            }
        }
        _ => (a, b),
    }
}

fn field_of<'a>(fields: &'a [Field], name: &PlSmallStr) -> Option<&'a Field> {
    fields.iter().find(|field| field.name() == name)
}

/// The common type of both, if the conversion is lossless (which may depend on the size of the values, as for integers:
/// see [`as_wanted`]).
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

/// Whether a number fits is checked when it is cast.
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

/// The fields of both structs; a field that only one of them has is null in the other.
fn widened_fields(a: &[Field], b: &[Field]) -> Option<Vec<Field>> {
    let mut fields = Vec::with_capacity(a.len());
    for field in a {
        let dtype = match field_of(b, field.name()) {
            Some(other) => widened(field.dtype(), other.dtype())?,
            None => field.dtype().clone(),
        };
        fields.push(Field::new(field.name().clone(), dtype));
    }
    fields.extend(b.iter().filter(|field| field_of(a, field.name()).is_none()).cloned());
    Some(fields)
}

/// `dtype`, in which all-null types are replaced with the corresponding types in `whole`, at any depth.
fn filled(dtype: &DataType, whole: &DataType) -> DataType {
    use DataType::{List, Null, Struct};
    match (dtype, whole) {
        (Null, whole) => whole.clone(),
        (List(inner), List(whole)) => List(Box::new(filled(inner, whole))),
        (Struct(fields), Struct(whole)) => {
            let filled = |field: &Field| match field_of(whole, field.name()) {
                Some(whole) => Field::new(field.name().clone(), filled(field.dtype(), whole.dtype())),
                None => field.clone(),
            };
            Struct(fields.iter().map(filled).collect())
        }
        (other, _) => other.clone(),
    }
}

/// `dtype`, in which all-null types are replaced with String, as when a single JSON file is read.
fn null_as_text(dtype: &DataType) -> DataType {
    let of_field = |field: &Field| Field::new(field.name().clone(), null_as_text(field.dtype()));
    match dtype {
        DataType::Null => DataType::String,
        DataType::List(inner) => DataType::List(Box::new(null_as_text(inner))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(of_field).collect()),
        other => other.clone(),
    }
}

/// The column of a part with the type in the combined frame; all null if the part lacks it.
fn as_wanted(part: &Path, frame: &DataFrame, wanted: &Wanted, parts: &[PathBuf]) -> Result<Column> {
    let Ok(column) = frame.column(&wanted.name) else {
        return Ok(Column::full_null(wanted.name.clone(), frame.height(), &wanted.dtype));
    };
    if column.dtype() == &wanted.dtype {
        return Ok(column.clone());
    }
    let differs = || other_type(part, column.name(), column.dtype(), wanted, parts);
    // Replace the type Null, since values cannot be cast back to it.
    let column = &column.cast(&filled(column.dtype(), &wanted.dtype)).map_err(|_| differs())?;
    let cast = column.strict_cast(&wanted.dtype).map_err(|_| differs())?;
    // Not all large integers can be represented as floats.
    let back = cast.strict_cast(column.dtype()).map_err(|_| differs())?;
    match is_blank(column) || back.equals_missing(column) {
        true => Ok(cast),
        false => Err(differs()),
    }
}
