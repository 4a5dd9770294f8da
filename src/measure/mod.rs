//! Measures of topics that need no labels: whether their words belong together, whether they are different, and whether
//! several clusterings agree; and tests of whether topics go with a class, or with time.
//!
//! A fitted model computes them for its topics ([`quality`](crate::FittedTopicModel::quality),
//! [`topic_quality`](crate::FittedTopicModel::topic_quality)); here they are functions of words and labels, to compare
//! topics from any source.

mod agreement;
mod association;
mod distributions;
mod documents;
mod lexicon;
mod separation;
mod trend;
mod windows;
mod words_in_common;

pub use agreement::adjusted_rand_index;
pub(crate) use agreement::{best_matches, mean_agreement};
pub use association::{Association, AssociationTest, association, benjamini_hochberg, wilson_interval};
pub(crate) use documents::Occurrences;
pub use documents::document_npmi;
pub(crate) use separation::{intruder_tests, separations};
pub use trend::{Trend, trend};
pub use windows::npmi;
pub(crate) use windows::{Chance, WindowCounts};
pub(crate) use words_in_common::WordsInCommon;

/// The number of words of a topic that measures look at, as in the literature.
pub(crate) const TOP_WORDS: usize = 10;

/// Added to the share of windows with both words, so that its logarithm is finite; gensim's value.
const EPSILON: f64 = 1e-12;

/// The share of distinct words among the first `top_n` words of all `topics` (topic diversity; Dieng, Ruiz and Blei
/// 2020), 0 to 1: 1 if no word occurs in two topics. `None` if there are no words.
///
/// ```
/// use topicframe::measure::diversity;
///
/// let topics = [vec!["cat", "dog", "pet"], vec!["train", "dog", "rail"]];
/// assert_eq!(diversity(&topics, 10), Some(5.0 / 6.0));
/// assert_eq!(diversity(&topics, 1), Some(1.0));
/// ```
pub fn diversity<S: AsRef<str>>(topics: &[Vec<S>], top_n: usize) -> Option<f64> {
    let words: Vec<&str> = topics.iter().flat_map(|words| words.iter().take(top_n)).map(AsRef::as_ref).collect();
    let distinct: hashbrown::HashSet<&str> = words.iter().copied().collect();
    (!words.is_empty()).then(|| distinct.len() as f64 / words.len() as f64)
}

/// The normalized pointwise mutual information of two words that occur in `a` and `b` of `all` windows, `together` in
/// one: -1 to 1.
fn pair_npmi(together: u64, a: u64, b: u64, all: u64) -> f64 {
    let share = |windows: u64| windows as f64 / all as f64;
    let joint = share(together) + EPSILON;
    (joint / (share(a) * share(b))).ln() / -joint.ln()
}

/// The mean; `None` of nothing.
pub(crate) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_usize);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}
