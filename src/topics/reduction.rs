//! Reducing outliers: moving outliers to the topics that match them best.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use super::choice::{Candidate, by_strength};
use super::nearest::{Nearest, nearest_topics};
use super::{Assignment, Centroids, ClusteredRows, TopicTerms};
use crate::cluster::OUTLIER;
use crate::corpus::DistinctRows;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::progress::Progress;

/// How well an outlier matches a topic.
///
/// | value | as text | measure, 0 to 1 |
/// |---|---|---|
/// | [`Probabilities`](Self::Probabilities) | `probabilities` | the largest membership that the clusterer tells ([`Hdbscan`](crate::cluster::Hdbscan), [`Communities`](crate::cluster::Communities)) |
/// | [`CTfIdf`](Self::CTfIdf) | `c-tf-idf` | the cosine of the text's c-TF-IDF to the topic's |
/// | [`Distributions`](Self::Distributions) | `distributions` | the largest share in the row's [approximate distribution](crate::model::FittedTopicModel::approximate_distribution) over topics, with its defaults: BERTopic's default. Reads the texts of outliers |
/// | [`Embeddings`](Self::Embeddings) | `embeddings` | the cosine of the row's vector to the topic's mean vector |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutlierStrategy {
    /// The largest membership.
    Probabilities,
    /// The share of the row's text that is about the topic.
    Distributions,
    /// The similarity of words.
    CTfIdf,
    /// The similarity of vectors.
    Embeddings,
}

const STRATEGIES: &str = "probabilities, distributions, c-tf-idf or embeddings";

impl FromStr for OutlierStrategy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "probabilities" => Ok(OutlierStrategy::Probabilities),
            "distributions" => Ok(OutlierStrategy::Distributions),
            "c-tf-idf" => Ok(OutlierStrategy::CTfIdf),
            "embeddings" => Ok(OutlierStrategy::Embeddings),
            _ => Err(Error::invalid_parameter(Stage::Topics, "strategy", text, STRATEGIES)),
        }
    }
}

impl fmt::Display for OutlierStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OutlierStrategy::Probabilities => "probabilities",
            OutlierStrategy::Distributions => "distributions",
            OutlierStrategy::CTfIdf => "c-tf-idf",
            OutlierStrategy::Embeddings => "embeddings",
        })
    }
}

/// Which outliers [`reduce_outliers`](crate::model::FittedTopicModel::reduce_outliers) moves: those that match a topic at
/// least as well as the [`threshold`](Self::threshold), or only so many of them, the best first, that no more than a
/// share of the rows [remain](Self::max_outliers). A strategy alone moves all that match a topic at all.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "a cat purrs", "a fast train", "a slow train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// let topics = model.outliers(0.25).fit(&posts)?;
/// assert_eq!(topics.summary().outliers, 10);
///
/// let fewer = topics.reduce_outliers(ReduceOutliers::new(OutlierStrategy::Embeddings).max_outliers(0.1))?;
/// assert!(fewer.summary().outliers <= 4);               // copies of a text move together
/// let none = topics.reduce_outliers(ReduceOutliers::new(OutlierStrategy::CTfIdf).threshold(0.1))?;
/// assert_eq!(none.summary().outliers, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReduceOutliers {
    strategy: OutlierStrategy,
    threshold: f64,
    max_outliers: Option<f64>,
}

impl From<OutlierStrategy> for ReduceOutliers {
    fn from(strategy: OutlierStrategy) -> Self {
        ReduceOutliers::new(strategy)
    }
}

impl ReduceOutliers {
    /// All outliers that match a topic by this strategy.
    pub fn new(strategy: OutlierStrategy) -> Self {
        ReduceOutliers { strategy, threshold: 0.0, max_outliers: None }
    }

    /// Sets the least match with which an outlier is moved, 0 to 1. Default 0: any match above 0.
    #[must_use]
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Sets the share of the rows that have a vector, 0 to 1, that may remain outliers: the best matches are moved until
    /// no more remain, and the others stay. Copies of a row move together. If too few match, more remain. Default: all that match are moved.
    #[must_use]
    pub fn max_outliers(mut self, share: f64) -> Self {
        self.max_outliers = Some(share);
        self
    }

