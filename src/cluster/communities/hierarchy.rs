//! The tree of communities that a fit found, and its cuts.

use super::confidence::{Connections, connections, strengths};
use super::granularity::{Scored, most_coherent};
use super::graph::{Graph, renumber, rows_of};
use super::tree::{Growth, Level, Tree, merges, tree};
use crate::progress::Task;

/// All that was found in a graph.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    pub(super) graph: Graph,
    pub(super) tree: Tree,
    /// The order in which the communities of the last level join.
    pub(super) merges: Vec<(u32, u32)>,
    /// The number of rows that each node stands for.
    pub(super) sizes: Vec<u32>,
    /// Communities of fewer rows are none.
    pub(super) min_size: u32,
}

/// The communities at some height of the tree.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    /// The community of each node, numbered from 0 in the order of their first nodes; `None` if it has too few rows.
    pub(crate) communities: Vec<Option<u32>>,
    pub(crate) connections: Vec<Connections>,
}

impl Hierarchy {
    pub(crate) fn new(graph: Graph, sizes: Vec<u32>, growth: &Growth, task: &Task) -> Self {
        let copies = |&size: &u32| f64::from(size.saturating_sub(1).min(growth.max_copies));
        let graph = graph.with_loops(sizes.iter().map(copies));
        let tree = tree(&graph, &sizes, growth, task);
        let merges = merges(&graph, &tree.levels);
        Hierarchy { graph, tree, merges, sizes, min_size: growth.min_size }
    }

    /// The number of nodes.
    pub(crate) fn nodes(&self) -> usize {
        self.sizes.len()
    }

    /// The number of communities with enough rows at each level, ascending and distinct.
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts: Vec<usize> = self.tree.levels.iter().map(|level| self.count(level)).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    /// The number of communities with enough rows at the level of `resolution`, or the nearest.
    pub(crate) fn communities_at(&self, resolution: f64) -> usize {
        let distance = |level: &&Level| (level.resolution / resolution).ln().abs();
        let nearest = self.tree.levels.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map_or(0, |level| self.count(level))
    }

    /// The communities of each node in each run, at the level whose number of communities with enough rows is nearest
    /// to `count`.
    pub(crate) fn runs_near(&self, count: usize) -> Vec<Vec<u32>> {
        let Some(Level { runs, .. }) = self.level_near(count) else { return Vec::new() };
        (0..runs.count()).map(|run| runs.communities(run, &self.tree.cores)).collect()
    }

    /// The number of communities with too few rows that joined others, at the level whose number of communities is nearest
    /// to `count`.
    pub(crate) fn joined_near(&self, count: usize) -> usize {
        self.level_near(count).map_or(0, |level| level.joined)
    }

