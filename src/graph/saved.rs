//! Saving a graph, to find the neighbors of new rows.

use std::sync::Arc;

use super::{FittedNeighborGraph, FuzzyGraph};
use crate::error::{Result, Stage};
use crate::neighbors::NeighborIndex;
use crate::state::State;

impl FittedNeighborGraph {
    /// The state of the graph, without its edges.
    pub(crate) fn state(&self) -> State<'_> {
        State::new("neighbor_graph")
            .with_setting("n_neighbors", self.n_neighbors)
            .with_values("mean_distance", vec![self.mean_distance])
            .with_part("index", self.index.state())
    }

    /// The graph of a state, which has no edges.
    pub(crate) fn from_state(mut state: State<'_>) -> Result<Self> {
        let index = NeighborIndex::from_state(state.take_part("index")?, Stage::Cluster)?;
        let n_neighbors: usize = state.setting("n_neighbors")?;
        if !(1..=index.rows()).contains(&n_neighbors) {
            return Err(state.wrong("the number of neighbors is out of range"));
        }
        let mean_distance = state.take_exactly::<f32>("mean_distance", 1)?.first().copied().unwrap_or_default();
        let edges = FuzzyGraph { offsets: vec![0], indices: Vec::new(), weights: Vec::new() };
        Ok(FittedNeighborGraph { index: Arc::new(index), n_neighbors, mean_distance, edges: Arc::new(edges) })
    }
}
