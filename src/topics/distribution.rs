//! Which topics a document is about, besides its own: BERTopic's approximate distribution.
//!
//! Windows of consecutive words are compared with the topics, by the words' weights (`term_windows`) or by embeddings
//! (`text_windows`). What a document's windows have in common with a topic is its share.

use std::ops::Range;

use crate::error::{Error, Result, Stage};

mod shares;
mod term_windows;
mod text_windows;
mod tokens;

pub(crate) use shares::SparseShares;
pub use shares::TopicDistribution;
pub(crate) use term_windows::TermWindows;
pub(crate) use text_windows::{TextWindows, similarities};
pub use tokens::TokenDistribution;

/// How the topics of a document's parts are found: settings of
/// [`approximate_distribution`](crate::model::FittedTopicModel::approximate_distribution), with BERTopic's names and
/// defaults.
///
/// | setting | default | |
/// |---|---|---|
/// | [`window`](Self::window) | 4 | words that are compared with the topics together |
/// | [`stride`](Self::stride) | 1 | words between the starts of two windows |
/// | [`min_similarity`](Self::min_similarity) | 0.1 | lower similarities count as none |
/// | [`padding`](Self::padding) | no | shorter windows at the beginning and the end of a document |
/// | [`use_embedding_model`](Self::use_embedding_model) | no | compares embeddings instead of words |
///
/// BERTopic's `batch_size` has no counterpart: memory is bounded anyway, and results do not depend on batches.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// let topics = model.fit(&posts)?;
/// let new = df!("text" => ["the cat sleeps in a fast train"])?;
/// let shares = topics.approximate_distribution_of(&new, &ApproximateDistribution::new().window(2))?;
/// assert_eq!(shares.of(0).len(), 2);                                // both topics
/// assert!((shares.of(0)[0].1 + shares.of(0)[1].1 - 1.0).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ApproximateDistribution {
    window: usize,
    stride: usize,
    min_similarity: f64,
    padding: bool,
    use_embedding_model: bool,
}

impl Default for ApproximateDistribution {
    fn default() -> Self {
        ApproximateDistribution::new()
    }
}

impl ApproximateDistribution {
    /// Windows of four words, one after each word.
    pub fn new() -> Self {
        ApproximateDistribution {
            window: 4,
            stride: 1,
            min_similarity: 0.1,
            padding: false,
            use_embedding_model: false,
        }
    }

    /// The number of words in a window, at least 1, including stop words. Default: 4. A document with fewer words is one
    /// window.
    #[must_use]
    pub fn window(mut self, window: usize) -> Self {
        self.window = window;
        self
    }

    /// The number of words from the start of a window to the start of the next, at least 1. Default: 1. With more, the
    /// work is less, and words at the end of a document may be in no window.
    #[must_use]
    pub fn stride(mut self, stride: usize) -> Self {
        self.stride = stride;
        self
    }

    /// The similarity (cosine) from which a window belongs to a topic, 0 to 1. Default: 0.1. The higher, the fewer topics
    /// does a document have, and the more documents have none.
    #[must_use]
    pub fn min_similarity(mut self, min_similarity: f64) -> Self {
        self.min_similarity = min_similarity;
        self
    }

    /// Whether there are also shorter windows, at the beginning and the end of a document, so that its first and last
    /// words are in as many windows as the others. Default: false.
    #[must_use]
    pub fn padding(mut self, padding: bool) -> Self {
        self.padding = padding;
        self
    }

    /// Whether windows are embedded, and compared with the topics' mean vectors, instead of their words with the topics'
    /// words. Default: false. It also finds topics by words that the model does not know, but every window is embedded,
    /// which is slow, and embeddings are less different from each other: raise
    /// [`min_similarity`](Self::min_similarity).
    #[must_use]
    pub fn use_embedding_model(mut self, use_embedding_model: bool) -> Self {
        self.use_embedding_model = use_embedding_model;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// The window or the stride is 0, or the similarity is not from 0 to 1.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [("window", self.window), ("stride", self.stride)] {
            if value == 0 {
                return Err(Error::invalid_parameter(Stage::Topics, name, value, "at least 1"));
            }
        }
        match (0.0..=1.0).contains(&self.min_similarity) {
            true => Ok(()),
            false => {
                let name = "min_similarity";
                Err(Error::invalid_parameter(Stage::Topics, name, self.min_similarity, "a number from 0 to 1"))
            }
        }
    }

    /// Whether windows are compared by embeddings.
    pub(crate) fn is_by_embeddings(&self) -> bool {
        self.use_embedding_model
    }

    /// The windows of a document of `words` words, by ascending start. An empty document has one, which is empty.
    fn windows(&self, words: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (window, stride, padding) = (self.window.max(1), self.stride.max(1), self.padding);
        let is_short = words < window;
        let shorter_first = if padding && !is_short { window.div_ceil(stride) - 1 } else { 0 };
        let first = (0..shorter_first).map(move |at| 0..window - (shorter_first - at) * stride);
        let whole = is_short.then_some(0..words);
        let starts = if is_short { 0..0 } else { 0..words };
        let others = starts.step_by(stride).map(move |start| start..start.saturating_add(window).min(words));
        let others = others.filter(move |place| padding || place.len() == window);
        whole.into_iter().chain(first).chain(others)
    }

    /// The similarities that count.
    fn counted(&self, similarity: f64) -> f64 {
        if similarity >= self.min_similarity { similarity } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(settings: ApproximateDistribution, words: usize) -> Vec<(usize, usize)> {
        settings.windows(words).map(|window| (window.start, window.end)).collect()
    }

    #[test]
    fn windows_are_those_of_bertopic() {
        let settings = ApproximateDistribution::new();
        assert_eq!(windows(settings, 0), [(0, 0)]);
        assert_eq!(windows(settings, 3), [(0, 3)]);
        assert_eq!(windows(settings, 4), [(0, 4)]);
        assert_eq!(windows(settings, 6), [(0, 4), (1, 5), (2, 6)]);
        assert_eq!(windows(settings.stride(3), 8), [(0, 4), (3, 7)]);
        assert_eq!(windows(settings.stride(9), 8), [(0, 4)]);
        let padded = settings.padding(true);
        assert_eq!(windows(padded, 5), [(0, 1), (0, 2), (0, 3), (0, 4), (1, 5), (2, 5), (3, 5), (4, 5)]);
        assert_eq!(windows(padded, 2), [(0, 2)]);
        assert_eq!(windows(padded.window(5).stride(2), 5), [(0, 1), (0, 3), (0, 5), (2, 5), (4, 5)]);
        assert_eq!(windows(settings.window(usize::MAX).padding(true), 3), [(0, 3)]);
        assert_eq!(windows(settings.stride(usize::MAX), 9), [(0, 4)]);
    }
}