    fn level_near(&self, count: usize) -> Option<&Level> {
        let distance = |level: &&Level| (self.count(level).max(1) as f64 / count.max(1) as f64).ln().abs();
        self.tree.levels.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    /// Cuts the tree into `count` communities of enough rows; if there is no such cut, into the next lower number, or the
    /// lowest. Of several cuts with the same number, it is the last, in which the most small communities have joined
    /// others.
    pub(crate) fn cut(&self, count: usize) -> Cut {
        let counts = self.counts_after_merges();
        let suits = |&(joined, &large): &(usize, &usize)| match large <= count {
            true => (true, large, joined),
            false => (false, usize::MAX - large, joined),
        };
        self.cut_after(counts.iter().enumerate().max_by_key(suits).map_or(0, |(joined, _)| joined))
    }

    /// The number of communities with enough rows after none of the leaves' merges, after the first, and so on.
    pub(crate) fn counts_after_merges(&self) -> Vec<usize> {
        let Some(leaves) = self.tree.levels.last() else { return Vec::new() };
        let mut rows = rows_of(&leaves.communities, leaves.count, &self.sizes);
        let is_large = |rows: u32| usize::from(rows >= self.min_size);
        let mut large = rows.iter().map(|&rows| is_large(rows)).sum();
        let mut counts = vec![large];
        for &(keep, gone) in &self.merges {
            let (a, b) = (rows[keep as usize], rows[gone as usize]);
            rows[keep as usize] = a.saturating_add(b);
            large = large + is_large(a.saturating_add(b)) - is_large(a) - is_large(b);
            counts.push(large);
        }
        counts
    }

    /// The cut after the first `joined` of the leaves' merges.
    fn cut_after(&self, joined: usize) -> Cut {
        let Some(leaves) = self.tree.levels.last() else { return Cut::default() };
        let mut names: Vec<u32> = (0..leaves.count as u32).collect();
        for &(keep, gone) in self.merges.iter().take(joined) {
            names[gone as usize] = keep;
        }
        self.cut_by(&names, leaves)
    }

    /// The number of communities at which rows belong most firmly to coherent ones; `None` if none is coherent.
    /// `coherence` tells how coherent each of a number of communities is, given the community of each node.
    pub(crate) fn most_coherent(&self, coherence: &mut dyn FnMut(&[u32], usize) -> Vec<f64>) -> Option<usize> {
        let mut scored = |level: &Level| {
            let coherence = coherence(&level.communities, level.count);
            let large = self.large(&level.communities, level.count);
            let mut belonging = vec![0.0; level.count];
            let strengths = strengths(&self.graph, &level.communities, &self.tree.cores, &level.runs);
            for (node, strength) in strengths.into_iter().enumerate() {
                belonging[level.communities[node] as usize] += f64::from(self.sizes[node]) * strength;
            }
            let score = |community: usize| coherence[community].max(0.0) * belonging[community];
            let communities = (0..level.count).filter(|&community| large[community]);
            Scored { communities: communities.clone().count(), score: communities.map(score).sum() }
        };
        let levels: Vec<Scored> = self.tree.levels.iter().map(&mut scored).collect();
        let wanted = most_coherent(&levels)?;
        let counts = self.counts_after_merges().into_iter().filter(|&count| count > 0);
        // The coarser of two that are as near.
        counts.min_by(|&a, &b| (a as f64 - wanted).abs().total_cmp(&(b as f64 - wanted).abs()).then(a.cmp(&b)))
    }

    /// The hierarchy of the nodes that stand for rows according to `sizes`, by the edges between them, with the number of
    /// each of them among these nodes.
    pub(crate) fn of_part(&self, sizes: &[u32], growth: &Growth, task: &Task) -> (Hierarchy, Vec<Option<u32>>) {
        let mut next = 0_u32;
        let number = |&size: &u32| {
            let number = (size > 0).then_some(next);
            next += u32::from(size > 0);
            number
        };
        let numbers: Vec<Option<u32>> = sizes.iter().map(number).collect();
        let part = self.graph.induced(&numbers);
        let kept = sizes.iter().copied().filter(|&size| size > 0).collect();
        (Hierarchy::new(part, kept, growth, task), numbers)
    }

    /// The cut in which each leaf is in the group of the leaf that it joined.
    fn cut_by(&self, joined: &[u32], leaves: &Level) -> Cut {
        let root = |mut leaf: u32| {
            while joined[leaf as usize] != leaf {
                leaf = joined[leaf as usize];
            }
            leaf
        };
        let roots: Vec<u32> = (0..leaves.count as u32).map(root).collect();
        let mut communities: Vec<u32> = leaves.communities.iter().map(|&leaf| roots[leaf as usize]).collect();
        let count = renumber(&mut communities);
        let runs = self.tree.levels.iter().find(|level| level.count >= count).unwrap_or(leaves);
        let connections = connections(&self.graph, &communities, &self.tree.cores, &runs.runs);
        let large = self.large(&communities, count);
        let numbers: Vec<Option<u32>> = large
            .iter()
            .scan(0, |next, &large| {
                let number = *next;
                *next += u32::from(large);
                Some(large.then_some(number))
            })
            .collect();
        let number = |community: u32| numbers[community as usize];
        let renumbered = |of_node: Connections| {
            let runner_up = of_node.runner_up.and_then(|(community, share)| Some((number(community)?, share)));
            Connections { runner_up, ..of_node }
        };
        Cut {
            communities: communities.iter().map(|&community| number(community)).collect(),
            connections: connections.into_iter().map(renumbered).collect(),
        }
    }

    /// The number of communities with enough rows at a level.
    fn count(&self, level: &Level) -> usize {
        self.large(&level.communities, level.count).into_iter().filter(|large| *large).count()
    }

    /// Whether each of `count` communities has enough rows.
    fn large(&self, communities: &[u32], count: usize) -> Vec<bool> {
        rows_of(communities, count, &self.sizes).iter().map(|&rows| rows >= self.min_size).collect()
    }
}
