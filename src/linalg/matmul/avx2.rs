//! AVX2 micro-kernel: six rows of two registers, with twelve accumulators that stay in registers.

#![allow(clippy::needless_range_loop, reason = "the arrays stay in registers only with indexed loops")]

use std::arch::x86_64::{
    _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
};

pub(super) const ROWS: usize = 6;
pub(super) const COLUMNS: usize = 16;

/// # Safety
/// The CPU supports AVX2 and FMA; `left` and `right` contain `depth` times [`ROWS`] and [`COLUMNS`] values; `tile` has
/// [`ROWS`] rows and [`COLUMNS`] columns, with rows `stride` apart.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn product(depth: usize, left: *const f32, right: *const f32, tile: *mut f32, stride: usize) {
    let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
    for k in 0..depth {
        // SAFETY: k < depth.
        let (first, second, left) = unsafe {
            let right = right.add(k * COLUMNS);
            (_mm256_loadu_ps(right), _mm256_loadu_ps(right.add(8)), left.add(k * ROWS))
        };
        for row in 0..ROWS {
            // SAFETY: row < ROWS.
            let number = _mm256_set1_ps(unsafe { *left.add(row) });
            sums[row][0] = _mm256_fmadd_ps(number, first, sums[row][0]);
            sums[row][1] = _mm256_fmadd_ps(number, second, sums[row][1]);
        }
    }
    for row in 0..ROWS {
        for half in 0..2 {
            // SAFETY: the tile contains both halves of the row.
            unsafe {
                let to = tile.add(row * stride + half * 8);
                _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), sums[row][half]));
            }
        }
    }
}
