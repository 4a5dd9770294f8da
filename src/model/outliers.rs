//! The choice of outliers.

use super::TopicModel;
use crate::cluster::{FittedClusterer, OUTLIER};
use crate::encode::{Encoded, counted};
use crate::error::{Result, Stage};
use crate::topics::{Assignment, ClusteredRows, Outliers};

impl TopicModel {
    /// Which rows are outliers: [`Outliers`], or a number from 0 to 1, which is their share. Default:
    /// [`Outliers::AsClustered`], those that the clusterer leaves out.
    /// [`with_outliers`](crate::model::FittedTopicModel::with_outliers) changes it after the fit, and has the details.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// assert_eq!(model.outliers(0.2).fit(&posts)?.summary().outliers, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn outliers(mut self, outliers: impl Into<Outliers>) -> Self {
        self.outliers = outliers.into();
        self
    }

    /// The topics of `assignment` with these outliers; says how many rows that moves.
    pub(super) fn choose_outliers(
        &self,
        assignment: Assignment,
        outliers: Outliers,
        encoded: &Encoded,
        clusterer: &dyn FittedClusterer,
    ) -> Result<Assignment> {
        if outliers == Outliers::AsClustered {
            return Ok(assignment.without_choice());
        }
        let clustered =
            ClusteredRows { rows: &encoded.rows, vectors: &encoded.clustered, clusterer, progress: &self.progress };
        let before = assignment.clone().without_choice();
        let after = assignment.with_outliers(outliers, &clustered)?;
        self.progress.check(Stage::Cluster)?;
        self.note_outliers(&before, &after, outliers);
        Ok(after)
    }

    fn note_outliers(&self, before: &Assignment, after: &Assignment, outliers: Outliers) {
        let is_out = |assignment: &Assignment, row: usize| assignment.topics.get(row) == Some(&OUTLIER);
        let moved = |row: &usize| is_out(before, *row) != is_out(after, *row);
        let (taken_in, set_aside): (Vec<usize>, Vec<usize>) =
            (0..before.topics.len()).filter(moved).partition(|&row| is_out(before, row));
        let mut notes = Vec::new();
        if !taken_in.is_empty() {
            let rows =
                counted(taken_in.len(), "row that the clusterer left out was", "rows that the clusterer left out were");
            notes.push(format!("{rows} assigned to the best-matching topics"));
        }
        if !set_aside.is_empty() {
            let rows = counted(set_aside.len(), "row was made an outlier", "rows were made outliers");
            notes.push(format!("{rows}, as requested (`{outliers}`)"));
        }
        let gone = before.topic_count().saturating_sub(after.topic_count());
        if gone > 0 {
            notes.push(format!("{} no rows left", counted(gone, "topic has", "topics have")));
        }
        for note in notes {
            self.progress.note(Stage::Cluster, note);
        }
    }
}
