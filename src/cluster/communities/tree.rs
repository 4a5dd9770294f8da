//! A tree of communities: each level divides the communities of the level above, at √2 times its resolution.
//!
//! A level's communities are a consensus of runs that move nodes within their parent only, so levels are nested by
//! construction. The runs do not move rows but cores, a few rows each that all of several runs at a high resolution put
//! together; then each row moves to where it fits best within its parent. Between two levels, communities are joined in
//! pairs, the best connected for their strengths first (Bonald, Charpentier, Galland and Hollocou 2018), so that the tree
//! can be cut at any number. Above the first level, where no parent bounds them, this would let one community swallow the
//! rest; there, each pair is the one that loses the least modularity (Clauset, Newman and Moore 2004).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use rayon::prelude::*;

use super::consensus::{Consensus, Runs, connected, consensus};
use super::graph::{Graph, members, renumber, rows_of};
use super::leiden::{leiden, polish};
use crate::linalg::mix::mix;
use crate::progress::Task;

/// The resolution of the first level. Every second level doubles it.
const FIRST_RESOLUTION: f64 = 0.5;

/// The maximum number of levels.
const MAX_LEVELS: usize = 24;

/// The number of levels that are sought even if one has no more communities than the one above.
const MIN_LEVELS: usize = 5;

/// There is no level below one whose communities have fewer rows on average than this many times the minimum.
const LEAF_SIZE: u64 = 4;

/// The resolution of the cores: at least this, and this part of the number of nodes, so that a core has some five rows.
const CORES: (f64, f64) = (64.0, 0.01);

/// How a tree is built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) runs: usize,
    pub(crate) passes: usize,
    pub(crate) min_size: u32,
    /// The number of a row's copies that count as neighbors of it.
    pub(crate) max_copies: u32,
    pub(crate) seed: u64,
}

/// The levels of a tree, and the runs that they are a consensus of.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Coarsest first.
    pub(crate) levels: Vec<Level>,
    /// The core of each node.
    pub(crate) cores: Vec<u32>,
}

/// A level of the tree.
#[derive(Debug)]
pub(crate) struct Level {
    /// The resolution at which the communities were found.
    pub(crate) resolution: f64,
    /// The community of each node, from 0.
    pub(crate) communities: Vec<u32>,
    pub(crate) count: usize,
    /// The communities of the cores in each run.
    pub(crate) runs: Runs,
    /// The number of communities that had too few rows and joined others, if the tree was not loaded.
    pub(crate) joined: usize,
}

/// The resolution of a level, from 0 for the coarsest.
fn resolution_of(level: usize) -> f64 {
    FIRST_RESOLUTION * 2_f64.powf(level as f64 / 2.0)
}

/// The tree of `graph`; `sizes` are the numbers of rows that the nodes stand for. After an interruption, which `task`
/// reports, the tree is incomplete.
pub(crate) fn tree(graph: &Graph, sizes: &[u32], growth: &Growth, task: &Task) -> Tree {
    let resolution = CORES.0.max(CORES.1 * graph.nodes() as f64);
    let run = |run: usize| match task.is_interrupted() {
        true => vec![0; graph.nodes()],
        false => leiden(graph, resolution, None, 1, mix(mix(growth.seed, u64::MAX), run as u64)),
    };
    let runs: Vec<Vec<u32>> = (0..growth.runs).into_par_iter().with_max_len(1).map(run).collect();
    let mut cores = connected(graph, &Runs::new(&runs));
    let count = renumber(&mut cores);
    let small = graph.aggregated(&cores, count);
    let core_rows = rows_of(&cores, count, sizes);
    let rows: u64 = sizes.iter().map(|&size| u64::from(size)).sum();
    let find = |parents: Option<&[u32]>, number: usize| {
        let within = parents.map(|parents| small.within(parents));
        let restricted = within.as_ref().unwrap_or(&small);
        let seed = mix(growth.seed, number as u64);
        let mut found = consensus(restricted, resolution_of(number), growth.runs, growth.passes, seed);
        let before = found.count;
        found.count = absorb_small(restricted, &mut found.communities, before, &core_rows, growth.min_size);
        let joined = before - found.count;
        (found, joined)
    };
    let mut levels: Vec<Level> = Vec::new();
    let mut parents: Option<Vec<u32>> = None;
    let mut next = Some(find(None, 0));
    while let Some((found, joined)) = next {
        let number = levels.len();
        let no_finer = levels.last().is_some_and(|level| found.count <= level.count) && number >= MIN_LEVELS;
        if no_finer || task.is_interrupted() {
            break;
        }
        let is_last = number + 1 == MAX_LEVELS || found.count as u64 * u64::from(growth.min_size) * LEAF_SIZE > rows;
        let above = parents.as_deref().zip(levels.last());
        // The next level needs the cores' communities only.
        let (communities, below) = rayon::join(
            || of_nodes(graph, &cores, &found, above, resolution_of(number), mix(growth.seed, number as u64)),
            || (!is_last).then(|| find(Some(&found.communities), number + 1)),
        );
        let resolution = resolution_of(number);
        levels.push(Level { resolution, communities, count: found.count, runs: found.runs, joined });
        (parents, next) = (Some(found.communities), below);
    }
    Tree { levels, cores }
}

