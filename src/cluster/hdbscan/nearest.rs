//! The k nearest points of a query, maintained during a search.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Above this size, a heap is faster than insertion into a sorted list.
const SORTED_LIST: usize = 64;

/// A data point and its squared distance from the query. Ties are broken by row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbor {
    pub(super) squared: f64,
    pub(super) row: u32,
}

impl Eq for Neighbor {}

impl Ord for Neighbor {
    fn cmp(&self, other: &Self) -> Ordering {
        self.squared.total_cmp(&other.squared).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Neighbor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Keeps the `k` nearest of the neighbors offered to it.
#[derive(Debug)]
pub(super) struct Nearest {
    k: usize,
    worst: Neighbor,
    sorted: Vec<Neighbor>,
    heap: BinaryHeap<Neighbor>,
}

/// Farther than any neighbor.
const NOBODY: Neighbor = Neighbor { squared: f64::INFINITY, row: u32::MAX };

impl Nearest {
    /// Creates an empty set with room for `k` (at least 1) neighbors.
    pub(super) fn new(k: usize) -> Self {
        Nearest { k, worst: NOBODY, sorted: Vec::with_capacity(k), heap: BinaryHeap::new() }
    }

    /// Clears the neighbors for the next query.
    pub(super) fn clear(&mut self) {
        self.worst = NOBODY;
        self.sorted.clear();
        self.heap.clear();
    }

    /// Whether a neighbor at this squared distance, with a row number of at least `row`, could still be accepted.
    #[inline]
    pub(super) fn admits(&self, squared: f64, row: u32) -> bool {
        squared < self.worst.squared || (squared == self.worst.squared && row < self.worst.row)
    }

    /// Accepts the neighbor if it is among the `k` nearest so far.
    #[inline]
    pub(super) fn offer(&mut self, neighbor: Neighbor) {
        if !self.admits(neighbor.squared, neighbor.row) {
            return;
        }
        if self.k <= SORTED_LIST {
            self.insert(neighbor);
        } else {
            self.push(neighbor);
        }
    }

    fn insert(&mut self, neighbor: Neighbor) {
        if self.sorted.len() == self.k {
            self.sorted.pop();
        }
        let mut place = self.sorted.len();
        self.sorted.push(neighbor);
        while place > 0 && neighbor < self.sorted[place - 1] {
            self.sorted[place] = self.sorted[place - 1];
            place -= 1;
        }
        self.sorted[place] = neighbor;
        if self.sorted.len() == self.k {
            self.worst = self.sorted[self.k - 1];
        }
    }

    fn push(&mut self, neighbor: Neighbor) {
        self.heap.push(neighbor);
        if self.heap.len() > self.k {
            self.heap.pop();
        }
        if self.heap.len() == self.k {
            self.worst = self.heap.peek().copied().unwrap_or(NOBODY);
        }
    }

    /// The neighbors, nearest first.
    pub(super) fn sorted(&mut self) -> &[Neighbor] {
        if self.k > SORTED_LIST {
            self.sorted.clear();
            self.sorted.extend(self.heap.iter().copied());
            self.sorted.sort_unstable();
        }
        &self.sorted
    }
}
