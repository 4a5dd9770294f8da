//! Which wide instructions may be used. Found out while running: one build serves every processor.
//!
//! Every wide path has a portable twin with the same operations in the same order, so the results are the same to the
//! last bit; but for the products of matrices that models are made of, which are fused where the processor can, and
//! agree to single precision. With the environment variable `TOPICFRAME_PORTABLE` set to anything but `0`, only the twins are used: a
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

/// AVX2 with fused multiply-add.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2_fma() -> bool {
    has_avx2() && std::arch::is_x86_feature_detected!("fma")
}

/// AVX-512 as servers and desktops have had it since 2017, with AVX2 and fused multiply-add.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512() -> bool {
    has_avx2_fma()
        && std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512vl")
}

/// AVX-512 with products of bytes.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512_vnni() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512vnni")
        && !portable_only()
}
