//! Checks what the decoders trust, or act on before they can be asked: the size of a PNG, that a JPEG is complete and
//! how much work it takes, and that a WebP's chunks lie within the file and are no larger than allowed.

use super::image_error::image_error;
use super::limits::Limits;
use crate::error::{Error, Result};

fn cut_short() -> Error {
    image_error("the image is truncated").with_hint("The file may not have been copied or downloaded completely.")
}

/// The size of a PNG is at a fixed position.
pub(super) fn check_png(bytes: &[u8], limits: &Limits) -> Result<()> {
    let side = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    match (side(16), side(20)) {
        (Some(width), Some(height)) => limits.check_size(width, height),
        _ => Err(cut_short()),
    }
}

/// The maximum number of passes over the pixels of a JPEG; usual progressive ones have ten.
const MAX_SCANS: u64 = 100;

/// The maximum number of passes over the largest image: with the default pixel limit, they take seconds.
const SCANS_OF_THE_LARGEST: u64 = 24;

/// The maximum number of bytes of quantization and Huffman tables. Usual files have 1 KB of them, and each takes the
/// decoder longer than pixels do.
const MAX_TABLE_BYTES: u64 = 1 << 20;

/// Walks through the segments of a JPEG: returns the memory that its coefficients take, if they are kept until its end.
///
/// A JPEG without its end marker is truncated; the decoder would fill the rest with gray. Anything after the marker is
/// harmless.
pub(super) fn check_jpeg(bytes: &[u8], limits: &Limits) -> Result<u64> {
    let walk = walk_jpeg(bytes);
    let first_scan = walk.first_scan.ok_or_else(cut_short)?;
    // In scan data, 0xff is always followed by 0, so the marker cannot be pixels.
    let ends = || bytes.get(first_scan..).unwrap_or_default().windows(2).any(|pair| pair == [0xff, 0xd9]);
    if !walk.ends && !ends() {
        return Err(cut_short());
    }
    if walk.tables > MAX_TABLE_BYTES {
        return Err(image_error(format!("the image has {} bytes of tables, more than any real one", walk.tables)));
    }
    let frame = walk.frame.unwrap_or_default();
    if frame.width > 0 && frame.height > 0 {
        limits.check_size(frame.width, frame.height)?;
    }
    let pixels = frame.pixels();
    if walk.scans > MAX_SCANS {
        let message = format!("the image has {} passes over {pixels} pixels, more than any real one", walk.scans);
        return Err(image_error(message));
    }
    limits.check_scanned(walk.scans * pixels, SCANS_OF_THE_LARGEST)?;
    let kept = frame.is_progressive || walk.scans > 1;
    Ok(if kept { frame.coefficients().saturating_mul(2) } else { 0 })
}

/// The contents of a JPEG's segments.
#[derive(Default)]
struct JpegWalk {
    frame: Option<JpegFrame>,
    first_scan: Option<usize>,
    scans: u64,
    /// Bytes of tables.
    tables: u64,
    ends: bool,
}

#[derive(Default, Clone, Copy)]
struct JpegFrame {
    width: u32,
    height: u32,
    is_progressive: bool,
    /// Samples of all components for `of` samples of the finest.
    samples: u64,
    of: u64,
}

impl JpegFrame {
    /// The frame header after its marker: length, precision, height, width, and for each component its number, its
    /// horizontal and vertical sampling factors, and its table.
    fn read(marker: u8, segment: &[u8]) -> Option<Self> {
        let &[_, _, _, h1, h0, w1, w0, count, ref components @ ..] = segment else { return None };
        let sampled = |component: &[u8; 3]| (u64::from(component[1] >> 4).max(1), u64::from(component[1] & 15).max(1));
        let sampled: Vec<(u64, u64)> = components.as_chunks().0.iter().take(usize::from(count)).map(sampled).collect();
        let across = sampled.iter().map(|&(across, _)| across).max()?;
        let down = sampled.iter().map(|&(_, down)| down).max()?;
        Some(JpegFrame {
            width: u32::from(u16::from_be_bytes([w1, w0])),
            height: u32::from(u16::from_be_bytes([h1, h0])),
            is_progressive: matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce),
            samples: sampled.iter().map(|&(across, down)| across * down).sum(),
            of: across * down,
        })
    }

    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    fn coefficients(&self) -> u64 {
        self.pixels().saturating_mul(self.samples).div_ceil(self.of.max(1))
    }

    fn work(&self) -> (u64, bool) {
        (self.coefficients(), self.is_progressive)
    }
}

