//! Dividing a topic.

use std::sync::Arc;

use ndarray::{Array2, ArrayView1, Axis};

use super::FittedTopicModel;
use crate::cluster::{Clusterer, KMeans, OUTLIER};
use crate::corpus::DistinctRows;
use crate::encode::counted;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::linalg::vectors::{cosine, dot, norm, scale_to_unit};
use crate::model::check::check_labels;
use crate::training::Training;

/// How [`split_topic`](FittedTopicModel::split_topic) divides a topic: a number of parts (k-means), or a clusterer.
#[derive(Debug, Clone)]
pub struct SplitBy(Arc<dyn Clusterer>);

/// This number of parts, at least 2.
impl From<usize> for SplitBy {
    fn from(parts: usize) -> Self {
        SplitBy(Arc::new(KMeans::new(parts)))
    }
}

/// As many parts as the clusterer finds.
impl<C: Clusterer + 'static> From<C> for SplitBy {
    fn from(clusterer: C) -> Self {
        SplitBy(Arc::new(clusterer))
    }
}

impl FittedTopicModel {
    /// Returns a model in which a topic is divided: into a number of parts, `topics.split_topic(3, 2)`, or into those that a
    /// clusterer finds, `topics.split_topic(3, Hdbscan::new().min_cluster_size(20))`.
    ///
    /// The vectors of the topic's rows are clustered, normalized to unit length and not reduced; rows with equal vectors stay
    /// together, and rows that the clusterer leaves out join the part whose mean vector has the largest cosine. So all rows
    /// of the topic remain in a topic, with the same probability. A new row that would have been in the topic is in the
    /// part with the nearest mean vector (of this moment), also after later edits.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["a cat sleeps", "a dog sleeps", "a fast train", "a slow train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    /// let animals = topics.labels()[0];
    /// let divided = topics.split_topic(animals, 2)?;
    /// assert_eq!(divided.topic_ids().len(), topics.topic_ids().len() + 1);
    /// assert_ne!(divided.labels()[0], divided.labels()[1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The topic does not exist, or is -1; it has too few rows, or rows too alike, for so many parts; the clusterer finds no
    /// two clusters; the model is without its data; a representation fails.
    pub fn split_topic(&self, topic: i32, by: impl Into<SplitBy>) -> Result<FittedTopicModel> {
        let SplitBy(clusterer) = by.into();
        clusterer.check()?;
        self.check_topic(topic, "split")?;
        let data = self.data_with_vectors("split_topic")?;
        let assigned = &self.topics.assignment.topics;
        let rows: Vec<usize> = (0..assigned.len()).filter(|&row| assigned[row] == topic).collect();
        // A row that has no vector stays with the first part.
        let placed: Vec<usize> = rows.iter().copied().filter(|&row| data.encoded.clustered.has(row)).collect();
        let distinct = DistinctRows::of(&data.encoded.clustered, &placed);
        if distinct.firsts.len() < clusterer.min_rows().max(2) {
            let message = format!(
                "topic {topic} cannot be split: {} of its {} rows are different, which is too few for these settings",
                distinct.firsts.len(),
                rows.len()
            );
            return Err(too_few(message, topic, distinct.firsts.len(), rows.len()));
        }
        let mut points = data.encoded.clustered.select(&distinct.firsts);
        for mut point in points.axis_iter_mut(Axis(0)) {
            if let Some(point) = point.as_slice_mut() {
                scale_to_unit(point);
            }
        }
        let parts = self.parts(topic, &*clusterer, points)?;
        let mut groups = assigned.clone();
        let next = self.topics.assignment.ids().last().map_or(0, |&last| last.saturating_add(1));
        for (&row, &place) in placed.iter().zip(&distinct.places) {
            let part = parts.get(place as usize).copied().unwrap_or(0);
            groups[row] = if part == 0 { topic } else { next.saturating_add(part - 1) };
        }
        self.regroup("split_topic", &groups)
    }

    /// The part of each of the `points` of a topic, from 0.
    fn parts(&self, topic: i32, clusterer: &dyn Clusterer, points: Array2<f32>) -> Result<Vec<i32>> {
        let settings = &self.settings;
        let training = Training::new(points.view()).with_seed(settings.seed).with_progress(&settings.progress);
        let clustering = clusterer.fit(&training)?;
        check_labels(&clustering.labels, &clustering.probabilities, points.nrows())?;
        let mut clusters: Vec<i32> = clustering.labels.iter().copied().filter(|&label| label != OUTLIER).collect();
        clusters.sort_unstable();
        clusters.dedup();
        if clusters.len() < 2 {
            let message = format!("topic {topic} was not split: the clusterer found no two clusters in it");
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message).with_hint(
                Hint::new("Ask for a number of parts, such as split_topic(3, 2), or for smaller clusters.")
                    .on_command_line("Ask for another number of parts, or split another topic."),
            ));
        }
        let mut means = Array2::<f64>::zeros((clusters.len(), points.ncols()));
        for (point, label) in points.outer_iter().zip(&clustering.labels) {
            if let Ok(part) = clusters.binary_search(label) {
                means.row_mut(part).iter_mut().zip(point).for_each(|(sum, &x)| *sum += f64::from(x));
            }
        }
        let part = |(point, label): (ArrayView1<'_, f32>, &i32)| {
            clusters.binary_search(label).unwrap_or_else(|_| nearest(&means, point)) as i32
        };
        Ok(points.outer_iter().zip(&clustering.labels).map(part).collect())
    }
}

/// The error for a topic with `distinct` different ones among its `rows`, and what is possible instead.
fn too_few(message: String, topic: i32, distinct: usize, rows: usize) -> Error {
    let documents = counted(rows, "document", "documents");
    let different = match distinct {
        _ if distinct == rows => String::new(),
        1 => ", all with the same vector".to_owned(),
        _ => format!(", but only {distinct} different vectors"),
    };
    let hint = match distinct {
        0 | 1 => "Split another topic.".to_owned(),
        2 => "Two parts are possible, or split a larger topic.".to_owned(),
        _ => format!("Up to {distinct} parts are possible, or split a larger topic."),
    };
    Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
        .said_on_command_line(format!(
            "topic {topic} cannot be split into so many parts: it has {documents}{different}"
        ))
        .with_hint(Hint::new("Ask for fewer parts, or split a larger topic.").on_command_line(hint))
}

/// The row of `means` with the largest cosine to `point`, ties by row.
fn nearest(means: &Array2<f64>, point: ArrayView1<'_, f32>) -> usize {
    let point: Vec<f64> = point.iter().map(|&x| f64::from(x)).collect();
    let length = norm(point.iter().copied());
    let mut best = (0, f64::NEG_INFINITY);
    for (row, mean) in means.outer_iter().enumerate() {
        let mean = mean.to_vec();
        let cosine = cosine(dot(&point, &mean), length, norm(mean.iter().copied()));
        if cosine > best.1 {
            best = (row, cosine);
        }
    }
    best.0
}
