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
    pub(crate) runs: Runs,
}

/// The communities of several runs, kept node by node, since they are compared so.
#[derive(Debug)]
pub(crate) struct Runs {
    communities: Vec<u32>,
    count: usize,
}

impl Runs {
    /// From the community of each node in each run.
    pub(crate) fn new(runs: &[Vec<u32>]) -> Self {
        let nodes = runs.first().map_or(0, Vec::len);
        let communities = (0..nodes).flat_map(|node| runs.iter().map(move |run| run[node])).collect();
        Runs { communities, count: runs.len() }
    }

    /// The community of each node in each run, node by node.
    pub(crate) fn by_node(&self) -> &[u32] {
        &self.communities
    }

    /// The opposite of [`by_node`](Self::by_node), for `count` runs.
    pub(crate) fn from_nodes(communities: Vec<u32>, count: usize) -> Self {
        Runs { communities, count }
    }

    /// The number of runs.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The community of each of `nodes` in a run.
    pub(crate) fn communities(&self, run: usize, nodes: &[u32]) -> Vec<u32> {
        nodes.iter().map(|&node| self.communities[node as usize * self.count + run]).collect()
    }

    fn of(&self, node: usize) -> &[u32] {
        &self.communities[node * self.count..(node + 1) * self.count]
    }

    /// Whether two nodes are in the same community in all runs.
    fn agree(&self, a: usize, b: usize) -> bool {
        self.of(a) == self.of(b)
    }

    /// The share of runs in which two nodes are in the same community.
    pub(crate) fn share(&self, a: usize, b: usize) -> f32 {
        if a == b {
            return 1.0;
        }
        let together = self.of(a).iter().zip(self.of(b)).filter(|(a, b)| a == b).count();
        together as f32 / self.count as f32
    }
}

/// Runs Leiden `runs` times, then weights each edge by the share of runs that put its two nodes into the same community
/// and starts over, until all runs agree. Nodes that all runs connect are one node from then on, so that later rounds
/// are fast.
pub(crate) fn consensus(graph: &Graph, resolution: f64, runs: usize, passes: usize, seed: u64) -> Consensus {
    let partitions = |graph: &Graph, round: u64| -> Vec<Vec<u32>> {
        let run = |run: usize| leiden(graph, resolution, None, passes, mix(mix(seed, round), run as u64));
        (0..runs).into_par_iter().with_max_len(1).map(run).collect()
    };
    let mut current = partitions(graph, 0);
    let first = Runs::new(&current);
    let mut nodes: Vec<u32> = (0..graph.nodes() as u32).collect();
    let mut smaller: Option<Graph> = None;
    for round in 1..=MAX_ROUNDS {
        if current.windows(2).all(|pair| pair[0] == pair[1]) {
            break;
        }
        let runs = Runs::new(&current);
        let agreed = smaller.as_ref().unwrap_or(graph).reweighted(|a, b, weight| weight * runs.share(a, b));
        let mut parts = connected(&agreed, &runs);
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

/// The parts of the graph that edges connect on which all `runs` agree: the number of its first node for each.
pub(crate) fn connected(graph: &Graph, runs: &Runs) -> Vec<u32> {
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
                if parts[end] == u32::MAX && runs.agree(node, end) {
                    parts[end] = first as u32;
                    open.push(end);
                }
            }
        }
    }
    parts
}
