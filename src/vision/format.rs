//! Image formats, told by content and never by file name.

/// The formats that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG (JFIF, Exif, Adobe).
    Jpeg,
    /// WebP, lossy or lossless.
    WebP,
    /// Graphics Interchange Format.
    Gif,
    /// Windows bitmap.
    Bmp,
}

impl ImageFormat {
    /// The media type, as in a data URI: `image/png` and so on.
    pub fn mime(self) -> &'static str {
        match self {
            ImageFormat::Png => "image/png",
            ImageFormat::Jpeg => "image/jpeg",
            ImageFormat::WebP => "image/webp",
            ImageFormat::Gif => "image/gif",
            ImageFormat::Bmp => "image/bmp",
        }
    }
}

/// The format of encoded image bytes, from their signature; `None` if they are none of [`ImageFormat`]. The first 18
/// bytes are enough.
pub fn sniff_format(bytes: &[u8]) -> Option<ImageFormat> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(ImageFormat::Png)
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some(ImageFormat::Jpeg)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(ImageFormat::WebP)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some(ImageFormat::Gif)
    } else if is_bitmap(bytes) {
        Some(ImageFormat::Bmp)
    } else {
        None
    }
}

/// `BM` alone begins many a text; the size of the second header is one of a few.
fn is_bitmap(bytes: &[u8]) -> bool {
    let header = bytes.get(14..18).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
    bytes.starts_with(b"BM") && header.is_some_and(|size| matches!(size, 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

/// What bytes that cannot be decoded seem to be, to say so in an error.
pub(super) fn guess_unsupported(bytes: &[u8]) -> Option<&'static str> {
    let start = String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)).trim_start().to_ascii_lowercase();
    if start.starts_with("<svg") || start.starts_with("<?xml") {
        Some("an SVG drawing or another XML file")
    } else if start.starts_with("<!doctype html") || start.starts_with("<html") {
        Some("a web page")
    } else if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
        Some("a TIFF image")
    } else if bytes.get(4..8) == Some(b"ftyp") {
        Some("an AVIF or HEIC image, or a video")
    } else if bytes.starts_with(b"%PDF") {
        Some("a PDF document")
    } else {
        None
    }
}