    /// Of this number of rows with a vector, how many may remain outliers.
    pub(crate) fn target(&self, rows: usize) -> Option<usize> {
        self.max_outliers.map(|share| (share * rows as f64 + 1e-9).floor() as usize)
    }

    /// Checks that numbers are from 0 to 1.
    pub(crate) fn check(&self) -> Result<()> {
        let refused = |name: &str, value: f64| Err(Error::invalid_parameter(Stage::Topics, name, value, "0 to 1"));
        match (self.threshold, self.max_outliers) {
            (threshold, _) if !(0.0..=1.0).contains(&threshold) => refused("threshold", threshold),
            (_, Some(share)) if !(0.0..=1.0).contains(&share) => refused("max_outliers", share),
            _ => Ok(()),
        }
    }
}

impl Assignment {
    /// The topics with fewer outliers; `None` if none is moved. `distributions` returns for some rows the topic with the
    /// largest share of their text, and that share.
    ///
    /// # Errors
    /// The strategy does not apply to this model.
    pub(crate) fn with_reduced_outliers(
        &self,
        how: &ReduceOutliers,
        clustered: &ClusteredRows<'_>,
        terms: &TopicTerms,
        centroids: &Centroids,
        distributions: impl FnOnce(&[usize]) -> Result<Vec<Option<(i32, f64)>>>,
    ) -> Result<Option<Self>> {
        let left_out: Vec<usize> = clustered.rows.iter().copied().filter(|&row| self.topics[row] == OUTLIER).collect();
        let most = left_out.len().saturating_sub(how.target(clustered.rows.len()).unwrap_or(0));
        if most == 0 || self.topic_count() == 0 {
            return Ok(None);
        }
        let mut matches = match how.strategy {
            OutlierStrategy::Probabilities => self.told(clustered)?,
            OutlierStrategy::Distributions => {
                let near = clustered.near(&left_out, centroids)?;
                let found = distributions(&rows_of(&near))?;
                matched(near, found)
            }
            OutlierStrategy::CTfIdf => {
                by_words(clustered.near(&left_out, centroids)?, terms, &self.ids(), clustered.progress)?
            }
            OutlierStrategy::Embeddings => clustered.near(&left_out, centroids)?,
        };
        let mut cosines: Vec<f64> = matches.iter().map(|row| row.cosine).collect();
        matches.retain(|row| row.strength > 0.0 && row.strength >= how.threshold);
        matches.sort_unstable_by(by_strength);
        let are_enough = matches.len() > most;
        let others = matches.split_off(most.min(matches.len()));
        // Copies stay together.
        let places: HashSet<u32> = matches.iter().map(|row| row.place).collect();
        matches.extend(others.into_iter().filter(|row| places.contains(&row.place)));
        let Some(weakest) = matches.last() else { return Ok(None) };
        let nearest = match how.strategy {
            // The rule applies to new rows as it is.
            OutlierStrategy::Embeddings if !are_enough => how.threshold.max(f64::MIN_POSITIVE),
            OutlierStrategy::Embeddings => weakest.cosine,
            // As large a part of new rows is taken in: their vectors are known, but neither words nor memberships.
            OutlierStrategy::CTfIdf | OutlierStrategy::Distributions | OutlierStrategy::Probabilities => {
                cosines.sort_unstable_by(|a, b| b.total_cmp(a));
                cosines.get(matches.len() - 1).copied().unwrap_or(f64::INFINITY)
            }
        };
        let taken: Vec<(usize, i32, f64)> = matches.iter().map(|row| (row.row, row.topic, row.strength)).collect();
        Ok(Some(self.with_taken_in(&taken, nearest)))
    }

