//! What was fitted, in numbers and names.

use crate::encode::ClusterOn;

/// What was fitted, in numbers and names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Rows of the frame.
    pub rows: usize,
    /// Rows that have a topic.
    pub clustered: usize,
    /// Rows in topic -1, blank ones included.
    pub outliers: usize,
    /// Rows that could not be clustered: without text or image, without a vector, without a word that the embedder knows,
    /// with an image that cannot be read.
    pub blank: usize,
    /// Rows whose vector an earlier row has: they share its topic.
    pub repeated: usize,
    /// Topics, without -1.
    pub topics: usize,
    /// Width of the vectors that were clustered.
    pub dimensions: usize,
    /// The seed.
    pub seed: u64,
    /// What was clustered.
    pub cluster_on: ClusterOn,
    /// The embedder and its settings, or the column that the vectors came from.
    pub embedder: String,
    /// The reduction and its settings.
    pub reducer: String,
    /// The clustering and its settings.
    pub clusterer: String,
    /// The column of the texts.
    pub text_column: Option<String>,
    /// The column of the images.
    pub image_column: Option<String>,
    /// Rows that have an image, where there is an image column.
    pub images: Option<usize>,
    /// The captioner and its settings, where there is one.
    pub captioner: Option<String>,
    /// Images that were captioned.
    pub captions: usize,
}
