//! Texts and images to vectors.
//!
//! An embedder is a value that plugs into [`TopicModel`](crate::model::TopicModel); any type of the user's own will do.

use std::fmt::Debug;

use ndarray::Array2;

use crate::error::Result;
use crate::progress::Progress;
use crate::vision::ImageSource;

mod captioner;
mod clip;
mod device;
mod fusion;
pub mod hub;
pub(crate) mod image_input;
mod load;
pub(crate) mod model_folder;
mod no_embedder;
mod sentence_transformer;
mod static_model;
pub(crate) mod text_tokenizer;
mod tokenizer_bounds;
pub(crate) mod transformer;
pub(crate) mod weights;
pub(crate) mod workers;

pub use captioner::{Captioner, EarlyStopping};
pub use clip::MultiModalBackend;
pub use device::Device;
pub use fusion::{FittedFusion, Fusion};
pub use load::LoadedEmbedder;
pub use no_embedder::NoEmbedder;
pub(crate) use no_embedder::nothing_embeds;
pub use sentence_transformer::SentenceTransformer;
pub use static_model::StaticEmbedder;

/// Texts to vectors.
pub trait TextEmbedder: Send + Sync + Debug {
    /// The width of the vectors.
    fn dimensions(&self) -> usize;

    /// One L2-normalized row for each text, in the order of the texts; a text without a known token gives zeros.
    fn embed_texts(&self, texts: &[&str], progress: &Progress) -> Result<Array2<f32>>;

    /// Whether a model should give its texts without what scrapers leave in them, and with every letter in one Unicode
    /// form (see [`TextCleaning`](crate::vectorize::TextCleaning)). Default: as they are.
    fn wants_clean_texts(&self) -> bool {
        false
    }
}

/// Images to vectors.
pub trait ImageEmbedder: Send + Sync + Debug {
    /// The width of the vectors.
    fn dimensions(&self) -> usize;

    /// One L2-normalized row for each image, in the order of the images; an image that cannot be read gives zeros, and
    /// is told to `progress`.
    fn embed_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Array2<f32>>;

    /// The embedder of texts into the same space, where there is one. Default: none.
    fn text_side(&self) -> Option<&dyn TextEmbedder> {
        None
    }
}

/// Texts and images to vectors of one space, so that they can be compared and averaged.
pub trait JointEmbedder: TextEmbedder + ImageEmbedder {}

/// Images to sentences that say what is on them.
pub trait ImageCaptioner: Send + Sync + Debug {
    /// One caption for each image, in the order of the images; `None` for an image that cannot be read, which is told
    /// to `progress`.
    fn caption_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Vec<Option<String>>>;
}
