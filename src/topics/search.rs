//! Topics by what one looks for.

use polars::prelude::*;

use super::FittedTopicModel;
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::embed::{TextEmbedder, nothing_embeds};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::dot;
use crate::vision::{ImageSource, Limits, decode};

/// What is looked for.
enum Query {
    Text,
    Image,
}

impl FittedTopicModel {
    /// The `top_n` topics nearest to `query`, a word or any text: `Topic` (Int32), `Name` (String) and `Similarity`
    /// (Float64, the cosine between the query's vector and the topic's mean vector, -1 to 1), nearest first, ties by
    /// topic. The outlier topic is not among them. A model of images finds topics by text if its embedder knows texts.
    ///
    /// # Errors
    /// `top_n` is 0; a query without a word that the embedder knows; a model without an embedder of texts, or with one
    /// of another width than the vectors that were clustered; an embedder that fails.
    pub fn find_topics(&self, query: &str, top_n: usize) -> Result<DataFrame> {
        let model = &self.inference.model;
        let embedder = model.query_embedder().filter(|embedder| embedder.dimensions() > 0);
        let embedder = embedder.ok_or_else(|| nothing_embeds("texts"))?;
        let unknown = || {
            let message = "the query has no word that the embedder knows";
            Error::new(ErrorKind::InvalidData, Stage::Topics, message)
        };
        if query.trim().is_empty() {
            return Err(unknown());
        }
        let vectors = model.cleaned(embedder).embed_texts(&[query], model.progress())?;
        let vector = vectors.outer_iter().next().map(|row| row.to_vec()).unwrap_or_default();
        if vector.iter().all(|&x| x == 0.0) {
            return Err(unknown());
        }
        self.nearest_topics(&self.as_clustered(vector, &Query::Text)?, top_n)
    }

    /// As [`find_topics`](Self::find_topics), by an image: a path, or the bytes of an encoded image.
    ///
    /// # Errors
    /// `top_n` is 0; an image that cannot be read; a model without an embedder of images, or with one of another width
    /// than the vectors that were clustered; an embedder that fails.
    pub fn find_topics_by_image<'a>(&self, image: impl Into<ImageSource<'a>>, top_n: usize) -> Result<DataFrame> {
        let model = &self.inference.model;
        let embedder = model.query_image_embedder().filter(|embedder| embedder.dimensions() > 0);
        let embedder = embedder.ok_or_else(|| nothing_embeds("images"))?;
        let image = [image.into()];
        let vectors = embedder.embed_images(&image, model.progress())?;
        let vector = vectors.outer_iter().next().map(|row| row.to_vec()).unwrap_or_default();
        if vector.iter().all(|&x| x == 0.0) {
            // The embedder says that it cannot be read, not why.
            decode(&image[0], &Limits::new())?;
            return Err(Error::new(ErrorKind::Image, Stage::Topics, "the embedder cannot read the image"));
        }
        self.nearest_topics(&self.as_clustered(vector, &Query::Image)?, top_n)
    }

    /// The query's vector as a row with nothing else would have been clustered.
    fn as_clustered(&self, vector: Vec<f32>, query: &Query) -> Result<Vec<f32>> {
        let (width, fitted) = (vector.len(), self.embeddings.dimensions());
        if width != fitted {
            let message = format!("the query's vector has {width} numbers, those of the fit had {fitted}");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Topics, message)
                .hint("The model must have the embedder that the vectors came from."));
        }
        let Some(fusion) = &self.inference.fusion else { return Ok(vector) };
        let row = ndarray::Array2::from_shape_vec((1, width), vector).map_err(internal)?;
        let nothing = ndarray::Array2::zeros((1, width));
        let fused = match query {
            Query::Text => fusion.fuse(row.view(), nothing.view())?,
            Query::Image => fusion.fuse(nothing.view(), row.view())?,
        };
        Ok(fused.into_raw_vec_and_offset().0)
    }

    fn nearest_topics(&self, query: &[f32], top_n: usize) -> Result<DataFrame> {
        if top_n == 0 {
            return Err(Error::parameter(Stage::Topics, "top_n", 0, "at least 1"));
        }
        let means = self.topic_embeddings();
        let mut found: Vec<(i32, f64)> = means
            .iter()
            .filter(|(topic, _)| **topic != OUTLIER)
            .map(|(&topic, mean)| (topic, cosine(query, mean)))
            .collect();
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

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let lengths = dot(a, a).sqrt() * dot(b, b).sqrt();
    if lengths > 0.0 { (dot(a, b) / lengths).clamp(-1.0, 1.0) } else { 0.0 }
}
