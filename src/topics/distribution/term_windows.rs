//! Comparing windows of words with topics, by the words' weights.
//!
//! The cosine of a window to a topic needs, of every word, only what it adds to the products with all topics: a row of
//! the sparse matrix of terms and topics. So a window is a sum of a few sparse rows.

use rayon::prelude::*;

use super::{ApproximateDistribution, SparseShares, TokenDistribution};
use crate::linalg::sparse::CsrMatrix;
use crate::progress::Task;
use crate::vectorize::{FittedCountVectorizer, TermFinder, TermsOfText};

/// Texts of one thread at a time.
const TEXTS_AT_A_TIME: usize = 32;

/// Texts of all threads at a time: only the result is larger.
const BATCH: usize = 1 << 13;

/// Topics that are left out together if a window is similar to none of them.
const BLOCK: usize = 16;

/// The terms of topics, by term.
pub(crate) struct TermWindows<'a> {
    finder: TermFinder<'a>,
    topics: usize,
    /// The end of each term's entries; the first is 0.
    ends: Vec<usize>,
    /// For each entry, the topic and what an occurrence of the term adds to the product with it.
    entries: Vec<(u32, f64)>,
    /// The same for all topics, of terms that most topics have, and where each term's are: adding up what lies side by
    /// side is faster.
    full: Vec<f64>,
    full_rows: Vec<Option<u32>>,
    idf: Vec<f64>,
    /// The power of a term's number of occurrences.
    power: f64,
}

/// One window after the other.
struct Scratch {
    terms: TermsOfText,
    window: Vec<u32>,
    before: Vec<u32>,
    /// The inner product with each topic.
    products: Vec<f64>,
    /// The topics that the window is similar to, and how similar, as far as that counts.
    found: Vec<(u32, f64)>,
}

impl<'a> TermWindows<'a> {
    /// The topics are the `rows` of `c_tf_idf`; `power` is that of a term's frequency.
    pub(crate) fn new(
        vectorizer: &'a FittedCountVectorizer,
        c_tf_idf: &CsrMatrix<f64>,
        rows: &[usize],
        idf: Vec<f64>,
        power: f64,
    ) -> Self {
        let mut ends = vec![0; c_tf_idf.cols() + 1];
        for &row in rows {
            for &term in c_tf_idf.row(row).0 {
                ends[term as usize + 1] += 1;
            }
        }
        for term in 1..ends.len() {
            ends[term] += ends[term - 1];
        }
        let mut next = ends.clone();
        let mut entries = vec![(0, 0.0); ends.last().copied().unwrap_or_default()];
        for (topic, &row) in (0..).zip(rows) {
            let length = c_tf_idf.norm(row);
            let (terms, weights) = c_tf_idf.row(row);
            for (&term, &weight) in terms.iter().zip(weights).filter(|_| length > 0.0) {
                let place = &mut next[term as usize];
                entries[*place] = (topic, weight / length * idf.get(term as usize).copied().unwrap_or_default());
                *place += 1;
            }
        }
        let windows = TermWindows {
            finder: TermFinder::new(vectorizer),
            topics: rows.len(),
            ends,
            entries,
            full: Vec::new(),
            full_rows: Vec::new(),
            idf,
            power,
        };
        windows.with_full_rows()
    }

    fn with_full_rows(mut self) -> Self {
        let (mut full, mut full_rows) = (Vec::new(), Vec::new());
        for term in 0..self.ends.len().saturating_sub(1) {
            let entries = self.entries_of(term);
            let is_full = 2 * entries.len() > self.topics;
            full_rows.push(is_full.then_some((full.len() / self.topics.max(1)) as u32));
            if is_full {
                let start = full.len();
                full.resize(start + self.topics, 0.0);
                for &(topic, weight) in entries {
                    if let Some(cell) = full.get_mut(start + topic as usize) {
                        *cell = weight;
                    }
                }
            }
        }
        (self.full, self.full_rows) = (full, full_rows);
        self
    }

    /// The shares of the topics in each of `texts`.
    pub(crate) fn shares(
        &self,
        texts: &[Option<&str>],
        settings: &ApproximateDistribution,
        task: &Task,
    ) -> SparseShares {
        let mut shares = SparseShares::default();
        let add = |shares: &mut SparseShares, sums: &[f64]| shares.push(sums);
        self.for_each_batch(texts, settings, task, add, |part| shares.append(part));
        shares
    }

    /// The position of the topic with the largest share of each of `texts`, ties by position, and that share.
    pub(crate) fn largest(
        &self,
        texts: &[Option<&str>],
        settings: &ApproximateDistribution,
        task: &Task,
    ) -> Vec<Option<(usize, f64)>> {
        let mut found = Vec::with_capacity(texts.len());
        let add = |found: &mut Vec<Option<(usize, f64)>>, sums: &[f64]| {
            let largest = sums.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
            let total: f64 = sums.iter().sum();
            found.push(largest.filter(|&(_, sum)| sum > 0.0).map(|(topic, sum)| (topic, sum / total)));
        };
        self.for_each_batch(texts, settings, task, add, |part| found.extend(part));
        found
    }

