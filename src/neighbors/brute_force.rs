//! Exact search: tiles of a blocked matrix product, followed by the actual distances of the candidates.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::Neighbors;
use super::candidates::{Candidates, Tile};
use super::points::{Measure, Points};
use crate::error::Stage;
use crate::progress::{Progress, Task};

/// Rows of a block: a tile of BLOCK² products stays in the L2 cache while its candidates are picked.
const BLOCK: usize = 384;

/// Candidates beyond `k`, so that rounding in the product does not lose a neighbor.
const MARGIN: usize = 4;

/// The `k` nearest rows of each row, with the row itself first. The matrix of products is symmetric, so each tile
/// serves both of its blocks.
pub(super) fn neighbors_of_own_rows(points: &Points, k: usize, stage: Stage, progress: &Progress) -> Neighbors {
    let blocks = points.rows().div_ceil(BLOCK);
    let candidates = empty_candidates(points.rows(), k - 1);
    let pairs = blocks.div_ceil(2) * (blocks + 1);
    let task = progress.task(stage, "neighbors", blocks * (blocks + 1) / 2);
    (0..pairs).into_par_iter().for_each_init(Room::default, |room, pair| {
        if task.is_interrupted() {
            return;
        }
        if let Some((first, second)) = block_pair(pair, blocks) {
            let tile = product(points, first, points, second, room);
            locked(&candidates[first]).take_columns(&tile);
            if first != second {
                locked(&candidates[second]).take_rows(&tile);
            }
            task.advance(1);
        }
    });
    finish(points, points, &candidates, k, true)
}

/// The `k` nearest rows of `points` for each row of `queries`.
pub(super) fn neighbors_of_new_rows(
    points: &Points,
    queries: &Points,
    k: usize,
    stage: Stage,
    progress: &Progress,
) -> Neighbors {
    let (query_blocks, blocks) = (queries.rows().div_ceil(BLOCK), points.rows().div_ceil(BLOCK));
    let candidates = empty_candidates(queries.rows(), k);
    let task: Task = progress.task(stage, "neighbors", query_blocks * blocks);
    (0..query_blocks * blocks).into_par_iter().for_each_init(Room::default, |room, tile| {
        if task.is_interrupted() {
            return;
        }
        let (first, second) = (tile / blocks, tile % blocks);
        let mut tile = product(queries, first, points, second, room);
        tile.diagonal = false;
        locked(&candidates[first]).take_columns(&tile);
        task.advance(1);
    });
    finish(points, queries, &candidates, k, false)
}

fn empty_candidates(rows: usize, k: usize) -> Vec<Mutex<Candidates>> {
    let block_rows = |block| BLOCK.min(rows - block * BLOCK);
    (0..rows.div_ceil(BLOCK)).map(|block| Mutex::new(Candidates::new(block_rows(block), k + MARGIN))).collect()
}

fn locked(candidates: &Mutex<Candidates>) -> MutexGuard<'_, Candidates> {
    candidates.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The `pair`-th pair of blocks (first <= second). Rows r and blocks-1-r of the triangle have a total length of
/// blocks+1.
fn block_pair(pair: usize, blocks: usize) -> Option<(usize, usize)> {
    let (row, column) = (pair / (blocks + 1), pair % (blocks + 1));
    let mirrored = blocks - 1 - row;
    if column < blocks - row {
        Some((row, row + column))
    } else if mirrored != row {
        Some((mirrored, mirrored + column - (blocks - row)))
    } else {
        None
    }
}

/// Scratch space for two blocks of prepared rows and their products.
#[derive(Default)]
struct Room {
    left: Vec<f32>,
    right: Vec<f32>,
    products: Vec<f32>,
}

/// The products of block `first` of `left` with block `second` of `right`, stored in `room`.
fn product<'a>(left: &'a Points, first: usize, right: &'a Points, second: usize, room: &'a mut Room) -> Tile<'a> {
    let (first_row, first_column) = (first * BLOCK, second * BLOCK);
    let rows = BLOCK.min(left.rows() - first_row);
    let columns = BLOCK.min(right.rows() - first_column);
    let width = left.width();
    room.left.resize(rows * width, 0.0);
    room.right.resize(columns * width, 0.0);
    room.products.resize(rows * columns, 0.0);
    left.prepare_rows(first_row, &mut room.left);
    right.prepare_rows(first_column, &mut room.right);
    multiply_transposed(&room.left, &room.right, width, &mut room.products);
    Tile {
        products: &room.products,
        row_half_norms: &left.half_norms()[first_row..first_row + rows],
        column_half_norms: &right.half_norms()[first_column..first_column + columns],
        first_row,
        first_column,
        diagonal: first == second,
    }
}

