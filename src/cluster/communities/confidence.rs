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
        let (own, total) = (communities[node], graph.strengths()[node]);
        let (mut inside, mut edges) = (0.0, 0.0);
        let mut others: Vec<(u32, f64)> = Vec::new();
        for (end, weight) in graph.edges(node) {
            let community = communities[end];
            edges += weight;
            if community == own {
                inside += weight * f64::from(runs.share(cores[node] as usize, cores[end] as usize));
                continue;
            }
            match others.iter_mut().find(|(other, _)| *other == community) {
                Some((_, sum)) => *sum += weight,
                None => others.push((community, weight)),
            }
        }
        // The rest of its strength are copies.
        inside += total - edges;
        // A node without edges is alone in its community, with certainty.
        let part = |weight: f64| if total > 0.0 { (weight / total).clamp(0.0, 1.0) } else { 1.0 };
        let best = others.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let own = if total > 0.0 { part(inside) } else { 1.0 };
        Connections { own, runner_up: best.map(|(other, weight)| (other, part(weight))) }
    };
    (0..graph.nodes()).into_par_iter().map(of_node).collect()
}

/// The [`own`](Connections::own) of every node.
pub(crate) fn strengths(graph: &Graph, communities: &[u32], cores: &[u32], runs: &Runs) -> Vec<f64> {
    let of_node = |node: usize| {
        let (own, total) = (communities[node], graph.strengths()[node]);
        if total <= 0.0 {
            return 1.0;
        }
        let mut outside = 0.0;
        for (end, weight) in graph.edges(node) {
            outside += weight
                * match communities[end] == own {
                    true => 1.0 - f64::from(runs.share(cores[node] as usize, cores[end] as usize)),
                    false => 1.0,
                };
        }
        (1.0 - outside / total).clamp(0.0, 1.0)
    };
    (0..graph.nodes()).into_par_iter().with_min_len(1024).map(of_node).collect()
}
