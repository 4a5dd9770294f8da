//! Pixels: decoding within limits, resampling, thumbnails, collages.
//!
//! Everything here works on 8-bit RGB ([`RgbImage`]) and knows nothing of frames, rows or topics.

use serde::{Deserialize, Serialize};

use std::path::{Path, PathBuf};

pub use image::RgbImage;

pub mod collage;
pub(crate) mod data_uri;
pub mod decode;
pub mod format;
mod image_error;
mod limits;
mod memory;
pub mod preprocess;
pub mod resample;
mod structure;
pub mod thumbnail;

pub use collage::{Cell, Collage, Layout};
pub use decode::{decode, decode_as_stored};
pub use format::{ImageFormat, sniff_format};
pub(crate) use image_error::image_error;
pub use limits::Limits;
pub use preprocess::Preprocessor;
pub use resample::{Filter, reduce, resize, resize_part, resize_region};
pub use thumbnail::{EncodedImage, Encoding, encode, thumbnail};

/// The source of an image; it is read only when needed.
///
/// ```
/// use topicframe::prelude::*;
/// use topicframe::vision::decode;
///
/// let path = "examples/data/openclipart/images/animals/a_simple_pig_01.webp";
/// let bytes = std::fs::read(path)?;
/// let of_file = decode(&ImageSource::from(path), &Limits::new())?;
/// let of_bytes = decode(&ImageSource::Encoded { bytes: &bytes, name: Some("pig") }, &Limits::new())?;
/// assert_eq!(of_file, of_bytes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageSource<'a> {
    /// A file.
    File(PathBuf),
    /// An encoded image (PNG, JPEG, WebP, GIF, BMP, TIFF) in memory, with its name, if any.
    Encoded {
        /// The encoded bytes.
        bytes: &'a [u8],
        /// A name for display and error messages, such as a file name.
        name: Option<&'a str>,
    },
    /// An encoded image in a URI, such as `data:image/png;base64,...`.
    DataUri(&'a str),
}

impl From<PathBuf> for ImageSource<'_> {
    fn from(path: PathBuf) -> Self {
        ImageSource::File(path)
    }
}

impl From<&Path> for ImageSource<'_> {
    fn from(path: &Path) -> Self {
        ImageSource::File(path.to_path_buf())
    }
}

impl From<&str> for ImageSource<'_> {
    /// A path.
    fn from(path: &str) -> Self {
        ImageSource::File(PathBuf::from(path))
    }
}

impl<'a> From<&'a [u8]> for ImageSource<'a> {
    /// An encoded image.
    fn from(bytes: &'a [u8]) -> Self {
        ImageSource::Encoded { bytes, name: None }
    }
}

/// What to do about an image that cannot be read: missing, damaged, not an image, or over the limits.
///
/// ```
/// use topicframe::corpus::ImageColumn;
/// use topicframe::prelude::*;
/// use topicframe::represent::Ranking;
///
/// let frame = df!("image" => ["a_simple_pig_01.webp", "missing.png"])?;
/// let images = ImageColumn::read(&frame, "image", "examples/data/openclipart/images/animals".as_ref())?;
/// let ranking = Ranking::by_text(&[0], &[0, 0], &images, &[0.5, 0.9]);
/// let strict = VisualRepresentation::new().on_error(OnImageError::Fail);
/// assert_eq!(strict.gallery(&ranking, &images, &Progress::silent()).unwrap_err().kind(), ErrorKind::Image);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OnImageError {
    /// Continue without it, and report the number of such images in a note to [`Progress`](crate::progress::Progress).
    /// For display, the next best image takes its place (the list is in
    /// [`Gallery::skipped`](crate::represent::Gallery::skipped)); for embedding, its vector is zeros.
    #[default]
    Skip,
    /// Stop with its error.
    Fail,
}
