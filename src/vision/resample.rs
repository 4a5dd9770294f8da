//! Resamples images bit for bit like Pillow.
//!
//! Vision models were trained on images that Pillow had shrunk, so their input has to be produced the same way:
//! separable convolution, horizontal pass first (except for some tall images), 8 bits between the passes, weights with
//! 22 fractional bits, rounding half up. The filters widen when shrinking, so there is no aliasing. Checked against
//! Pillow 13.0.0.

use std::ops::Range;

use image::RgbImage;

use crate::error::{Error, ErrorKind, Result, Stage};

/// A resampling filter.
///
/// ```
/// use topicframe::vision::{Filter, RgbImage, resize};
///
/// let gray = RgbImage::from_pixel(64, 48, [128, 128, 128].into());
/// let small = resize(&gray, 16, 12, Filter::Bicubic);
/// assert_eq!(small, RgbImage::from_pixel(16, 12, [128, 128, 128].into()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// The nearest pixel.
    Nearest,
    /// Linear interpolation, a triangle of support 1.
    Bilinear,
    /// Cubic convolution (Keys 1981) with a = -0.5, support 2.
    Bicubic,
    /// Sinc windowed by a wider sinc, support 3.
    Lanczos3,
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Filter::Nearest => 0.5,
            Filter::Bilinear => 1.0,
            Filter::Bicubic => 2.0,
            Filter::Lanczos3 => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        match self {
            Filter::Nearest => f64::from(x > -0.5 && x <= 0.5),
            Filter::Bilinear => (1.0 - x.abs()).max(0.0),
            Filter::Bicubic => cubic(x.abs()),
            Filter::Lanczos3 if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Filter::Lanczos3 => 0.0,
        }
    }
}

fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * std::f64::consts::PI;
    x.sin() / x
}

/// Resizes to `width` x `height`, ignoring the aspect ratio. Sides of 0 yield an image without pixels; an image without
/// pixels yields black.
pub fn resize(image: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
    resize_within(image, whole(image), &Target::whole(width, height), filter)
}

/// The part of the result of [`resize`] within `columns` and `rows`, without computing the rest; clamped to its bounds.
/// This way, a strip that is a thousand times as long as it is wide can be resized and cropped, however large the whole
/// would be.
pub fn resize_part(
    image: &RgbImage,
    width: u32,
    height: u32,
    columns: Range<u32>,
    rows: Range<u32>,
    filter: Filter,
) -> RgbImage {
    resize_within(image, whole(image), &Target { width, height, columns, rows }.cut(), filter)
}

/// Resizes the part of `image` within `[left, top, right, bottom]`, in pixels, possibly fractional, to `width` x
/// `height`.
///
/// # Errors
/// A region that is empty, not finite or not within the image.
pub fn resize_region(image: &RgbImage, region: [f32; 4], width: u32, height: u32, filter: Filter) -> Result<RgbImage> {
    let [left, top, right, bottom] = region;
    let [_, _, image_width, image_height] = whole(image);
    if left >= 0.0 && top >= 0.0 && left < right && top < bottom && right <= image_width && bottom <= image_height {
        return Ok(resize_within(image, region, &Target::whole(width, height), filter));
    }
    let message = format!("the region {region:?} is not within an image of {image_width} x {image_height}");
    Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, message))
}

fn whole(image: &RgbImage) -> [f32; 4] {
    [0.0, 0.0, image.width() as f32, image.height() as f32]
}

/// The size to resize to, and the part of it that is wanted.
struct Target {
    width: u32,
    height: u32,
    columns: Range<u32>,
    rows: Range<u32>,
}

impl Target {
    fn whole(width: u32, height: u32) -> Self {
        Target { width, height, columns: 0..width, rows: 0..height }
    }

    fn cut(self) -> Self {
        let within = |range: Range<u32>, side: u32| {
            let end = range.end.min(side);
            range.start.min(end)..end
        };
        Target { columns: within(self.columns, self.width), rows: within(self.rows, self.height), ..self }
    }

    fn is_whole(&self) -> bool {
        self.columns == (0..self.width) && self.rows == (0..self.height)
    }
}

