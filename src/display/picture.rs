//! Images embedded in a page as data URIs.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;

use crate::corpus::find_image;
use crate::error::{Error, Interface, Result};
use crate::vision::decode::{decode_bytes, read};
use crate::vision::{Encoding, ImageSource, Limits, encode, sniff_format, thumbnail};

/// The JPEG quality of thumbnails.
const QUALITY: u8 = 82;

/// The minimum brightness of a corner on a white background.
const NEARLY_WHITE: u8 = 246;

/// An image ready to be embedded in a page.
pub(super) struct Picture {
    /// `data:image/...;base64,...`.
    pub(super) uri: String,
    /// Original width and height.
    pub(super) size: (u32, u32),
    /// Width and height on the page.
    pub(super) shown: (u32, u32),
}

/// Whether the bytes begin like an image.
pub(super) fn looks_like_image(bytes: &[u8]) -> bool {
    sniff_format(bytes).is_some()
}

/// Converts an encoded image; on failure, returns a short reason.
pub(super) fn from_bytes(bytes: &[u8], height: u32, max_bytes: usize) -> std::result::Result<Picture, String> {
    embed(&ImageSource::Encoded { bytes, name: None }, height, max_bytes).map_err(|error| reason(&error))
}

/// Converts an image that a column refers to: a file, with relative paths resolved against `folder` and confined to it,
/// or a `data:` URI.
pub(super) fn from_text(
    folder: &Path,
    text: &str,
    height: u32,
    max_bytes: usize,
) -> std::result::Result<Picture, String> {
    let source = find_image(text, folder).map_err(|unreachable| unreachable.message().to_owned())?;
    embed(&source, height, max_bytes).map_err(|error| reason(&error))
}

/// Converts an image from any source given by the user; on failure, returns a short reason.
pub(super) fn picture_of(
    source: &ImageSource<'_>,
    height: u32,
    max_bytes: usize,
) -> std::result::Result<Picture, String> {
    embed(source, height, max_bytes).map_err(|error| reason(&error))
}

fn embed(source: &ImageSource<'_>, height: u32, max_bytes: usize) -> Result<Picture> {
    let limits = Limits::new();
    let bytes = read(source, &limits)?;
    let format = sniff_format(&bytes);
    // Decoded even if it is embedded unchanged, so that a page shows a reason instead of a broken image.
    let image = decode_bytes(&bytes, &limits, true)?;
    let size = image.dimensions();
    let shown = fit(size, height);
    if let Some(format) = format.filter(|format| format.is_for_pages() && bytes.len() <= max_bytes) {
        return Ok(Picture { uri: data_uri(format.mime(), &bytes), size, shown });
    }
    // Twice the pixels of the page, for high-density screens.
    let small = thumbnail(&image, shown.0.max(shown.1).saturating_mul(2));
    let encoded = encode(&small, Encoding::Smallest { quality: QUALITY })?;
    Ok(Picture { uri: data_uri(encoded.mime(), &encoded.bytes), size, shown })
}

/// `size` scaled down to a height of at most `height` and a width of at most twice that; never enlarged, and at least
/// one pixel.
fn fit((width, height): (u32, u32), most: u32) -> (u32, u32) {
    let (w, h) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let scale = (f64::from(most) / h).min(f64::from(most) * 2.0 / w).min(1.0);
    ((w * scale).round().max(1.0) as u32, (h * scale).round().max(1.0) as u32)
}

/// Whether an image is a drawing on a white background, judging by its corners: such images are shown uncropped, on a
/// white card.
pub(super) fn stands_on_white(image: &RgbImage) -> bool {
    let (right, bottom) = (image.width().saturating_sub(1), image.height().saturating_sub(1));
    let corners = [(0, 0), (right, 0), (0, bottom), (right, bottom)];
    let white = |&(x, y): &(u32, u32)| {
        image.get_pixel_checked(x, y).is_some_and(|pixel| pixel.0.iter().all(|&value| value >= NEARLY_WHITE))
    };
    corners.iter().filter(|corner| white(corner)).count() >= 3
}

/// An image of `side` pixels for a strip, as a data URI.
pub(super) fn strip_picture(image: &RgbImage, side: u32) -> Result<String> {
    let encoded = encode(&squarish(image, side), Encoding::Smallest { quality: QUALITY })?;
    Ok(data_uri(encoded.mime(), &encoded.bytes))
}

/// An image of at most `side` pixels for a square: drawings are uncropped, photographs cropped to the center square.
pub(super) fn squarish(image: &RgbImage, side: u32) -> RgbImage {
    match stands_on_white(image) {
        true => thumbnail(image, side),
        false => {
            let (width, height) = (image.width(), image.height());
            let shorter = width.min(height);
            let (left, top) = ((width - shorter) / 2, (height - shorter) / 2);
            let middle = image::imageops::crop_imm(image, left, top, shorter, shorter);
            thumbnail(&middle.to_image(), side)
        }
    }
}

/// The pixels of an encoded image created by this crate.
pub(super) fn pixels(encoded: &[u8]) -> Result<RgbImage> {
    decode_bytes(encoded, &Limits::new(), true)
}

/// An image created by this crate, scaled down to at most `side` pixels in width and height.
pub(super) fn smaller(encoded: &[u8], side: u32) -> Result<String> {
    let encoded = encode(&thumbnail(&pixels(encoded)?, side), Encoding::Smallest { quality: QUALITY })?;
    Ok(data_uri(encoded.mime(), &encoded.bytes))
}

/// Encoded bytes as a data URI.
pub(super) fn data_uri(mime: &'static str, bytes: &[u8]) -> String {
    let mut uri = format!("data:{mime};base64,");
    STANDARD.encode_string(bytes, &mut uri);
    uri
}

/// The error in one clause, without its location, which is already on the page.
fn reason(error: &Error) -> String {
    let text = error.report(Interface::Rust);
    let line = text.lines().next().unwrap_or_default();
    line.split_once(": ").map_or(line, |(_, message)| message).to_owned()
}
