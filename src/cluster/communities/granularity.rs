//! The height at which the tree is cut if nothing else is asked for: where rows belong firmly to groups that are coherent.
//!
//! The score of a cut is the mean, over rows, of the strength with which a row belongs to its group times the coherence
//! of the group (0 if that is negative). Strengths fall and coherence rises as groups become smaller, so the score has
//! a maximum in between. The levels of the tree are scored: other cuts depend more on chance, so that the best of all
//! would be another one for another seed.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::consensus::share;
use super::graph::{Graph, rows_of};
use super::tree::{Level, Tree};
use crate::cluster::Coherence;

/// The summed strengths of rows, by the groups of the row and of its neighbor.
#[derive(Debug, Clone, Default)]
struct Strengths {
    /// For each group, the strength with which its rows are connected among each other.
    inside: Vec<f64>,
    /// For each group, the strength of the connections with other groups, in both directions.
    links: Vec<BTreeMap<u32, f64>>,
}

impl Strengths {
    /// The strengths of the leaves, in as far as the runs of `level` agree; node `i` stands for `sizes[i]` rows.
    fn of_leaves(graph: &Graph, sizes: &[u32], leaves: &Level, cores: &[u32], level: &Level) -> Self {
        let mut strengths = Strengths { inside: vec![0.0; leaves.count], links: vec![BTreeMap::new(); leaves.count] };
        for node in 0..graph.nodes() {
            let (own, total) = (leaves.communities[node], graph.strengths()[node]);
            let rows = f64::from(sizes[node]);
            if total <= 0.0 {
                strengths.inside[own as usize] += rows;
                continue;
            }
            let mut edges = 0.0;
            for (end, weight) in graph.edges(node) {
                edges += weight;
                let agreed = f64::from(share(&level.runs, cores[node] as usize, cores[end] as usize));
                strengths.add(own, leaves.communities[end], rows * weight * agreed / total);
            }
            // The rest of its strength are copies.
            strengths.add(own, own, rows * (total - edges) / total);
        }
        strengths
    }

    fn add(&mut self, a: u32, b: u32, strength: f64) {
        if strength == 0.0 {
            return;
        }
        if a == b {
            self.inside[a as usize] += strength;
            return;
        }
        *self.links[a as usize].entry(b).or_insert(0.0) += strength;
        *self.links[b as usize].entry(a).or_insert(0.0) += strength;
    }

    /// The same strengths by the groups that the leaves are in.
    fn grouped(&self, groups: &[u32]) -> Self {
        let count = self.inside.len();
        let mut grouped = Strengths { inside: vec![0.0; count], links: vec![BTreeMap::new(); count] };
        for (leaf, &inside) in self.inside.iter().enumerate() {
            grouped.inside[groups[leaf] as usize] += inside;
            for (&other, &strength) in self.links[leaf].range(leaf as u32 + 1..) {
                grouped.add(groups[leaf], groups[other as usize], strength);
            }
        }
        grouped
    }

    /// Group `gone` joins group `kept`.
    fn join(&mut self, kept: u32, gone: u32) {
        self.inside[kept as usize] += std::mem::take(&mut self.inside[gone as usize]);
        for (other, strength) in std::mem::take(&mut self.links[gone as usize]) {
            self.links[other as usize].remove(&gone);
            self.add(kept, other, strength);
        }
    }
}

/// The number of joins after which the groups of at least `min_size` rows score highest, among those of the levels, the
/// most joins of several; `None` if no level scores above 0. Also `None` if the tree has no leaves.
pub(crate) fn most_coherent(
    graph: &Graph,
    tree: &Tree,
    merges: &[(u32, u32)],
    sizes: &[u32],
    min_size: u32,
    coherence: (Vec<f64>, &mut dyn Coherence),
) -> Option<usize> {
    let leaves = tree.levels.last()?;
    let of_level = |level: &Level| Strengths::of_leaves(graph, sizes, leaves, &tree.cores, level);
    let of_levels: Vec<Strengths> = tree.levels.par_iter().with_max_len(1).map(of_level).collect();
    let mut rows = rows_of(&leaves.communities, leaves.count, sizes);
    let (mut of_groups, coherence) = coherence;
    let mut groups: Vec<u32> = (0..leaves.count as u32).collect();
    let mut members: Vec<Vec<u32>> = groups.iter().map(|&leaf| vec![leaf]).collect();
    let (mut level, mut strengths) = (usize::MAX, Strengths::default());
    let mut best = None;
    for joined in 0..=merges.len() {
        let count = leaves.count - joined;
        let now = tree.levels.iter().position(|level| level.count >= count).unwrap_or(tree.levels.len() - 1);
        if now != level {
            level = now;
            strengths = of_levels[level].grouped(&groups);
        }
        let is_level = tree.levels.iter().any(|level| level.count == count);
        let score: f64 = (0..leaves.count)
            .filter(|&group| rows[group] >= min_size && !members[group].is_empty())
            .map(|group| of_groups[group].max(0.0) * strengths.inside[group])
            .sum();
        if is_level && score > 0.0 && best.is_none_or(|(highest, _)| score >= highest) {
            best = Some((score, joined));
        }
        let Some(&(kept, gone)) = merges.get(joined) else { break };
        strengths.join(kept, gone);
        coherence.joined(kept as usize, gone as usize, count - 1, &mut of_groups);
        rows[kept as usize] = rows[kept as usize].saturating_add(rows[gone as usize]);
        let moved = std::mem::take(&mut members[gone as usize]);
        moved.iter().for_each(|&leaf| groups[leaf as usize] = kept);
        members[kept as usize].extend(moved);
    }
    best.map(|(_, joined)| joined)
}
