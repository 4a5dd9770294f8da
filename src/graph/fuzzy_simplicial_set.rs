//! From neighbors to a weighted graph, in which weights are membership strengths.

use rayon::prelude::*;

use super::smooth_knn_dist::{KnnScales, smooth_knn_dist};
use crate::error::Stage;
use crate::linalg::sparse::transpose;
use crate::neighbors::Neighbors;
use crate::progress::{Progress, Task};

/// Rows processed by one thread at a time.
const ROWS_AT_A_TIME: usize = 1024;

/// A symmetric graph over the rows with weights in (0, 1], as compressed sparse rows.
#[derive(Debug, Clone, PartialEq)]
pub struct FuzzyGraph {
    /// The start of each row's edges in `indices` and `weights`, with one more entry than there are rows.
    pub offsets: Vec<usize>,
    /// The other endpoint of each edge, ascending within a row.
    pub indices: Vec<u32>,
    /// The weight of each edge.
    pub weights: Vec<f32>,
}

impl FuzzyGraph {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The edges of row `row`: their other endpoints and weights.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.offsets[row]..self.offsets[row + 1];
        (&self.indices[range.clone()], &self.weights[range])
    }

    /// Whether the ends of each row's edges ascend, and every edge is in both directions. A graph that was read from a file
    /// may be anything.
    pub(crate) fn is_symmetric(&self) -> bool {
        let is_fine = |row: usize| {
            let ends = self.row(row).0;
            let is_back = |&end: &u32| {
                let end = end as usize;
                end < self.rows() && self.row(end).0.binary_search(&(row as u32)).is_ok()
            };
            ends.is_sorted_by(|a, b| a < b) && ends.iter().all(is_back)
        };
        (0..self.rows()).into_par_iter().with_min_len(ROWS_AT_A_TIME).all(is_fine)
    }

    /// A graph from the edges of each row, ascending, which must be the same in both directions.
    pub(super) fn from_rows(rows: Vec<Vec<(u32, f32)>>) -> FuzzyGraph {
        let edges = rows.iter().map(Vec::len).sum();
        let mut graph = FuzzyGraph {
            offsets: Vec::with_capacity(rows.len() + 1),
            indices: Vec::with_capacity(edges),
            weights: Vec::with_capacity(edges),
        };
        graph.offsets.push(0);
        for row in rows {
            graph.indices.extend(row.iter().map(|&(end, _)| end));
            graph.weights.extend(row.iter().map(|&(_, weight)| weight));
            graph.offsets.push(graph.indices.len());
        }
        graph
    }

    /// The edges of either of two graphs of the same rows: the weights of `other` count `share`, these the rest, and
    /// `in_both` is added to edges that are in both.
    pub(super) fn fused(&self, other: &FuzzyGraph, share: f32, in_both: f32) -> FuzzyGraph {
        let of_row = |row: usize| {
            let (ends, weights) = self.row(row);
            let own = ends.iter().zip(weights).map(|(&end, weight)| (end, weight * (1.0 - share)));
            let (ends, weights) = other.row(row);
            let mut others = ends.iter().zip(weights).map(|(&end, weight)| (end, weight * share)).peekable();
            let mut edges = Vec::new();
            for (end, weight) in own {
                while let Some(edge) = others.next_if(|&(other, _)| other < end) {
                    edges.push(edge);
                }
                let both = others.next_if(|&(other, _)| other == end).map(|(_, other)| other + in_both);
                edges.push((end, weight + both.unwrap_or(0.0)));
            }
            edges.extend(others);
            edges.retain(|&(_, weight)| weight > 0.0);
            edges
        };
        FuzzyGraph::from_rows((0..self.rows()).into_par_iter().map(of_row).collect())
    }

    /// The largest weight; 0 if there are no edges.
    pub fn max_weight(&self) -> f32 {
        self.weights.iter().copied().fold(0.0, f32::max)
    }
}

/// The fuzzy simplicial set of `neighbors`, which must be the result of a search of the rows among themselves (McInnes,
/// Healy and Melville 2018, algorithms 2 and 3; the same graph as umap-learn's for the same neighbors).
///
/// `set_op_mix_ratio` interpolates between the intersection (0) and the union (1) of the two directions of an edge;
/// `local_connectivity` is that of [`smooth_knn_dist`].
pub fn fuzzy_simplicial_set(neighbors: &Neighbors, set_op_mix_ratio: f32, local_connectivity: f32) -> FuzzyGraph {
    let task = Progress::silent().task(Stage::Cluster, "graph", 0);
    fuzzy_graph(neighbors, set_op_mix_ratio, local_connectivity, &task)
}

