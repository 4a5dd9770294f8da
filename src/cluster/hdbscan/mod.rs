//! HDBSCAN*: hierarchical density-based clustering (Campello, Moulavi and Sander 2013), fast on many points in few
//! dimensions (McInnes and Healy 2017).
//!
//! The steps, each a file: core distances, the minimum spanning tree of mutual reachability (by Borůvka's algorithm over
//! a k-d tree in few dimensions, by Prim's in many), its single-linkage hierarchy, the condensed tree, the selection of
//! clusters and the labels that follow; then outlier scores, prediction of new points and soft membership.
//!
//! Checked against Python's hdbscan 0.8.44, whose names and defaults these are. Like it, a core distance is the distance
//! to the `min_samples`-th *other* point. Unlike it, the spanning tree is always exact and the order of equal edges is
//! defined, so the same points give the same clusters on any number of threads. Where the weights of edges are equal
//! (identical points; a point whose core distance reaches into two clusters), which side a point falls to is a
//! convention; hdbscan leaves it to the order of an unstable sort, so such points may differ from it.

use std::sync::Arc;

use ndarray::ArrayView2;

use crate::cluster::{Clusterer, Clustering, check_places};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;

mod boruvka;
mod condensed_tree;
mod core_distance;
mod fitted;
mod index;
mod kd_tree;
mod labelling;
mod membership;
mod nearest;
mod outlier_score;
mod prediction;
mod selection;
mod single_linkage;
mod spanning_tree;

pub use condensed_tree::{CondensedRow, CondensedTree};
pub use fitted::FittedHdbscan;

use single_linkage::Weights;

/// How clusters are selected from the condensed tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ClusterSelectionMethod {
    /// Excess of mass: the clusters that persist longest, large or small.
    #[default]
    Eom,
    /// The leaves of the tree: many small clusters of similar size.
    Leaf,
}

/// Settings of HDBSCAN*. The distance is euclidean.
#[derive(Debug, Clone, PartialEq)]
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
    /// The defaults of each setting below.
    pub fn new() -> Self {
        Hdbscan::default()
    }

    /// The fewest points of a cluster, at least 2 (default 10, as BERTopic has it).
    #[must_use]
    pub fn min_cluster_size(mut self, min_cluster_size: usize) -> Self {
        self.min_cluster_size = min_cluster_size;
        self
    }

    /// How many other points a dense neighborhood has, at least 1; more makes more points outliers. The default is
    /// `min_cluster_size`. With fewer points than that, as many as there are.
    #[must_use]
    pub fn min_samples(mut self, min_samples: usize) -> Self {
        self.min_samples = Some(min_samples);
        self
    }

    /// Divides distances before they are compared with core distances, as in robust single linkage; above 0
    /// (default 1).
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// How clusters are selected from the condensed tree (default [`ClusterSelectionMethod::Eom`]).
    #[must_use]
    pub fn cluster_selection_method(mut self, cluster_selection_method: ClusterSelectionMethod) -> Self {
        self.cluster_selection_method = cluster_selection_method;
        self
    }

    /// Clusters that split at a smaller distance than this stay together (Malzer and Baum 2020); at least 0
    /// (default 0: no such limit).
    #[must_use]
    pub fn cluster_selection_epsilon(mut self, cluster_selection_epsilon: f64) -> Self {
        self.cluster_selection_epsilon = cluster_selection_epsilon;
        self
    }

    /// Larger clusters are split where excess of mass would keep them; 0 (default) for no limit.
    /// `cluster_selection_epsilon` may still join clusters into a larger one.
    #[must_use]
    pub fn max_cluster_size(mut self, max_cluster_size: usize) -> Self {
        self.max_cluster_size = max_cluster_size;
        self
    }

    /// Whether all points may be one cluster (default false).
    #[must_use]
    pub fn allow_single_cluster(mut self, allow_single_cluster: bool) -> Self {
        self.allow_single_cluster = allow_single_cluster;
        self
    }

    /// Clusters `points` (at least one row and one column, all finite) and keeps everything that was found.
    /// [`fit`](Clusterer::fit) is the same behind the trait.
    ///
    /// With fewer rows than `min_cluster_size` all points are outliers.
    ///
    /// # Errors
    /// `InvalidParameter` as [`check`](Clusterer::check) says; `InvalidData` if there are no rows or no columns, or a
    /// row has a NaN or an infinity.
    pub fn cluster(&self, points: ArrayView2<'_, f32>, progress: &Progress) -> Result<FittedHdbscan> {
        self.cluster_weighted(points, &[], progress)
    }

    /// As [`cluster`](Self::cluster), for points that stand for several equal ones: `weights` says how many, 1 or more
    /// each; none at all are 1 each.
    ///
    /// `min_cluster_size`, `max_cluster_size` and the sizes in the condensed tree count what points stand for. How dense
    /// a region is (`min_samples`) and how stable a cluster, the points alone say: copies change nothing there. Given
    /// to `cluster` as so many equal points instead, they are denser than all others: they split off first, and all
    /// other points can end up in one cluster. A part of the tree with fewer than `min_cluster_size` points that stand for as many or
    /// more is a cluster where no other holds it; it does not end the one that it leaves.
    ///
    /// # Errors
    /// As `cluster`; `InvalidData` if there are weights, and not one for each point, or one of 0.
    pub fn cluster_weighted(
        &self,
        points: ArrayView2<'_, f32>,
        weights: &[u32],
        progress: &Progress,
    ) -> Result<FittedHdbscan> {
        self.check()?;
        let (rows, columns) = points.dim();
        if rows == 0 || columns == 0 || rows > (u32::MAX / 2) as usize {
            let message = format!("{rows} points with {columns} columns cannot be clustered");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message));
        }
        check_points(points)?;
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
        () if total > u64::from(u32::MAX) => format!("the points stand for {total} rows, and 2^32 - 1 are the most"),
        () => return Ok(()),
    };
    Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message))
}

