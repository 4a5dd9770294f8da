//! Encoding: the rows of a frame to the vectors that are clustered.
//!
//! The only place that decides what is clustered: vectors of the frame, texts, images, or both fused.

use std::sync::Arc;

use crate::corpus::{Columns, Embeddings};
use crate::embed::{FittedFusion, Fusion, ImageEmbedder, TextEmbedder};
use crate::vectorize::TextCleaning;

mod check;
mod cleaned;
mod cluster_on;
mod distinct_texts;
mod encoder;
mod fitted;
mod images;
mod plan;
mod usable;

pub(crate) use cleaned::{Cleaned, resolve_cleaning};
pub use cluster_on::ClusterOn;
pub(crate) use encoder::Parts;
pub(crate) use images::{image_sources, relative_paths};
pub(crate) use usable::counted;

/// Settings of encoding: which columns play which role, what embeds them, and how two vectors of a row become one.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    pub(crate) columns: Columns,
    pub(crate) cluster_on: ClusterOn,
    pub(crate) text_embedder: Option<Arc<dyn TextEmbedder>>,
    pub(crate) image_embedder: Option<Arc<dyn ImageEmbedder>>,
    pub(crate) fusion: Fusion,
    pub(crate) cleaning: TextCleaning,
}

/// What was computed from the documents of a frame, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    /// The vectors that are clustered.
    pub(crate) clustered: Embeddings,
    /// Vectors of the texts alone, given or computed; none where the texts' vectors are `clustered` or unknown.
    pub(crate) texts: Option<Embeddings>,
    /// Vectors of the images alone, given or computed.
    pub(crate) images: Option<Embeddings>,
    /// The rows that can be clustered, ascending.
    pub(crate) rows: Vec<usize>,
}

/// An [`Encoder`] that has seen the rows of a fit, and encodes new rows as it did those.
#[derive(Debug, Clone)]
pub(crate) struct FittedEncoder {
    /// The settings; the cleaning is resolved.
    pub(crate) encoder: Encoder,
    /// How texts and images were fused, where they were.
    pub(crate) fusion: Option<FittedFusion>,
    /// Dimensions of the vectors that were clustered.
    pub(crate) dimensions: usize,
    /// Whether only a vector's direction counts: a vector of zeros has no place.
    pub(crate) by_direction: bool,
}
