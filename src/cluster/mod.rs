//! Clustering.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use crate::error::{Hint, Result, Stage};
use crate::graph::{FittedNeighborGraph, NeighborGraph};
use crate::progress::Progress;
use crate::spec::Spec;
use crate::state::State;
use crate::training::Training;

mod centroids;
mod communities;
pub mod hdbscan;
mod kmeans;

pub(crate) use centroids::NearestCentroid;
pub use communities::Communities;
#[doc(hidden)] // For the tests.
pub use communities::leiden_communities;
pub use hdbscan::Hdbscan;
pub use kmeans::KMeans;

/// The label of a point that belongs to no cluster.
pub const OUTLIER: i32 = -1;

/// The settings of a clustering algorithm; [`fit`](Clusterer::fit) returns a [`Clustering`].
///
/// ```
/// use topicframe::ndarray::ArrayView2;
/// use topicframe::prelude::*;
///
/// /// One cluster for each dimension: a row belongs to the one in which its value is largest.
/// #[derive(Debug, Clone, Copy)]
/// struct LargestDimension;
///
/// impl Clusterer for LargestDimension {
///     fn check(&self) -> Result<(), Error> {
///         Ok(()) // no parameters to check
///     }
///
///     fn min_rows(&self) -> usize {
///         1
///     }
///
///     fn fit(&self, training: &Training<'_>) -> Result<Clustering, Error> {
///         let (labels, strengths) = self.predict(training.matrix().view(), &training.progress)?;
///         Ok(Clustering::new(labels, strengths, *self))
///     }
/// }
///
/// impl FittedClusterer for LargestDimension {
///     fn predict(&self, points: ArrayView2<'_, f32>, _progress: &Progress) -> Result<(Vec<i32>, Vec<f64>), Error> {
///         let larger = |row: usize| move |&a: &usize, &b: &usize| points[[row, a]].total_cmp(&points[[row, b]]);
///         let label = |row: usize| (0..points.ncols()).max_by(larger(row)).map_or(-1, |best| best as i32);
///         Ok(((0..points.nrows()).map(label).collect(), vec![1.0; points.nrows()]))
///     }
/// }
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(LargestDimension);
/// assert_eq!(model.fit(&posts)?.summary().outliers, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Clusterer: Send + Sync + Debug {
    /// Checks every parameter, before any work: a model calls this before it reads the frame. The built-in stages also
    /// call it in [`fit`](Self::fit), which can be called without a model.
    fn check(&self) -> Result<()>;

    /// The minimum number of rows, including duplicates, that is worth clustering: a model with fewer rows is an error
    /// before the reduction. [`fit`](Self::fit) may accept fewer.
    fn min_rows(&self) -> usize;

    /// What to do if there are fewer rows than [`min_rows`](Self::min_rows): full sentences for the error. Default: to
    /// provide more rows, or a clusterer that needs fewer.
    fn too_few_rows_hint(&self) -> Hint {
        Hint::new("Provide more rows, or a clusterer that needs fewer.")
    }

    /// Clusters the rows of `training`. The same rows and seed produce the same result on any number of threads.
    ///
    /// A model passes every position once, with the position of each row ([`Training::places`]); labels and
    /// probabilities are per row. [`Training::matrix`] has one row for each of them, for clusterers that do not treat
    /// duplicates specially; if rows at the same position then get different labels, the model assigns the label that
    /// most of them have.
    fn fit(&self, training: &Training<'_>) -> Result<Clustering>;

    /// The neighbor graph that this clusters: a model then builds it from the vectors, without reducing them, and passes
    /// both in [`Training`]. Default: none; the reduced vectors are clustered.
    fn graph(&self) -> Option<NeighborGraph> {
        None
    }

    /// The same clusterer with this minimum number of rows of a cluster; `None`, the default, if it has none.
    fn with_min_cluster_size(&self, min_cluster_size: usize) -> Option<Arc<dyn Clusterer>> {
        let _ = min_cluster_size;
        None
    }

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
/// ```
/// use topicframe::cluster::{Clusterer, Hdbscan, clusterer_of};
///
/// let spec = Hdbscan::new().min_cluster_size(25).spec().ok_or("no spec")?;
/// assert_eq!(clusterer_of(&spec)?.min_rows(), 50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `NotFound` if there is no built-in clusterer with this name; the settings cannot be read, or are out of range.
pub fn clusterer_of(spec: &Spec) -> Result<Arc<dyn Clusterer>> {
    let clusterer: Arc<dyn Clusterer> = match spec.name.as_str() {
        "communities" => Arc::new(spec.read::<Communities>(Stage::Cluster)?),
        "hdbscan" => Arc::new(spec.read::<Hdbscan>(Stage::Cluster)?),
        "kmeans" => Arc::new(spec.read::<KMeans>(Stage::Cluster)?),
        _ => return Err(spec.unknown(Stage::Cluster, "communities, hdbscan and kmeans")),
    };
    clusterer.check()?;
    Ok(clusterer)
}

/// The built-in fitted clusterer of a [`State`], which [`FittedClusterer::state`] returned.
///
/// ```
/// use topicframe::cluster::fitted_clusterer_of;
/// use topicframe::ndarray::array;
/// use topicframe::prelude::*;
///
/// let clustering = KMeans::new(2).fit(&Training::new(array![[0.0], [5.0], [0.1]]))?;
/// let state = clustering.model.state().ok_or("no state")?;
/// let again = fitted_clusterer_of(state)?;
/// assert_eq!(again.predict(array![[4.0], [1.0]].view(), &Progress::silent())?.0, [1, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `NotFound` if no built-in clusterer has this kind; the state is damaged.
pub fn fitted_clusterer_of(state: State<'_>) -> Result<Arc<dyn FittedClusterer>> {
    match state.kind() {
        "centroids" => centroids::from_state(state),
        "communities" => communities::from_state(state),
        "hdbscan" => hdbscan::from_state(state),
        "kmeans" => kmeans::from_state(state),
        _ => Err(state.unknown(Stage::Cluster, "communities, hdbscan and kmeans")),
    }
}

/// The result of fitting a [`Clusterer`].
///
/// ```
/// use topicframe::ndarray::array;
/// use topicframe::prelude::*;
///
/// let points = array![[0.0, 0.1], [5.0, 5.1], [0.1, 0.0], [5.1, 5.0]];
/// let clustering = KMeans::new(2).fit(&Training::new(points))?;
/// assert_eq!(clustering.labels, [0, 1, 0, 1]);
/// assert_eq!(clustering.probabilities, [1.0; 4]);
///
/// let (labels, _) = clustering.model.predict(array![[4.0, 4.0], [1.0, 1.0]].view(), &Progress::silent())?;
/// assert_eq!(labels, [1, 0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Clustering {
    /// The cluster of each row, from 0; [`OUTLIER`] for none. Not every number has to occur.
    pub labels: Vec<i32>,
    /// The membership strength of each row in its cluster, 0 to 1; 0 for outliers.
    pub probabilities: Vec<f64>,
    /// For each row, the second best cluster ([`OUTLIER`] for none) and the membership strength there, if known.
    pub runners_up: Option<Vec<(i32, f64)>>,
    /// Predicts the cluster of new points.
    pub model: Arc<dyn FittedClusterer>,
}

