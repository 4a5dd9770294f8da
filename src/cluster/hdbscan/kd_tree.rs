//! A balanced k-d tree with tight bounding boxes (Bentley 1975; Omohundro 1989), for nearest-neighbor search.
//!
//! The tree is implicit: node 1 is the root, node `i` has the children `2 i` and `2 i + 1`, all leaves are on the last
//! level, and the points of a node are contiguous in tree order. A *position* below is an index in that order.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::nearest::{Nearest, Neighbor};

/// The maximum number of points in a leaf; a leaf's coordinates are stored column by column, padded to this many lanes.
pub(super) const LEAF: usize = 16;

/// The number of the root node.
pub(super) const ROOT: usize = 1;

/// Represents no position.
pub(super) const NOWHERE: usize = usize::MAX;

/// A search of the tree: the distances of nodes, which nodes are relevant, and what to do at the leaves.
pub(super) trait Search {
    /// A lower bound of the squared distance from the query to the points of `node`.
    fn squared_distance(&self, node: usize) -> f64;

    /// Whether the points of `node`, at this squared distance or farther, can be relevant.
    fn admits(&self, node: usize, squared: f64) -> bool;

    /// Visits the points of a leaf.
    fn visit(&mut self, leaf: usize);
}

/// The tree; it owns a copy of the coordinates.
#[derive(Debug)]
pub(super) struct KdTree {
    rows: usize,
    columns: usize,
    levels: u32,
    order: Vec<u32>,
    lowest_row: Vec<u32>,
    boxes: Vec<f64>,
    lanes: Vec<[f64; LEAF]>,
}

impl KdTree {
    /// Builds the tree over `points`: at least one row, fewer than 2^32 rows, at least one column, all values finite.
    pub(super) fn build(points: ArrayView2<'_, f32>) -> Self {
        let (rows, columns) = points.dim();
        let levels = rows.div_ceil(LEAF).next_power_of_two().ilog2();
        let mut tree = KdTree {
            rows,
            columns,
            levels,
            order: (0..rows as u32).collect(),
            lowest_row: vec![u32::MAX; 2 << levels],
            boxes: vec![0.0; (2 << levels) * 2 * columns],
            lanes: Vec::new(),
        };
        for level in 0..=levels {
            tree.build_level(points, level);
        }
        tree.fill_lanes(points);
        tree
    }

    /// Computes the bounding boxes of one level's nodes and splits each node at the median of its widest column.
    fn build_level(&mut self, points: ArrayView2<'_, f32>, level: u32) {
        let first = 1usize << level;
        let starts: Vec<usize> = (first..=2 * first).map(|node| ((node - first) * self.rows) >> level).collect();
        let mut rest = self.order.as_mut_slice();
        let mut nodes = Vec::with_capacity(first);
        for ends in starts.windows(2) {
            let (rows, after) = rest.split_at_mut(ends[1] - ends[0]);
            nodes.push(rows);
            rest = after;
        }
        let (rows, levels) = (self.rows, self.levels);
        let boxes = self.boxes[first * 2 * self.columns..].par_chunks_mut(2 * self.columns);
        let lowest = self.lowest_row[first..].par_iter_mut();
        nodes.into_par_iter().zip(boxes).zip(lowest).enumerate().for_each(|(index, ((members, bounds), lowest))| {
            *lowest = members.iter().copied().min().unwrap_or(u32::MAX);
            let widest = bound(points, members, bounds);
            if level < levels {
                let middle = ((2 * index + 1) * rows) >> (level + 1);
                split(points, members, widest, middle - starts[index]);
            }
        });
    }

    fn fill_lanes(&mut self, points: ArrayView2<'_, f32>) {
        self.lanes = vec![[f64::INFINITY; LEAF]; self.columns << self.levels];
        let (rows, levels, order) = (self.rows, self.levels, &self.order);
        self.lanes.par_chunks_mut(self.columns).enumerate().for_each(|(leaf, lanes)| {
            let members = &order[(leaf * rows) >> levels..((leaf + 1) * rows) >> levels];
            for (lane, &row) in members.iter().enumerate() {
                for (column, &value) in lanes.iter_mut().zip(points.row(row as usize)) {
                    column[lane] = f64::from(value);
                }
            }
        });
    }

    /// The number of points.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The number of coordinates of a point.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The row at each position.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// The number of leaves; leaf `i` is node `leaves + i`.
    pub(super) fn leaves(&self) -> usize {
        1 << self.levels
    }

    /// The positions of leaf `leaf`.
    pub(super) fn leaf(&self, leaf: usize) -> std::ops::Range<usize> {
        (leaf * self.rows) >> self.levels..((leaf + 1) * self.rows) >> self.levels
    }

    /// The lowest row in `node`.
    pub(super) fn lowest_row(&self, node: usize) -> u32 {
        self.lowest_row[node]
    }

