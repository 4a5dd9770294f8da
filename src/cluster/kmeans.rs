//! k-means (Lloyd 1982, initialized by the k-means++ of Arthur and Vassilvitskii 2007), using linfa-clustering.

use std::cell::RefCell;
use std::sync::Arc;

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::KMeans as LinfaKMeans;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::{self, RngCore, SeedableRng};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Clusterer, Clustering, FittedClusterer, OUTLIER};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::linalg::finite::check_finite;
use crate::progress::{Progress, Task};
use crate::spec::Spec;
use crate::state::State;
use crate::training::Training;

/// Rows labeled by one thread at a time.
const ROWS_AT_A_TIME: usize = 64;

/// Settings of k-means: a partition of all points into a fixed number of clusters, without outliers.
///
/// Clusters are numbered in order of first occurrence in the rows. A cluster that ends up without points (if there are
/// fewer distinct points than clusters) has no number, so there may be fewer than `n_clusters`.
///
/// ```
/// use topicframe::ndarray::array;
/// use topicframe::prelude::*;
///
/// let points = array![[0.0], [9.0], [0.2], [9.2], [0.1]];
/// let clustering = KMeans::new(2).n_runs(20).fit(&Training::new(points))?;
/// assert_eq!(clustering.labels, [0, 1, 0, 1, 0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KMeans {
    n_clusters: usize,
    max_iterations: usize,
    tolerance: f32,
    n_runs: usize,
}

impl KMeans {
    /// Creates settings for `n_clusters` clusters, at least 1 and at most the number of points, with the defaults
    /// documented below.
    pub fn new(n_clusters: usize) -> Self {
        KMeans { n_clusters, max_iterations: 300, tolerance: 1e-4, n_runs: 10 }
    }

    /// The maximum number of iterations, at least 1 (default 300).
    #[must_use]
    pub fn max_iterations(mut self, max_iterations: usize) -> Self {
        self.max_iterations = max_iterations;
        self
    }

    /// A run ends when the centers, taken together as one long vector, have moved less than this; greater than 0
    /// (default 1e-4).
    #[must_use]
    pub fn tolerance(mut self, tolerance: f32) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The number of initializations to try, at least 1 (default 10); the one with the smallest sum of squared
    /// distances wins.
    #[must_use]
    pub fn n_runs(mut self, n_runs: usize) -> Self {
        self.n_runs = n_runs;
        self
    }

    fn check_rows(&self, points: ArrayView2<'_, f32>) -> Result<()> {
        let (rows, columns) = points.dim();
        if rows == 0 || columns == 0 {
            let message = format!("cannot cluster {rows} points with {columns} columns");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message));
        }
        if self.n_clusters > rows {
            let allowed = format!("at most the number of points, {rows}");
            return Err(Error::invalid_parameter(Stage::Cluster, "n_clusters", self.n_clusters, &allowed));
        }
        check_finite(points, Stage::Cluster, "point")?;
        // linfa sums squared distances as f32 and panics if the sum overflows.
        let largest = points.iter().fold(0.0f64, |largest, &value| largest.max(f64::from(value.abs())));
        if 4.0 * largest * largest * rows as f64 * columns as f64 > f64::from(f32::MAX) {
            let message = format!("values as large as {largest} overflow in k-means");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message).with_hint("Scale the points down."));
        }
        Ok(())
    }

    /// The centers of the best run. linfa cannot be stopped during a run, so each run is a call of its own.
    fn centers(&self, points: ArrayView2<'_, f32>, seed: u64, task: &Task) -> Result<Array2<f32>> {
        let random = RefCell::new(Xoshiro256Plus::seed_from_u64(seed));
        let dataset = DatasetBase::from(points);
        let mut best = None;
        let mut inertia = f32::INFINITY;
        for _ in 0..self.n_runs {
            if task.is_interrupted() {
                break;
            }
            let fitted = LinfaKMeans::params_with_rng(self.n_clusters, SharedRandom(&random))
                .max_n_iterations(self.max_iterations as u64)
                .tolerance(self.tolerance)
                .n_runs(1)
                .fit(&dataset)
                .map_err(|error| no_centers().with_cause(error))?;
            // The mean squared distance; of runs in which it is equal, the first wins.
            if fitted.inertia() < inertia {
                inertia = fitted.inertia();
                best = Some(fitted.centroids().clone());
            }
            task.advance(1);
        }
        best.ok_or_else(no_centers)
    }
}

fn no_centers() -> Error {
    Error::new(ErrorKind::Internal, Stage::Cluster, "k-means found no centers")
}

/// A generator that continues where the previous run stopped, although linfa copies it.
#[derive(Clone)]
struct SharedRandom<'a>(&'a RefCell<Xoshiro256Plus>);

impl RngCore for SharedRandom<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.borrow_mut().next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.borrow_mut().next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.borrow_mut().fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), rand_core::Error> {
        self.0.borrow_mut().try_fill_bytes(bytes)
    }
}

impl Clusterer for KMeans {
    fn check(&self) -> Result<()> {
        let bad = |name: &str, value: String, allowed: &str| {
            Err(Error::invalid_parameter(Stage::Cluster, name, value, allowed))
        };
        if self.n_clusters == 0 {
            return bad("n_clusters", "0".to_owned(), "at least 1");
        }
        if self.max_iterations == 0 {
            return bad("max_iterations", "0".to_owned(), "at least 1");
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            return bad("tolerance", self.tolerance.to_string(), "above 0 and finite");
        }
        if self.n_runs == 0 {
            return bad("n_runs", "0".to_owned(), "at least 1");
        }
        Ok(())
    }

