//! How far apart topics are by their words.

use super::TopicTerms;
use crate::error::Result;
use crate::linalg::sparse::transpose;
use crate::linalg::vectors::cosine;
use crate::progress::Progress;
use crate::topics::linkage::Distances;

impl TopicTerms {
    /// The cosine distances of the c-TF-IDF of the topics in these `rows` of the counts, 0 to 1. A topic without words is 1
    /// away from all others. Terms that two topics do not share cost nothing.
    ///
    /// # Errors
    /// Interrupted.
    pub(crate) fn distances(&self, rows: &[usize], progress: &Progress) -> Result<Distances> {
        let weights = self.c_tf_idf.select_rows(rows);
        let norms: Vec<f64> = (0..weights.rows()).map(|row| weights.norm(row)).collect();
        let by_term = transpose(weights.rows(), weights.cols(), |row| {
            let (terms, values) = weights.row(row);
            terms.iter().copied().zip(values.iter().copied())
        });
        let topics_with = |term: u32| {
            let place = by_term.starts[term as usize]..by_term.starts[term as usize + 1];
            by_term.rows[place.clone()].iter().zip(&by_term.values[place])
        };
        Distances::of(rows.len(), progress, |topic, distances| {
            let (terms, values) = weights.row(topic);
            for (&term, value) in terms.iter().zip(values) {
                // In ascending order, so those before the topic come first.
                for (&other, weight) in topics_with(term) {
                    let Some(product) = distances.get_mut(other as usize) else { break };
                    *product += value * weight;
                }
            }
            for (product, &norm) in distances.iter_mut().zip(&norms) {
                *product = (1.0 - cosine(*product, norms[topic], norm)).max(0.0);
            }
        })
    }

    /// Whether each of the topics in these `rows` of the counts has a word.
    pub(crate) fn have_words(&self, rows: &[usize]) -> Vec<bool> {
        rows.iter().map(|&row| self.c_tf_idf.norm(row) > 0.0).collect()
    }
}
