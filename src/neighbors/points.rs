//! Rows prepared for comparison by half the squared Euclidean distance.
//!
//! For unit vectors, half the squared distance is 1 minus the cosine, so both metrics share one search. The rows stay
//! where they are; the data for preparing them (a scale for each, or a mean) is stored separately.

use rayon::prelude::*;

use super::Metric;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::finite::check_finite_vectors;
use crate::linalg::vector_sum::VectorSum;
use crate::linalg::vectors::{Reader, Vectors, norm};

/// Lanes of the distance sum: a fixed number, so that the sum is the same on every machine.
const LANES: usize = 16;

/// Directions with half a squared distance below this cannot be distinguished from rounding errors in single precision.
const SAME_DIRECTION: f32 = 1e-13;

/// Rows and the data for preparing them for the search.
#[derive(Debug, Clone)]
pub(super) struct Points {
    vectors: Vectors,
    metric: Metric,
    /// Cosine: the factor that scales each row to unit length; 0 for a row of zeros.
    scales: Vec<f32>,
    /// Half squared norms of the prepared rows.
    half_norms: Vec<f32>,
    /// Euclidean: the mean of the data, which is subtracted so that norms stay close in size to the distances.
    mean: Vec<f32>,
    /// Cosine: rows of zeros exist and lie on a separate axis, the last.
    zero_axis: bool,
}

impl Points {
    /// Prepares the rows of `vectors`; an error names the first row with an invalid value.
    pub(super) fn new(vectors: Vectors, metric: Metric, stage: Stage) -> Result<Self> {
        check_finite_vectors(&vectors, stage)?;
        let mean = if metric == Metric::Euclidean { column_means(&vectors) } else { Vec::new() };
        let mut points = Self::prepare(vectors, metric, mean, false, stage)?;
        points.zero_axis = points.scales.contains(&0.0);
        if points.zero_axis {
            points.half_norms.fill(0.5);
        }
        Ok(points)
    }

    /// Prepares new rows in the same way, for comparison with these.
    pub(super) fn queries(&self, vectors: Vectors, stage: Stage) -> Result<Self> {
        check_finite_vectors(&vectors, stage)?;
        Self::prepare(vectors, self.metric, self.mean.clone(), self.zero_axis, stage)
    }

    /// Some of these rows, for comparison with all rows.
    pub(super) fn select(&self, rows: &[usize], stage: Stage) -> Option<Self> {
        self.queries(self.vectors.select(rows)?, stage).ok()
    }

    fn prepare(vectors: Vectors, metric: Metric, mean: Vec<f32>, zero_axis: bool, stage: Stage) -> Result<Self> {
        let reader = vectors.reader();
        let rows = (0..vectors.rows()).into_par_iter();
        let (scales, half_norms): (Vec<f32>, Vec<f32>) = match metric {
            Metric::Cosine => rows.map(|row| unit_scale(reader.row(row), zero_axis)).unzip(),
            Metric::Euclidean => rows.map(|row| (1.0, half_squared_norm(reader.row(row), &mean))).unzip(),
        };
        if let Some(row) = half_norms.iter().position(|norm| !norm.is_finite()) {
            let message = "a value is too large: its square overflows";
            return Err(Error::new(ErrorKind::InvalidData, stage, message).with_row(row));
        }
        let scales = if metric == Metric::Cosine { scales } else { Vec::new() };
        Ok(Points { vectors, metric, scales, half_norms, mean, zero_axis })
    }

    pub(super) fn rows(&self) -> usize {
        self.half_norms.len()
    }

    /// The number of columns of the original rows.
    pub(super) fn columns(&self) -> usize {
        self.vectors.columns()
    }

    /// The number of columns of prepared rows.
    pub(super) fn width(&self) -> usize {
        self.vectors.columns() + usize::from(self.zero_axis)
    }

    /// The rows as they are.
    pub(super) fn vectors(&self) -> &Vectors {
        &self.vectors
    }

    pub(super) fn metric(&self) -> Metric {
        self.metric
    }

    pub(super) fn half_norms(&self) -> &[f32] {
        &self.half_norms
    }

    /// Writes the prepared row `row`, [`width`](Self::width) values.
    pub(super) fn prepare_row(&self, row: usize, out: &mut [f32]) {
        let values = self.vectors.reader();
        let values = values.row(row);
        match self.metric {
            Metric::Cosine => {
                let scale = self.scales[row];
                out.iter_mut().zip(values).for_each(|(to, &from)| *to = from * scale);
                if let (true, Some(last)) = (self.zero_axis, out.last_mut()) {
                    *last = if scale == 0.0 { 1.0 } else { 0.0 };
                }
            }
            Metric::Euclidean => {
                out.iter_mut().zip(values).zip(&self.mean).for_each(|((to, &from), &mean)| *to = from - mean);
            }
        }
    }