/// Walks from marker to marker, to the end of the image or as far as it can be parsed. The segments before the first
/// scan may contain other JPEGs, such as thumbnails, and are skipped.
fn walk_jpeg(bytes: &[u8]) -> JpegWalk {
    let mut walk = JpegWalk::default();
    let mut position = 2;
    while let Some(next) = bytes.get(position..).and_then(|rest| rest.iter().position(|&byte| byte == 0xff)) {
        position += next + 1;
        let Some(&marker) = bytes.get(position) else { break };
        match marker {
            // Padding.
            0xff => continue,
            0xd9 if walk.first_scan.is_some() => {
                walk.ends = true;
                break;
            }
            // A stuffed byte, and markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd9 => {
                position += 1;
                continue;
            }
            _ => {}
        }
        let Some(length) = big_endian(bytes, position + 1) else { break };
        match marker {
            0xda => {
                walk.first_scan.get_or_insert(position);
                walk.scans += 1;
            }
            0xc4 | 0xcc | 0xdb => walk.tables += u64::from(length),
            0xc0..=0xcf if marker != 0xc8 => {
                let segment = bytes.get(position + 1..).unwrap_or_default();
                let frame = JpegFrame::read(marker, segment.get(..usize::from(length)).unwrap_or(segment));
                // One is usual; if there are several, the largest counts.
                walk.frame = walk.frame.into_iter().chain(frame).max_by_key(JpegFrame::work);
            }
            _ => {}
        }
        position += 1 + usize::from(length);
    }
    walk
}

fn big_endian(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

/// Walks through the chunks of a WebP, and returns it without anything after its end, where the decoder would read on.
/// The size in the outer header is checked with the decoder; here, the sizes of the images within, which may differ
/// from it. A frame of an animation contains images, but no further frames.
pub(super) fn check_webp<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a [u8]> {
    let size = bytes.get(4..8).and_then(|size| size.try_into().ok()).map_or(0, u32::from_le_bytes);
    // A size beyond the end may be due to a missing padding byte: it is the chunks that must be complete.
    let bytes = bytes.get(..(size as usize).saturating_add(8)).unwrap_or(bytes);
    check_chunks(bytes.get(12..).unwrap_or_default(), limits, |body| {
        check_chunks(body.get(16..).ok_or_else(cut_short)?, limits, |_| {
            Err(image_error("the image is damaged: its animation has frames within frames"))
        })
    })?;
    Ok(bytes)
}

fn check_chunks(mut bytes: &[u8], limits: &Limits, of_frame: impl Fn(&[u8]) -> Result<()>) -> Result<()> {
    while let Some((header, rest)) = bytes.split_at_checked(8) {
        let (name, size) = header.split_at(4);
        let size = size.try_into().map_or(0, u32::from_le_bytes) as usize;
        let body = rest.get(..size).ok_or_else(cut_short)?;
        match name {
            b"VP8 " => check_lossy_size(body, limits)?,
            b"VP8L" => check_lossless_size(body, limits)?,
            b"ANMF" => of_frame(body)?,
            _ => {}
        }
        // Chunks are padded to even lengths; some writers omit the last padding byte.
        bytes = rest.get(size + size % 2..).unwrap_or_default();
    }
    Ok(())
}

/// After a signature, 14 bits each for width and height, minus one.
fn check_lossless_size(body: &[u8], limits: &Limits) -> Result<()> {
    let &[_, a, b, c, d, ..] = body else { return Err(cut_short()) };
    let bits = u32::from_le_bytes([a, b, c, d]);
    limits.check_size((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
}

/// The frame header of VP8 (RFC 6386, section 9.1): 14 bits each for width and height after a start code.
fn check_lossy_size(body: &[u8], limits: &Limits) -> Result<()> {
    let &[_, _, _, _, _, _, w0, w1, h0, h1, ..] = body else { return Err(cut_short()) };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    limits.check_size(side(w0, w1), side(h0, h1))
}
