//! The topics of new rows, under the choice of outliers.

use super::nearest::nearest_topics;
use super::{Place, Topics};
use crate::cluster::OUTLIER;
use crate::linalg::vectors::Vectors;

impl Topics {
    /// The topic and the probability of rows at `places`, which have these `vectors`.
    pub(crate) fn admit(&self, places: &[Place], vectors: &Vectors) -> Vec<(i32, f64)> {
        let mut found: Vec<(i32, f64)> = places.iter().map(|&place| self.assignment.at(place)).collect();
        let admission = self.assignment.admission();
        if let Some((least, least_cosine)) = admission.lowest {
            let reader = vectors.reader();
            for (row, place) in places.iter().enumerate() {
                let (topic, strength) = found[row];
                let is_weak = strength < least
                    || strength == least
                        && self.centroids.cosine(topic, reader.row(row)).is_some_and(|x| x < least_cosine);
                if matches!(place, Place::New(..)) && is_weak {
                    found[row] = (OUTLIER, 0.0);
                }
            }
        }
        if let Some(least_cosine) = admission.nearest {
            let is_left_out = |place: &Place| match place {
                Place::New(label, _) => self.assignment.topic_of_label(*label).is_none(),
                Place::Known(_) => false,
            };
            let left_out: Vec<usize> = (0..places.len()).filter(|&row| is_left_out(&places[row])).collect();
            let nearest = vectors.select(&left_out).map(|vectors| nearest_topics(&vectors, &self.centroids));
            for (row, nearest) in left_out.into_iter().zip(nearest.into_iter().flatten()) {
                if let Some(nearest) = nearest.filter(|nearest| nearest.cosine >= least_cosine) {
                    found[row] = (nearest.topic, nearest.share);
                }
            }
        }
        found
    }
}
