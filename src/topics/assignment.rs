//! Mapping clusters to topic ids: the largest cluster is topic 0.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;

mod saved;

use super::Regrouping;
use super::outliers::{Admission, Outliers};
use crate::cluster::{Clustering, OUTLIER};

/// The placement of a row, before it is mapped to a topic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    /// The same as this row of the fit, which has the same vector.
    Known(usize),
    /// In the cluster with this label, with this membership strength.
    New(i32, f64),
}

/// A row without a runner-up, or with one that is not known.
pub(super) const NO_RUNNER_UP: (i32, f64) = (OUTLIER, 0.0);

/// The topic of every row of the frame, and the mapping from clusters to topics.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    /// The topic of each row; -1 for outliers and for rows that were not clustered.
    pub(crate) topics: Vec<i32>,
    /// The membership strength of each row, 0 to 1; empty if it is not known.
    pub(crate) probabilities: Vec<f64>,
    /// The topic of each row with the second largest membership strength, and that strength; -1 and 0 if there is none.
    /// `None` if the clusterer does not tell.
    pub(crate) runners_up: Option<Vec<(i32, f64)>>,
    /// The number of rows of each topic, by topic id. Those of a model of another program may count more rows than
    /// `topics` has.
    pub(crate) sizes: BTreeMap<i32, usize>,
    /// Cluster label to topic id.
    mapper: BTreeMap<i32, i32>,
    /// The choice of outliers; `None` if they are those of the clusterer.
    choice: Option<Arc<Choice>>,
}

/// A choice of outliers.
#[derive(Debug)]
struct Choice {
    outliers: Outliers,
    admission: Admission,
    /// What the topics would be without the choice: the clusterer's, after the same edits.
    before: Assignment,
    /// The topic that each topic of `before` is now, or [`OUTLIER`] if all of its rows are outliers now.
    now: BTreeMap<i32, i32>,
}

impl Assignment {
    /// Numbers the clusters of `clustering` by size; its points are the `rows` (ascending) of a frame of `len` rows.
    /// Clusters of the same size keep the order of their labels.
    pub(crate) fn by_size(clustering: &Clustering, rows: &[usize], len: usize) -> Self {
        let mapper = topic_ids(&clustering.labels);
        let mut topics = vec![OUTLIER; len];
        let mut probabilities = vec![0.0; len];
        for ((&row, label), probability) in rows.iter().zip(&clustering.labels).zip(&clustering.probabilities) {
            topics[row] = mapper.get(label).copied().unwrap_or(OUTLIER);
            probabilities[row] = *probability;
        }
        let runners_up = clustering.runners_up.as_ref().map(|runners_up| {
            let mut of_rows = vec![NO_RUNNER_UP; len];
            for (&row, (label, strength)) in rows.iter().zip(runners_up) {
                of_rows[row] = mapper.get(label).map_or(NO_RUNNER_UP, |&topic| (topic, *strength));
            }
            of_rows
        });
        Assignment { sizes: sizes_of(&topics), topics, probabilities, runners_up, mapper, choice: None }
    }

    /// The topics of a model of another program: of rows, if they are known, and of cluster labels.
    pub(crate) fn imported(topics: Vec<i32>, sizes: BTreeMap<i32, usize>, mapper: BTreeMap<i32, i32>) -> Self {
        Assignment { topics, probabilities: Vec::new(), runners_up: None, sizes, mapper, choice: None }
    }

    /// The same clusters with other outliers: `belongs` has the topic that each row should be in, or [`OUTLIER`], and
    /// its strength there. Topics are numbered by size again; those without rows are gone. `self` has no such choice.
    pub(super) fn with_choice(&self, belongs: &[(i32, f64)], outliers: Outliers, admission: Admission) -> Self {
        let now = topic_ids(&belongs.iter().map(|&(topic, _)| topic).collect::<Vec<_>>());
        let after = |topic: i32| now.get(&topic).copied().unwrap_or(OUTLIER);
        let topics: Vec<i32> = belongs.iter().map(|&(topic, _)| after(topic)).collect();
        let runner_up = |(row, &(second, strength)): (usize, &(i32, f64))| {
            let (own, first) = (topics[row], after(self.topics[row]));
            match after(second) {
                // The best topic of an outlier is the one that it was taken from.
                _ if own == OUTLIER && first != OUTLIER => (first, self.probabilities[row]),
                second if second != OUTLIER && second != own => (second, strength),
                _ => NO_RUNNER_UP,
            }
        };
        let runners_up = self.runners_up.as_ref().map(|all| all.iter().enumerate().map(runner_up).collect());
        let strength = |(&topic, &(_, strength)): (&i32, &(i32, f64))| if topic == OUTLIER { 0.0 } else { strength };
        let choice = Choice {
            outliers,
            admission,
            before: self.clone(),
            now: self.sizes.keys().map(|&topic| (topic, after(topic))).collect(),
        };
        Assignment {
            sizes: sizes_of(&topics),
            probabilities: topics.iter().zip(belongs).map(strength).collect(),
            runners_up,
            mapper: self.mapper.iter().map(|(&label, &topic)| (label, after(topic))).collect(),
            topics,
            choice: Some(Arc::new(choice)),
        }
    }

