//! Points to topics.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis};

use crate::error::{Error, ErrorKind, Result, Stage};
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

    /// Clusters rows of which some are equal: row `i` lies at the point `places[i]`, and each point is given once. The
    /// labels and probabilities are those of the rows. By default [`fit`](Self::fit) on all rows; where rows at one
    /// point differ then, a model gives them the label that most of them have.
    ///
    /// A model calls this where rows have equal vectors, and `fit` where none have.
    fn fit_copies(
        &self,
        points: ArrayView2<'_, f32>,
        places: &[u32],
        seed: u64,
        progress: &Progress,
    ) -> Result<Clustering> {
        check_places(points, places)?;
        let rows: Vec<usize> = places.iter().map(|&place| place as usize).collect();
        self.fit(points.select(Axis(0), &rows).view(), seed, progress)
    }
}

/// Every row lies at one of `points`.
fn check_places(points: ArrayView2<'_, f32>, places: &[u32]) -> Result<()> {
    match places.iter().position(|&place| place as usize >= points.nrows()) {
        Some(row) => {
            let message = format!("a row lies at a point that is not among the {} given", points.nrows());
            Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message).row(row))
        }
        None => Ok(()),
    }
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
    /// where the algorithm has no such thing. Of points that stand for several rows there may be one row each.
    fn membership_vectors(&self) -> Result<Option<Array2<f64>>> {
        Ok(None)
    }
}