impl Clustering {
    /// A clustering from the cluster (from 0, [`OUTLIER`] for none) and the membership strength (0 to 1) of each
    /// training row, in order, and the model that predicts those of new points.
    pub fn new(labels: Vec<i32>, probabilities: Vec<f64>, model: impl FittedClusterer + 'static) -> Self {
        Clustering { labels, probabilities, runners_up: None, model: Arc::new(model) }
    }

    /// The same, with the second best cluster of each row ([`OUTLIER`] for none) and the membership strength there.
    #[must_use]
    pub fn with_runners_up(self, runners_up: Vec<(i32, f64)>) -> Self {
        Clustering { runners_up: Some(runners_up), ..self }
    }
}

/// How coherent groups of rows are, to choose among the cuts of a tree of clusters. A model measures it by the words of
/// the rows' texts.
pub trait Coherence {
    /// The coherence of each of `count` groups, at most 1, where higher is better and 0 is chance; `groups` has the group
    /// of each row, from 0.
    fn of_groups(&mut self, groups: &[i32], count: usize) -> Vec<f64>;
}

/// Assigns new points to the clusters of a fitted clustering.
///
/// ```
/// use topicframe::ndarray::{ArrayView2, array};
/// use topicframe::prelude::*;
///
/// /// Places a point in the cluster with the nearest center, on a line.
/// #[derive(Debug)]
/// struct Centers(Vec<f32>);
///
/// impl FittedClusterer for Centers {
///     fn predict(&self, points: ArrayView2<'_, f32>, _progress: &Progress) -> Result<(Vec<i32>, Vec<f64>), Error> {
///         let distance = |row: usize, center: usize| (points[[row, 0]] - self.0[center]).abs();
///         let nearest = |row| (0..self.0.len()).min_by(|&a, &b| distance(row, a).total_cmp(&distance(row, b)));
///         let labels = (0..points.nrows()).map(|row| nearest(row).map_or(-1, |best| best as i32)).collect();
///         Ok((labels, vec![1.0; points.nrows()]))
///     }
/// }
///
/// let clustering = Clustering::new(vec![0, 1], vec![1.0, 1.0], Centers(vec![0.0, 10.0]));
/// assert_eq!(clustering.model.predict(array![[8.5], [1.5]].view(), &Progress::silent())?.0, [1, 0]);
/// # Ok::<(), Error>(())
/// ```
pub trait FittedClusterer: Send + Sync + Debug {
    /// The label and membership strength of each row of `points`, as in [`Clustering`]. Rows are labeled independently
    /// of each other. A model does not ask for rows whose vector was in the fit, unless it is
    /// [without its data](crate::model::FittedTopicModel::without_data), so their labels may differ from those of the
    /// fit. A label that did not occur in the fit is an outlier.
    ///
    /// # Errors
    /// The points do not have as many columns as those of the fit, a value is NaN or infinite, or the work was
    /// interrupted.
    fn predict(&self, points: ArrayView2<'_, f32>, progress: &Progress) -> Result<(Vec<i32>, Vec<f64>)>;

    /// The clustering of the same rows into `clusters` clusters, without fitting again; `None` if the algorithm has
    /// only one. If that number is not available, it is the nearest. These cuts are nested: a cluster is part of one
    /// cluster of every coarser cut.
    fn at(&self, clusters: usize) -> Option<Clustering> {
        let _ = clusters;
        None
    }

    /// The numbers of clusters at the levels of the algorithm's tree, ascending: [cuts](Self::at) that it found by
    /// itself, where those in between only join some of their clusters. Default: none.
    fn levels(&self) -> Vec<usize> {
        Vec::new()
    }

    /// The clustering of the same rows at that height of the algorithm's tree at which they belong most firmly to coherent
    /// clusters; `None` if there is no tree, a number of clusters was requested, or no cluster is coherent.
    fn most_coherent(&self, coherence: &mut dyn Coherence) -> Option<Clustering> {
        let _ = coherence;
        None
    }

    /// Several runs of the algorithm on the fitted rows, at about as many clusters as this clustering has: the cluster of
    /// each row in each run, -1 for none. How far they agree shows how far clusters can be trusted. Default: none.
    fn runs(&self) -> Vec<Vec<i32>> {
        Vec::new()
    }

    /// The neighbor graph that was clustered, with its edges, and the row in it of each fitted row. Default: none.
    fn neighbor_graph(&self) -> Option<(FittedNeighborGraph, Vec<u32>)> {
        None
    }

    /// The number of groups that have too few rows for a cluster of their own at about this number of clusters, and that
    /// joined another one in the fit. Default: 0; not known of a clusterer that was saved and loaded.
    fn joined(&self) -> usize {
        0
    }

    /// Clusters some of the fitted rows again, without the others, into about as many clusters: the cluster of each of
    /// `rows` (ascending), -1 for none. `None`, the default, if the algorithm cannot: it would need the points.
    ///
    /// # Errors
    /// Interrupted.
    fn refit(&self, rows: &[usize], seed: u64, progress: &Progress) -> Result<Option<Vec<i32>>> {
        let _ = (rows, seed, progress);
        Ok(None)
    }

    /// What this consists of, to be saved with a model; [`fitted_clusterer_of`] builds an equal one. `None`, the default,
    /// if it cannot be saved; the built-in clusterers can.
    fn state(&self) -> Option<State<'_>> {
        None
    }

    /// The membership of each fitted point in each cluster (n rows, one column per cluster in label order); `None` if
    /// the algorithm has no soft membership. Points that represent several rows may have one row each.
    fn membership_vectors(&self) -> Result<Option<Array2<f64>>> {
        Ok(None)
    }

    /// The same for only some of the fitted points, numbered as in [`Training::vectors`], one row for each. `None`, the
    /// default, if that is not possible: a model then takes them from [`membership_vectors`](Self::membership_vectors).
    fn membership_vectors_of(&self, points: &[usize]) -> Result<Option<Array2<f64>>> {
        let _ = points;
        Ok(None)
    }

    /// The membership of new points in each cluster, as [`membership_vectors`](Self::membership_vectors) has it of fitted
    /// ones. `None`, the default, if that is not possible.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    fn membership_vectors_of_new(
        &self,
        points: ArrayView2<'_, f32>,
        progress: &Progress,
    ) -> Result<Option<Array2<f64>>> {
        let _ = (points, progress);
        Ok(None)
    }
}
