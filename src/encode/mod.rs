//! Encoding: converts the rows of a frame to the vectors that are clustered.
//!
//! The only module that decides what is clustered: precomputed vectors, texts, images, or texts and images fused.

use std::sync::Arc;

use crate::corpus::{Columns, Embeddings};
use crate::embed::{FittedFusion, Fusion, ImageEmbedder, TextEmbedder};
use crate::vectorize::TextCleaning;

mod check;
mod cleaned;
mod cluster_on;
mod embed_distinct;
mod encoder;
mod fitted;
mod images;
mod plan;
mod usable;

pub(crate) use cleaned::{Cleaned, resolve_cleaning};
pub use cluster_on::ClusterOn;
pub(crate) use images::{image_sources, relative_paths};
pub(crate) use usable::counted;

/// The settings of encoding: the roles of columns, the embedders, and how the two vectors of a row are fused.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    pub(crate) columns: Columns,
    pub(crate) cluster_on: ClusterOn,
    pub(crate) text_embedder: Option<Arc<dyn TextEmbedder>>,
    pub(crate) image_embedder: Option<Arc<dyn ImageEmbedder>>,
    pub(crate) fusion: Fusion,
    pub(crate) cleaning: TextCleaning,
}

/// The vectors computed from the documents of a frame, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    /// The vectors that are clustered.
    pub(crate) clustered: Embeddings,
    /// Text vectors, precomputed or computed; `None` if they are unknown, or known only as `clustered`.
    pub(crate) texts: Option<Embeddings>,
    /// Image vectors, precomputed or computed.
    pub(crate) images: Option<Embeddings>,
    /// The rows usable for clustering, ascending.
    pub(crate) rows: Vec<usize>,
}

/// An [`Encoder`] fitted to a frame, which encodes new rows in the same way.
#[derive(Debug, Clone)]
pub(crate) struct FittedEncoder {
    /// The settings; the cleaning is resolved.
    pub(crate) encoder: Encoder,
    /// The fitted fusion, if texts and images were fused.
    pub(crate) fusion: Option<FittedFusion>,
    /// The dimensions of the clustered vectors.
    pub(crate) dimensions: usize,
    /// Whether only a vector's direction counts, so that all-zero vectors are outliers.
    pub(crate) uses_direction_only: bool,
}
