//! Coherence by whole texts, from the counts of their terms: no text is read.

use rayon::prelude::*;

use super::{mean, pair_npmi};
use crate::linalg::sparse::{CsrMatrix, transpose};

/// Terms that are compared at a time: one bit each.
const BLOCK: usize = u64::BITS as usize;

/// How well the terms of each topic belong together: like [`npmi`](super::npmi), but words occur together if they are in
/// the same text, at any distance. `counts` has a row for each text and a column for each term; `topics` are lists of
/// columns. `None` for a topic with fewer than two terms that occur.
///
/// Values are higher than those of windows, and rank topics alike; this takes milliseconds, and no texts.
///
/// ```
/// use topicframe::measure::document_npmi;
/// use topicframe::prelude::*;
///
/// let texts = ["the cat and the dog", "a dog, a cat", "a fast train", "a train"];
/// let vectorizer = CountVectorizer::new().stop_words(StopWords::English);
/// let counts = vectorizer.fit_transform(&texts, &Progress::silent())?.counts;
/// // The columns are cat, dog, fast, train.
/// let coherence = document_npmi(&counts, &[vec![0, 1], vec![1, 3], vec![2]]);
/// assert!(coherence[0] > Some(0.99) && coherence[1] < Some(-0.9));
/// assert_eq!(coherence[2], None);
/// # Ok::<(), Error>(())
/// ```
pub fn document_npmi(counts: &CsrMatrix<u32>, topics: &[Vec<u32>]) -> Vec<Option<f64>> {
    let mut is_wanted = vec![false; counts.cols()];
    for &term in topics.iter().flatten() {
        if let Some(wanted) = is_wanted.get_mut(term as usize) {
            *wanted = true;
        }
    }
    Occurrences::new(counts, |term| is_wanted[term as usize]).npmi(topics)
}

/// The texts in which terms occur.
#[derive(Debug, Clone)]
pub(crate) struct Occurrences {
    texts: usize,
    /// The start of each term in `of_terms`, with one more entry than there are terms.
    starts: Vec<usize>,
    /// The texts that contain each term, ascending.
    of_terms: Vec<u32>,
}

impl Occurrences {
    /// Where the terms (columns) that are wanted occur in the texts (rows).
    pub(crate) fn new(counts: &CsrMatrix<u32>, is_wanted: impl Fn(u32) -> bool) -> Self {
        let wanted = |text| counts.row(text).0.iter().filter(|&&term| is_wanted(term)).map(|&term| (term, ()));
        let columns = transpose(counts.rows(), counts.cols(), wanted);
        Occurrences { texts: counts.rows(), starts: columns.starts, of_terms: columns.rows }
    }

    /// The texts that contain a term; none for a term that is not a column.
    fn of(&self, term: u32) -> &[u32] {
        match self.starts.get(term as usize..term as usize + 2) {
            Some(&[start, end]) => &self.of_terms[start..end],
            _ => &[],
        }
    }

    /// The mean NPMI of each topic's pairs of terms; `None` if fewer than two of its terms occur.
    pub(crate) fn npmi(&self, topics: &[Vec<u32>]) -> Vec<Option<f64>> {
        let of_topic = |marks: &mut Vec<u64>, topic: &Vec<u32>| self.npmi_of(topic, marks);
        topics.par_iter().with_min_len(8).map_init(|| vec![0; self.texts], of_topic).collect()
    }

    /// The mean NPMI of one topic's pairs of terms. `marks` has a zero for each text, before and after.
    pub(crate) fn npmi_of(&self, topic: &[u32], marks: &mut [u64]) -> Option<f64> {
        let occurs = |term: &u32| !self.of(*term).is_empty();
        let terms: Vec<u32> = topic.iter().copied().filter(occurs).collect();
        let npmi = self.npmi_of_pairs(&terms, marks);
        mean((0..terms.len()).flat_map(|a| (0..a).map(move |b| (a, b))).map(|(a, b)| npmi[a * terms.len() + b]))
    }

    /// The NPMI of each pair of `terms`, row by row: symmetric, with 0 for a term and itself, and for terms that occur
    /// in no text. `marks` has a zero for each text, before and after.
    pub(crate) fn npmi_of_pairs(&self, terms: &[u32], marks: &mut [u64]) -> Vec<f64> {
        let texts: Vec<&[u32]> = terms.iter().map(|&term| self.of(term)).collect();
        let together = together(&texts, marks);
        let mut npmi = vec![0.0; texts.len() * texts.len()];
        for a in 0..texts.len() {
            for b in (0..a).filter(|&b| !texts[a].is_empty() && !texts[b].is_empty()) {
                let both = together[a * texts.len() + b];
                let of_pair = pair_npmi(both, texts[a].len() as u64, texts[b].len() as u64, self.texts as u64);
                npmi[a * texts.len() + b] = of_pair;
                npmi[b * texts.len() + a] = of_pair;
            }
        }
        npmi
    }
}

/// The number of texts that each list has in common with the ones before it, row by row. `marks` has a zero for each
/// text, before and after.
fn together(texts: &[&[u32]], marks: &mut [u64]) -> Vec<u64> {
    let mut together = vec![0_u64; texts.len() * texts.len()];
    for first in (0..texts.len()).step_by(BLOCK) {
        for (term, &occurs_in) in texts.iter().enumerate().skip(first) {
            let counts = &mut together[term * texts.len()..];
            let own = if term < first + BLOCK { 1 << (term - first) } else { 0 };
            for &text in occurs_in {
                let mark = &mut marks[text as usize];
                let mut others = *mark;
                while others != 0 {
                    counts[first + others.trailing_zeros() as usize] += 1;
                    others &= others - 1;
                }
                *mark |= own;
            }
        }
        let marked = texts.iter().skip(first).take(BLOCK).copied().flatten();
        marked.for_each(|&text| marks[text as usize] = 0);
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_terms_are_compared_in_blocks() {
        // Text t contains the terms that t + 2 is a multiple of.
        let rows: Vec<Vec<u32>> =
            (2..600_u32).map(|text| (0..150).filter(|term| text.is_multiple_of(term + 1)).collect()).collect();
        let ones: Vec<Vec<u32>> = rows.iter().map(|row| vec![1; row.len()]).collect();
        let counts = CsrMatrix::from_rows(150, rows.iter().zip(&ones).map(|(row, ones)| (&row[..], &ones[..])));
        let topic: Vec<u32> = (0..150).rev().collect();
        let occurs = |term: u32| rows.iter().filter(|row| row.contains(&term)).count() as u64;
        let together = |a: u32, b: u32| rows.iter().filter(|row| row.contains(&a) && row.contains(&b)).count() as u64;
        let pairs = (0..150).flat_map(|a| (0..a).map(move |b| (a, b)));
        let expected = mean(pairs.map(|(a, b)| pair_npmi(together(a, b), occurs(a), occurs(b), 598)));
        let found = document_npmi(&counts, &[topic.clone(), vec![3, 5], topic]);
        assert!((found[0].unwrap() - expected.unwrap()).abs() < 1e-12);
        assert_eq!(found[0], found[2]);
        assert_eq!(found[1], Some(pair_npmi(together(5, 3), occurs(5), occurs(3), 598)));
    }
}
