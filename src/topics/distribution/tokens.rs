//! The topics of each word of a document.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use polars::prelude::*;

use crate::corpus::internal;
use crate::error::Result;

/// The topics of each word of a document, as the windows tell that it is in: the result of
/// [`token_distributions`](crate::model::FittedTopicModel::token_distributions). A notebook shows the text with its words
/// marked by their topics.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// let topics = model.fit(&posts)?;
/// let new = df!("text" => ["My cat sleeps in the fast train."])?;
/// let settings = ApproximateDistribution::new().window(2);
/// let tokens = topics.token_distributions_of(&new, &[0], &settings)?.remove(0);
/// assert_eq!(tokens.tokens(), ["My", "cat", "sleeps", "in", "the", "fast", "train"]);
/// let cats = topics.labels()[0];
/// assert_eq!((tokens.topic_of(1), tokens.topic_of(6)), (Some(cats), Some(1 - cats)));
/// assert_eq!(tokens.similarities().dim(), (7, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TokenDistribution {
    row: usize,
    text: String,
    places: Vec<Range<usize>>,
    topics: Arc<[i32]>,
    names: Arc<[String]>,
    similarities: Array2<f64>,
}

impl TokenDistribution {
    /// The words of `text` at these places, of which nothing is known yet.
    pub(super) fn new(row: usize, text: String, places: Vec<Range<usize>>, topics: usize) -> Self {
        let similarities = Array2::zeros((places.len(), topics));
        TokenDistribution { row, text, places, topics: Arc::default(), names: Arc::default(), similarities }
    }

    /// The same, with the topics and their names.
    pub(crate) fn of_topics(self, topics: &Arc<[i32]>, names: &Arc<[String]>) -> Self {
        TokenDistribution { topics: Arc::clone(topics), names: Arc::clone(names), ..self }
    }

    /// Adds the similarities of a window to topics (by their position) to each of its words.
    pub(super) fn add(&mut self, window: Range<usize>, similarities: impl Iterator<Item = (usize, f64)> + Clone) {
        for mut row in self.similarities.outer_iter_mut().skip(window.start).take(window.len()) {
            for (topic, similarity) in similarities.clone() {
                if let Some(sum) = row.get_mut(topic) {
                    *sum += similarity;
                }
            }
        }
    }

    /// The row of the document.
    pub fn row(&self) -> usize {
        self.row
    }

    /// The text as words are counted in it: without what is not counted as words, and in a single Unicode form.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place of each word in [`text`](Self::text), in bytes. In scripts without spaces, words may overlap.
    pub fn places(&self) -> &[Range<usize>] {
        &self.places
    }

    /// The words, including stop words.
    pub fn tokens(&self) -> Vec<&str> {
        self.places.iter().map(|place| self.text.get(place.clone()).unwrap_or_default()).collect()
    }

    /// The topics, without -1: the columns of [`similarities`](Self::similarities).
    pub fn topics(&self) -> &[i32] {
        &self.topics
    }

    /// The names of the topics.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// For each word (row) and topic (column), the sum of the similarities of the windows that the word is in, as far as
    /// they count, as in BERTopic: 0 to [`window`](super::ApproximateDistribution::window).
    pub fn similarities(&self) -> ArrayView2<'_, f64> {
        self.similarities.view()
    }

    /// The topic with the largest similarity to a word, ties by topic; `None` if there is none.
    pub fn topic_of(&self, token: usize) -> Option<i32> {
        self.best(token).and_then(|(topic, _)| self.topics.get(topic).copied())
    }

    /// The position of the best topic of a word, and the similarity.
    pub(crate) fn best(&self, token: usize) -> Option<(usize, f64)> {
        let of_token = (token < self.similarities.nrows()).then(|| self.similarities.row(token))?;
        let best = of_token.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        best.filter(|&(_, similarity)| similarity > 0.0)
    }

    /// The topics of the document with their shares in all similarities of words, largest first, ties by topic.
    pub fn shares(&self) -> Vec<(i32, f64)> {
        let sums = self.similarities.sum_axis(ndarray::Axis(0));
        let total: f64 = sums.iter().sum();
        let found = self.topics.iter().zip(&sums).filter(|&(_, &sum)| sum > 0.0);
        let mut found: Vec<(i32, f64)> = found.map(|(&topic, sum)| (topic, sum / total)).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found
    }

    /// One row for each topic of each word: `Row` (UInt32), `Token` (UInt32, from 0), `Word` (String), `Topic` (Int32) and
    /// `Similarity` (Float64), by word, then by topic. A word without a match has one row, with null as topic and
    /// similarity.
    ///
    /// # Errors
    /// None in practice.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let (mut tokens, mut words, mut topics, mut similarities) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let rows = self.similarities.outer_iter().zip(self.tokens());
        for (token, (of_token, word)) in rows.enumerate() {
            let matches = self.topics.iter().zip(of_token).filter(|&(_, &similarity)| similarity > 0.0);
            let mut found: Vec<(Option<i32>, Option<f64>)> =
                matches.map(|(&topic, &similarity)| (Some(topic), Some(similarity))).collect();
            if found.is_empty() {
                found.push((None, None));
            }
            for (topic, similarity) in found {
                tokens.push(token as u32);
                words.push(word);
                topics.push(topic);
                similarities.push(similarity);
            }
        }
        let columns = vec![
            Column::new("Row".into(), vec![self.row as u32; tokens.len()]),
            Column::new("Token".into(), &tokens),
            Column::new("Word".into(), words),
            Column::new("Topic".into(), topics),
            Column::new("Similarity".into(), similarities),
        ];
        DataFrame::new(tokens.len(), columns).map_err(internal)
    }
}
