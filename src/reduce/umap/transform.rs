//! Placing new points in a fixed layout.

use std::sync::Arc;

use ndarray::Array2;
use rayon::prelude::*;

use super::forces::Forces;
use super::move_points::{Field, Pulls, move_points};
use super::optimize_layout::{ForWidth, widen, with_width};
use super::schedule::sampling_rate;
use crate::error::{Result, Stage};
use crate::graph::membership_strength;
use crate::graph::{KnnScales, smooth_knn_dist_floored};
use crate::linalg::mix::mix64;
use crate::linalg::vectors::Vectors;
use crate::neighbors::{NeighborIndex, Neighbors};
use crate::progress::{Progress, Task};
use crate::reduce::FittedReducer;
use crate::state::State;

/// Rows placed by one thread at a time.
const ROWS_AT_A_TIME: usize = 64;

/// A layout with the data for placing new rows in it: the training rows (shared with their owner), their index and
/// their positions.
///
/// ```
/// use topicframe::ndarray::Array2;
/// use topicframe::prelude::*;
///
/// let rows = Array2::from_shape_fn((60, 8), |(row, column)| ((row * 7 + column * 3) % 61) as f32);
/// let umap = Umap::new().n_components(2).metric(Metric::Euclidean);
/// let fitted = umap.fit_layout(rows.clone(), 42, &Progress::silent())?;
/// assert_eq!((fitted.embedding().dim(), fitted.n_neighbors()), ((60, 2), 15));
///
/// let known = fitted.transform(&rows.into(), &Progress::silent())?;
/// assert_eq!(known, *fitted.embedding());                           // a known row keeps its position
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FittedUmap {
    pub(super) index: Arc<NeighborIndex>,
    pub(super) embedding: Array2<f32>,
    pub(super) n_neighbors: usize,
    pub(super) local_connectivity: f32,
    pub(super) mean_distance: f32,
    pub(super) forces: Forces,
}

impl FittedUmap {
    /// The positions of the training rows: n rows, `n_components` columns.
    pub fn embedding(&self) -> &Array2<f32> {
        &self.embedding
    }

    /// The number of neighbors used, including the row itself: `n_neighbors`, or less if there were fewer rows.
    pub fn n_neighbors(&self) -> usize {
        self.n_neighbors
    }

    /// The mean distance of a training row's neighbors.
    pub(crate) fn mean_distance(&self) -> f32 {
        self.mean_distance
    }

    /// The a and b of the curve 1 / (1 + a d^2b).
    pub fn ab(&self) -> (f32, f32) {
        (self.forces.a, self.forces.b)
    }
}

impl FittedReducer for FittedUmap {
    /// Places each row near its neighbors among the training rows, as umap-learn does, but independently: a row's
    /// position depends only on the row itself. A row equal to a training row (for cosine: in direction) receives that
    /// row's position.
    fn transform(&self, data: &Vectors, progress: &Progress) -> Result<Array2<f32>> {
        let neighbors = self.index.query(data.clone(), self.n_neighbors, Stage::Reduce, progress)?;
        // As in umap-learn: a new point is not connected to any with certainty, so its nearest distance is not
        // subtracted.
        let connectivity = (self.local_connectivity - 1.0).max(0.0);
        let scales = smooth_knn_dist_floored(&neighbors, connectivity, self.mean_distance);
        let task = progress.task(Stage::Reduce, "layout", data.rows());
        let dimensions = self.embedding.ncols();
        let mut placed = Array2::zeros((data.rows(), dimensions));
        let (Some(out), Some(embedding)) = (placed.as_slice_mut(), self.embedding.as_slice()) else {
            return Ok(placed);
        };
        let reader = data.reader();
        let keys = (0..data.rows()).map(|row| content_key(self.forces.seed, reader.row(row))).collect();
        let place = Place { dimensions, embedding, out, keys, neighbors, scales, forces: self.forces, task: &task };
        with_width(dimensions, place);
        task.finish()?;
        Ok(placed)
    }

    fn state(&self) -> Option<State<'_>> {
        Some(self.saved())
    }
}

/// A key that depends on the row's values, not on its index.
fn content_key(seed: u64, row: &[f32]) -> u64 {
    // Adding 0 turns -0 into 0.
    row.iter().fold(seed, |key, value| mix64(key ^ u64::from((value + 0.0).to_bits())))
}

struct Place<'a> {
    dimensions: usize,
    embedding: &'a [f32],
    out: &'a mut [f32],
    keys: Vec<u64>,
    neighbors: Neighbors,
    scales: KnnScales,
    forces: Forces,
    task: &'a Task,
}

impl ForWidth for Place<'_> {
    fn run<const D: usize>(mut self) {
        let positions = widen::<D>(self.embedding, self.dimensions);
        let field = Field { positions: &positions, forces: &self.forces };
        let out = std::mem::take(&mut self.out);
        out.par_chunks_mut(self.dimensions * ROWS_AT_A_TIME).enumerate().for_each(|(block, out)| {
            if self.task.is_interrupted() {
                return;
            }
            let mut pulls = Pulls::default();
            let first = block * ROWS_AT_A_TIME;
            let rows = first..first + out.len() / self.dimensions;
            let mut points: Vec<[f32; D]> = rows.map(|row| self.start(row, &positions, &mut pulls)).collect();
            move_points(&field, &pulls, &mut points);
            for (out, point) in out.chunks_exact_mut(self.dimensions).zip(&points) {
                out.copy_from_slice(&point[..self.dimensions]);
            }
            self.task.advance(points.len());
        });
    }
}

impl Place<'_> {
    /// The initial position of a row; adds the edges that move it from there to `pulls`.
    fn start<const D: usize>(&self, row: usize, positions: &[[f32; D]], pulls: &mut Pulls) -> [f32; D] {
        let (indices, distances) = self.neighbors.row(row);
        let (rho, sigma) = (self.scales.rhos[row], self.scales.sigmas[row]);
        let weights: Vec<f32> = distances.iter().map(|&d| membership_strength(d, rho, sigma)).collect();
        let start = match (indices.first(), distances.first()) {
            (Some(&same), Some(&0.0)) => positions[same as usize],
            _ => {
                let max_weight = weights.iter().copied().fold(0.0, f32::max);
                let n_epochs = self.forces.n_epochs;
                let rates: Vec<u32> =
                    weights.iter().map(|&weight| sampling_rate(weight, max_weight, n_epochs)).collect();
                for epoch in 1..n_epochs {
                    pulls.add_due(indices, &rates, epoch, self.forces.learning_rate_at(epoch));
                }
                weighted_mean(positions, indices, &weights)
            }
        };
        pulls.end_point(self.keys[row]);
        start
    }
}

fn weighted_mean<const D: usize>(positions: &[[f32; D]], indices: &[u32], weights: &[f32]) -> [f32; D] {
    let total: f32 = weights.iter().sum();
    let mut mean = [0.0_f32; D];
    for (&index, weight) in indices.iter().zip(weights) {
        // If all weights underflow to zero (far beyond every scale), the neighbors have equal weights.
        let share = if total > 0.0 { weight / total } else { 1.0 / indices.len() as f32 };
        for (to, from) in mean.iter_mut().zip(positions[index as usize]) {
            *to += share * from;
        }
    }
    mean
}
