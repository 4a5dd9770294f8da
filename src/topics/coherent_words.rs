//! The words of a topic that belong together, out of those with the highest weights.

use rayon::prelude::*;

use super::TopicTerms;
use crate::linalg::sparse::CsrMatrix;
use crate::measure::Occurrences;
use crate::represent::TopicWords;
use crate::vectorize::top_terms;

/// The number of words that the words of a topic are chosen from, if at most this many are shown.
const CANDIDATES: usize = 30;

/// What a word's coherence counts for; its weight counts for the rest.
const COHERENCE: f64 = 0.5;

impl TopicTerms {
    /// The `n` words of every topic that describe it together: of those with the highest `weights`, one after the other,
    /// the word with the highest mean of its weight (relative to the best) and its NPMI with the words chosen before
    /// (in texts, weighted like these). Ordered by weight, ties in vocabulary order.
    pub(crate) fn coherent_words(&self, weights: &CsrMatrix<f64>, ids: &[i32], n: usize) -> TopicWords {
        let candidates: Vec<Vec<(usize, f64)>> =
            (0..ids.len()).into_par_iter().map(|row| top_terms(weights, row, CANDIDATES.max(n))).collect();
        let occurrences = self.documents().occurrences();
        let words = |marks: &mut Vec<u64>, candidates: &Vec<(usize, f64)>| {
            let chosen = chosen(candidates, n, occurrences, marks);
            let word = |&place: &usize| {
                let (term, weight) = *candidates.get(place)?;
                Some((self.vocabulary.get(term)?.clone(), weight))
            };
            chosen.iter().filter_map(word).collect()
        };
        let of_topics: Vec<_> =
            candidates.par_iter().with_max_len(8).map_init(|| vec![0; self.document_terms().rows()], words).collect();
        ids.iter().copied().zip(of_topics).collect()
    }
}

/// The places of the `n` chosen ones among `candidates`, ascending.
fn chosen(candidates: &[(usize, f64)], n: usize, occurrences: &Occurrences, marks: &mut [u64]) -> Vec<usize> {
    let all = candidates.len();
    let best = candidates.first().map_or(0.0, |&(_, weight)| weight);
    if all <= n || best <= 0.0 {
        return (0..all.min(n)).collect();
    }
    let terms: Vec<u32> = candidates.iter().map(|&(term, _)| term as u32).collect();
    let npmi = occurrences.npmi_of_pairs(&terms, marks);
    let weight: Vec<f64> = candidates.iter().map(|&(_, weight)| weight / best).collect();
    let mut left: Vec<usize> = (0..all).collect();
    let mut chosen = Vec::with_capacity(n);
    // The sum of weight times NPMI, over the words chosen so far; of the first, over all.
    let mut sums: Vec<f64> = (0..all).map(|a| (0..all).map(|b| weight[b] * npmi[a * all + b]).sum()).collect();
    let mut total: f64 = weight.iter().sum();
    while chosen.len() < n {
        let value = |place: usize| (1.0 - COHERENCE) * weight[place] + COHERENCE * sums[place] / total;
        let Some(at) = (0..left.len()).max_by(|&a, &b| value(left[a]).total_cmp(&value(left[b])).then(b.cmp(&a)))
        else {
            break;
        };
        let word = left.remove(at);
        if chosen.is_empty() {
            sums.iter_mut().for_each(|sum| *sum = 0.0);
            total = 0.0;
        }
        chosen.push(word);
        total += weight[word];
        sums.iter_mut().enumerate().for_each(|(other, sum)| *sum += weight[word] * npmi[other * all + word]);
    }
    chosen.sort_unstable();
    chosen
}
