//! 8-bit RGB from the pixels that a decoder returns: upright, and blended with white.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

/// Whether width and height are swapped, which takes a second image.
pub(super) fn turns_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

pub(super) fn turned(image: RgbImage, orientation: Orientation) -> RgbImage {
    if orientation == Orientation::NoTransforms {
        return image;
    }
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    into_rgb(image)
}

pub(super) fn into_rgb(image: DynamicImage) -> RgbImage {
    let (width, height) = (image.width(), image.height());
    let pixels: Vec<u8> = match image {
        DynamicImage::ImageRgb8(image) => return image,
        DynamicImage::ImageLuma8(image) => image.iter().flat_map(|&gray| [gray; 3]).collect(),
        DynamicImage::ImageLuma16(image) => image.iter().flat_map(|&gray| [upper(gray); 3]).collect(),
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
    laid_on_white([red, green, blue], alpha)
}

pub(super) fn laid_on_white(color: [u8; 3], alpha: u8) -> [u8; 3] {
    color.map(|value| on_white(value, alpha))
}

/// `value` with opacity `alpha` blended with white, rounded to nearest.
fn on_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}
