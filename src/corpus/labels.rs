//! Classes of rows that are known beforehand.

use polars::prelude::*;

use super::{find, internal, wrong_type};
use crate::error::{Error, ErrorKind, Result, Stage};

/// Reads a column of whole numbers, nullable: the class of each row, -1 where it is null or unknown.
///
/// # Errors
/// Another type; a number below -1 or beyond Int32, with the row.
pub(super) fn read(frame: &DataFrame, name: &str) -> Result<Vec<i32>> {
    let column = find(frame, name)?;
    if !column.dtype().is_integer() && *column.dtype() != DataType::Null {
        return Err(wrong_type(column, "labels must be whole numbers, -1 or null where they are unknown"));
    }
    let cast = column.cast(&DataType::Int32).map_err(internal)?;
    let labels = cast.i32().map_err(internal)?;
    let is_lost = |row: &usize| match labels.get(*row) {
        Some(label) => label < -1,
        None => column.get(*row).is_ok_and(|value| !value.is_null()),
    };
    match (0..labels.len()).find(is_lost) {
        Some(row) => {
            let message = "a label must be -1 (unknown) or a number from 0 to 2147483647";
            Err(Error::new(ErrorKind::InvalidData, Stage::Input, message).with_column(name).with_row(row))
        }
        None => Ok(labels.iter().map(|label| label.unwrap_or(-1)).collect()),
    }
}
