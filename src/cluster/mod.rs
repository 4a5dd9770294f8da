//! Points to topics.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use crate::error::Result;
use crate::progress::Progress;

pub mod hdbscan;
mod kmeans;

pub use hdbscan::Hdbscan;
pub use kmeans::KMeans;

/// The label of a point that belongs to no cluster.
pub const OUTLIER: i32 = -1;

/// Settings of a clustering, which [`fit`](Clusterer::fit) turns into a [`Clustering`].
pub trait Clusterer: Send + Sync + Debug {
    /// Checks every parameter, before any work.
    fn check(&self) -> Result<()>;

    /// The fewest points of which this can make a cluster.
    fn min_rows(&self) -> usize;

    /// Clusters `points` (n rows, finite). The same points and seed give the same result on any number of threads.
    fn fit(&self, points: ArrayView2<'_, f32>, seed: u64, progress: &Progress) -> Result<Clustering>;
}

/// What fitting a [`Clusterer`] gives.
#[derive(Debug, Clone)]
pub struct Clustering {
    /// The cluster of each point, from 0; [`OUTLIER`] where none.
    pub labels: Vec<i32>,
    /// How strongly each point belongs to its cluster, 0 to 1; 0 for outliers.
    pub probabilities: Vec<f64>,
    /// Predicts the cluster of new points.
    pub model: Arc<dyn FittedClusterer>,
}

/// Assigns new points to the clusters of a fitted clustering.
pub trait FittedClusterer: Send + Sync + Debug {
    /// The label and its strength for each row of `points`. Rows do not influence each other.
    fn predict(&self, points: ArrayView2<'_, f32>) -> Result<(Vec<i32>, Vec<f64>)>;

    /// How strongly each fitted point belongs to each cluster (n rows, one column a cluster in label order); `None`
    /// where the algorithm has no such thing.
    fn membership_vectors(&self) -> Result<Option<Array2<f64>>> {
        Ok(None)
    }
}
