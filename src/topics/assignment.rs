//! Mapping clusters to topic ids: the largest cluster is topic 0.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;

mod division;
mod saved;

use division::{Divided, Division};

use super::Regrouping;
use super::outliers::{Admission, Outliers};
use crate::cluster::{Clustering, OUTLIER};
use crate::corpus::Embeddings;

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
    /// Cluster label to topic id. Parts of divided clusters, and topics in which no cluster is, have labels as well.
    mapper: BTreeMap<i32, i32>,
    /// The parts of clusters whose rows an edit put into several topics, by label.
    divisions: BTreeMap<i32, Arc<Division>>,
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
        Assignment {
            sizes: sizes_of(&topics),
            topics,
            probabilities,
            runners_up,
            mapper,
            divisions: BTreeMap::new(),
            choice: None,
        }
    }

    /// The topics of a model of another program: of rows, if they are known, and of cluster labels.
    pub(crate) fn imported(topics: Vec<i32>, sizes: BTreeMap<i32, usize>, mapper: BTreeMap<i32, i32>) -> Self {
        let divisions = BTreeMap::new();
        Assignment { topics, probabilities: Vec::new(), runners_up: None, sizes, mapper, divisions, choice: None }
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
            mapper: self.labeled(after),
            divisions: self.left_out(admission.nearest.is_some()),
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

    /// The same topics, with the rows `taken` in from the outliers, each in its topic with its strength there. A new row
    /// that the clusterer leaves out is taken in if its cosine to the nearest mean vector is at least `nearest`.
    pub(super) fn with_taken_in(&self, taken: &[(usize, i32, f64)], nearest: f64) -> Self {
        let (mut topics, mut probabilities) = (self.topics.clone(), self.probabilities.clone());
        for &(row, topic, strength) in taken {
            if let (Some(of_row), Some(probability)) = (topics.get_mut(row), probabilities.get_mut(row)) {
                (*of_row, *probability) = (topic, strength);
            }
        }
        let numbers = topic_ids(&topics);
        let after = |topic: i32| numbers.get(&topic).copied().unwrap_or(OUTLIER);
        topics.iter_mut().for_each(|topic| *topic = after(*topic));
        let runner_up = |(&(second, strength), &own): (&(i32, f64), &i32)| match after(second) {
            topic if topic != OUTLIER && topic != own => (topic, strength),
            _ => NO_RUNNER_UP,
        };
        let Admission { lowest, nearest: before } = self.admission();
        let now = |choice: &Choice| choice.now.iter().map(|(&topic, &now)| (topic, after(now))).collect();
        let choice = Choice {
            outliers: self.outliers(),
            admission: Admission { lowest, nearest: Some(before.map_or(nearest, |before| before.min(nearest))) },
            before: self.clone().without_choice(),
            now: self.choice.as_deref().map_or_else(|| numbers.clone(), now),
        };
        Assignment {
            sizes: sizes_of(&topics),
            runners_up: self.runners_up.as_ref().map(|all| all.iter().zip(&topics).map(runner_up).collect()),
            mapper: self.labeled(after),
            divisions: self.left_out(true),
            choice: Some(Arc::new(choice)),
            probabilities,
            topics,
        }
    }

    /// The topic of each label `after` an edit.
    fn labeled(&self, after: impl Fn(i32) -> i32) -> BTreeMap<i32, i32> {
        self.mapper.iter().map(|(&label, &topic)| (label, after(topic))).collect()
    }

    /// The parts of clusters. If outliers are `taken_in`, clusters that became outliers have none, as if the clusterer had
    /// left them out. Their labels stay, so that no part gets the label of a cluster.
    fn left_out(&self, taken_in: bool) -> BTreeMap<i32, Arc<Division>> {
        let mut divisions = self.divisions.clone();
        for (&label, _) in self.mapper.iter().filter(|(_, topic)| taken_in && **topic == OUTLIER) {
            divisions.entry(label).or_default();
        }
        divisions
    }

    /// The topics in which the parts of each divided cluster are, by label.
    pub(super) fn topics_of_divided(&self) -> BTreeMap<i32, BTreeSet<i32>> {
        let mut topics = BTreeMap::<i32, BTreeSet<i32>>::new();
        // Parts have larger labels than what they are parts of.
        for (&label, division) in self.divisions.iter().rev() {
            let mut of_parts = BTreeSet::new();
            for part in division.labels() {
                match topics.get(&part) {
                    Some(of_part) => of_parts.extend(of_part),
                    None => of_parts.extend(self.mapper.get(&part).copied().filter(|&topic| topic != OUTLIER)),
                }
            }
            topics.insert(label, of_parts);
        }
        topics
    }

    /// The topic of a row with this vector that is in the cluster with this label; `None` if the clusterer left it out.
    pub(super) fn topic_of(&self, mut label: i32, vector: &[f32]) -> Option<i32> {
        while let Some(division) = self.divisions.get(&label) {
            // A part has a larger label.
            label = division.nearest(vector)?;
        }
        self.mapper.get(&label).copied()
    }

    /// The topic of all rows in the cluster with this label, which may be none; `None` if its rows are in several.
    pub(super) fn topic_of_all(&self, label: i32) -> Option<Option<i32>> {
        (!self.divisions.contains_key(&label)).then(|| self.mapper.get(&label).copied())
    }

    /// Regroups the rows by `groups`, an arbitrary number for each, [`OUTLIER`] for outliers. Groups are numbered by
    /// size, ties by group number. A cluster label is mapped to the topic that receives most rows of its previous
    /// topic; if its rows are in several topics, new ones are in that with the nearest of the parts. A row that becomes
    /// an outlier has probability 0. A runner-up that joins the row's own topic, or the outliers, leaves none: what
    /// comes after it is not known.
    pub(crate) fn regrouped(&self, edit: &str, groups: &[i32], vectors: &Embeddings) -> (Self, Regrouping) {
        self.moved(edit, groups, vectors, false)
    }

    /// Like [`regrouped`](Self::regrouped), but a person decided on the rows that did not go along with most of their
    /// topic: these have probability 1, and without a choice of outliers, they are where the person put them.
    pub(super) fn regrouped_by_hand(&self, edit: &str, groups: &[i32], vectors: &Embeddings) -> Self {
        self.moved(edit, groups, vectors, true).0
    }

    fn moved(&self, edit: &str, groups: &[i32], vectors: &Embeddings, by_hand: bool) -> (Self, Regrouping) {
        let numbers: HashMap<i32, i32> = topic_ids(groups).into_iter().collect();
        let topics: Vec<i32> = groups.iter().map(|group| numbers.get(group).copied().unwrap_or(OUTLIER)).collect();
        let regrouping = Regrouping::new(edit, &self.topics, &topics);
        let by_hand = if by_hand { self.apart(&regrouping, &topics) } else { Vec::new() };
        let strengths = topics.iter().zip(&self.probabilities);
        let mut probabilities: Vec<f64> =
            strengths.map(|(&topic, &strength)| if topic == OUTLIER { 0.0 } else { strength }).collect();
        make_certain(&mut probabilities, &by_hand, &topics);
        // Of a topic that was chosen to have no rows, the label is known only there.
        let labels = self.mapper.keys().chain(self.choice.iter().flat_map(|choice| choice.before.mapper.keys()));
        let first = labels.max().map_or(0, |&last| last.saturating_add(1));
        let divided = Divided::of(&regrouping, &self.topics, &topics, vectors, first);
        let runners_up = self.runners_up_after(&regrouping, &topics, &divided, vectors);
        let choice = self.choice.as_ref().map(|choice| {
            let rows = MovedRows { before: &self.topics, after: &topics, by_hand: &by_hand };
            Arc::new(choice.after(&regrouping, &rows, numbers.len() as i32, &divided, vectors))
        });
        let mut divisions = self.divisions.clone();
        let whole = self.mapper.iter().filter(|(label, _)| !self.divisions.contains_key(label));
        divisions.extend(whole.filter_map(|(&label, topic)| Some((label, Arc::clone(divided.of_topics.get(topic)?)))));
        let mut mapper: BTreeMap<i32, i32> =
            self.mapper.iter().map(|(&label, &topic)| (label, regrouping.heir(topic))).collect();
        mapper.extend(divided.parts);
        let sizes = sizes_of(&topics);
        let mut after = Assignment { sizes, probabilities, runners_up, mapper, divisions, topics, choice };
        after.label_all_topics();
        (after, regrouping)
    }

    /// The rows that are not where most rows of their topic are after an `edit`, ascending.
    fn apart(&self, edit: &Regrouping, topics: &[i32]) -> Vec<usize> {
        let heirs: BTreeMap<i32, i32> = edit.destinations.keys().map(|&topic| (topic, edit.heir(topic))).collect();
        let is_apart = |(before, after): (&i32, &i32)| heirs.get(before) != Some(after);
        let rows = self.topics.iter().zip(topics).enumerate();
        rows.filter(|&(_, topics)| is_apart(topics)).map(|(row, _)| row).collect()
    }

    /// Labels the topics in which no cluster is.
    fn label_all_topics(&mut self) {
        let labeled: BTreeSet<i32> = self.cluster_of_topics().into_keys().collect();
        let first = self.mapper.keys().last().map_or(0, |&last| last.saturating_add(1));
        let others: Vec<i32> =
            self.sizes.keys().copied().filter(|topic| *topic != OUTLIER && !labeled.contains(topic)).collect();
        self.mapper.extend((first..).zip(others));
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

    fn runners_up_after(
        &self,
        regrouping: &Regrouping,
        topics: &[i32],
        divided: &Divided,
        vectors: &Embeddings,
    ) -> Option<Vec<(i32, f64)>> {
        let mut heirs: BTreeMap<i32, i32> = self.sizes.keys().map(|&topic| (topic, regrouping.heir(topic))).collect();
        heirs.insert(OUTLIER, OUTLIER);
        let after = |(row, (&(before, strength), &own)): (usize, (&(i32, f64), &i32))| {
            let part = divided.topic(before, vectors.get(row));
            match part.or_else(|| heirs.get(&before).copied()) {
                Some(topic) if topic != OUTLIER && topic != own => (topic, strength),
                _ => NO_RUNNER_UP,
            }
        };
        Some(self.runners_up.as_ref()?.iter().zip(topics).enumerate().map(after).collect())
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
        let in_topics = self.sizes.iter().filter(|(topic, _)| **topic != OUTLIER);
        in_topics.fold(0, |sum, (_, &size)| sum.saturating_add(size))
    }

    /// The number of outliers.
    pub(crate) fn outlier_count(&self) -> usize {
        self.sizes.get(&OUTLIER).copied().unwrap_or(0)
    }

    /// Topic ids in ascending order, starting with -1 if there are outliers.
    pub(crate) fn ids(&self) -> Vec<i32> {
        self.sizes.keys().copied().collect()
    }

    /// The topic and the probability of a row at `place` with this vector; `None` if the clusterer left it out.
    pub(super) fn at(&self, place: Place, vector: &[f32]) -> Option<(i32, f64)> {
        match place {
            Place::Known(row) => Some((
                self.topics.get(row).copied().unwrap_or(OUTLIER),
                self.probabilities.get(row).copied().unwrap_or_default(),
            )),
            Place::New(label, strength) => Some((self.topic_of(label, vector)?, strength)),
        }
    }
}

impl Choice {
    /// The choice after an edit of the topics as they are now, of which there are `count` afterwards. Topics that have
    /// no rows now have no part in it.
    fn after(
        &self,
        edit: &Regrouping,
        rows: &MovedRows<'_>,
        count: i32,
        divided: &Divided,
        vectors: &Embeddings,
    ) -> Self {
        let group = |topic: i32| match self.now.get(&topic) {
            _ if topic == OUTLIER => OUTLIER,
            Some(&now) if now != OUTLIER => edit.heir(now),
            _ => count.saturating_add(topic),
        };
        let of_topics: HashMap<i32, i32> = self.before.sizes.keys().map(|&topic| (topic, group(topic))).collect();
        // A row of a divided topic is in its part; one that is an outlier now, in the nearest.
        let part = |row: usize, topic: i32| {
            let now = self.now.get(&topic).filter(|&&now| topic != OUTLIER && divided.of_topics.contains_key(&now))?;
            let own = rows.after.get(row).filter(|&&own| own != OUTLIER && rows.before.get(row) == Some(now));
            own.copied().or_else(|| divided.topic(*now, vectors.get(row)))
        };
        let group = |(row, &topic): (usize, &i32)| {
            part(row, topic).or_else(|| of_topics.get(&topic).copied()).unwrap_or(OUTLIER)
        };
        let mut groups: Vec<i32> = self.before.topics.iter().enumerate().map(group).collect();
        for &row in rows.by_hand {
            if let (Some(group), Some(&topic)) = (groups.get_mut(row), rows.after.get(row)) {
                *group = topic;
            }
        }
        let (mut before, _) = self.before.regrouped(&edit.edit, &groups, vectors);
        make_certain(&mut before.probabilities, rows.by_hand, rows.after);
        let now = |(group, topic): (i32, i32)| (topic, if group < count { group } else { OUTLIER });
        Choice { before, now: topic_ids(&groups).into_iter().map(now).collect(), ..*self }
    }
}

/// The topics of rows before and after an edit, and the rows that a person moved.
struct MovedRows<'a> {
    before: &'a [i32],
    after: &'a [i32],
    by_hand: &'a [usize],
}

