//! Encoded images to RGB, within limits.
//!
//! Images come from strangers: the file may be missing, cut short, something else altogether, or built to fill the
//! memory. Each of these is an error before much is allocated, and a decoder that panics is caught.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::Path;

use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageResult, RgbImage};

use super::format::{ImageFormat, guess_unsupported, sniff_format};
use super::{ImageSource, structure};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::guard::caught;

/// How large an image may be. What is larger is an error of kind [`ErrorKind::Image`], found in the header before any
/// pixel is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    max_bytes: u64,
    max_pixels: u64,
    max_side: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_bytes: 64 << 20, max_pixels: 64 << 20, max_side: 32_768 }
    }
}

impl Limits {
    /// The defaults: 64 MiB of file, 67,108,864 pixels (64 Mi; at most 512 MiB while decoding, a fifth of that for
    /// usual files), 32,768 pixels a side.
    pub fn new() -> Self {
        Self::default()
    }

    /// The most bytes of an encoded image; default 67,108,864 (64 MiB). At least 1.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The most pixels, width times height; default 67,108,864. At least 1.
    #[must_use]
    pub fn max_pixels(mut self, max_pixels: u64) -> Self {
        self.max_pixels = max_pixels;
        self
    }

    /// The most pixels of the longer side; default 32,768. At least 1.
    #[must_use]
    pub fn max_side(mut self, max_side: u32) -> Self {
        self.max_side = max_side;
        self
    }

    /// Checks that every limit is at least 1.
    pub fn check(&self, stage: Stage) -> Result<()> {
        let limits =
            [("max_bytes", self.max_bytes), ("max_pixels", self.max_pixels), ("max_side", u64::from(self.max_side))];
        match limits.iter().find(|(_, value)| *value == 0) {
            Some((name, value)) => Err(Error::parameter(stage, name, value, "at least 1")),
            None => Ok(()),
        }
    }

    fn check_bytes(&self, bytes: u64) -> Result<()> {
        if bytes <= self.max_bytes {
            return Ok(());
        }
        Err(image_error(format!("the image is larger than {} bytes", self.max_bytes))
            .hint("Set a higher `max_bytes` in the image limits if you trust the file."))
    }

    pub(super) fn check_size(&self, width: u32, height: u32) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(image_error(format!("the image has no pixels: {width} x {height}")));
        }
        if width.max(height) > self.max_side {
            let message = format!("the image is {width} x {height}, and a side may be at most {}", self.max_side);
            return Err(image_error(message).hint("Set a higher `max_side` in the image limits if you trust the file."));
        }
        if u64::from(width) * u64::from(height) > self.max_pixels {
            let message = format!("the image is {width} x {height}, more than {} pixels", self.max_pixels);
            return Err(
                image_error(message).hint("Set a higher `max_pixels` in the image limits if you trust the file.")
            );
        }
        Ok(())
    }

    /// What the decoders may allocate: 8 bytes a pixel is the most that any of them yields, and some hold it twice.
    fn for_decoder(&self) -> image::Limits {
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(self.max_pixels.saturating_mul(16).saturating_add(16 << 20));
        limits
    }
}

/// Reads and decodes an image (PNG, JPEG, WebP, GIF, BMP; told by content), upright by its Exif orientation.
///
/// Transparency is laid on white, 16 bits keep their upper 8, grey and palettes become RGB, CMYK is converted as Adobe
/// writes it, and of an animation the first frame counts. Colour profiles are ignored, as Pillow's `convert("RGB")`
/// ignores them.
///
/// # Errors
/// Of kind [`ErrorKind::Image`], with the file or the given name: a file that is missing, cannot be read or is no
/// regular file (a folder, a pipe, a device: these are never opened); bytes that are no image, cut short or damaged;
/// anything over `limits`.
pub fn decode(source: &ImageSource<'_>, limits: &Limits) -> Result<RgbImage> {
    locate(source, read(source, limits).and_then(|bytes| decode_bytes(&bytes, limits, true)))
}

/// As [`decode`], with the pixels as they are stored, whatever the Exif orientation says. (Pillow's `Image.open` does
/// so.)
pub fn decode_as_stored(source: &ImageSource<'_>, limits: &Limits) -> Result<RgbImage> {
    locate(source, read(source, limits).and_then(|bytes| decode_bytes(&bytes, limits, false)))
}

