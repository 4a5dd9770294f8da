//! Captioning images.

use std::fmt;

use crate::error::Result;
use crate::hub::Origin;
use crate::progress::Progress;
use crate::vision::ImageSource;

#[cfg(feature = "models")]
mod captioner;

#[cfg(feature = "models")]
pub use captioner::{Captioner, EarlyStopping};

/// Captions images.
pub trait ImageCaptioner: Send + Sync + fmt::Debug {
    /// One caption for each image, in the order of the images; `None` for an image that cannot be read, which is
    /// reported to `progress`.
    fn caption_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Vec<Option<String>>>;

    /// The origin of the model, from which it can be loaded again. Default: unknown.
    fn origin(&self) -> Option<Origin> {
        None
    }
}
