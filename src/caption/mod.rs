//! Captioning images.

use std::fmt;

use crate::error::Result;
use crate::hub::Origin;
use crate::progress::Progress;
use crate::spec::Spec;
use crate::vision::ImageSource;

#[cfg(feature = "models")]
mod captioner;

#[cfg(feature = "models")]
pub use captioner::{Captioner, EarlyStopping};

/// Captions images.
///
/// ```
/// use topicframe::caption::ImageCaptioner;
/// use topicframe::prelude::*;
///
/// /// Captions images with their file names.
/// #[derive(Debug)]
/// struct FileNames;
///
/// impl ImageCaptioner for FileNames {
///     fn caption_images(&self, images: &[ImageSource<'_>], _: &Progress) -> Result<Vec<Option<String>>, Error> {
///         let name = |image: &ImageSource<'_>| match image {
///             ImageSource::File(path) => Some(path.file_stem()?.to_string_lossy().replace('_', " ")),
///             _ => None,
///         };
///         Ok(images.iter().map(name).collect())
///     }
/// }
///
/// let captions = FileNames.caption_images(&["photos/red_apple.jpg".into()], &Progress::silent())?;
/// assert_eq!(captions, [Some("red apple".to_owned())]);
///
/// let model = TopicModel::images("photo", NoEmbedder).embeddings("embedding").captioner(FileNames);
/// assert!(model.check().is_ok());
/// # Ok::<(), Error>(())
/// ```
pub trait ImageCaptioner: Send + Sync + fmt::Debug {
    /// Checks every parameter, before any work: a model calls this before it reads the frame. The built-in captioner
    /// also calls it in [`caption_images`](Self::caption_images), which can be called without a model. Default: no
    /// parameters to check.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// One caption for each image, in the order of the images; `None` for an image that cannot be read, which is
    /// reported to `progress`.
    fn caption_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Vec<Option<String>>>;

    /// The origin of the model, from which it can be loaded again. Default: unknown.
    fn origin(&self) -> Option<Origin> {
        None
    }

    /// The settings, which are saved with a model, and with which its captioner is loaded again. Default: none.
    fn spec(&self) -> Option<Spec> {
        None
    }
}
