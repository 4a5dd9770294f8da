//! The single-linkage hierarchy of a minimum spanning tree: each of its edges, lightest first, merges two subtrees.

use super::edge::Edge;

/// One merge. Nodes numbered below the number of points are points; node `points + i` is merge `i`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Merge {
    pub(super) left: u32,
    pub(super) right: u32,
    /// The mutual reachability distance at which the two nodes merge.
    pub(super) distance: f64,
    /// The number of points in the merged subtree, including copies.
    pub(super) size: u32,
    /// The number of distinct points in the merged subtree.
    pub(super) points: u32,
}

/// The number of copies of each point; 1 each if empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights<'a>(pub(super) &'a [u32]);

impl Weights<'_> {
    pub(super) fn of(&self, point: usize) -> usize {
        self.0.get(point).map_or(1, |&weight| weight as usize)
    }
}

/// The merges of `edges`, a spanning tree in order. Left is the side nearer to row 0 along the tree, so that the
/// order of clusters does not depend on how the tree was found.
pub(super) fn single_linkage(edges: &[Edge], weights: Weights<'_>) -> Vec<Merge> {
    let points = edges.len() + 1;
    let above = toward_row_0(edges);
    let mut top: Vec<u32> = (0..2 * points as u32 - 1).collect();
    let mut merges: Vec<Merge> = Vec::with_capacity(edges.len());
    for edge in edges {
        let (from, to) = match above[edge.low as usize] == edge.high {
            true => (edge.high, edge.low),
            false => (edge.low, edge.high),
        };
        let (left, right) = (find(&mut top, from), find(&mut top, to));
        let sizes_of = |node: u32| match (node as usize).checked_sub(points) {
            Some(merge) => (merges[merge].size, merges[merge].points),
            None => (weights.of(node as usize) as u32, 1),
        };
        let (of_left, of_right) = (sizes_of(left), sizes_of(right));
        let (size, points) = (of_left.0 + of_right.0, of_left.1 + of_right.1);
        let merge = Merge { left, right, distance: edge.reachability.sqrt(), size, points };
        let node = (edges.len() + 1 + merges.len()) as u32;
        (top[left as usize], top[right as usize]) = (node, node);
        merges.push(merge);
    }
    merges
}

fn find(top: &mut [u32], mut node: u32) -> u32 {
    while top[node as usize] != node {
        let above = top[top[node as usize] as usize];
        top[node as usize] = above;
        node = above;
    }
    node
}

/// The predecessor of each row on the path from row 0; row 0 is its own.
fn toward_row_0(edges: &[Edge]) -> Vec<u32> {
    let points = edges.len() + 1;
    let mut start = vec![0usize; points + 1];
    for edge in edges {
        start[edge.low as usize + 1] += 1;
        start[edge.high as usize + 1] += 1;
    }
    for point in 0..points {
        start[point + 1] += start[point];
    }
    let mut next = start.clone();
    let mut adjacent = vec![0u32; 2 * edges.len()];
    for edge in edges {
        for (from, to) in [(edge.low, edge.high), (edge.high, edge.low)] {
            adjacent[next[from as usize]] = to;
            next[from as usize] += 1;
        }
    }
    let mut above = vec![0u32; points];
    let mut waiting = vec![0u32];
    while let Some(row) = waiting.pop() {
        for &to in &adjacent[start[row as usize]..start[row as usize + 1]] {
            if to != above[row as usize] {
                above[to as usize] = row;
                waiting.push(to);
            }
        }
    }
    above
}
