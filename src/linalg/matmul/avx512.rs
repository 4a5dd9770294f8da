//! The tile in AVX-512: 14 rows of two registers, 28 sums that never leave them.

#![allow(clippy::needless_range_loop, reason = "registers in arrays, which stay registers only so")]

use std::arch::x86_64::{
    _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

pub(super) const ROWS: usize = 14;
pub(super) const COLUMNS: usize = 32;

/// # Safety
/// The processor has AVX-512F; `left` and `right` hold `depth` times [`ROWS`] and [`COLUMNS`] numbers, `tile` as many
/// rows and columns, `stride` apart.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn product(depth: usize, left: *const f32, right: *const f32, tile: *mut f32, stride: usize) {
    let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
    for k in 0..depth {
        // SAFETY: k is below the depth.
        let (first, second, left) = unsafe {
            let right = right.add(k * COLUMNS);
            (_mm512_loadu_ps(right), _mm512_loadu_ps(right.add(16)), left.add(k * ROWS))
        };
        for row in 0..ROWS {
            // SAFETY: row is below the rows.
            let number = _mm512_set1_ps(unsafe { *left.add(row) });
            sums[row][0] = _mm512_fmadd_ps(number, first, sums[row][0]);
            sums[row][1] = _mm512_fmadd_ps(number, second, sums[row][1]);
        }
    }
    for row in 0..ROWS {
        for half in 0..2 {
            // SAFETY: the tile has the row, and both halves of it.
            unsafe {
                let to = tile.add(row * stride + half * 16);
                _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), sums[row][half]));
            }
        }
    }
}
