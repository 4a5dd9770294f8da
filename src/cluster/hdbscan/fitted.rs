//! A fitted clustering: its results and predictions.

use ndarray::{Array2, ArrayView2};

use super::Hdbscan;
use super::condensed_tree::CondensedTree;
use super::core_distance::core_distances;
use super::index::Index;
use super::labeling::{Labeling, label_points};
use super::outlier_score::outlier_scores;
use super::selection::select_clusters;
use super::single_linkage::{Weights, single_linkage};
use super::spanning_tree::spanning_tree;
use crate::cluster::FittedClusterer;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::finite::check_finite;
use crate::progress::Progress;
use crate::state::State;

/// The maximum number of elements in a membership matrix.
const MAX_MEMBERSHIPS: usize = 1 << 31;

/// The result of [`Hdbscan`]. It owns a copy of the points, which is needed for predictions.
///
/// ```
/// use topicframe::ndarray::{Array2, array};
/// use topicframe::prelude::*;
///
/// // Ten points near 0, and ten near 10.
/// let points = Array2::from_shape_fn((20, 1), |(row, _)| (row / 10 * 10) as f32 + (row % 10) as f32 / 10.0);
/// let fitted = Hdbscan::new().min_cluster_size(6).cluster(points.view(), &Progress::silent())?;
/// assert_eq!(fitted.n_clusters(), 2);
///
/// let (labels, _) = fitted.approximate_predict(array![[0.45], [10.45]].view(), &Progress::silent())?;
/// assert_eq!(labels, [fitted.labels()[0], fitted.labels()[10]]);
/// assert_eq!(fitted.all_points_membership_vectors().dim(), (20, 2));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct FittedHdbscan {
    pub(super) points: Array2<f32>,
    pub(super) index: Index,
    /// The requested value, or the number of other points if that is smaller.
    pub(super) min_samples: usize,
    /// Squared core distances, counting each point as its own first neighbor.
    pub(super) core_with_self: Vec<f64>,
    pub(super) condensed_tree: CondensedTree,
    pub(super) labeling: Labeling,
    pub(super) labels: Vec<i32>,
    pub(super) probabilities: Vec<f64>,
    pub(super) outlier_scores: Vec<f64>,
}

impl FittedHdbscan {
    /// Runs every step on validated points.
    pub(super) fn fit(
        settings: &Hdbscan,
        points: Array2<f32>,
        weights: Weights<'_>,
        progress: &Progress,
    ) -> Result<Self> {
        let rows = points.nrows();
        let min_samples = min_samples_for(settings, rows, progress);
        let index = Index::build(points.view());
        let task = progress.task(Stage::Cluster, "core distances", rows);
        let core = core_distances(&points, &index, min_samples.max(1), &task);
        task.finish()?;
        let task = progress.task(Stage::Cluster, "spanning tree", rows - 1);
        let edges = spanning_tree(&points, &index, &core, settings.alpha, &task);
        task.finish()?;
        let merges = single_linkage(&edges, weights);
        let condensed_tree = CondensedTree::condense(rows, &merges, weights, settings.min_cluster_size);
        let selected = match condensed_tree.nodes[0].size < settings.min_cluster_size {
            true => Vec::new(),
            false => select_clusters(&condensed_tree, settings),
        };
        let labeling = Labeling::new(&condensed_tree, selected, settings);
        let (labels, probabilities) = label_points(&condensed_tree, &labeling);
        let outlier_scores = outlier_scores(&condensed_tree);
        let core_with_self = core.squared_with_self;
        Ok(FittedHdbscan {
            points,
            index,
            min_samples,
            core_with_self,
            condensed_tree,
            labeling,
            labels,
            probabilities,
            outlier_scores,
        })
    }

    /// The cluster of each point, starting at 0; -1 for outliers.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// The membership strength of each point in its cluster, 0 to 1: its lambda as a fraction of the cluster's largest.
    /// 0 for outliers.
    ///
    /// In a cluster with an infinite largest lambda, because some points coincide, those points have strength 1 and all
    /// others 0, as in Python's hdbscan.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The outlier score of each point, 0 to 1, clustered or not: GLOSH (Campello, Moulavi, Zimek and Sander 2015).
    ///
    /// Coinciding points (infinite lambda) have score 0 and other points in their cluster have 1, where Python's
    /// hdbscan returns NaN.
    pub fn outlier_scores(&self) -> &[f64] {
        &self.outlier_scores
    }

