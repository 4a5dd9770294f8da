//! Thumbnails, and image encoding.

use std::collections::HashSet;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageResult, RgbImage};

use super::format::ImageFormat;
use super::resample::{Filter, reduce, resize_region};
use crate::error::{Error, ErrorKind, Result, Stage};

/// An encoded image, ready for a file, a Binary column or a web page.
///
/// ```
/// use topicframe::vision::{Encoding, ImageFormat, RgbImage, encode, thumbnail};
///
/// let small = encode(&thumbnail(&RgbImage::new(400, 300), 100), Encoding::Jpeg { quality: 85 })?;
/// assert_eq!((small.width, small.height, small.format), (100, 75, ImageFormat::Jpeg));
/// assert_eq!(small.mime(), "image/jpeg");
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodedImage {
    /// The encoded bytes.
    pub bytes: Vec<u8>,
    /// The format of the bytes.
    pub format: ImageFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl EncodedImage {
    /// The media type of the bytes.
    pub fn mime(&self) -> &'static str {
        self.format.mime()
    }
}

/// How to encode.
///
/// ```
/// use topicframe::vision::{Encoding, ImageFormat, RgbImage, encode};
///
/// // A drawing in one color: PNG is smaller.
/// let drawing = RgbImage::new(200, 200);
/// assert_eq!(encode(&drawing, Encoding::Smallest { quality: 85 })?.format, ImageFormat::Png);
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// JPEG with a quality from 1 to 100.
    Jpeg {
        /// From 1 to 100.
        quality: u8,
    },
    /// PNG: lossless.
    Png,
    /// Whichever takes fewer bytes: PNG if the image has at most 64 colors (line art, a diagram) and is smaller that
    /// way, otherwise JPEG.
    Smallest {
        /// The JPEG quality, from 1 to 100.
        quality: u8,
    },
}

/// Shrinks an image to fit a square of `max_side` pixels, keeping the aspect ratio; sides stay at least 1. An image
/// that already fits is returned unchanged: nothing is ever enlarged.
pub fn thumbnail(image: &RgbImage, max_side: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    let longer = width.max(height);
    if longer <= max_side {
        return image.clone();
    }
    let side = |side: u32| {
        let exact = u64::from(side) * u64::from(max_side);
        ((exact + u64::from(longer) / 2) / u64::from(longer)).max(1) as u32
    };
    shrink(image, [0.0, 0.0, width as f32, height as f32], side(width), side(height)).unwrap_or_default()
}

/// Resizes a region as Pillow's `resize(..., LANCZOS, reducing_gap=2.0)`: blocks are averaged until the region is at
/// most about four times too large, then the filter does the rest. This takes a tenth of the time for photographs, with
/// no visible difference.
pub(super) fn shrink(image: &RgbImage, region: [f32; 4], width: u32, height: u32) -> Result<RgbImage> {
    const GAP: f32 = 2.0;
    let [left, top, right, bottom] = region;
    let factor = |extent: f32, side: u32| ((extent / side.max(1) as f32 / GAP) as u32).max(1);
    let (factor_x, factor_y) = (factor(right - left, width), factor(bottom - top, height));
    if factor_x == 1 && factor_y == 1 {
        return resize_region(image, region, width, height, Filter::Lanczos3);
    }
    let reduced = reduce(image, factor_x, factor_y);
    let (x, y) = (factor_x as f32, factor_y as f32);
    resize_region(&reduced, [left / x, top / y, right / x, bottom / y], width, height, Filter::Lanczos3)
}

/// Encodes an image.
///
/// # Errors
/// A JPEG quality outside 1 to 100; an image without pixels; a JPEG with more than 65,535 pixels per side.
pub fn encode(image: &RgbImage, encoding: Encoding) -> Result<EncodedImage> {
    match encoding {
        Encoding::Png => encode_png(image),
        Encoding::Jpeg { quality } => encode_jpeg(image, quality),
        Encoding::Smallest { quality } => {
            let jpeg = encode_jpeg(image, quality)?;
            if !has_few_colors(image) {
                return Ok(jpeg);
            }
            let png = encode_png(image)?;
            Ok(if png.bytes.len() <= jpeg.bytes.len() { png } else { jpeg })
        }
    }
}

fn encode_jpeg(image: &RgbImage, quality: u8) -> Result<EncodedImage> {
    if !(1..=100).contains(&quality) {
        return Err(Error::invalid_parameter(Stage::Output, "quality", quality, "from 1 to 100"));
    }
    let mut bytes = Vec::new();
    let written = write(image, JpegEncoder::new_with_quality(&mut bytes, quality));
    finish(image, ImageFormat::Jpeg, bytes, written)
}

fn encode_png(image: &RgbImage) -> Result<EncodedImage> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    let written = write(image, encoder);
    finish(image, ImageFormat::Png, bytes, written)
}

fn write(image: &RgbImage, encoder: impl ImageEncoder) -> ImageResult<()> {
    encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8)
}

fn finish(image: &RgbImage, format: ImageFormat, bytes: Vec<u8>, written: ImageResult<()>) -> Result<EncodedImage> {
    let (width, height) = image.dimensions();
    if width == 0 || height == 0 {
        return Err(Error::new(ErrorKind::Image, Stage::Output, "an image without pixels cannot be encoded"));
    }
    written.map_err(|error| {
        let message = format!("an image of {width} x {height} cannot be encoded");
        Error::new(ErrorKind::Image, Stage::Output, message).with_cause(error)
    })?;
    Ok(EncodedImage { bytes, format, width, height })
}

/// Whether there are at most 64 colors. Photographs are recognized within their first rows.
fn has_few_colors(image: &RgbImage) -> bool {
    const FEW: usize = 64;
    let mut colors = HashSet::with_capacity(FEW + 1);
    let mut last = None;
    image.pixels().all(|pixel| {
        // Runs of one color are typical of drawings.
        if last != Some(pixel) {
            colors.insert(pixel.0);
            last = Some(pixel);
        }
        colors.len() <= FEW
    })
}