fn resize_within(image: &RgbImage, region: [f32; 4], target: &Target, filter: Filter) -> RgbImage {
    let [left, top, right, bottom] = region;
    let Target { width, height, columns, rows } = target;
    let (out_width, out_height) = (columns.len() as u32, rows.len() as u32);
    if out_width == 0 || out_height == 0 || image.width() == 0 || image.height() == 0 {
        return RgbImage::new(out_width, out_height);
    }
    if target.is_whole() && region == whole(image) && (*width, *height) == image.dimensions() {
        return image.clone();
    }
    if filter == Filter::Nearest {
        return pick_nearest(image, region, target);
    }
    let exact = |from: f32, to: f32, in_size: u32, out_size: u32, wanted: &Range<u32>| {
        from == 0.0 && to == in_size as f32 && in_size == out_size && *wanted == (0..out_size)
    };
    let columns = (!exact(left, right, image.width(), *width, columns))
        .then(|| Taps::new(image.width(), left, right, *width, columns, filter));
    let rows = (!exact(top, bottom, image.height(), *height, rows))
        .then(|| Taps::new(image.height(), top, bottom, *height, rows, filter));
    match (columns, rows) {
        (Some(columns), Some(rows)) if columns_first(image, *width, *height) => {
            let narrow = resize_columns(image, out_height, &rows);
            resize_rows(&narrow, 0, out_height as usize, out_width, &columns)
        }
        (Some(columns), Some(mut rows)) => {
            // Only the rows that the vertical pass will read.
            let (first, last) = rows.span();
            rows.shift(first);
            resize_columns(&resize_rows(image, first, last, out_width, &columns), out_height, &rows)
        }
        (Some(columns), None) => resize_rows(image, 0, image.height() as usize, out_width, &columns),
        (None, Some(rows)) => resize_columns(image, out_height, &rows),
        (None, None) => image.clone(),
    }
}

/// Whether the vertical pass comes first: in Pillow 13, it does if it shortens the columns by more than twice what the
/// other pass takes off the rows, however little of either is wanted.
fn columns_first(image: &RgbImage, width: u32, height: u32) -> bool {
    let less = |from: u32, to: u32| i64::from(from) - i64::from(to);
    let shorter = less(image.height(), height);
    shorter > 0 && shorter > 2 * less(image.width(), width)
}

const PRECISION: u32 = 22;

/// For each output position, the first input position and the fixed-point weights from there on.
struct Taps {
    starts: Vec<usize>,
    counts: Vec<usize>,
    weights: Vec<i32>,
    width: usize,
}

impl Taps {
    /// For the positions `wanted` of `out_size`.
    fn new(in_size: u32, from: f32, to: f32, out_size: u32, wanted: &Range<u32>, filter: Filter) -> Self {
        let scale = f64::from(to - from) / f64::from(out_size);
        let stretch = scale.max(1.0);
        let support = filter.support() * stretch;
        let width = support.ceil() as usize * 2 + 1;
        let mut taps = Taps {
            starts: Vec::with_capacity(wanted.len()),
            counts: Vec::with_capacity(wanted.len()),
            weights: Vec::with_capacity(wanted.len() * width),
            width,
        };
        let mut weights = Vec::with_capacity(width);
        for position in wanted.clone() {
            let center = f64::from(from) + (f64::from(position) + 0.5) * scale;
            // Casts to usize saturate at 0.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(in_size as usize);
            weights.clear();
            weights.extend((start..end).map(|x| filter.weight((x as f64 - center + 0.5) * (1.0 / stretch))));
            taps.push(start, &mut weights);
        }
        taps
    }

    fn push(&mut self, start: usize, weights: &mut Vec<f64>) {
        let sum: f64 = weights.iter().sum();
        if sum != 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        self.starts.push(start);
        self.counts.push(weights.len());
        weights.resize(self.width, 0.0);
        self.weights.extend(weights.iter().map(|&weight| fixed_point(weight)));
    }

    /// The first input position that is read, and the one after the last.
    fn span(&self) -> (usize, usize) {
        let first = self.starts.iter().copied().min().unwrap_or(0);
        let last = self.starts.iter().zip(&self.counts).map(|(start, count)| start + count).max().unwrap_or(0);
        (first, last)
    }

    fn shift(&mut self, by: usize) {
        self.starts.iter_mut().for_each(|start| *start -= by);
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let weights = self.weights.chunks_exact(self.width);
        self.starts.iter().zip(&self.counts).zip(weights).map(|((&start, &count), weights)| (start, &weights[..count]))
    }
}

/// Rounds half away from zero, by truncation.
fn fixed_point(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << PRECISION);
    if scaled < 0.0 { (scaled - 0.5) as i32 } else { (scaled + 0.5) as i32 }
}

