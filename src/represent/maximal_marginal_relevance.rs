//! Diversifying words with maximal marginal relevance.

use serde::{Deserialize, Serialize};

use super::text_vectors::{TextVectors, check_count};
use super::{Aspect, Representation, TopicContext, TopicWords};
use crate::error::{Error, Result, Stage};
use crate::linalg::marginal_relevance::MarginalRelevance;
use crate::linalg::vectors::dot;
use crate::spec::Spec;

/// The maximum number of words per topic, as for [`TopicModel::top_n_words`](crate::model::TopicModel::top_n_words).
const MAX_WORDS: usize = 1000;

/// Removes redundant words with maximal marginal relevance (Carbonell and Goldstein 1998), as in BERTopic.
///
/// The text embedder embeds a topic's candidate words, and all of them joined by spaces, which represents the topic.
/// The word nearest to the topic is selected first, then repeatedly the one with the highest `(1 - diversity) * cosine
/// to the topic - diversity * highest cosine to a selected word`; ties go to the first word. The selected words keep
/// their order and weights.
///
/// The candidates are those of the previous step: by default the top 30 words by c-TF-IDF. With fewer candidates than
/// [`top_n_words`](Self::top_n_words), all are kept. Without a text embedder, the words are unchanged, and this is
/// reported to the progress.
///
/// It selects only among its input words: after another representation, that one must return more words than needed
/// (`KeyBERTInspired::new().top_n_words(30)`), or all are kept.
///
/// | setting | default |
/// |---|---|
/// | [`diversity`](Self::diversity) | 0.1 |
/// | [`top_n_words`](Self::top_n_words) | 10 |
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["cats, a cat, a kitten and milk", "trains, a train and the station"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin())
///     .reducer(NoReduction)
///     .clusterer(KMeans::new(2))
///     .representation("Diverse", MaximalMarginalRelevance::new().diversity(0.7).top_n_words(2));
/// let topics = model.fit(&posts)?;
/// let Aspect::Words(diverse) = topics.topic_aspect("Diverse")? else { panic!("it returns words") };
/// assert_eq!((topics.get_topic(0).unwrap_or_default().len(), diverse[&0].len()), (3, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaximalMarginalRelevance {
    diversity: f64,
    top_n_words: usize,
}

impl Default for MaximalMarginalRelevance {
    fn default() -> Self {
        MaximalMarginalRelevance { diversity: 0.1, top_n_words: 10 }
    }
}

impl MaximalMarginalRelevance {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The weight of diversity: from 0 (relevance only) to 1 (diversity only). Default: 0.1.
    #[must_use]
    pub fn diversity(mut self, diversity: f64) -> Self {
        self.diversity = diversity;
        self
    }

    /// The maximum number of words per topic, 1 to 1,000. Default: 10.
    #[must_use]
    pub fn top_n_words(mut self, top_n_words: usize) -> Self {
        self.top_n_words = top_n_words;
        self
    }

    /// The indices of the words to keep, in ascending order. Vectors have unit length or are zero.
    fn choose(&self, words: &[Vec<f64>], topic: &[f64]) -> Vec<usize> {
        let relevance: Vec<f64> = words.iter().map(|word| dot(word, topic)).collect();
        let nearest = vec![None; words.len()];
        let words_left =
            MarginalRelevance { relevance: &relevance, nearest, diversity: self.diversity, same: f64::INFINITY };
        let mut taken = words_left.choose(self.top_n_words, |a, b| dot(&words[a], &words[b]));
        taken.sort_unstable();
        taken
    }
}

impl Representation for MaximalMarginalRelevance {
    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.diversity) {
            return Err(Error::invalid_parameter(Stage::Represent, "diversity", self.diversity, "from 0 to 1"));
        }
        check_count("top_n_words", self.top_n_words, MAX_WORDS)
    }

    fn spec(&self) -> Option<Spec> {
        Spec::new("maximal_marginal_relevance", self)
    }

    fn describe(&self, context: &TopicContext<'_>, words: &TopicWords) -> Result<Aspect> {
        let Some(embedder) = context.embedder else {
            let message = "maximal marginal relevance needs a text embedder: the words are unchanged";
            context.progress.note(Stage::Represent, message);
            return Ok(Aspect::Words(words.clone()));
        };
        let joined =
            |words: &[(String, f64)]| words.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(" ");
        let topics: Vec<String> = words.values().map(|words| joined(words)).collect();
        let single = words.values().flatten().map(|(word, _)| word.as_str());
        let all = single.chain(topics.iter().map(String::as_str).filter(|text| !text.is_empty()));
        let vectors = TextVectors::embed(embedder, all, context.progress)?;
        let keep = |(words, joined): (&Vec<(String, f64)>, &String)| {
            let of_words: Vec<Vec<f64>> = words.iter().map(|(word, _)| vectors.unit(word)).collect();
            let kept = self.choose(&of_words, &vectors.unit(joined));
            kept.into_iter().filter_map(|place| words.get(place).cloned()).collect::<Vec<_>>()
        };
        let kept = words.values().zip(&topics).map(keep);
        Ok(Aspect::Words(words.keys().copied().zip(kept).collect()))
    }
}
