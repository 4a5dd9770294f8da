//! Uniform manifold approximation and projection (McInnes, Healy and Melville 2018).
//!
//! Each step has its own file: nearest neighbors ([`crate::neighbors`]), the weighted graph ([`crate::graph`]), the
//! closeness curve (`find_ab_params`), initial positions (`spectral_layout`, `initial_layout`), their optimization (`optimize_layout`), and new points
//! (`transform`).

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Reducer, Reduction};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::graph::{FittedNeighborGraph, FuzzyGraph, fuzzy_graph, mean_distance};
use crate::linalg::memory::check_memory;
use crate::linalg::mix::mix64;
use crate::linalg::vectors::Vectors;
use crate::neighbors::{Metric, NeighborIndex, NeighborSearch};
use crate::progress::Progress;
use crate::spec::Spec;
use crate::training::Training;

mod blocks;
mod counter_rng;
mod find_ab_params;
mod forces;
mod initial_layout;
mod move_block;
mod move_points;
mod optimize_layout;
mod power;
mod saved;
mod schedule;
mod spectral_layout;
mod subspace;
mod transform;
mod turns;
mod wide;

#[doc(hidden)] // For the tests, which compare the steps with umap-learn's.
pub use find_ab_params::find_ab_params;
pub(super) use saved::from_state;
pub use transform::FittedUmap;

use forces::Forces;
use initial_layout::initial_layout;
use optimize_layout::optimize_layout;
use spectral_layout::MAX_FILTERS;

/// Approximate memory per row for neighbors, graph and layout, in 4-byte values.
const NUMBERS_A_ROW: usize = 150;

/// The maximum number of dimensions of a layout.
const MAX_COMPONENTS: usize = 256;

/// UMAP's settings, with BERTopic's defaults.
///
/// ```
/// use topicframe::ndarray::Array2;
/// use topicframe::prelude::*;
///
/// let rows = Array2::from_shape_fn((60, 8), |(row, column)| ((row * 7 + column * 3) % 61) as f32);
/// let umap = Umap::new().n_neighbors(10).n_components(2).metric(Metric::Euclidean);
/// let plane = umap.fit(&Training::new(rows.clone()).with_seed(7))?;
/// assert_eq!(plane.embedding.dim(), (60, 2));
///
/// let again = umap.fit(&Training::new(rows).with_seed(7))?;
/// assert_eq!(plane.embedding, again.embedding);                     // the same seed, the same layout
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Umap {
    n_neighbors: usize,
    n_components: usize,
    min_dist: f64,
    spread: f64,
    metric: Metric,
    n_epochs: Option<usize>,
    learning_rate: f64,
    negative_sample_rate: usize,
    set_op_mix_ratio: f64,
    local_connectivity: f64,
    repulsion_strength: f64,
    neighbor_search: NeighborSearch,
}

impl Default for Umap {
    fn default() -> Self {
        Umap::new()
    }
}

impl Umap {
    /// Creates BERTopic's settings: 15 neighbors by cosine distance, 5 components, `min_dist` 0.
    pub fn new() -> Self {
        Umap {
            n_neighbors: 15,
            n_components: 5,
            min_dist: 0.0,
            spread: 1.0,
            metric: Metric::Cosine,
            n_epochs: None,
            learning_rate: 1.0,
            negative_sample_rate: 5,
            set_op_mix_ratio: 1.0,
            local_connectivity: 1.0,
            repulsion_strength: 1.0,
            neighbor_search: NeighborSearch::Auto,
        }
    }

    /// The number of nearest neighbors, including the row itself, in a row's neighborhood: at least 2, default 15.
    /// Small values show local structure, large values show global structure. If there are too few rows, it is reduced
    /// to one less than the number of rows, as in umap-learn.
    #[must_use]
    pub fn n_neighbors(mut self, n_neighbors: usize) -> Self {
        self.n_neighbors = n_neighbors;
        self
    }

    /// The number of dimensions of the result: 1 to 256, default 5.
    #[must_use]
    pub fn n_components(mut self, n_components: usize) -> Self {
        self.n_components = n_components;
        self
    }

    /// The minimum distance between points in the result: 0 to `spread`, default 0.0, which packs clusters tightly.
    #[must_use]
    pub fn min_dist(mut self, min_dist: f64) -> Self {
        self.min_dist = min_dist;
        self
    }

    /// The scale of the result: greater than 0, default 1.0.
    #[must_use]
    pub fn spread(mut self, spread: f64) -> Self {
        self.spread = spread;
        self
    }

    /// The distance metric for rows of the data; default [`Metric::Cosine`].
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// The number of passes over the graph's edges: 1 to 1,000,000; default `None`, which means 500 for up to 10,000
    /// rows and 200 for more.
    #[must_use]
    pub fn n_epochs(mut self, n_epochs: impl Into<Option<usize>>) -> Self {
        self.n_epochs = n_epochs.into();
        self
    }

