//! Embedding texts and images.
//!
//! An embedder is passed to [`TopicModel`](crate::model::TopicModel); any type that implements the trait can be one.

use std::fmt::Debug;

use ndarray::Array2;

use crate::error::Result;
use crate::hub::Origin;
use crate::progress::Progress;
use crate::vision::ImageSource;

mod check;
#[cfg(feature = "models")]
mod clip;
mod distinct_texts;
mod fusion;
mod load;
mod no_embedder;
#[cfg(feature = "models")]
mod sentence_transformer;
mod static_model;

pub use crate::nn::device::Device;
pub(crate) use check::check_vectors;
#[cfg(feature = "models")]
pub use clip::MultiModalBackend;
pub(crate) use distinct_texts::DistinctTexts;
pub use fusion::{FittedFusion, Fusion};
pub use load::LoadedEmbedder;
pub use no_embedder::NoEmbedder;
pub(crate) use no_embedder::missing_embedder;
#[cfg(feature = "models")]
pub use sentence_transformer::SentenceTransformer;
pub use static_model::StaticEmbedder;

/// Embeds texts.
pub trait TextEmbedder: Send + Sync + Debug {
    /// The number of dimensions of the embeddings.
    fn dimensions(&self) -> usize;

    /// One L2-normalized row for each text, in the order of the texts; zeros for a text without a known token.
    fn embed_texts(&self, texts: &[&str], progress: &Progress) -> Result<Array2<f32>>;

    /// Whether a model should clean texts (see [`TextCleaning`](crate::vectorize::TextCleaning)) and normalize their
    /// Unicode before passing them. Default: no.
    fn wants_clean_texts(&self) -> bool {
        false
    }

    /// The origin of the model, from which it can be loaded again. Default: unknown.
    fn origin(&self) -> Option<Origin> {
        None
    }
}

/// Embeds images.
pub trait ImageEmbedder: Send + Sync + Debug {
    /// The number of dimensions of the embeddings.
    fn dimensions(&self) -> usize;

    /// One L2-normalized row for each image, in the order of the images; zeros for an image that cannot be read, which
    /// is reported to `progress`.
    fn embed_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Array2<f32>>;

    /// The embedder of texts into the same space, if there is one. Default: none.
    fn text_side(&self) -> Option<&dyn TextEmbedder> {
        None
    }

    /// The origin of the model, from which it can be loaded again. Default: unknown.
    fn origin(&self) -> Option<Origin> {
        None
    }
}

/// Embeds texts and images into one space, so that they can be compared and averaged.
pub trait JointEmbedder: TextEmbedder + ImageEmbedder {}
