//! Clusters to topic ids: the largest is topic 0.

use std::collections::BTreeMap;

use crate::cluster::{Clustering, OUTLIER};

/// The topic of every row of the frame, and which cluster became which topic.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The topic of each row; -1 for outliers and for rows that were not clustered.
    pub topics: Vec<i32>,
    /// How strongly each row belongs to its topic, 0 to 1.
    pub probabilities: Vec<f64>,
    /// Rows of each topic, by topic id.
    pub sizes: BTreeMap<i32, usize>,
    /// Cluster label to topic id.
    mapper: BTreeMap<i32, i32>,
}

impl Assignment {
    /// Numbers the clusters of `clustering`, whose points are the `rows` (ascending) of a frame of `len` rows, by
    /// size. Clusters of one size keep the order of their labels.
    pub fn by_size(clustering: &Clustering, rows: &[usize], len: usize) -> Self {
        let mapper = topic_ids(&clustering.labels);
        let mut topics = vec![OUTLIER; len];
        let mut probabilities = vec![0.0; len];
        for ((&row, label), probability) in rows.iter().zip(&clustering.labels).zip(&clustering.probabilities) {
            topics[row] = mapper.get(label).copied().unwrap_or(OUTLIER);
            probabilities[row] = *probability;
        }
        Assignment { sizes: sizes_of(&topics), topics, probabilities, mapper }
    }

    /// Joins topics: the rows of a topic go to the topic that `targets` names for it, a topic that it does not name
    /// stays. The topics that remain are numbered by size again, those of one size in their order before. A row that
    /// becomes an outlier has the probability 0.
    pub(crate) fn joined(&self, targets: &BTreeMap<i32, i32>) -> Self {
        let target = |topic: i32| targets.get(&topic).copied().unwrap_or(topic);
        let mut sizes = BTreeMap::<i32, usize>::new();
        for (&topic, &size) in self.sizes.iter().filter(|(topic, _)| target(**topic) != OUTLIER) {
            *sizes.entry(target(topic)).or_insert(0) += size;
        }
        let numbers = by_size(sizes);
        let number = |topic: i32| numbers.get(&target(topic)).copied().unwrap_or(OUTLIER);
        let topics: Vec<i32> = self.topics.iter().map(|&topic| number(topic)).collect();
        let strengths = topics.iter().zip(&self.probabilities);
        Assignment {
            sizes: sizes_of(&topics),
            probabilities: strengths.map(|(&topic, &strength)| if topic == OUTLIER { 0.0 } else { strength }).collect(),
            mapper: self.mapper.iter().map(|(&label, &topic)| (label, number(topic))).collect(),
            topics,
        }
    }

    /// Topics, without the outlier topic.
    pub(crate) fn topic_count(&self) -> usize {
        self.sizes.keys().filter(|&&topic| topic != OUTLIER).count()
    }

    /// Rows in a topic, outliers not counted.
    pub(crate) fn clustered(&self) -> usize {
        self.topics.len() - self.sizes.get(&OUTLIER).copied().unwrap_or(0)
    }

    /// Topic ids in ascending order, -1 first where there are outliers.
    pub fn ids(&self) -> Vec<i32> {
        self.sizes.keys().copied().collect()
    }

    /// The topic that the cluster `label` became.
    pub fn topic_of(&self, label: i32) -> i32 {
        self.mapper.get(&label).copied().unwrap_or(OUTLIER)
    }
}

fn topic_ids(labels: &[i32]) -> BTreeMap<i32, i32> {
    let mut sizes = BTreeMap::<i32, usize>::new();
    for &label in labels.iter().filter(|&&label| label != OUTLIER) {
        *sizes.entry(label).or_insert(0) += 1;
    }
    by_size(sizes)
}

/// Numbers from 0, the largest first, those of one size in the order of their keys.
fn by_size(sizes: BTreeMap<i32, usize>) -> BTreeMap<i32, i32> {
    let mut by_size: Vec<(i32, usize)> = sizes.into_iter().collect();
    by_size.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    by_size.iter().zip(0..).map(|(&(key, _), number)| (key, number)).collect()
}

fn sizes_of(topics: &[i32]) -> BTreeMap<i32, usize> {
    let mut sizes = BTreeMap::new();
    for &topic in topics {
        *sizes.entry(topic).or_insert(0) += 1;
    }
    sizes
}
