//! Rows quantized to bytes in fewer dimensions: cheap to compare, and identical on every CPU.

use rayon::prelude::*;

use super::points::Points;
use super::principal_axes::{PrincipalAxes, principal_axes};
use crate::error::Result;
use crate::progress::Task;
use crate::state::State;

/// The maximum number of coordinates in a sketch.
const MAX_WIDTH: usize = 256;

/// The number of coordinates in a sketch is a multiple of this.
const GROUP: usize = 32;

/// Standard deviations along the main axis that fit in a byte; values farther out are clipped.
const DEVIATIONS: f32 = 4.0;

/// The maximum half squared norm, so that scores stay within 32 bits.
const LARGEST_HALF_NORM: f64 = 1e9;

/// A projection of rows to sketches: their coordinates along the principal axes of the data, as multiples of a unit.
#[derive(Debug, Clone)]
pub(super) struct Sketcher {
    mean: Vec<f32>,
    axes: Axes,
    width: usize,
    /// The number of units in 1.
    scale: f32,
}

/// Sketches of some rows. For a query q, `q · row - half_norm` orders rows by proximity, nearest last.
#[derive(Debug, Clone)]
pub(super) struct Sketches {
    pub(super) width: usize,
    pub(super) values: Vec<i8>,
    pub(super) half_norms: Vec<i32>,
}

impl Sketcher {
    /// A sketcher with up to [`MAX_WIDTH`] coordinates for rows like those of `points`.
    pub(super) fn new(points: &Points) -> Self {
        let width = points.width().min(MAX_WIDTH).next_multiple_of(GROUP);
        let PrincipalAxes { mean, axes, deviation } = principal_axes(points, width);
        let scale = if deviation > 0.0 { f32::from(i8::MAX) / (DEVIATIONS * deviation) } else { 1.0 };
        Sketcher { mean, axes: Axes::new(&axes, width), width, scale }
    }

    /// The same sketcher with at most `width` coordinates, a multiple of 32.
    pub(super) fn narrowed(&self, width: usize) -> Self {
        let width = width.min(self.width);
        Sketcher { mean: self.mean.clone(), axes: self.axes.first(width), width, scale: self.scale }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Sketches the rows of `points`; one unit of `task` per row.
    pub(super) fn sketch(&self, points: &Points, task: &Task) -> Sketches {
        let (rows, columns) = (points.rows(), points.width());
        let mut values = vec![0_i8; rows * self.width];
        let mut half_norms = vec![0_i32; rows];
        let rooms = values.par_chunks_mut(TOGETHER * self.width).zip(half_norms.par_chunks_mut(TOGETHER));
        let rooms = rooms.with_min_len(ROOMS);
        rooms.enumerate().for_each_init(
            || (vec![0.0; TOGETHER * columns], vec![0.0; TOGETHER * self.width]),
            |(prepared, projected), (chunk, (out, half_norms))| {
                if chunk.is_multiple_of(ROOMS) {
                    task.advance((rows - chunk * TOGETHER).min(ROOMS * TOGETHER));
                }
                if task.is_interrupted() {
                    return;
                }
                points.prepare_rows(chunk * TOGETHER, &mut prepared[..half_norms.len() * columns]);
                for (half_norm, row) in half_norms.iter_mut().zip(prepared.chunks_exact_mut(columns)) {
                    row.iter_mut().zip(&self.mean).for_each(|(value, mean)| *value -= mean);
                    *half_norm = self.half_norm(row);
                }
                self.axes.project(prepared, projected);
                for (to, &from) in out.iter_mut().zip(projected.iter()) {
                    *to = (from * self.scale).round().clamp(-f32::from(i8::MAX), f32::from(i8::MAX)) as i8;
                }
            },
        );
        Sketches { width: self.width, values, half_norms }
    }

    /// The state of the sketcher.
    pub(super) fn state(&self) -> State<'_> {
        State::new("sketcher")
            .with_setting("width", self.width)
            .with_values("mean", &self.mean)
            .with_values("scale", vec![self.scale])
            .with_values("axes", self.axes.groups.as_flattened())
    }

    /// The sketcher of a state, for rows with this number of columns.
    pub(super) fn from_state(mut state: State<'_>, columns: usize) -> Result<Self> {
        let width: usize = state.setting("width")?;
        if !(GROUP..=MAX_WIDTH).contains(&width) || !width.is_multiple_of(GROUP) {
            return Err(state.wrong("the width of sketches is out of range"));
        }
        let scale = state.take_exactly::<f32>("scale", 1)?.first().copied().unwrap_or_default();
        let mean = state.take_exactly::<f32>("mean", columns)?;
        let axes = state.take_exactly::<f32>("axes", columns.saturating_mul(width))?;
        Ok(Sketcher { mean, axes: Axes { groups: axes.as_chunks().0.to_vec(), columns }, width, scale })
    }

    /// Half the squared norm in units.
    fn half_norm(&self, row: &[f32]) -> i32 {
        let scale = f64::from(self.scale);
        let squared: f64 = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        (0.5 * squared * scale * scale).min(LARGEST_HALF_NORM).round() as i32
    }
}

