//! Searching for topics.

use polars::prelude::*;

use super::FittedTopicModel;
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::{Error, Result, Stage};
use crate::linalg::vectors::{cosine, dot, norm};
use crate::vision::ImageSource;

impl FittedTopicModel {
    /// The `top_n` topics nearest to `query`, a word or any text: `Topic` (Int32), `Name` (String) and `Similarity`
    /// (Float64, the cosine similarity of the query vector to the topic's mean vector, -1 to 1), nearest first, ties by
    /// topic. The outlier topic is excluded. A model of images supports text queries if its embedder also embeds text.
    ///
    /// # Errors
    /// `top_n` is 0; the query contains no word known to the embedder; the model has no embedder for texts, or one with
    /// dimensions that differ from those of the clustered vectors; the embedder fails.
    pub fn find_topics(&self, query: &str, top_n: usize) -> Result<DataFrame> {
        check_top_n(top_n)?;
        self.nearest_topics(&self.pipeline.encoder.encode_text(query, &self.settings.progress)?, top_n)
    }

    /// Like [`find_topics`](Self::find_topics), for an image: a path, or the bytes of an encoded image.
    ///
    /// # Errors
    /// `top_n` is 0; the image cannot be read; the model has no embedder for images, or one with dimensions that differ
    /// from those of the clustered vectors; the embedder fails.
    pub fn find_topics_by_image<'a>(&self, image: impl Into<ImageSource<'a>>, top_n: usize) -> Result<DataFrame> {
        check_top_n(top_n)?;
        self.nearest_topics(&self.pipeline.encoder.encode_image(image.into(), &self.settings.progress)?, top_n)
    }

    fn nearest_topics(&self, query: &[f32], top_n: usize) -> Result<DataFrame> {
        let topics = self.topics.centroids.iter().filter(|(topic, _)| *topic != OUTLIER);
        let length = norm(query.iter().copied());
        let similarity = |mean: &[f32]| cosine(dot(query, mean), length, norm(mean.iter().copied()));
        let mut found: Vec<(i32, f64)> = topics.map(|(topic, mean)| (topic, similarity(mean))).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(top_n);
        let names: Vec<Option<String>> = found.iter().map(|&(topic, _)| self.topic_label(topic)).collect();
        let (topics, similarities): (Vec<i32>, Vec<f64>) = found.into_iter().unzip();
        let columns = vec![
            Column::new("Topic".into(), topics),
            Column::new("Name".into(), names),
            Column::new("Similarity".into(), similarities),
        ];
        DataFrame::new(columns[0].len(), columns).map_err(internal)
    }
}

/// Before the query is embedded, which can be slow.
fn check_top_n(top_n: usize) -> Result<()> {
    match top_n {
        0 => Err(Error::invalid_parameter(Stage::Topics, "top_n", 0, "at least 1")),
        _ => Ok(()),
    }
}
