//! Mixing bits, for random numbers that depend on a seed and a counter only, not on the order of execution.

/// Mixes 64 bits so that every input bit flips about half the output bits (Stafford's variant 13).
#[inline]
pub(crate) fn mix64(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// 64 random bits, or another seed: the `counter`-th of `seed` (SplitMix64).
pub(crate) fn mix(seed: u64, counter: u64) -> u64 {
    mix64(seed ^ counter.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