    /// Passes what was found of each topic in every text to `add`, and the parts that come of it to `join`, in the order of
    /// the texts. Ends early if the task is interrupted.
    fn for_each_batch<P: Default + Send>(
        &self,
        texts: &[Option<&str>],
        settings: &ApproximateDistribution,
        task: &Task,
        add: impl Fn(&mut P, &[f64]) + Sync,
        join: impl FnMut(P),
    ) {
        let of_some = |texts: &[Option<&str>]| {
            let mut part = P::default();
            if task.is_interrupted() {
                return part;
            }
            let (mut scratch, mut sums) = (self.scratch(), vec![0.0; self.topics]);
            for text in texts {
                sums.fill(0.0);
                self.for_each_window(text.unwrap_or_default(), settings, &mut scratch, |_, found| {
                    for &(topic, similarity) in found {
                        if let Some(sum) = sums.get_mut(topic as usize) {
                            *sum += similarity;
                        }
                    }
                });
                add(&mut part, &sums);
            }
            task.advance(texts.len());
            part
        };
        let batches = texts.chunks(BATCH).take_while(|_| !task.is_interrupted());
        let parts = batches.flat_map(|batch| batch.par_chunks(TEXTS_AT_A_TIME).map(of_some).collect::<Vec<P>>());
        parts.for_each(join);
    }

    /// The topics of each word of `text`, which is that of `row`.
    pub(crate) fn tokens(&self, row: usize, text: &str, settings: &ApproximateDistribution) -> TokenDistribution {
        let (as_read, places) = self.finder.words_in(text);
        let mut tokens = TokenDistribution::new(row, as_read, places, self.topics);
        self.for_each_window(text, settings, &mut self.scratch(), |window, found| {
            tokens.add(window, found.iter().map(|&(topic, similarity)| (topic as usize, similarity)));
        });
        tokens
    }

    fn scratch(&self) -> Scratch {
        Scratch {
            terms: TermsOfText::default(),
            window: Vec::new(),
            before: Vec::new(),
            products: vec![0.0; self.topics],
            found: Vec::new(),
        }
    }

    /// Calls `visit` with every window of `text` that has a term, and the topics that it is similar to, as far as that
    /// counts.
    fn for_each_window(
        &self,
        text: &str,
        settings: &ApproximateDistribution,
        scratch: &mut Scratch,
        mut visit: impl FnMut(std::ops::Range<usize>, &[(u32, f64)]),
    ) {
        let Scratch { terms, window, before, products, found } = scratch;
        self.finder.find(text, terms);
        before.clear();
        let mut from = 0;
        for place in settings.windows(terms.words) {
            while terms.found.get(from).is_some_and(|term| (term.first as usize) < place.start) {
                from += 1;
            }
            let rest = terms.found.iter().skip(from);
            let inside = rest.take_while(|term| (term.first as usize) < place.end);
            window.clear();
            window.extend(inside.filter(|term| (term.last as usize) < place.end).map(|term| term.term));
            if window.is_empty() {
                continue;
            }
            window.sort_unstable();
            // With stop words at both ends, the next window often has the same terms.
            if window != before {
                self.compare(window, settings, products, found);
                std::mem::swap(window, before);
            }
            visit(place, found);
        }
    }

    /// The topics that a window with these terms (ascending) is similar to.
    fn compare(
        &self,
        window: &[u32],
        settings: &ApproximateDistribution,
        products: &mut [f64],
        found: &mut Vec<(u32, f64)>,
    ) {
        products.fill(0.0);
        found.clear();
        let mut squares = 0.0;
        for same in window.chunk_by(|a, b| a == b) {
            let term = same.first().map_or(0, |&term| term as usize);
            let times = if same.len() == 1 { 1.0 } else { (same.len() as f64).powf(self.power) };
            squares += (times * self.idf.get(term).copied().unwrap_or_default()).powi(2);
            if let Some(weights) = self.full_row(term) {
                products.iter_mut().zip(weights).for_each(|(product, weight)| *product += times * weight);
                continue;
            }
            for &(topic, weight) in self.entries_of(term) {
                if let Some(product) = products.get_mut(topic as usize) {
                    *product += times * weight;
                }
            }
        }
        let length = squares.sqrt();
        if length <= 0.0 {
            return;
        }
        // Most topics are far below: they are left out before their products are divided, with room for rounding.
        let least = settings.min_similarity * length * (1.0 - 1e-9);
        for (first, block) in (0_u32..).step_by(BLOCK).zip(products.chunks(BLOCK)) {
            if !block.iter().fold(false, |any, &product| any | (product >= least)) {
                continue;
            }
            for (topic, product) in (first..).zip(block) {
                let similarity = settings.counted(product / length);
                if similarity > 0.0 {
                    found.push((topic, similarity));
                }
            }
        }
    }

    fn full_row(&self, term: usize) -> Option<&[f64]> {
        let start = (*self.full_rows.get(term)?)? as usize * self.topics;
        self.full.get(start..start + self.topics)
    }

    fn entries_of(&self, term: usize) -> &[(u32, f64)] {
        let (start, end) = (self.ends.get(term), self.ends.get(term + 1));
        start.zip(end).and_then(|(&start, &end)| self.entries.get(start..end)).unwrap_or_default()
    }
}
