//! Whether the topics' words describe their images.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::FittedTopicModel;
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::unit;
use crate::measure::intruder_tests;

impl FittedTopicModel {
    /// How well each topic's words describe its images, by an intruder test: `Topic` (Int32), `Count` (Int64), `Name`
    /// (String) and `Image_words` (Float64, 0 to 1), one row per topic without -1, ascending.
    ///
    /// The joint embedder of the model embeds the ten best words of each topic together. An image passes against another
    /// topic if it is more similar to the words of its own topic than to those of the other; `Image_words` is the share
    /// of passed tests over the topic's images and all other topics. Chance is .5. It is null for a topic without words
    /// or without images. Words that were selected by the images
    /// ([`VisualWords`](crate::represent::VisualWords)) pass more easily than words of captions or texts.
    ///
    /// # Errors
    /// The model has no image vectors, or no embedder of texts into the same space; the embedder fails; the model is
    /// without its data; interrupted.
    pub fn image_word_intruders(&self) -> Result<DataFrame> {
        let data = self.data_with_vectors("image_word_intruders")?;
        let encoder = &self.settings.encoder;
        let (Some(images), Some(embedder)) = (&data.encoded.images, encoder.joint_text()) else {
            let message = "the intruder test needs image vectors, and an embedder of texts into the same space";
            return Err(Error::new(ErrorKind::NotFound, Stage::Topics, message)
                .with_hint("Embed the images with a joint model, such as CLIP."));
        };
        let ids = self.without_outliers();
        let words: Vec<String> = self.top_words(&ids).iter().map(|words| words.join(", ")).collect();
        let (known, texts): (Vec<i32>, Vec<&str>) = ids
            .iter()
            .zip(&words)
            .filter(|(_, words)| !words.is_empty())
            .map(|(&id, words)| (id, words.as_str()))
            .unzip();
        let progress = &self.settings.progress;
        let embedded = match texts.is_empty() {
            true => Vec::new(),
            false => {
                embedder.embed_texts(&texts, progress)?.outer_iter().map(|row| unit(row.iter().copied())).collect()
            }
        };
        if embedded.iter().any(|direction| direction.len() != images.dimensions()) {
            let message = "the embeddings of words and images have different numbers of dimensions";
            return Err(Error::new(ErrorKind::InvalidData, Stage::Topics, message)
                .with_hint("Image embeddings and the text embedder must come from the same joint model."));
        }
        let directions: BTreeMap<i32, Vec<f64>> = known.into_iter().zip(embedded).collect();
        let topics = self.topics.assignment.topics.iter().enumerate();
        let rows: Vec<(i32, &[f32])> = topics.filter_map(|(row, &topic)| Some((topic, images.get(row)?))).collect();
        progress.check(Stage::Topics)?;
        let shares = intruder_tests(&rows, &directions);
        let sizes: Vec<i64> = ids.iter().map(|&id| self.topic_size(id).unwrap_or(0) as i64).collect();
        let columns = vec![
            Column::new("Topic".into(), &ids),
            Column::new("Count".into(), sizes),
            Column::new("Name".into(), ids.iter().map(|&id| self.topic_label(id)).collect::<Vec<_>>()),
            Column::new("Image_words".into(), ids.iter().map(|id| shares.get(id).copied()).collect::<Vec<_>>()),
        ];
        DataFrame::new(ids.len(), columns).map_err(internal)
    }
}