    /// The topics that a person gave to the rows: `groups`, as in [`regrouped`](Assignment::regrouped). Rows that were
    /// moved are in their topics for certain, and a choice of outliers starts from where they were put.
    pub(crate) fn by_hand(&self, edit: &str, groups: &[i32], clustered: &ClusteredRows<'_>) -> Result<Self> {
        let after = self.regrouped_by_hand(edit, groups, clustered.vectors);
        let was_out = |row: &usize| self.topics.get(*row) == Some(&OUTLIER);
        let left_out: Vec<usize> = clustered.rows.iter().copied().filter(was_out).collect();
        let taken: Vec<(usize, i32, f64)> = (left_out.iter())
            .filter_map(|&row| Some((row, *after.topics.get(row)?, 1.0)))
            .filter(|&(_, topic, _)| topic != OUTLIER)
            .collect();
        if taken.is_empty() {
            return Ok(after);
        }
        let centroids = Centroids::of(&after.topics, clustered.vectors);
        let mut cosines: Vec<f64> = clustered.near(&left_out, &centroids)?.iter().map(|row| row.cosine).collect();
        cosines.sort_unstable_by(|a, b| b.total_cmp(a));
        let nearest = cosines.get(taken.len() - 1).copied().unwrap_or(f64::NEG_INFINITY);
        Ok(after.with_taken_in(&taken, nearest))
    }

    /// The outliers with their largest membership.
    fn told(&self, clustered: &ClusteredRows<'_>) -> Result<Vec<Candidate>> {
        let mut matches = clustered.left_out(self)?;
        matches.retain(|row| row.is_told);
        let tells = || -> Result<bool> {
            let model = clustered.clusterer;
            Ok(model.membership_vectors_of(&[])?.is_some() || model.membership_vectors()?.is_some())
        };
        if matches.is_empty() && self.runners_up.is_none() && !tells()? {
            let message = "the clusterer does not tell how much outliers belong to topics";
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message).with_hint(
                Hint::new("Use OutlierStrategy::Embeddings or OutlierStrategy::CTfIdf.")
                    .on_command_line("Use the strategy embeddings or c-tf-idf."),
            ));
        }
        Ok(matches)
    }
}

impl ClusteredRows<'_> {
    /// Each of `rows` (ascending) with the topic that has the nearest mean vector, as strongly as their cosine.
    fn near(&self, rows: &[usize], centroids: &Centroids) -> Result<Vec<Candidate>> {
        let distinct = DistinctRows::of(self.vectors, rows);
        let nearest = nearest_topics(&self.vectors.of_rows(rows)?, centroids, self.progress)?;
        let candidate = |((&row, &place), nearest): ((&usize, &u32), Option<Nearest>)| {
            let Nearest { topic, cosine, .. } = nearest?;
            Some(Candidate { row, place, topic, strength: cosine.clamp(0.0, 1.0), cosine, is_told: false })
        };
        Ok(rows.iter().zip(&distinct.places).zip(nearest).filter_map(candidate).collect())
    }
}

/// The rows `near` topics with the topic whose c-TF-IDF has the largest cosine to that of their words.
fn by_words(near: Vec<Candidate>, terms: &TopicTerms, ids: &[i32], progress: &Progress) -> Result<Vec<Candidate>> {
    if terms.vocabulary.is_empty() {
        let message = "outliers cannot be compared with topics by c-TF-IDF: the model has counted no words";
        return Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
            .with_hint(Hint::new("Use OutlierStrategy::Embeddings.").on_command_line("Use the strategy embeddings.")));
    }
    let found = terms.best_topics(&rows_of(&near), ids, progress)?;
    Ok(matched(near, found))
}

fn rows_of(rows: &[Candidate]) -> Vec<usize> {
    rows.iter().map(|row| row.row).collect()
}

/// The rows with the topics that were found for them, if any.
fn matched(rows: Vec<Candidate>, found: Vec<Option<(i32, f64)>>) -> Vec<Candidate> {
    let candidate = |(row, found): (Candidate, Option<(i32, f64)>)| match found {
        Some((topic, strength)) => Candidate { topic, strength: strength.clamp(0.0, 1.0), ..row },
        None => Candidate { strength: 0.0, ..row },
    };
    rows.into_iter().zip(found).map(candidate).collect()
}