const HALF: i32 = 1 << (PRECISION - 1);

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// The horizontal pass, over the rows from `first` up to but excluding `last`.
fn resize_rows(image: &RgbImage, first: usize, last: usize, width: u32, taps: &Taps) -> RgbImage {
    let mut out = RgbImage::new(width, (last - first) as u32);
    let rows = image.chunks_exact(image.width() as usize * 3).skip(first);
    for (from, to) in rows.zip(out.chunks_exact_mut(width as usize * 3)) {
        for ((start, weights), pixel) in taps.iter().zip(to.chunks_exact_mut(3)) {
            let mut sums = [HALF; 3];
            for (value, &weight) in from[start * 3..].chunks_exact(3).zip(weights) {
                sums[0] += i32::from(value[0]) * weight;
                sums[1] += i32::from(value[1]) * weight;
                sums[2] += i32::from(value[2]) * weight;
            }
            pixel.copy_from_slice(&sums.map(to_byte));
        }
    }
    out
}

/// The vertical pass: whole rows are summed, so that the compiler can use wide instructions.
fn resize_columns(image: &RgbImage, height: u32, taps: &Taps) -> RgbImage {
    let stride = image.width() as usize * 3;
    let mut out = RgbImage::new(image.width(), height);
    let mut sums = vec![HALF; stride];
    for ((start, weights), to) in taps.iter().zip(out.chunks_exact_mut(stride)) {
        sums.fill(HALF);
        for (from, &weight) in image.as_raw()[start * stride..].chunks_exact(stride).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(from) {
                *sum += i32::from(value) * weight;
            }
        }
        for (byte, &sum) in to.iter_mut().zip(&sums) {
            *byte = to_byte(sum);
        }
    }
    out
}

fn pick_nearest(image: &RgbImage, region: [f32; 4], target: &Target) -> RgbImage {
    let [left, top, right, bottom] = region;
    let columns = nearest_positions(left, right, target.width, &target.columns, image.width());
    let rows = nearest_positions(top, bottom, target.height, &target.rows, image.height());
    let (width, height) = (columns.len() as u32, rows.len() as u32);
    RgbImage::from_fn(width, height, |x, y| *image.get_pixel(columns[x as usize], rows[y as usize]))
}

/// Steps are accumulated, not multiplied, so that positions on pixel edges match Pillow's.
fn nearest_positions(from: f32, to: f32, out_size: u32, wanted: &Range<u32>, in_size: u32) -> Vec<u32> {
    let step = f64::from(to - from) / f64::from(out_size);
    let start = f64::from(from) + step * 0.5;
    let steps = std::iter::successors(Some(start), |position| Some(position + step));
    let wanted = steps.skip(wanted.start as usize).take(wanted.len());
    wanted.map(|position| (position as u32).min(in_size - 1)).collect()
}

/// Averages blocks of `factor_x` x `factor_y` pixels to one pixel each, as Pillow's `reduce`: the fast first step of a
/// strong reduction. The remainder at the right and the bottom forms smaller blocks. A factor of 0 counts as 1.
pub fn reduce(image: &RgbImage, factor_x: u32, factor_y: u32) -> RgbImage {
    let (block_x, block_y) = (factor_x.max(1) as usize, factor_y.max(1) as usize);
    let stride = image.width() as usize * 3;
    let mut out = RgbImage::new(image.width().div_ceil(block_x as u32), image.height().div_ceil(block_y as u32));
    let out_stride = out.width() as usize * 3;
    if stride == 0 {
        return out;
    }
    let mut sums = vec![0_u32; stride];
    for (band, to) in image.chunks(stride * block_y).zip(out.chunks_exact_mut(out_stride)) {
        sums.fill(0);
        for row in band.chunks_exact(stride) {
            sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += u32::from(value));
        }
        let rows = band.len() / stride;
        for (block, pixel) in sums.chunks(block_x * 3).zip(to.chunks_exact_mut(3)) {
            let count = (block.len() / 3 * rows) as u64;
            for (channel, byte) in pixel.iter_mut().enumerate() {
                let sum: u64 = block.iter().skip(channel).step_by(3).map(|&sum| u64::from(sum)).sum();
                *byte = mean(sum, count);
            }
        }
    }
    out
}

/// `sum` / `count`, rounded; uses multiplication by Pillow's reciprocal, which rounds some exact halves down.
fn mean(sum: u64, count: u64) -> u8 {
    const MAX_BY_RECIPROCAL: u64 = 1 << 16;
    let rounded = sum + count / 2;
    if count > MAX_BY_RECIPROCAL {
        return (rounded / count) as u8;
    }
    let reciprocal = (4_294_967_296.0_f32 / (count as f32 * 256.0)) as u64;
    ((rounded * reciprocal) >> 24) as u8
}