    /// The coordinates of the point in lane `lane` of leaf `leaf`.
    pub(super) fn point(&self, leaf: usize, lane: usize) -> impl Iterator<Item = f64> + '_ {
        self.lanes[leaf * self.columns..(leaf + 1) * self.columns].iter().map(move |column| column[lane])
    }

    /// The squared distance between the points at two positions.
    pub(super) fn squared_distance(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (self.place(a), self.place(b));
        let mut sum = 0.0;
        for column in 0..self.columns {
            let difference =
                self.lanes[a.0 * self.columns + column][a.1] - self.lanes[b.0 * self.columns + column][b.1];
            sum += difference * difference;
        }
        sum
    }

    /// The leaf and the lane of a position: the last leaf that starts at or before it.
    fn place(&self, position: usize) -> (usize, usize) {
        let leaf = (((position + 1) << self.levels) - 1) / self.rows;
        (leaf, position - self.leaf(leaf).start)
    }

    fn bounds(&self, node: usize) -> &[f64] {
        &self.boxes[node * 2 * self.columns..(node + 1) * 2 * self.columns]
    }

    /// The squared distance from `query` to the box of `node`; 0 inside.
    #[inline]
    pub(super) fn to_box(&self, node: usize, query: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (edge, &value) in self.bounds(node).chunks_exact(2).zip(query) {
            let outside = (edge[0] - value).max(value - edge[1]).max(0.0);
            sum += outside * outside;
        }
        sum
    }

    /// The squared distance between the box of `node` and another (lower and upper bound of each column); 0 if they
    /// overlap.
    #[inline]
    pub(super) fn between_boxes(&self, node: usize, bounds: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (a, b) in self.bounds(node).chunks_exact(2).zip(bounds.chunks_exact(2)) {
            let gap = (a[0] - b[1]).max(b[0] - a[1]).max(0.0);
            sum += gap * gap;
        }
        sum
    }

    /// The squared distances from `query` to the lanes of a leaf; infinite for lanes without a point.
    #[inline]
    pub(super) fn to_leaf(&self, leaf: usize, query: &[f64]) -> [f64; LEAF] {
        let mut sums = [0.0; LEAF];
        let lanes = &self.lanes[leaf * self.columns..(leaf + 1) * self.columns];
        for (column, &value) in lanes.iter().zip(query) {
            for (sum, &coordinate) in sums.iter_mut().zip(column) {
                let difference = coordinate - value;
                *sum += difference * difference;
            }
        }
        sums
    }

    /// Passes `search` the leaves that it admits, nearest first.
    #[inline]
    pub(super) fn search(&self, search: &mut impl Search) {
        let mut waiting = [(0usize, 0.0f64); 64];
        waiting[0] = (ROOT, search.squared_distance(ROOT));
        let mut count = 1;
        let leaves = self.leaves();
        while count > 0 {
            count -= 1;
            let (mut node, mut squared) = waiting[count];
            while node < leaves && search.admits(node, squared) {
                let (left, right) = (2 * node, 2 * node + 1);
                let (to_left, to_right) = (search.squared_distance(left), search.squared_distance(right));
                let left_first =
                    to_left < to_right || (to_left == to_right && self.lowest_row[left] < self.lowest_row[right]);
                let far;
                ((node, squared), far) = match left_first {
                    true => ((left, to_left), (right, to_right)),
                    false => ((right, to_right), (left, to_left)),
                };
                waiting[count] = far;
                count += 1;
            }
            if node >= leaves && search.admits(node, squared) {
                search.visit(node - leaves);
            }
        }
    }

    /// Finds the points nearest to `query`, except the one at position `skip`.
    pub(super) fn nearest(&self, query: &[f64], skip: usize, nearest: &mut Nearest) {
        nearest.clear();
        self.search(&mut NearestSearch { tree: self, query, skip, nearest });
    }
}

struct NearestSearch<'a> {
    tree: &'a KdTree,
    query: &'a [f64],
    skip: usize,
    nearest: &'a mut Nearest,
}

impl Search for NearestSearch<'_> {
    #[inline]
    fn squared_distance(&self, node: usize) -> f64 {
        self.tree.to_box(node, self.query)
    }

    #[inline]
    fn admits(&self, node: usize, squared: f64) -> bool {
        self.nearest.admits(squared, self.tree.lowest_row[node])
    }

    #[inline]
    fn visit(&mut self, leaf: usize) {
        let squared = self.tree.to_leaf(leaf, self.query);
        for (position, &squared) in self.tree.leaf(leaf).zip(&squared) {
            if self.nearest.admits(squared, 0) && position != self.skip {
                self.nearest.offer(Neighbor { squared, row: self.tree.order[position] });
            }
        }
    }
}

/// Writes the bounding box of `members` (lower and upper bound of each column) and returns its widest column.
fn bound(points: ArrayView2<'_, f32>, members: &[u32], bounds: &mut [f64]) -> usize {
    for edge in bounds.chunks_exact_mut(2) {
        (edge[0], edge[1]) = (f64::INFINITY, f64::NEG_INFINITY);
    }
    for &row in members {
        for (edge, &value) in bounds.chunks_exact_mut(2).zip(points.row(row as usize)) {
            edge[0] = edge[0].min(f64::from(value));
            edge[1] = edge[1].max(f64::from(value));
        }
    }
    let mut widest = (0, f64::NEG_INFINITY);
    for (column, edge) in bounds.chunks_exact(2).enumerate() {
        if edge[1] - edge[0] > widest.1 {
            widest = (column, edge[1] - edge[0]);
        }
    }
    widest.0
}

/// Moves the `middle` members with the smallest values of `column` to the front, with ties broken by row.
fn split(points: ArrayView2<'_, f32>, members: &mut [u32], column: usize, middle: usize) {
    if middle < members.len() {
        members.select_nth_unstable_by(middle, |&a, &b| {
            points[[a as usize, column]].total_cmp(&points[[b as usize, column]]).then(a.cmp(&b))
        });
    }
}
