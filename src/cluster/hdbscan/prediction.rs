//! Where new points would join the hierarchy.

use rayon::prelude::*;

use ndarray::ArrayView2;

use super::fitted::FittedHdbscan;
use super::index::widen;
use super::nearest::Nearest;
use crate::progress::Task;

/// Rows processed by one thread at a time.
pub(super) const CHUNK: usize = 64;

/// The data row that a new point is attached to, and the lambda at which it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection {
    pub(super) row: usize,
    pub(super) lambda: f64,
}

impl FittedHdbscan {
    /// The number of neighbors to examine for a new point: twice `min_samples`.
    pub(super) fn neighbors_to_find(&self) -> usize {
        (2 * self.min_samples).clamp(1, self.points.nrows())
    }

    /// Finds the nearest row by mutual reachability. Core distances count the new point and each row as its own
    /// neighbor, as if the point had been in the data.
    pub(super) fn connect(&self, query: &[f64], nearest: &mut Nearest) -> Connection {
        self.index.nearest(&self.points, query, nearest);
        let found = nearest.sorted();
        let core = found.get(self.min_samples).or(found.last()).map_or(0.0, |neighbor| neighbor.squared);
        let mut best = (0, f64::INFINITY);
        for neighbor in found {
            let row = neighbor.row as usize;
            let reachability = neighbor.squared.max(core).max(self.core_with_self[row]);
            if reachability < best.1 {
                best = (row, reachability);
            }
        }
        Connection { row: best.0, lambda: 1.0 / best.1.sqrt() }
    }

    /// The label and strength of a new point: it leaves where the row that it is attached to leaves, or higher up in
    /// the tree, in the cluster that exists at its own lambda.
    fn place(&self, connection: Connection) -> (i32, f64) {
        let tree = &self.condensed_tree;
        let mut cluster = tree.point_cluster[connection.row];
        if tree.point_lambda[connection.row] > connection.lambda {
            while cluster > 0 && tree.nodes[cluster].birth >= connection.lambda {
                cluster = tree.nodes[cluster].parent;
            }
        }
        self.labeling.label(tree, cluster, connection.lambda)
    }

    /// The labels and strengths of validated points; arbitrary ones if `task` is interrupted.
    pub(super) fn place_all(&self, points: ArrayView2<'_, f32>, task: &Task) -> Vec<(i32, f64)> {
        let mut result = vec![(0, 0.0); points.nrows()];
        result.par_chunks_mut(CHUNK).enumerate().for_each_init(
            || (Nearest::new(self.neighbors_to_find()), Vec::new()),
            |(nearest, query), (chunk, places)| {
                if task.is_interrupted() {
                    return;
                }
                for (offset, place) in places.iter_mut().enumerate() {
                    widen(points.row(chunk * CHUNK + offset), query);
                    *place = self.place(self.connect(query, nearest));
                }
                task.advance(places.len());
            },
        );
        result
    }
}
