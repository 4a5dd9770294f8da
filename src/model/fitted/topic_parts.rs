//! The rows of topics in parts: of one month, or of one class.

use std::ops::Range;

use rayon::prelude::*;

use super::FittedTopicModel;
use crate::cluster::OUTLIER;
use crate::error::{Result, Stage};
use crate::topics::{TunedWords, Tuning};

/// The number of words, as in BERTopic.
pub(super) const WORDS: usize = 5;

/// The largest table that is made: about a gigabyte.
pub(super) const MOST_CELLS: usize = 5_000_000;

/// Rows whose words are counted at a time, unless a topic has more, which bounds memory.
const ROWS_AT_A_TIME: usize = 1 << 14;

/// Rows by a key, which a row may have several of.
pub(super) struct Parts {
    /// The distinct keys, ascending.
    pub(super) keys: Vec<usize>,
    /// The number of rows of each key.
    pub(super) sizes: Vec<u64>,
    /// Each row with the place of its key, by key.
    members: Vec<(usize, usize)>,
    /// The end of each key's members.
    ends: Vec<usize>,
}

impl Parts {
    /// Of rows with their keys.
    pub(super) fn of(mut members: Vec<(usize, usize)>) -> Self {
        members.par_sort_unstable_by_key(|&(row, key)| (key, row));
        let (mut keys, mut sizes, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for of_key in members.chunk_by_mut(|a, b| a.1 == b.1) {
            let place = keys.len();
            keys.extend(of_key.first().map(|&(_, key)| key));
            sizes.push(of_key.len() as u64);
            ends.push(ends.last().copied().unwrap_or(0) + of_key.len());
            of_key.iter_mut().for_each(|(_, key)| *key = place);
        }
        Parts { keys, sizes, members, ends }
    }

    /// The rows of some parts, each with the place of its part among these.
    fn members_of(&self, parts: &Range<usize>) -> Vec<(usize, usize)> {
        let members = self.members.get(self.start(parts.start)..self.start(parts.end)).unwrap_or_default();
        members.iter().map(|&(row, part)| (row, part - parts.start)).collect()
    }

    /// The first member of a part.
    fn start(&self, part: usize) -> usize {
        part.checked_sub(1).and_then(|before| self.ends.get(before).copied()).unwrap_or(0)
    }

    fn rows_in(&self, parts: &Range<usize>) -> usize {
        self.start(parts.end) - self.start(parts.start)
    }

    /// The parts of each topic, which follow each other.
    fn of_topics(&self, topic_of: impl Fn(usize) -> usize) -> Vec<Range<usize>> {
        let starts = (0..self.keys.len()).filter(|&part| part == 0 || topic_of(part) != topic_of(part - 1));
        let starts: Vec<usize> = starts.chain([self.keys.len()]).collect();
        starts.windows(2).map(|bounds| bounds[0]..bounds[1]).collect()
    }
}

impl FittedTopicModel {
    /// The words of each part, joined by commas; `task` names the work. `topic_of` has the place of a part's topic among
    /// [`topic_ids`](Self::topic_ids), and `follows` whether a part directly follows the one before, which is of the same
    /// topic. Where no words are counted, those of the topic.
    pub(super) fn words_of_parts(
        &self,
        task: &str,
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
        let task = self.settings.progress.task(Stage::Topics, task, parts.members.len());
        let weighting = terms.word_weighting()?;
        let topics = parts.of_topics(&topic_of);
        let mut words = Vec::with_capacity(parts.keys.len());
        let mut rest = &topics[..];
        while let Some(first) = rest.first().filter(|_| !task.is_interrupted()) {
            let fits = |topic: &&Range<usize>| parts.rows_in(&(first.start..topic.end)) <= ROWS_AT_A_TIME;
            let (some, others) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            let all = first.start..some.last().map_or(first.end, |last| last.end);
            let weighed = weighting.parts(&parts.members_of(&all), all.len())?;
            let tuned = TunedWords { terms, weighting: &weighting, parts: &weighed, tuning, n: WORDS };
            let of_topic = |topic: &Range<usize>| {
                let own = topic.clone().take_while(|_| !task.is_interrupted());
                let own = own.map(|part| (part - all.start, follows(part)));
                tuned.of_topic(topic_of(topic.start), own)
            };
            let found: Vec<Vec<Vec<String>>> = some.par_iter().with_max_len(1).map(of_topic).collect();
            words.extend(found.into_iter().flatten().map(|words| words.join(", ")));
            task.advance(parts.rows_in(&all));
            rest = others;
        }
        task.finish()?;
        Ok(words)
    }

    /// The place of each row's topic among the `ids`.
    pub(super) fn topic_places(&self, ids: &[i32]) -> Vec<usize> {
        let place = |topic: &i32| ids.binary_search(topic).or_else(|_| ids.binary_search(&OUTLIER)).unwrap_or_default();
        self.topics.assignment.topics.iter().map(place).collect()
    }
}
