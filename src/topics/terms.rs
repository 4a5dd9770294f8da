//! What the topics' texts hold: sparse counts, from which every weight can be computed again without the texts.

use crate::cluster::OUTLIER;
use crate::error::{Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::progress::Progress;
use crate::represent::TopicWords;
use crate::vectorize::{ClassTfIdf, CountVectorizer, FittedCountVectorizer};

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
    /// How the terms were counted; `None` where there were no texts.
    counting: Option<CountVectorizer>,
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
        let classes = classes_of(texts, assignments, ids);
        let counts = counted.counts.sum_rows_by(&classes, ids.len())?;
        let weights = weighting.fit(&counts, counted.vectorizer.vocabulary())?;
        for word in weights.unknown_seed_words() {
            progress.note(Stage::Vectorize, format!("the seed word `{word}` occurs in no text and has no effect"));
        }
        let c_tf_idf = weights.transform(&counts)?;
        let of_documents = weights.transform(&counted.counts)?;
        Ok(TopicTerms {
            text_scores: scores(texts, &of_documents.cosines(&c_tf_idf, &classes)?, assignments.len()),
            vocabulary: counted.vectorizer.vocabulary().to_vec(),
            counting: Some(counted.vectorizer.settings().clone()),
            counts,
            c_tf_idf,
        })
    }

    /// No terms at all, for the topics `ids` of a frame of `rows` rows.
    pub(crate) fn empty(ids: &[i32], rows: usize) -> Result<Self> {
        Ok(TopicTerms {
            vocabulary: Vec::new(),
            counts: CsrMatrix::new(0, vec![0; ids.len() + 1], Vec::new(), Vec::new())?,
            c_tf_idf: CsrMatrix::new(0, vec![0; ids.len() + 1], Vec::new(), Vec::new())?,
            text_scores: vec![0.0; rows],
            counting: None,
        })
    }

    /// The terms of topics that were made of these: the topic of row i becomes row `places[i]` of the topics `ids`.
    /// Counts are added up; weights follow from them. `texts` and their `assignments` are those of the new topics.
    pub(crate) fn joined(
        &self,
        places: &[Option<usize>],
        texts: &[(usize, &str)],
        assignments: &[i32],
        ids: &[i32],
        weighting: &ClassTfIdf,
    ) -> Result<Self> {
        let Some(counting) = &self.counting else { return TopicTerms::empty(ids, assignments.len()) };
        let counts = self.counts.sum_rows_by(places, ids.len())?;
        let weights = weighting.fit(&counts, &self.vocabulary)?;
        let c_tf_idf = weights.transform(&counts)?;
        // How well a text stands for its topic needs the counts of the text, which are not kept.
        let documents: Vec<&str> = texts.iter().map(|&(_, text)| text).collect();
        let vectorizer = FittedCountVectorizer::from_vocabulary(counting.clone(), self.vocabulary.clone())?;
        let of_documents = weights.transform(&vectorizer.transform(&documents))?;
        let cosines = of_documents.cosines(&c_tf_idf, &classes_of(texts, assignments, ids))?;
        Ok(TopicTerms {
            text_scores: scores(texts, &cosines, assignments.len()),
            vocabulary: self.vocabulary.clone(),
            counting: self.counting.clone(),
            counts,
            c_tf_idf,
        })
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

/// The place of each text's topic among `ids`.
fn classes_of(texts: &[(usize, &str)], assignments: &[i32], ids: &[i32]) -> Vec<Option<usize>> {
    let place = |row: usize| ids.binary_search(assignments.get(row).unwrap_or(&OUTLIER)).ok();
    texts.iter().map(|&(row, _)| place(row)).collect()
}

/// The scores of texts as scores of rows; 0 for a row without one.
fn scores(texts: &[(usize, &str)], cosines: &[f64], rows: usize) -> Vec<f64> {
    let mut scores = vec![0.0; rows];
    for (&(row, _), &score) in texts.iter().zip(cosines) {
        scores[row] = score;
    }
    scores
}
