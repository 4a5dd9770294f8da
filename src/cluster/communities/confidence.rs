//! How certain it is where a node belongs.

use rayon::prelude::*;

use super::consensus::Runs;
use super::graph::Graph;

/// The two communities that a node is best connected to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Connections {
    /// The share of the node's weight that connects it to its own community, in the runs that agree with it: 0 to 1.
    pub(crate) own: f64,
    /// The other community with the largest share of the node's weight, and that share.
    pub(crate) runner_up: Option<(u32, f64)>,
}

/// The connections of every node of `graph`, given its `communities`, and the `runs` on the nodes' `cores`.
pub(crate) fn connections(graph: &Graph, communities: &[u32], cores: &[u32], runs: &Runs) -> Vec<Connections> {
    let of_node = |node: usize| {
        let mut others: Vec<(u32, f64)> = Vec::new();
        for (end, weight) in graph.edges(node) {
            match others.iter_mut().find(|(other, _)| *other == communities[end]) {
                Some((_, sum)) => *sum += weight,
                None => others.push((communities[end], weight)),
            }
        }
        others.retain(|&(other, _)| other != communities[node]);
        let best = others.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let total = graph.strengths()[node];
        Connections {
            own: strength(graph, communities, cores, runs, node),
            runner_up: best.map(|(other, weight)| (other, (weight / total).clamp(0.0, 1.0))),
        }
    };
    (0..graph.nodes()).into_par_iter().map(of_node).collect()
}

/// The [`own`](Connections::own) of every node.
pub(crate) fn strengths(graph: &Graph, communities: &[u32], cores: &[u32], runs: &Runs) -> Vec<f64> {
    let of_node = |node: usize| strength(graph, communities, cores, runs, node);
    (0..graph.nodes()).into_par_iter().with_min_len(1024).map(of_node).collect()
}

fn strength(graph: &Graph, communities: &[u32], cores: &[u32], runs: &Runs, node: usize) -> f64 {
    let total = graph.strengths()[node];
    // A node without edges is alone in its community, with certainty.
    if total <= 0.0 {
        return 1.0;
    }
    let (mut inside, mut edges) = (0.0, 0.0);
    for (end, weight) in graph.edges(node) {
        edges += weight;
        if communities[end] == communities[node] {
            inside += weight * f64::from(runs.share(cores[node] as usize, cores[end] as usize));
        }
    }
    // The rest of its strength are copies.
    ((inside + total - edges) / total).clamp(0.0, 1.0)
}
