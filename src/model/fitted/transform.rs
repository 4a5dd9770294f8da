//! New rows to the topics of a fitted model.

use ndarray::Array2;
use polars::prelude::*;

use super::FittedTopicModel;
use crate::cluster::OUTLIER;
use crate::corpus::{Embeddings, internal};
use crate::error::{Result, Stage};
use crate::topics::Assignment;

impl FittedTopicModel {
    /// The topics of new rows: `frame` with `embedding`, `Topic` and `Probability` added, as after the fit. Rows do not
    /// influence each other, and a row whose vector was in the fit has the topic and the probability that it had there.
    ///
    /// Only what was clustered is looked at: of a model of texts a frame without the image column will do, and of a
    /// model of both texts and images a frame with one of the two. Rows that have neither are outliers, and so are rows
    /// whose image cannot be read.
    ///
    /// # Errors
    /// A frame without rows, a column that is missing or of a wrong type, an embedder that fails, or vectors of another
    /// width than those of the fit.
    pub fn transform(&self, frame: &DataFrame) -> Result<DataFrame> {
        let progress = &self.settings.progress;
        let encoded = self.pipeline.encoder.encode(frame, progress)?;
        let mut topics = vec![OUTLIER; frame.height()];
        let mut probabilities = vec![0.0; frame.height()];
        if encoded.rows.is_empty() {
            // Vectors that are all null may have lost their dimensions.
            let nothing = Array2::zeros((0, self.pipeline.encoder.dimensions));
            return self.with_topics(
                frame,
                &Embeddings::scatter(nothing, &[], frame.height())?,
                &topics,
                &probabilities,
            );
        }
        let places = self.pipeline.place(&encoded.clustered.of_rows(&encoded.rows)?, progress)?;
        for (&row, place) in encoded.rows.iter().zip(places) {
            (topics[row], probabilities[row]) = self.topics.assignment.at(place);
        }
        self.with_topics(frame, &encoded.clustered, &topics, &probabilities)
    }

    /// The frame of the fit, with its vectors and topics.
    pub(in crate::model) fn with_topics_of_fit(&self) -> Result<DataFrame> {
        let data = self.data("fit_transform")?;
        let Assignment { topics, probabilities, .. } = &*self.topics.assignment;
        self.with_topics(&data.frame, &data.encoded.clustered, topics, probabilities)
    }

    fn with_topics(
        &self,
        frame: &DataFrame,
        embeddings: &Embeddings,
        topics: &[i32],
        probabilities: &[f64],
    ) -> Result<DataFrame> {
        let mut columns = Vec::new();
        // The memory is shared: a given column of another name or type costs nothing to show here too.
        if self.settings.encoder.columns.embeddings.as_deref() != Some("embedding") {
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

/// `frame` with `columns` at its end; a column of the frame that has the name of a new one is left out.
pub(in crate::model) fn replace_columns(frame: &DataFrame, columns: Vec<Column>) -> Result<DataFrame> {
    let taken = |name: &PlSmallStr| columns.iter().any(|column| column.name() == name);
    let kept = frame.columns().iter().filter(|column| !taken(column.name())).cloned();
    let all: Vec<Column> = kept.chain(columns.iter().cloned()).collect();
    DataFrame::new(frame.height(), all).map_err(internal)
}