    /// The topics without a choice of outliers: the clusterer's, after the same edits.
    pub(crate) fn without_choice(self) -> Self {
        match &self.choice {
            Some(choice) => choice.before.clone(),
            None => self,
        }
    }

    /// The choice of outliers.
    pub(crate) fn outliers(&self) -> Outliers {
        self.choice.as_ref().map_or(Outliers::AsClustered, |choice| choice.outliers)
    }

    /// What the choice of outliers means for new rows.
    pub(crate) fn admission(&self) -> Admission {
        self.choice.as_ref().map_or(Admission::default(), |choice| choice.admission)
    }

    /// The topic of the cluster with this label; `None` if it is not one of a cluster of the fit.
    pub(crate) fn topic_of_label(&self, label: i32) -> Option<i32> {
        self.mapper.get(&label).copied()
    }

    /// Regroups the rows by `groups`, an arbitrary number for each, [`OUTLIER`] for outliers. Groups are numbered by
    /// size, ties by group number. A cluster label is mapped to the topic that receives most rows of its previous
    /// topic. A row that becomes an outlier has probability 0. A runner-up that joins the row's own topic, or the
    /// outliers, leaves none: what comes after it is not known.
    pub(crate) fn regrouped(&self, edit: &str, groups: &[i32]) -> (Self, Regrouping) {
        let numbers: HashMap<i32, i32> = topic_ids(groups).into_iter().collect();
        let topics: Vec<i32> = groups.iter().map(|group| numbers.get(group).copied().unwrap_or(OUTLIER)).collect();
        let regrouping = Regrouping::new(edit, &self.topics, &topics);
        let strengths = topics.iter().zip(&self.probabilities);
        let probabilities =
            strengths.map(|(&topic, &strength)| if topic == OUTLIER { 0.0 } else { strength }).collect();
        let mapper = self.mapper.iter().map(|(&label, &topic)| (label, regrouping.successor(topic))).collect();
        let runners_up = self.runners_up_after(&regrouping, &topics);
        let sizes = sizes_of(&topics);
        let choice = self.choice.as_ref().map(|choice| Arc::new(choice.after(&regrouping, numbers.len() as i32)));
        (Assignment { sizes, probabilities, runners_up, mapper, topics, choice }, regrouping)
    }

    /// The topic of each row, after every topic in `targets` has joined its target.
    pub(crate) fn joined(&self, targets: &BTreeMap<i32, i32>) -> Vec<i32> {
        self.topics.iter().map(|topic| targets.get(topic).copied().unwrap_or(*topic)).collect()
    }

    /// The number of clusters, if each is a topic of its own: none were merged, or turned into outliers.
    pub(crate) fn unmerged(&self) -> Option<usize> {
        // A choice of outliers may leave a topic without rows.
        let mapper = self.choice.as_ref().map_or(&self.mapper, |choice| &choice.before.mapper);
        let topics: BTreeSet<i32> = mapper.values().copied().filter(|&topic| topic != OUTLIER).collect();
        (topics.len() == mapper.len()).then_some(topics.len())
    }

    fn runners_up_after(&self, regrouping: &Regrouping, topics: &[i32]) -> Option<Vec<(i32, f64)>> {
        let mut heirs: BTreeMap<i32, i32> =
            self.sizes.keys().map(|&topic| (topic, regrouping.successor(topic))).collect();
        heirs.insert(OUTLIER, OUTLIER);
        let after = |(&(before, strength), &own): (&(i32, f64), &i32)| match heirs.get(&before) {
            Some(&topic) if topic != OUTLIER && topic != own => (topic, strength),
            _ => NO_RUNNER_UP,
        };
        Some(self.runners_up.as_ref()?.iter().zip(topics).map(after).collect())
    }

