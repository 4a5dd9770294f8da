//! How probable each topic is for each row, computed when it is asked for.

use polars::prelude::DataFrame;

use super::FittedTopicModel;
use crate::cluster::OUTLIER;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::topics::{FittedMemberships, Memberships, Place, TopicProbabilities};

/// The maximum number of values in one array.
const MAX_VALUES: usize = 1 << 31;

impl FittedTopicModel {
    /// How probable it is for each row of the fit that it belongs to each topic, or to none (-1): BERTopic's
    /// `calculate_probabilities`, but computed on demand. The values of a row sum to 1.
    ///
    /// | clusterer | the probability of a topic |
    /// |---|---|
    /// | [`Communities`](crate::cluster::Communities) | of the row's own topic, its [probability](Self::probabilities); of each other one, the share of the weight of the row's neighbors that is in it. The rest, weight within the topic on which the runs disagree and weight of neighbors in no topic, is that of -1 |
    /// | [`Hdbscan`](crate::cluster::Hdbscan) | the membership vectors of Python's hdbscan (`all_points_membership_vectors`, for new rows `membership_vector`), which sum to the probability of being in some cluster; the rest is that of -1 |
    /// | your own, with `membership_vectors` | these, scaled down if they sum to more than 1; the rest is that of -1 |
    /// | [`KMeans`](crate::cluster::KMeans) and others | by the distances of the row's vector to the topics' mean vectors, all of unit length: inversely proportional to their squares, as in fuzzy c-means (Bezdek 1981) with exponent 2. An outlier has 1 for -1 |
    ///
    /// Clusters that edits have merged into one topic add up; those that are in no topic belong to -1. The membership in a
    /// cluster that edits have divided is that in the row's own part, and of a new row, or one that is in none of the parts,
    /// in the part with the nearest mean vector. A row without a vector is an outlier for certain. A choice of
    /// [outliers](Self::with_outliers) does not change memberships, so the largest probability of a row need not be that of its topic, nor, with HDBSCAN, without such a choice.
    ///
    /// The array takes 8 bytes per row and topic;
    /// [`topic_probabilities_in_batches`](Self::topic_probabilities_in_batches) needs less memory.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["a cat sleeps", "a dog sleeps", "a fast train", "a slow train"].repeat(10))?;
    /// let topics = TopicModel::text("text", StaticEmbedder::builtin()).fit(&posts)?;
    /// let probabilities = topics.topic_probabilities()?;
    /// for (row, topic) in topics.labels().into_iter().enumerate() {
    ///     assert!((probabilities.values().row(row).sum() - 1.0).abs() < 1e-9);
    ///     assert!((probabilities.of(row, topic).unwrap_or(0.0) - topics.probabilities()[row]).abs() < 1e-6);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The model is without its documents or their vectors; there are more than 2³¹ values (16 GB); interrupted.
    pub fn topic_probabilities(&self) -> Result<TopicProbabilities> {
        let (rows, topics) = (self.topics.assignment.topics.len(), self.topics.assignment.topic_count() + 1);
        check_size(rows, topics)?;
        let mut all = TopicProbabilities::outliers(&self.without_outliers(), 0..rows);
        self.topic_probabilities_in_batches(usize::MAX, |batch| {
            for (offset, values) in batch.values().outer_iter().enumerate() {
                if let Some(mut row) = all.row_mut(batch.first_row() + offset) {
                    row.assign(&values);
                }
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Calls `visit` with the [probabilities](Self::topic_probabilities) of some rows after the other, at most `rows` (at
    /// least 1) at a time, for models whose probabilities do not fit into memory at once.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let mut outliers = 0.0;
    /// model.fit(&posts)?.topic_probabilities_in_batches(8, |some| {
    ///     assert!(some.values().nrows() <= 8);
    ///     outliers += some.values().column(0).sum();
    ///     Ok(())
    /// })?;
    /// assert!(outliers < 1e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `rows` is 0; the model is without its documents or their vectors; `visit` fails; interrupted.
    pub fn topic_probabilities_in_batches(
        &self,
        rows: usize,
        mut visit: impl FnMut(&TopicProbabilities) -> Result<()>,
    ) -> Result<()> {
        if rows == 0 {
            return Err(Error::invalid_parameter(Stage::Topics, "rows", 0, "at least 1"));
        }
        let data = self.data_with_vectors("topic_probabilities")?;
        let memberships = Memberships::new(&self.topics.assignment, &self.topics.centroids);
        let (clusterer, encoded) = (&*self.pipeline.clusterer, &data.encoded);
        let fitted = FittedMemberships::new(&memberships, clusterer, &encoded.rows, &encoded.clustered)?;
        let all = self.topics.assignment.topics.len();
        let task = self.settings.progress.task(Stage::Topics, "probabilities", all);
        let batch = rows.min(fitted.batch());
        for start in (0..all).step_by(batch) {
            if task.is_interrupted() {
                break;
            }
            let some = start..start.saturating_add(batch).min(all);
            visit(&fitted.of_range(some.clone())?)?;
            task.advance(some.len());
        }
        task.finish()
    }

    /// The [probabilities](Self::topic_probabilities) of new rows. A row whose vector occurred in the fit has the same as
    /// in the fit. For many rows, pass some of them at a time: they do not influence each other.
    ///
    /// # Errors
    /// As [`transform`](Self::transform); there are more than 2³¹ values.
    pub fn topic_probabilities_of(&self, frame: &DataFrame) -> Result<TopicProbabilities> {
        let progress = &self.settings.progress;
        let memberships = Memberships::new(&self.topics.assignment, &self.topics.centroids);
        check_size(frame.height(), memberships.topics().len() + 1)?;
        let mut found = TopicProbabilities::outliers(memberships.topics(), 0..frame.height());
        let encoded = self.pipeline.encoder.encode(frame, progress)?;
        if encoded.rows.is_empty() {
            return Ok(found);
        }
        let vectors = encoded.clustered.of_rows(&encoded.rows)?;
        let places = self.pipeline.place(&vectors, progress)?;
        let topics = self.topics.admit(&places, &vectors, &self.settings.progress)?;
        let data = self.data_with_vectors("topic_probabilities_of").ok();
        let fitted = match data.filter(|_| places.iter().any(|place| matches!(place, Place::Known(_)))) {
            None => None,
            Some(data) => {
                let (clusterer, encoded) = (&*self.pipeline.clusterer, &data.encoded);
                Some(FittedMemberships::new(&memberships, clusterer, &encoded.rows, &encoded.clustered)?)
            }
        };
        let known = |at: usize| match (places.get(at), &fitted) {
            (Some(Place::Known(row)), Some(_)) => Some(*row),
            _ => None,
        };
        let (new, old): (Vec<usize>, Vec<usize>) = (0..places.len()).partition(|&at| known(at).is_none());
        let of_old = match &fitted {
            Some(fitted) => Some(fitted.of_rows(&old.iter().filter_map(|&at| known(at)).collect::<Vec<_>>())?),
            None => None,
        };
        let of_new = match vectors.select(&new).filter(|vectors| vectors.rows() > 0) {
            Some(vectors) => self.pipeline.memberships(&vectors, progress)?,
            None => None,
        };
        let reader = vectors.reader();
        for (place, &at) in new.iter().enumerate() {
            let Some(values) = encoded.rows.get(at).and_then(|&row| found.row_mut(row)) else { continue };
            match &of_new {
                Some(of_new) => memberships.by_clusters(of_new.row(place), OUTLIER, reader.row(at), values),
                None => {
                    let topic = topics.get(at).map_or(OUTLIER, |&(topic, _)| topic);
                    memberships.by_centroids(reader.row(at), topic, values);
                }
            }
        }
        for (of_row, &at) in of_old.iter().flat_map(|of_old| of_old.outer_iter()).zip(&old) {
            if let Some(mut values) = encoded.rows.get(at).and_then(|&row| found.row_mut(row)) {
                values.assign(&of_row);
            }
        }
        Ok(found)
    }
}

fn check_size(rows: usize, topics: usize) -> Result<()> {
    if rows.saturating_mul(topics) <= MAX_VALUES {
        return Ok(());
    }
    let message = format!("the probabilities of {topics} topics for {rows} rows are too many for one array");
    Err(Error::new(ErrorKind::InvalidData, Stage::Topics, message)
        .with_hint("Call topic_probabilities_in_batches, or pass some of the new rows at a time."))
}
