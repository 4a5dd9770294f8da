//! What the decoders take on trust, or act on before they can be asked, checked first: the size of a PNG, that a JPEG
//! ends, and that a WebP's parts lie within the file and are no larger than they may be.

use super::decode::{Limits, image_error};
use crate::error::{Error, Result};

fn cut_short() -> Error {
    image_error("the image is cut short").hint("The file may not have been copied or downloaded completely.")
}

/// The size of a PNG stands at a fixed place.
pub(super) fn check_png(bytes: &[u8], limits: &Limits) -> Result<()> {
    let side = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    match (side(16), side(20)) {
        (Some(width), Some(height)) => limits.check_size(width, height),
        _ => Err(cut_short()),
    }
}

/// A JPEG without its end marker is cut short; the decoder would fill the rest with grey. Anything after the marker
/// does no harm.
pub(super) fn check_jpeg(bytes: &[u8]) -> Result<()> {
    let scan = first_scan(bytes).ok_or_else(cut_short)?;
    // Within the scans, 0xff of the data is always followed by 0, so the marker cannot be pixels.
    let ends = bytes.get(scan..).unwrap_or_default().windows(2).any(|pair| pair == [0xff, 0xd9]);
    if ends { Ok(()) } else { Err(cut_short()) }
}

/// Where the first scan begins. The segments before it may hold other JPEGs, as thumbnails, and are stepped over.
fn first_scan(bytes: &[u8]) -> Option<usize> {
    const START_OF_SCAN: u8 = 0xda;
    let mut position = 2;
    loop {
        let next = bytes.get(position..)?.iter().position(|&byte| byte == 0xff)?;
        position += next + 1;
        match *bytes.get(position)? {
            START_OF_SCAN => return Some(position),
            // Padding, a stuffed byte and markers without a segment.
            0xff => {}
            0x00 | 0x01 | 0xd0..=0xd9 => position += 1,
            _ => position += 1 + usize::from(big_endian(bytes, position + 1)?),
        }
    }
}

fn big_endian(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

/// Steps through the chunks of a WebP. The size in the outer header is checked with the decoder; here, the sizes of
/// the lossy pictures within, which may claim another.
pub(super) fn check_webp(bytes: &[u8], limits: &Limits) -> Result<()> {
    check_chunks(bytes.get(12..).unwrap_or_default(), limits)
}

fn check_chunks(mut bytes: &[u8], limits: &Limits) -> Result<()> {
    while let Some((header, rest)) = bytes.split_at_checked(8) {
        let (name, size) = header.split_at(4);
        let size = size.try_into().map_or(0, u32::from_le_bytes) as usize;
        let body = rest.get(..size).ok_or_else(cut_short)?;
        match name {
            b"VP8 " => check_lossy_size(body, limits)?,
            b"ANMF" => check_chunks(body.get(16..).ok_or_else(cut_short)?, limits)?,
            _ => {}
        }
        // Chunks are padded to even lengths; some writers leave out the last pad.
        bytes = rest.get(size + size % 2..).unwrap_or_default();
    }
    Ok(())
}

/// The frame header of VP8 (RFC 6386, section 9.1): 14 bits each for width and height behind a start code.
fn check_lossy_size(body: &[u8], limits: &Limits) -> Result<()> {
    let &[_, _, _, _, _, _, w0, w1, h0, h1, ..] = body else { return Err(cut_short()) };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    limits.check_size(side(w0, w1), side(h0, h1))
}
