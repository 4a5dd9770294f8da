//! HDBSCAN*: hierarchical density-based clustering (Campello, Moulavi and Sander 2013), fast on many points in few
//! dimensions (McInnes and Healy 2017).
//!
//! Each step has its own file: core distances, the minimum spanning tree of mutual reachability (by Borůvka's algorithm
//! over a k-d tree in low dimensions, by Prim's algorithm in high dimensions), its single-linkage hierarchy, the
//! condensed tree, the selection of clusters and the resulting labels, then outlier scores, prediction of new points
//! and soft membership.
//!
//! Validated against Python's hdbscan 0.8.44, with the same names and defaults. As in hdbscan, a core distance is the
//! distance to the `min_samples`-th *other* point. Unlike in hdbscan, the spanning tree is always exact and
//! tie-breaking between edges is defined, so the same points produce the same clusters on any number of threads. Where
//! edge weights are equal (identical points; a point with a core distance that reaches into two clusters), the side to
//! which a point is assigned is a convention; hdbscan leaves it to the order of an unstable sort, so the results for
//! those points may differ.

use std::sync::Arc;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::cluster::{Clusterer, Clustering};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::linalg::finite::check_finite;
use crate::progress::Progress;
use crate::spec::Spec;
use crate::training::Training;

mod boruvka;
mod condensed_tree;
mod core_distance;
mod edge;
mod fitted;
mod index;
mod kd_tree;
mod labeling;
mod membership;
mod nearest;
mod outlier_score;
mod prediction;
mod saved;
mod selection;
mod single_linkage;
mod spanning_tree;

pub use condensed_tree::{CondensedRow, CondensedTree};
pub use fitted::FittedHdbscan;
pub(super) use saved::from_state;

use single_linkage::Weights;

/// The method for selecting clusters from the condensed tree.
///
/// ```
/// use topicframe::cluster::hdbscan::ClusterSelectionMethod;
/// use topicframe::ndarray::Array2;
/// use topicframe::prelude::*;
///
/// // Pairs of groups of six: near each other in a pair, and the pairs far apart. The leaves are the groups.
/// let place = |row: usize| (row / 12 * 100 + row / 6 % 2 * 5) as f32 + (row % 6) as f32 / 10.0;
/// let points = Array2::from_shape_fn((24, 1), |(row, _)| place(row));
/// let hdbscan = Hdbscan::new().min_cluster_size(6).min_samples(2);
/// let hdbscan = hdbscan.cluster_selection_method(ClusterSelectionMethod::Leaf);
/// assert_eq!(hdbscan.cluster(points.view(), &Progress::silent())?.n_clusters(), 4);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterSelectionMethod {
    /// Excess of mass: the clusters that persist longest, large or small.
    #[default]
    Eom,
    /// The leaves of the tree: many small clusters of similar size.
    Leaf,
}

/// Settings of HDBSCAN*. The distance is Euclidean.
///
/// ```
/// use topicframe::ndarray::Array1;
/// use topicframe::prelude::*;
///
/// // Ten points from 0.0 to 0.9, ten from 10.0 to 10.9, and one far away.
/// let line: Array1<f32> = (0..10).chain(100..110).chain([500]).map(|x| x as f32 / 10.0).collect();
/// let points = line.insert_axis(topicframe::ndarray::Axis(1));
/// let labels = Hdbscan::new().min_cluster_size(6).fit(&Training::new(points))?.labels;
/// assert!(labels[..10].iter().all(|&label| label == labels[0]) && labels[0] >= 0);
/// assert!(labels[10..20].iter().all(|&label| label == labels[10]) && labels[10] != labels[0]);
/// assert_eq!(labels[20], topicframe::cluster::OUTLIER);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hdbscan {
    min_cluster_size: usize,
    min_samples: Option<usize>,
    alpha: f64,
    cluster_selection_method: ClusterSelectionMethod,
    cluster_selection_epsilon: f64,
    max_cluster_size: usize,
    allow_single_cluster: bool,
}