/// The same, with progress: two units of `task` per row.
pub(crate) fn fuzzy_graph(
    neighbors: &Neighbors,
    set_op_mix_ratio: f32,
    local_connectivity: f32,
    task: &Task,
) -> FuzzyGraph {
    let scales = smooth_knn_dist(neighbors, local_connectivity);
    let directed = membership_strengths(neighbors, &scales, task);
    let reversed = reversed(&directed);
    unite(&directed, &reversed, set_op_mix_ratio, task)
}

/// The membership strength of a neighbor at `distance` for a row with these scales.
pub(crate) fn membership_strength(distance: f32, rho: f32, sigma: f32) -> f32 {
    let beyond = distance - rho;
    if beyond <= 0.0 || sigma == 0.0 { 1.0 } else { (-(beyond / sigma)).exp() }
}

/// The directed graph of each row's neighbors, without the row itself.
fn membership_strengths(neighbors: &Neighbors, scales: &KnnScales, task: &Task) -> FuzzyGraph {
    let k = neighbors.k;
    let rows = neighbors.rows();
    let edges_of = |row: usize| {
        let (indices, distances) = neighbors.row(row);
        let (rho, sigma) = (scales.rhos[row], scales.sigmas[row]);
        let edges = indices.iter().zip(distances).filter(|&(&index, _)| index as usize != row);
        let mut edges: Vec<(u32, f32)> =
            edges.map(|(&index, &distance)| (index, membership_strength(distance, rho, sigma))).collect();
        edges.retain(|&(_, weight)| weight > 0.0);
        edges.sort_unstable_by_key(|&(index, _)| index);
        edges
    };
    collect_rows(rows, k, edges_of, task)
}

/// The edges of every row from their other ends.
fn reversed(graph: &FuzzyGraph) -> FuzzyGraph {
    let row = |row: usize| {
        let (ends, weights) = graph.row(row);
        ends.iter().copied().zip(weights.iter().copied())
    };
    let columns = transpose(graph.rows(), graph.rows(), row);
    FuzzyGraph { offsets: columns.starts, indices: columns.rows, weights: columns.values }
}

/// Interpolates between the probabilistic union, a + b - ab, and the intersection, ab, of the two directions.
fn unite(directed: &FuzzyGraph, reversed: &FuzzyGraph, mix: f32, task: &Task) -> FuzzyGraph {
    let weigh = |a: f32, b: f32| {
        let both = a * b;
        mix * (a + b - both) + (1.0 - mix) * both
    };
    let edges_of = |row: usize| {
        let (a_ends, a_weights) = directed.row(row);
        let (b_ends, b_weights) = reversed.row(row);
        let mut edges = Vec::with_capacity(a_ends.len() + b_ends.len());
        let (mut i, mut j) = (0, 0);
        while i < a_ends.len() || j < b_ends.len() {
            let a = a_ends.get(i).copied().unwrap_or(u32::MAX);
            let b = b_ends.get(j).copied().unwrap_or(u32::MAX);
            let end = a.min(b);
            let (mut forward, mut backward) = (0.0, 0.0);
            if a == end {
                forward = a_weights[i];
                i += 1;
            }
            if b == end {
                backward = b_weights[j];
                j += 1;
            }
            let weight = weigh(forward, backward);
            if weight > 0.0 {
                edges.push((end, weight));
            }
        }
        edges
    };
    collect_rows(directed.rows(), directed.indices.len() / directed.rows().max(1), edges_of, task)
}

/// The edges of several consecutive rows, and the number of edges of each row.
struct RowBlock {
    lengths: Vec<usize>,
    edges: Vec<(u32, f32)>,
}

/// Builds a graph in parallel from a function that computes each row's edges.
fn collect_rows(
    rows: usize,
    edges_a_row: usize,
    edges_of: impl Fn(usize) -> Vec<(u32, f32)> + Sync,
    task: &Task,
) -> FuzzyGraph {
    let blocks: Vec<RowBlock> = (0..rows.div_ceil(ROWS_AT_A_TIME))
        .into_par_iter()
        .map(|block| {
            let range = block * ROWS_AT_A_TIME..rows.min((block + 1) * ROWS_AT_A_TIME);
            let mut lengths = Vec::with_capacity(range.len());
            let mut edges = Vec::with_capacity(range.len() * edges_a_row);
            for row in range {
                let of_row = edges_of(row);
                lengths.push(of_row.len());
                edges.extend(of_row);
            }
            task.advance(lengths.len());
            RowBlock { lengths, edges }
        })
        .collect();
    let total = blocks.iter().map(|block| block.edges.len()).sum();
    let mut graph = FuzzyGraph {
        offsets: Vec::with_capacity(rows + 1),
        indices: Vec::with_capacity(total),
        weights: Vec::with_capacity(total),
    };
    let mut end = 0;
    graph.offsets.push(0);
    for RowBlock { lengths, edges } in blocks {
        for length in lengths {
            end += length;
            graph.offsets.push(end);
        }
        for (index, weight) in edges {
            graph.indices.push(index);
            graph.weights.push(weight);
        }
    }
    graph
}
