//! TIFF, first page. What the decoder would trust is checked first.

use std::io::Cursor;

use image::RgbImage;
use image::codecs::tiff::TiffDecoder;
use tiff::decoder::Decoder;
use tiff::tags::Tag;

use super::run::{Work, run};
use crate::error::{Error, Result};
use crate::vision::image_error::image_error;
use crate::vision::limits::Limits;

/// The maximum number of samples per pixel: four are colors, more are additional layers, as in scientific images.
const MAX_SAMPLES: u32 = 16;

/// Tiles that are wider than the image are inflated in vain; up to this many pixels, that is usual.
const WIDE_TILE: u32 = 4096;

/// New-style JPEG in TIFF; the other kinds of JPEG are not decoded at all.
const JPEG_WITHIN: u32 = 7;

pub(super) fn decode(bytes: &[u8], limits: &Limits, upright: bool) -> Result<RgbImage> {
    check(bytes, limits)?;
    // The samples as they are stored, which may be CMYK, and the colors converted from them.
    let work = |_, output: u64| output.div_ceil(3) * 4;
    run(TiffDecoder::new(Cursor::new(bytes)), Work { beside: &work, file: bytes.len() as u64 }, limits, upright)
}

fn check(bytes: &[u8], limits: &Limits) -> Result<()> {
    if longest_text(bytes).unwrap_or(0) > bytes.len() as u64 {
        return Err(image_error("the image is damaged: one of its text fields claims to be longer than the file"));
    }
    let damaged = |cause: tiff::TiffError| image_error("the image cannot be decoded").with_cause(cause);
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let (width, height) = decoder.dimensions().map_err(damaged)?;
    limits.check_size(width, height)?;
    let mut number = |tag| decoder.find_tag_unsigned::<u32>(tag).map_err(damaged);
    if number(Tag::Compression)? == Some(JPEG_WITHIN) {
        // The size of each embedded JPEG would be trusted.
        return Err(unsupported("with embedded JPEGs"));
    }
    let samples = number(Tag::SamplesPerPixel)?.unwrap_or(1);
    if samples > MAX_SAMPLES {
        return Err(unsupported(&format!("with {samples} samples per pixel")));
    }
    match number(Tag::TileWidth)? {
        Some(tile) if tile > WIDE_TILE.max(width.saturating_mul(2)) => {
            Err(image_error(format!("the image is {width} pixels wide, but its tiles are {tile}")))
        }
        _ => Ok(()),
    }
}

/// The length of the longest text field that the first directory claims to contain: the decoder reports one beyond its
/// limits on standard error. `None` if the directory is truncated, which the decoder reports in more detail.
fn longest_text(bytes: &[u8]) -> Option<u64> {
    const ASCII: u64 = 2;
    let is_little = bytes.starts_with(b"II");
    let number = |at: usize, width: usize| {
        let digits = bytes.get(at..at.checked_add(width)?)?;
        let add = |sum: u64, digit: &u8| sum << 8 | u64::from(*digit);
        Some(if is_little { digits.iter().rev().fold(0, add) } else { digits.iter().fold(0, add) })
    };
    // In BigTIFF offsets and counts have 8 bytes.
    let (wide, entry) = if number(2, 2)? == 43 { (8, 20) } else { (4, 12) };
    let directory = usize::try_from(number(wide, wide)?).ok()?;
    let counted = if wide == 8 { 8 } else { 2 };
    let entries = usize::try_from(number(directory, counted)?).ok()?;
    let mut longest = 0;
    for place in 0..entries {
        let at = directory.checked_add(counted)?.checked_add(place.checked_mul(entry)?)?;
        if number(at + 2, 2)? == ASCII {
            longest = longest.max(number(at + 4, wide)?);
        }
    }
    Some(longest)
}

fn unsupported(what: &str) -> Error {
    image_error(format!("TIFF images {what} are not supported")).with_hint("Convert it to PNG or JPEG.")
}
