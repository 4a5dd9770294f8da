//! The terms in the topics' texts: sparse counts of every text, from which the counts and weights of any grouping of
//! topics are computed without the texts.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::Assignment;
use crate::cluster::OUTLIER;
use crate::corpus::Embeddings;
use crate::error::Result;
use crate::linalg::sparse::{ClassCounts, CsrMatrix};
use crate::measure::Occurrences;
use crate::progress::Progress;
use crate::represent::{TextRows, TopicWords};
use crate::vectorize::{ClassTfIdf, CountVectorizer, FittedClassTfIdf, TermFrequencies, TopicCounts, words_of_forms};

mod distances;
mod matching;
mod merged_forms;
mod parts;
mod saved;

pub(crate) use parts::{Weighed, WordWeighting};

/// The term counts and c-TF-IDF weights of topics, and how well each document represents its topic.
///
/// ```
/// use topicframe::prelude::*;
/// # let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// # let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// # let topics = model.fit(&posts)?;
///
/// let terms = topics.terms();
/// assert_eq!(*terms.vocabulary, ["cat", "fast", "sleeps", "train"]);
/// assert_eq!([terms.counts.get(0, 0), terms.counts.get(1, 0)], [10, 0]);    // "cat" in topics 0 and 1
/// assert_eq!((terms.document_counts.get(0, 0), terms.topic_documents[0]), (10, 10));   // in all texts of topic 0
/// assert!(terms.c_tf_idf.get(0, 0) > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TopicTerms {
    /// The terms, one per column.
    pub vocabulary: Arc<[String]>,
    /// The number of occurrences of each term in each topic's texts; rows in ascending order of topic ids.
    pub counts: CsrMatrix<u32>,
    /// The number of texts of each topic that contain each term, in the same shape as `counts`.
    pub document_counts: CsrMatrix<u32>,
    /// The number of texts of each topic, in ascending order of topic ids.
    pub topic_documents: Vec<usize>,
    /// The c-TF-IDF weights, in the same shape as `counts`.
    pub c_tf_idf: CsrMatrix<f64>,
    /// For each row of the frame, the cosine similarity of its c-TF-IDF to its topic's.
    pub text_scores: Vec<f64>,
    /// The counts of each term in all topics, which no edit changes.
    frequencies: Arc<TermFrequencies>,
    /// In the column of a word with several forms: how often texts of the topic contain another form of it.
    repeated_forms: CsrMatrix<u32>,
    weighting: ClassTfIdf,
    documents: Arc<DocumentTerms>,
}

/// The number of occurrences of each term in each text. A text takes 8 bytes per distinct term, plus 16 bytes, and
/// another 4 bytes per distinct term once coherence is measured.
#[derive(Debug, Clone)]
pub(crate) struct DocumentTerms {
    vocabulary: Arc<[String]>,
    /// The frame row of each text, ascending.
    pub(super) rows: Vec<usize>,
    pub(super) counts: CsrMatrix<u32>,
    /// The settings by which they were counted, without `Auto`; `None` if nothing was counted.
    vectorizer: Option<CountVectorizer>,
    /// For each term, the term that stands for its word; `None` if every form of a word is a word of its own.
    words: Option<Vec<u32>>,
    /// Where terms occur, once that is asked for.
    occurrences: OnceLock<Occurrences>,
}

impl TopicTerms {
    /// Counts the terms of `texts` (row, text); `assignments` has the topic of each row, and the topics are `ids`.
    pub fn count(
        texts: &[(usize, &str)],
        assignments: &[i32],
        ids: &[i32],
        vectorizer: &CountVectorizer,
        weighting: &ClassTfIdf,
        progress: &Progress,
    ) -> Result<Self> {
        let documents = DocumentTerms::count(texts, vectorizer, progress)?;
        TopicTerms::of(documents, assignments, ids, weighting, progress)
    }

