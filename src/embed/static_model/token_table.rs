//! A vector for each token, and their weighted mean for a text.

use crate::linalg::vectors::scale_to_unit;
use std::borrow::Cow;

/// The values of a [`TokenTable`], row by row.
#[derive(Debug)]
pub(super) enum Rows {
    /// Signed bytes, as `u8` so that compiled-in data can be borrowed; each token's factor includes the scale.
    Int8(Cow<'static, [u8]>),
    /// Single precision.
    Float(Vec<f32>),
}

/// Token vectors: row `mapping[token]` (or `token` itself), times `factors[token]`.
///
/// The constructors in the sibling modules ensure that every row that a token refers to exists.
#[derive(Debug)]
pub(super) struct TokenTable {
    pub(super) dimensions: usize,
    pub(super) rows: Rows,
    pub(super) factors: Vec<f32>,
    pub(super) mapping: Option<Vec<u32>>,
}

impl TokenTable {
    /// Writes the mean of the vectors of `tokens` into `out` and normalizes it to length 1; zeros if there are no
    /// tokens, or if they cancel out. Tokens are added in order, so the result is the same everywhere.
    pub(super) fn pool(&self, tokens: &[u32], out: &mut [f32]) {
        out.fill(0.0);
        for &token in tokens {
            let row = match &self.mapping {
                Some(mapping) => mapping[token as usize] as usize,
                None => token as usize,
            };
            let range = row * self.dimensions..(row + 1) * self.dimensions;
            let factor = self.factors[token as usize];
            match &self.rows {
                Rows::Int8(bytes) => add_bytes(out, &bytes[range], factor),
                Rows::Float(values) => add_floats(out, &values[range], factor),
            }
        }
        normalize(out);
    }
}

fn add_bytes(out: &mut [f32], row: &[u8], factor: f32) {
    for (sum, &byte) in out.iter_mut().zip(row) {
        *sum += factor * f32::from(byte as i8);
    }
}

fn add_floats(out: &mut [f32], row: &[f32], factor: f32) {
    for (sum, &value) in out.iter_mut().zip(row) {
        *sum += factor * value;
    }
}

/// Normalizes to length 1. The number of tokens cancels out, so a sum works as well as a mean.
fn normalize(vector: &mut [f32]) {
    if !scale_to_unit(vector).is_finite() {
        vector.fill(0.0);
    }
}