/// Every value must be finite.
fn check_points(points: ArrayView2<'_, f32>) -> Result<()> {
    match points.rows().into_iter().position(|row| row.iter().any(|value| !value.is_finite())) {
        Some(row) => {
            Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, "a point has a NaN or an infinity").row(row))
        }
        None => Ok(()),
    }
}

impl Clusterer for Hdbscan {
    fn check(&self) -> Result<()> {
        let bad =
            |name: &str, value: String, allowed: &str| Err(Error::parameter(Stage::Cluster, name, value, allowed));
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

    /// Twice `min_cluster_size`, since one cluster alone is not selected; `min_cluster_size` if it may be.
    fn min_rows(&self) -> usize {
        if self.allow_single_cluster { self.min_cluster_size } else { self.min_cluster_size.saturating_mul(2) }
    }

    /// The seed has no influence.
    fn fit(&self, points: ArrayView2<'_, f32>, _seed: u64, progress: &Progress) -> Result<Clustering> {
        let model = self.cluster(points, progress)?;
        Ok(Clustering {
            labels: model.labels().to_vec(),
            probabilities: model.probabilities().to_vec(),
            model: Arc::new(model),
        })
    }

    /// Each point once, with the number of its rows as its [weight](Hdbscan::cluster_weighted).
    fn fit_copies(
        &self,
        points: ArrayView2<'_, f32>,
        places: &[u32],
        _seed: u64,
        progress: &Progress,
    ) -> Result<Clustering> {
        check_places(points, places)?;
        let mut weights = vec![0; points.nrows()];
        places.iter().for_each(|&place| weights[place as usize] += 1);
        let model = self.cluster_weighted(points, &weights, progress)?;
        Ok(Clustering {
            labels: places.iter().map(|&place| model.labels()[place as usize]).collect(),
            probabilities: places.iter().map(|&place| model.probabilities()[place as usize]).collect(),
            model: Arc::new(model),
        })
    }
}
