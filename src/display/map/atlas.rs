//! Thumbnails of one size on few sheets.

use image::RgbImage;
use image::imageops::replace;
use rayon::prelude::*;

use super::super::picture::squarish;
use crate::error::Result;
use crate::vision::{Encoding, encode};

/// The side of a sheet in pixels: every graphics card takes it.
const SHEET: u32 = 2_048;

/// JPEG quality.
const QUALITY: u8 = 75;

/// An image as a square of `side` pixels: drawings are shown whole on white, photographs are cropped to their middle.
pub(super) fn tile(image: &RgbImage, side: u32) -> RgbImage {
    let small = squarish(image, side);
    let mut tile = RgbImage::from_pixel(side, side, image::Rgb([255; 3]));
    let (left, top) = (side.saturating_sub(small.width()) / 2, side.saturating_sub(small.height()) / 2);
    replace(&mut tile, &small, i64::from(left), i64::from(top));
    tile
}

/// The number of tiles in a row of a sheet.
pub(super) fn across(side: u32) -> usize {
    (SHEET / side.max(1)).max(1) as usize
}

/// Sheets of JPEG with the tiles in their order: row by row, sheet by sheet.
pub(super) fn sheets(tiles: &[RgbImage], side: u32) -> Result<Vec<Vec<u8>>> {
    let across = across(side);
    tiles.par_chunks(across * across).map(|tiles| sheet(tiles, side, across)).collect()
}

fn sheet(tiles: &[RgbImage], side: u32, across: usize) -> Result<Vec<u8>> {
    let (columns, rows) = (tiles.len().min(across), tiles.len().div_ceil(across));
    let mut sheet = RgbImage::from_pixel(columns as u32 * side, rows as u32 * side, image::Rgb([255; 3]));
    for (place, tile) in tiles.iter().enumerate() {
        let (column, row) = (place % across, place / across);
        replace(&mut sheet, tile, column as i64 * i64::from(side), row as i64 * i64::from(side));
    }
    Ok(encode(&sheet, Encoding::Jpeg { quality: QUALITY })?.bytes)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::vision::{ImageSource, Limits, decode};

    #[test]
    fn tiles_are_square_and_where_they_are_expected() {
        let colors = [[200, 30, 30], [30, 200, 30], [30, 30, 200], [120; 3], [60; 3]];
        let tiles: Vec<RgbImage> =
            colors.iter().map(|&color| tile(&RgbImage::from_pixel(90, 60, Rgb(color)), 900)).collect();
        assert!(tiles.iter().all(|tile| tile.dimensions() == (900, 900)));
        assert_eq!((across(900), across(72)), (2, 28));
        let sheets = sheets(&tiles, 900).unwrap();
        assert_eq!(sheets.len(), 2);
        let sheet = |number: usize| {
            let source = ImageSource::Encoded { bytes: &sheets[number], name: None };
            decode(&source, &Limits::new()).unwrap()
        };
        assert_eq!((sheet(0).dimensions(), sheet(1).dimensions()), ((1_800, 1_800), (900, 900)));
        for (place, color) in colors.iter().enumerate().take(4) {
            let (x, y) = (place % 2 * 900 + 450, place / 2 * 900 + 450);
            let pixel = sheet(0).get_pixel(x as u32, y as u32).0;
            assert!(pixel.iter().zip(color).all(|(a, b)| a.abs_diff(*b) < 12), "{pixel:?} {color:?}");
        }
    }

    #[test]
    fn a_wide_photograph_is_cropped_and_a_drawing_is_not() {
        let photograph = RgbImage::from_fn(300, 100, |x, _| if x < 100 { Rgb([0; 3]) } else { Rgb([90, 90, 90]) });
        assert!(tile(&photograph, 50).pixels().all(|pixel| pixel.0 == [90; 3]));
        let drawing =
            RgbImage::from_fn(300, 100, |x, _| if x.abs_diff(150) < 40 { Rgb([0; 3]) } else { Rgb([255; 3]) });
        assert_eq!(tile(&drawing, 60).get_pixel(30, 2).0, [255; 3]);
        assert!(tile(&drawing, 60).get_pixel(30, 30).0[0] < 60);
    }
}
