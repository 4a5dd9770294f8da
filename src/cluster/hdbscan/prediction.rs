//! Where a new point would join the hierarchy.

use rayon::prelude::*;

use ndarray::ArrayView2;

use super::fitted::FittedHdbscan;
use super::index::widen;
use super::nearest::Nearest;

/// Rows that one thread takes at a time.
pub(super) const CHUNK: usize = 64;

/// The row of the data that a new point hangs on, and the lambda at which it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection {
    pub(super) row: usize,
    pub(super) lambda: f64,
}

impl FittedHdbscan {
    /// How many neighbors of a new point are looked at: twice `min_samples`.
    pub(super) fn neighbors_to_find(&self) -> usize {
        (2 * self.min_samples).clamp(1, self.points.nrows())
    }

    /// Finds the nearest row by mutual reachability. Distances count the new point and each row as its own neighbor,
    /// as if the point had been in the data.
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

    /// The label and the strength of a new point: it leaves where the row that it hangs on leaves, or higher up, in
    /// the cluster that is there at its own lambda.
    fn place(&self, connection: Connection) -> (i32, f64) {
        let tree = &self.condensed_tree;
        let mut cluster = tree.point_cluster[connection.row];
        if tree.point_lambda[connection.row] > connection.lambda {
            while cluster > 0 && tree.nodes[cluster].birth >= connection.lambda {
                cluster = tree.nodes[cluster].parent;
            }
        }
        self.labelling.label(tree, cluster, connection.lambda)
    }

    /// The labels and strengths of checked points.
    pub(super) fn place_all(&self, points: ArrayView2<'_, f32>) -> Vec<(i32, f64)> {
        let mut result = vec![(0, 0.0); points.nrows()];
        result.par_chunks_mut(CHUNK).enumerate().for_each_init(
            || (Nearest::new(self.neighbors_to_find()), Vec::new()),
            |(nearest, query), (chunk, places)| {
                for (offset, place) in places.iter_mut().enumerate() {
                    widen(points.row(chunk * CHUNK + offset), query);
                    *place = self.place(self.connect(query, nearest));
                }
            },
        );
        result
    }
}