    /// Adds up the counts of `documents` by topic, and weights them; `assignments` has the topic of each row.
    pub(crate) fn of(
        documents: DocumentTerms,
        assignments: &[i32],
        ids: &[i32],
        weighting: &ClassTfIdf,
        progress: &Progress,
    ) -> Result<Self> {
        let documents = Arc::new(documents);
        let vocabulary = Arc::clone(&documents.vocabulary);
        let classes = documents.classes(assignments, ids);
        let counts = documents.counts.count_rows_by(&classes, ids.len(), documents.words.as_deref())?;
        let sizes = sizes_of(&classes, ids.len());
        let frequencies = TermFrequencies::of(&TopicCounts::of(&counts.occurrences, &counts.rows, &sizes));
        let weights = weighting.fit_frequencies(&frequencies, ids.len(), &vocabulary, |term| term)?;
        weighting.report_unknown_seed_words(&vocabulary, progress);
        documents.weighed(vocabulary, Arc::new(frequencies), counts, (weighting, &weights), &classes, assignments.len())
    }

    /// An empty vocabulary, for the topics `ids` of a frame with `rows` rows.
    pub(crate) fn empty(ids: &[i32], rows: usize) -> Result<Self> {
        let empty = |rows: usize| CsrMatrix::new(0, vec![0; rows + 1], Vec::new(), Vec::new());
        Ok(TopicTerms {
            vocabulary: Arc::default(),
            counts: empty(ids.len())?,
            document_counts: empty(ids.len())?,
            topic_documents: vec![0; ids.len()],
            c_tf_idf: CsrMatrix::new(0, vec![0; ids.len() + 1], Vec::new(), Vec::new())?,
            text_scores: vec![0.0; rows],
            frequencies: Arc::default(),
            repeated_forms: empty(ids.len())?,
            weighting: ClassTfIdf::new(),
            documents: Arc::new(DocumentTerms {
                vocabulary: Arc::default(),
                rows: Vec::new(),
                counts: empty(0)?,
                vectorizer: None,
                words: None,
                occurrences: OnceLock::new(),
            }),
        })
    }

    /// The weights of a model of another program, which has neither its counts nor its texts: counts are 0.
    pub(crate) fn of_weights(
        vocabulary: Vec<String>,
        c_tf_idf: CsrMatrix<f64>,
        rows: usize,
        vectorizer: CountVectorizer,
        weighting: ClassTfIdf,
    ) -> Result<Self> {
        let (topics, terms) = (c_tf_idf.rows(), vocabulary.len());
        let vocabulary: Arc<[String]> = vocabulary.into();
        let unknown = c_tf_idf.with_data(vec![0_u32; c_tf_idf.entries()]);
        let documents = DocumentTerms {
            vocabulary: Arc::clone(&vocabulary),
            rows: Vec::new(),
            counts: CsrMatrix::new(terms, vec![0], Vec::new(), Vec::new())?,
            vectorizer: Some(vectorizer),
            words: None,
            occurrences: OnceLock::new(),
        };
        Ok(TopicTerms {
            vocabulary,
            document_counts: unknown.clone(),
            repeated_forms: CsrMatrix::new(terms, vec![0; topics + 1], Vec::new(), Vec::new())?,
            counts: unknown,
            topic_documents: vec![0; topics],
            c_tf_idf,
            text_scores: vec![0.0; rows],
            frequencies: Arc::new(TermFrequencies {
                words: vec![0.0; terms],
                documents: vec![0.0; terms],
                all_documents: 0.0,
            }),
            weighting,
            documents: Arc::new(documents),
        })
    }

    /// The idf of each term, as [`ClassTfIdf`] computes it from the counts.
    pub(crate) fn idf(&self) -> Result<Vec<f64>> {
        let weights =
            self.weighting.fit_frequencies(&self.frequencies, self.counts.rows(), &self.vocabulary, |term| term)?;
        Ok(weights.idf().to_vec())
    }

    /// How the counts are weighted.
    pub(crate) fn weighting(&self) -> &ClassTfIdf {
        &self.weighting
    }

