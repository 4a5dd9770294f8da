//! Core distances: the radius of each point's neighborhood (Campello, Moulavi and Sander 2013, definition 1).

use ndarray::Array2;
use rayon::prelude::*;

use super::index::{Index, nearest_row, widen};
use super::kd_tree::KdTree;
use super::nearest::{Nearest, Neighbor};
use crate::progress::Task;

/// The maximum number of neighbors per point that are kept for the spanning tree.
const KEPT: usize = 16;

/// Rows or leaves processed by one thread at a time.
const CHUNK: usize = 16;

/// The results of the neighbor search, indexed by row.
#[derive(Debug)]
pub(super) struct CoreDistances {
    /// The squared distance of each point to its `k`-th nearest other point.
    pub(super) squared: Vec<f64>,
    /// The same for the `k - 1`-th, which is the `k`-th if the point itself counts; 0 for `k` = 1.
    pub(super) squared_with_self: Vec<f64>,
    /// The number of neighbors kept per point.
    pub(super) kept: usize,
    /// The nearest rows of each point, nearest first: `kept` per point. Empty without a k-d tree.
    pub(super) neighbors: Vec<u32>,
}

/// The results of the neighbor search for one point.
#[derive(Debug, Clone, Copy)]
struct Reach {
    squared: f64,
    squared_with_self: f64,
}

impl Reach {
    fn of(found: &[Neighbor]) -> Self {
        let before = found.len().checked_sub(2);
        Reach {
            squared: found.last().map_or(0.0, |neighbor| neighbor.squared),
            squared_with_self: before.map_or(0.0, |place| found[place].squared),
        }
    }
}

/// Computes the core distance of every row: the distance to its `k`-th nearest other row, for 1 <= `k` < rows.
pub(super) fn core_distances(points: &Array2<f32>, index: &Index, k: usize, task: &Task) -> CoreDistances {
    match index {
        Index::Tree(tree) => by_tree(tree, k, task),
        Index::Rows => by_rows(points, k, task),
    }
}

fn by_rows(points: &Array2<f32>, k: usize, task: &Task) -> CoreDistances {
    let mut reaches = vec![Reach { squared: 0.0, squared_with_self: 0.0 }; points.nrows()];
    reaches.par_chunks_mut(CHUNK).enumerate().for_each_init(
        || (Nearest::new(k), Vec::new()),
        |(nearest, query), (chunk, reaches)| {
            if task.is_interrupted() {
                return;
            }
            for (offset, reach) in reaches.iter_mut().enumerate() {
                let row = chunk * CHUNK + offset;
                widen(points.row(row), query);
                nearest_row(points, query, Some(row), nearest);
                *reach = Reach::of(nearest.sorted());
            }
            task.advance(reaches.len());
        },
    );
    CoreDistances {
        squared: reaches.iter().map(|reach| reach.squared).collect(),
        squared_with_self: reaches.iter().map(|reach| reach.squared_with_self).collect(),
        kept: 0,
        neighbors: Vec::new(),
    }
}

/// Leaf by leaf, so that consecutive queries touch the same nodes.
fn by_tree(tree: &KdTree, k: usize, task: &Task) -> CoreDistances {
    let kept = k.min(KEPT);
    let chunks: Vec<(Vec<Reach>, Vec<u32>)> = (0..tree.leaves().div_ceil(CHUNK))
        .into_par_iter()
        .map_init(
            || (Nearest::new(k), Vec::with_capacity(tree.columns())),
            |(nearest, query), chunk| {
                if task.is_interrupted() {
                    return (Vec::new(), Vec::new());
                }
                let leaves = chunk * CHUNK..((chunk + 1) * CHUNK).min(tree.leaves());
                let found = leaf_neighbors(tree, leaves, kept, nearest, query);
                task.advance(found.0.len());
                found
            },
        )
        .collect();
    let rows = tree.rows();
    let mut result = CoreDistances {
        squared: vec![0.0; rows],
        squared_with_self: vec![0.0; rows],
        kept,
        neighbors: vec![0; rows * kept],
    };
    let reaches = chunks.iter().flat_map(|(reaches, _)| reaches);
    let neighbors = chunks.iter().flat_map(|(_, neighbors)| neighbors.chunks_exact(kept));
    for ((&row, reach), neighbors) in tree.order().iter().zip(reaches).zip(neighbors) {
        let row = row as usize;
        result.squared[row] = reach.squared;
        result.squared_with_self[row] = reach.squared_with_self;
        result.neighbors[row * kept..(row + 1) * kept].copy_from_slice(neighbors);
    }
    result
}

fn leaf_neighbors(
    tree: &KdTree,
    leaves: std::ops::Range<usize>,
    kept: usize,
    nearest: &mut Nearest,
    query: &mut Vec<f64>,
) -> (Vec<Reach>, Vec<u32>) {
    let mut reaches = Vec::with_capacity(CHUNK * super::kd_tree::LEAF);
    let mut neighbors = Vec::with_capacity(reaches.capacity() * kept);
    for leaf in leaves {
        for (lane, position) in tree.leaf(leaf).enumerate() {
            query.clear();
            query.extend(tree.point(leaf, lane));
            tree.nearest(query, position, nearest);
            let found = nearest.sorted();
            reaches.push(Reach::of(found));
            neighbors.extend(found[..kept].iter().map(|neighbor| neighbor.row));
        }
    }
    (reaches, neighbors)
}
