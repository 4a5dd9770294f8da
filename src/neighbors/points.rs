//! Rows prepared for one kind of distance: half the squared euclidean distance.
//!
//! For unit vectors half the squared distance is 1 minus the cosine, so both metrics share one search.

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::Metric;
use crate::error::{Error, ErrorKind, Result, Stage};

/// Lanes of the distance sum: a fixed number, so that the sum is the same on every machine.
const LANES: usize = 16;

/// Rows prepared for the search.
#[derive(Debug, Clone)]
pub(super) struct Points {
    values: Vec<f32>,
    width: usize,
    half_norms: Vec<f32>,
    /// Euclidean: the mean of the data, which is subtracted so that norms stay near the size of the distances.
    mean: Vec<f32>,
    /// Cosine: rows of zeros exist and lie on an axis of their own, the last.
    zero_axis: bool,
}

impl Points {
    /// Prepares the rows of `data`; an error names the first row with a value that cannot be used.
    pub(super) fn new(data: ArrayView2<'_, f32>, metric: Metric, stage: Stage) -> Result<Self> {
        check_finite(data, stage)?;
        let zero_axis = metric == Metric::Cosine && data.rows().into_iter().any(|row| row.iter().all(|&x| x == 0.0));
        let mean = if metric == Metric::Euclidean { column_means(data) } else { Vec::new() };
        let width = data.ncols() + usize::from(zero_axis);
        Self::prepare(
            data,
            Points { values: Vec::new(), width, half_norms: Vec::new(), mean, zero_axis },
            metric,
            stage,
        )
    }

    /// Prepares new rows in the same way, to be compared with these.
    pub(super) fn queries(&self, data: ArrayView2<'_, f32>, metric: Metric, stage: Stage) -> Result<Self> {
        check_finite(data, stage)?;
        let (mean, zero_axis) = (self.mean.clone(), self.zero_axis);
        let empty = Points { values: Vec::new(), width: self.width, half_norms: Vec::new(), mean, zero_axis };
        Self::prepare(data, empty, metric, stage)
    }

    fn prepare(data: ArrayView2<'_, f32>, mut points: Points, metric: Metric, stage: Stage) -> Result<Self> {
        let (rows, width) = (data.nrows(), points.width);
        let mut values = vec![0.0_f32; rows * width];
        values.par_chunks_mut(width).enumerate().for_each(|(row, out)| match metric {
            Metric::Cosine => normalise(data.row(row), out, points.zero_axis),
            Metric::Euclidean => centre(data.row(row), out, &points.mean),
        });
        points.half_norms = values.par_chunks(width).map(half_squared_norm).collect();
        if let Some(row) = points.half_norms.iter().position(|norm| !norm.is_finite()) {
            let message = "a value is so large that its square overflows";
            return Err(Error::new(ErrorKind::InvalidData, stage, message).row(row));
        }
        points.values = values;
        Ok(points)
    }

    pub(super) fn rows(&self) -> usize {
        self.half_norms.len()
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(super) fn half_norms(&self) -> &[f32] {
        &self.half_norms
    }
}

/// Half the squared distance between two prepared rows, from the differences.
pub(super) fn half_squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_chunks.remainder().iter().zip(b_chunks.remainder());
    let mut tail = 0.0_f32;
    for (x, y) in rest {
        tail += (x - y) * (x - y);
    }
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            let difference = x[lane] - y[lane];
            sums[lane] += difference * difference;
        }
    }
    0.5 * (sums.iter().sum::<f32>() + tail)
}

/// The distance that a half squared distance stands for, from a query of half squared norm `half_norm`.
pub(super) fn distance(half_squared: f32, half_norm: f32, metric: Metric) -> f32 {
    match metric {
        // A query of zeros where the index has none: at distance 1 from all, where its half squared distance is 1/2.
        Metric::Cosine if half_norm == 0.0 => 1.0,
        Metric::Cosine => half_squared,
        Metric::Euclidean => (2.0 * half_squared).sqrt(),
    }
}

fn check_finite(data: ArrayView2<'_, f32>, stage: Stage) -> Result<()> {
    let bad = |row: &usize| data.row(*row).iter().any(|value| !value.is_finite());
    match (0..data.nrows()).into_par_iter().find_first(bad) {
        None => Ok(()),
        Some(row) => {
            let error = Error::new(ErrorKind::InvalidData, stage, "a vector has a value that is NaN or infinite");
            Err(error.row(row).hint("leave the row out, or embed it again"))
        }
    }
}

fn normalise(row: ArrayView1<'_, f32>, out: &mut [f32], zero_axis: bool) {
    let norm = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if norm == 0.0 {
        if let (true, Some(last)) = (zero_axis, out.last_mut()) {
            *last = 1.0;
        }
        return;
    }
    for (to, &from) in out.iter_mut().zip(row) {
        *to = (f64::from(from) / norm) as f32;
    }
}

fn centre(row: ArrayView1<'_, f32>, out: &mut [f32], mean: &[f32]) {
    for ((to, &from), &mean) in out.iter_mut().zip(row).zip(mean) {
        *to = from - mean;
    }
}

fn column_means(data: ArrayView2<'_, f32>) -> Vec<f32> {
    let mut sums = vec![0.0_f64; data.ncols()];
    for row in data.rows() {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    }
    sums.iter().map(|sum| (sum / data.nrows() as f64) as f32).collect()
}

fn half_squared_norm(row: &[f32]) -> f32 {
    (0.5 * row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>()) as f32
}
