//! The smoothest functions on a graph: the eigenvectors of its normalized Laplacian with the smallest eigenvalues.
//!
//! These are the eigenvectors of S = D^-1/2 W D^-1/2 with the largest eigenvalues. A block of vectors is filtered by
//! Chebyshev polynomials of S, which grow fast above the wanted part of the spectrum and stay small below it (Zhou,
//! Saad, Tiago and Chelikowsky 2006), and rotated by Rayleigh-Ritz steps. Memory is three blocks of vectors; time is a
//! few dozen products with the sparse matrix.

use rayon::prelude::*;

use super::subspace::{Block, GROUP, ROWS_AT_A_TIME, rayleigh_ritz};
use crate::graph::FuzzyGraph;
use crate::progress::Task;

/// The minimum number of extra vectors beyond the wanted ones: they speed up convergence of the last wanted one.
const GUARD: usize = 3;

/// The maximum number of filters, after which the vectors are used as they are: that is sufficient for an initial
/// layout.
pub(super) const MAX_FILTERS: usize = 12;

/// Residual tolerance of the wanted vectors as eigenvectors.
const TOLERANCE: f64 = 2e-3;

/// The maximum degree of one filter.
const MAX_DEGREE: f64 = 16.0;

/// The maximum relative gain between vectors in one filter, so that they can still be distinguished in single
/// precision.
const MAX_GAIN: f64 = 1e3;

/// The `dimensions` smoothest vectors on a connected graph, except the constant one, as columns of unit length
/// (row-major: `dimensions` values per row of the graph). If the graph is too small, the remaining columns are zeros.
/// One unit of `task` for each of [`MAX_FILTERS`].
pub(super) fn spectral_layout(graph: &FuzzyGraph, dimensions: usize, seed: u64, task: Option<&Task>) -> Vec<f32> {
    let operator = NormalizedAdjacency::new(graph);
    let width = (dimensions + GUARD).next_multiple_of(GROUP);
    let mut block = Block::random(graph.rows(), width, seed);
    let mut image = Block::zeros(graph.rows(), width);
    for filter in 0..=MAX_FILTERS {
        block.deflate(&operator.constant);
        operator.multiply(&block, &mut image, 1.0, 0.0, 0.0);
        let ritz = rayleigh_ritz(&mut block, &mut image);
        let settled = ritz.residuals.iter().take(dimensions).all(|&residual| residual < TOLERANCE);
        if settled || filter == MAX_FILTERS || task.is_some_and(Task::is_interrupted) {
            break;
        }
        operator.filter(&mut block, &mut image, &ritz.values);
        if let Some(task) = task {
            task.advance(1);
        }
    }
    let rows = block.values.chunks_exact(width);
    rows.flat_map(|row| row[..dimensions].iter().copied()).collect()
}

/// S = D^-1/2 W D^-1/2, whose eigenvalues lie from -1 to 1.
struct NormalizedAdjacency<'a> {
    graph: &'a FuzzyGraph,
    weights: Vec<f32>,
    /// The eigenvector with eigenvalue 1: the square roots of the degrees, scaled to unit length.
    constant: Vec<f32>,
}

impl<'a> NormalizedAdjacency<'a> {
    fn new(graph: &'a FuzzyGraph) -> Self {
        let degrees: Vec<f64> = (0..graph.rows())
            .into_par_iter()
            .map(|row| graph.row(row).1.iter().map(|&weight| f64::from(weight)).sum())
            .collect();
        let total: f64 = degrees.iter().sum();
        let roots: Vec<f64> = degrees.iter().map(|degree| degree.sqrt()).collect();
        let mut weights = graph.weights.clone();
        for (row, root) in roots.iter().enumerate() {
            let range = graph.offsets[row]..graph.offsets[row + 1];
            for (weight, &end) in weights[range.clone()].iter_mut().zip(&graph.indices[range]) {
                *weight = (f64::from(*weight) / (root * roots[end as usize])) as f32;
            }
        }
        let constant = roots.iter().map(|root| (root / total.sqrt()) as f32).collect();
        NormalizedAdjacency { graph, weights, constant }
    }

    /// `out` = `product` · S `block` + `same` · `block` + `old` · `out`.
    fn multiply(&self, block: &Block, out: &mut Block, product: f32, same: f32, old: f32) {
        let width = block.width;
        out.values.par_chunks_mut(ROWS_AT_A_TIME / 8 * width).enumerate().for_each(|(chunk, out)| {
            for (offset, out) in out.chunks_exact_mut(width).enumerate() {
                let row = chunk * (ROWS_AT_A_TIME / 8) + offset;
                let range = self.graph.offsets[row]..self.graph.offsets[row + 1];
                let (ends, weights) = (&self.graph.indices[range.clone()], &self.weights[range]);
                for (group, out) in out.chunks_exact_mut(GROUP).enumerate() {
                    let at = |row: usize| row * width + group * GROUP;
                    let mut sums = [0.0_f32; GROUP];
                    for (&end, &weight) in ends.iter().zip(weights) {
                        let from = &block.values[at(end as usize)..][..GROUP];
                        for lane in 0..GROUP {
                            sums[lane] += weight * from[lane];
                        }
                    }
                    let here = &block.values[at(row)..][..GROUP];
                    for lane in 0..GROUP {
                        out[lane] = product * sums[lane] + same * here[lane] + old * out[lane];
                    }
                }
            }
        });
    }

    /// Filters `block`, with image `image` under S, to damp the spectrum below the smallest of the `ritz` values.
    fn filter(&self, block: &mut Block, image: &mut Block, ritz: &[f64]) {
        let (Some(&top), Some(&cut)) = (ritz.first(), ritz.last()) else { return };
        let (center, half) = ((cut - 1.0) / 2.0, (cut + 1.0) / 2.0);
        if half <= 0.0 {
            return;
        }
        let growth = ((top - center) / half).max(1.0).acosh();
        let degree = (MAX_GAIN.acosh() / growth.max(1e-9)).floor().clamp(2.0, MAX_DEGREE) as usize;
        // T_1 = (S - center) / half, and then T_n+1 = 2 T_1 T_n - T_n-1, with `block` and `image` swapped in each step.
        let (product, same) = ((1.0 / half) as f32, (-center / half) as f32);
        image
            .values
            .par_iter_mut()
            .zip(&block.values)
            .for_each(|(image, &here)| *image = product * *image + same * here);
        for _ in 1..degree {
            self.multiply(image, block, 2.0 * product, 2.0 * same, -1.0);
            std::mem::swap(block, image);
        }
        std::mem::swap(block, image);
    }
}
