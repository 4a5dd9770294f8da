//! Initial positions: a spectral layout of each connected component, with the components placed around their centers.

use rayon::prelude::*;

use super::counter_rng::{key, symmetric_unit};
use super::spectral_layout::spectral_layout;
use super::subspace::{Block, GROUP, rayleigh_ritz};
use crate::graph::FuzzyGraph;
use crate::linalg::vector_sum::VectorSum;
use crate::neighbors::NeighborIndex;
use crate::progress::Task;

/// The side of the box that contains the initial positions.
const SIDE: f32 = 10.0;

/// The maximum noise added to each coordinate, so that coinciding points can separate.
const NOISE: f32 = 1.7e-4;

/// The radius of a component containing all points, as a fraction of the extent of all centers.
const MIN_RADIUS: f32 = 0.25;

/// Power iterations with the centers' matrix for finding their principal axes.
const AXES_STEPS: usize = 20;

/// Initial positions, row-major, from 0 to 10 along each axis. `task` has the number of units documented for
/// `spectral_layout`.
///
/// A connected graph receives its spectral layout. If there are several components, their centers are placed along the
/// principal axes of their means in the data, and each component receives its own spectral layout around its center,
/// with a radius that keeps it separate from its neighbors (umap-learn does the same with other centers).
pub(super) fn initial_layout(
    graph: &FuzzyGraph,
    index: &NeighborIndex,
    dimensions: usize,
    seed: u64,
    task: &Task,
) -> Vec<f32> {
    let parts = connected_parts(graph);
    let mut layout = match parts.as_slice() {
        [_] => part_layout(graph, dimensions, seed, Some(task)),
        _ => layout_of_parts(graph, &parts, index, dimensions, seed, task),
    };
    fit_into_box(&mut layout, dimensions, seed);
    layout
}

/// The rows of each connected component of the graph, ascending; components are in the order of their first rows.
fn connected_parts(graph: &FuzzyGraph) -> Vec<Vec<u32>> {
    const UNSEEN: u32 = u32::MAX;
    let mut part_of = vec![UNSEEN; graph.rows()];
    let mut parts: Vec<Vec<u32>> = Vec::new();
    let mut open = Vec::new();
    for first in 0..graph.rows() {
        if part_of[first] != UNSEEN {
            continue;
        }
        let part = parts.len() as u32;
        parts.push(Vec::new());
        part_of[first] = part;
        open.push(first);
        while let Some(row) = open.pop() {
            for &end in graph.row(row).0 {
                if part_of[end as usize] == UNSEEN {
                    part_of[end as usize] = part;
                    open.push(end as usize);
                }
            }
        }
    }
    for (row, &part) in part_of.iter().enumerate() {
        parts[part as usize].push(row as u32);
    }
    parts
}

/// The layout of one connected graph, centered and scaled to a maximum absolute coordinate of 1.
fn part_layout(graph: &FuzzyGraph, dimensions: usize, seed: u64, task: Option<&Task>) -> Vec<f32> {
    let rows = graph.rows();
    let mut layout = if rows <= dimensions + 1 || rows < 2 * dimensions {
        Block::random(rows, dimensions, seed).values
    } else {
        spectral_layout(graph, dimensions, seed, task)
    };
    let farthest = layout.iter().fold(0.0_f32, |farthest, value| farthest.max(value.abs()));
    if farthest > 0.0 {
        layout.iter_mut().for_each(|value| *value /= farthest);
    }
    layout
}

fn layout_of_parts(
    graph: &FuzzyGraph,
    parts: &[Vec<u32>],
    index: &NeighborIndex,
    dimensions: usize,
    seed: u64,
    task: &Task,
) -> Vec<f32> {
    let centers = centers(parts, index, dimensions, seed);
    let radii = radii(&centers, dimensions, parts, graph.rows());
    let mut number_in_part = vec![0_u32; graph.rows()];
    for part in parts {
        for (number, &row) in part.iter().enumerate() {
            number_in_part[row as usize] = number as u32;
        }
    }
    let largest = (0..parts.len()).max_by_key(|&part| parts[part].len()).unwrap_or(0);
    let layouts: Vec<Vec<f32>> = parts
        .par_iter()
        .enumerate()
        .map(|(number, part)| {
            let of_part = subgraph(graph, part, &number_in_part);
            // The largest component accounts for most of the work, so it reports the progress.
            let task = (number == largest).then_some(task);
            part_layout(&of_part, dimensions, key(seed, 1, number as u64), task)
        })
        .collect();
    let mut layout = vec![0.0; graph.rows() * dimensions];
    for (number, (part, of_part)) in parts.iter().zip(&layouts).enumerate() {
        let center = &centers[number * dimensions..(number + 1) * dimensions];
        for (&row, from) in part.iter().zip(of_part.chunks_exact(dimensions)) {
            let to = &mut layout[row as usize * dimensions..][..dimensions];
            for ((to, from), center) in to.iter_mut().zip(from).zip(center) {
                *to = center + radii[number] * from;
            }
        }
    }
    layout
}

fn subgraph(graph: &FuzzyGraph, part: &[u32], number_in_part: &[u32]) -> FuzzyGraph {
    let mut of_part = FuzzyGraph { offsets: vec![0], indices: Vec::new(), weights: Vec::new() };
    for &row in part {
        let (ends, weights) = graph.row(row as usize);
        of_part.indices.extend(ends.iter().map(|&end| number_in_part[end as usize]));
        of_part.weights.extend_from_slice(weights);
        of_part.offsets.push(of_part.indices.len());
    }
    of_part
}

