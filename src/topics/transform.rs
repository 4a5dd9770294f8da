//! New rows to the topics of a fitted model.

use std::sync::Arc;

use ndarray::Array2;
use polars::prelude::*;

use super::{Assignment, FittedTopicModel};
use crate::cluster::{FittedClusterer, OUTLIER};
use crate::corpus::{Embeddings, KnownRows, internal};
use crate::embed::FittedFusion;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::Vectors;
use crate::model::{TopicModel, check_labels, check_points};
use crate::reduce::FittedReducer;

/// What placing new rows needs.
#[derive(Debug)]
pub(crate) struct Inference {
    pub(crate) model: TopicModel,
    /// How texts and images were fused, where they were.
    pub(crate) fusion: Option<FittedFusion>,
    pub(crate) reducer: Arc<dyn FittedReducer>,
    pub(crate) clusterer: Arc<dyn FittedClusterer>,
    /// The rows of the fit by their vectors.
    pub(crate) known: KnownRows,
}

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
        let model = &self.inference.model;
        let embedded = model.embedded_new(frame, self.inference.fusion.as_ref())?;
        if embedded.rows.is_empty() {
            let nothing = Embeddings::scatter(Array2::zeros((0, self.embeddings.dimensions())), &[], frame.height())?;
            let (topics, strengths) = (vec![OUTLIER; frame.height()], vec![0.0; frame.height()]);
            return model.with_topics(frame, &nothing, &topics, &strengths);
        }
        if embedded.embeddings.dimensions() != self.embeddings.dimensions() {
            let (new, fitted) = (embedded.embeddings.dimensions(), self.embeddings.dimensions());
            let message = format!("the vectors have {new} numbers, those of the fit had {fitted}");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message)
                .hint("Use the embedder that the model was fitted with."));
        }
        let rows = &embedded.rows;
        let (topics, probabilities) = self.place(&embedded.embeddings.of_rows(rows)?)?;
        let mut of_rows = (vec![OUTLIER; frame.height()], vec![0.0; frame.height()]);
        for ((&row, topic), probability) in rows.iter().zip(topics).zip(probabilities) {
            of_rows.0[row] = topic;
            of_rows.1[row] = probability;
        }
        model.with_topics(frame, &embedded.embeddings, &of_rows.0, &of_rows.1)
    }

    fn place(&self, vectors: &Vectors) -> Result<(Vec<i32>, Vec<f64>)> {
        let known = &self.inference.known;
        let reader = vectors.reader();
        let seen: Vec<Option<usize>> =
            (0..vectors.rows()).map(|row| known.find(&self.embeddings, reader.row(row))).collect();
        let new: Vec<usize> = (0..vectors.rows()).filter(|&i| seen[i].is_none()).collect();
        let Assignment { topics, probabilities, .. } = &*self.assignment;
        let mut placed = (vec![OUTLIER; seen.len()], vec![0.0; seen.len()]);
        for (i, row) in seen.iter().enumerate().filter_map(|(i, row)| Some((i, (*row)?))) {
            placed.0[i] = topics[row];
            placed.1[i] = probabilities[row];
        }
        if let Some(vectors) = vectors.select(&new).filter(|vectors| vectors.rows() > 0) {
            let points = self.inference.reducer.transform_shared(&vectors, self.inference.model.progress())?;
            check_points(&points, new.len())?;
            let (labels, strengths) = self.inference.clusterer.predict(points.view())?;
            check_labels(&labels, &strengths, new.len())?;
            for ((&i, label), strength) in new.iter().zip(labels).zip(strengths) {
                placed.0[i] = self.assignment.topic_of(label);
                placed.1[i] = strength;
            }
        }
        Ok(placed)
    }
}

/// `frame` with `columns` at its end; a column of the frame that has the name of a new one is left out.
pub(crate) fn replace_columns(frame: &DataFrame, columns: Vec<Column>) -> Result<DataFrame> {
    let taken = |name: &PlSmallStr| columns.iter().any(|column| column.name() == name);
    let kept = frame.columns().iter().filter(|column| !taken(column.name())).cloned();
    let all: Vec<Column> = kept.chain(columns.iter().cloned()).collect();
    DataFrame::new(frame.height(), all).map_err(internal)
}
