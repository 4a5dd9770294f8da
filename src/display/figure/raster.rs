//! Many points as one picture: discs with smooth edges, as PNG with a palette and a transparent ground, so that it suits
//! light and dark pages.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use super::super::picture::data_uri;
use super::color::COLORS;
use super::theme::Paint;

/// The color number of points that belong to no topic that is shown.
pub(super) const REST: u8 = COLORS as u8;

/// Degrees of opacity: with all colors, they fill a palette of 256.
const DEGREES: usize = 13;

/// A point, in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dot {
    pub(super) x: f64,
    pub(super) y: f64,
    /// The number of a color of the palette, or [`REST`].
    pub(super) color: u8,
}

/// What a pixel shows: the color that is seen most, how much of the pixel it has, and how much all colors have.
#[derive(Debug, Clone, Copy, Default)]
struct Pixel {
    color: u8,
    share: f32,
    opacity: f32,
}

impl Pixel {
    /// Covers a part of the pixel.
    fn cover(&mut self, color: u8, part: f32) {
        self.opacity += (1.0 - self.opacity) * part;
        self.share *= 1.0 - part;
        if color == self.color {
            self.share += part;
        } else if part > self.share {
            (self.color, self.share) = (color, part);
        }
    }
}

/// A picture of `width` x `height` pixels with the dots, each above those before it, as a data URI; `None` if it has no
/// pixels.
pub(super) fn picture(
    (width, height): (u32, u32),
    dots: impl Iterator<Item = Dot>,
    radius: f64,
    opacity: f64,
    dark: bool,
) -> Option<String> {
    let mut pixels = vec![Pixel::default(); (width as usize).checked_mul(height as usize)?];
    for dot in dots.filter(|dot| dot.x.is_finite() && dot.y.is_finite()) {
        draw(&mut pixels, (width, height), &dot, radius, opacity);
    }
    let index = |pixel: &Pixel| {
        let degree = (pixel.opacity * DEGREES as f32).round().clamp(0.0, DEGREES as f32) as usize;
        if degree == 0 { 0 } else { (usize::from(pixel.color.min(REST)) * DEGREES + degree) as u8 }
    };
    let indices: Vec<u8> = pixels.iter().map(index).collect();
    Some(data_uri("image/png", &encoded((width, height), &indices, dark).ok()?))
}

fn draw(pixels: &mut [Pixel], (width, height): (u32, u32), dot: &Dot, radius: f64, opacity: f64) {
    let reach = radius + 0.5;
    let range = |at: f64, size: u32| {
        let low = (at - reach).floor().clamp(0.0, f64::from(size)) as usize;
        let high = (at + reach).ceil().clamp(0.0, f64::from(size)) as usize;
        low..high
    };
    for row in range(dot.y, height) {
        for column in range(dot.x, width) {
            let distance = (column as f64 + 0.5 - dot.x).hypot(row as f64 + 0.5 - dot.y);
            let inside = (reach - distance).clamp(0.0, 1.0);
            // A disc that is smaller than a pixel covers a part of it.
            let part = inside * (2.0 * radius).min(1.0) * opacity;
            if let Some(pixel) = pixels.get_mut(row * width as usize + column).filter(|_| part > 0.0) {
                pixel.cover(dot.color, part as f32);
            }
        }
    }
}

fn encoded((width, height): (u32, u32), indices: &[u8], dark: bool) -> Result<Vec<u8>, EncodingError> {
    // Number 0 is the ground.
    let (mut colors, mut opacities) = (vec![0; 3], vec![0]);
    for color in 0..=REST {
        let rgb = rgb(if color == REST { Paint::Rest } else { Paint::Series(color) }, dark);
        for degree in 1..=DEGREES {
            colors.extend(rgb);
            opacities.push((degree * 255 / DEGREES) as u8);
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(colors);
    encoder.set_trns(opacities);
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(indices)?;
    writer.finish()?;
    Ok(bytes)
}

fn rgb(paint: Paint, dark: bool) -> [u8; 3] {
    let hex = paint.hex(dark);
    let part = |from: usize| hex.get(from..from + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    [1, 3, 5].map(|from| part(from).unwrap_or_default())
}

/// The radius of points, such that as many as there are can be told apart.
pub(super) fn radius((width, height): (f64, f64), count: usize) -> f64 {
    (0.28 * (width * height / count.max(1) as f64).sqrt()).clamp(0.6, 3.4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_palette_has_all_colors_and_degrees() {
        assert!((usize::from(REST) + 1) * DEGREES < 256);
    }

    #[test]
    fn the_color_that_is_seen_most_wins() {
        let mut pixel = Pixel::default();
        pixel.cover(3, 0.4);
        pixel.cover(5, 0.9);
        assert_eq!(pixel.color, 5);
        pixel.cover(3, 0.2);
        assert_eq!(pixel.color, 5);
        assert!((pixel.opacity - (1.0 - 0.6 * 0.1 * 0.8)).abs() < 1e-6);
    }
}
