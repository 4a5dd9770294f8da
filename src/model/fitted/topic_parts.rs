//! The rows of topics in parts: of one month, or of one class.

use rayon::prelude::*;

use super::FittedTopicModel;
use crate::cluster::OUTLIER;
use crate::error::Result;
use crate::topics::{TunedWords, Tuning};

/// The number of words, as in BERTopic.
pub(super) const WORDS: usize = 5;

/// The largest table that is made.
pub(super) const MOST_CELLS: usize = 20_000_000;

/// Rows by a key, which a row may have several of.
pub(super) struct Parts {
    /// The distinct keys, ascending.
    pub(super) keys: Vec<usize>,
    /// The number of rows of each key.
    pub(super) sizes: Vec<u64>,
    /// Each row with the place of its key.
    members: Vec<(usize, usize)>,
}

impl Parts {
    /// Of rows with their keys.
    pub(super) fn of(mut members: Vec<(usize, usize)>) -> Self {
        let mut keys: Vec<usize> = members.iter().map(|&(_, key)| key).collect();
        keys.par_sort_unstable();
        keys.dedup();
        let mut sizes = vec![0; keys.len()];
        for (_, key) in &mut members {
            *key = keys.binary_search(key).unwrap_or_default();
            if let Some(size) = sizes.get_mut(*key) {
                *size += 1;
            }
        }
        Parts { keys, sizes, members }
    }
}

impl FittedTopicModel {
    /// The words of each part, joined by commas. `topic_of` has the place of a part's topic among
    /// [`topic_ids`](Self::topic_ids), and `follows` whether a part directly follows the one before, which is of the same
    /// topic. Where no words are counted, those of the topic.
    pub(super) fn words_of_parts(
        &self,
        parts: &Parts,
        topic_of: impl Fn(usize) -> usize + Sync,
        follows: impl Fn(usize) -> bool + Sync,
        tuning: Tuning,
    ) -> Result<Vec<String>> {
        let terms = &*self.topics.terms;
        if !terms.has_documents() {
            let ids = self.topic_ids();
            let of_topic = |id: &i32| {
                let words = self.topics.description.words.get(id).into_iter().flatten();
                words.take(WORDS).map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(", ")
            };
            let of_topics: Vec<String> = ids.iter().map(of_topic).collect();
            let words = |part: usize| of_topics.get(topic_of(part)).cloned().unwrap_or_default();
            return Ok((0..parts.keys.len()).map(words).collect());
        }
        let weighting = terms.word_weighting()?;
        let weighed = weighting.parts(&parts.members, parts.keys.len())?;
        let tuned = TunedWords { terms, weighting: &weighting, parts: &weighed, tuning, n: WORDS };
        // Parts of one topic one after the other.
        let mut starts: Vec<usize> =
            (0..parts.keys.len()).filter(|&part| part == 0 || topic_of(part) != topic_of(part - 1)).collect();
        starts.push(parts.keys.len());
        let of_topic = |bounds: &[usize]| match bounds {
            &[start, end] => tuned.of_topic(topic_of(start), (start..end).map(|part| (part, follows(part)))),
            _ => Vec::new(),
        };
        let words: Vec<Vec<Vec<String>>> = starts.par_windows(2).with_max_len(1).map(of_topic).collect();
        Ok(words.into_iter().flatten().map(|words| words.join(", ")).collect())
    }

    /// The place of each row's topic among the `ids`.
    pub(super) fn topic_places(&self, ids: &[i32]) -> Vec<usize> {
        let place = |topic: &i32| ids.binary_search(topic).or_else(|_| ids.binary_search(&OUTLIER)).unwrap_or_default();
        self.topics.assignment.topics.iter().map(place).collect()
    }
}
