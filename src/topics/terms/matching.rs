//! Comparing texts with topics by their words.

use rayon::prelude::*;

use super::TopicTerms;
use crate::cluster::OUTLIER;
use crate::error::{Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::linalg::vectors::cosine;
use crate::progress::Progress;

/// Texts whose words are weighed at a time, which bounds memory.
const TEXTS_AT_A_TIME: usize = 1 << 14;

impl TopicTerms {
    /// The topic of `ids` (those of the counts) whose c-TF-IDF has the largest cosine to that of each row's text, and that
    /// cosine; ties by topic. `None` if no topic has a word of the text. Outliers are no topic.
    ///
    /// # Errors
    /// Interrupted.
    pub(crate) fn best_topics(
        &self,
        rows: &[usize],
        ids: &[i32],
        progress: &Progress,
    ) -> Result<Vec<Option<(i32, f64)>>> {
        let weights =
            self.weighting.fit_frequencies(&self.frequencies, self.counts.rows(), &self.vocabulary, |term| term)?;
        let (by_term, norms) = by_term(&self.c_tf_idf, ids);
        let task = progress.task(Stage::Topics, "topics by words", rows.len());
        let mut found = Vec::with_capacity(rows.len());
        for rows in rows.chunks(TEXTS_AT_A_TIME).take_while(|_| !task.is_interrupted()) {
            let texts = weights.transform(&self.documents.of_rows(rows))?;
            let best = |products: &mut Vec<f64>, row: usize| {
                products.fill(0.0);
                let (terms, values) = texts.row(row);
                for (&term, &value) in terms.iter().zip(values) {
                    for &(place, weight) in by_term.get(term as usize).into_iter().flatten() {
                        products[place] += value * weight;
                    }
                }
                let norm = texts.norm(row);
                let mut best: Option<(i32, f64)> = None;
                for ((&topic, &of_topic), &product) in ids.iter().zip(&norms).zip(&*products) {
                    let cosine = cosine(product, norm, of_topic);
                    if cosine > best.map_or(0.0, |(_, largest)| largest) {
                        best = Some((topic, cosine));
                    }
                }
                best
            };
            let products = || vec![0.0_f64; norms.len()];
            found.par_extend((0..texts.rows()).into_par_iter().map_init(products, best));
            task.advance(rows.len());
        }
        task.finish()?;
        Ok(found)
    }
}

/// The topics that have each term, with its weight, and the norm of each topic; without outliers.
fn by_term(c_tf_idf: &CsrMatrix<f64>, ids: &[i32]) -> (Vec<Vec<(usize, f64)>>, Vec<f64>) {
    let mut by_term = vec![Vec::new(); c_tf_idf.cols()];
    let mut norms = vec![0.0; c_tf_idf.rows()];
    for (place, norm) in norms.iter_mut().enumerate().filter(|(place, _)| ids.get(*place) != Some(&OUTLIER)) {
        *norm = c_tf_idf.norm(place);
        let (terms, weights) = c_tf_idf.row(place);
        for (&term, &weight) in terms.iter().zip(weights) {
            if let Some(topics) = by_term.get_mut(term as usize) {
                topics.push((place, weight));
            }
        }
    }
    (by_term, norms)
}