/// The means of the components along their principal axes: classical scaling of the distances between the means.
fn centers(parts: &[Vec<u32>], index: &NeighborIndex, dimensions: usize, seed: u64) -> Vec<f32> {
    let mut means: Vec<Vec<f32>> = parts.par_iter().map(|part| index.mean_of_rows(part)).collect();
    center_rows(&mut means);
    let width = (dimensions + 1).next_multiple_of(GROUP);
    let mut block = Block::random(parts.len(), width, key(seed, 2, 0));
    let mut image = multiply_by_products(&means, &block);
    let mut values = Vec::new();
    for _ in 0..AXES_STEPS {
        values = rayleigh_ritz(&mut block, &mut image).values;
        std::mem::swap(&mut block, &mut image);
        image = multiply_by_products(&means, &block);
    }
    values = if values.is_empty() { values } else { rayleigh_ritz(&mut block, &mut image).values };
    let axis = |row: usize, axis: usize| {
        let length = values.get(axis).map_or(0.0, |value| value.max(0.0).sqrt());
        block.values[row * width + axis] * length as f32
    };
    let mut centers: Vec<f32> =
        (0..parts.len() * dimensions).map(|at| axis(at / dimensions, at % dimensions)).collect();
    // Components with coinciding means must still be separated.
    let extent = centers.iter().fold(0.0_f32, |extent, value| extent.max(value.abs()));
    let scatter = if extent > 0.0 { extent * 1e-3 } else { 1.0 };
    for (at, value) in centers.iter_mut().enumerate() {
        *value += scatter * symmetric_unit(key(seed, 3, 0), at as u64);
    }
    centers
}

fn center_rows(rows: &mut [Vec<f32>]) {
    let mut sum = VectorSum::new(rows.first().map_or(0, Vec::len));
    rows.iter().for_each(|row| sum.add(row.iter().copied()));
    let mean = sum.mean();
    for row in rows.iter_mut() {
        for (value, &mean) in row.iter_mut().zip(&mean) {
            *value = (f64::from(*value) - mean) as f32;
        }
    }
}

/// The Gram matrix of `rows` times `block`, without materializing the Gram matrix.
fn multiply_by_products(rows: &[Vec<f32>], block: &Block) -> Block {
    let (width, columns) = (block.width, rows.first().map_or(0, Vec::len));
    let mut shares = vec![0.0_f32; columns * width];
    for (row, weights) in rows.iter().zip(block.values.chunks_exact(width)) {
        for (shares, &value) in shares.chunks_exact_mut(width).zip(row) {
            for (share, &weight) in shares.iter_mut().zip(weights) {
                *share += value * weight;
            }
        }
    }
    let mut out = Block::zeros(rows.len(), width);
    out.values.par_chunks_mut(width).zip(rows).for_each(|(out, row)| {
        for (shares, &value) in shares.chunks_exact(width).zip(row) {
            for (out, &share) in out.iter_mut().zip(shares) {
                *out += value * share;
            }
        }
    });
    out
}

/// Radii proportional to the sizes of the components that keep each component separate from the nearest other, with a
/// lower bound relative to the total extent.
fn radii(centers: &[f32], dimensions: usize, parts: &[Vec<u32>], rows: usize) -> Vec<f32> {
    let share = |part: &Vec<u32>| (part.len() as f32 / rows as f32).powf(1.0 / dimensions as f32);
    let shares: Vec<f32> = parts.iter().map(share).collect();
    let extent = centers.iter().fold(0.0_f32, |extent, value| extent.max(value.abs()));
    let center = |part: usize| &centers[part * dimensions..(part + 1) * dimensions];
    let radius = |part: usize| {
        let apart = |other: usize| {
            let pairs = center(part).iter().zip(center(other));
            let squared: f32 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
            squared.sqrt() * shares[part] / (shares[part] + shares[other])
        };
        let free = (0..parts.len()).filter(|&other| other != part).map(apart).fold(f32::INFINITY, f32::min);
        free.max(MIN_RADIUS * extent * shares[part])
    };
    (0..parts.len()).into_par_iter().map(radius).collect()
}

/// Adds a little noise, then scales the layout to a box of side 10, one axis at a time.
fn fit_into_box(layout: &mut [f32], dimensions: usize, seed: u64) {
    let farthest = layout.iter().fold(0.0_f32, |farthest, value| farthest.max(value.abs()));
    let expansion = if farthest > 0.0 { SIDE / farthest } else { 1.0 };
    let noise = key(seed, 4, 0);
    for (at, value) in layout.iter_mut().enumerate() {
        *value = *value * expansion + NOISE * symmetric_unit(noise, at as u64);
    }
    for axis in 0..dimensions {
        let values = || layout.iter().skip(axis).step_by(dimensions).copied();
        let low = values().fold(f32::INFINITY, f32::min);
        let high = values().fold(f32::NEG_INFINITY, f32::max);
        let scale = if high > low { SIDE / (high - low) } else { 0.0 };
        for value in layout.iter_mut().skip(axis).step_by(dimensions) {
            *value = (*value - low) * scale;
        }
    }
}
