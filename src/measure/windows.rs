//! Coherence by sliding windows: normalized pointwise mutual information, as in gensim's `c_npmi`.

use rayon::prelude::*;

use super::lexicon::{Lexicon, Occurrence};
use super::{mean, pair_npmi};

mod chance;

pub(crate) use chance::Chance;

/// The number of words in a window, gensim's value for this measure.
const WINDOW: usize = 10;

/// Texts that one thread counts at a time.
const TEXTS: usize = 256;

/// How well the words of each topic belong together: the mean normalized pointwise mutual information of their pairs
/// over windows of ten words that slide through `texts`, -1 to 1 (NPMI; Bouma 2009, Röder, Both and Hinneburg 2015).
///
/// `texts` are split into words, and `topics` are lists of words. The values are those of gensim's
/// `CoherenceModel(coherence="c_npmi")`, including its peculiarities: a text of fewer than ten words is one window, even
/// if it has none; and a word that leaves a window counts as gone even if it occurs in it again. As there, words that no
/// text contains are left out. A phrase, such as `hard drive`, also occurs where its words follow each other. `None` for
/// a topic with fewer than two words that occur.
///
/// The mean over topics is comparable only for the same texts, split in the same way, and the same number of words.
///
/// ```
/// use topicframe::measure::npmi;
///
/// let texts = [vec!["cat", "dog", "sleep"], vec!["dog", "cat"], vec!["fast", "train"], vec!["train", "sleep"]];
/// let coherence = npmi(&texts, &[vec!["cat", "dog"], vec!["cat", "train"], vec!["bird"]]);
/// assert!(coherence[0] > Some(0.99) && coherence[1] < Some(-0.9));  // always and never together
/// assert_eq!(coherence[2], None);
/// ```
pub fn npmi<T: AsRef<str> + Sync, S: AsRef<str>>(texts: &[Vec<T>], topics: &[Vec<S>]) -> Vec<Option<f64>> {
    let mut counts = WindowCounts::new(topics);
    counts.add(texts);
    counts.npmi()
}

/// The windows in which the words of topics occur, alone and together. Texts can be added in parts.
#[derive(Debug)]
pub(crate) struct WindowCounts {
    lexicon: Lexicon,
    /// The terms of each topic.
    topics: Vec<Vec<u32>>,
    /// For each term, the terms that it shares a topic with, ascending, and the numbers of the pairs.
    partners: Vec<Vec<(u32, u32)>>,
    counts: Counts,
    /// The number of words of each text.
    lengths: Vec<u32>,
}

/// Numbers of windows.
#[derive(Debug, Clone, PartialEq)]
struct Counts {
    all: u64,
    /// For each term, how often it occurs.
    occurrences: Vec<u64>,
    of_term: Vec<u64>,
    of_pair: Vec<u64>,
}

impl WindowCounts {
    /// No windows yet.
    pub(crate) fn new<S: AsRef<str>>(topics: &[Vec<S>]) -> Self {
        let (lexicon, topics) = Lexicon::new(topics);
        let terms = topics.iter().flatten().max().map_or(0, |&last| last as usize + 1);
        let mut pairs: Vec<(u32, u32)> = topics.iter().flat_map(|topic| pairs_of(topic)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut partners = vec![Vec::new(); terms];
        for (&(a, b), number) in pairs.iter().zip(0..) {
            partners[a as usize].push((b, number));
            partners[b as usize].push((a, number));
        }
        partners.iter_mut().for_each(|partners| partners.sort_unstable());
        WindowCounts { lexicon, topics, partners, counts: Counts::zero(terms, pairs.len()), lengths: Vec::new() }
    }

    /// Adds texts that were split into words.
    pub(crate) fn add<T: AsRef<str> + Sync>(&mut self, texts: &[Vec<T>]) {
        let zero = || Counts::zero(self.counts.of_term.len(), self.counts.of_pair.len());
        let count = |mut counts: Counts, texts: &[Vec<T>]| {
            let (mut numbers, mut found) = (Vec::new(), Vec::new());
            for text in texts {
                self.lexicon.find(text, &mut numbers, &mut found);
                found.iter().for_each(|found| counts.occurrences[found.term as usize] += 1);
                Sliding { partners: &self.partners, counts: &mut counts, present: Vec::new() }
                    .count(text.len(), &found);
            }
            counts
        };
        let counted = texts.par_chunks(TEXTS).fold(zero, count).reduce(zero, Counts::plus);
        self.counts = std::mem::replace(&mut self.counts, Counts::zero(0, 0)).plus(counted);
        self.lengths.extend(texts.iter().map(|text| u32::try_from(text.len()).unwrap_or(u32::MAX)));
    }

    /// The mean NPMI of each topic's pairs of words; `None` if fewer than two of its words occur.
    pub(crate) fn npmi(&self) -> Vec<Option<f64>> {
        self.npmi_by(&self.counts)
    }

    /// The same by other `counts` of the same terms.
    fn npmi_by(&self, counts: &Counts) -> Vec<Option<f64>> {
        self.topics.iter().map(|topic| self.npmi_of(topic, counts)).collect()
    }

    fn npmi_of(&self, topic: &[u32], counts: &Counts) -> Option<f64> {
        let windows = |term: u32| counts.of_term[term as usize];
        let known: Vec<u32> = topic.iter().copied().filter(|&term| windows(term) > 0).collect();
        let together = |a: u32, b: u32| match pair(&self.partners, a, b) {
            Some(pair) => counts.of_pair[pair as usize],
            // A topic that has the same word twice.
            None => windows(a),
        };
        let of_pair = |(a, b): (u32, u32)| pair_npmi(together(a, b), windows(a), windows(b), counts.all);
        let pairs = known.iter().enumerate().flat_map(|(i, &b)| known[..i].iter().map(move |&a| (a, b)));
        mean(pairs.map(of_pair))
    }
}

/// The pairs of different terms, the smaller one first.
fn pairs_of(topic: &[u32]) -> impl Iterator<Item = (u32, u32)> + '_ {
    let pairs = topic.iter().enumerate().flat_map(|(i, &b)| topic[..i].iter().map(move |&a| (a.min(b), a.max(b))));
    pairs.filter(|(a, b)| a != b)
}

