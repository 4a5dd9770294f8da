//! Coherence by whole texts, from the counts of their terms: no text is read.

use rayon::prelude::*;

use super::{mean, pair_npmi};
use crate::linalg::sparse::CsrMatrix;

/// Texts that one thread reads at a time.
const TEXTS: usize = 4096;

/// The place of a term that is not looked for.
const NONE: u32 = u32::MAX;

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
    Occurrences::new(counts, topics.iter().flatten().copied()).npmi(topics)
}

/// The texts in which terms occur.
#[derive(Debug)]
pub(crate) struct Occurrences {
    texts: usize,
    /// For each term (column), its place in `of_term`, or `NONE`.
    places: Vec<u32>,
    /// The texts that contain a term, ascending.
    of_term: Vec<Vec<u32>>,
}

impl Occurrences {
    /// Where some `terms` (columns) occur in the texts (rows).
    pub(crate) fn new(counts: &CsrMatrix<u32>, terms: impl Iterator<Item = u32>) -> Self {
        let (mut places, mut used) = (vec![NONE; counts.cols()], 0_u32);
        for term in terms {
            if let Some(place) = places.get_mut(term as usize).filter(|place| **place == NONE) {
                *place = used;
                used += 1;
            }
        }
        let in_texts = |first: usize| {
            let mut found = vec![Vec::new(); used as usize];
            for text in first..(first + TEXTS).min(counts.rows()) {
                for place in counts.row(text).0.iter().map(|&term| places[term as usize]) {
                    if place != NONE {
                        found[place as usize].push(text as u32);
                    }
                }
            }
            found
        };
        let parts = counts.rows().div_ceil(TEXTS);
        let parts: Vec<Vec<Vec<u32>>> = (0..parts).into_par_iter().map(|part| in_texts(part * TEXTS)).collect();
        let of_place = |place: usize| parts.iter().flat_map(|part| part[place].iter().copied()).collect();
        let of_term = (0..used as usize).map(of_place).collect();
        Occurrences { texts: counts.rows(), places, of_term }
    }

    /// The texts that contain `term`; none for a term that is not known.
    fn texts_of(&self, term: u32) -> &[u32] {
        let place = self.places.get(term as usize).copied().unwrap_or(NONE);
        self.of_term.get(place as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// The mean NPMI of each topic's pairs of terms; `None` if fewer than two of its terms occur.
    pub(crate) fn npmi(&self, topics: &[Vec<u32>]) -> Vec<Option<f64>> {
        let of_topic = |marks: &mut Vec<u64>, topic: &Vec<u32>| self.npmi_of(topic, marks);
        topics.par_iter().with_min_len(8).map_init(|| vec![0; self.texts], of_topic).collect()
    }

    /// `marks` has a zero for each text, before and after.
    fn npmi_of(&self, topic: &[u32], marks: &mut [u64]) -> Option<f64> {
        let texts = topic.iter().map(|&term| self.texts_of(term)).filter(|texts| !texts.is_empty());
        let texts: Vec<&[u32]> = texts.collect();
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
        let occurs_in = |term: usize| texts[term].len() as u64;
        let of_pair = |a: usize, b: usize| {
            pair_npmi(together[a * texts.len() + b], occurs_in(a), occurs_in(b), self.texts as u64)
        };
        mean((0..texts.len()).flat_map(|a| (0..a).map(move |b| (a, b))).map(|(a, b)| of_pair(a, b)))
    }
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
