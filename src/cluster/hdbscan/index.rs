//! The index for neighbor searches: a k-d tree in low dimensions, a linear scan in high dimensions.

use ndarray::{Array2, ArrayView2};

use super::kd_tree::{KdTree, NOWHERE};
use super::nearest::{Nearest, Neighbor};

/// Above this many columns, a k-d tree prunes too little to pay off.
const MAX_TREE_COLUMNS: usize = 24;

/// Below this many rows, a linear scan is as fast.
const MIN_TREE_ROWS: usize = 128;

/// The points in searchable form.
#[derive(Debug)]
pub(super) enum Index {
    /// For few columns.
    Tree(KdTree),
    /// A linear scan, for many columns or few rows.
    Rows,
}

impl Index {
    /// Chooses by the shape of `points`.
    pub(super) fn build(points: ArrayView2<'_, f32>) -> Self {
        if points.ncols() <= MAX_TREE_COLUMNS && points.nrows() >= MIN_TREE_ROWS {
            Index::Tree(KdTree::build(points))
        } else {
            Index::Rows
        }
    }

    /// Finds the rows of `points` (those that the index was built from) nearest to `query`.
    pub(super) fn nearest(&self, points: &Array2<f32>, query: &[f64], nearest: &mut Nearest) {
        match self {
            Index::Tree(tree) => tree.nearest(query, NOWHERE, nearest),
            Index::Rows => nearest_row(points, query, None, nearest),
        }
    }
}

/// Finds the rows of `points` nearest to `query`, except row `skip`, by a linear scan.
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

/// The squared Euclidean distance between two points of equal length, with a fixed order of summation.
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
