//! New rows to the topics of a fitted model.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use ndarray::{Array2, ArrayView2};
use polars::prelude::*;

use super::{Assignment, FittedTopicModel};
use crate::cluster::{FittedClusterer, OUTLIER};
use crate::corpus::{Embeddings, internal};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::{TopicModel, check_labels, check_points};
use crate::reduce::FittedReducer;

/// What placing new rows needs.
#[derive(Debug)]
pub(crate) struct Inference {
    pub(crate) model: TopicModel,
    pub(crate) reducer: Arc<dyn FittedReducer>,
    pub(crate) clusterer: Arc<dyn FittedClusterer>,
    /// The rows of the fit by their vectors; found when they are first asked for.
    pub(crate) known: OnceLock<KnownRows>,
}

impl FittedTopicModel {
    /// The topics of new rows: `frame` with `embedding`, `Topic` and `Probability` added, as after the fit. Rows do not
    /// influence each other, and a row whose vector was in the fit has the topic it had there (the first such row's).
    ///
    /// Pictures are not looked at: a frame without the image column will do. Blank rows are outliers.
    ///
    /// # Errors
    /// A frame without rows, a column that is missing or of a wrong type, an embedder that fails, or vectors of another
    /// width than those of the fit.
    pub fn transform(&self, frame: &DataFrame) -> Result<DataFrame> {
        let model = &self.inference.model;
        let embedded = model.embedded_new(frame)?;
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
        let (topics, probabilities) = self.place(embedded.embeddings.of_rows(rows)?.view())?;
        let mut of_rows = (vec![OUTLIER; frame.height()], vec![0.0; frame.height()]);
        for ((&row, topic), probability) in rows.iter().zip(topics).zip(probabilities) {
            of_rows.0[row] = topic;
            of_rows.1[row] = probability;
        }
        model.with_topics(frame, &embedded.embeddings, &of_rows.0, &of_rows.1)
    }

    fn place(&self, vectors: ArrayView2<'_, f32>) -> Result<(Vec<i32>, Vec<f64>)> {
        let known = self.inference.known.get_or_init(|| self.rows_of_fit());
        let seen: Vec<Option<usize>> =
            vectors.outer_iter().map(|vector| known.find(&self.embeddings, &vector.to_vec())).collect();
        let new: Vec<usize> = (0..vectors.nrows()).filter(|&i| seen[i].is_none()).collect();
        let Assignment { topics, probabilities, .. } = &*self.assignment;
        let mut placed = (vec![OUTLIER; seen.len()], vec![0.0; seen.len()]);
        for (i, row) in seen.iter().enumerate().filter_map(|(i, row)| Some((i, (*row)?))) {
            placed.0[i] = topics[row];
            placed.1[i] = probabilities[row];
        }
        if !new.is_empty() {
            let vectors: Array2<f32> = vectors.select(ndarray::Axis(0), &new);
            let points = self.inference.reducer.transform(vectors.view(), self.inference.model.progress())?;
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

    fn rows_of_fit(&self) -> KnownRows {
        let mut rows = HashMap::<u64, Vec<usize>>::new();
        for row in 0..self.embeddings.len() {
            if let Some(vector) = self.embeddings.get(row) {
                rows.entry(hash_of(vector)).or_default().push(row);
            }
        }
        KnownRows(rows)
    }
}

/// Rows of the fit by a hash of their vector.
#[derive(Debug)]
pub(crate) struct KnownRows(HashMap<u64, Vec<usize>>);

impl KnownRows {
    fn find(&self, embeddings: &Embeddings, vector: &[f32]) -> Option<usize> {
        let same = |row: &&usize| embeddings.get(**row).is_some_and(|known| known == vector);
        self.0.get(&hash_of(vector))?.iter().find(same).copied()
    }
}

/// FNV-1a over the bits.
fn hash_of(vector: &[f32]) -> u64 {
    let mix = |hash: u64, x: &f32| (hash ^ u64::from(x.to_bits())).wrapping_mul(0x0000_0100_0000_01b3);
    vector.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// `frame` with `columns` at its end; a column of the frame that has the name of a new one is left out.
pub(crate) fn replace_columns(frame: &DataFrame, columns: Vec<Column>) -> Result<DataFrame> {
    let taken = |name: &PlSmallStr| columns.iter().any(|column| column.name() == name);
    let kept = frame.columns().iter().filter(|column| !taken(column.name())).cloned();
    let all: Vec<Column> = kept.chain(columns.iter().cloned()).collect();
    DataFrame::new(frame.height(), all).map_err(internal)
}
