//! Single-precision matrix products with weights that are packed once.
//!
//! A model multiplies by the same weights repeatedly, so they are packed once in the order in which the innermost loop
//! reads them: panels of as many columns as fit in two registers, within blocks of depth that fit in the caches (Goto &
//! van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008). Each element of a result is summed in
//! order of depth regardless of the other rows, so a row's result does not depend on its batch.

use std::sync::OnceLock;

use rayon::prelude::*;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

/// Tiles of rows of the left matrix that are packed and multiplied together.
const TILES_OF_ROWS: usize = 8;

/// The maximum depth of a block: a panel of it fits in the L2 cache alongside a block of rows.
const BLOCK_DEPTH: usize = 512;

/// With at most this many rows, threads split the columns, since there are too few rows to split.
const FEW_ROWS: usize = 64;

/// The minimum number of multiplications for which multithreading pays off.
const WORTH_SHARING: usize = 1 << 20;

/// Adds the product of `depth` x `rows` and `depth` x `columns` values to a tile with rows `stride` apart.
type TileProduct = unsafe fn(depth: usize, left: *const f32, right: *const f32, tile: *mut f32, stride: usize);

/// The fastest micro-kernel for this CPU and the shape of its tile.
#[derive(Clone, Copy)]
pub(crate) struct Kernel {
    rows: usize,
    columns: usize,
    product: TileProduct,
}

/// Sixteen values, aligned for a register load.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([f32; 16]);

/// Values aligned to 64 bytes.
#[derive(Clone, Default)]
pub(crate) struct Aligned {
    lines: Vec<Line>,
}

impl Aligned {
    /// Makes room for `len` values; new ones are zero.
    pub(crate) fn resize(&mut self, len: usize) {
        self.lines.resize(len.div_ceil(16), Line([0.0; 16]));
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: a `Line` is sixteen `f32` without padding.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * 16) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as above, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * 16) }
    }
}

impl Kernel {
    /// The kernel for this CPU.
    pub(crate) fn get() -> Self {
        static KERNEL: OnceLock<Kernel> = OnceLock::new();
        *KERNEL.get_or_init(|| {
            #[cfg(target_arch = "x86_64")]
            {
                use crate::linalg::processor::{has_avx2_fma, has_avx512};
                if has_avx512() {
                    return Kernel { rows: avx512::ROWS, columns: avx512::COLUMNS, product: avx512::product };
                }
                if has_avx2_fma() {
                    return Kernel { rows: avx2::ROWS, columns: avx2::COLUMNS, product: avx2::product };
                }
            }
            Kernel { rows: portable::ROWS, columns: portable::COLUMNS, product: portable::product }
        })
    }

    /// Rows of a tile.
    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    /// Columns of a tile.
    pub(crate) fn columns(self) -> usize {
        self.columns
    }

    /// Packs `rows` rows of `depth` values, `stride` apart, into tiles of rows: for each tile, the first value of each
    /// row, then the second, and so on. Rows missing from the last tile are zeros.
    pub(crate) fn pack_rows(self, from: &[f32], stride: usize, rows: usize, depth: usize, to: &mut [f32]) {
        for (tile, to) in to.chunks_exact_mut(depth * self.rows).take(rows.div_ceil(self.rows)).enumerate() {
            for lane in 0..self.rows {
                let row = tile * self.rows + lane;
                let lanes = to.iter_mut().skip(lane).step_by(self.rows);
                match from.get(row * stride..row * stride + depth).filter(|_| row < rows) {
                    Some(from) => lanes.zip(from).for_each(|(to, from)| *to = *from),
                    None => lanes.for_each(|to| *to = 0.0),
                }
            }
        }
    }

