//! Placing new rows by centroids alone, for models whose clusterer was not saved.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use super::{FittedClusterer, OUTLIER};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::finite::check_finite;
use crate::linalg::vectors::{cosine, dot, norm};
use crate::progress::Progress;
use crate::state::State;

/// The mean vector of some clusters: a point belongs to the one with the largest cosine, with that cosine as its
/// strength (0 if it is negative), ties by position.
#[derive(Debug)]
pub(crate) struct NearestCentroid {
    labels: Vec<i32>,
    centroids: Array2<f32>,
    /// Whether a point belongs to a cluster even if no cosine is positive.
    always: bool,
}

impl NearestCentroid {
    /// From the label of each cluster and its mean, all of `dimensions` values.
    pub(crate) fn new<'a>(clusters: impl Iterator<Item = (i32, &'a [f32])>, dimensions: usize) -> Self {
        let (mut labels, mut values) = (Vec::new(), Vec::new());
        for (label, mean) in clusters.filter(|(_, mean)| mean.len() == dimensions) {
            labels.push(label);
            values.extend_from_slice(mean);
        }
        let centroids = Array2::from_shape_vec((labels.len(), dimensions), values);
        let centroids = centroids.unwrap_or_else(|_| Array2::zeros((0, dimensions)));
        NearestCentroid { centroids, labels, always: false }
    }

    /// The same clusters; a point belongs to one of them even if no cosine is positive.
    pub(crate) fn always(self) -> Self {
        NearestCentroid { always: true, ..self }
    }
}

/// The centroids of a state.
pub(super) fn from_state(mut state: State<'_>) -> Result<Arc<dyn FittedClusterer>> {
    let centroids = state.take_matrix::<f32>("centroids")?;
    let labels = state.take_exactly::<i32>("labels", centroids.nrows())?;
    let always = state.setting::<Option<bool>>("always")?.unwrap_or(false);
    match labels.iter().all(|&label| label >= 0) && centroids.iter().all(|x| x.is_finite()) {
        true => Ok(Arc::new(NearestCentroid { labels, centroids, always })),
        false => Err(state.out_of_range("centroids")),
    }
}

impl FittedClusterer for NearestCentroid {
    fn predict(&self, points: ArrayView2<'_, f32>, _progress: &Progress) -> Result<(Vec<i32>, Vec<f64>)> {
        if points.ncols() != self.centroids.ncols() {
            let message =
                format!("fitted points have {} columns, new points have {}", self.centroids.ncols(), points.ncols());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message));
        }
        check_finite(points, Stage::Cluster, "point")?;
        let centroids: Vec<(&[f32], f64)> = self
            .centroids
            .outer_iter()
            .filter_map(|row| row.to_slice())
            .map(|mean| (mean, norm(mean.iter().copied())))
            .collect();
        let place = |point: Vec<f32>| {
            let length = norm(point.iter().copied());
            let mut best = (OUTLIER, if self.always { f64::NEG_INFINITY } else { 0.0 });
            for (&(mean, of_mean), &label) in centroids.iter().zip(&self.labels) {
                let cosine = cosine(dot(&point, mean), length, of_mean);
                if cosine > best.1 {
                    best = (label, cosine);
                }
            }
            (best.0, best.1.max(0.0))
        };
        Ok(points.outer_iter().map(|point| place(point.to_vec())).unzip())
    }

    fn state(&self) -> Option<State<'_>> {
        let state = State::new("centroids");
        let state = if self.always { state.with_setting("always", true) } else { state };
        Some(state.with_matrix("centroids", self.centroids.view()).with_values("labels", &self.labels))
    }
}
