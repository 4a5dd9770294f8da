//! The topics of new rows, under the choice of outliers.

use super::nearest::nearest_topics;
use super::{Place, Topics};
use crate::cluster::OUTLIER;
use crate::error::Result;
use crate::linalg::vectors::Vectors;
use crate::progress::Progress;

impl Topics {
    /// The topic and the probability of rows at `places`, which have these `vectors`.
    ///
    /// # Errors
    /// Interrupted.
    pub(crate) fn admit(&self, places: &[Place], vectors: &Vectors, progress: &Progress) -> Result<Vec<(i32, f64)>> {
        let reader = vectors.reader();
        let admission = self.assignment.admission();
        let is_weak = |topic: i32, strength: f64, vector: &[f32]| {
            topic != OUTLIER
                && admission.lowest.is_some_and(|(least, least_cosine)| {
                    strength < least
                        || strength == least && self.centroids.cosine(topic, vector).is_some_and(|x| x < least_cosine)
                })
        };
        let place = |(row, &place): (usize, &Place)| {
            let vector = reader.row(row);
            let found = self.assignment.at(place, vector);
            found.filter(|&(topic, strength)| matches!(place, Place::Known(_)) || !is_weak(topic, strength, vector))
        };
        let placed: Vec<Option<(i32, f64)>> = places.iter().enumerate().map(place).collect();
        // Rows of the fit, and those of a model of another program, may have strengths as outliers, too.
        let is_imported = self.assignment.probabilities.is_empty();
        let kept = |(place, placed): (&Place, &Option<(i32, f64)>)| {
            let is_kept = |topic| topic != OUTLIER || is_imported || matches!(place, Place::Known(_));
            placed.filter(|&(topic, _)| is_kept(topic)).unwrap_or((OUTLIER, 0.0))
        };
        let mut found: Vec<(i32, f64)> = places.iter().zip(&placed).map(kept).collect();
        if let Some(least_cosine) = admission.nearest {
            let left_out: Vec<usize> = (0..places.len()).filter(|&row| placed[row].is_none()).collect();
            let nearest = match vectors.select(&left_out) {
                Some(vectors) => nearest_topics(&vectors, &self.centroids, progress)?,
                None => Vec::new(),
            };
            for (row, nearest) in left_out.into_iter().zip(nearest) {
                if let Some(nearest) = nearest.filter(|nearest| nearest.cosine >= least_cosine) {
                    found[row] = (nearest.topic, nearest.share);
                }
            }
        }
        Ok(found)
    }
}
