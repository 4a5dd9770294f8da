//! Assigning new rows to the topics of a fitted model.

use ndarray::Array2;
use polars::prelude::*;

use super::FittedTopicModel;
use crate::cluster::OUTLIER;
use crate::corpus::{Columns, Embeddings, internal};
use crate::error::{Result, Stage};
use crate::topics::Assignment;

impl FittedTopicModel {
    /// Assigns topics to new rows: `frame` with `embedding`, `Topic` and `Probability` added, as in the fit. Rows are
    /// placed independently of each other, and a row whose vector occurred in the fit gets the same topic and
    /// probability as in the fit. Other rows follow the choice of [outliers](Self::with_outliers).
    ///
    /// Only the clustered columns are used: a model that clusters texts does not need the image column, and a model
    /// that clusters both texts and images needs only one of the two. Rows with neither are outliers, as are rows whose
    /// image cannot be read.
    ///
    /// # Errors
    /// The frame has no rows, a column is missing or has the wrong type, an embedder fails, or the vectors have
    /// dimensions that differ from those in the fit.
    pub fn transform(&self, frame: &DataFrame) -> Result<DataFrame> {
        let progress = &self.settings.progress;
        let columns = &self.pipeline.encoder.encoder.columns;
        let encoded = self.pipeline.encoder.encode(frame, progress)?;
        let mut topics = vec![OUTLIER; frame.height()];
        let mut probabilities = vec![0.0; frame.height()];
        if encoded.rows.is_empty() {
            // If all vectors are null, their dimensions may be unknown.
            let no_vectors = Array2::zeros((0, self.pipeline.encoder.dimensions));
            let vectors = Embeddings::scatter(no_vectors, &[], frame.height())?;
            return self.with_topics(frame, columns, Some(&vectors), &topics, &probabilities);
        }
        let vectors = encoded.clustered.of_rows(&encoded.rows)?;
        let places = self.pipeline.place(&vectors, progress)?;
        for (&row, place) in encoded.rows.iter().zip(self.topics.admit(&places, &vectors, progress)?) {
            (topics[row], probabilities[row]) = place;
        }
        self.with_topics(frame, columns, Some(&encoded.clustered), &topics, &probabilities)
    }

    /// The frame of the fit with `embedding`, `Topic` and `Probability`, as
    /// [`fit_transform`](crate::model::TopicModel::fit_transform) returns it, with the topics that the model has now. A
    /// model that was saved without vectors adds no `embedding`.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let (topics, placed) = model.fit_transform(&posts)?;
    /// assert!(topics.fitted_frame()?.equals_missing(&placed));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The model has no documents.
    pub fn fitted_frame(&self) -> Result<DataFrame> {
        let data = self.data("fitted_frame")?;
        let Assignment { topics, probabilities, .. } = &*self.topics.assignment;
        let vectors = data.has_vectors.then_some(&data.encoded.clustered);
        self.with_topics(&data.frame, &self.settings.encoder.columns, vectors, topics, probabilities)
    }

    fn with_topics(
        &self,
        frame: &DataFrame,
        roles: &Columns,
        embeddings: Option<&Embeddings>,
        topics: &[i32],
        probabilities: &[f64],
    ) -> Result<DataFrame> {
        let mut columns = Vec::new();
        // The memory is shared, so repeating a precomputed column under this name and type costs nothing.
        if let Some(embeddings) = embeddings.filter(|_| roles.embeddings.as_deref() != Some("embedding")) {
            columns.push(embeddings.to_column("embedding")?);
        }
        columns.push(Column::new("Topic".into(), topics));
        columns.push(Column::new("Probability".into(), probabilities));
        for column in ["Topic", "Probability"] {
            if frame.column(column).is_ok() {
                let message = format!("the frame's column `{column}` is replaced by the new one");
                self.settings.progress.note(Stage::Input, message);
            }
        }
        replace_columns(frame, columns)
    }
}

/// `frame` with `columns` appended; columns of the frame with the same name as a new one are dropped.
pub(in crate::model) fn replace_columns(frame: &DataFrame, columns: Vec<Column>) -> Result<DataFrame> {
    let taken = |name: &PlSmallStr| columns.iter().any(|column| column.name() == name);
    let kept = frame.columns().iter().filter(|column| !taken(column.name())).cloned();
    let all: Vec<Column> = kept.chain(columns.iter().cloned()).collect();
    DataFrame::new(frame.height(), all).map_err(internal)
}
