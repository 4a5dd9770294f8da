//! Checks for finite values.

use ndarray::ArrayView2;

use crate::error::{Error, ErrorKind, Result, Stage};

/// Checks that every value is finite; `row` is called a `what`, such as `point`.
///
/// # Errors
/// `InvalidData` of `stage`, with the first row that has a NaN or infinite value.
pub(crate) fn check_finite(rows: ArrayView2<'_, f32>, stage: Stage, what: &str) -> Result<()> {
    match rows.rows().into_iter().position(|row| row.iter().any(|value| !value.is_finite())) {
        Some(row) => Err(not_finite(stage, what).with_row(row)),
        None => Ok(()),
    }
}

/// The error for a `what`, such as `point`, that has a NaN or infinite value.
pub(crate) fn not_finite(stage: Stage, what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, stage, format!("a {what} contains a NaN or infinite value"))
}

/// The hint for vectors that are not finite.
pub(crate) const EMBED_AGAIN: &str = "Remove the row or embed it again.";
