//! Checks for finite values.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::vectors::Vectors;
use crate::error::{Error, ErrorKind, Result, Stage};

/// The first of `rows` rows that contains a NaN or infinite value; `row` returns a row.
pub(crate) fn first_not_finite<'a, R: IntoIterator<Item = &'a f32>>(
    rows: usize,
    row: impl Fn(usize) -> R + Sync,
) -> Option<usize> {
    (0..rows).into_par_iter().find_first(|&number| row(number).into_iter().any(|value| !value.is_finite()))
}

/// Checks that every value is finite. Errors call a row a `what`, such as `point`.
///
/// # Errors
/// `InvalidData` of `stage`, with the first row that contains a NaN or infinite value.
pub(crate) fn check_finite(rows: ArrayView2<'_, f32>, stage: Stage, what: &str) -> Result<()> {
    match first_not_finite(rows.nrows(), |number| rows.row(number)) {
        Some(row) => Err(not_finite(stage, what).with_row(row)),
        None => Ok(()),
    }
}

/// Like [`check_finite`], for vectors, with a hint.
pub(crate) fn check_finite_vectors(vectors: &Vectors, stage: Stage) -> Result<()> {
    let reader = vectors.reader();
    match first_not_finite(vectors.rows(), |row| reader.row(row)) {
        Some(row) => Err(not_finite(stage, "vector").with_row(row).with_hint(EMBED_AGAIN)),
        None => Ok(()),
    }
}

/// The error for a `what`, such as `point`, that contains a NaN or infinite value.
fn not_finite(stage: Stage, what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, stage, format!("a {what} contains a NaN or infinite value"))
}

/// The hint for vectors that are not finite.
pub(crate) const EMBED_AGAIN: &str = "Remove the row or embed it again.";