/// `out` = `left` · `right`ᵀ, all row-major, where `left` and `right` have `width` columns. Single-threaded.
fn multiply_transposed(left: &[f32], right: &[f32], width: usize, out: &mut [f32]) {
    let (rows, columns) = (left.len() / width, right.len() / width);
    debug_assert_eq!(out.len(), rows * columns);
    // `left`, `right` and `out` are contiguous slices of rows x width, columns x width, and rows x columns values with
    // the given row strides, and `out` is borrowed mutably, so it overlaps neither of the others.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            width,
            out.as_mut_ptr(),
            1,
            columns as isize,
            false,
            left.as_ptr(),
            1,
            width as isize,
            right.as_ptr(),
            width as isize,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The best `k` of each row's candidates by their directly computed distances.
fn finish(points: &Points, queries: &Points, candidates: &[Mutex<Candidates>], k: usize, own: bool) -> Neighbors {
    let mut indices = vec![0_u32; queries.rows() * k];
    let mut distances = vec![0.0_f32; queries.rows() * k];
    let blocks = indices.par_chunks_mut(BLOCK * k).zip(distances.par_chunks_mut(BLOCK * k)).zip(candidates);
    blocks.enumerate().for_each(|(block, ((indices, distances), candidates))| {
        let candidates = locked(candidates);
        let rows = indices.chunks_exact_mut(k).zip(distances.chunks_exact_mut(k)).enumerate();
        for (row, (indices, distances)) in rows {
            let at = block * BLOCK + row;
            let query = Query { points, queries, row: at, own, measure: points.measure(queries, at) };
            let best = query.best(&candidates, row, k);
            for ((to, at), (half_squared, index)) in distances.iter_mut().zip(indices).zip(best) {
                *to = points.distance(half_squared);
                *at = index;
            }
        }
    });
    Neighbors { k, indices, distances }
}

/// One row whose neighbors are requested.
struct Query<'a> {
    points: &'a Points,
    queries: &'a Points,
    row: usize,
    own: bool,
    measure: Measure<'a>,
}

impl Query<'_> {
    fn best(&self, candidates: &Candidates, row: usize, k: usize) -> Vec<(f32, u32)> {
        let mut best: Vec<(f32, u32)> = candidates.row(row).map(|index| self.measured(index)).collect();
        best.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let wanted = if self.own { k - 1 } else { k };
        if !self.is_certain(&best, wanted, candidates.refused_below(row)) {
            best = self.all_by_distance(wanted);
        }
        best.truncate(wanted);
        if self.own {
            best.insert(0, (0.0, self.row as u32));
        }
        best
    }

    fn measured(&self, index: u32) -> (f32, u32) {
        (self.measure.half_squared(index), index)
    }

    /// Whether rounding in the product cannot have excluded one of the best `wanted` rows from the candidates.
    fn is_certain(&self, best: &[(f32, u32)], wanted: usize, refused_below: f32) -> bool {
        let Some(&(last, _)) = wanted.checked_sub(1).and_then(|last| best.get(last)) else {
            return true;
        };
        if last == 0.0 || refused_below == f32::NEG_INFINITY {
            return true;
        }
        let half_norm = f64::from(self.queries.half_norms()[self.row]);
        let norm = (2.0 * half_norm).sqrt();
        // A row among the best cannot have a larger norm than this.
        let reach = norm + (2.0 * f64::from(last)).sqrt();
        let unit = f64::from(f32::EPSILON) / 2.0;
        let error =
            unit * (4.0 * (self.points.width() as f64).sqrt() * norm * reach + 2.0 * reach * reach + 4.0 * norm * norm);
        half_norm - f64::from(last) >= f64::from(refused_below) + error
    }

    /// The best `wanted` of all rows by directly computed distance, nearest first.
    fn all_by_distance(&self, wanted: usize) -> Vec<(f32, u32)> {
        let others = (0..self.points.rows() as u32).filter(|&index| !(self.own && index as usize == self.row));
        let mut all: Vec<(f32, u32)> = others.map(|index| self.measured(index)).collect();
        let order = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if wanted < all.len() {
            all.select_nth_unstable_by(wanted, order);
            all.truncate(wanted);
        }
        all.sort_unstable_by(order);
        all
    }
}
