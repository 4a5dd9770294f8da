//! Labels that people gave to topics, and their way through edits.

use std::collections::BTreeMap;

use super::Regrouping;
use crate::cluster::OUTLIER;

/// How [`generate_topic_labels`](crate::model::FittedTopicModel::generate_topic_labels) makes labels from words.
///
/// | setting | default |
/// |---|---|
/// | [`nr_words`](Self::nr_words) | 3 |
/// | [`topic_prefix`](Self::topic_prefix) | yes: `0_cat_dog_pet` |
/// | [`word_length`](Self::word_length) | words are not shortened |
/// | [`separator`](Self::separator) | `_` |
/// | [`aspect`](Self::aspect) | the topics' main words |
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
/// let topics = model.fit(&posts)?;
///
/// let short = TopicLabels::new().nr_words(2).topic_prefix(false).word_length(3).separator(", ");
/// let labels = topics.generate_topic_labels(&short)?;
/// assert_eq!(labels[&2], "fas, tra");
/// assert_eq!(topics.set_topic_labels(labels)?.topic_label(2).as_deref(), Some("fas, tra"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicLabels {
    pub(crate) nr_words: usize,
    pub(crate) topic_prefix: bool,
    pub(crate) word_length: Option<usize>,
    pub(crate) separator: String,
    pub(crate) aspect: Option<String>,
}

impl Default for TopicLabels {
    fn default() -> Self {
        TopicLabels::new()
    }
}

impl TopicLabels {
    /// The id and three words, joined by `_`, as in BERTopic.
    pub fn new() -> Self {
        TopicLabels { nr_words: 3, topic_prefix: true, word_length: None, separator: "_".to_owned(), aspect: None }
    }

    /// Sets the number of words, at least 1. Default 3.
    #[must_use]
    pub fn nr_words(mut self, nr_words: usize) -> Self {
        self.nr_words = nr_words;
        self
    }

    /// Sets whether the id comes first. Default true. Labels that will be [set](crate::model::FittedTopicModel::set_topic_labels)
    /// are better without it: edits renumber topics, but do not change labels.
    #[must_use]
    pub fn topic_prefix(mut self, topic_prefix: bool) -> Self {
        self.topic_prefix = topic_prefix;
        self
    }

    /// Sets the number of characters after which words are cut, at least 1. Default: they are not cut.
    #[must_use]
    pub fn word_length(mut self, word_length: usize) -> Self {
        self.word_length = Some(word_length);
        self
    }

    /// Sets what is between the words. Default `_`.
    #[must_use]
    pub fn separator(mut self, separator: impl Into<String>) -> Self {
        self.separator = separator.into();
        self
    }

    /// Takes the words of the representation with this name. Default: the topics' main words.
    #[must_use]
    pub fn aspect(mut self, aspect: impl Into<String>) -> Self {
        self.aspect = Some(aspect.into());
        self
    }

    /// The label of a topic with these words.
    pub(crate) fn label(&self, topic: i32, words: &[(String, f64)]) -> String {
        let cut = |word: &String| match self.word_length {
            Some(length) => word.chars().take(length).collect(),
            None => word.clone(),
        };
        let prefix = self.topic_prefix.then(|| topic.to_string());
        let words = words.iter().take(self.nr_words).map(|(word, _)| cut(word));
        prefix.into_iter().chain(words).collect::<Vec<String>>().join(&self.separator)
    }
}

/// The labels after an edit. A label goes where most rows of its topic are, unless they joined a larger topic there, whose
/// label remains. Outliers do not count, and neither do rows that were outliers. Their own label stays with them.
pub(super) fn relabeled(labels: &BTreeMap<i32, String>, edit: &Regrouping) -> BTreeMap<i32, String> {
    let sources = Source::largest(edit);
    let after = |(&topic, label): (&i32, &String)| {
        let heir = edit.heir(topic);
        let remains = topic == OUTLIER || heir != OUTLIER && sources.get(&heir).is_some_and(|from| from.topic == topic);
        remains.then(|| (if topic == OUTLIER { OUTLIER } else { heir }, label.clone()))
    };
    labels.iter().filter_map(after).collect()
}

/// The labels that fewer than half of the rows of their topic had before an edit, not counting rows that were outliers: the
/// topic after it, and how many of how many rows had it.
pub(crate) fn of_minorities(labels: &BTreeMap<i32, String>, edit: &Regrouping) -> Vec<(i32, usize, usize)> {
    let kept = relabeled(labels, edit);
    let is_minor = |(topic, from): (i32, Source)| {
        (kept.contains_key(&topic) && 2 * from.rows < from.of).then_some((topic, from.rows, from.of))
    };
    Source::largest(edit).into_iter().filter_map(is_minor).collect()
}

/// The topic from which most rows of a topic are.
struct Source {
    topic: i32,
    rows: usize,
    /// The rows from all topics.
    of: usize,
}

impl Source {
    /// The largest source of each topic after an `edit`; those of one size, the first. Outliers are none.
    fn largest(edit: &Regrouping) -> BTreeMap<i32, Source> {
        let mut largest = BTreeMap::<i32, Source>::new();
        for (&topic, parts) in edit.destinations.iter().filter(|(topic, _)| **topic != OUTLIER) {
            for (&to, &rows) in parts.iter().filter(|(to, _)| **to != OUTLIER) {
                let source = largest.entry(to).or_insert(Source { topic, rows, of: 0 });
                source.of += rows;
                if rows > source.rows {
                    (source.topic, source.rows) = (topic, rows);
                }
            }
        }
        largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(before: &[i32], after: &[i32]) -> String {
        let edit = Regrouping::new("edit", before, after);
        let labels = [(-1, "rest"), (0, "zero"), (1, "one")].map(|(topic, label)| (topic, label.to_owned()));
        let labels = relabeled(&labels.into(), &edit);
        labels.iter().map(|(topic, label)| format!("{topic} {label}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn labels_follow_most_rows_of_their_topic() {
        assert_eq!(after(&[0, 0, 1, 2, -1], &[0, 0, 0, 1, -1]), "-1 rest, 0 zero");
        assert_eq!(after(&[0, 0, 1, 2, 2, 2], &[1, 1, 0, 0, 0, 0]), "-1 rest, 1 zero");
        // The larger one has no label.
        assert_eq!(after(&[2, 2, 1, 0], &[0, 0, 0, 1]), "-1 rest, 1 zero");
        // Divided, deleted, and joined by many outliers.
        assert_eq!(after(&[0, 0, 0, 1], &[2, 1, 1, 0]), "-1 rest, 0 one, 1 zero");
        assert_eq!(after(&[0, 1, -1, -1, -1], &[-1, 0, 0, 0, 0]), "-1 rest, 0 one");
        // Most of its rows were set aside.
        assert_eq!(after(&[0, 0, 0, 1, 1], &[-1, -1, 1, 0, 0]), "-1 rest, 0 one, 1 zero");
        // Of two topics of one size, the first.
        assert_eq!(after(&[0, 1], &[0, 0]), "-1 rest, 0 zero");
    }
}
