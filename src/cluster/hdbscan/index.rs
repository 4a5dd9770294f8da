//! Where neighbors are looked up: a k-d tree in few dimensions, every row in many.

use ndarray::{Array2, ArrayView2};

use super::kd_tree::{KdTree, NOWHERE};
use super::nearest::{Nearest, Neighbor};

/// Above this many columns a k-d tree prunes too little to pay.
const MOST_TREE_COLUMNS: usize = 24;

/// Below this many rows looking at all of them is as fast.
const FEWEST_TREE_ROWS: usize = 128;

/// The points, searchable.
#[derive(Debug)]
pub(super) enum Index {
    /// Few columns.
    Tree(KdTree),
    /// Many columns, or few rows.
    Rows,
}

impl Index {
    /// Chooses by shape.
    pub(super) fn build(points: ArrayView2<'_, f32>) -> Self {
        if points.ncols() <= MOST_TREE_COLUMNS && points.nrows() >= FEWEST_TREE_ROWS {
            Index::Tree(KdTree::build(points))
        } else {
            Index::Rows
        }
    }

    /// Finds the rows of `points` (those that the index was built on) nearest to `query`.
    pub(super) fn nearest(&self, points: &Array2<f32>, query: &[f64], nearest: &mut Nearest) {
        match self {
            Index::Tree(tree) => tree.nearest(query, NOWHERE, nearest),
            Index::Rows => nearest_row(points, query, None, nearest),
        }
    }
}

/// Finds the rows of `points` nearest to `query`, without row `skip`, by looking at all of them.
pub(super) fn nearest_row(points: &Array2<f32>, query: &[f64], skip: Option<usize>, nearest: &mut Nearest) {
    nearest.clear();
    for (row, point) in points.rows().into_iter().enumerate() {
        if let Some(point) = point.as_slice()
            && skip != Some(row)
        {
            nearest.offer(Neighbor { squared: squared_distance(query, point), row: row as u32 });
        }
    }
}

/// The squared euclidean distance of two points of equal length, in a fixed order of sums.
#[inline]
pub(super) fn squared_distance(a: &[f64], b: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(&a, &b)| square(a, b)).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += square(a[lane], b[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[inline]
fn square(a: f64, b: f32) -> f64 {
    let difference = a - f64::from(b);
    difference * difference
}

/// Copies a row as f64.
pub(super) fn widen(row: ndarray::ArrayView1<'_, f32>, wide: &mut Vec<f64>) {
    wide.clear();
    wide.extend(row.iter().map(|&value| f64::from(value)));
}
