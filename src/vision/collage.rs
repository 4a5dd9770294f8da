//! Collages: three images per row, best first, filled without gaps.
//!
//! Three per row, as in BERTopic. There, rows are stretched to a common width, short rows are enlarged, and images with
//! different aspect ratios leave white space; here, the images of a row share a height so that the row fills the width
//! exactly (justified rows), and a short last row keeps the size of the others.

use std::ops::RangeInclusive;

use image::{Rgb, RgbImage, imageops};

use serde::{Deserialize, Serialize};

use super::thumbnail::shrink;
use crate::error::{Error, Result, Stage};

const COLUMNS: usize = 3;

/// Heights of a collage in pixels: at least one for each row of images.
const HEIGHTS: RangeInclusive<u32> = 3..=4_096;

/// Images with aspect ratios beyond 1:2 and 2:1 are center-cropped to these, so that one very wide or very tall image
/// does not determine the size of all others.
const WIDEST: f64 = 2.0;

/// How to lay out images.
///
/// ```
/// use topicframe::vision::{Collage, RgbImage};
///
/// // Three square images in a row, a third of 300 pixels high.
/// let images = vec![RgbImage::new(50, 50); 3];
/// let collage = Collage::new(300, false).compose(&images)?;
/// assert_eq!(collage.map(|image| image.dimensions()), Some((300, 100)));
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collage {
    image_height: u32,
    image_squares: bool,
}

/// Where the images go.
///
/// ```
/// use topicframe::vision::Collage;
///
/// let layout = Collage::new(300, true).layout(&[(80, 60), (60, 80), (70, 70), (50, 90)])?.ok_or("no images")?;
/// assert_eq!((layout.width, layout.height), (300, 200));
/// let corners: Vec<(u32, u32)> = layout.cells.iter().map(|cell| (cell.x, cell.y)).collect();
/// assert_eq!(corners, [(0, 0), (100, 0), (200, 0), (0, 100)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// Total width in pixels.
    pub width: u32,
    /// Total height in pixels.
    pub height: u32,
    /// One cell for each image, in order. Cells do not overlap.
    pub cells: Vec<Cell>,
}

/// The place of one image, in pixels from the top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cell {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

impl Collage {
    /// Collages whose three full rows are `image_height` pixels high (3 to 4,096); fewer or more rows in proportion.
    /// With `image_squares`, every image is center-cropped to a square, a third of `image_height` wide.
    pub fn new(image_height: u32, image_squares: bool) -> Self {
        Collage { image_height, image_squares }
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// A height outside 3 to 4,096.
    pub fn check(&self) -> Result<()> {
        if HEIGHTS.contains(&self.image_height) {
            return Ok(());
        }
        let allowed = "from 3 to 4096 pixels";
        Err(Error::invalid_parameter(Stage::Represent, "image_height", self.image_height, allowed))
    }

    /// Lays out images of the given widths and heights; `None` for no images.
    ///
    /// All full rows together are a third of `image_height` times their number high, and each fills the width. A last
    /// row of one or two images is at most a third of `image_height` high and at most as wide as the rest; the space to
    /// its right stays white.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn layout(&self, sizes: &[(u32, u32)]) -> Result<Option<Layout>> {
        self.check()?;
        if sizes.is_empty() {
            return Ok(None);
        }
        let shapes: Vec<f64> = sizes.iter().map(|&size| self.shape(size)).collect();
        let (full, short) = shapes.split_at(shapes.len() / COLUMNS * COLUMNS);
        let row = f64::from(self.image_height) / COLUMNS as f64;
        let full_rows = full.len() / COLUMNS;
        let per_width: f64 = full.chunks(COLUMNS).map(|row| 1.0 / row.iter().sum::<f64>()).sum();
        let across: f64 = short.iter().sum();
        let width = match full_rows {
            0 => across * row,
            rows => rows as f64 * row / per_width,
        };
        let pixels = (width.round() as u32).max(COLUMNS as u32);
        let mut layout = Layout { width: pixels, height: 0, cells: Vec::with_capacity(sizes.len()) };
        let mut bottom = 0.0;
        for shapes in full.chunks(COLUMNS) {
            bottom += width / shapes.iter().sum::<f64>();
            layout.push_row(shapes, pixels, bottom);
        }
        if !short.is_empty() {
            let height = row.min(width / across);
            layout.push_row(short, (across * height).round() as u32, bottom + height);
        }
        Ok(Some(layout))
    }

    /// The aspect ratio (width over height), clamped to the allowed range.
    fn shape(&self, (width, height): (u32, u32)) -> f64 {
        if self.image_squares {
            return 1.0;
        }
        (f64::from(width.max(1)) / f64::from(height.max(1))).clamp(1.0 / WIDEST, WIDEST)
    }

    /// Combines images; `None` for no images. Each image is center-cropped if its cell has a different aspect ratio,
    /// because of rounding or the limits above.
    ///
    /// # Errors
    /// As [`check`](Self::check); an image without pixels.
    pub fn compose(&self, images: &[RgbImage]) -> Result<Option<RgbImage>> {
        let sizes: Vec<(u32, u32)> = images.iter().map(RgbImage::dimensions).collect();
        let Some(layout) = self.layout(&sizes)? else { return Ok(None) };
        let mut canvas = layout.canvas();
        for (cell, image) in layout.cells.iter().zip(images) {
            cell.paint(&mut canvas, &cell.fill(image)?);
        }
        Ok(Some(canvas))
    }
}

impl Layout {
    /// A white image of this size.
    pub fn canvas(&self) -> RgbImage {
        RgbImage::from_pixel(self.width, self.height, Rgb([255; 3]))
    }

    /// Adds a row that is `width` wide and ends at `bottom`. Edges are rounded, not sizes, so rounding never adds up to
    /// a gap.
    fn push_row(&mut self, shapes: &[f64], width: u32, bottom: f64) {
        let (y, across) = (self.height, shapes.iter().sum::<f64>());
        let height = (bottom.round() as u32).saturating_sub(y).max(1);
        let (mut x, mut sum) = (0, 0.0);
        for (place, shape) in shapes.iter().enumerate() {
            sum += shape;
            let last = place + 1 == shapes.len();
            let edge = if last { width } else { (f64::from(width) * sum / across).round() as u32 };
            let edge = edge.max(x + 1);
            self.cells.push(Cell { x, y, width: edge - x, height });
            x = edge;
        }
        self.width = self.width.max(x);
        self.height = y + height;
    }
}

impl Cell {
    /// The center of `image` with the aspect ratio of this cell, resized to it.
    pub fn fill(&self, image: &RgbImage) -> Result<RgbImage> {
        let (width, height) = (f64::from(image.width()), f64::from(image.height()));
        let scale = (width / f64::from(self.width)).min(height / f64::from(self.height));
        let span = |side: f64, cell: u32| {
            let from = ((side - scale * f64::from(cell)) / 2.0).max(0.0) as f32;
            (from, side as f32 - from)
        };
        let (left, right) = span(width, self.width);
        let (top, bottom) = span(height, self.height);
        shrink(image, [left, top, right, bottom], self.width, self.height)
    }

    /// Pastes an image that was produced by [`fill`](Cell::fill) onto a collage.
    pub fn paint(&self, canvas: &mut RgbImage, filled: &RgbImage) {
        imageops::replace(canvas, filled, i64::from(self.x), i64::from(self.y));
    }
}
