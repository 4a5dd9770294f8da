//! The minimum spanning tree of the mutual reachability distance (Campello, Moulavi and Sander 2013, section 3).

use ndarray::Array2;
use rayon::prelude::*;

use super::boruvka::boruvka;
use super::core_distance::CoreDistances;
use super::edge::Edge;
use super::index::{Index, squared_distance, widen};
use crate::progress::Task;

/// The minimum number of rows per thread for which multithreading pays off.
const CHUNK: usize = 1024;

/// The edges of the minimum spanning tree, in order. `alpha` divides distances before they are compared with core
/// distances.
pub(super) fn spanning_tree(
    points: &Array2<f32>,
    index: &Index,
    core: &CoreDistances,
    alpha: f64,
    task: &Task,
) -> Vec<Edge> {
    let scale = 1.0 / (alpha * alpha);
    let mut edges = match index {
        Index::Tree(tree) => boruvka(tree, core, scale, task),
        Index::Rows => prim(points, &core.squared, scale, task),
    };
    edges.par_sort_unstable();
    edges
}

/// Prim's algorithm starting at row 0; every distance is computed once and none is stored.
pub(super) fn prim(points: &Array2<f32>, core: &[f64], scale: f64, task: &Task) -> Vec<Edge> {
    let mut outside: Vec<(u32, Edge)> = (1..points.nrows() as u32).map(|row| (row, Edge::NONE)).collect();
    let mut edges = Vec::with_capacity(outside.len());
    let (mut joined, mut query) = (0u32, Vec::new());
    while !outside.is_empty() && !task.is_interrupted() {
        widen(points.row(joined as usize), &mut query);
        let relax = |(place, (row, best)): (usize, &mut (u32, Edge))| {
            let other = *row as usize;
            let distance = points.row(other).as_slice().map_or(f64::INFINITY, |other| squared_distance(&query, other));
            let reachability = (distance * scale).max(core[joined as usize]).max(core[other]);
            *best = (*best).min(Edge::new(reachability, distance, joined, *row));
            (*best, place)
        };
        let nearest = if outside.len() * points.ncols() < 16 * CHUNK {
            outside.iter_mut().enumerate().map(relax).min()
        } else {
            outside.par_iter_mut().enumerate().with_min_len(CHUNK).map(relax).min()
        };
        if let Some((edge, place)) = nearest {
            joined = outside.swap_remove(place).0;
            edges.push(edge);
            task.advance(1);
        }
    }
    edges
}