impl Default for Hdbscan {
    fn default() -> Self {
        Hdbscan {
            min_cluster_size: 10,
            min_samples: None,
            alpha: 1.0,
            cluster_selection_method: ClusterSelectionMethod::Eom,
            cluster_selection_epsilon: 0.0,
            max_cluster_size: 0,
            allow_single_cluster: false,
        }
    }
}

impl Hdbscan {
    /// Creates the default settings, which are documented below.
    pub fn new() -> Self {
        Hdbscan::default()
    }

    /// The minimum number of points in a cluster, at least 2 (default 10, as in BERTopic).
    #[must_use]
    pub fn min_cluster_size(mut self, min_cluster_size: usize) -> Self {
        self.min_cluster_size = min_cluster_size;
        self
    }

    /// The number of other points in a dense neighborhood, at least 1; larger values produce more outliers. The default
    /// is `min_cluster_size`. If there are fewer other points, it is reduced to their number, as in hdbscan, with a
    /// note.
    #[must_use]
    pub fn min_samples(mut self, min_samples: usize) -> Self {
        self.min_samples = Some(min_samples);
        self
    }

    /// Divides distances before they are compared with core distances, as in robust single linkage; greater than 0
    /// (default 1).
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// The method for selecting clusters from the condensed tree (default [`ClusterSelectionMethod::Eom`]).
    #[must_use]
    pub fn cluster_selection_method(mut self, cluster_selection_method: ClusterSelectionMethod) -> Self {
        self.cluster_selection_method = cluster_selection_method;
        self
    }

    /// Clusters that split at a distance smaller than this stay together (Malzer and Baum 2020); at least 0 (default 0:
    /// disabled).
    #[must_use]
    pub fn cluster_selection_epsilon(mut self, cluster_selection_epsilon: f64) -> Self {
        self.cluster_selection_epsilon = cluster_selection_epsilon;
        self
    }

    /// Larger clusters are split even if excess of mass would keep them; 0 (default) for no limit.
    /// `cluster_selection_epsilon` may still merge clusters into a larger one.
    #[must_use]
    pub fn max_cluster_size(mut self, max_cluster_size: usize) -> Self {
        self.max_cluster_size = max_cluster_size;
        self
    }

    /// Whether all points may form a single cluster (default false).
    #[must_use]
    pub fn allow_single_cluster(mut self, allow_single_cluster: bool) -> Self {
        self.allow_single_cluster = allow_single_cluster;
        self
    }

    /// Clusters `points` (at least one row and one column, all finite) and returns all results. [`fit`](Clusterer::fit)
    /// does the same through the trait.
    ///
    /// If there are fewer rows than `min_cluster_size`, all points are outliers.
    ///
    /// # Errors
    /// `InvalidParameter` as in [`check`](Clusterer::check); `InvalidData` if there are no rows or no columns, or a row
    /// contains a NaN or infinite value.
    pub fn cluster(&self, points: ArrayView2<'_, f32>, progress: &Progress) -> Result<FittedHdbscan> {
        self.cluster_weighted(points, &[], progress)
    }

    /// Like [`cluster`](Self::cluster), for points that represent several equal ones: `weights` contains the number of
    /// copies of each point, 1 or more; if it is empty, each point counts once.
    ///
    /// `min_cluster_size`, `max_cluster_size` and the sizes in the condensed tree count copies. The density of a region
    /// (`min_samples`) and the stability of a cluster depend only on distinct points: copies do not affect them. If the
    /// copies were passed to `cluster` as separate equal points, they would be denser than all others: they would split
    /// off first, and all other points could end up in one cluster. A part of the tree with fewer than
    /// `min_cluster_size` distinct points but at least that many copies is a cluster if no other cluster contains it;
    /// it does not end the cluster that it leaves.
    ///
    /// # Errors
    /// As for `cluster`; `InvalidData` if there are weights but not one per point, or a weight is 0.
    pub fn cluster_weighted(
        &self,
        points: ArrayView2<'_, f32>,
        weights: &[u32],
        progress: &Progress,
    ) -> Result<FittedHdbscan> {
        self.check()?;
        let (rows, columns) = points.dim();
        if rows == 0 || columns == 0 || rows > (u32::MAX / 2) as usize {
            let message = format!("cannot cluster {rows} points with {columns} columns");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message));
        }
        check_finite(points, Stage::Cluster, "point")?;
        check_weights(weights, rows)?;
        FittedHdbscan::fit(self, points.as_standard_layout().into_owned(), Weights(weights), progress)
    }
}

