//! What the coherence of words would be by chance.

use rayon::prelude::*;

use super::{Counts, Sliding, TEXTS, WindowCounts};
use crate::linalg::mix::mix;
use crate::measure::lexicon::Occurrence;
use crate::measure::mean;

/// How often occurrences are placed anew.
const SHUFFLES: u64 = 5;

/// The coherence of a topic's words by chance: that of words as frequent as these whose occurrences are anywhere in the
/// texts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Chance {
    /// The mean of several shuffles.
    pub(crate) mean: f64,
    /// The highest of them.
    pub(crate) highest: f64,
}

impl WindowCounts {
    /// The coherence of each topic by chance, by placing each occurrence of its words at random; `None` if fewer than two
    /// of them occur. `check` is called between the shuffles, and its error ends the work.
    pub(crate) fn by_chance<E>(&self, seed: u64, check: impl Fn() -> Result<(), E>) -> Result<Vec<Option<Chance>>, E> {
        let mut starts = Vec::with_capacity(self.lengths.len() + 1);
        let mut words = 0_u64;
        for &length in &self.lengths {
            starts.push(words);
            words += u64::from(length);
        }
        starts.push(words);
        let mut shuffles = Vec::with_capacity(SHUFFLES as usize);
        for shuffle in 0..SHUFFLES {
            check()?;
            shuffles.push(self.npmi_by(&self.shuffled(&starts, mix(seed, shuffle))));
        }
        let of_topic = |topic: usize| {
            let found = shuffles.iter().filter_map(|npmi| npmi[topic]);
            Some(Chance { mean: mean(found.clone())?, highest: found.reduce(f64::max)? })
        };
        Ok((0..self.topics.len()).map(of_topic).collect())
    }

    /// The counts after each occurrence of a term was moved to a random place in the texts, which begin at `starts`.
    fn shuffled(&self, starts: &[u64], seed: u64) -> Counts {
        let words = starts.last().copied().unwrap_or(0).max(1);
        let place = |term: u32| {
            let seed = mix(seed, u64::from(term));
            (0..self.counts.occurrences[term as usize]).map(move |nth| (mix(seed, nth) % words, term))
        };
        let mut placed: Vec<(u64, u32)> = (0..self.counts.occurrences.len() as u32).flat_map(place).collect();
        placed.par_sort_unstable();
        let zero = || Counts::zero(self.counts.of_term.len(), self.counts.of_pair.len());
        let count = |mut counts: Counts, first: usize| {
            let last = (first + TEXTS).min(self.lengths.len());
            let from = placed.partition_point(|&(place, _)| place < starts[first]);
            let mut rest = &placed[from..];
            let mut found = Vec::new();
            for text in first..last {
                let (inside, after) =
                    rest.split_at(rest.iter().take_while(|placed| placed.0 < starts[text + 1]).count());
                rest = after;
                found.clear();
                found.extend(
                    inside.iter().map(|&(place, term)| Occurrence { position: (place - starts[text]) as usize, term }),
                );
                let mut sliding = Sliding { partners: &self.partners, counts: &mut counts, present: Vec::new() };
                sliding.count(self.lengths[text] as usize, &found);
            }
            counts
        };
        let firsts: Vec<usize> = (0..self.lengths.len()).step_by(TEXTS).collect();
        firsts.into_par_iter().fold(zero, count).reduce(zero, Counts::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chance(texts: &[Vec<&str>], topics: &[Vec<&str>]) -> (Vec<Option<f64>>, Vec<Option<Chance>>) {
        let mut counts = WindowCounts::new(topics);
        texts.chunks(7).for_each(|texts| counts.add(texts));
        (counts.npmi(), counts.by_chance(3, || Ok::<(), ()>(())).unwrap())
    }

    #[test]
    fn words_that_belong_together_are_more_coherent_than_by_chance() {
        let texts: Vec<Vec<&str>> = (0..400)
            .map(|text| {
                let about = if text % 2 == 0 { ["cat", "dog", "pet"] } else { ["train", "rail", "bus"] };
                let filler = ["one", "two", "three", "four"][text % 4];
                [about[text % 3], filler, about[(text + 1) % 3], "old hat"].to_vec()
            })
            .collect();
        let (found, by_chance) =
            chance(&texts, &[vec!["cat", "dog", "pet"], vec!["cat", "train", "old hat"], vec!["no"]]);
        let of = |topic: usize| by_chance[topic].unwrap();
        assert!(found[0].unwrap() > of(0).highest + 0.05, "{found:?} {by_chance:?}");
        assert!(found[1].unwrap() < of(1).highest, "{found:?} {by_chance:?}");
        assert!(by_chance.iter().flatten().all(|chance| chance.mean <= chance.highest && chance.mean.abs() < 0.2));
        assert_eq!((found[2], by_chance[2]), (None, None));
    }

    #[test]
    fn independent_words_are_as_coherent_as_by_chance() {
        let words = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let texts: Vec<Vec<&str>> =
            (0..600_u64).map(|text| (0..12).map(|at| words[(mix(text, at) % 8) as usize]).collect()).collect();
        let (found, by_chance) = chance(&texts, &[words[..4].to_vec()]);
        let chance = by_chance[0].unwrap();
        // A bit less, since no two words are at the same place.
        assert!((found[0].unwrap() - chance.mean).abs() < 0.1, "{found:?} {chance:?}");
        assert_eq!(by_chance, super::tests::chance(&texts, &[words[..4].to_vec()]).1);
    }

    #[test]
    fn no_texts_and_an_error() {
        assert_eq!(chance(&[], &[vec!["a", "b"]]).1, [None]);
        assert_eq!(WindowCounts::new(&[vec!["a"]]).by_chance(1, || Err("stop")), Err("stop"));
    }
}