    /// `n_clusters`.
    fn min_rows(&self) -> usize {
        self.n_clusters
    }

    /// Suggests a lower `n_clusters`.
    fn too_few_rows_hint(&self) -> Hint {
        Hint::new("Provide more rows, or lower n_clusters.").on_command_line("Provide more rows.")
    }

    // Probabilities are all 1, since a partition has no membership strengths. linfa distributes rows among threads but
    // sums centers and distances in row order, and its k-means++ draws from a single generator, so the number of
    // threads does not affect the result.
    fn fit(&self, training: &Training<'_>) -> Result<Clustering> {
        self.check()?;
        training.check(Stage::Cluster)?;
        let points = training.matrix();
        let points = points.view();
        self.check_rows(points)?;
        let points = points.as_standard_layout();
        let task = training.progress.task(Stage::Cluster, "k-means", self.n_runs);
        let centers = self.centers(points.view(), training.seed, &task);
        task.finish()?;
        let centers = centers?;
        let nearest = nearest_centers(&centers, points.view(), &training.progress)?;
        let (model, labels) = FittedKMeans::number(&centers, &nearest);
        Ok(Clustering::new(labels, vec![1.0; nearest.len()], model))
    }

    fn spec(&self) -> Option<Spec> {
        Spec::new("kmeans", self)
    }
}

/// The result of [`KMeans`].
#[derive(Debug)]
struct FittedKMeans {
    /// The center of each cluster that has points.
    centers: Array2<f32>,
    /// The label of each center.
    labels: Vec<i32>,
}

impl FittedKMeans {
    /// Numbers the clusters in order of first occurrence in the rows, given the nearest center of each, and drops those
    /// without points. Also returns the rows' labels.
    fn number(centers: &Array2<f32>, nearest: &[usize]) -> (Self, Vec<i32>) {
        let mut label = vec![OUTLIER; centers.nrows()];
        let mut next = 0;
        for &cluster in nearest {
            if label[cluster] == OUTLIER {
                label[cluster] = next;
                next += 1;
            }
        }
        let used: Vec<usize> = (0..label.len()).filter(|&cluster| label[cluster] != OUTLIER).collect();
        let fitted = FittedKMeans {
            centers: centers.select(Axis(0), &used),
            labels: used.iter().map(|&cluster| label[cluster]).collect(),
        };
        (fitted, nearest.iter().map(|&cluster| label[cluster]).collect())
    }
}

impl FittedClusterer for FittedKMeans {
    /// The nearest center; ties go to the one that k-means++ found first. Strengths are 1, since a partition has none.
    fn predict(&self, points: ArrayView2<'_, f32>, progress: &Progress) -> Result<(Vec<i32>, Vec<f64>)> {
        if points.ncols() != self.centers.ncols() {
            let message =
                format!("fitted points have {} columns, new points have {}", self.centers.ncols(), points.ncols());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message));
        }
        check_finite(points, Stage::Cluster, "point")?;
        let nearest = nearest_centers(&self.centers, points, progress)?;
        Ok((nearest.into_iter().map(|center| self.labels[center]).collect(), vec![1.0; points.nrows()]))
    }

    fn state(&self) -> Option<State<'_>> {
        Some(State::new("kmeans").with_matrix("centers", self.centers.view()).with_values("labels", &self.labels))
    }
}

/// The clustering of a state.
pub(super) fn from_state(mut state: State<'_>) -> Result<Arc<dyn FittedClusterer>> {
    let centers = state.take_matrix::<f32>("centers")?;
    let labels = state.take_exactly::<i32>("labels", centers.nrows())?;
    if labels.is_empty() || labels.iter().any(|&label| label < 0) {
        return Err(state.out_of_range("labels"));
    }
    check_finite(centers.view(), Stage::Cluster, "center").map_err(|_| state.out_of_range("centers"))?;
    Ok(Arc::new(FittedKMeans { centers, labels }))
}

/// The index of each point's nearest center.
fn nearest_centers(centers: &Array2<f32>, points: ArrayView2<'_, f32>, progress: &Progress) -> Result<Vec<usize>> {
    let task = progress.task(Stage::Cluster, "nearest centers", points.nrows());
    let mut found = vec![0; points.nrows()];
    found.par_chunks_mut(ROWS_AT_A_TIME).enumerate().for_each(|(chunk, found)| {
        if task.is_interrupted() {
            return;
        }
        for (offset, center) in found.iter_mut().enumerate() {
            *center = nearest(centers, points.row(chunk * ROWS_AT_A_TIME + offset));
        }
        task.advance(found.len());
    });
    task.finish()?;
    Ok(found)
}

fn nearest(centers: &Array2<f32>, point: ArrayView1<'_, f32>) -> usize {
    let mut best = (0, f64::INFINITY);
    for (cluster, center) in centers.rows().into_iter().enumerate() {
        let squared = center.iter().zip(point).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>();
        if squared < best.1 {
            best = (cluster, squared);
        }
    }
    best.0
}
