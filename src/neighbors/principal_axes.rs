//! The directions of largest variance, by orthogonal iteration on a sample of the rows.

use rayon::prelude::*;

use super::points::Points;
use crate::linalg::vector_sum::VectorSum;

/// Rows that the axes are computed from, evenly spaced over all rows.
const SAMPLE: usize = 4096;

/// Steps of two products with the sample's Gram matrix; the sketch needs only the span of the axes, not the individual
/// axes.
const STEPS: usize = 3;

/// Rows whose products are summed at a time, so that the sum is the same for any number of threads.
const ROWS_AT_A_TIME: usize = 512;

/// The directions of largest variance.
pub(super) struct PrincipalAxes {
    /// The mean that is subtracted from the rows: that of the sample.
    pub(super) mean: Vec<f32>,
    /// Orthonormal axes, in descending order of importance, as columns: width x count, row-major. Axes beyond the width
    /// of the rows, or without variance, are zeros.
    pub(super) axes: Vec<f32>,
    /// The standard deviation along the first axis.
    pub(super) deviation: f32,
}

/// `count` axes of the prepared rows of `points`. The same on every machine, since nothing is fused.
pub(super) fn principal_axes(points: &Points, count: usize) -> PrincipalAxes {
    let width = points.width();
    let sample = Sample::new(points);
    let mean = sample.mean();
    let gram = sample.gram_matrix(&mean);
    let mut axes = start(width, count);
    orthonormalize(&mut axes, width);
    let mut largest = 0.0;
    for _ in 0..STEPS {
        let image = |axis: &[f32]| {
            let once = combination(axis, &gram);
            (norm(&once), combination(&once, &gram))
        };
        let images: Vec<(f64, Vec<f32>)> = axes.par_chunks_exact(width).map(image).collect();
        largest = images.iter().map(|&(length, _)| length).fold(0.0, f64::max);
        axes = images.into_iter().flat_map(|(_, image)| image).collect();
        orthonormalize(&mut axes, width);
    }
    let deviation = (largest / sample.rows.len() as f64).sqrt() as f32;
    PrincipalAxes { mean, axes: transposed(&axes, count, width), deviation }
}

/// A sample of the rows, evenly spaced.
struct Sample<'a> {
    points: &'a Points,
    rows: Vec<usize>,
}

impl<'a> Sample<'a> {
    fn new(points: &'a Points) -> Self {
        let (all, count) = (points.rows() as u64, points.rows().min(SAMPLE) as u64);
        Sample { points, rows: (0..count).map(|number| (number * all / count) as usize).collect() }
    }

    fn mean(&self) -> Vec<f32> {
        let mut row = vec![0.0; self.points.width()];
        let mut sum = VectorSum::new(self.points.width());
        for &number in &self.rows {
            self.points.prepare_row(number, &mut row);
            sum.add(row.iter().copied());
        }
        sum.mean_f32()
    }

    /// The sum of x · xᵀ over the rows x, after subtracting the mean.
    fn gram_matrix(&self, mean: &[f32]) -> Vec<f32> {
        let width = self.points.width();
        let of_part = |rows: &[usize]| {
            let mut gram = vec![0.0_f32; width * width];
            let mut row = vec![0.0; width];
            for &number in rows {
                self.points.prepare_row(number, &mut row);
                row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
                add_outer_product(&mut gram, &row);
            }
            gram
        };
        let parts: Vec<Vec<f32>> = self.rows.par_chunks(ROWS_AT_A_TIME).map(of_part).collect();
        let mut gram = vec![0.0_f32; width * width];
        for part in parts {
            gram.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        gram
    }
}

fn add_outer_product(gram: &mut [f32], row: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    if crate::linalg::processor::has_avx2() {
        // SAFETY: the CPU supports AVX2.
        unsafe { add_outer_product_avx2(gram, row) };
        return;
    }
    add_outer_product_here(gram, row);
}

/// The same operations in the same order in wider registers; nothing is fused, so the results are bit-identical.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_outer_product_avx2(gram: &mut [f32], row: &[f32]) {
    add_outer_product_here(gram, row);
}

#[inline(always)]
fn add_outer_product_here(gram: &mut [f32], row: &[f32]) {
    for (sums, &value) in gram.chunks_exact_mut(row.len()).zip(row) {
        add_scaled(sums, row, value);
    }
}

/// The sum of the rows of `matrix`, which is square, weighted by `weights`.
fn combination(weights: &[f32], matrix: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; weights.len()];
    #[cfg(target_arch = "x86_64")]
    if crate::linalg::processor::has_avx2() {
        // SAFETY: the CPU supports AVX2.
        unsafe { add_combination_avx2(&mut out, weights, matrix) };
        return out;
    }
    add_combination(&mut out, weights, matrix);
    out
}

/// The same operations in the same order in wider registers; nothing is fused, so the results are bit-identical.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_combination_avx2(out: &mut [f32], weights: &[f32], matrix: &[f32]) {
    add_combination(out, weights, matrix);
}

#[inline(always)]
fn add_combination(out: &mut [f32], weights: &[f32], matrix: &[f32]) {
    for (row, &weight) in matrix.chunks_exact(weights.len()).zip(weights) {
        add_scaled(out, row, weight);
    }
}

/// `count` fixed pseudorandom rows of `width` values from -1 to 1.
fn start(width: usize, count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..width * count).map(|_| next()).collect()
}

#[inline(always)]
fn add_scaled(out: &mut [f32], values: &[f32], scale: f32) {
    for (out, &value) in out.iter_mut().zip(values) {
        *out += scale * value;
    }
}

/// Gram-Schmidt, applied twice to limit rounding errors. A row that is linearly dependent on the rows before it becomes
/// zeros.
fn orthonormalize(axes: &mut [f32], width: usize) {
    let count = axes.len() / width;
    for axis in 0..count {
        let (before, rest) = axes.split_at_mut(axis * width);
        let Some(own) = rest.get_mut(..width) else { return };
        let length = norm(own);
        for _ in 0..2 {
            for other in before.chunks_exact(width) {
                add_scaled(own, other, -product(own, other) as f32);
            }
        }
        let left = norm(own);
        let scale = if left > 1e-5 * length { left.recip() as f32 } else { 0.0 };
        own.iter_mut().for_each(|value| *value *= scale);
    }
}

fn norm(values: &[f32]) -> f64 {
    product(values, values).sqrt()
}

/// The inner product in eight independent sums, which can be computed in parallel.
fn product(a: &[f32], b: &[f32]) -> f64 {
    const SUMS: usize = 8;
    let mut sums = [0.0_f64; SUMS];
    for (a, b) in a.chunks(SUMS).zip(b.chunks(SUMS)) {
        for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += f64::from(a) * f64::from(b);
        }
    }
    sums.iter().sum()
}

fn transposed(matrix: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; matrix.len()];
    for (row, values) in matrix.chunks_exact(columns).enumerate() {
        for (column, &value) in values.iter().enumerate() {
            out[column * rows + row] = value;
        }
    }
    out
}
