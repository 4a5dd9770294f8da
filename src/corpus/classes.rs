//! The classes of rows: the values of a column, of which a row of lists may have several.

use hashbrown::HashMap;
use polars::prelude::*;

use super::column::{find, internal, wrong_type};
use super::kind::{first_that_is_not_text, stored, texts};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};

/// The classes of each row.
#[derive(Debug, Clone)]
pub(crate) struct Classes {
    /// The distinct values, ascending: Strings, Int64 or Booleans.
    pub(crate) names: Column,
    /// The classes of all rows, each as its place in `names`; each class of a row once, ascending.
    members: Vec<u32>,
    /// Where the classes of each row start, and the end.
    starts: Vec<usize>,
}

impl Classes {
    /// Reads a column of texts, categories, integers or booleans, or of lists of these: a row is in each class of its
    /// list, once. A row with a null, or without values in its list, has no class.
    ///
    /// # Errors
    /// There is no such column, or it has another type.
    pub(crate) fn read(frame: &DataFrame, name: &str) -> Result<Self> {
        let column = stored(find(frame, name)?);
        let (values, starts) = match column.dtype() {
            DataType::Array(inner, _) => {
                let list = column.cast(&DataType::List(inner.clone())).map_err(internal)?;
                values_of_lists(&list)?
            }
            DataType::List(_) => values_of_lists(&column)?,
            _ => (column.clone(), (0..=column.len()).collect()),
        };
        let (of_values, names) = numbered(&values, &column)?;
        let mut classes = Classes { names, members: Vec::with_capacity(of_values.len()), starts: vec![0] };
        let mut of_row: Vec<u32> = Vec::new();
        for bounds in starts.windows(2) {
            let range = bounds.first().copied().unwrap_or(0)..bounds.last().copied().unwrap_or(0);
            of_row.clear();
            of_row.extend(of_values.get(range).unwrap_or_default().iter().flatten());
            of_row.sort_unstable();
            of_row.dedup();
            classes.members.extend_from_slice(&of_row);
            classes.starts.push(classes.members.len());
        }
        Ok(classes)
    }

    /// The number of classes.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The classes of a row, ascending.
    pub(crate) fn of(&self, row: usize) -> &[u32] {
        let range = match (self.starts.get(row), self.starts.get(row + 1)) {
            (Some(&start), Some(&end)) => start..end,
            _ => 0..0,
        };
        self.members.get(range).unwrap_or_default()
    }

    /// The names of these classes, as a column.
    pub(crate) fn column(&self, name: &str, classes: impl Iterator<Item = usize>) -> Result<Column> {
        let places: IdxCa = classes.map(|class| Some(class as IdxSize)).collect();
        Ok(self.names.take(&places).map_err(internal)?.with_name(name.into()))
    }
}

/// The values of all lists, and where those of each row start, with the end. Null rows have none.
fn values_of_lists(column: &Column) -> Result<(Column, Vec<usize>)> {
    let list = column.list().map_err(internal)?.rechunk().into_owned();
    let inner = list.get_inner();
    let mut places: Vec<IdxSize> = Vec::with_capacity(inner.len());
    let mut starts = Vec::with_capacity(list.len() + 1);
    starts.push(0);
    for chunk in list.downcast_iter() {
        let is_null = |row: usize| chunk.validity().is_some_and(|validity| !validity.get_bit(row));
        for (row, bounds) in chunk.offsets().buffer().windows(2).enumerate() {
            if let (&[start, end], false) = (bounds, is_null(row)) {
                places.extend((start..end).map(|place| place as IdxSize));
            }
            starts.push(places.len());
        }
    }
    let values = inner.take(&IdxCa::from_vec(PlSmallStr::EMPTY, places)).map_err(internal)?;
    Ok((values.into_column(), starts))
}

/// For each value, its place among the distinct ones, which are returned ascending. `column` is the user's.
fn numbered(values: &Column, column: &Column) -> Result<(Vec<Option<u32>>, Column)> {
    let dtype = values.dtype().clone();
    if dtype.is_integer() {
        let cast = values.cast(&DataType::Int64).map_err(internal)?;
        let numbers = cast.i64().map_err(internal)?;
        if numbers.null_count() != values.null_count() {
            return Err(wrong_type(column, "classes that are numbers must fit into 64 bits with a sign"));
        }
        let (of_values, names) = distinct(numbers.iter());
        return Ok((of_values, Column::new("Class".into(), names)));
    }
    if dtype == DataType::Boolean {
        let (of_values, names) = distinct(values.bool().map_err(internal)?.iter());
        return Ok((of_values, Column::new("Class".into(), names)));
    }
    let hint = || Hint::new("Cast it to String, or specify another column.").on_command_line("Specify another column.");
    match texts(values) {
        Some(texts) => {
            let (of_values, names) = distinct(texts.iter());
            Ok((of_values, Column::new("Class".into(), names)))
        }
        None if first_that_is_not_text(values).is_some() => {
            let message = "classes must be valid UTF-8, integers or booleans, or lists of these";
            let error = Error::new(ErrorKind::InvalidData, Stage::Input, message);
            Err(error.with_column(column.name().as_str()).with_hint(hint()))
        }
        None => {
            let message = "classes must be texts, categories, integers or booleans, or lists of these";
            Err(wrong_type(column, message).with_hint(hint()))
        }
    }
}

fn distinct<T: Copy + Ord + std::hash::Hash>(values: impl Iterator<Item = Option<T>>) -> (Vec<Option<u32>>, Vec<T>) {
    let mut known = HashMap::<T, u32>::new();
    let mut names: Vec<T> = Vec::new();
    let mut number = |value: T| {
        *known.entry(value).or_insert_with(|| {
            names.push(value);
            names.len() as u32 - 1
        })
    };
    let mut of_values: Vec<Option<u32>> = values.map(|value| value.map(&mut number)).collect();
    let mut order: Vec<u32> = (0..names.len() as u32).collect();
    order.sort_unstable_by_key(|&at| names[at as usize]);
    let mut place = vec![0; names.len()];
    order.iter().zip(0..).for_each(|(&at, sorted)| place[at as usize] = sorted);
    of_values.iter_mut().flatten().for_each(|number| *number = place[*number as usize]);
    names.sort_unstable();
    (of_values, names)
}