    /// The initial learning rate: greater than 0, default 1.0. It decreases linearly to 0.
    #[must_use]
    pub fn learning_rate(mut self, learning_rate: f64) -> Self {
        self.learning_rate = learning_rate;
        self
    }

    /// The number of repelling points (negative samples) per attracting point: 0 to 1,000, default 5.
    #[must_use]
    pub fn negative_sample_rate(mut self, negative_sample_rate: usize) -> Self {
        self.negative_sample_rate = negative_sample_rate;
        self
    }

    /// Interpolates between the intersection (0) and the union (1) of the rows' local neighborhoods; default 1.0.
    #[must_use]
    pub fn set_op_mix_ratio(mut self, set_op_mix_ratio: f64) -> Self {
        self.set_op_mix_ratio = set_op_mix_ratio;
        self
    }

    /// The number of neighbors that a row is connected to with certainty: 0 or more, default 1.0.
    #[must_use]
    pub fn local_connectivity(mut self, local_connectivity: f64) -> Self {
        self.local_connectivity = local_connectivity;
        self
    }

    /// The weight of repulsion relative to attraction: 0 or more, default 1.0.
    #[must_use]
    pub fn repulsion_strength(mut self, repulsion_strength: f64) -> Self {
        self.repulsion_strength = repulsion_strength;
        self
    }

    /// The nearest-neighbor search method; default [`NeighborSearch::Auto`].
    #[must_use]
    pub fn neighbor_search(mut self, neighbor_search: NeighborSearch) -> Self {
        self.neighbor_search = neighbor_search;
        self
    }

    /// Fits a layout to `data` (n rows, d columns) and keeps what is needed to place new rows.
    ///
    /// # Errors
    /// A parameter is out of range, there are no rows or columns, or a value is NaN or infinite (the error names the
    /// row).
    pub fn fit_layout(&self, data: impl Into<Vectors>, seed: u64, progress: &Progress) -> Result<FittedUmap> {
        self.check()?;
        let index = self.index(data, progress)?;
        check_memory(Stage::Reduce, "the neighbors and their graph", index.rows(), NUMBERS_A_ROW)?;
        let n_neighbors = self.neighbors_for(index.rows(), progress);
        let neighbors = index.neighbors(n_neighbors, Stage::Reduce, progress)?;
        let (mix, connectivity) = (self.set_op_mix_ratio as f32, self.local_connectivity as f32);
        let task = progress.task(Stage::Reduce, "graph", 2 * index.rows());
        let graph = fuzzy_graph(&neighbors, mix, connectivity, &task);
        task.finish()?;
        let (n_neighbors, mean_distance) = (neighbors.k, mean_distance(&neighbors.distances));
        drop(neighbors);
        let embedding = self.layout_of(&graph, &index, seed, progress)?;
        Ok(self.placing(Arc::new(index), embedding, n_neighbors, mean_distance, seed))
    }

    /// The index of `data` in which neighbors are searched.
    ///
    /// # Errors
    /// There are no rows or columns, or a value is NaN or infinite.
    pub(crate) fn index(&self, data: impl Into<Vectors>, progress: &Progress) -> Result<NeighborIndex> {
        NeighborIndex::new(data, self.metric, Stage::Reduce)?.searched(self.neighbor_search, Stage::Reduce, progress)
    }

    /// The layout of a graph that was built before, from whatever its edges stand for; one row for each of its rows.
    ///
    /// # Errors
    /// A parameter is out of range; interrupted.
    pub(crate) fn layout_of_graph(
        &self,
        graph: &FittedNeighborGraph,
        seed: u64,
        progress: &Progress,
    ) -> Result<Array2<f32>> {
        self.check()?;
        self.layout_of(graph.edges(), graph.index(), seed, progress)
    }

    fn layout_of(
        &self,
        graph: &FuzzyGraph,
        index: &NeighborIndex,
        seed: u64,
        progress: &Progress,
    ) -> Result<Array2<f32>> {
        let forces = self.forces(index.rows(), seed);
        let task = progress.task(Stage::Reduce, "initial layout", MAX_FILTERS);
        let mut layout = initial_layout(graph, index, self.n_components, forces.seed, &task);
        task.finish()?;
        let task = progress.task(Stage::Reduce, "layout", forces.n_epochs as usize);
        optimize_layout(&mut layout, self.n_components, graph, &forces, &task);
        task.finish()?;
        Array2::from_shape_vec((index.rows(), self.n_components), layout).map_err(|error| {
            Error::new(ErrorKind::Internal, Stage::Reduce, "the layout has the wrong size").with_cause(error)
        })
    }

