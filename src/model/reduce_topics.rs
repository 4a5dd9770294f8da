//! Which topics are similar enough to be merged.

use std::collections::BTreeMap;

use ndarray::Array2;
use rayon::prelude::*;

use super::NrTopics;
use super::nr_topics::{dense_groups, directions, distances, targets};
use crate::cluster::OUTLIER;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;
use crate::topics::{Distances, Topics, average_linkage, average_linkage_within};

/// What [`reduce_topics`](crate::model::FittedTopicModel::reduce_topics) merges: topics down to a number, those that are
/// dense ([`NrTopics::Auto`]), or those that are [at least so similar](Self::similar); by their mean vectors, or by their
/// [words](Self::use_ctfidf). A number, or [`NrTopics`], stands for [`to`](Self::to).
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["a cat sleeps", "a cat purrs", "a fast train", "a slow train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(4));
/// let topics = model.fit(&posts)?;
/// let by_words = topics.reduce_topics(ReduceTopics::to(2).use_ctfidf(true))?;
/// let labels = by_words.labels();
/// assert!(labels[0] == labels[1] && labels[2] == labels[3] && labels[1] != labels[2]);
/// assert_eq!(topics.reduce_topics(ReduceTopics::similar(1.0))?.topic_ids(), topics.topic_ids());
/// assert_eq!(topics.reduce_topics(ReduceTopics::similar(-1.0))?.topic_ids(), [0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReduceTopics {
    target: Target,
    use_ctfidf: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    Number(NrTopics),
    Similarity(f64),
}

impl From<usize> for ReduceTopics {
    fn from(count: usize) -> Self {
        ReduceTopics::to(count)
    }
}

impl From<NrTopics> for ReduceTopics {
    fn from(nr_topics: NrTopics) -> Self {
        ReduceTopics::to(nr_topics)
    }
}

impl ReduceTopics {
    /// This number of topics, or [`NrTopics::Auto`].
    pub fn to(nr_topics: impl Into<NrTopics>) -> Self {
        ReduceTopics { target: Target::Number(nr_topics.into()), use_ctfidf: false }
    }

    /// As many topics as remain if those with a cosine similarity of at least `similarity`, -1 to 1, are merged (average
    /// linkage: the mean over the pairs of their parts).
    pub fn similar(similarity: f64) -> Self {
        ReduceTopics { target: Target::Similarity(similarity), use_ctfidf: false }
    }

    /// Sets whether topics are compared by their c-TF-IDF instead of their mean vectors. Default false.
    #[must_use]
    pub fn use_ctfidf(mut self, use_ctfidf: bool) -> Self {
        self.use_ctfidf = use_ctfidf;
        self
    }

    pub(super) fn check(self) -> Result<()> {
        match self.target {
            Target::Number(nr_topics) => nr_topics.check(),
            Target::Similarity(similarity) if (-1.0..=1.0).contains(&similarity) => Ok(()),
            Target::Similarity(value) => Err(Error::invalid_parameter(Stage::Topics, "similarity", value, "-1 to 1")),
        }
    }

    /// The requested number of topics.
    pub(super) fn count(self) -> Option<usize> {
        match self.target {
            Target::Number(NrTopics::Count(count)) => Some(count),
            _ => None,
        }
    }

    /// Whether the tree of a clusterer may have an answer.
    pub(super) fn is_by_vectors(self) -> bool {
        !self.use_ctfidf
    }