/// The communities of the nodes, given those of their cores: every node moves to where it fits best within its
/// community at the level above. Communities keep their numbers, and one that loses all of its nodes has none.
fn of_nodes(
    graph: &Graph,
    cores: &[u32],
    found: &Consensus,
    above: Option<(&[u32], &Level)>,
    resolution: f64,
    seed: u64,
) -> Vec<u32> {
    let mut communities: Vec<u32> = cores.iter().map(|&core| found.communities[core as usize]).collect();
    let Some((parents, level)) = above else {
        polish(graph, resolution, &mut communities, seed);
        return communities;
    };
    let within = graph.within(&level.communities);
    let mut parent_of = vec![0_u32; found.count];
    for (core, &community) in found.communities.iter().enumerate() {
        parent_of[community as usize] = parents[core];
    }
    let children = members(&parent_of, parents.iter().max().map_or(0, |&last| last as usize + 1));
    // A node that left its core's parent starts in the child of its own parent to which it is connected best.
    let homeless = |node: &usize| parent_of[communities[*node] as usize] != level.communities[*node];
    let homeless: Vec<usize> = (0..communities.len()).filter(homeless).collect();
    let homes: Vec<u32> = homeless
        .iter()
        .map(|&node| {
            let parent = level.communities[node];
            let mut weights: BTreeMap<u32, f64> = BTreeMap::new();
            for (end, weight) in within.edges(node) {
                if parent_of[communities[end] as usize] == parent {
                    *weights.entry(communities[end]).or_default() += weight;
                }
            }
            let best = weights.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
            best.map(|(community, _)| community)
                .or_else(|| children.of(parent as usize).first().copied())
                .unwrap_or(communities[node])
        })
        .collect();
    for (node, home) in homeless.into_iter().zip(homes) {
        communities[node] = home;
    }
    polish(&within, resolution, &mut communities, seed);
    communities
}

/// Joins each community of fewer than `min_size` rows with the one that it is best connected to, if any. Returns the
/// number of communities.
fn absorb_small(graph: &Graph, communities: &mut [u32], count: usize, sizes: &[u32], min_size: u32) -> usize {
    let mut rows = rows_of(communities, count, sizes);
    let aggregated = graph.aggregated(communities, count);
    let mut joined: Vec<u32> = (0..count as u32).collect();
    let mut small: Vec<usize> = (0..count).filter(|&community| rows[community] < min_size).collect();
    small.sort_by_key(|&community| (rows[community], community));
    let root = |joined: &[u32], mut community: usize| {
        while joined[community] as usize != community {
            community = joined[community] as usize;
        }
        community
    };
    for community in small {
        if root(&joined, community) != community || rows[community] >= min_size {
            continue;
        }
        let mut best: Option<(f64, usize)> = None;
        for (other, weight) in aggregated.edges(community) {
            let affinity = weight / aggregated.strengths()[other];
            let other = root(&joined, other);
            if other != community && best.is_none_or(|(highest, _)| affinity > highest) {
                best = Some((affinity, other));
            }
        }
        if let Some((_, other)) = best {
            joined[community] = other as u32;
            rows[other] += rows[community];
        }
    }
    communities.iter_mut().for_each(|community| *community = root(&joined, *community as usize) as u32);
    renumber(communities)
}

