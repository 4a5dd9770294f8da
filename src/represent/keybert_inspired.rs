//! Words that are semantically similar to the documents of a topic.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text_vectors::{TextVectors, check_count};
use super::{Aspect, NeededEmbedder, Representation, TopicContext, TopicWords};
use crate::corpus::TextColumn;
use crate::embed::TextEmbedder;
use crate::error::Result;
use crate::linalg::vector_sum::VectorSum;
use crate::linalg::vectors::{dot, unit};
use crate::spec::Spec;
use crate::vectorize::top_terms;

/// The maximum number of words or documents per topic.
const MAX_PER_TOPIC: usize = 1000;

/// Selects words by semantic similarity, like BERTopic's `KeyBERTInspired` (based on KeyBERT, Grootendorst 2020).
///
/// A topic is represented by the mean embedding of its most representative documents, and the candidates are its top
/// words by c-TF-IDF. Both are embedded by the model's text embedder, and the words nearest to the topic are selected.
/// The weight of a word is its cosine similarity to the topic, -1 to 1; ties are broken by c-TF-IDF order. Document
/// embeddings computed in the fit are reused, and each word is embedded once for all topics.
///
/// As in BERTopic, the candidates come from c-TF-IDF regardless of the position in a chain, so put this representation
/// first. A topic without texts has no words.
///
/// | setting | default |
/// |---|---|
/// | [`top_n_words`](Self::top_n_words) | 10 |
/// | [`nr_repr_docs`](Self::nr_repr_docs) | 5 |
/// | [`nr_candidate_words`](Self::nr_candidate_words) | 100 |
///
/// BERTopic's `nr_samples` and `random_state` have no equivalent: every document of a topic is a candidate.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps in the sun", "a fast train leaves the station"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// let topics = model.representation("Main", KeyBERTInspired::new().top_n_words(2)).fit(&posts)?;
///
/// let words = topics.get_topic(0).unwrap_or_default();
/// assert_eq!(words.len(), 2);                                       // of cat, sleeps and sun: the two nearest
/// assert!(words[0].1 >= words[1].1 && words[0].1 <= 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBERTInspired {
    top_n_words: usize,
    nr_repr_docs: usize,
    nr_candidate_words: usize,
}

impl Default for KeyBERTInspired {
    fn default() -> Self {
        KeyBERTInspired { top_n_words: 10, nr_repr_docs: 5, nr_candidate_words: 100 }
    }
}

impl KeyBERTInspired {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The maximum number of words per topic, 1 to 1,000. Default: 10.
    #[must_use]
    pub fn top_n_words(mut self, top_n_words: usize) -> Self {
        self.top_n_words = top_n_words;
        self
    }

    /// The number of representative documents per topic, 1 to 1,000. Default: 5.
    #[must_use]
    pub fn nr_repr_docs(mut self, nr_repr_docs: usize) -> Self {
        self.nr_repr_docs = nr_repr_docs;
        self
    }

    /// The number of candidate words per topic, the top words by c-TF-IDF, 1 to 1,000. Default: 100.
    #[must_use]
    pub fn nr_candidate_words(mut self, nr_candidate_words: usize) -> Self {
        self.nr_candidate_words = nr_candidate_words;
        self
    }

    /// The mean embedding of each topic's representative documents, normalized to unit length.
    fn topic_vectors(
        &self,
        context: &TopicContext<'_>,
        texts: &TextColumn,
        embedder: &dyn TextEmbedder,
    ) -> Result<BTreeMap<i32, Vec<f64>>> {
        let rows = context.representative_rows(self.nr_repr_docs);
        let known = |row: usize| context.text_embeddings.and_then(|vectors| vectors.get(row));
        let all = rows.values().flatten().map(|&(row, _)| row);
        let unknown = all.filter(|&row| known(row).is_none()).filter_map(|row| texts.get(row));
        let embedded = TextVectors::embed(embedder, unknown, context.progress)?;
        let vector = |row: usize| match (known(row), texts.get(row)) {
            (Some(vector), _) => vector.to_vec(),
            (None, text) => text.map(|text| embedded.raw(text)).unwrap_or_default(),
        };
        let mean = |rows: &Vec<(usize, f64)>| {
            let mut sum = VectorSum::new(embedder.dimensions());
            rows.iter().for_each(|&(row, _)| sum.add(vector(row)));
            unit(sum.sum())
        };
        Ok(rows.iter().map(|(&topic, rows)| (topic, mean(rows))).collect())
    }
}

impl Representation for KeyBERTInspired {
    fn check(&self) -> Result<()> {
        check_count("top_n_words", self.top_n_words, MAX_PER_TOPIC)?;
        check_count("nr_repr_docs", self.nr_repr_docs, MAX_PER_TOPIC)?;
        check_count("nr_candidate_words", self.nr_candidate_words, MAX_PER_TOPIC)
    }

    fn needs_texts(&self) -> bool {
        true
    }

    fn needs_embedder(&self) -> Option<NeededEmbedder> {
        Some(NeededEmbedder::Texts)
    }

    fn spec(&self) -> Option<Spec> {
        Spec::new("keybert_inspired", self)
    }

    fn describe(&self, context: &TopicContext<'_>, _words: &TopicWords) -> Result<Aspect> {
        let embedder = context.embedder.ok_or_else(|| NeededEmbedder::Texts.missing("KeyBERTInspired"))?;
        let topics = match context.texts {
            Some(texts) => self.topic_vectors(context, texts, embedder)?,
            None => BTreeMap::new(),
        };
        let candidates = |row: usize| {
            let best = top_terms(context.c_tf_idf, row, self.nr_candidate_words);
            best.into_iter().filter_map(|(term, _)| context.vocabulary.get(term).map(String::as_str)).collect()
        };
        let candidates: Vec<Vec<&str>> = (0..context.topics.len()).map(candidates).collect();
        let vectors = TextVectors::embed(embedder, candidates.iter().flatten().copied(), context.progress)?;
        let best = |(topic, candidates): (&i32, &Vec<&str>)| {
            let mean = topics.get(topic).map(Vec::as_slice).unwrap_or_default();
            let score = |word: &&str| ((*word).to_owned(), dot(&vectors.unit(word), mean).clamp(-1.0, 1.0));
            let mut words: Vec<(String, f64)> = candidates.iter().map(score).collect();
            // Stable: ties keep the c-TF-IDF order.
            words.sort_by(|a, b| b.1.total_cmp(&a.1));
            words.truncate(self.top_n_words);
            (*topic, words)
        };
        Ok(Aspect::Words(context.topics.iter().zip(&candidates).map(best).collect()))
    }
}
