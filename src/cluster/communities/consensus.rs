//! Communities that several runs of Leiden agree on (Lancichinetti and Fortunato 2012).

use rayon::prelude::*;

use super::graph::{Graph, renumber};
use super::leiden::leiden;
use crate::linalg::mix::mix;

/// The maximum number of rounds in which the runs may come to agree.
const MAX_ROUNDS: u64 = 10;

/// The communities that all runs agree on.
#[derive(Debug)]
pub(crate) struct Consensus {
    /// The community of each node, numbered from 0 in the order of their first nodes.
    pub(crate) communities: Vec<u32>,
    /// Their number.
    pub(crate) count: usize,
    /// The communities of each run on the graph itself.
    pub(crate) runs: Vec<Vec<u32>>,
}

/// Runs Leiden `runs` times, then weights each edge by the share of runs that put its two nodes into the same community
/// and starts over, until all runs agree. Nodes that all runs connect are one node from then on, so that later rounds
/// are fast.
pub(crate) fn consensus(graph: &Graph, resolution: f64, runs: usize, passes: usize, seed: u64) -> Consensus {
    let partitions = |graph: &Graph, round: u64| -> Vec<Vec<u32>> {
        let run = |run: usize| leiden(graph, resolution, None, passes, mix(mix(seed, round), run as u64));
        (0..runs).into_par_iter().with_max_len(1).map(run).collect()
    };
    let first = partitions(graph, 0);
    let mut nodes: Vec<u32> = (0..graph.nodes() as u32).collect();
    let mut current = first.clone();
    let mut smaller: Option<Graph> = None;
    for round in 1..=MAX_ROUNDS {
        if current.windows(2).all(|pair| pair[0] == pair[1]) {
            break;
        }
        let agreed = agreed(smaller.as_ref().unwrap_or(graph), &current);
        let mut parts = connected(&agreed, &current);
        let count = renumber(&mut parts);
        let aggregated = agreed.aggregated(&parts, count);
        nodes.iter_mut().for_each(|node| *node = parts[*node as usize]);
        current = partitions(&aggregated, round);
        smaller = Some(aggregated);
    }
    let decided = current.into_iter().next().unwrap_or_default();
    let mut communities: Vec<u32> = nodes.iter().map(|&node| decided[node as usize]).collect();
    let count = renumber(&mut communities);
    Consensus { communities, count, runs: first }
}

/// The graph with each edge weighted by the share of `partitions` in which its nodes are in the same community.
fn agreed(graph: &Graph, partitions: &[Vec<u32>]) -> Graph {
    graph.reweighted(|a, b, weight| weight * share(partitions, a, b))
}

/// The share of `partitions` in which two nodes are in the same community.
pub(crate) fn share(partitions: &[Vec<u32>], a: usize, b: usize) -> f32 {
    let together = partitions.iter().filter(|partition| partition[a] == partition[b]).count();
    together as f32 / partitions.len() as f32
}

/// The parts of the graph that edges connect on which all `partitions` agree: the number of its first node for each.
pub(crate) fn connected(graph: &Graph, partitions: &[Vec<u32>]) -> Vec<u32> {
    let mut parts = vec![u32::MAX; graph.nodes()];
    let mut open = Vec::new();
    for first in 0..graph.nodes() {
        if parts[first] != u32::MAX {
            continue;
        }
        parts[first] = first as u32;
        open.push(first);
        while let Some(node) = open.pop() {
            for (end, _) in graph.edges(node) {
                if parts[end] == u32::MAX && partitions.iter().all(|partition| partition[node] == partition[end]) {
                    parts[end] = first as u32;
                    open.push(end);
                }
            }
        }
    }
    parts
}