    /// Writes as many prepared rows as `out` has room for, starting at `first`.
    pub(super) fn prepare_rows(&self, first: usize, out: &mut [f32]) {
        for (offset, out) in out.chunks_exact_mut(self.width()).enumerate() {
            self.prepare_row(first + offset, out);
        }
    }

    /// A measure of distances from one row of `queries`, which were prepared like these rows.
    pub(super) fn measure<'a>(&'a self, queries: &Points, row: usize) -> Measure<'a> {
        let mut query = queries.vectors.reader().row(row).to_vec();
        let mut is_zero = false;
        if self.metric == Metric::Cosine {
            let scale = queries.scales[row];
            is_zero = scale == 0.0;
            query.iter_mut().for_each(|value| *value *= scale);
        }
        Measure { query, is_zero, rows: self.vectors.reader(), scales: &self.scales }
    }

    /// Converts half a squared distance to a distance.
    pub(super) fn distance(&self, half_squared: f32) -> f32 {
        match self.metric {
            Metric::Cosine => half_squared,
            Metric::Euclidean => (2.0 * half_squared).sqrt(),
        }
    }
}

/// Measures half squared distances from one row, computed from the differences, so there is no cancellation.
pub(super) struct Measure<'a> {
    query: Vec<f32>,
    is_zero: bool,
    rows: Reader<'a>,
    /// Cosine: the scales of the rows; empty for the Euclidean metric.
    scales: &'a [f32],
}

impl Measure<'_> {
    /// Half the squared distance to row `row`.
    #[inline]
    pub(super) fn half_squared(&self, row: u32) -> f32 {
        let other = self.rows.row(row as usize);
        let Some(&scale) = self.scales.get(row as usize) else {
            return half_squared_distance(&self.query, other, 1.0);
        };
        if self.is_zero || scale == 0.0 {
            return if self.is_zero && scale == 0.0 { 0.0 } else { 1.0 };
        }
        let half_squared = half_squared_distance(&self.query, other, scale);
        if half_squared < SAME_DIRECTION { 0.0 } else { half_squared }
    }
}

fn half_squared_distance(a: &[f32], b: &[f32], scale: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if crate::linalg::processor::has_avx2() {
        // SAFETY: the CPU supports AVX2.
        return unsafe { half_squared_distance_avx2(a, b, scale) };
    }
    half_squared_distance_here(a, b, scale)
}

/// The same operations in the same order in wider registers; nothing is fused, so the results are bit-identical.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn half_squared_distance_avx2(a: &[f32], b: &[f32], scale: f32) -> f32 {
    half_squared_distance_here(a, b, scale)
}

#[inline(always)]
fn half_squared_distance_here(a: &[f32], b: &[f32], scale: f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_chunks.remainder().iter().zip(b_chunks.remainder());
    let mut tail = 0.0_f32;
    for (x, y) in rest {
        let difference = x - y * scale;
        tail += difference * difference;
    }
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            let difference = x[lane] - y[lane] * scale;
            sums[lane] += difference * difference;
        }
    }
    0.5 * (sums.iter().sum::<f32>() + tail)
}

/// The factor that scales a row to unit length, and half its squared norm afterward. A row too short for the factor to
/// be finite in single precision has no direction and is treated as zeros.
fn unit_scale(row: &[f32], zero_axis: bool) -> (f32, f32) {
    let norm = norm(row.iter().copied());
    match norm < f64::from(f32::MIN_POSITIVE) {
        true => (0.0, if zero_axis { 0.5 } else { 0.0 }),
        false => (norm.recip() as f32, 0.5),
    }
}

fn column_means(vectors: &Vectors) -> Vec<f32> {
    let mut sum = VectorSum::new(vectors.columns());
    let reader = vectors.reader();
    (0..vectors.rows()).for_each(|row| sum.add(reader.row(row).iter().copied()));
    sum.mean_f32()
}

fn half_squared_norm(row: &[f32], mean: &[f32]) -> f32 {
    let centered = row.iter().zip(mean).map(|(&value, &mean)| f64::from(value - mean));
    (0.5 * centered.map(|x| x * x).sum::<f64>()) as f32
}
