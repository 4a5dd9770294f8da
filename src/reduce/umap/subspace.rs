//! Blocks of vectors that are rotated toward the leading eigenvectors of a large symmetric operator.

use rayon::prelude::*;

use super::counter_rng::{key, symmetric_unit};
use crate::linalg::symmetric_eigen::symmetric_eigen;

/// Vectors that are multiplied together: widths are multiples of this.
pub(super) const GROUP: usize = 8;

/// Rows whose products are summed by one thread; the partial sums are added in order, regardless of the number of
/// threads.
pub(super) const ROWS_AT_A_TIME: usize = 2048;

/// Directions shorter than this fraction of the longest (squared) are lost to rounding and dropped.
const LOST: f64 = 1e-9;

/// `width` vectors of `rows` values, stored row by row.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) values: Vec<f32>,
    pub(super) width: usize,
}

impl Block {
    pub(super) fn zeros(rows: usize, width: usize) -> Block {
        Block { values: vec![0.0; rows * width], width }
    }

    /// Random values from -1 to 1 that depend only on `seed`.
    pub(super) fn random(rows: usize, width: usize, seed: u64) -> Block {
        let mut block = Block::zeros(rows, width);
        block.values.par_chunks_mut(width).enumerate().for_each(|(row, values)| {
            let key = key(seed, 0x5eed, row as u64);
            for (column, value) in values.iter_mut().enumerate() {
                *value = symmetric_unit(key, column as u64);
            }
        });
        block
    }

    /// Projects out the unit vector `direction`.
    pub(super) fn deflate(&mut self, direction: &[f32]) {
        let width = self.width;
        let chunk = ROWS_AT_A_TIME * width;
        let parts = self.values.par_chunks(chunk).zip(direction.par_chunks(ROWS_AT_A_TIME));
        let parts: Vec<Vec<f64>> = parts
            .map(|(values, direction)| {
                let mut sums = vec![0.0_f64; width];
                for (row, &along) in values.chunks_exact(width).zip(direction) {
                    for (sum, &value) in sums.iter_mut().zip(row) {
                        *sum += f64::from(value) * f64::from(along);
                    }
                }
                sums
            })
            .collect();
        let shares = add_in_order(parts, width);
        self.values.par_chunks_mut(chunk).zip(direction.par_chunks(ROWS_AT_A_TIME)).for_each(|(values, direction)| {
            for (row, &along) in values.chunks_exact_mut(width).zip(direction) {
                for (value, share) in row.iter_mut().zip(&shares) {
                    *value = (f64::from(*value) - share * f64::from(along)) as f32;
                }
            }
        });
    }

    /// All inner products of a vector of this block with one of `other`: width x width, row-major.
    fn products(&self, other: &Block) -> Vec<f64> {
        let width = self.width;
        let chunk = ROWS_AT_A_TIME * width;
        let parts = self.values.par_chunks(chunk).zip(other.values.par_chunks(chunk));
        let parts: Vec<Vec<f64>> = parts
            .map(|(left, right)| {
                let mut sums = vec![0.0_f64; width * width];
                for (left, right) in left.chunks_exact(width).zip(right.chunks_exact(width)) {
                    for (sums, &a) in sums.chunks_exact_mut(width).zip(left) {
                        for (sum, &b) in sums.iter_mut().zip(right) {
                            *sum += f64::from(a) * f64::from(b);
                        }
                    }
                }
                sums
            })
            .collect();
        add_in_order(parts, width * width)
    }

    /// Replaces the vectors by linear combinations of them: vector j by the sum of vector i times `mix[i * width + j]`.
    fn combine(&mut self, mix: &[f64]) {
        let width = self.width;
        self.values.par_chunks_mut(ROWS_AT_A_TIME * width).for_each(|rows| {
            let mut combined = vec![0.0_f64; width];
            for row in rows.chunks_exact_mut(width) {
                combined.fill(0.0);
                for (&value, mix) in row.iter().zip(mix.chunks_exact(width)) {
                    for (to, &share) in combined.iter_mut().zip(mix) {
                        *to += f64::from(value) * share;
                    }
                }
                for (value, &from) in row.iter_mut().zip(&combined) {
                    *value = from as f32;
                }
            }
        });
    }
}

