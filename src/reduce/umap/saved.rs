//! Saving a layout.

use std::sync::Arc;

use super::MAX_COMPONENTS;
use super::forces::Forces;
use super::transform::FittedUmap;
use crate::error::{Result, Stage};
use crate::neighbors::NeighborIndex;
use crate::reduce::FittedReducer;
use crate::state::State;

impl FittedUmap {
    pub(super) fn saved(&self) -> State<'_> {
        let Forces { a, b, repulsion_strength, negative_sample_rate, learning_rate, n_epochs, seed } = self.forces;
        State::new("umap")
            .with_setting("n_neighbors", self.n_neighbors)
            .with_setting("negative_sample_rate", negative_sample_rate)
            .with_setting("n_epochs", n_epochs)
            .with_setting("seed", seed)
            .with_values("curve", vec![a, b])
            .with_values("repulsion_strength", vec![repulsion_strength])
            .with_values("learning_rate", vec![learning_rate])
            .with_values("local_connectivity", vec![self.local_connectivity])
            .with_values("mean_distance", vec![self.mean_distance])
            .with_matrix("embedding", self.embedding.view())
            .with_part("index", self.index.state())
    }
}

/// The layout of a state.
pub(in crate::reduce) fn from_state(mut state: State<'_>) -> Result<Arc<dyn FittedReducer>> {
    let index = NeighborIndex::from_state(state.take_part("index")?, Stage::Reduce)?;
    let embedding = state.take_matrix::<f32>("embedding")?;
    let is_layout = embedding.nrows() == index.rows() && (1..=MAX_COMPONENTS).contains(&embedding.ncols());
    if !is_layout || !embedding.iter().all(|x| x.is_finite()) {
        return Err(state.out_of_range("embedding"));
    }
    let n_neighbors: usize = state.setting("n_neighbors")?;
    if !(1..=index.rows()).contains(&n_neighbors) {
        return Err(state.wrong("the number of neighbors is out of range"));
    }
    let curve = state.take_exactly::<f32>("curve", 2)?;
    let mut number = |name: &str| Ok(state.take_exactly::<f32>(name, 1)?.first().copied().unwrap_or_default());
    let (local_connectivity, mean_distance) = (number("local_connectivity")?, number("mean_distance")?);
    let (repulsion_strength, learning_rate) = (number("repulsion_strength")?, number("learning_rate")?);
    let forces = Forces {
        a: curve.first().copied().unwrap_or_default(),
        b: curve.last().copied().unwrap_or_default(),
        repulsion_strength,
        negative_sample_rate: state.setting("negative_sample_rate")?,
        learning_rate,
        n_epochs: state.setting("n_epochs")?,
        seed: state.setting("seed")?,
    };
    let numbers = [local_connectivity, mean_distance, repulsion_strength, learning_rate, forces.a, forces.b];
    if forces.n_epochs > 1_000_000 || forces.negative_sample_rate > 1000 || !numbers.iter().all(|x| x.is_finite()) {
        return Err(state.wrong("a setting is out of range"));
    }
    let index = Arc::new(index);
    Ok(Arc::new(FittedUmap { index, embedding, n_neighbors, local_connectivity, mean_distance, forces }))
}
