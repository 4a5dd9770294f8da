//! The neighbor graph: each row is connected with its nearest neighbors, by how close they are on the row's own scale.
//!
//! [`NeighborGraph`] builds it: nearest neighbors ([`crate::neighbors`]), the distance scale of each row
//! (`smooth_knn_dist`), the weighted graph (`fuzzy_simplicial_set`), and for texts, the neighbors by their words
//! (`lexical`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::memory::check_memory;
use crate::linalg::sparse::CsrMatrix;
use crate::linalg::vectors::Vectors;
use crate::neighbors::{Metric, NeighborIndex, NeighborSearch};
use crate::progress::Progress;

mod fuzzy_simplicial_set;
mod lexical;
mod saved;
mod smooth_knn_dist;

pub use fuzzy_simplicial_set::FuzzyGraph;
#[doc(hidden)] // For the tests, which compare the steps with umap-learn's.
pub use fuzzy_simplicial_set::fuzzy_simplicial_set;
pub(crate) use fuzzy_simplicial_set::{fuzzy_graph, membership_strength};
#[doc(hidden)] // For the tests, which compare the steps with umap-learn's.
pub use smooth_knn_dist::{KnnScales, smooth_knn_dist};
pub(crate) use smooth_knn_dist::{mean_distance, smooth_knn_dist_floored};

use lexical::lexical_neighbors;

/// Approximate memory per row for neighbors and graph, in 4-byte values.
const NUMBERS_A_ROW: usize = 150;

/// The weight of the lexical view if the texts are long.
const LEXICAL_WEIGHT: f64 = 0.375;

/// Added to the weight of an edge that is in both views.
const IN_BOTH: f32 = 0.1;

/// The mean number of terms per text from which the lexical view is used by default.
const LONG_TEXTS: f64 = 10.0;

/// The settings of a neighbor graph: the weighted graph that UMAP builds first, and for texts, a second view of their
/// words.
///
/// ```
/// use topicframe::graph::NeighborGraph;
/// use topicframe::ndarray::Array2;
/// use topicframe::prelude::*;
///
/// let rows = Array2::from_shape_fn((60, 8), |(row, column)| ((row * 7 + column * 3) % 61) as f32);
/// let graph = NeighborGraph::new().n_neighbors(5).fit(rows, None, &Progress::silent())?;
/// let (neighbors, weights) = graph.edges().row(0);
/// assert!(neighbors.len() >= 4 && weights.iter().all(|&weight| weight > 0.0 && weight <= 1.0));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeighborGraph {
    n_neighbors: usize,
    /// `None`: cosine for vectors, Euclidean for reduced ones.
    metric: Option<Metric>,
    neighbor_search: NeighborSearch,
    lexical_weight: Option<f64>,
}

impl Default for NeighborGraph {
    fn default() -> Self {
        NeighborGraph::new()
    }
}

impl NeighborGraph {
    /// Creates the default settings: 15 neighbors by cosine distance, as in UMAP, and a lexical view of long texts.
    pub fn new() -> Self {
        NeighborGraph { n_neighbors: 15, metric: None, neighbor_search: NeighborSearch::Auto, lexical_weight: None }
    }

    /// The number of nearest neighbors, including the row itself: at least 2, default 15. If there are too few rows, it
    /// is reduced to one less than the number of rows, with a note.
    #[must_use]
    pub fn n_neighbors(mut self, n_neighbors: usize) -> Self {
        self.n_neighbors = n_neighbors;
        self
    }