    /// The terms of the same texts after an edit that turned the topics `before` into those of `after`. No text is
    /// read, and the counts of topics with `unchanged` rows (previous to new id) are kept.
    pub(super) fn regrouped(
        &self,
        unchanged: &BTreeMap<i32, i32>,
        before: &[i32],
        after: &Assignment,
        weighting: &ClassTfIdf,
    ) -> Result<Self> {
        let (topics, ids) = (&after.topics, after.ids());
        if self.documents.rows.is_empty() {
            return TopicTerms::empty(&ids, topics.len());
        }
        let place = |id: &i32| before.binary_search(id).ok();
        let kept = unchanged.iter().filter_map(|(old, &new)| Some((new, place(old)?))).collect();
        let classes = self.documents.classes(topics, &ids);
        let counts = self.counts_of(&classes, &ids, &kept)?;
        let (vocabulary, frequencies) = (Arc::clone(&self.vocabulary), Arc::clone(&self.frequencies));
        let weights = weighting.fit_frequencies(&frequencies, ids.len(), &vocabulary, |term| term)?;
        self.documents.weighed(vocabulary, frequencies, counts, (weighting, &weights), &classes, topics.len())
    }

    /// The counts of the topics `ids`: those of a previous row for topics in `kept`, and for the others, those of their
    /// texts.
    fn counts_of(&self, classes: &[Option<usize>], ids: &[i32], kept: &BTreeMap<i32, usize>) -> Result<ClassCounts> {
        let known: Vec<Option<usize>> = ids.iter().map(|id| kept.get(id).copied()).collect();
        let unknown = |class: &Option<usize>| class.filter(|&class| known.get(class).is_some_and(Option::is_none));
        let unknown: Vec<Option<usize>> = classes.iter().map(unknown).collect();
        let counted = self.documents.counts.count_rows_by(&unknown, ids.len(), self.documents.words.as_deref())?;
        let joined = |before: &CsrMatrix<u32>, counted: &CsrMatrix<u32>| {
            let row = |(class, known): (usize, &Option<usize>)| match known {
                Some(row) => before.row(*row),
                None => counted.row(class),
            };
            CsrMatrix::from_rows(counted.cols(), known.iter().enumerate().map(row))
        };
        Ok(ClassCounts {
            occurrences: joined(&self.counts, &counted.occurrences),
            rows: joined(&self.document_counts, &counted.rows),
            repeated: joined(&self.repeated_forms, &counted.repeated),
        })
    }

    /// The number of occurrences of each term in each text.
    pub(crate) fn document_terms(&self) -> &CsrMatrix<u32> {
        &self.documents.counts
    }

    /// The counts of each text.
    pub(crate) fn documents(&self) -> &DocumentTerms {
        &self.documents
    }

    /// The settings by which the terms were counted, without `Auto`; `None` if nothing was counted.
    pub(crate) fn vectorizer(&self) -> Option<&CountVectorizer> {
        self.documents.vectorizer.as_ref()
    }

    /// The top `n` words of every topic, best first, ties in vocabulary order. If the model merges the forms of a word,
    /// they are one of these words: the form that is the most frequent in the topic, with the weight of all.
    pub fn top_words(&self, ids: &[i32], n: usize) -> TopicWords {
        self.top_words_by(&self.word_weights(), ids, n)
    }

    /// As [`top_words`](Self::top_words), by the [weights of words](Self::word_weights).
    pub(crate) fn top_words_by(&self, weights: &CsrMatrix<f64>, ids: &[i32], n: usize) -> TopicWords {
        let words = |row: usize| {
            let best = crate::vectorize::top_terms(weights, row, n);
            best.into_iter().filter_map(|(term, weight)| Some((self.vocabulary.get(term)?.clone(), weight))).collect()
        };
        let of_topics: Vec<_> = (0..ids.len()).into_par_iter().with_max_len(1).map(words).collect();
        ids.iter().copied().zip(of_topics).collect()
    }
}