fn check_weights(weights: &[u32], rows: usize) -> Result<()> {
    let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    let message = match () {
        () if weights.is_empty() => return Ok(()),
        () if weights.len() != rows => format!("{} weights for {rows} points", weights.len()),
        () if weights.contains(&0) => "a point has the weight 0".to_owned(),
        () if total > u64::from(u32::MAX) => format!("the points represent {total} rows (maximum: 2^32 - 1)"),
        () => return Ok(()),
    };
    Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message))
}

impl Clusterer for Hdbscan {
    fn with_min_cluster_size(&self, min_cluster_size: usize) -> Option<Arc<dyn Clusterer>> {
        Some(Arc::new(self.clone().min_cluster_size(min_cluster_size)))
    }

    fn check(&self) -> Result<()> {
        let bad = |name: &str, value: String, allowed: &str| {
            Err(Error::invalid_parameter(Stage::Cluster, name, value, allowed))
        };
        if self.min_cluster_size < 2 {
            return bad("min_cluster_size", self.min_cluster_size.to_string(), "at least 2");
        }
        if self.min_samples == Some(0) {
            return bad("min_samples", "0".to_owned(), "at least 1");
        }
        if !(self.alpha.is_finite() && self.alpha > 0.0) {
            return bad("alpha", self.alpha.to_string(), "above 0 and finite");
        }
        if !(self.cluster_selection_epsilon.is_finite() && self.cluster_selection_epsilon >= 0.0) {
            return bad(
                "cluster_selection_epsilon",
                self.cluster_selection_epsilon.to_string(),
                "at least 0 and finite",
            );
        }
        Ok(())
    }

    /// Twice `min_cluster_size`, since a single cluster is not selected; `min_cluster_size` if that is allowed.
    fn min_rows(&self) -> usize {
        if self.allow_single_cluster { self.min_cluster_size } else { self.min_cluster_size.saturating_mul(2) }
    }

    /// Suggests a lower `min_cluster_size`.
    fn too_few_rows_hint(&self) -> Hint {
        let twice = if self.allow_single_cluster { "" } else { "; two topics need twice that number of rows" };
        Hint::new(format!("Provide more rows, or lower min_cluster_size (min_topic_size of a model){twice}."))
            .on_command_line(format!("Provide more rows, or lower --min-cluster-size{twice}."))
    }

    /// The seed has no effect. Passes each position once, with its number of rows as its
    /// [weight](Hdbscan::cluster_weighted).
    fn fit(&self, training: &Training<'_>) -> Result<Clustering> {
        training.check(Stage::Cluster)?;
        let points = training.vectors.to_matrix();
        let Some(places) = training.places else {
            let model = self.cluster(points.view(), &training.progress)?;
            return Ok(Clustering::new(model.labels().to_vec(), model.probabilities().to_vec(), model));
        };
        let mut weights = vec![0; points.nrows()];
        places.iter().for_each(|&place| weights[place as usize] += 1);
        let model = self.cluster_weighted(points.view(), &weights, &training.progress)?;
        let labels = places.iter().map(|&place| model.labels()[place as usize]).collect();
        let probabilities = places.iter().map(|&place| model.probabilities()[place as usize]).collect();
        Ok(Clustering::new(labels, probabilities, model))
    }

    fn spec(&self) -> Option<Spec> {
        Spec::new("hdbscan", self)
    }
}
