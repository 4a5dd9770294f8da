//! How certain it is where a node belongs.

use rayon::prelude::*;

use super::consensus::share;
use super::graph::Graph;

/// The two communities that a node is best connected to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Connections {
    /// The share of the node's weight that connects it to its own community, in the runs that agree with it: 0 to 1.
    pub(crate) own: f64,
    /// The other community with the largest share of the node's weight, and that share.
    pub(crate) runner_up: Option<(u32, f64)>,
}

/// The connections of every node of `graph`, given its `communities`, and for each of the `runs` the communities of the
/// nodes' `cores`.
pub(crate) fn connections(graph: &Graph, communities: &[u32], cores: &[u32], runs: &[Vec<u32>]) -> Vec<Connections> {
    let of_node = |node: usize| {
        let (own, total) = (communities[node], graph.strengths()[node]);
        let (mut inside, mut edges) = (0.0, 0.0);
        let mut others: Vec<(u32, f64)> = Vec::new();
        for (end, weight) in graph.edges(node) {
            let community = communities[end];
            edges += weight;
            if community == own {
                inside += weight * f64::from(share(runs, cores[node] as usize, cores[end] as usize));
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
