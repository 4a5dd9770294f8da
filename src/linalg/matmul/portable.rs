//! Portable micro-kernel in plain Rust.

#![allow(clippy::needless_range_loop, reason = "the accumulators stay in registers only with indexed loops")]

pub(super) const ROWS: usize = 4;
pub(super) const COLUMNS: usize = 16;

/// # Safety
/// `left` and `right` contain `depth` times [`ROWS`] and [`COLUMNS`] values; `tile` has [`ROWS`] rows and [`COLUMNS`]
/// columns, with rows `stride` apart.
pub(super) unsafe fn product(depth: usize, left: *const f32, right: *const f32, tile: *mut f32, stride: usize) {
    let mut sums = [[0.0_f32; COLUMNS]; ROWS];
    for k in 0..depth {
        // SAFETY: k < depth.
        let (left, right) = unsafe {
            (
                std::slice::from_raw_parts(left.add(k * ROWS), ROWS),
                std::slice::from_raw_parts(right.add(k * COLUMNS), COLUMNS),
            )
        };
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                sums[row][column] += left[row] * right[column];
            }
        }
    }
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            // SAFETY: the tile contains the row and the column.
            unsafe { *tile.add(row * stride + column) += sums[row][column] };
        }
    }
}