    /// The number of clusters that were found.
    pub(super) fn clusters(&self) -> usize {
        self.mapper.len()
    }

    /// The number of topics, not counting the outlier topic.
    pub(crate) fn topic_count(&self) -> usize {
        self.sizes.keys().filter(|&&topic| topic != OUTLIER).count()
    }

    /// The number of rows in a topic, not counting outliers.
    pub(crate) fn clustered(&self) -> usize {
        self.topics.len() - self.sizes.get(&OUTLIER).copied().unwrap_or(0)
    }

    /// Topic ids in ascending order, starting with -1 if there are outliers.
    pub(crate) fn ids(&self) -> Vec<i32> {
        self.sizes.keys().copied().collect()
    }

    /// The topic and the probability of a row at `place`.
    pub(crate) fn at(&self, place: Place) -> (i32, f64) {
        match place {
            Place::Known(row) => (
                self.topics.get(row).copied().unwrap_or(OUTLIER),
                self.probabilities.get(row).copied().unwrap_or_default(),
            ),
            Place::New(label, strength) => (self.mapper.get(&label).copied().unwrap_or(OUTLIER), strength),
        }
    }
}

impl Choice {
    /// The choice after an edit of the topics as they are now, of which there are `count` afterwards. Topics that have
    /// no rows now have no part in it.
    fn after(&self, edit: &Regrouping, count: i32) -> Self {
        let group = |topic: i32| match self.now.get(&topic) {
            _ if topic == OUTLIER => OUTLIER,
            Some(&now) if now != OUTLIER => edit.successor(now),
            _ => count + topic,
        };
        let of_topics: HashMap<i32, i32> = self.before.sizes.keys().map(|&topic| (topic, group(topic))).collect();
        let groups: Vec<i32> =
            self.before.topics.iter().map(|topic| of_topics.get(topic).copied().unwrap_or(OUTLIER)).collect();
        let (before, _) = self.before.regrouped(&edit.edit, &groups);
        let now = |(group, topic): (i32, i32)| (topic, if group < count { group } else { OUTLIER });
        Choice { before, now: topic_ids(&groups).into_iter().map(now).collect(), ..*self }
    }
}

fn topic_ids(labels: &[i32]) -> BTreeMap<i32, i32> {
    let mut sizes = sizes_of(labels);
    sizes.remove(&OUTLIER);
    by_size(sizes)
}

/// Assigns numbers from 0, largest first, ties by key.
fn by_size(sizes: BTreeMap<i32, usize>) -> BTreeMap<i32, i32> {
    let mut by_size: Vec<(i32, usize)> = sizes.into_iter().collect();
    by_size.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    by_size.iter().zip(0..).map(|(&(key, _), number)| (key, number)).collect()
}

fn sizes_of(topics: &[i32]) -> BTreeMap<i32, usize> {
    let mut sizes = HashMap::new();
    for &topic in topics {
        *sizes.entry(topic).or_insert(0) += 1;
    }
    sizes.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_up_follows_its_topic() {
        // Two rows of topic 0, then one each of topics 1 and 2.
        let before = Assignment {
            topics: vec![0, 0, 1, 2],
            probabilities: vec![0.6, 0.7, 0.8, 0.5],
            runners_up: Some(vec![(1, 0.3), (2, 0.2), (0, 0.1), NO_RUNNER_UP]),
            sizes: BTreeMap::from([(0, 2), (1, 1), (2, 1)]),
            mapper: BTreeMap::from([(5, 0), (6, 1), (7, 2)]),
            choice: None,
        };
        let (merged, _) = before.regrouped("merge_topics", &[0, 0, 0, 2]);
        assert_eq!(merged.runners_up, Some(vec![NO_RUNNER_UP, (1, 0.2), NO_RUNNER_UP, NO_RUNNER_UP]));
        let (fewer, _) = before.regrouped("merge_topics", &[0, 0, 1, OUTLIER]);
        assert_eq!(fewer.runners_up, Some(vec![(1, 0.3), NO_RUNNER_UP, (0, 0.1), NO_RUNNER_UP]));
    }
}
