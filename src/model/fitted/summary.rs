//! The summary of a fit.

use serde::{Deserialize, Serialize};

use crate::encode::ClusterOn;

/// A summary of a fit.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => [Some("the cat sleeps"), Some("a fast train"), None])?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// let topics = model.fit(&posts)?;
/// let summary = topics.summary();
/// assert_eq!((summary.rows, summary.topics, summary.outliers, summary.blank), (3, 2, 1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The number of rows of the frame.
    pub rows: usize,
    /// The number of rows in a topic.
    pub clustered: usize,
    /// The number of rows in topic -1, including blank ones.
    pub outliers: usize,
    /// The number of rows that could not be clustered: without text or image, without a vector, without a word known to
    /// the embedder, or with an unreadable image.
    pub blank: usize,
    /// The number of rows with the same vector as an earlier row, which share its topic.
    pub repeated: usize,
    /// The number of topics, not counting -1.
    pub topics: usize,
    /// The dimensions of the clustered vectors.
    pub dimensions: usize,
    /// The seed.
    pub seed: u64,
    /// What was clustered.
    pub cluster_on: ClusterOn,
    /// The embedder and its settings, or the column of precomputed embeddings.
    pub embedder: String,
    /// The reducer and its settings.
    pub reducer: String,
    /// The clusterer and its settings.
    pub clusterer: String,
    /// The text column.
    pub text_column: Option<String>,
    /// The image column.
    pub image_column: Option<String>,
    /// The number of rows with an image, if there is an image column.
    pub images: Option<usize>,
    /// The captioner and its settings, if there is one.
    pub captioner: Option<String>,
    /// The number of captioned images.
    pub captions: usize,
}
