//! Clustering.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use crate::error::{Result, Stage};
use crate::spec::Spec;
use crate::training::Training;

pub mod hdbscan;
mod kmeans;

pub use hdbscan::Hdbscan;
pub use kmeans::KMeans;

/// The label of a point that belongs to no cluster.
pub const OUTLIER: i32 = -1;

/// The settings of a clustering algorithm; [`fit`](Clusterer::fit) returns a [`Clustering`].
pub trait Clusterer: Send + Sync + Debug {
    /// Checks every parameter, before any work.
    fn check(&self) -> Result<()>;

    /// The minimum number of points required to form a cluster.
    fn min_rows(&self) -> usize;

    /// Clusters the rows of `training`. The same rows and seed produce the same result on any number of threads.
    ///
    /// A model passes every position once, with the position of each row ([`Training::places`]); labels and
    /// probabilities are per row. [`Training::matrix`] has one row for each of them, for clusterers that do not treat
    /// duplicates specially; if rows at the same position then get different labels, the model assigns the label that
    /// most of them have.
    fn fit(&self, training: &Training<'_>) -> Result<Clustering>;

    /// Whether this uses [`Training::labels`]. Default: false.
    fn uses_labels(&self) -> bool {
        false
    }

    /// The name and settings, from which [`clusterer_of`] builds an equal clusterer. Default: none; the built-in
    /// clusterers have one.
    fn spec(&self) -> Option<Spec> {
        None
    }
}

/// The built-in clusterer that a [`Spec`] describes.
///
/// # Errors
/// `NotFound` if there is no built-in clusterer with this name; the settings cannot be read, or are out of range.
pub fn clusterer_of(spec: &Spec) -> Result<Arc<dyn Clusterer>> {
    let clusterer: Arc<dyn Clusterer> = match spec.name.as_str() {
        "hdbscan" => Arc::new(spec.read::<Hdbscan>(Stage::Cluster)?),
        "kmeans" => Arc::new(spec.read::<KMeans>(Stage::Cluster)?),
        _ => return Err(spec.unknown(Stage::Cluster, "hdbscan and kmeans")),
    };
    clusterer.check()?;
    Ok(clusterer)
}

/// The result of fitting a [`Clusterer`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Clustering {
    /// The cluster of each row, from 0; [`OUTLIER`] for none.
    pub labels: Vec<i32>,
    /// The membership strength of each row in its cluster, 0 to 1; 0 for outliers.
    pub probabilities: Vec<f64>,
    /// Predicts the cluster of new points.
    pub model: Arc<dyn FittedClusterer>,
}

impl Clustering {
    /// A clustering from the cluster (from 0, [`OUTLIER`] for none) and the membership strength (0 to 1) of each
    /// training row, in order, and the model that predicts those of new points.
    pub fn new(labels: Vec<i32>, probabilities: Vec<f64>, model: impl FittedClusterer + 'static) -> Self {
        Clustering { labels, probabilities, model: Arc::new(model) }
    }
}

/// Assigns new points to the clusters of a fitted clustering.
pub trait FittedClusterer: Send + Sync + Debug {
    /// The label and membership strength of each row of `points`. Rows are labeled independently of each other.
    fn predict(&self, points: ArrayView2<'_, f32>) -> Result<(Vec<i32>, Vec<f64>)>;

    /// The membership of each fitted point in each cluster (n rows, one column per cluster in label order); `None` if
    /// the algorithm has no soft membership. Points that represent several rows may have one row each.
    fn membership_vectors(&self) -> Result<Option<Array2<f64>>> {
        Ok(None)
    }
}