/// The order in which the leaves, the communities of the last level, join: `(a, b)` means that the group of leaf `b`
/// joins that of leaf `a`.
pub(crate) fn merges(graph: &Graph, levels: &[Level]) -> Vec<(u32, u32)> {
    let Some(leaves) = levels.last() else { return Vec::new() };
    let mut all = Vec::new();
    let base = graph.aggregated(&leaves.communities, leaves.count);
    // For each leaf, the leaf by which its current group is known.
    let mut group: Vec<u32> = (0..leaves.count as u32).collect();
    let total = base.total();
    for above in levels.iter().rev().skip(1).map(Some).chain([None]) {
        let mut parent_of_leaf = vec![0_u32; leaves.count];
        if let Some(level) = above {
            for (&leaf, &parent) in leaves.communities.iter().zip(&level.communities) {
                parent_of_leaf[leaf as usize] = parent;
            }
        }
        let mut numbers = group.clone();
        let count = renumber(&mut numbers);
        let mut names = vec![0_u32; count];
        for (&number, &name) in numbers.iter().zip(&group) {
            names[number as usize] = name;
        }
        let groups = base.aggregated(&numbers, count);
        let together = |a: usize, b: usize| parent_of_leaf[names[a] as usize] == parent_of_leaf[names[b] as usize];
        let inside = groups.reweighted(|a, b, weight| if together(a, b) { weight } else { 0.0 });
        let affinity = |weight: f64, a: f64, b: f64| match above {
            Some(_) => weight / (a * b),
            None => weight - resolution_of(0) * a * b / total,
        };
        for (a, b) in pairwise(&inside, groups.strengths(), affinity) {
            let (a, b) = (names[a as usize], names[b as usize]);
            group.iter_mut().filter(|name| **name == b).for_each(|name| *name = a);
            all.push((a, b));
        }
    }
    all
}

/// Joins pairs of nodes, those with the highest affinity first, as long as there are edges. `affinity` is that of two
/// nodes by the weight between them and their strengths.
fn pairwise(graph: &Graph, strengths: &[f64], affinity: impl Fn(f64, f64, f64) -> f64) -> Vec<(u32, u32)> {
    let nodes = graph.nodes();
    let mut links: Vec<BTreeMap<u32, f64>> =
        (0..nodes).map(|node| graph.edges(node).map(|(end, weight)| (end as u32, weight)).collect()).collect();
    let mut strengths = strengths.to_vec();
    let mut versions = vec![0_u32; nodes];
    let mut queue = BinaryHeap::new();
    for (a, links) in links.iter().enumerate() {
        for (&b, &weight) in links.range(a as u32 + 1..) {
            let affinity = affinity(weight, strengths[a], strengths[b as usize]);
            queue.push(Pair { affinity, nodes: (a as u32, b), versions: (0, 0) });
        }
    }
    let mut joined = Vec::new();
    while let Some(Pair { nodes: (a, b), versions: (of_a, of_b), .. }) = queue.pop() {
        let (keep, gone) = (a as usize, b as usize);
        if (versions[keep], versions[gone]) != (of_a, of_b) {
            continue;
        }
        joined.push((a, b));
        versions[keep] += 1;
        versions[gone] = u32::MAX;
        strengths[keep] += strengths[gone];
        for (end, weight) in std::mem::take(&mut links[gone]) {
            links[end as usize].remove(&b);
            if end != a {
                *links[keep].entry(end).or_insert(0.0) += weight;
                *links[end as usize].entry(a).or_insert(0.0) += weight;
            }
        }
        for (&end, &weight) in &links[keep] {
            let (first, second) = (a.min(end), a.max(end));
            let affinity = affinity(weight, strengths[first as usize], strengths[second as usize]);
            let versions = (versions[first as usize], versions[second as usize]);
            queue.push(Pair { affinity, nodes: (first, second), versions });
        }
    }
    joined
}

/// Two nodes that can be joined.
#[derive(Debug, PartialEq)]
struct Pair {
    affinity: f64,
    nodes: (u32, u32),
    /// How often each of them has grown: a pair from before is out of date.
    versions: (u32, u32),
}

impl Eq for Pair {}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        self.affinity.total_cmp(&other.affinity).then_with(|| other.nodes.cmp(&self.nodes))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
