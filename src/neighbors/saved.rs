//! Saving an index, so that it need not be built again.

use super::approximate::ApproximateIndex;
use super::{Metric, NeighborIndex};
use crate::error::{Result, Stage};
use crate::state::State;

impl NeighborIndex {
    /// The state of the index.
    pub(crate) fn state(&self) -> State<'_> {
        let state = State::new("neighbors")
            .with_setting("metric", self.metric())
            .with_vectors("vectors", self.points.vectors().clone());
        match &self.approximate {
            Some(approximate) => state.with_part("approximate", approximate.state()),
            None => state,
        }
    }

    /// The index of a state.
    pub(crate) fn from_state(mut state: State<'_>, stage: Stage) -> Result<Self> {
        let metric: Metric = state.setting("metric")?;
        let mut index = NeighborIndex::new(state.take_vectors("vectors")?, metric, stage)?;
        if state.has_part("approximate") {
            let approximate = ApproximateIndex::from_state(state.take_part("approximate")?, &index.points)?;
            index.approximate = Some(approximate);
        }
        Ok(index)
    }
}