/// Groups of rows after which progress is reported.
const ROOMS: usize = 64;

/// Rows, and axes, that are projected together.
const TOGETHER: usize = 4;
const AXES: usize = 16;

/// Axes in groups: for each group, the coordinates of each column along its axes.
#[derive(Debug, Clone)]
struct Axes {
    groups: Vec<[f32; AXES]>,
    columns: usize,
}

impl Axes {
    /// Creates the axes from a matrix with `count` axes as columns, row-major.
    fn new(matrix: &[f32], count: usize) -> Self {
        let mut groups = Vec::with_capacity(matrix.len() / AXES);
        for group in 0..count / AXES {
            groups.extend(matrix.chunks_exact(count).filter_map(|row| row[group * AXES..].first_chunk().copied()));
        }
        Axes { groups, columns: matrix.len() / count }
    }

    /// The first `count` axes.
    fn first(&self, count: usize) -> Self {
        let groups = self.groups.iter().take(count / AXES * self.columns).copied().collect();
        Axes { groups, columns: self.columns }
    }

    /// The coordinates of [`TOGETHER`] rows along all axes.
    fn project(&self, rows: &[f32], out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if crate::linalg::processor::has_avx2() {
            // SAFETY: the CPU supports AVX2.
            unsafe { self.project_avx2(rows, out) };
            return;
        }
        self.project_here(rows, out);
    }

    /// The same operations in the same order in wider registers; nothing is fused, so the results are bit-identical.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn project_avx2(&self, rows: &[f32], out: &mut [f32]) {
        self.project_here(rows, out);
    }

    #[inline(always)]
    fn project_here(&self, rows: &[f32], out: &mut [f32]) {
        let stride = out.len() / TOGETHER;
        let (a, rest) = rows.split_at(self.columns);
        let (b, rest) = rest.split_at(self.columns);
        let (c, d) = rest.split_at(self.columns);
        for (number, group) in self.groups.chunks_exact(self.columns).enumerate() {
            let mut sums = [[0.0_f32; AXES]; TOGETHER];
            for ((((axes, &a), &b), &c), &d) in group.iter().zip(a).zip(b).zip(c).zip(d) {
                for (sums, value) in sums.iter_mut().zip([a, b, c, d]) {
                    for (sum, axis) in sums.iter_mut().zip(axes) {
                        *sum += value * axis;
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                out[row * stride + number * AXES..][..AXES].copy_from_slice(sums);
            }
        }
    }
}

impl Sketches {
    pub(super) fn rows(&self) -> usize {
        self.half_norms.len()
    }

    /// The state of the sketches.
    pub(super) fn state(&self) -> State<'_> {
        State::new("sketches").with_values("values", &self.values).with_values("half_norms", &self.half_norms)
    }

    /// The sketches of a state: this number of rows of this width.
    pub(super) fn from_state(mut state: State<'_>, rows: usize, width: usize) -> Result<Self> {
        let values = state.take_exactly::<i8>("values", rows.saturating_mul(width))?;
        let half_norms = state.take_exactly::<i32>("half_norms", rows)?;
        let is_in_range = |&norm: &i32| norm >= 0 && f64::from(norm) <= LARGEST_HALF_NORM;
        match half_norms.iter().all(is_in_range) && !values.contains(&i8::MIN) {
            true => Ok(Sketches { width, values, half_norms }),
            false => Err(state.out_of_range("half_norms")),
        }
    }

    /// The rows `order` in that order, restricted to their first `width` coordinates.
    pub(super) fn in_order(&self, order: &[u32], width: usize) -> Sketches {
        let mut values = vec![0_i8; order.len() * width];
        let rooms = values.par_chunks_exact_mut(width).zip(order);
        rooms.for_each(|(to, &row)| to.copy_from_slice(&self.row(row as usize)[..width]));
        Sketches { width, values, half_norms: order.iter().map(|&row| self.half_norms[row as usize]).collect() }
    }

    pub(super) fn row(&self, row: usize) -> &[i8] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// The proximity of `query` to row `row`: larger is nearer.
    #[inline]
    pub(super) fn score(&self, query: &[i8], row: usize) -> i32 {
        dot(query, self.row(row)) - self.half_norms[row]
    }
}

/// The inner product of two sketches of the same width.
#[inline]
pub(super) fn dot(a: &[i8], b: &[i8]) -> i32 {
    #[cfg(target_arch = "x86_64")]
    if crate::linalg::processor::has_avx2() {
        // SAFETY: the CPU supports AVX2.
        return unsafe { dot_avx2(a, b) };
    }
    dot_here(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dot_avx2(a: &[i8], b: &[i8]) -> i32 {
    dot_here(a, b)
}

#[inline(always)]
fn dot_here(a: &[i8], b: &[i8]) -> i32 {
    let (a, _) = a.as_chunks::<GROUP>();
    let (b, _) = b.as_chunks::<GROUP>();
    let mut sum = 0;
    for (a, b) in a.iter().zip(b) {
        sum += a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum::<i32>();
    }
    sum
}