    /// Packs `depth` rows of `columns` values, `stride` apart, into panels of columns. Columns missing from the last
    /// panel are zeros.
    pub(crate) fn pack_columns(self, from: &[f32], stride: usize, depth: usize, columns: usize, to: &mut [f32]) {
        for (panel, to) in to.chunks_exact_mut(depth * self.columns).take(columns.div_ceil(self.columns)).enumerate() {
            let first = panel * self.columns;
            let width = self.columns.min(columns - first);
            for (row, to) in to.chunks_exact_mut(self.columns).enumerate() {
                let start = row * stride + first;
                if let Some(from) = from.get(start..start + width) {
                    let (there, lacking) = to.split_at_mut(width);
                    there.copy_from_slice(from);
                    lacking.fill(0.0);
                }
            }
        }
    }

    /// Adds the product of one tile of packed rows and one packed panel to `out`, `rows` x `columns` values with rows
    /// `stride` apart. `spare` has room for a whole tile.
    #[allow(clippy::too_many_arguments, reason = "the innermost product")]
    #[inline]
    pub(crate) fn add_product(
        self,
        depth: usize,
        left: &[f32],
        right: &[f32],
        out: &mut [f32],
        stride: usize,
        (rows, columns): (usize, usize),
        spare: &mut [f32],
    ) {
        let fits = left.len() >= depth * self.rows && right.len() >= depth * self.columns;
        if !fits || spare.len() < self.rows * self.columns || rows == 0 {
            return;
        }
        if rows == self.rows && columns == self.columns && out.len() >= (rows - 1) * stride + columns {
            // SAFETY: the lengths were checked, and `get` chose a kernel that the CPU supports.
            unsafe { (self.product)(depth, left.as_ptr(), right.as_ptr(), out.as_mut_ptr(), stride) };
            return;
        }
        spare[..self.rows * self.columns].fill(0.0);
        // SAFETY: as above; `spare` has room for a whole tile.
        unsafe { (self.product)(depth, left.as_ptr(), right.as_ptr(), spare.as_mut_ptr(), self.columns) };
        for (to, from) in out.chunks_mut(stride).take(rows).zip(spare.chunks_exact(self.columns)) {
            to.iter_mut().zip(from).take(columns).for_each(|(to, from)| *to += from);
        }
    }
}

/// Packed weights of `inputs` x `outputs`.
pub(crate) struct PackedMatrix {
    panels: Aligned,
    inputs: usize,
    outputs: usize,
    kernel: Kernel,
}

impl PackedMatrix {
    /// Packs weights stored as `outputs` rows of `inputs` values, as in most layers. `None` if the length does not
    /// match.
    pub(crate) fn from_rows(weights: &[f32], outputs: usize, inputs: usize) -> Option<Self> {
        Self::pack(weights, outputs, inputs, |input, output| output * inputs + input)
    }

    /// Packs weights stored as `inputs` rows of `outputs` values, as in GPT-2. `None` if the length does not match.
    pub(crate) fn from_columns(weights: &[f32], inputs: usize, outputs: usize) -> Option<Self> {
        Self::pack(weights, outputs, inputs, |input, output| input * outputs + output)
    }

    fn pack(weights: &[f32], outputs: usize, inputs: usize, at: impl Fn(usize, usize) -> usize) -> Option<Self> {
        if weights.len() != outputs.checked_mul(inputs)? || weights.is_empty() {
            return None;
        }
        let kernel = Kernel::get();
        let mut panels = Aligned::default();
        panels.resize(outputs.div_ceil(kernel.columns) * kernel.columns * inputs);
        let mut matrix = PackedMatrix { panels: Aligned::default(), inputs, outputs, kernel };
        for (start, depth) in matrix.blocks() {
            for panel in 0..matrix.panel_count() {
                let to = panels.as_mut_slice().get_mut(matrix.panel(start, depth, panel))?;
                for (row, to) in to.chunks_exact_mut(kernel.columns).enumerate() {
                    for (to, output) in to.iter_mut().zip(panel * kernel.columns..outputs) {
                        *to = weights[at(start + row, output)];
                    }
                }
            }
        }
        matrix.panels = panels;
        Some(matrix)
    }