/// Gives those of `rows` that are in `topics` the probability 1.
fn make_certain(probabilities: &mut [f64], rows: &[usize], topics: &[i32]) {
    for &row in rows {
        if let Some(probability) = probabilities.get_mut(row).filter(|_| topics.get(row) != Some(&OUTLIER)) {
            *probability = 1.0;
        }
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
    fn a_model_of_another_program_may_count_more_rows() {
        let imported = Assignment::imported(vec![OUTLIER, 0], BTreeMap::from([(OUTLIER, 5), (0, 3)]), BTreeMap::new());
        assert_eq!((imported.clustered(), imported.outlier_count()), (3, 5));
    }

    #[test]
    fn a_runner_up_follows_its_topic() {
        // Two rows of topic 0, then one each of topics 1 and 2.
        let before = Assignment {
            topics: vec![0, 0, 1, 2],
            probabilities: vec![0.6, 0.7, 0.8, 0.5],
            runners_up: Some(vec![(1, 0.3), (2, 0.2), (0, 0.1), NO_RUNNER_UP]),
            sizes: BTreeMap::from([(0, 2), (1, 1), (2, 1)]),
            mapper: BTreeMap::from([(5, 0), (6, 1), (7, 2)]),
            divisions: BTreeMap::new(),
            choice: None,
        };
        let vectors = Embeddings::scatter(ndarray::Array2::ones((4, 2)), &[0, 1, 2, 3], 4).unwrap();
        let (merged, _) = before.regrouped("merge_topics", &[0, 0, 0, 2], &vectors);
        assert_eq!(merged.runners_up, Some(vec![NO_RUNNER_UP, (1, 0.2), NO_RUNNER_UP, NO_RUNNER_UP]));
        let (fewer, _) = before.regrouped("merge_topics", &[0, 0, 1, OUTLIER], &vectors);
        assert_eq!(fewer.runners_up, Some(vec![(1, 0.3), NO_RUNNER_UP, (0, 0.1), NO_RUNNER_UP]));
    }
}
