//! TIFF, its first page. What the decoder would take on trust is checked first.

use std::io::Cursor;

use image::RgbImage;
use image::codecs::tiff::TiffDecoder;
use tiff::decoder::Decoder;
use tiff::tags::Tag;

use super::{Work, image_error, run};
use crate::error::{Error, Result};
use crate::vision::limits::Limits;

/// Samples of a pixel: four are colors, more are layers that scientists put there.
const MOST_SAMPLES: u32 = 16;

/// Tiles that are wider than the image are inflated in vain; up to so many pixels that is usual.
const WIDE_TILE: u32 = 4096;

/// New JPEG within TIFF; the other numbers of JPEGs are not decoded at all.
const JPEG_WITHIN: u32 = 7;

pub(super) fn decode(bytes: &[u8], limits: &Limits, upright: bool) -> Result<RgbImage> {
    check(bytes, limits)?;
    // The samples as they are stored, which may be CMYK, and the colors that are made of them.
    let work = |_, output: u64| output.div_ceil(3) * 4;
    run(TiffDecoder::new(Cursor::new(bytes)), Work { beside: &work, file: bytes.len() as u64 }, limits, upright)
}

fn check(bytes: &[u8], limits: &Limits) -> Result<()> {
    let damaged = |cause: tiff::TiffError| image_error("the image cannot be decoded").cause(cause);
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let (width, height) = decoder.dimensions().map_err(damaged)?;
    limits.check_size(width, height)?;
    let mut number = |tag| decoder.find_tag_unsigned::<u32>(tag).map_err(damaged);
    if number(Tag::Compression)? == Some(JPEG_WITHIN) {
        // The size of each JPEG within would be taken on trust.
        return Err(unsupported("with JPEGs in it"));
    }
    let samples = number(Tag::SamplesPerPixel)?.unwrap_or(1);
    if samples > MOST_SAMPLES {
        return Err(unsupported(&format!("of {samples} samples a pixel")));
    }
    match number(Tag::TileWidth)? {
        Some(tile) if tile > WIDE_TILE.max(width.saturating_mul(2)) => {
            Err(image_error(format!("the image is {width} pixels wide, and its tiles are {tile}")))
        }
        _ => Ok(()),
    }
}

fn unsupported(what: &str) -> Error {
    image_error(format!("TIFF images {what} are not supported")).hint("Convert it to PNG or JPEG.")
}