/// The result of a Rayleigh-Ritz step.
#[derive(Debug)]
pub(super) struct Ritz {
    /// The eigenvalues, largest first, one per linearly independent vector of the block.
    pub(super) values: Vec<f64>,
    /// The residual of each vector as an eigenvector: the norm of S x - value · x for x of unit length.
    pub(super) residuals: Vec<f64>,
}

/// Rotates `block` and its `image` under the operator so that the block's vectors are orthonormal and the best
/// approximations of eigenvectors within its span, in order of decreasing eigenvalue. Linearly dependent vectors become
/// zeros, at the end.
pub(super) fn rayleigh_ritz(block: &mut Block, image: &mut Block) -> Ritz {
    let width = block.width;
    let gram = block.products(block);
    let scales: Vec<f64> = (0..width).map(|i| gram[i * width + i].max(f64::MIN_POSITIVE).sqrt().recip()).collect();
    let scales: Vec<f64> = scales.into_iter().map(|scale| if scale < 1e140 { scale } else { 0.0 }).collect();
    let scaled: Vec<f64> = (0..width * width).map(|at| gram[at] * scales[at / width] * scales[at % width]).collect();
    let (lengths, axes) = symmetric_eigen(&scaled, width);
    let kept = lengths.iter().take_while(|&&length| length > LOST * lengths[0].max(f64::MIN_POSITIVE)).count();
    // Orthonormal combinations of the vectors, as columns; the lost ones stay zero.
    let mut basis = vec![0.0; width * width];
    for i in 0..width {
        for j in 0..kept {
            basis[i * width + j] = scales[i] * axes[i * width + j] / lengths[j].sqrt();
        }
    }
    let projected = multiply(&transposed(&basis, width), &multiply(&block.products(image), &basis, width), width);
    let symmetric: Vec<f64> = (0..kept * kept)
        .map(|at| (at / kept, at % kept))
        .map(|(i, j)| 0.5 * (projected[i * width + j] + projected[j * width + i]))
        .collect();
    let (values, turned) = symmetric_eigen(&symmetric, kept);
    let mut turn = vec![0.0; width * width];
    for i in 0..kept {
        turn[i * width..i * width + kept].copy_from_slice(&turned[i * kept..(i + 1) * kept]);
    }
    let mix = multiply(&basis, &turn, width);
    block.combine(&mix);
    image.combine(&mix);
    let residuals = residuals(block, image, &values);
    Ritz { values, residuals }
}

fn residuals(block: &Block, image: &Block, values: &[f64]) -> Vec<f64> {
    let width = block.width;
    let chunk = ROWS_AT_A_TIME * width;
    let parts = block.values.par_chunks(chunk).zip(image.values.par_chunks(chunk));
    let parts: Vec<Vec<f64>> = parts
        .map(|(block, image)| {
            let mut sums = vec![0.0_f64; values.len()];
            for (x, y) in block.chunks_exact(width).zip(image.chunks_exact(width)) {
                for (((sum, value), &x), &y) in sums.iter_mut().zip(values).zip(x).zip(y) {
                    let off = f64::from(y) - value * f64::from(x);
                    *sum += off * off;
                }
            }
            sums
        })
        .collect();
    add_in_order(parts, values.len()).into_iter().map(f64::sqrt).collect()
}

fn add_in_order(parts: Vec<Vec<f64>>, length: usize) -> Vec<f64> {
    let mut total = vec![0.0; length];
    for part in parts {
        for (total, part) in total.iter_mut().zip(part) {
            *total += part;
        }
    }
    total
}

fn multiply(left: &[f64], right: &[f64], order: usize) -> Vec<f64> {
    let mut out = vec![0.0; order * order];
    for (out, left) in out.chunks_exact_mut(order).zip(left.chunks_exact(order)) {
        for (&a, right) in left.iter().zip(right.chunks_exact(order)) {
            for (out, &b) in out.iter_mut().zip(right) {
                *out += a * b;
            }
        }
    }
    out
}

fn transposed(matrix: &[f64], order: usize) -> Vec<f64> {
    (0..order * order).map(|at| matrix[at % order * order + at / order]).collect()
}
