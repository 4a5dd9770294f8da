//! The history of topics.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::cluster::OUTLIER;

/// One edit of the topics: where the rows of every previous topic went.
///
/// ```
/// use topicframe::prelude::*;
/// # let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
/// # let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
/// # let topics = model.fit(&posts)?;
///
/// let merged = topics.merge_topics(&[&[0, 1]])?;
/// let history = merged.history();
/// let edit = &history[0];
/// assert_eq!(edit.edit, "merge_topics");
/// assert_eq!([edit.successor(0), edit.successor(1), edit.successor(2)], [0, 0, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Regrouping {
    /// The method that was called, such as `merge_topics`.
    pub edit: String,
    /// For each previous topic: the new topics that contain its rows, with the number of rows.
    pub destinations: BTreeMap<i32, BTreeMap<i32, usize>>,
}

impl Regrouping {
    /// The record of an edit that moved each row from its topic in `before` to that in `after`.
    pub(crate) fn new(edit: &str, before: &[i32], after: &[i32]) -> Self {
        let mut pairs = HashMap::<(i32, i32), usize>::new();
        for (&from, &to) in before.iter().zip(after) {
            *pairs.entry((from, to)).or_insert(0) += 1;
        }
        let mut destinations = BTreeMap::<i32, BTreeMap<i32, usize>>::new();
        for ((from, to), rows) in pairs {
            destinations.entry(from).or_default().insert(to, rows);
        }
        Regrouping { edit: edit.to_owned(), destinations }
    }

    /// The new topic with most rows of `topic`, ties by id; -1 for a topic without rows.
    pub fn successor(&self, topic: i32) -> i32 {
        let parts = self.destinations.get(&topic).into_iter().flatten();
        parts.max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0))).map_or(OUTLIER, |(&successor, _)| successor)
    }

    /// As [`successor`](Self::successor), but outliers do not count, if some of the rows are in topics: what a topic is
    /// called afterwards, and where its label goes. -1 if all of them are outliers, and for -1.
    pub fn heir(&self, topic: i32) -> i32 {
        if topic == OUTLIER {
            return OUTLIER;
        }
        let parts = self.destinations.get(&topic).into_iter().flatten().filter(|(to, _)| **to != OUTLIER);
        parts.max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0))).map_or(OUTLIER, |(&heir, _)| heir)
    }

    /// The topics whose rows did not change: maps previous to new ids.
    pub(crate) fn unchanged(&self) -> BTreeMap<i32, i32> {
        let mut sources = BTreeMap::<i32, usize>::new();
        for &to in self.destinations.values().flat_map(BTreeMap::keys) {
            *sources.entry(to).or_insert(0) += 1;
        }
        let whole = |(&from, parts): (&i32, &BTreeMap<i32, usize>)| match parts.first_key_value() {
            Some((&to, _)) if parts.len() == 1 && sources.get(&to) == Some(&1) => Some((from, to)),
            _ => None,
        };
        self.destinations.iter().filter_map(whole).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_heirs_and_topics_that_stayed() {
        let edit = Regrouping::new("merge_topics", &[0, 0, 0, 1, 1, 2, -1], &[0, 0, 1, 1, 1, 2, 2]);
        assert_eq!(
            [edit.successor(0), edit.successor(1), edit.successor(2), edit.successor(-1), edit.successor(7)],
            [0, 1, 2, 2, -1]
        );
        assert_eq!(edit.unchanged(), BTreeMap::new());
        let edit = Regrouping::new("merge_topics", &[0, 1, 1, 2], &[1, 0, 0, 1]);
        assert_eq!(edit.unchanged(), BTreeMap::from([(1, 0)]));
    }
}
