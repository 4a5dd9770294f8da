//! Another choice of outliers.

use super::FittedTopicModel;
use crate::cluster::OUTLIER;
use crate::encode::counted;
use crate::error::{Result, Stage};
use crate::topics::{ClusteredRows, Outliers, ReduceOutliers, Topics};

impl FittedTopicModel {
    /// Returns a model with other outliers, without fitting again: [`Outliers`], or a number from 0 to 1, which is
    /// their share. Words are counted anew from the kept
    /// counts, and topics are numbered by size.
    ///
    /// Every row that has a vector belongs to some topic with some strength:
    /// - A row in a topic: to that topic, with its probability.
    /// - A row that the clusterer left out: to the topic with the largest membership, if the clusterer tells
    ///   ([`Hdbscan`](crate::cluster::Hdbscan) and [`Communities`](crate::cluster::Communities) do; those of clusters
    ///   in one topic add up). Otherwise to the one whose mean vector has the largest cosine to the row's; the strength
    ///   is the share of that cosine in the sum of all positive ones.
    ///
    /// With [`Outliers::None`], every row is where it belongs. With [`Outliers::Share`], exactly that share of rows are
    /// outliers, rounded: if the clusterer left out more, the strongest of them are taken in; if it left out fewer, the
    /// weakest rows of topics are outliers as well. Among equally strong rows, those with the largest cosine to the
    /// topic's mean vector come first, then earlier ones; so if all are equally strong, as with
    /// [`KMeans`](crate::cluster::KMeans), the cosine decides. [`Outliers::Below`] sets aside the rows of topics whose
    /// probability is lower, and takes in none. [`Outliers::AsClustered`] restores the clusterer's outliers.
    ///
    /// The probability of a row that is taken in is its strength, and that of an outlier is 0. A topic without rows
    /// disappears; another choice can bring it back. Choices do not add up: the result depends on the clusterer, on the
    /// other edits and on this choice, not on earlier choices. If there are no topics, all rows are outliers.
    ///
    /// [`transform`](Self::transform) follows: after [`Outliers::Below`], new rows with a lower probability are
    /// outliers, and after a share that sets rows aside, those that are weaker than the rows that are still in topics.
    /// With [`Outliers::None`], a new row that the clusterer leaves out is in the topic with the nearest mean vector;
    /// after a share that takes rows in, it is if the cosine to that is as large as for as many rows of the fit.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// let topics = model.fit(&posts)?;
    ///
    /// let clear = topics.with_outliers(0.2)?;
    /// assert_eq!((topics.summary().outliers, clear.summary().outliers), (0, 6));
    /// assert_eq!(clear.with_outliers(Outliers::AsClustered)?.labels(), topics.labels());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A share or probability is not from 0 to 1; the model is without its data; a representation fails; interrupted.
    pub fn with_outliers(&self, outliers: impl Into<Outliers>) -> Result<FittedTopicModel> {
        let outliers = outliers.into();
        outliers.check()?;
        let data = self.data_with_vectors("with_outliers")?;
        let settings = &self.settings;
        let assignment = (*self.topics.assignment).clone();
        let assignment = settings.choose_outliers(assignment, outliers, &data.encoded, &*self.pipeline.clusterer)?;
        let describe = |assignment: &_, terms: &_| settings.describe(data, assignment, terms);
        let vectors = &data.encoded.clustered;
        let topics = self.topics.reassign("with_outliers", assignment, vectors, &settings.ctfidf, describe)?;
        Ok(self.regrouped(topics))
    }

    /// Returns a model with fewer outliers: each is moved to the topic that matches it best by a strategy
    /// ([`OutlierStrategy`](crate::topics::OutlierStrategy)), if it matches well enough, or only the best ones ([`ReduceOutliers`], which has an example).
    /// Sizes, words, representations and mean vectors follow (in BERTopic: `reduce_outliers`, then `update_topics`).
    /// Rows in topics stay where they are, and calls add up, so that several strategies can be combined.
    ///
    /// The probability of a moved row is how well it matches by the strategy: its membership, or the cosine. If no outlier
    /// matches, or there are no topics, nothing changes.
    ///
    /// [`transform`](Self::transform) follows: a new row that the clusterer leaves out is in the topic with the nearest mean
    /// vector, if the cosine is large enough: by embeddings, as for the rows of the fit; by other strategies, as for as
    /// large a part of them, since words and memberships of new rows are not known. Its probability is the share of that
    /// cosine in the sum of all positive ones. So it is for new rows in topics that were deleted before.
    ///
    /// [`with_outliers(Outliers::AsClustered)`](Self::with_outliers) restores the clusterer's outliers, also later, and
    /// [`undo`](Self::undo) those from before.
    ///
    /// # Errors
    /// A number is not from 0 to 1; the clusterer tells no memberships, or no words were counted; the model is without its
    /// data, or for distributions, without its documents; a representation fails; interrupted.
    pub fn reduce_outliers(&self, how: impl Into<ReduceOutliers>) -> Result<FittedTopicModel> {
        let how = how.into();
        how.check()?;
        let data = self.data_with_vectors("reduce_outliers")?;
        let (settings, encoded) = (&self.settings, &data.encoded);
        let clusterer = &*self.pipeline.clusterer;
        let clustered =
            ClusteredRows { rows: &encoded.rows, vectors: &encoded.clustered, clusterer, progress: &settings.progress };
        let Topics { assignment, terms, centroids, .. } = &self.topics;
        let distributions = |rows: &[usize]| {
            let on_command_line =
                "--reduce-outliers distributions needs texts, but the documents of the model have none";
            self.largest_shares("reduce_outliers by distributions", rows)
                .map_err(|error| error.said_on_command_line(on_command_line))
        };
        let reduced = assignment.with_reduced_outliers(&how, &clustered, terms, centroids, distributions)?;
        let Some(assignment) = reduced else {
            return Ok(self.clone());
        };
        settings.progress.check(Stage::Topics)?;
        let remain = encoded.rows.iter().filter(|&&row| assignment.topics.get(row) == Some(&OUTLIER)).count();
        if how.target(encoded.rows.len()).is_some_and(|target| remain > target) {
            let remain = counted(remain, "outlier remains", "outliers remain");
            let message = format!("{remain}, more than requested: no topic matches well enough");
            settings.progress.note(Stage::Topics, message);
        }
        let describe = |assignment: &_, terms: &_| settings.describe(data, assignment, terms);
        let vectors = &encoded.clustered;
        let topics = self.topics.reassign("reduce_outliers", assignment, vectors, &settings.ctfidf, describe)?;
        Ok(self.regrouped(topics))
    }
}
