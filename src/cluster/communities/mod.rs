//! Communities of the neighbor graph.
//!
//! Several runs of the Leiden algorithm (`leiden`) cut the graph into communities; what they agree on (`consensus`) is
//! divided further, into a tree (`tree`) that can be cut at any number of communities (`hierarchy`). How certain it is
//! that a row belongs to its community is the share of its edges' weight that stays there (`confidence`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Clusterer, Clustering};
use crate::error::{Error, Hint, Result, Stage};
use crate::graph::{FuzzyGraph, NeighborGraph};
use crate::neighbors::{Metric, NeighborSearch};
use crate::spec::Spec;
use crate::training::Training;

mod confidence;
mod consensus;
mod fitted;
mod granularity;
mod graph;
mod hierarchy;
mod leiden;
mod random;
mod saved;
mod tree;

use fitted::Found;
pub(super) use fitted::from_state;
use graph::Graph;
use hierarchy::Hierarchy;
use tree::Growth;

/// How often a run of Leiden goes through the whole graph, as in leidenalg.
const PASSES: usize = 2;

/// The communities of a graph at `resolution` and their modularity, by one run of Leiden, for the tests, which compare
/// them with leidenalg's.
#[doc(hidden)]
pub fn leiden_communities(graph: &FuzzyGraph, resolution: f64, seed: u64) -> (Vec<u32>, f64) {
    let graph = Graph::new(&graph.offsets, &graph.indices, &graph.weights);
    let communities = leiden::leiden(&graph, resolution, None, PASSES, seed);
    let modularity = graph.modularity(&communities, resolution);
    (communities, modularity)
}

/// Settings of the communities of a neighbor graph: groups of rows that are more connected among each other than by
/// chance (modularity).
///
/// Every row that has neighbors belongs to a community; outliers are rows in communities of fewer than
/// `min_cluster_size` rows. The graph is built from the vectors themselves, without a dimensionality reduction.
///
/// | setting | default |
/// |---|---|
/// | [`n_neighbors`](Self::n_neighbors) | 15 |
/// | [`metric`](Self::metric) | cosine |
/// | [`lexical_weight`](Self::lexical_weight) | 0.375 for long texts |
/// | [`min_cluster_size`](Self::min_cluster_size) | 10 |
/// | [`n_clusters`](Self::n_clusters) | chosen by the coherence of their words |
/// | [`n_runs`](Self::n_runs) | 5 |
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "a cat sleeps", "a fast train", "the fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).clusterer(Communities::new().n_neighbors(3));
/// let topics = model.fit(&posts)?;
/// assert_eq!(topics.summary().outliers, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Communities {
    graph: NeighborGraph,
    min_cluster_size: usize,
    n_clusters: Option<usize>,
    resolution: Option<f64>,
    n_runs: usize,
}

impl Default for Communities {
    fn default() -> Self {
        Communities::new()
    }
}

impl Communities {
    /// Creates the default settings.
    pub fn new() -> Self {
        Communities { graph: NeighborGraph::new(), min_cluster_size: 10, n_clusters: None, resolution: None, n_runs: 5 }
    }

    /// The number of nearest neighbors, including the row itself, that a row is connected with: at least 2, default 15.
    #[must_use]
    pub fn n_neighbors(mut self, n_neighbors: usize) -> Self {
        self.graph = self.graph.n_neighbors(n_neighbors);
        self
    }

