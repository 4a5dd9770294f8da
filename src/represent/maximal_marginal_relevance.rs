//! Words that say different things.

use super::text_vectors::{TextVectors, check_count, dot};
use super::{Aspect, Representation, TopicContext, TopicWords};
use crate::error::{Error, Result, Stage};

/// The most words of a topic that can be asked for, as of
/// [`TopicModel::top_n_words`](crate::model::TopicModel::top_n_words).
const MOST_WORDS: usize = 1000;

/// Leaves out words that say what others say already: maximal marginal relevance (Carbonell and Goldstein 1998), as in
/// BERTopic.
///
/// The embedder of texts embeds a topic's candidate words, and all of them joined by spaces: that is the topic. The word
/// nearest to the topic is taken first, then again and again the one with the highest
/// `(1 - diversity) * cosine to the topic - diversity * highest cosine to a word taken before`; ties go to the word that
/// comes first. The words taken keep the order and the weights that they came with.
///
/// The candidates are those of the step before: by default the 30 best words by c-TF-IDF. With fewer candidates than
/// [`top_n_words`](Self::top_n_words) all stay. A model without an embedder of texts leaves the words as they are, and
/// says so in the progress.
///
/// It chooses among the words that it is given: after another representation, that one must give more words than are
/// wanted (`KeyBERTInspired::new().top_n_words(30)`), or all stay.
///
/// | setting | default |
/// |---|---|
/// | [`diversity`](Self::diversity) | 0.1 |
/// | [`top_n_words`](Self::top_n_words) | 10 |
#[derive(Debug, Clone, PartialEq)]
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

    /// How much it counts that a word differs from those taken before, 0 (not at all) to 1 (nothing else does);
    /// default 0.1.
    #[must_use]
    pub fn diversity(mut self, diversity: f64) -> Self {
        self.diversity = diversity;
        self
    }

    /// How many words a topic keeps at most, 1 to 1,000; default 10.
    #[must_use]
    pub fn top_n_words(mut self, top_n_words: usize) -> Self {
        self.top_n_words = top_n_words;
        self
    }

    /// The places of the words to keep, ascending. Vectors have length 1 or are zeros.
    fn choose(&self, words: &[Vec<f64>], topic: &[f64]) -> Vec<usize> {
        // Place, cosine to the topic, highest cosine to a word taken before.
        let mut left: Vec<(usize, f64, Option<f64>)> =
            words.iter().enumerate().map(|(place, word)| (place, dot(word, topic), None)).collect();
        let mut taken = Vec::new();
        while taken.len() < self.top_n_words {
            let Some(best) = self.best(&left) else { break };
            let (place, ..) = left.remove(best);
            if let Some(word) = words.get(place) {
                let nearer = |other: usize| words.get(other).map(|other| dot(word, other));
                left.iter_mut().for_each(|(other, _, nearest)| *nearest = higher(*nearest, nearer(*other)));
            }
            taken.push(place);
        }
        taken.sort_unstable();
        taken
    }

    /// The place in `left` of the word to take next, the first of equals.
    fn best(&self, left: &[(usize, f64, Option<f64>)]) -> Option<usize> {
        let score = |relevance: f64, nearest: Option<f64>| match nearest {
            None => relevance,
            Some(nearest) => (1.0 - self.diversity) * relevance - self.diversity * nearest,
        };
        let mut best: Option<(usize, f64)> = None;
        for (place, &(_, relevance, nearest)) in left.iter().enumerate() {
            let score = score(relevance, nearest);
            if best.is_none_or(|(_, highest)| score > highest) {
                best = Some((place, score));
            }
        }
        best.map(|(place, _)| place)
    }
}

/// The higher of two numbers that may be missing.
fn higher(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

impl Representation for MaximalMarginalRelevance {
    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.diversity) {
            return Err(Error::parameter(Stage::Represent, "diversity", self.diversity, "from 0 to 1"));
        }
        check_count("top_n_words", self.top_n_words, MOST_WORDS)
    }

    fn describe(&self, context: &TopicContext<'_>, words: &TopicWords) -> Result<Aspect> {
        let Some(embedder) = context.embedder else {
            let message = "maximal marginal relevance needs an embedder of texts: the words stay as they are";
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
