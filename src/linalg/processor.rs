//! Which SIMD instructions may be used, detected at run time: one build runs on every CPU.
//!
//! Every SIMD path has a portable twin with the same operations in the same order, so the results are bit-identical.
//! The exception is the matrix products within models, which use fused multiply-add where the CPU supports it and agree
//! to single precision. If the environment variable `TOPICFRAME_PORTABLE` is set to anything but `0`, only the portable
//! twins are used; a test compares the two.

use std::sync::OnceLock;

/// Whether only portable code may be used.
fn portable_only() -> bool {
    static PORTABLE: OnceLock<bool> = OnceLock::new();
    *PORTABLE.get_or_init(|| std::env::var_os("TOPICFRAME_PORTABLE").is_some_and(|value| value != "0"))
}

/// AVX2 and POPCNT; every CPU with AVX2 also has POPCNT.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("popcnt") && !portable_only()
}

/// AVX2 with fused multiply-add.
#[cfg(target_arch = "x86_64")]
#[inline]
#[cfg(feature = "models")]
pub(crate) fn has_avx2_fma() -> bool {
    has_avx2() && std::arch::is_x86_feature_detected!("fma")
}

/// AVX-512 as found in servers and desktops since 2017, with AVX2 and fused multiply-add.
#[cfg(target_arch = "x86_64")]
#[inline]
#[cfg(feature = "models")]
pub(crate) fn has_avx512() -> bool {
    has_avx2_fma()
        && std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512vl")
}

/// AVX-512 with byte dot products (VNNI).
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512_vnni() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512vnni")
        && !portable_only()
}
