//! Searching for topics.

use polars::prelude::*;

use super::{FittedTopicModel, no_topic};
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::{cosine, dot, norm};
use crate::vision::ImageSource;

impl FittedTopicModel {
    /// The `top_n` topics nearest to `query`, a word or any text: `Topic` (Int32), `Name` (String, what it is
    /// [called](Self::topic_label)) and `Similarity`
    /// (Float64, the cosine similarity of the query vector to the topic's mean vector, -1 to 1), nearest first, ties by
    /// topic. The outlier topic is excluded. A model of images supports text queries if its embedder also embeds text.
    ///
    /// # Errors
    /// `top_n` is 0; the query contains no word known to the embedder; the model has no embedder for texts, or one with
    /// dimensions that differ from those of the clustered vectors; the embedder fails.
    pub fn find_topics(&self, query: &str, top_n: usize) -> Result<DataFrame> {
        check_top_n(top_n)?;
        self.nearest_topics(&self.pipeline.encoder.encode_text(query, &self.settings.progress)?, top_n, None)
    }

    /// Like [`find_topics`](Self::find_topics), for an image: a path, or the bytes of an encoded image.
    ///
    /// # Errors
    /// `top_n` is 0; the image cannot be read; the model has no embedder for images, or one with dimensions that differ
    /// from those of the clustered vectors; the embedder fails.
    pub fn find_topics_by_image<'a>(&self, image: impl Into<ImageSource<'a>>, top_n: usize) -> Result<DataFrame> {
        check_top_n(top_n)?;
        self.nearest_topics(&self.pipeline.encoder.encode_image(image.into(), &self.settings.progress)?, top_n, None)
    }

    /// The `top_n` topics most similar to `topic`, by the cosine similarity of their mean vectors: the columns of
    /// [`find_topics`](Self::find_topics), most similar first, ties by topic, without the topic itself and the outlier
    /// topic. No embedder is needed.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// let topics = model.fit(&posts)?;
    /// let labels = topics.labels();
    /// let like_cats = topics.similar_topics(labels[0], 2)?;
    /// assert_eq!(like_cats.column("Topic")?.i32()?.to_vec(), [Some(labels[1]), Some(labels[2])]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `top_n` is 0; the topic does not exist, or has no row with a vector.
    pub fn similar_topics(&self, topic: i32, top_n: usize) -> Result<DataFrame> {
        check_top_n(top_n)?;
        if self.topic_size(topic).is_none() {
            return Err(no_topic(topic, None));
        }
        let Some(mean) = self.topics.centroids.get(topic) else {
            let message = format!("topic {topic} has no mean vector: none of its rows has a vector");
            return Err(Error::new(ErrorKind::NotFound, Stage::Topics, message));
        };
        self.nearest_topics(mean, top_n, Some(topic))
    }

    fn nearest_topics(&self, query: &[f32], top_n: usize, but: Option<i32>) -> Result<DataFrame> {
        let topics = self.topics.centroids.iter().filter(|(topic, _)| *topic != OUTLIER && Some(*topic) != but);
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