    /// The hierarchy from which the clusters were selected.
    pub fn condensed_tree(&self) -> &CondensedTree {
        &self.condensed_tree
    }

    /// The number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.labeling.selected.len()
    }

    /// The label of each of `points` (any number of rows, with the same number of columns as the fitted points) and its
    /// strength, as if the point had been present without changing the clusters. Rows do not influence each other.
    ///
    /// Matches `approximate_predict` of Python's hdbscan, except in two cases. With `allow_single_cluster`, if all
    /// points are one cluster, the condition that fitted points must satisfy also applies to new ones. And a point that
    /// coincides exactly with `min_samples` others has strength 1, not 0.
    ///
    /// # Errors
    /// `InvalidData` if the number of columns differs, or a row contains a NaN or infinite value; `Interrupted`.
    pub fn approximate_predict(
        &self,
        points: ArrayView2<'_, f32>,
        progress: &Progress,
    ) -> Result<(Vec<i32>, Vec<f64>)> {
        self.check_new(points)?;
        let task = progress.task(Stage::Cluster, "prediction", points.nrows());
        let places = self.place_all(points, &task);
        task.finish()?;
        Ok(places.into_iter().unzip())
    }

    /// The membership strength of each of `points` in each cluster: one row per point, one column per label.
    ///
    /// Matches `membership_vector` of Python's hdbscan, except for infinite lambdas, for which hdbscan returns NaN.
    ///
    /// # Errors
    /// `InvalidData` if the number of columns differs, or a row contains a NaN or infinite value.
    pub fn membership_vector(&self, points: ArrayView2<'_, f32>) -> Result<Array2<f64>> {
        self.check_new(points)?;
        Ok(self.memberships_of_new(points))
    }

    fn check_new(&self, points: ArrayView2<'_, f32>) -> Result<()> {
        if points.ncols() != self.points.ncols() {
            let message =
                format!("fitted points have {} columns, new points have {}", self.points.ncols(), points.ncols());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message));
        }
        check_finite(points, Stage::Cluster, "point")
    }
}

impl FittedClusterer for FittedHdbscan {
    fn predict(&self, points: ArrayView2<'_, f32>, progress: &Progress) -> Result<(Vec<i32>, Vec<f64>)> {
        self.approximate_predict(points, progress)
    }

    /// # Errors
    /// `InvalidData` if the matrix would have more than 2³¹ elements (16 GB).
    fn state(&self) -> Option<State<'_>> {
        Some(self.saved())
    }

    fn membership_vectors(&self) -> Result<Option<Array2<f64>>> {
        let (rows, columns) = (self.points.nrows(), self.n_clusters());
        if rows.saturating_mul(columns) > MAX_MEMBERSHIPS {
            let message = format!("membership matrix too large: {rows} points x {columns} clusters");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message)
                .with_hint("Request some rows at a time with FittedHdbscan::membership_vectors_of_rows."));
        }
        Ok(Some(self.all_points_membership_vectors()))
    }

    fn membership_vectors_of(&self, points: &[usize]) -> Result<Option<Array2<f64>>> {
        let exist = points.iter().all(|&point| point < self.points.nrows());
        Ok(exist.then(|| self.memberships_of_points(points)))
    }

    fn membership_vectors_of_new(
        &self,
        points: ArrayView2<'_, f32>,
        progress: &Progress,
    ) -> Result<Option<Array2<f64>>> {
        progress.check(Stage::Cluster)?;
        self.membership_vector(points).map(Some)
    }
}

/// The requested number of samples, or the number of other points if that is smaller.
fn min_samples_for(settings: &Hdbscan, rows: usize, progress: &Progress) -> usize {
    let most = rows - 1;
    // No note about a default, nor for a single point, which has no neighbors anyway.
    if let Some(asked) = settings.min_samples
        && asked > most
        && most > 0
    {
        let message = format!("min_samples = {asked} reduced to {most}: there are only {rows} points");
        progress.note(Stage::Cluster, message);
    }
    settings.min_samples.unwrap_or(settings.min_cluster_size).min(most)
}