    /// What places new rows in a layout that these settings and this seed made: `embedding` has one position for each row
    /// of `index`.
    pub(crate) fn placing(
        &self,
        index: Arc<NeighborIndex>,
        embedding: Array2<f32>,
        n_neighbors: usize,
        mean_distance: f32,
        seed: u64,
    ) -> FittedUmap {
        let forces = self.forces_for_new_rows(self.forces(index.rows(), seed));
        let local_connectivity = self.local_connectivity as f32;
        FittedUmap { embedding, n_neighbors, local_connectivity, mean_distance, forces, index }
    }

    /// The number of neighbors that the number of rows allows. For two rows it is two, although one less than two is
    /// one.
    fn neighbors_for(&self, rows: usize, progress: &Progress) -> usize {
        if self.n_neighbors < rows {
            return self.n_neighbors;
        }
        let cut = rows.saturating_sub(1).max(2).min(rows);
        let asked = self.n_neighbors;
        // No note for a single row, which has no neighbors anyway.
        if rows < 2 {
            return cut;
        }
        progress.note(Stage::Reduce, format!("n_neighbors = {asked} reduced to {cut}: there are only {rows} vectors"));
        cut
    }

    /// The forces on a layout of this many rows.
    fn forces(&self, rows: usize, seed: u64) -> Forces {
        let n_epochs = self.n_epochs.unwrap_or(if rows <= 10_000 { 500 } else { 200 }) as u32;
        let (a, b) = find_ab_params(self.spread, self.min_dist);
        Forces {
            a: a as f32,
            b: b as f32,
            repulsion_strength: self.repulsion_strength as f32,
            negative_sample_rate: self.negative_sample_rate as u32,
            learning_rate: self.learning_rate as f32,
            n_epochs,
            seed: mix64(seed),
        }
    }

    /// As in umap-learn: a quarter of the learning rate, and 100 epochs or a third of the number requested.
    fn forces_for_new_rows(&self, forces: Forces) -> Forces {
        let n_epochs = self.n_epochs.map_or(100, |n_epochs| n_epochs / 3).max(1) as u32;
        Forces { learning_rate: forces.learning_rate / 4.0, n_epochs, seed: mix64(forces.seed), ..forces }
    }
}

impl Reducer for Umap {
    fn check(&self) -> Result<()> {
        let whole = |name: &str, value: usize, range: std::ops::RangeInclusive<usize>, allowed: &str| {
            if range.contains(&value) {
                Ok(())
            } else {
                Err(Error::invalid_parameter(Stage::Reduce, name, value, allowed))
            }
        };
        let real = |name: &str, value: f64, fits: bool, allowed: &str| {
            // Also false for NaN and infinities, and for values that underflow to zero or overflow in single precision.
            let usable = value.is_finite() && (value as f32).is_finite();
            if usable && fits { Ok(()) } else { Err(Error::invalid_parameter(Stage::Reduce, name, value, allowed)) }
        };
        whole("n_neighbors", self.n_neighbors, 2..=usize::MAX, "2 or more")?;
        whole("n_components", self.n_components, 1..=MAX_COMPONENTS, "1 to 256")?;
        whole("n_epochs", self.n_epochs.unwrap_or(1), 1..=1_000_000, "1 to 1000000")?;
        whole("negative_sample_rate", self.negative_sample_rate, 0..=1000, "0 to 1000")?;
        real("spread", self.spread, self.spread >= 1e-6 && self.spread <= 1e6, "from 1e-6 to 1e6")?;
        let in_spread = self.min_dist >= 0.0 && self.min_dist <= self.spread;
        real("min_dist", self.min_dist, in_spread, &format!("from 0 to spread ({})", self.spread))?;
        let rate = self.learning_rate;
        real("learning_rate", rate, rate as f32 > 0.0, "above 0")?;
        let mix = self.set_op_mix_ratio;
        real("set_op_mix_ratio", mix, (0.0..=1.0).contains(&mix), "from 0 to 1")?;
        real("local_connectivity", self.local_connectivity, self.local_connectivity >= 0.0, "0 or more")?;
        real("repulsion_strength", self.repulsion_strength, self.repulsion_strength >= 0.0, "0 or more")
    }

    fn fit(&self, training: &Training<'_>) -> Result<Reduction> {
        training.check(Stage::Reduce)?;
        let data = match training.places {
            None => training.vectors.clone(),
            Some(_) => training.matrix().into_owned().into(),
        };
        let fitted = self.fit_layout(data, training.seed, &training.progress)?;
        Ok(Reduction::new(fitted.embedding.clone(), fitted))
    }

    fn spec(&self) -> Option<Spec> {
        Spec::new("umap", self)
    }

    /// True for the cosine metric.
    fn uses_direction_only(&self) -> bool {
        self.metric == Metric::Cosine
    }
}