    /// The distance metric for rows of the data; default [`Metric::Cosine`], but [`Metric::Euclidean`] in a model that
    /// reduces the vectors.
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = Some(metric);
        self
    }

    /// The same settings for reduced vectors.
    pub(crate) fn of_points(mut self) -> Self {
        self.metric.get_or_insert(Metric::Euclidean);
        self
    }

    /// The nearest-neighbor search method; default [`NeighborSearch::Auto`].
    #[must_use]
    pub fn neighbor_search(mut self, neighbor_search: NeighborSearch) -> Self {
        self.neighbor_search = neighbor_search;
        self
    }

    /// The weight of the lexical view (mutual nearest neighbors by the cosine of TF-IDF), 0 to 1; the vectors have the
    /// rest. Default `None`: 0.375 if the texts have ten counted terms or more on average, otherwise 0, since the view
    /// adds nothing to short texts. Without texts, it has no effect.
    #[must_use]
    pub fn lexical_weight(mut self, lexical_weight: impl Into<Option<f64>>) -> Self {
        self.lexical_weight = lexical_weight.into();
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// A parameter is out of range.
    pub fn check(&self) -> Result<()> {
        if self.n_neighbors < 2 {
            return Err(Error::invalid_parameter(Stage::Cluster, "n_neighbors", self.n_neighbors, "2 or more"));
        }
        match self.lexical_weight {
            Some(weight) if !(0.0..=1.0).contains(&weight) => {
                Err(Error::invalid_parameter(Stage::Cluster, "lexical_weight", weight, "0 to 1"))
            }
            _ => Ok(()),
        }
    }

    /// Whether only the direction of the vectors matters, as opposed to their length.
    pub fn uses_direction_only(&self) -> bool {
        self.metric.unwrap_or(Metric::Cosine) == Metric::Cosine
    }

    /// Builds the graph of `vectors` (n rows of d finite values) and of the `terms` in their texts (n rows, one column
    /// per term), if there are any.
    ///
    /// # Errors
    /// A parameter is out of range; there are no rows or columns; a value is NaN or infinite; `terms` has a different
    /// number of rows; interrupted.
    pub fn fit(
        &self,
        vectors: impl Into<Vectors>,
        terms: Option<&CsrMatrix<u32>>,
        progress: &Progress,
    ) -> Result<FittedNeighborGraph> {
        self.check()?;
        let stage = Stage::Cluster;
        let index = NeighborIndex::new(vectors, self.metric.unwrap_or(Metric::Cosine), stage)?;
        if let Some(terms) = terms.filter(|terms| terms.rows() != index.rows()) {
            let message = format!("the terms of {} texts do not match {} rows", terms.rows(), index.rows());
            return Err(Error::new(ErrorKind::InvalidData, stage, message));
        }
        let index = index.searched(self.neighbor_search, stage, progress)?;
        check_memory(stage, "the neighbors and their graph", index.rows(), NUMBERS_A_ROW)?;
        let n_neighbors = self.neighbors_for(index.rows(), progress);
        let neighbors = index.neighbors(n_neighbors, stage, progress)?;
        let task = progress.task(stage, "graph", 2 * index.rows());
        let graph = fuzzy_graph(&neighbors, 1.0, 1.0, &task);
        task.finish()?;
        let mean_distance = mean_distance(&neighbors.distances);
        let weight = self.weight_of(terms);
        let edges = match terms.filter(|_| weight > 0.0) {
            Some(terms) => {
                let lexical = lexical_neighbors(terms, n_neighbors, stage, progress)?;
                graph.fused(&lexical, weight as f32, IN_BOTH)
            }
            None => graph,
        };
        Ok(FittedNeighborGraph { index: Arc::new(index), n_neighbors, mean_distance, edges: Arc::new(edges) })
    }

    /// The number of neighbors that the number of rows allows.
    fn neighbors_for(&self, rows: usize, progress: &Progress) -> usize {
        let allowed = rows.saturating_sub(1).max(2).min(rows);
        let asked = self.n_neighbors;
        // No note for a single row, which has no neighbors anyway.
        if asked > allowed && rows > 1 {
            let message = format!("n_neighbors = {asked} reduced to {allowed}: there are only {rows} vectors");
            progress.note(Stage::Cluster, message);
        }
        asked.min(allowed)
    }

    /// The weight of the lexical view of `terms`.
    fn weight_of(&self, terms: Option<&CsrMatrix<u32>>) -> f64 {
        let Some(terms) = terms else { return 0.0 };
        let mean = terms.entries() as f64 / terms.rows().max(1) as f64;
        self.lexical_weight.unwrap_or(if mean >= LONG_TEXTS { LEXICAL_WEIGHT } else { 0.0 })
    }
}

/// A neighbor graph, and what is needed to find the neighbors of new rows. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct FittedNeighborGraph {
    index: Arc<NeighborIndex>,
    n_neighbors: usize,
    mean_distance: f32,
    edges: Arc<FuzzyGraph>,
}

impl FittedNeighborGraph {
    /// The edges between the rows.
    pub fn edges(&self) -> &FuzzyGraph {
        &self.edges
    }

    /// The same with these edges, of the same rows.
    pub(crate) fn with_edges(self, edges: FuzzyGraph) -> Self {
        FittedNeighborGraph { edges: Arc::new(edges), ..self }
    }

    /// The rows.
    pub(crate) fn index(&self) -> &Arc<NeighborIndex> {
        &self.index
    }

    /// The mean distance of a row's neighbors.
    pub(crate) fn mean_distance(&self) -> f32 {
        self.mean_distance
    }

    /// The same without its edges, to find the neighbors of new rows.
    pub(crate) fn without_edges(self) -> Self {
        let edges = FuzzyGraph { offsets: vec![0], indices: Vec::new(), weights: Vec::new() };
        FittedNeighborGraph { edges: Arc::new(edges), ..self }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.index.rows()
    }

    /// The number of neighbors used, including the row itself: `n_neighbors`, or less if there were fewer rows.
    pub fn n_neighbors(&self) -> usize {
        self.n_neighbors
    }

    /// The neighbors of each row of `vectors` among the rows of the graph, nearest first, and their membership
    /// strengths: 0 to 1. A row that is in the graph is its own nearest neighbor.
    ///
    /// # Errors
    /// The rows have a different number of columns, or values that are NaN or infinite; interrupted.
    pub fn neighbors_of(&self, vectors: impl Into<Vectors>, progress: &Progress) -> Result<Vec<Vec<(u32, f32)>>> {
        let neighbors = self.index.query(vectors, self.n_neighbors, Stage::Cluster, progress)?;
        // As in UMAP: a new row is connected to none with certainty, so its nearest distance is not subtracted.
        let scales = smooth_knn_dist_floored(&neighbors, 0.0, self.mean_distance);
        let of_row = |row: usize| {
            let (indices, distances) = neighbors.row(row);
            let (rho, sigma) = (scales.rhos[row], scales.sigmas[row]);
            let strengths = distances.iter().map(|&distance| membership_strength(distance, rho, sigma));
            indices.iter().copied().zip(strengths).collect()
        };
        Ok((0..neighbors.rows()).map(of_row).collect())
    }
}
