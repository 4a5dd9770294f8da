//! PNG, one row at a time: 16 bits are reduced to 8, and transparency is blended with white, before the next row is
//! read.
//!
//! Color profiles and text chunks are skipped: they do not affect the pixels, and 1 MB of them can inflate to 1 GB.

use std::io::Cursor;

use image::RgbImage;
use image::metadata::Orientation;
use png::{ColorType, Decoder, DecodingError, Reader, Transformations};

use super::rgb::{laid_on_white, turned, turns_sides};
use crate::error::{Error, Result};
use crate::vision::image_error::image_error;
use crate::vision::limits::Limits;
use crate::vision::memory::Share;

type Rows<'a> = Reader<Cursor<&'a [u8]>>;

pub(super) fn decode(bytes: &[u8], limits: &Limits, upright: bool) -> Result<RgbImage> {
    let memory = png::Limits { bytes: usize::try_from(limits.max_memory()).unwrap_or(usize::MAX) };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), memory);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(undecodable)?;
    let (width, height) = reader.info().size();
    limits.check_size(width, height)?;
    let orientation = match &reader.info().exif_metadata {
        Some(exif) if upright => Orientation::from_exif_chunk(exif).unwrap_or(Orientation::NoTransforms),
        _ => Orientation::NoTransforms,
    };
    let pixels = u64::from(width) * u64::from(height);
    let (color, _) = reader.output_color_type();
    let whole = if reader.info().interlaced { pixels * color.samples() as u64 } else { 0 };
    let needed = pixels * 3 + if turns_sides(orientation) { whole.max(pixels * 3) } else { whole };
    limits.check_memory((width, height), needed)?;
    let _share = Share::take(needed);
    let rgb = match reader.info().interlaced {
        true => all_at_once(&mut reader, color, pixels)?,
        false => row_by_row(&mut reader, color, pixels)?,
    };
    let image = RgbImage::from_raw(width, height, rgb).ok_or_else(|| image_error("the image is truncated"))?;
    Ok(turned(image, orientation))
}

/// The rows of the first or only image. Anything after it is not inflated.
fn row_by_row(reader: &mut Rows<'_>, color: ColorType, pixels: u64) -> Result<Vec<u8>> {
    let mut rgb = Vec::with_capacity(usize::try_from(pixels * 3).unwrap_or(0));
    for _ in 0..reader.info().height {
        match reader.next_row().map_err(undecodable)? {
            Some(row) => push_rgb(&mut rgb, row.data(), color)?,
            None => break,
        }
    }
    Ok(rgb)
}

/// An interlaced image comes in seven passes, and is complete only after the last.
fn all_at_once(reader: &mut Rows<'_>, color: ColorType, pixels: u64) -> Result<Vec<u8>> {
    let size = reader.output_buffer_size().ok_or_else(|| image_error("the image is too large for this machine"))?;
    let mut samples = vec![0; size];
    reader.next_frame(&mut samples).map_err(undecodable)?;
    if color == ColorType::Rgb {
        return Ok(samples);
    }
    let mut rgb = Vec::with_capacity(usize::try_from(pixels * 3).unwrap_or(0));
    push_rgb(&mut rgb, &samples, color)?;
    Ok(rgb)
}

/// Samples of 8 bits as RGB.
fn push_rgb(rgb: &mut Vec<u8>, samples: &[u8], color: ColorType) -> Result<()> {
    match color {
        ColorType::Rgb => rgb.extend_from_slice(samples),
        ColorType::Grayscale => rgb.extend(samples.iter().flat_map(|&gray| [gray; 3])),
        ColorType::GrayscaleAlpha => {
            rgb.extend(samples.as_chunks().0.iter().flat_map(|&[gray, alpha]| laid_on_white([gray; 3], alpha)));
        }
        ColorType::Rgba => {
            let pixels = samples.as_chunks().0.iter();
            rgb.extend(pixels.flat_map(|&[red, green, blue, alpha]| laid_on_white([red, green, blue], alpha)));
        }
        ColorType::Indexed => return Err(image_error("the image refers to a missing palette")),
    }
    Ok(())
}

fn undecodable(error: DecodingError) -> Error {
    image_error("the image cannot be decoded").with_cause(error)
}
