//! Checks of what an embedder returned: any embedder may be user-defined.

use ndarray::Array2;

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::finite::first_not_finite;

/// Checks that an embedder returned one finite vector for each of `inputs` inputs; `what` is `texts` or `images`, and
/// `row` returns the row of an input, if it has one.
///
/// # Errors
/// `InvalidData` of `stage`, with the row of the first vector that has a NaN or infinite value.
pub(crate) fn check_vectors(
    vectors: &Array2<f32>,
    inputs: usize,
    what: &str,
    stage: Stage,
    row: impl Fn(usize) -> Option<usize>,
) -> Result<()> {
    let (count, dimensions) = vectors.dim();
    if count != inputs || (dimensions == 0 && inputs > 0) {
        let message = format!("the embedder returned {count} vectors with {dimensions} dimensions for {inputs} {what}");
        return Err(Error::new(ErrorKind::InvalidData, stage, message));
    }
    let Some(broken) = first_not_finite(count, |vector| vectors.row(vector)) else { return Ok(()) };
    let message = "the embedder returned a vector with a NaN or infinite value";
    let error = Error::new(ErrorKind::InvalidData, stage, message);
    Err(match row(broken) {
        Some(row) => error.with_row(row),
        None => error,
    })
}