    /// For each of the topics, the topic that it is merged into, which may be itself. Outliers are left out.
    pub(super) fn targets(self, topics: &Topics, seed: u64, progress: &Progress) -> Result<BTreeMap<i32, i32>> {
        let all = topics.assignment.ids();
        let ids: Vec<i32> = all.iter().copied().filter(|&topic| topic != OUTLIER).collect();
        let terms = &*topics.terms;
        if self.use_ctfidf && terms.vocabulary.is_empty() {
            let message = "topics cannot be compared by c-TF-IDF: the model has counted no words";
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
                .with_hint("Compare their mean vectors: use_ctfidf(false)."));
        }
        let rows: Vec<usize> = (all.len() - ids.len()..all.len()).collect();
        let apart = || match self.use_ctfidf {
            false => distances(&directions(&ids, &topics.centroids), progress),
            true => terms.distances(&rows, progress),
        };
        let groups = match (self.target, self.use_ctfidf) {
            (Target::Number(NrTopics::Count(count)), _) => average_linkage(apart()?, count),
            (Target::Similarity(similarity), _) => average_linkage_within(apart()?, 1.0 - similarity),
            (Target::Number(NrTopics::Auto), false) => {
                dense_groups(&directions(&ids, &topics.centroids), seed, progress)?
            }
            (Target::Number(NrTopics::Auto), true) => {
                dense_groups(&placed(&apart()?, &terms.have_words(&rows), progress)?, seed, progress)?
            }
        };
        Ok(targets(&ids, &groups))
    }
}

/// Points of unit length with these cosine distances, in as many dimensions as points: the Cholesky factor of the cosines.
/// A point that has no direction is at the origin.
fn placed(distances: &Distances, has_direction: &[bool], progress: &Progress) -> Result<Array2<f64>> {
    let n = distances.items();
    let task = progress.task(Stage::Topics, "angles of topics", n);
    let mut factor = vec![0.0; n * n];
    for axis in 0..n {
        if task.is_interrupted() {
            break;
        }
        let (_, rows) = factor.split_at_mut(axis * n);
        let (own, others) = rows.split_at_mut(n);
        let square = if has_direction.get(axis) == Some(&true) { 1.0 } else { 0.0 };
        let pivot = (square - product(&own[..axis], &own[..axis])).max(0.0).sqrt();
        own[axis] = pivot;
        task.advance(1);
        // The point depends on those before, but for rounding: no other has a coordinate of its own there.
        if pivot < 1e-7 {
            continue;
        }
        others.par_chunks_mut(n).with_min_len(64).enumerate().for_each(|(after, row)| {
            let cosine = 1.0 - distances.between(axis, axis + 1 + after);
            row[axis] = (cosine - product(&row[..axis], &own[..axis])) / pivot;
        });
    }
    task.finish()?;
    Ok(Array2::from_shape_vec((n, n), factor).unwrap_or_default())
}

/// The inner product, summed in lanes.
fn product(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (x, y))| *sum += x * y);
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_have_the_distances_that_they_are_placed_by() {
        // Directions in three dimensions, of which later ones depend on the first three; one is the same as another, and
        // one is none.
        let mut points: Vec<[f64; 3]> =
            (0..20).map(|i| [1.0, f64::from(i * i % 7) / 3.0, f64::from(i * 5 % 11) / 5.0]).collect();
        points.push(points[4]);
        let unit = |p: &[f64; 3]| {
            let length = p.iter().map(|x| x * x).sum::<f64>().sqrt();
            p.map(|x| x / length)
        };
        let points: Vec<[f64; 3]> = points.iter().map(unit).collect();
        let cosine = |a: usize, b: usize| match (points.get(a), points.get(b)) {
            (Some(a), Some(b)) => a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>(),
            _ => 0.0,
        };
        let n = points.len() + 1;
        let silent = Progress::silent();
        let fill = |a: usize, row: &mut [f64]| row.iter_mut().enumerate().for_each(|(b, x)| *x = 1.0 - cosine(a, b));
        let distances = Distances::of(n, &silent, fill).unwrap();
        let has_direction: Vec<bool> = (0..n).map(|point| point < points.len()).collect();
        let placed = placed(&distances, &has_direction, &silent).unwrap();
        for a in 0..n {
            for b in 0..=a {
                let found = placed.row(a).dot(&placed.row(b));
                assert!((found - cosine(a, b)).abs() < 1e-6, "{a} {b}: {found} {}", cosine(a, b));
            }
        }
    }
}
