//! Powers of positive numbers, one vector at a time, with bit-identical results on every machine.
//!
//! Uses only additions, multiplications, divisions and bit operations in a fixed order, never fused: the results of the
//! platform's own `powf` differ between C libraries, and it does not vectorize.

/// `x` to the power `exponent` for each lane; `x` is positive and normal. For `x` from 1e-12 to 1e8 and exponents from
/// -1 to 1 (wider than needed for a layout at the usual spread), the relative error is below 3e-6, and below 2e-6 if
/// the result is within 2^-20 to 2^20 (measured: 2.8e-6 and 1.6e-6).
#[inline(always)]
pub(super) fn powers<const N: usize>(x: [f32; N], exponent: f32) -> [f32; N] {
    let mut result = [0.0; N];
    for lane in 0..N {
        result[lane] = exp2(exponent * log2(x[lane]));
    }
    result
}

/// log2(x) = e + 2/ln 2 · artanh((m - 1) / (m + 1)) for x = m · 2^e, m from √½ to √2.
#[inline(always)]
fn log2(x: f32) -> f32 {
    const SQRT_HALF_BITS: u32 = 0x3f35_04f3;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF_BITS);
    let exponent = (shifted as i32) >> 23;
    let mantissa = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(SQRT_HALF_BITS));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let s2 = s * s;
    // 2/ln 2 divided by 1, 3, 5, 7.
    let series = (2.885_39 + s2 * 0.961_796_7) + s2 * s2 * (0.577_078 + s2 * 0.412_198_6);
    exponent as f32 + s * series
}

/// 2^t by a polynomial around the nearest integer: (2^f - 1) / f interpolated at the five Chebyshev points of ±½.
#[inline(always)]
fn exp2(t: f32) -> f32 {
    // Adding 1.5 · 2^23 rounds to an integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let t = limited(t, 126.0);
    let rounded = t + ROUND;
    let f = t - (rounded - ROUND);
    let f2 = f * f;
    let low = 1.0 + f * std::f32::consts::LN_2;
    let middle = 0.240_223_5 + f * 5.550_381e-2;
    let high = 9.666_37e-3 + f * 1.338_13e-3;
    // Computed in pairs, since the latency of a chain of additions dominates.
    let series = low + f2 * (middle + f2 * high);
    let power = rounded.to_bits().wrapping_add(127) << 23;
    f32::from_bits(power) * series
}

/// `x` clamped to -`bound` to `bound` in two vector instructions (`clamp` also handles NaN).
#[inline(always)]
pub(super) fn limited(x: f32, bound: f32) -> f32 {
    let x = if x < bound { x } else { bound };
    if x > -bound { x } else { -bound }
}

/// The same operations in the same order, in registers.
#[cfg(target_arch = "x86_64")]
pub(super) mod avx2 {
    #![allow(clippy::needless_range_loop, reason = "registers in arrays, processed step by step")]

    use std::arch::x86_64::*;

    /// Like [`super::powers`], for several registers. Each step is performed for all registers before the next step,
    /// since a step depends on the one before it.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(in super::super) fn powers<const N: usize>(x: [__m256; N], exponent: __m256) -> [__m256; N] {
        let mut t = log2(x);
        for i in 0..N {
            t[i] = _mm256_mul_ps(exponent, t[i]);
        }
        exp2(t)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn log2<const N: usize>(x: [__m256; N]) -> [__m256; N] {
        let number = |value: f32| _mm256_set1_ps(value);
        let sqrt_half = _mm256_set1_epi32(0x3f35_04f3);
        let (mut exponent, mut s, mut s2, mut series) = (x, x, x, x);
        for i in 0..N {
            let shifted = _mm256_sub_epi32(_mm256_castps_si256(x[i]), sqrt_half);
            exponent[i] = _mm256_cvtepi32_ps(_mm256_srai_epi32::<23>(shifted));
            let fraction = _mm256_and_si256(shifted, _mm256_set1_epi32(0x007f_ffff));
            let mantissa = _mm256_castsi256_ps(_mm256_add_epi32(fraction, sqrt_half));
            s[i] = _mm256_div_ps(_mm256_sub_ps(mantissa, number(1.0)), _mm256_add_ps(mantissa, number(1.0)));
        }
        for i in 0..N {
            s2[i] = _mm256_mul_ps(s[i], s[i]);
        }
        for i in 0..N {
            let low = _mm256_add_ps(number(2.885_39), _mm256_mul_ps(s2[i], number(0.961_796_7)));
            let high = _mm256_add_ps(number(0.577_078), _mm256_mul_ps(s2[i], number(0.412_198_6)));
            series[i] = _mm256_add_ps(low, _mm256_mul_ps(_mm256_mul_ps(s2[i], s2[i]), high));
        }
        for i in 0..N {
            series[i] = _mm256_add_ps(exponent[i], _mm256_mul_ps(s[i], series[i]));
        }
        series
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn exp2<const N: usize>(t: [__m256; N]) -> [__m256; N] {
        let number = |value: f32| _mm256_set1_ps(value);
        let round = number(12_582_912.0);
        let (mut rounded, mut f, mut series) = (t, t, t);
        for i in 0..N {
            let t = _mm256_max_ps(_mm256_min_ps(t[i], number(126.0)), number(-126.0));
            rounded[i] = _mm256_add_ps(t, round);
            f[i] = _mm256_sub_ps(t, _mm256_sub_ps(rounded[i], round));
        }
        for i in 0..N {
            let f2 = _mm256_mul_ps(f[i], f[i]);
            let low = _mm256_add_ps(number(1.0), _mm256_mul_ps(f[i], number(std::f32::consts::LN_2)));
            let middle = _mm256_add_ps(number(0.240_223_5), _mm256_mul_ps(f[i], number(5.550_381e-2)));
            let high = _mm256_add_ps(number(9.666_37e-3), _mm256_mul_ps(f[i], number(1.338_13e-3)));
            let rest = _mm256_add_ps(middle, _mm256_mul_ps(f2, high));
            series[i] = _mm256_add_ps(low, _mm256_mul_ps(f2, rest));
        }
        for i in 0..N {
            let bits = _mm256_add_epi32(_mm256_castps_si256(rounded[i]), _mm256_set1_epi32(127));
            series[i] = _mm256_mul_ps(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(bits)), series[i]);
        }
        series
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 8;

    /// The largest relative error over the documented range, among results within 2^-`log2` to 2^`log2`.
    fn worst_error(log2: f64) -> f64 {
        let (first, last) = (1e-12_f32.to_bits(), 1e8_f32.to_bits());
        let mut worst = 0.0_f64;
        for exponent in (-20..=20).map(|twentieth| twentieth as f32 / 20.0) {
            // The step is prime so that all kinds of mantissas are tested.
            for bits in (first..=last).step_by(7_919) {
                let x = f32::from_bits(bits);
                let expected = f64::from(x).powf(f64::from(exponent));
                if expected.log2().abs() <= log2 {
                    let got = f64::from(powers([x; N], exponent)[N - 1]);
                    worst = worst.max((got / expected - 1.0).abs());
                }
            }
        }
        worst
    }

    #[test]
    fn powers_are_right_to_three_in_a_million_or_two_if_moderate() {
        assert!(worst_error(f64::INFINITY) < 3e-6);
        assert!(worst_error(20.0) < 2e-6);
    }

    #[test]
    fn whole_powers_of_one_are_one() {
        assert_eq!(powers([1.0; N], -0.209), [1.0; N]);
    }
}
