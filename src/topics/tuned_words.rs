//! The words of a topic in one part after another, tuned by the part before and by the topic as a whole.

use super::TopicTerms;
use super::terms::{Weighed, WordWeighting};

/// How the words of parts are tuned; BERTopic's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tuning {
    /// By the mean with the weights of the part before.
    pub(crate) evolution: bool,
    /// By the mean with the weights of the topic.
    pub(crate) global: bool,
}

/// The words of the parts of topics.
pub(crate) struct TunedWords<'a> {
    pub(crate) terms: &'a TopicTerms,
    pub(crate) weighting: &'a WordWeighting<'a>,
    /// The weights of the parts.
    pub(crate) parts: &'a Weighed,
    pub(crate) tuning: Tuning,
    /// The number of words.
    pub(crate) n: usize,
}

impl TunedWords<'_> {
    /// The words of one topic (a row of its weights) in its parts, best first, ties in vocabulary order. Each part comes
    /// with whether it directly follows the one before.
    ///
    /// With w the weights of a part, divided by their sum, v those of the topic, and p what became of w in the part before
    /// if it directly precedes: w becomes (w + p) / 2 by evolution tuning, and then (w + v) / 2 by global tuning.
    pub(crate) fn of_topic(&self, topic: usize, parts: impl Iterator<Item = (usize, bool)>) -> Vec<Vec<String>> {
        let (columns, global) = self.weighting.topics().weights.row(topic);
        let divisor = if self.is_tuned() { sum(global) } else { 1.0 };
        let global: Vec<f64> = global.iter().map(|weight| weight / divisor).collect();
        let (mut current, mut before) = (vec![0.0; columns.len()], vec![0.0; columns.len()]);
        let words = |(part, follows): (usize, bool)| {
            current.fill(0.0);
            self.add(part, columns, &mut current);
            if self.tuning.evolution && follows {
                current.iter_mut().zip(&before).for_each(|(weight, before)| *weight = (*weight + before) / 2.0);
            }
            if self.tuning.global {
                current.iter_mut().zip(&global).for_each(|(weight, global)| *weight = (global + *weight) / 2.0);
            }
            let best = best(&current, self.n);
            std::mem::swap(&mut current, &mut before);
            let word = |place: usize| {
                let column = columns.get(place).map_or(0, |&column| column as usize);
                self.terms.vocabulary.get(self.weighting.topics().shown(topic, column)).cloned()
            };
            best.into_iter().filter_map(word).collect()
        };
        parts.map(words).collect()
    }

    fn is_tuned(&self) -> bool {
        self.tuning.evolution || self.tuning.global
    }

    /// Adds the weights of a part to those of the topic's columns.
    fn add(&self, part: usize, columns: &[u32], to: &mut [f64]) {
        let (terms, weights) = self.parts.weights.row(part);
        let divisor = if self.is_tuned() { sum(weights) } else { 1.0 };
        let mut from = 0;
        for (term, weight) in terms.iter().zip(weights) {
            from += columns.get(from..).unwrap_or_default().partition_point(|column| column < term);
            if columns.get(from) == Some(term) {
                to[from] = weight / divisor;
            }
        }
    }
}

/// The sum of the absolute values; 1 of zeros.
fn sum(weights: &[f64]) -> f64 {
    let sum: f64 = weights.iter().map(|weight| weight.abs()).sum();
    if sum > 0.0 { sum } else { 1.0 }
}

/// The places of the `n` largest positive weights, largest first, ties by place.
fn best(weights: &[f64], n: usize) -> Vec<usize> {
    let mut best: Vec<usize> = Vec::with_capacity(n + 1);
    for (place, &weight) in weights.iter().enumerate() {
        let is_worse = best.len() == n && best.last().is_some_and(|&last| weights[last] >= weight);
        if weight <= 0.0 || n == 0 || is_worse {
            continue;
        }
        best.insert(best.partition_point(|&other| weights[other] >= weight), place);
        best.truncate(n);
    }
    best
}
