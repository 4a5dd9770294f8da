//! Thumbnails of pictures.

use crate::error::Result;
use crate::vision::decode::decode_bytes;
use crate::vision::{EncodedImage, Encoding, Limits, encode, thumbnail};

/// The longer side of thumbnails in pixels: sharp at half that size on high-density screens, 5 to 15 KB each.
const THUMBNAIL_SIDE: u32 = 256;

const THUMBNAIL_ENCODING: Encoding = Encoding::Smallest { quality: 85 };

/// The size of an encoded image, and a thumbnail of it.
pub(super) fn shrink(bytes: &[u8], limits: &Limits) -> Result<((u32, u32), EncodedImage)> {
    let image = decode_bytes(bytes, limits, true)?;
    Ok((image.dimensions(), encode(&thumbnail(&image, THUMBNAIL_SIDE), THUMBNAIL_ENCODING)?))
}
