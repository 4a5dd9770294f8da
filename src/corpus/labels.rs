//! Known class labels of rows.

use polars::prelude::*;

use super::column::{find, internal, wrong_type};
use crate::error::{Error, ErrorKind, Result, Stage};

/// Reads a nullable integer column: the class label of each row, -1 if null or unknown.
///
/// # Errors
/// The column has another type, or a label is below -1 or out of range for Int32; then the error has the row.
pub(super) fn read(frame: &DataFrame, name: &str) -> Result<Vec<i32>> {
    let column = find(frame, name)?;
    if !column.dtype().is_integer() && *column.dtype() != DataType::Null {
        return Err(wrong_type(column, "labels must be integers, -1 or null if unknown"));
    }
    let cast = column.cast(&DataType::Int32).map_err(internal)?;
    let labels = cast.i32().map_err(internal)?;
    let is_lost = |row: &usize| match labels.get(*row) {
        Some(label) => label < -1,
        None => column.get(*row).is_ok_and(|value| !value.is_null()),
    };
    match (0..labels.len()).find(is_lost) {
        Some(row) => {
            let message = "a label must be -1 (unknown) or an integer from 0 to 2147483647";
            Err(Error::new(ErrorKind::InvalidData, Stage::Input, message).with_column(name).with_row(row))
        }
        None => Ok(labels.iter().map(|label| label.unwrap_or(-1)).collect()),
    }
}
