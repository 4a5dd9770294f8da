//! The edges between rows, and their order.
//!
//! Mutual reachability causes ties by design: all edges of a point to neighbors inside its core distance have the same
//! weight. Edges therefore have a total order: mutual reachability, then plain distance, then the two rows. Under a
//! total order there is exactly one minimum spanning tree, regardless of the algorithm and the number of threads, and
//! an outlying point is attached to the nearest of the candidate points.

use std::cmp::Ordering;

/// An edge between two rows, `low` < `high`. Distances are squared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub(super) reachability: f64,
    pub(super) distance: f64,
    pub(super) low: u32,
    pub(super) high: u32,
}

impl Edge {
    /// An edge that comes after every other edge.
    pub(super) const NONE: Edge =
        Edge { reachability: f64::INFINITY, distance: f64::INFINITY, low: u32::MAX, high: u32::MAX };

    pub(super) fn new(reachability: f64, distance: f64, a: u32, b: u32) -> Self {
        Edge { reachability, distance, low: a.min(b), high: a.max(b) }
    }
}

impl Eq for Edge {}

impl Ord for Edge {
    fn cmp(&self, other: &Self) -> Ordering {
        self.reachability
            .total_cmp(&other.reachability)
            .then(self.distance.total_cmp(&other.distance))
            .then(self.low.cmp(&other.low))
            .then(self.high.cmp(&other.high))
    }
}

impl PartialOrd for Edge {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