fn pair(partners: &[Vec<(u32, u32)>], a: u32, b: u32) -> Option<u32> {
    let partners = &partners[a as usize];
    partners.binary_search_by_key(&b, |&(other, _)| other).ok().map(|place| partners[place].1)
}

impl Counts {
    fn zero(terms: usize, pairs: usize) -> Self {
        Counts { all: 0, occurrences: vec![0; terms], of_term: vec![0; terms], of_pair: vec![0; pairs] }
    }

    fn plus(mut self, other: Counts) -> Counts {
        let add = |to: &mut Vec<u64>, from: &[u64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        self.all += other.all;
        add(&mut self.occurrences, &other.occurrences);
        add(&mut self.of_term, &other.of_term);
        add(&mut self.of_pair, &other.of_pair);
        self
    }
}

/// The window that slides through a text. Terms are counted when they leave, for all windows since they came.
struct Sliding<'a> {
    partners: &'a [Vec<(u32, u32)>],
    counts: &'a mut Counts,
    /// The terms in the window, and the first window that they are in.
    present: Vec<(u32, u64)>,
}

impl Sliding<'_> {
    /// Counts the windows of a text of `words` words, in which the terms are `found`, by position.
    fn count(&mut self, words: usize, found: &[Occurrence]) {
        let windows = words.saturating_sub(WINDOW - 1).max(1);
        self.counts.all += windows as u64;
        let (first, later) = found.split_at(found.partition_point(|found| found.position < WINDOW));
        first.iter().for_each(|found| self.enter(found.term, 0));
        let mut leaving = found.iter().map(|found| (found.position + 1, found.term)).peekable();
        // In a window, what leaves goes before the next word comes.
        for (window, term) in later.iter().map(|found| (found.position + 1 - WINDOW, found.term)) {
            while let Some((gone, term)) = leaving.next_if(|&(gone, _)| gone <= window) {
                self.leave(term, gone as u64);
            }
            self.enter(term, window as u64);
        }
        while let Some((gone, term)) = leaving.next_if(|&(gone, _)| gone < windows) {
            self.leave(term, gone as u64);
        }
        while let Some(&(term, _)) = self.present.last() {
            self.leave(term, windows as u64);
        }
    }

    fn enter(&mut self, term: u32, window: u64) {
        if self.present.iter().all(|&(other, _)| other != term) {
            self.present.push((term, window));
        }
    }

    /// The term is in no window from `window` on.
    fn leave(&mut self, term: u32, window: u64) {
        let Some(place) = self.present.iter().position(|&(other, _)| other == term) else { return };
        let (_, since) = self.present.swap_remove(place);
        self.counts.of_term[term as usize] += window - since;
        for &(other, other_since) in &self.present {
            if let Some(pair) = pair(self.partners, term, other) {
                self.counts.of_pair[pair as usize] += window - since.max(other_since);
            }
        }
    }
}
