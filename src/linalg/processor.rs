//! Which wide instructions may be used. Found out while running: one build serves every processor.
//!
//! Every wide path has a portable twin with the same operations in the same order, so the results are the same to the
//! last bit. With the environment variable `TOPICFRAME_PORTABLE` set to anything but `0`, only the twins are used: a
//! test compares the two.

use std::sync::OnceLock;

/// Whether only portable code may be used.
fn portable_only() -> bool {
    static PORTABLE: OnceLock<bool> = OnceLock::new();
    *PORTABLE.get_or_init(|| std::env::var_os("TOPICFRAME_PORTABLE").is_some_and(|value| value != "0"))
}

/// AVX2, and POPCNT, which every processor with it has.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("popcnt") && !portable_only()
}

/// AVX-512 with products of bytes.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512_vnni() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512vnni")
        && !portable_only()
}
