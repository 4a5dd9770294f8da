//! The shares of topics in documents.

use std::sync::Arc;

use ndarray::Array2;
use polars::prelude::*;

use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};

/// The maximum number of elements in an array.
const MAX_ELEMENTS: usize = 1 << 31;

/// The shares of the topics in some rows, as far as they are positive.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SparseShares {
    /// The end of each row's entries.
    ends: Vec<usize>,
    /// The position of the topic.
    topics: Vec<u32>,
    /// The share of each entry; those of a row sum to 1.
    shares: Vec<f64>,
}

impl SparseShares {
    /// Appends a row: `sums` has what was found of each topic.
    pub(crate) fn push(&mut self, sums: &[f64]) {
        let total: f64 = sums.iter().sum();
        if total > 0.0 {
            for (topic, &sum) in (0..).zip(sums).filter(|&(_, &sum)| sum > 0.0) {
                self.topics.push(topic);
                self.shares.push(sum / total);
            }
        }
        self.ends.push(self.topics.len());
    }

    /// Appends the rows of another part.
    pub(super) fn append(&mut self, part: SparseShares) {
        let before = self.topics.len();
        self.ends.extend(part.ends.iter().map(|end| before + end));
        self.topics.extend(part.topics);
        self.shares.extend(part.shares);
    }

    fn row(&self, row: usize) -> (&[u32], &[f64]) {
        let start = row.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let place = start.zip(self.ends.get(row).copied()).map(|(start, end)| start..end);
        let Some(place) = place else { return (&[], &[]) };
        (self.topics.get(place.clone()).unwrap_or_default(), self.shares.get(place).unwrap_or_default())
    }
}

/// The topics that documents are about, with their shares: the result of
/// [`approximate_distribution`](crate::model::FittedTopicModel::approximate_distribution). The shares of a row sum to 1;
/// a row in which nothing resembles any topic has none ([`without_match`](Self::without_match)).
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// let topics = model.fit(&posts)?;
/// let shares = topics.approximate_distribution(&ApproximateDistribution::new())?;
/// assert_eq!(shares.of(1), [(topics.labels()[1], 1.0)]);
/// assert_eq!(shares.to_array()?.dim(), (20, 2));                    // as in BERTopic: rows x topics
/// assert_eq!(shares.to_frame()?.get_column_names(), ["Row", "Topic", "Share"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TopicDistribution {
    topics: Arc<[i32]>,
    shares: SparseShares,
}

impl TopicDistribution {
    pub(crate) fn new(topics: Arc<[i32]>, shares: SparseShares) -> Self {
        TopicDistribution { topics, shares }
    }

    /// The topics, without -1: the columns of [`to_array`](Self::to_array).
    pub fn topics(&self) -> &[i32] {
        &self.topics
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.shares.ends.len()
    }

    /// The topics of a row with their shares, largest first, ties by topic. None for a row without a match, and for a row
    /// that does not exist.
    pub fn of(&self, row: usize) -> Vec<(i32, f64)> {
        let (topics, shares) = self.shares.row(row);
        let entries = topics.iter().zip(shares);
        let mut found: Vec<(i32, f64)> =
            entries.filter_map(|(&topic, &share)| Some((*self.topics.get(topic as usize)?, share))).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found
    }

    /// The rows in which nothing resembles any topic: those without words, or with none that the topics have. A smaller
    /// [`min_similarity`](super::ApproximateDistribution::min_similarity) leaves fewer.
    pub fn without_match(&self) -> Vec<usize> {
        (0..self.rows()).filter(|&row| self.shares.row(row).0.is_empty()).collect()
    }

    /// One row for each topic of each document: `Row` (UInt32, of the frame), `Topic` (Int32) and `Share` (Float64, 0 to
    /// 1), by row, largest share first. A document without a match has one row, with null as topic and share.
    ///
    /// # Errors
    /// None in practice.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let entries = self.shares.topics.len();
        let (mut rows, mut topics) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
        let mut shares = Vec::with_capacity(entries);
        for row in 0..self.rows() {
            let found = self.of(row);
            let none = found.is_empty().then_some((None, None));
            for (topic, share) in found.into_iter().map(|(topic, share)| (Some(topic), Some(share))).chain(none) {
                rows.push(row as u32);
                topics.push(topic);
                shares.push(share);
            }
        }
        let columns = vec![
            Column::new("Row".into(), rows),
            Column::new("Topic".into(), topics),
            Column::new("Share".into(), shares),
        ];
        DataFrame::new(shares_height(&columns), columns).map_err(internal)
    }

    /// The shares of all topics in every row (rows x [`topics`](Self::topics)), as BERTopic returns them. A row without a
    /// match is zero.
    ///
    /// # Errors
    /// The array would have more than 2³¹ elements (16 GB).
    pub fn to_array(&self) -> Result<Array2<f64>> {
        let (rows, topics) = (self.rows(), self.topics.len());
        if rows.saturating_mul(topics) > MAX_ELEMENTS {
            let message = format!("the shares of {topics} topics in {rows} rows are too many for one array");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Topics, message)
                .with_hint("Call to_frame(), which has only the topics that rows are about."));
        }
        let mut array = Array2::zeros((rows, topics));
        for (row, mut of_row) in array.outer_iter_mut().enumerate() {
            let (places, shares) = self.shares.row(row);
            for (&place, &share) in places.iter().zip(shares) {
                if let Some(cell) = of_row.get_mut(place as usize) {
                    *cell = share;
                }
            }
        }
        Ok(array)
    }
}

fn shares_height(columns: &[Column]) -> usize {
    columns.first().map_or(0, Column::len)
}
