//! Which topics are similar enough to be merged.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::NrTopics;
use super::nr_topics::{dense_groups, directions, distance, targets};
use crate::cluster::OUTLIER;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::topics::{Topics, average_linkage, average_linkage_within};

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
    pub(super) fn targets(self, topics: &Topics, seed: u64) -> Result<BTreeMap<i32, i32>> {
        let all = topics.assignment.ids();
        let ids: Vec<i32> = all.iter().copied().filter(|&topic| topic != OUTLIER).collect();
        let directions = match self.use_ctfidf {
            false => directions(&ids, &topics.centroids),
            true if topics.terms.vocabulary.is_empty() => {
                let message = "topics cannot be compared by c-TF-IDF: the model has counted no words";
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
                    .with_hint("Compare their mean vectors: use_ctfidf(false)."));
            }
            true => placed_by_words(&topics.terms.c_tf_idf, all.len() - ids.len()),
        };
        let apart = |a: usize, b: usize| distance(&directions, a, b);
        let groups = match self.target {
            Target::Number(NrTopics::Count(count)) => average_linkage(ids.len(), count, apart),
            Target::Number(NrTopics::Auto) => dense_groups(&directions, seed)?,
            Target::Similarity(similarity) => average_linkage_within(ids.len(), 1.0 - similarity, apart),
        };
        Ok(targets(&ids, &groups))
    }
}

/// Points of unit length with the same angles as the rows of `weights` from row `first` on, in as many dimensions as rows:
/// the Cholesky factor of their cosines. A row without a word is at the origin.
fn placed_by_words(weights: &CsrMatrix<f64>, first: usize) -> Array2<f64> {
    let n = weights.rows().saturating_sub(first);
    let mut factor = Array2::<f64>::zeros((n, n));
    for a in 0..n {
        for b in 0..=a {
            let cosine = weights.cosine(first + a, weights, first + b);
            let known: f64 = (0..b).map(|axis| factor[[a, axis]] * factor[[b, axis]]).sum();
            let rest = cosine - known;
            factor[[a, b]] = match (a == b, factor[[b, b]]) {
                (true, _) => rest.max(0.0).sqrt(),
                // The row depends on earlier ones, but for rounding.
                (false, pivot) if pivot < 1e-7 => 0.0,
                (false, pivot) => rest / pivot,
            };
        }
    }
    factor
}
