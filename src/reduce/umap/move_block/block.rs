//! A block of points in one epoch.

use crate::reduce::umap::forces::Forces;
use crate::reduce::umap::schedule::Schedule;
use crate::reduce::umap::turns::Randomness;
use crate::reduce::umap::wide::Point;

/// The number of rounds ahead for which points are prefetched.
pub(super) const AHEAD: usize = 2;

/// The number of others in a turn with the usual five repelling points: the lanes beyond can be skipped.
#[cfg(target_arch = "x86_64")]
pub(super) const USUAL: usize = 6;

/// A block in one epoch.
#[derive(Debug)]
pub(in crate::reduce::umap) struct Block<'a, const R: usize> {
    /// Its points as they move; the first of them is point `first` of all points.
    pub(in crate::reduce::umap) own: &'a mut [Point<R>],
    pub(in crate::reduce::umap) first: usize,
    /// All points as they were at the start of the epoch.
    pub(in crate::reduce::umap) before: &'a [Point<R>],
    pub(in crate::reduce::umap) schedule: &'a Schedule,
    pub(in crate::reduce::umap) forces: &'a Forces,
    pub(in crate::reduce::umap) random: Randomness<'a>,
}

/// Prefetches point `other`, which will be read soon.
#[inline(always)]
pub(super) fn fetch<const R: usize>(points: &[Point<R>], other: u32) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch hint, which is valid for any address; every x86-64 CPU supports the instruction.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(points.as_ptr().wrapping_add(other as usize).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (points, other);
}
