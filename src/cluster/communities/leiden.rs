//! The Leiden algorithm: communities with the highest modularity (Traag, Waltman and van Eck 2019, algorithm A.2).
//!
//! Nodes move between communities as long as modularity grows (`move_nodes`); each community is then split into
//! well-connected parts (`refine`), which become the nodes of a smaller graph, in which they start together.

use std::collections::VecDeque;

use super::graph::{Graph, renumber};
use super::random::Random;
use crate::linalg::sparse_sums::SparseSums;

/// What rounding may change in a sum of a node's weights, in proportion to them.
const ROUNDING: f64 = 1e-12;

/// The maximum number of times that the average node moves: far more than in practice, but a graph whose weights differ
/// between the directions of an edge could otherwise keep its nodes moving forever.
const MAX_MOVES: usize = 100;

/// The communities of `graph` at `resolution`, numbered from 0 in the order of their first nodes, each of which is
/// connected. They start as `initial` (numbered from 0), or with one node each; `passes` is the maximum number of times
/// that the whole graph is gone through.
pub(crate) fn leiden(graph: &Graph, resolution: f64, initial: Option<&[u32]>, passes: usize, seed: u64) -> Vec<u32> {
    let mut random = Random::new(seed);
    let mut communities: Vec<u32> = match initial {
        Some(initial) => initial.to_vec(),
        None => (0..graph.nodes() as u32).collect(),
    };
    for _ in 0..passes {
        let before = communities.clone();
        pass(graph, resolution, &mut communities, &mut random);
        if communities == before {
            break;
        }
    }
    communities
}

/// Moves single nodes of `graph` between `communities` as long as modularity grows; none is started.
pub(crate) fn polish(graph: &Graph, resolution: f64, communities: &mut [u32], seed: u64) {
    move_nodes(graph, resolution, communities, false, &mut Random::new(seed));
}

/// One pass: until no node of the most aggregated graph moves.
fn pass(graph: &Graph, resolution: f64, communities: &mut Vec<u32>, random: &mut Random) {
    // The node of the current graph in which each node of the original graph is.
    let mut nodes: Option<Vec<u32>> = None;
    let mut aggregate: Option<Graph> = None;
    // The community of each node of the current graph.
    let mut current = std::mem::take(communities);
    loop {
        let graph = aggregate.as_ref().unwrap_or(graph);
        move_nodes(graph, resolution, &mut current, true, random);
        let count = renumber(&mut current);
        if count == graph.nodes() {
            break;
        }
        let mut refined = refine(graph, resolution, &current, count, random);
        let parts = renumber(&mut refined);
        if parts == graph.nodes() {
            break;
        }
        let mut of_parts = vec![0; parts];
        for (&part, &community) in refined.iter().zip(&current) {
            of_parts[part as usize] = community;
        }
        let smaller = graph.aggregated(&refined, parts);
        nodes = Some(match nodes {
            Some(nodes) => nodes.iter().map(|&node| refined[node as usize]).collect(),
            None => refined,
        });
        current = of_parts;
        aggregate = Some(smaller);
    }
    *communities = match nodes {
        Some(nodes) => nodes.iter().map(|&node| current[node as usize]).collect(),
        None => current,
    };
    renumber(communities);
}

/// Moves each node to the community in which modularity is highest, then those whose neighbors moved, until none moves
/// (the fast local moving of Leiden). Whether a node may also start a new community is for `starts_new` to say.
fn move_nodes(graph: &Graph, resolution: f64, communities: &mut [u32], starts_new: bool, random: &mut Random) {
    let (strengths, scale) = (graph.strengths(), resolution / graph.total());
    let mut of_communities = vec![0.0; graph.nodes()];
    let mut sizes = vec![0_u32; graph.nodes()];
    for (node, &community) in communities.iter().enumerate() {
        of_communities[community as usize] += strengths[node];
        sizes[community as usize] += 1;
    }
    let mut empty: Vec<u32> = (0..graph.nodes() as u32).filter(|&community| sizes[community as usize] == 0).collect();
    let mut queue = VecDeque::from(random.order(graph.nodes()));
    let mut waits = vec![true; graph.nodes()];
    let mut links = SparseSums::new(graph.nodes());
    let mut moves_left = MAX_MOVES * graph.nodes();
    while let Some(node) = queue.pop_front() {
        let node = node as usize;
        waits[node] = false;
        let own = communities[node];
        for (end, weight) in graph.edges(node) {
            links.add(communities[end], weight);
        }
        let strength = strengths[node];
        of_communities[own as usize] -= strength;
        let gain = |community: u32| links.of(community) - scale * strength * of_communities[community as usize];
        let (mut best, mut highest) = (own, gain(own));
        for &community in links.used() {
            let gain = gain(community);
            // Rounding errors must not move a node back and forth.
            if gain > highest + ROUNDING * strength {
                (best, highest) = (community, gain);
            }
        }
        if starts_new
            && highest < -ROUNDING * strength
            && sizes[own as usize] > 1
            && let Some(&free) = empty.last()
        {
            best = free;
        }
        links.clear();
        of_communities[best as usize] += strength;
        if best == own {
            continue;
        }
        moves_left -= 1;
        if moves_left == 0 {
            break;
        }
        if sizes[best as usize] == 0 {
            empty.pop();
        }
        sizes[best as usize] += 1;
        sizes[own as usize] -= 1;
        if sizes[own as usize] == 0 {
            empty.push(own);
        }
        communities[node] = best;
        for (end, _) in graph.edges(node) {
            if !waits[end] && communities[end] != best {
                waits[end] = true;
                queue.push_back(end as u32);
            }
        }
    }
}

/// Splits each community into parts that are well connected within it: every node starts alone, and joins a part of its
/// community if modularity does not fall.
fn refine(graph: &Graph, resolution: f64, communities: &[u32], count: usize, random: &mut Random) -> Vec<u32> {
    let (strengths, scale) = (graph.strengths(), resolution / graph.total());
    let mut of_communities = vec![0.0; count];
    for (node, &community) in communities.iter().enumerate() {
        of_communities[community as usize] += strengths[node];
    }
    let mut parts: Vec<u32> = (0..graph.nodes() as u32).collect();
    let mut of_parts = strengths.to_vec();
    let mut alone = vec![true; graph.nodes()];
    // The weight of the edges from each part to the rest of its community.
    let mut leaving: Vec<f64> = (0..graph.nodes())
        .map(|node| graph.edges(node).filter(|edge| communities[edge.0] == communities[node]).map(|edge| edge.1).sum())
        .collect();
    let mut links = SparseSums::new(graph.nodes());
    for node in random.order(graph.nodes()) {
        let node = node as usize;
        let (strength, community) = (strengths[node], of_communities[communities[node] as usize]);
        if !alone[node] || leaving[node] < scale * strength * (community - strength) {
            continue;
        }
        for (end, weight) in graph.edges(node).filter(|edge| communities[edge.0] == communities[node]) {
            links.add(parts[end], weight);
        }
        let (mut best, mut highest) = (node as u32, 0.0);
        for &part in links.used() {
            let of_part = of_parts[part as usize];
            if leaving[part as usize] < scale * of_part * (community - of_part) {
                continue;
            }
            let gain = links.of(part) - scale * strength * of_part;
            if gain >= highest {
                (best, highest) = (part, gain);
            }
        }
        if best != node as u32 {
            let target = best as usize;
            leaving[target] += leaving[node] - 2.0 * links.of(best);
            of_parts[target] += strength;
            (alone[node], alone[target]) = (false, false);
            parts[node] = best;
        }
        links.clear();
    }
    parts
}
