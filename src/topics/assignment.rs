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
        let mut sizes = BTreeMap::new();
        for &topic in &topics {
            *sizes.entry(topic).or_insert(0) += 1;
        }
        Assignment { topics, probabilities, sizes, mapper }
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
    let mut by_size: Vec<(i32, usize)> = sizes.into_iter().collect();
    by_size.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    by_size.iter().zip(0..).map(|(&(label, _), topic)| (label, topic)).collect()
}
