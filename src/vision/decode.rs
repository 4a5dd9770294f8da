//! Decodes images to RGB, within limits.
//!
//! Images are untrusted: a file may be missing, truncated, something else altogether, or built to exhaust memory. Each
//! of these is an error before much is allocated, and a decoder that panics is caught.

use std::borrow::Cow;
use std::io::{Cursor, ErrorKind as IoKind};
use std::path::Path;

use image::RgbImage;
use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, jpeg::JpegDecoder, webp::WebPDecoder};

use super::format::{ImageFormat, guess_unsupported, sniff_format};
use super::image_error::image_error;
use super::limits::Limits;
use super::{ImageSource, data_uri, structure};
use crate::error::{Error, Result};
use crate::guard::caught;
use crate::regular_file::{self, Refusal};
use run::{Work, run};

mod png;
mod rgb;
mod run;
mod tiff;

/// Reads and decodes an image (PNG, JPEG, WebP, GIF, BMP, TIFF; detected by content), rotated upright by its Exif
/// orientation.
///
/// Transparency is blended with white, 16-bit samples are reduced to their upper 8 bits, grayscale and palettes become
/// RGB, and CMYK is converted as written by Adobe. Of an animation, the first frame is decoded; of a TIFF, the first
/// page. Color profiles are ignored, as in Pillow's `convert("RGB")`. TIFF support is that of its decoder: grayscale
/// (also 1-bit), RGB and CMYK with 8 or 16 bits and RGB with 32-bit floats, uncompressed or with LZW, deflate, PackBits
/// or fax compression; a palette, other floats or an embedded JPEG are errors.
///
/// ```
/// use topicframe::vision::{Limits, decode};
///
/// let pig = decode(&"examples/data/openclipart/images/animals/a_simple_pig_01.webp".into(), &Limits::new())?;
/// assert!(pig.width() > 0 && pig.height() > 0);
/// assert!(decode(&"missing.png".into(), &Limits::new()).is_err());
/// # Ok::<(), topicframe::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Image`](crate::error::ErrorKind::Image), with the file or the given name: a file that is missing,
/// cannot be read or is not a regular file (a folder, a pipe, a device: these are never opened); bytes that are not an
/// image, truncated or damaged; anything over `limits`.
pub fn decode(source: &ImageSource<'_>, limits: &Limits) -> Result<RgbImage> {
    locate(source, read(source, limits).and_then(|bytes| decode_bytes(&bytes, limits, true)))
}

/// As [`decode`], with the pixels as they are stored, ignoring the Exif orientation, like Pillow's `Image.open`.
pub fn decode_as_stored(source: &ImageSource<'_>, limits: &Limits) -> Result<RgbImage> {
    locate(source, read(source, limits).and_then(|bytes| decode_bytes(&bytes, limits, false)))
}

fn locate<T>(source: &ImageSource<'_>, result: Result<T>) -> Result<T> {
    result.map_err(|error| match source {
        ImageSource::File(path) => error.with_path(path),
        ImageSource::Encoded { name: Some(name), .. } => error.with_path(name),
        ImageSource::Encoded { name: None, .. } => error,
        ImageSource::DataUri(uri) => error.with_path(data_uri::label(uri)),
    })
}

/// The encoded bytes of `source`. Errors do not name the file yet.
pub(crate) fn read<'a>(source: &ImageSource<'a>, limits: &Limits) -> Result<Cow<'a, [u8]>> {
    match source {
        ImageSource::File(path) => read_file(path, limits).map(Cow::Owned),
        ImageSource::Encoded { bytes, .. } => {
            limits.check_bytes(bytes.len() as u64)?;
            Ok(Cow::Borrowed(bytes))
        }
        ImageSource::DataUri(uri) => data_uri::bytes_of(uri, limits).map(Cow::Owned),
    }
}

fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    regular_file::read(path, limits.max_bytes).map_err(|refusal| match refusal {
        Refusal::Io(error) if error.kind() == IoKind::NotFound => image_error("there is no such file"),
        Refusal::Io(error) => image_error("the file cannot be read").with_cause(error),
        Refusal::Folder => image_error("this is a folder, not an image file"),
        Refusal::Special | Refusal::Empty => image_error(refusal.to_string()),
        Refusal::TooLarge => limits.too_large(std::fs::metadata(path).map_or(u64::MAX, |metadata| metadata.len())),
    })
}

/// Decodes bytes. Errors do not name the file yet.
pub(crate) fn decode_bytes(bytes: &[u8], limits: &Limits, upright: bool) -> Result<RgbImage> {
    let format = sniff_format(bytes).ok_or_else(|| unknown_format(bytes))?;
    let decoded = caught(|| decode_format(format, bytes, limits, upright));
    decoded.unwrap_or_else(|_| Err(image_error("the image is damaged: its decoder gave up")))
}

fn unknown_format(bytes: &[u8]) -> Error {
    if bytes.is_empty() {
        return image_error("the file is empty");
    }
    let message = "this is not a PNG, JPEG, WebP, GIF, BMP or TIFF image";
    match guess_unsupported(bytes) {
        Some(guess) => image_error(format!("{message}: it looks like {guess}")),
        None => image_error(message),
    }
}

fn decode_format(format: ImageFormat, bytes: &[u8], limits: &Limits, upright: bool) -> Result<RgbImage> {
    let (cursor, file) = (Cursor::new(bytes), bytes.len() as u64);
    match format {
        ImageFormat::Png => {
            structure::check_png(bytes, limits)?;
            png::decode(bytes, limits, upright)
        }
        ImageFormat::Jpeg => {
            let coefficients = structure::check_jpeg(bytes, limits)?;
            let beside = |_, _| coefficients + file;
            run(JpegDecoder::new(cursor), Work { beside: &beside, file }, limits, upright)
        }
        ImageFormat::WebP => {
            let bytes = structure::check_webp(bytes, limits)?;
            // Luma and chroma; or a canvas and a frame with four channels.
            let a_pixel = if bytes.get(12..16) == Some(b"VP8 ") { 2 } else { 8 };
            run(
                WebPDecoder::new(Cursor::new(bytes)),
                Work { beside: &|pixels, _| pixels * a_pixel, file },
                limits,
                upright,
            )
        }
        // A frame, if it is not the whole image.
        ImageFormat::Gif => run(GifDecoder::new(cursor), Work { beside: &|_, whole| whole, file }, limits, upright),
        ImageFormat::Bmp => run(BmpDecoder::new(cursor), Work { beside: &|_, _| 0, file }, limits, upright),
        ImageFormat::Tiff => tiff::decode(bytes, limits, upright),
    }
}