impl DocumentTerms {
    /// Counts the terms of `texts` (row, text).
    pub(crate) fn count(texts: &[(usize, &str)], vectorizer: &CountVectorizer, progress: &Progress) -> Result<Self> {
        let documents: Vec<&str> = texts.iter().map(|&(_, text)| text).collect();
        let counted = vectorizer.fit_transform(&documents, progress)?;
        Ok(DocumentTerms {
            vocabulary: counted.vectorizer.vocabulary().into(),
            rows: texts.iter().map(|&(row, _)| row).collect(),
            counts: counted.counts,
            vectorizer: Some(counted.vectorizer.settings().clone()),
            words: None,
            occurrences: OnceLock::new(),
        })
    }

    /// What is known of the texts without them; `vectors` are those of texts. `None` if there are no texts.
    pub(crate) fn as_rows<'a>(&'a self, vectors: Option<&'a Embeddings>) -> Option<TextRows<'a>> {
        let known = TextRows::Known { rows: &self.rows, counts: &self.counts, vectors };
        (!self.rows.is_empty()).then_some(known)
    }

    /// The texts of each term.
    pub(super) fn occurrences(&self) -> &Occurrences {
        self.occurrences.get_or_init(|| Occurrences::new(&self.counts, |_| true))
    }

    /// The same counts of the same `texts`; in the words of a topic, forms of one word will be merged.
    pub(crate) fn merging_forms(self, texts: &[(usize, &str)]) -> Self {
        let texts: Vec<&str> = texts.iter().map(|&(_, text)| text).collect();
        let english = self.vectorizer.as_ref().is_some_and(|vectorizer| vectorizer.reads_english(&texts));
        let words = words_of_forms(&self.vocabulary, &self.counts.column_sums(), english);
        DocumentTerms { words, ..self }
    }

    /// The counts of the texts of `rows`, in their order; none for a row without a text.
    pub(crate) fn of_rows(&self, rows: &[usize]) -> CsrMatrix<u32> {
        let place = |row: &usize| self.rows.binary_search(row).unwrap_or(usize::MAX);
        self.counts.select_rows(&rows.iter().map(place).collect::<Vec<_>>())
    }

    /// For each text, the index in `ids` of its row's topic.
    fn classes(&self, topics: &[i32], ids: &[i32]) -> Vec<Option<usize>> {
        let place = |&row: &usize| ids.binary_search(topics.get(row).unwrap_or(&OUTLIER)).ok();
        self.rows.iter().map(place).collect()
    }

    /// The terms of topics by their `counts`, weighted, for a frame with `rows` rows.
    fn weighed(
        self: &Arc<Self>,
        vocabulary: Arc<[String]>,
        frequencies: Arc<TermFrequencies>,
        counts: ClassCounts,
        (weighting, weights): (&ClassTfIdf, &FittedClassTfIdf),
        classes: &[Option<usize>],
        rows: usize,
    ) -> Result<TopicTerms> {
        let ClassCounts { occurrences: counts, rows: document_counts, repeated: repeated_forms } = counts;
        let topic_documents = sizes_of(classes, counts.rows());
        let c_tf_idf = weights.transform_topics(&TopicCounts::of(&counts, &document_counts, &topic_documents))?;
        let cosines = weights.cosines(&self.counts, &c_tf_idf, classes)?;
        let mut text_scores = vec![0.0; rows];
        for (&row, score) in self.rows.iter().zip(cosines) {
            text_scores[row] = score;
        }
        Ok(TopicTerms {
            vocabulary,
            counts,
            document_counts,
            topic_documents,
            c_tf_idf,
            text_scores,
            frequencies,
            repeated_forms,
            weighting: weighting.clone(),
            documents: Arc::clone(self),
        })
    }
}

/// The number of texts of each of `n_classes` classes.
fn sizes_of(classes: &[Option<usize>], n_classes: usize) -> Vec<usize> {
    let mut sizes = vec![0; n_classes];
    classes.iter().flatten().for_each(|&class| sizes[class] += 1);
    sizes
}