    /// The distance metric for vectors; default [`Metric::Cosine`] (for reduced vectors, [`Metric::Euclidean`]).
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.graph = self.graph.metric(metric);
        self
    }

    /// The nearest-neighbor search method; default [`NeighborSearch::Auto`].
    #[must_use]
    pub fn neighbor_search(mut self, neighbor_search: NeighborSearch) -> Self {
        self.graph = self.graph.neighbor_search(neighbor_search);
        self
    }

    /// The weight of the texts' words in the graph, 0 to 1: see [`NeighborGraph::lexical_weight`].
    #[must_use]
    pub fn lexical_weight(mut self, lexical_weight: impl Into<Option<f64>>) -> Self {
        self.graph = self.graph.lexical_weight(lexical_weight);
        self
    }

    /// The minimum number of rows of a community: at least 2, default 10. Smaller ones are joined with the community
    /// that they are best connected to; those without any connection are outliers.
    #[must_use]
    pub fn min_cluster_size(mut self, min_cluster_size: usize) -> Self {
        self.min_cluster_size = min_cluster_size;
        self
    }

    /// The number of communities, at least 1. Default `None`: those of the [resolution](Self::resolution), if it is set;
    /// otherwise, in a model of texts, as many as make the rows belong most firmly to topics whose words belong together
    /// (the mean of [probability](Clustering::probabilities) times coherence, [`document_npmi`], is computed for each level
    /// of the tree; the number is a mean over the levels, in which the best count most), and without texts, those of resolution 1. The tree of communities has a limited number of leaves, and
    /// cannot join parts of the graph that no edge connects, so there may be fewer or more.
    ///
    /// [`document_npmi`]: crate::measure::document_npmi
    #[must_use]
    pub fn n_clusters(mut self, n_clusters: impl Into<Option<usize>>) -> Self {
        self.n_clusters = n_clusters.into();
        self
    }

    /// The weight of the connections that chance would make, greater than 0: at 1.0, communities have the highest
    /// modularity; the higher, the more communities. The tree has levels at 0.5, at √2 times that, and so on; the
    /// nearest is used. Default `None`: the number of communities is chosen as described [there](Self::n_clusters).
    #[must_use]
    pub fn resolution(mut self, resolution: impl Into<Option<f64>>) -> Self {
        self.resolution = resolution.into();
        self
    }

    /// The number of runs that have to agree, 1 to 100, default 5. More runs are steadier, and take longer.
    #[must_use]
    pub fn n_runs(mut self, n_runs: usize) -> Self {
        self.n_runs = n_runs;
        self
    }
}

impl Clusterer for Communities {
    fn check(&self) -> Result<()> {
        self.graph.check()?;
        let bad = |name: &str, value: String, allowed: &str| {
            Err(Error::invalid_parameter(Stage::Cluster, name, value, allowed))
        };
        if self.min_cluster_size < 2 {
            return bad("min_cluster_size", self.min_cluster_size.to_string(), "2 or more");
        }
        if self.n_clusters == Some(0) {
            return bad("n_clusters", "0".to_owned(), "1 or more");
        }
        if let Some(resolution) = self.resolution.filter(|resolution| !(resolution.is_finite() && *resolution > 0.0)) {
            return bad("resolution", resolution.to_string(), "above 0 and finite");
        }
        if !(1..=100).contains(&self.n_runs) {
            return bad("n_runs", self.n_runs.to_string(), "1 to 100");
        }
        Ok(())
    }

    /// `min_cluster_size`.
    fn min_rows(&self) -> usize {
        self.min_cluster_size
    }

    fn too_few_rows_hint(&self) -> Hint {
        Hint::new("Provide more rows, or lower min_cluster_size.")
            .on_command_line("Provide more rows, or lower --min-cluster-size.")
    }

    fn with_min_cluster_size(&self, min_cluster_size: usize) -> Option<Arc<dyn Clusterer>> {
        Some(Arc::new(self.clone().min_cluster_size(min_cluster_size)))
    }

    fn graph(&self) -> Option<NeighborGraph> {
        Some(self.graph.clone())
    }

    fn fit(&self, training: &Training<'_>) -> Result<Clustering> {
        self.check()?;
        training.check(Stage::Cluster)?;
        let graph = match training.graph {
            Some(graph) => graph.clone(),
            None => self.graph.fit(training.vectors.clone(), None, &training.progress)?,
        };
        let mut sizes = vec![u32::from(training.places.is_none()); graph.rows()];
        for &place in training.places.unwrap_or_default() {
            sizes[place as usize] = sizes[place as usize].saturating_add(1);
        }
        let edges = graph.edges();
        let weighted = Graph::new(&edges.offsets, &edges.indices, &edges.weights);
        let min_size = u32::try_from(self.min_cluster_size).unwrap_or(u32::MAX);
        let max_copies = u32::try_from(graph.n_neighbors()).unwrap_or(u32::MAX);
        let growth = Growth { runs: self.n_runs, passes: PASSES, min_size, max_copies, seed: training.seed };
        let task = training.progress.task(Stage::Cluster, "communities", 0);
        let hierarchy = Hierarchy::new(weighted, sizes, &growth, &task);
        task.finish()?;
        let count = self.n_clusters.unwrap_or_else(|| hierarchy.communities_at(self.resolution.unwrap_or(1.0)));
        let is_automatic = self.n_clusters.is_none() && self.resolution.is_none();
        let found = Found {
            graph: graph.without_edges(),
            hierarchy,
            is_automatic,
            growth,
            places: training.places.map(<[_]>::to_vec),
        };
        Ok(Arc::new(found).clustering(count))
    }

    fn spec(&self) -> Option<Spec> {
        Spec::new("communities", self)
    }
}
