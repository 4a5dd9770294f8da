//! Image formats, detected by content, never by file name.

/// The formats that can be decoded.
///
/// ```
/// use topicframe::vision::{ImageFormat, sniff_format};
///
/// assert_eq!(sniff_format(b"GIF89a\x01\x00\x01\x00"), Some(ImageFormat::Gif));
/// assert_eq!(ImageFormat::Gif.mime(), "image/gif");
/// ```
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
    /// Tagged Image File Format; the first page.
    Tiff,
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
            ImageFormat::Tiff => "image/tiff",
        }
    }

    /// Whether browsers can display it.
    pub(crate) fn is_for_pages(self) -> bool {
        self != ImageFormat::Tiff
    }
}

/// The format of encoded image bytes, detected from their signature; `None` if it is not one of [`ImageFormat`]. The
/// first 18 bytes are enough.
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
    } else if is_tiff(bytes) {
        Some(ImageFormat::Tiff)
    } else {
        None
    }
}

/// Many texts begin with `BM`, so the size of the second header must be one of the known ones.
fn is_bitmap(bytes: &[u8]) -> bool {
    let header = bytes.get(14..18).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
    bytes.starts_with(b"BM") && header.is_some_and(|size| matches!(size, 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

/// Either byte order, and the variant for more than 4 GB.
fn is_tiff(bytes: &[u8]) -> bool {
    [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|signature| bytes.starts_with(*signature))
}

/// What bytes that cannot be decoded seem to be, for error messages. The first 256 are examined.
pub(super) fn guess_unsupported(bytes: &[u8]) -> Option<&'static str> {
    if let Some(kind) = unreadable_image(bytes) {
        return Some(kind);
    }
    let start = text_start(bytes);
    if start.starts_with("<?xml") {
        Some("an XML file")
    } else if start.starts_with("<!doctype html") || start.starts_with("<html") {
        Some("a web page")
    } else if bytes.get(4..8) == Some(b"ftyp") {
        Some("a video")
    } else if bytes.starts_with(b"%PDF") {
        Some("a PDF document")
    } else {
        None
    }
}

/// The kind of image that bytes seem to be, among those that cannot be decoded. The first 256 are examined.
pub(crate) fn unreadable_image(bytes: &[u8]) -> Option<&'static str> {
    const SIGNATURES: [(&[u8], &str); 10] = [
        (b"\xff\x0a", "a JPEG XL image"),
        (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
        (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
        (b"8BPS", "a Photoshop document"),
        (b"\0\0\x01\0", "an icon (ICO)"),
        (b"FUJIFILMCCD-RAW", "a camera's raw image"),
        (b"IIRO", "a camera's raw image"),
        (b"IIU\0", "a camera's raw image"),
        (b"qoif", "a QOI image"),
    ];
    if bytes.get(4..8) == Some(b"ftyp") {
        return match bytes.get(8..12)? {
            b"avif" | b"avis" => Some("an AVIF image"),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => Some("a HEIC image"),
            b"crx " => Some("a camera's raw image"),
            _ => None,
        };
    }
    let start = text_start(bytes);
    let is_drawing = start.starts_with("<svg") || start.starts_with("<?xml") && start.contains("<svg");
    if is_drawing {
        return Some("an SVG drawing");
    }
    SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)).map(|(_, kind)| *kind)
}

fn text_start(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)).trim_start().to_ascii_lowercase()
}
