//! Limits on the size of images, and on the memory that decoding takes.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Hint, Result, Stage};

use super::image_error::image_error;

/// Memory that every image may take: a low pixel limit is meant to limit pixels only.
const MIN_MEMORY_LIMIT: u64 = 64 << 20;

/// Size limits for images. A larger image is an error of kind [`ErrorKind::Image`](crate::error::ErrorKind::Image),
/// detected in the header before any pixel is decoded.
///
/// The memory limit depends on [`max_pixels`](Self::max_pixels): during decoding, an image may take 6 bytes for each of
/// them (768 MiB by default; 64 MiB if that is more). That is what a photograph takes that has to be rotated upright;
/// formats that need more bytes per pixel may have fewer pixels. All images that are being decoded, on any number of
/// threads, take at most 1 GiB together; a thread waits until there is room for its image, and an image that takes more
/// is decoded alone.
///
/// ```
/// use topicframe::prelude::*;
/// use topicframe::vision::{Encoding, RgbImage, decode, encode};
///
/// let image = encode(&RgbImage::new(200, 100), Encoding::Png)?;
/// let source = ImageSource::from(image.bytes.as_slice());
/// assert_eq!(decode(&source, &Limits::new())?.dimensions(), (200, 100));
///
/// let error = decode(&source, &Limits::new().max_side(150)).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Image);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub(super) max_bytes: u64,
    max_pixels: u64,
    max_side: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_bytes: 64 << 20, max_pixels: 128 << 20, max_side: 32_768 }
    }
}

impl Limits {
    /// The defaults: files of 64 MiB, 134,217,728 pixels (128 Mi, enough for photographs of 108 megapixels), 32,768
    /// pixels per side.
    pub fn new() -> Self {
        Self::default()
    }

    /// Maximum number of bytes of an encoded image; default 67,108,864 (64 MiB). At least 1.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Maximum number of pixels, width times height; default 134,217,728. At least 1. The memory limit depends on it.
    #[must_use]
    pub fn max_pixels(mut self, max_pixels: u64) -> Self {
        self.max_pixels = max_pixels;
        self
    }

    /// Maximum number of pixels of the longer side; default 32,768. At least 1.
    #[must_use]
    pub fn max_side(mut self, max_side: u32) -> Self {
        self.max_side = max_side;
        self
    }

    /// Checks that every limit is at least 1.
    pub fn check(&self, stage: Stage) -> Result<()> {
        let limits = [
            ("max_bytes", "max-image-megabytes", self.max_bytes),
            ("max_pixels", "max-image-megapixels", self.max_pixels),
            ("max_side", "max-image-side", u64::from(self.max_side)),
        ];
        match limits.iter().find(|(.., value)| *value == 0) {
            Some((name, option, value)) => {
                Err(Error::invalid_parameter(stage, name, value, "at least 1").with_option(option))
            }
            None => Ok(()),
        }
    }

    pub(super) fn check_bytes(&self, bytes: u64) -> Result<()> {
        if bytes <= self.max_bytes { Ok(()) } else { Err(self.too_large(bytes)) }
    }

    /// The error for an encoded image of this many bytes.
    pub(super) fn too_large(&self, bytes: u64) -> Error {
        let needed = bytes.div_ceil(1_000_000);
        image_error(format!("the image is larger than {} bytes", self.max_bytes))
            .with_hint(higher(&format!("max_bytes({bytes})"), &format!("--max-image-megabytes {needed}")))
    }

    pub(super) fn check_size(&self, width: u32, height: u32) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(image_error(format!("the image has no pixels: {width} x {height}")));
        }
        let side = width.max(height);
        if side > self.max_side {
            let message = format!("the image is {width} x {height}, but a side may be at most {}", self.max_side);
            let hint = higher(&format!("max_side({side})"), &format!("--max-image-side {side}"));
            return Err(image_error(message).with_hint(hint));
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels {
            let message = format!("the image is {width} x {height}, more than {} pixels", self.max_pixels);
            return Err(image_error(message).with_hint(more_pixels(pixels)));
        }
        Ok(())
    }

    /// Checks that the passes cover no more pixels than `scans` passes over the largest image.
    pub(super) fn check_scanned(&self, scanned: u64, scans: u64) -> Result<()> {
        if scanned <= self.max_pixels.saturating_mul(scans) {
            return Ok(());
        }
        let message = format!(
            "the passes of the image cover {scanned} pixels, more than {scans} passes over the limit of {} pixels",
            self.max_pixels
        );
        Err(image_error(message).with_hint(more_pixels(scanned.div_ceil(scans))))
    }

    /// The memory that one image may take during decoding.
    pub(super) fn max_memory(&self) -> u64 {
        self.max_pixels.saturating_mul(6).max(MIN_MEMORY_LIMIT)
    }

    pub(super) fn check_memory(&self, (width, height): (u32, u32), needed: u64) -> Result<()> {
        if needed <= self.max_memory() {
            return Ok(());
        }
        let (needed_mib, allowed) = (needed.div_ceil(1 << 20), self.max_memory() >> 20);
        let message = format!(
            "the image is {width} x {height} and would take {needed_mib} MiB to decode, more than the {allowed} MiB \
             allowed with the limit of {} pixels",
            self.max_pixels
        );
        Err(image_error(message).with_hint(more_pixels(needed.div_ceil(6))))
    }
}

fn more_pixels(pixels: u64) -> Hint {
    let megapixels = pixels.div_ceil(1_000_000);
    higher(&format!("max_pixels({})", megapixels * 1_000_000), &format!("--max-image-megapixels {megapixels}"))
}

/// What to do about a limit if the file can be trusted.
fn higher(setting: &str, option: &str) -> Hint {
    let rust = format!(
        "If you trust the file, set a higher limit: `.limits(Limits::new().{setting})` on the embedder, the captioner \
         and the VisualRepresentation."
    );
    Hint::new(rust).on_command_line(format!("If you trust the file, pass {option}."))
}
