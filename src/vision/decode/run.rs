//! Runs a decoder within the limits.

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageResult, RgbImage};

use super::rgb::{into_rgb, turned, turns_sides};
use crate::error::{Error, Result};
use crate::vision::image_error::image_error;
use crate::vision::limits::Limits;
use crate::vision::memory::Share;

/// The memory that a decoder takes.
pub(super) struct Work<'a> {
    /// Bytes in addition to its output, from the number of pixels and the bytes of the output.
    pub(super) beside: &'a dyn Fn(u64, u64) -> u64,
    /// Bytes of the file.
    pub(super) file: u64,
}

pub(super) fn run<D: ImageDecoder>(
    decoder: ImageResult<D>,
    work: Work<'_>,
    limits: &Limits,
    upright: bool,
) -> Result<RgbImage> {
    let mut decoder = decoder.map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height)?;
    // A damaged Exif block is no reason to reject the image.
    let orientation = match upright {
        true => decoder.orientation().unwrap_or(Orientation::NoTransforms),
        false => Orientation::NoTransforms,
    };
    let (pixels, output) = (u64::from(width) * u64::from(height), decoder.total_bytes());
    let rgb = pixels * 3;
    let decoding = output.saturating_add((work.beside)(pixels, output));
    let converting = if decoder.color_type() == ColorType::Rgb8 { 0 } else { output.saturating_add(rgb) };
    let turning = if turns_sides(orientation) { rgb * 2 } else { 0 };
    let needed = decoding.max(converting).max(turning);
    limits.check_memory((width, height), needed)?;
    let _share = Share::take(needed);
    let mut allocations = image::Limits::no_limits();
    // Some decoders keep both the encoded parts and the result.
    allocations.max_alloc = Some(needed.saturating_add(work.file).saturating_add(1 << 20));
    decoder.set_limits(allocations).map_err(undecodable)?;
    let image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    Ok(turned(into_rgb(image), orientation))
}

fn undecodable(error: image::ImageError) -> Error {
    image_error("the image cannot be decoded").with_cause(error)
}
