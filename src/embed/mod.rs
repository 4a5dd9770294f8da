//! Embedding texts and images.
//!
//! An embedder is passed to [`TopicModel`](crate::model::TopicModel); any type that implements the trait can be one.

use std::fmt::Debug;

use ndarray::Array2;

use crate::error::Result;
use crate::hub::Origin;
use crate::progress::Progress;
use crate::spec::Spec;
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
///
/// ```
/// use topicframe::ndarray::Array2;
/// use topicframe::prelude::*;
///
/// /// One dimension for each keyword.
/// #[derive(Debug)]
/// struct Keywords(Vec<&'static str>);
///
/// impl TextEmbedder for Keywords {
///     fn dimensions(&self) -> usize {
///         self.0.len()
///     }
///
///     fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>, Error> {
///         let contains = |(text, word): (usize, usize)| f32::from(texts[text].contains(self.0[word]));
///         let mut rows = Array2::from_shape_fn((texts.len(), self.0.len()), contains);
///         for mut row in rows.rows_mut() {
///             let length = row.dot(&row).sqrt();
///             row /= length.max(1.0); // zeros stay zeros
///         }
///         Ok(rows)
///     }
/// }
///
/// let posts = df!("text" => ["a red apple", "a fast train", "a green apple"].repeat(10))?;
/// let embedder = Keywords(vec!["apple", "train"]);
/// let model = TopicModel::text("text", embedder).reducer(NoReduction).clusterer(KMeans::new(2));
/// assert_eq!(model.fit(&posts)?.topic_size(0), Some(20));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait TextEmbedder: Send + Sync + Debug {
    /// Checks every parameter, before any work: a model calls this before it reads the frame. The built-in embedders
    /// also call it in [`embed_texts`](Self::embed_texts), which can be called without a model. An embedder that holds
    /// another one checks that one, too. Default: no parameters to check.
    fn check(&self) -> Result<()> {
        Ok(())
    }

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

    /// The settings that the model of this origin is used with, so that a saved topic model can load it again. Default:
    /// none.
    fn spec(&self) -> Option<Spec> {
        None
    }
}

/// Embeds images.
///
/// ```
/// use topicframe::ndarray::{Array2, ArrayView1};
/// use topicframe::prelude::*;
/// use topicframe::vision::{Encoding, Filter, RgbImage, decode, encode, resize};
///
/// /// The mean color of an image: red, green, blue.
/// #[derive(Debug)]
/// struct MeanColor;
///
/// impl ImageEmbedder for MeanColor {
///     fn dimensions(&self) -> usize {
///         3
///     }
///
///     fn embed_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Array2<f32>, Error> {
///         let mut rows = Array2::zeros((images.len(), 3));
///         for (mut row, image) in rows.rows_mut().into_iter().zip(images) {
///             match decode(image, &Limits::new()) {
///                 Ok(image) => {
///                     let mean = resize(&image, 1, 1, Filter::Bilinear);
///                     row.assign(&ArrayView1::from(mean.as_raw()).mapv(f32::from));
///                 }
///                 Err(error) => progress.note(Stage::Embed, error.to_string()), // its row stays zero
///             }
///             let length = row.dot(&row).sqrt();
///             row /= length.max(1.0); // zeros stay zeros
///         }
///         Ok(rows)
///     }
/// }
///
/// let plain = |color: [u8; 3]| encode(&RgbImage::from_fn(8, 8, |_, _| color.into()), Encoding::Png);
/// let (red, blue) = (plain([200, 0, 0])?.bytes, plain([0, 0, 100])?.bytes);
/// let pictures = df!("image" => [red.as_slice(), blue.as_slice()])?;
/// let model = TopicModel::images("image", MeanColor).reducer(NoReduction).clusterer(KMeans::new(2));
/// assert_eq!(model.fit(&pictures)?.labels(), [0, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ImageEmbedder: Send + Sync + Debug {
    /// Checks every parameter, before any work: a model calls this, and the `check` of the
    /// [`text_side`](Self::text_side), before it reads the frame. The built-in embedders also call it in
    /// [`embed_images`](Self::embed_images), which can be called without a model. Default: no parameters to check.
    fn check(&self) -> Result<()> {
        Ok(())
    }

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

    /// The settings that the model of this origin is used with, so that a saved topic model can load it again. Default:
    /// none.
    fn spec(&self) -> Option<Spec> {
        None
    }
}

/// Embeds texts and images into one space, so that they can be compared and averaged.
///
/// Both traits have a `check`; a call says which: `TextEmbedder::check(&model)`.
///
/// ```
/// use topicframe::ndarray::Array2;
/// use topicframe::prelude::*;
///
/// /// Texts by the things that they name, and image files by the things in their names.
/// #[derive(Debug)]
/// struct Things;
///
/// const THINGS: [&str; 2] = ["cat", "train"];
///
/// fn vectors(names: Vec<String>) -> Array2<f32> {
///     let contains = |(name, thing): (usize, usize)| f32::from(names[name].contains(THINGS[thing]));
///     let mut rows = Array2::from_shape_fn((names.len(), THINGS.len()), contains);
///     for mut row in rows.rows_mut() {
///         let length = row.dot(&row).sqrt();
///         row /= length.max(1.0); // zeros stay zeros
///     }
///     rows
/// }
///
/// impl TextEmbedder for Things {
///     fn dimensions(&self) -> usize {
///         THINGS.len()
///     }
///
///     fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>, Error> {
///         Ok(vectors(texts.iter().map(|text| text.to_string()).collect()))
///     }
/// }
///
/// impl ImageEmbedder for Things {
///     fn dimensions(&self) -> usize {
///         THINGS.len()
///     }
///
///     fn embed_images(&self, images: &[ImageSource<'_>], _: &Progress) -> Result<Array2<f32>, Error> {
///         Ok(vectors(images.iter().map(|image| format!("{image:?}")).collect()))
///     }
///
///     fn text_side(&self) -> Option<&dyn TextEmbedder> {
///         Some(self)
///     }
/// }
///
/// impl JointEmbedder for Things {}
///
/// let text = Things.embed_texts(&["a sleeping cat"], &Progress::silent())?;
/// let image = Things.embed_images(&["photos/cat.jpg".into()], &Progress::silent())?;
/// assert_eq!(text, image);
///
/// let model = TopicModel::text_and_images("caption", "photo", Things);
/// assert!(model.check().is_ok());
/// # Ok::<(), Error>(())
/// ```
pub trait JointEmbedder: TextEmbedder + ImageEmbedder {}