    /// The number of input features.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of output features.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// The weights of one output, unpacked.
    pub(crate) fn weights_of(&self, output: usize, to: &mut [f32]) {
        let (panel, lane) = (output / self.kernel.columns, output % self.kernel.columns);
        for (start, depth) in self.blocks() {
            let Some(from) = self.panels.as_slice().get(self.panel(start, depth, panel)) else { return };
            let lanes = from.iter().skip(lane).step_by(self.kernel.columns);
            to.iter_mut().skip(start).zip(lanes).for_each(|(to, from)| *to = *from);
        }
    }

    fn panel_count(&self) -> usize {
        self.outputs.div_ceil(self.kernel.columns)
    }

    /// The starts and depths of blocks of roughly equal size.
    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let count = self.inputs.div_ceil(BLOCK_DEPTH).max(1);
        let (inputs, size) = (self.inputs, self.inputs.div_ceil(count));
        (0..count).map(move |block| (block * size, size.min(inputs.saturating_sub(block * size))))
    }

    fn panel(&self, start: usize, depth: usize, panel: usize) -> std::ops::Range<usize> {
        let first = start * self.panel_count() * self.kernel.columns + panel * depth * self.kernel.columns;
        first..first + depth * self.kernel.columns
    }

    /// Adds the product of `left`, rows of `inputs` values, to `out`, an equal number of rows of `outputs` values, and
    /// calls `finish` on groups of complete rows of the result. Runs on several threads if there is enough work.
    pub(crate) fn add_product(&self, left: &[f32], out: &mut [f32], finish: &(dyn Fn(&mut [f32]) + Sync)) {
        let rows = left.len() / self.inputs;
        let block = TILES_OF_ROWS * self.kernel.rows;
        let threads = match rows * self.inputs * self.outputs >= WORTH_SHARING {
            true => rayon::current_num_threads(),
            false => 1,
        };
        let finished = |left: &[f32], out: &mut [f32]| {
            self.add_rows(left, 0..self.panel_count(), out, self.outputs);
            finish(out);
        };
        if threads > 1 && rows <= FEW_ROWS {
            self.add_columns(left, rows, out, threads);
            finish(out);
        } else if threads > 1 {
            let parts = out.par_chunks_mut(block * self.outputs).zip(left.par_chunks(block * self.inputs));
            parts.for_each(|(out, left)| finished(left, out));
        } else {
            let parts = out.chunks_mut(block * self.outputs).zip(left.chunks(block * self.inputs));
            parts.for_each(|(out, left)| finished(left, out));
        }
    }

    /// Splits the columns among threads.
    fn add_columns(&self, left: &[f32], rows: usize, out: &mut [f32], threads: usize) {
        let share = self.panel_count().div_ceil(threads * 2).max(1);
        let shares: Vec<std::ops::Range<usize>> = (0..self.panel_count())
            .step_by(share)
            .map(|first| first..(first + share).min(self.panel_count()))
            .collect();
        let product = |panels: &std::ops::Range<usize>| {
            let columns = panels.start * self.kernel.columns..(panels.end * self.kernel.columns).min(self.outputs);
            let mut part = vec![0.0; rows * columns.len()];
            self.add_rows(left, panels.clone(), &mut part, columns.len());
            (columns, part)
        };
        let parts: Vec<_> = shares.par_iter().map(product).collect();
        for (columns, part) in parts {
            for (to, from) in out.chunks_mut(self.outputs).zip(part.chunks_exact(columns.len())) {
                if let Some(to) = to.get_mut(columns.clone()) {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                }
            }
        }
    }

    /// Adds the products with some panels to rows of `stride` values, one block of depth after another.
    fn add_rows(&self, left: &[f32], panels: std::ops::Range<usize>, out: &mut [f32], stride: usize) {
        let Kernel { rows: tile, columns: width, .. } = self.kernel;
        let rows = left.len() / self.inputs;
        let mut packed = Aligned::default();
        let mut spare = Aligned::default();
        spare.resize(tile * width);
        for (start, depth) in self.blocks() {
            packed.resize(rows.div_ceil(tile) * tile * depth);
            self.kernel.pack_rows(
                left.get(start..).unwrap_or_default(),
                self.inputs,
                rows,
                depth,
                packed.as_mut_slice(),
            );
            for panel in panels.clone() {
                let Some(right) = self.panels.as_slice().get(self.panel(start, depth, panel)) else { return };
                let first = (panel - panels.start) * width;
                let columns = width.min(self.outputs - panel * width);
                let tiles = packed.as_slice().chunks_exact(tile * depth).zip(out.chunks_mut(tile * stride));
                for (i, (left, out)) in tiles.enumerate() {
                    let shape = (tile.min(rows - i * tile), columns);
                    let out = out.get_mut(first..).unwrap_or_default();
                    self.kernel.add_product(depth, left, right, out, stride, shape, spare.as_mut_slice());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: u64) -> Vec<f32> {
        (0..n as u64).map(|i| (((i * 2_654_435_761 + seed * 97) >> 7) % 1000) as f32 / 500.0 - 1.0).collect()
    }

    fn exact(left: &[f32], weights: &[f32], inputs: usize, outputs: usize) -> Vec<f64> {
        let rows = left.chunks(inputs);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        rows.flat_map(|row| weights.chunks(inputs).take(outputs).map(move |w| dot(row, w))).collect()
    }

    #[test]
    fn products_of_every_shape_are_right() {
        for (rows, inputs, outputs) in
            [(1, 1, 1), (3, 7, 5), (14, 32, 32), (15, 33, 70), (200, 130, 64), (29, 1100, 45)]
        {
            let (left, weights) = (numbers(rows * inputs, 1), numbers(inputs * outputs, 2));
            let packed = PackedMatrix::from_rows(&weights, outputs, inputs).unwrap();
            let mut out = vec![1.0; rows * outputs];
            packed.add_product(&left, &mut out, &|part| part.iter_mut().for_each(|x| *x -= 1.0));
            let exact = exact(&left, &weights, inputs, outputs);
            for (i, (x, exact)) in out.iter().zip(&exact).enumerate() {
                assert!((f64::from(*x) - exact).abs() < 1e-3, "{rows} x {inputs} x {outputs}, {i}: {x} and {exact}");
            }
            let mut kept = vec![0.0; inputs];
            packed.weights_of(outputs - 1, &mut kept);
            assert_eq!(kept, weights[(outputs - 1) * inputs..]);
        }
    }

    #[test]
    fn a_row_does_not_depend_on_the_rows_around_it() {
        let (left, weights) = (numbers(300 * 96, 3), numbers(96 * 200, 4));
        let packed = PackedMatrix::from_rows(&weights, 200, 96).unwrap();
        let mut all = vec![0.0; 300 * 200];
        packed.add_product(&left, &mut all, &|_| {});
        for row in [0, 13, 14, 299] {
            let mut one = vec![0.0; 200];
            packed.add_product(&left[row * 96..(row + 1) * 96], &mut one, &|_| {});
            assert_eq!(one, all[row * 200..(row + 1) * 200]);
        }
    }

    #[test]
    fn weights_kept_by_columns_are_the_same_weights() {
        let weights = numbers(6 * 4, 5);
        let columns: Vec<f32> = (0..6)
            .flat_map(|input| (0..4).map(move |output| (input, output)))
            .map(|(i, o)| weights[o * 6 + i])
            .collect();
        let (a, b) =
            (PackedMatrix::from_rows(&weights, 4, 6).unwrap(), PackedMatrix::from_columns(&columns, 6, 4).unwrap());
        assert_eq!(a.panels.as_slice(), b.panels.as_slice());
        assert!(PackedMatrix::from_rows(&weights, 4, 7).is_none());
    }
}
