//! Saving a hierarchy.

use super::consensus::Runs;
use super::graph::Graph;
use super::hierarchy::Hierarchy;
use super::tree::{Growth, Level, Tree};
use crate::error::Result;
use crate::state::State;

/// The most runs that a fit makes.
const MAX_RUNS: usize = 100;

impl Hierarchy {
    /// The state of the hierarchy: arrays of levels have one level after the other, the coarsest first.
    pub(super) fn state(&self) -> State<'_> {
        let levels = &self.tree.levels;
        let merges: Vec<u32> = self.merges.iter().flat_map(|&(keep, gone)| [keep, gone]).collect();
        let communities: Vec<u32> = levels.iter().flat_map(|level| level.communities.iter().copied()).collect();
        let runs: Vec<u32> = levels.iter().flat_map(|level| level.runs.by_node().iter().copied()).collect();
        State::new("hierarchy")
            .with_setting("min_size", self.min_size)
            .with_setting("runs", levels.first().map_or(1, |level| level.runs.count()))
            .with_values("sizes", &self.sizes)
            .with_values("cores", &self.tree.cores)
            .with_values("merges", merges)
            .with_values("resolutions", levels.iter().map(|level| level.resolution).collect::<Vec<f64>>())
            .with_numbers("counts", &levels.iter().map(|level| level.count).collect::<Vec<usize>>())
            .with_values("communities", communities)
            .with_values("runs", runs)
            .with_part("graph", self.graph.state())
    }

    /// The hierarchy of a state.
    pub(super) fn from_state(mut state: State<'_>) -> Result<Self> {
        let graph = Graph::from_state(state.take_part("graph")?)?;
        let nodes = graph.nodes();
        let min_size = state.setting("min_size")?;
        let sizes = state.take_exactly("sizes", nodes)?;
        let cores = state.take_exactly::<u32>("cores", nodes)?;
        let levels = levels(&mut state, &cores)?;
        let leaves = levels.last().map_or(0, |level| level.count);
        let merges = merges(&mut state, leaves)?;
        Ok(Hierarchy { graph, tree: Tree { levels, cores }, merges, sizes, min_size })
    }
}

fn levels(state: &mut State<'_>, cores: &[u32]) -> Result<Vec<Level>> {
    let (nodes, core_count) = (cores.len(), cores.iter().max().map_or(0, |&last| last as usize + 1));
    let count: usize = state.setting("runs")?;
    let resolutions = state.take_values::<f64>("resolutions")?;
    let counts = state.take_numbers("counts", nodes.saturating_add(1))?;
    let number = resolutions.len();
    let communities = state.take_exactly::<u32>("communities", number.saturating_mul(nodes))?;
    let of_cores = core_count.saturating_mul(count);
    let runs = state.take_exactly::<u32>("runs", number.saturating_mul(of_cores))?;
    if counts.len() != number || core_count > nodes || !(1..=MAX_RUNS).contains(&count) || nodes == 0 {
        return Err(state.wrong("its levels have different sizes"));
    }
    if !resolutions.iter().all(|&resolution| resolution.is_finite() && resolution > 0.0) {
        return Err(state.out_of_range("resolutions"));
    }
    if runs.iter().any(|&community| community as usize >= core_count) {
        return Err(state.out_of_range("runs"));
    }
    let runs = runs.chunks_exact(of_cores).map(|runs| Runs::from_nodes(runs.to_vec(), count));
    let parts = communities.chunks_exact(nodes).zip(runs).zip(resolutions.iter().zip(&counts));
    let level = |((communities, runs), (&resolution, &count)): ((&[u32], Runs), (&f64, &usize))| {
        let in_range = communities.iter().all(|&community| (community as usize) < count);
        in_range.then(|| Level { resolution, communities: communities.to_vec(), count, runs, joined: 0 })
    };
    parts.map(level).collect::<Option<Vec<Level>>>().ok_or_else(|| state.out_of_range("communities"))
}

/// The order in which the leaves join: a leaf that has joined another joins, and is joined by, no other.
fn merges(state: &mut State<'_>, leaves: usize) -> Result<Vec<(u32, u32)>> {
    let merges = state.take_values::<u32>("merges")?;
    let merges: Vec<(u32, u32)> = merges.as_chunks().0.iter().map(|&[keep, gone]| (keep, gone)).collect();
    let mut has_joined = vec![false; leaves];
    for &(keep, gone) in &merges {
        let is_open = |leaf: u32| has_joined.get(leaf as usize) == Some(&false);
        if keep == gone || !is_open(keep) || !is_open(gone) {
            return Err(state.out_of_range("merges"));
        }
        has_joined[gone as usize] = true;
    }
    Ok(merges)
}

impl Growth {
    /// The state of the settings.
    pub(super) fn state(&self) -> State<'static> {
        State::new("growth")
            .with_setting("runs", self.runs)
            .with_setting("passes", self.passes)
            .with_setting("min_size", self.min_size)
            .with_setting("max_copies", self.max_copies)
            .with_setting("seed", self.seed)
    }

    /// The settings of a state.
    pub(super) fn from_state(state: &State<'_>) -> Result<Self> {
        let growth = Growth {
            runs: state.setting("runs")?,
            passes: state.setting("passes")?,
            min_size: state.setting("min_size")?,
            max_copies: state.setting("max_copies")?,
            seed: state.setting("seed")?,
        };
        match (1..=MAX_RUNS).contains(&growth.runs) && growth.passes <= MAX_RUNS {
            true => Ok(growth),
            false => Err(state.wrong("the number of runs is out of range")),
        }
    }
}
