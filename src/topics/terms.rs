//! What the topics' texts hold: sparse counts, from which every weight can be computed again without the texts.

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
        let place = |row: usize| ids.binary_search(assignments.get(row).unwrap_or(&OUTLIER)).ok();
        let classes: Vec<Option<usize>> = texts.iter().map(|&(row, _)| place(row)).collect();
        let counts = counted.counts.sum_rows_by(&classes, ids.len())?;
        let weights = weighting.fit(&counts, counted.vectorizer.vocabulary())?;
        for word in weights.unknown_seed_words() {
            progress.note(Stage::Vectorize, format!("the seed word `{word}` occurs in no text and has no effect"));
        }
        let c_tf_idf = weights.transform(&counts)?;
        let of_documents = weights.transform(&counted.counts)?;
        let mut text_scores = vec![0.0; assignments.len()];
        for (&(row, _), score) in texts.iter().zip(of_documents.cosines(&c_tf_idf, &classes)?) {
            text_scores[row] = score;
        }
        Ok(TopicTerms { vocabulary: counted.vectorizer.vocabulary().to_vec(), counts, c_tf_idf, text_scores })
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
