//! The choice of what to cluster.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Stage};

/// What a model clusters: text embeddings, image embeddings, or both, fused. Written as `text`, `images` or `both`.
///
/// ```
/// use topicframe::prelude::*;
///
/// // Cluster the images, and describe the topics with the words of the captions.
/// let model = TopicModel::text_and_images("caption", "photo", NoEmbedder)
///     .image_embeddings("clip")
///     .cluster_on(ClusterOn::Images);
/// assert!(model.check().is_ok());
/// assert_eq!("images".parse::<ClusterOn>()?, ClusterOn::Images);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ClusterOn {
    /// Texts. Images, if any, illustrate the topics.
    Text,
    /// Images. Texts, if any, describe the topics.
    Images,
    /// Texts and images, fused row by row.
    Both,
}

impl fmt::Display for ClusterOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ClusterOn::Text => "text",
            ClusterOn::Images => "images",
            ClusterOn::Both => "both",
        })
    }
}

impl FromStr for ClusterOn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "text" => Ok(ClusterOn::Text),
            "images" => Ok(ClusterOn::Images),
            "both" => Ok(ClusterOn::Both),
            _ => Err(Error::invalid_parameter(Stage::Embed, "cluster_on", text, "text, images or both")),
        }
    }
}
