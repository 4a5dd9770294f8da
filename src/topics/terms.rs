//! What the topics' texts hold: sparse counts of every text, from which topics of any grouping have their counts and weights
//! without the texts.

use std::sync::Arc;

use crate::cluster::OUTLIER;
use crate::error::{Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::progress::Progress;
use crate::represent::TopicWords;
use crate::vectorize::{ClassTfIdf, CountVectorizer};

/// Counts and c-TF-IDF weights of topics, and how well each document stands for its own.
#[derive(Debug, Clone)]
pub struct TopicTerms {
    /// The terms, one a column.
    pub vocabulary: Vec<String>,
    /// How often each topic's texts hold each term; rows in ascending order of topic ids.
    pub counts: CsrMatrix<u32>,
    /// c-TF-IDF weights, shaped as `counts`.
    pub c_tf_idf: CsrMatrix<f64>,
    /// For each row of the frame, the cosine between its c-TF-IDF and its topic's.
    pub text_scores: Vec<f64>,
    documents: Arc<DocumentTerms>,
}

/// How often each text holds each term. A text takes eight bytes a different term, and 16 more.
#[derive(Debug)]
struct DocumentTerms {
    /// The row of the frame that each text is in, ascending.
    rows: Vec<usize>,
    counts: CsrMatrix<u32>,
}

impl TopicTerms {
    /// Counts the terms of `texts` (row, text), whose rows belong to `assignments`; the topics are `ids`.
    pub fn count(
        texts: &[(usize, &str)],
        assignments: &[i32],
        ids: &[i32],
        vectorizer: &CountVectorizer,
        weighting: &ClassTfIdf,
        progress: &Progress,
    ) -> Result<Self> {
        let documents: Vec<&str> = texts.iter().map(|&(_, text)| text).collect();
        let counted = vectorizer.fit_transform(&documents, progress)?;
        let rows = texts.iter().map(|&(row, _)| row).collect();
        let documents = Arc::new(DocumentTerms { rows, counts: counted.counts });
        let vocabulary = counted.vectorizer.vocabulary().to_vec();
        let tell = |word: &str| {
            progress.note(Stage::Vectorize, format!("the seed word `{word}` occurs in no text and has no effect"));
        };
        documents.grouped(vocabulary, assignments, ids, weighting, tell)
    }

    /// No terms at all, for the topics `ids` of a frame of `rows` rows.
    pub(crate) fn empty(ids: &[i32], rows: usize) -> Result<Self> {
        let nothing = |rows: usize| CsrMatrix::new(0, vec![0; rows + 1], Vec::new(), Vec::new());
        Ok(TopicTerms {
            vocabulary: Vec::new(),
            counts: nothing(ids.len())?,
            c_tf_idf: CsrMatrix::new(0, vec![0; ids.len() + 1], Vec::new(), Vec::new())?,
            text_scores: vec![0.0; rows],
            documents: Arc::new(DocumentTerms { rows: Vec::new(), counts: nothing(0)? }),
        })
    }

    /// The terms of other topics of the same texts: `assignments` has the topic of each row of the frame, and the topics
    /// are `ids`. No text is read.
    pub(crate) fn regrouped(&self, assignments: &[i32], ids: &[i32], weighting: &ClassTfIdf) -> Result<Self> {
        if self.documents.rows.is_empty() {
            return TopicTerms::empty(ids, assignments.len());
        }
        self.documents.grouped(self.vocabulary.clone(), assignments, ids, weighting, |_| {})
    }

    /// The `n` best words of every topic, best first, ties in the order of the vocabulary.
    pub fn top_words(&self, ids: &[i32], n: usize) -> TopicWords {
        let words = |row: usize| {
            let best = crate::vectorize::top_terms(&self.c_tf_idf, row, n);
            best.into_iter().filter_map(|(term, weight)| Some((self.vocabulary.get(term)?.clone(), weight))).collect()
        };
        ids.iter().enumerate().map(|(row, &id)| (id, words(row))).collect()
    }
}

impl DocumentTerms {
    /// The terms of the topics `ids`, to which `assignments` takes the rows of the frame. `unknown` is told the seed words
    /// that no text holds.
    fn grouped(
        self: &Arc<Self>,
        vocabulary: Vec<String>,
        assignments: &[i32],
        ids: &[i32],
        weighting: &ClassTfIdf,
        unknown: impl Fn(&str),
    ) -> Result<TopicTerms> {
        let place = |&row: &usize| ids.binary_search(assignments.get(row).unwrap_or(&OUTLIER)).ok();
        let classes: Vec<Option<usize>> = self.rows.iter().map(place).collect();
        let counts = self.counts.sum_rows_by(&classes, ids.len())?;
        let weights = weighting.fit(&counts, &vocabulary)?;
        weights.unknown_seed_words().iter().for_each(|word| unknown(word));
        let c_tf_idf = weights.transform(&counts)?;
        let cosines = weights.transform(&self.counts)?.cosines(&c_tf_idf, &classes)?;
        let mut text_scores = vec![0.0; assignments.len()];
        for (&row, score) in self.rows.iter().zip(cosines) {
            text_scores[row] = score;
        }
        Ok(TopicTerms { vocabulary, counts, c_tf_idf, text_scores, documents: Arc::clone(self) })
    }
}