fn locate<T>(source: &ImageSource<'_>, result: Result<T>) -> Result<T> {
    result.map_err(|error| match source {
        ImageSource::File(path) => error.path(path),
        ImageSource::Encoded { name: Some(name), .. } => error.path(name),
        ImageSource::Encoded { name: None, .. } => error,
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
    }
}

fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    // Opening a pipe would wait for its writer, so look first.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(image_error("this is a folder, not an image file"));
    }
    if !metadata.is_file() {
        return Err(image_error("this is no regular file"));
    }
    limits.check_bytes(metadata.len())?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    let file = File::open(path).map_err(unreadable)?;
    file.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    limits.check_bytes(bytes.len() as u64)?;
    Ok(bytes)
}

fn unreadable(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => image_error("there is no such file"),
        _ => image_error("the file cannot be read").cause(error),
    }
}

/// Decodes bytes. Errors do not name the file yet.
pub(crate) fn decode_bytes(bytes: &[u8], limits: &Limits, upright: bool) -> Result<RgbImage> {
    let format = sniff_format(bytes).ok_or_else(|| unknown_format(bytes))?;
    match format {
        ImageFormat::Png => structure::check_png(bytes, limits)?,
        ImageFormat::Jpeg => structure::check_jpeg(bytes)?,
        ImageFormat::WebP => structure::check_webp(bytes, limits)?,
        ImageFormat::Gif | ImageFormat::Bmp => {}
    }
    let decoded = caught(|| decode_format(format, bytes, limits, upright));
    decoded.unwrap_or_else(|_| Err(image_error("the image is damaged: its decoder gave up")))
}

fn unknown_format(bytes: &[u8]) -> Error {
    if bytes.is_empty() {
        return image_error("the file is empty");
    }
    let message = "this is not a PNG, JPEG, WebP, GIF or BMP image";
    match guess_unsupported(bytes) {
        Some(guess) => image_error(format!("{message}: it looks like {guess}")),
        None => image_error(message),
    }
}

fn decode_format(format: ImageFormat, bytes: &[u8], limits: &Limits, upright: bool) -> Result<RgbImage> {
    let cursor = Cursor::new(bytes);
    match format {
        ImageFormat::Png => run(PngDecoder::with_limits(cursor, limits.for_decoder()), limits, upright),
        ImageFormat::Jpeg => run(JpegDecoder::new(cursor), limits, upright),
        ImageFormat::WebP => run(WebPDecoder::new(cursor), limits, upright),
        ImageFormat::Gif => run(GifDecoder::new(cursor), limits, upright),
        ImageFormat::Bmp => run(BmpDecoder::new(cursor), limits, upright),
    }
}

fn run<D: ImageDecoder>(decoder: ImageResult<D>, limits: &Limits, upright: bool) -> Result<RgbImage> {
    let mut decoder = decoder.map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height)?;
    decoder.set_limits(limits.for_decoder()).map_err(undecodable)?;
    // A damaged Exif block is no reason to lose the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    if upright {
        image.apply_orientation(orientation);
    }
    Ok(into_rgb(image))
}

fn undecodable(error: image::ImageError) -> Error {
    image_error("the image cannot be decoded").cause(error)
}

pub(crate) fn image_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Image, Stage::Input, message)
}

fn into_rgb(image: DynamicImage) -> RgbImage {
    let (width, height) = (image.width(), image.height());
    let pixels: Vec<u8> = match image {
        DynamicImage::ImageRgb8(image) => return image,
        DynamicImage::ImageLuma8(image) => image.iter().flat_map(|&grey| [grey; 3]).collect(),
        DynamicImage::ImageLuma16(image) => image.iter().flat_map(|&grey| [upper(grey); 3]).collect(),
        DynamicImage::ImageRgb16(image) => image.iter().map(|&value| upper(value)).collect(),
        DynamicImage::ImageLumaA8(image) => image.pixels().flat_map(|p| [on_white(p.0[0], p.0[1]); 3]).collect(),
        DynamicImage::ImageLumaA16(image) => {
            image.pixels().flat_map(|p| [on_white(upper(p.0[0]), upper(p.0[1])); 3]).collect()
        }
        DynamicImage::ImageRgba16(image) => image.pixels().flat_map(|p| rgb_on_white(p.0.map(upper))).collect(),
        DynamicImage::ImageRgba8(image) => image.pixels().flat_map(|p| rgb_on_white(p.0)).collect(),
        other => return other.to_rgb8(),
    };
    RgbImage::from_raw(width, height, pixels).unwrap_or_default()
}

fn upper(value: u16) -> u8 {
    (value >> 8) as u8
}

fn rgb_on_white([red, green, blue, alpha]: [u8; 4]) -> [u8; 3] {
    [on_white(red, alpha), on_white(green, alpha), on_white(blue, alpha)]
}

/// `value` of opacity `alpha` over white, rounded to the nearest.
fn on_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}
