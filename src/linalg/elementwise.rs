//! Elementwise operations used by models, in loops that compilers can vectorize.

/// Compiles a function for wider SIMD instruction sets as well and dispatches to the best version at run time.
macro_rules! wide {
    ($(#[$doc:meta])* $name:ident = $body:ident($($argument:ident: $type:ty),*)) => {
        $(#[$doc])*
        pub(crate) fn $name($($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                use crate::linalg::processor::{has_avx2_fma, has_avx512};
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512($($argument: $type),*) {
                    $body($($argument),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($argument: $type),*) {
                    $body($($argument),*);
                }
                if has_avx512() {
                    // SAFETY: the CPU supports the features that the function was compiled for.
                    return unsafe { avx512($($argument),*) };
                }
                if has_avx2_fma() {
                    // SAFETY: as above.
                    return unsafe { avx2($($argument),*) };
                }
            }
            $body($($argument),*);
        }
    };
}

/// Values processed together.
const LANES: usize = 16;

wide!(/// GELU, x Φ(x), using the error function.
    gelu = gelu_here(numbers: &mut [f32]));
wide!(/// Tanh approximation of GELU (`gelu_new`, `gelu_pytorch_tanh`).
    gelu_tanh = gelu_tanh_here(numbers: &mut [f32]));
wide!(/// x σ(1.702 x).
    quick_gelu = quick_gelu_here(numbers: &mut [f32]));
wide!(/// x σ(x).
    silu = silu_here(numbers: &mut [f32]));
wide!(/// The hyperbolic tangent.
    tanh = tanh_here(numbers: &mut [f32]));
wide!(/// Layer normalization: scales each row to mean 0 and variance 1, then applies `weight` and `bias`.
    layer_norm = layer_norm_here(numbers: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32));
wide!(/// Softmax: exponentials normalized to sum to 1.
    softmax = softmax_here(numbers: &mut [f32]));
wide!(/// Elementwise addition.
    add = add_here(to: &mut [f32], from: &[f32]));

/// e to the power of `x`, in single precision; arguments below -87 yield about 1e-38 (Cephes' expf).
#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let p = ((((1.987_569_2e-4 * r + 1.398_199_9e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r + 1.666_666_5e-1)
        * r
        + 0.5;
    let power = f32::from_bits(((n as i32 + 127) << 23) as u32);
    (p * r * r + r + 1.0) * power
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn tanh_of(x: f32) -> f32 {
    let e = exp(-2.0 * x.abs());
    let large = (1.0 - e) / (1.0 + e);
    // For small x, the difference above loses precision.
    let square = x * x;
    let small = x.abs() * (1.0 - square * (0.333_333_34 - square * (0.133_333_34 - square * 0.053_968_254)));
    (if x.abs() < 0.2 { small } else { large }).copysign(x)
}

/// The complementary error function of x >= 0, with a relative error of 1.2e-7: e^(-x²) times a rational fit in
/// 1 / (1 + x / 2) (Press et al., "Numerical Recipes", `erfc` by Chebyshev).
#[inline(always)]
fn erfc_of_positive(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.5 * x);
    let p = t * (-0.822_152_2 + t * 0.170_872_77);
    let p = t * (-1.135_204 + t * (1.488_515_9 + p));
    let p = t * (0.096_784_18 + t * (-0.186_288_06 + t * (0.278_868_07 + p)));
    let p = -1.265_512_2 + t * (1.000_023_7 + t * (0.374_091_96 + p));
    t * exp(-x * x + p)
}

#[inline(always)]
fn gelu_here(numbers: &mut [f32]) {
    for x in numbers {
        let upper = 0.5 * erfc_of_positive(x.abs() * std::f32::consts::FRAC_1_SQRT_2);
        *x *= if *x > 0.0 { 1.0 - upper } else { upper };
    }
}

#[inline(always)]
fn gelu_tanh_here(numbers: &mut [f32]) {
    for x in numbers {
        // 1/2 (1 + tanh u) is the logistic function of 2 u.
        let u = 0.797_884_6 * (*x + 0.044_715 * *x * *x * *x);
        *x *= sigmoid(2.0 * u);
    }
}

#[inline(always)]
fn quick_gelu_here(numbers: &mut [f32]) {
    for x in numbers {
        *x *= sigmoid(1.702 * *x);
    }
}

#[inline(always)]
fn silu_here(numbers: &mut [f32]) {
    for x in numbers {
        *x *= sigmoid(*x);
    }
}

#[inline(always)]
fn tanh_here(numbers: &mut [f32]) {
    for x in numbers {
        *x = tanh_of(*x);
    }
}

#[inline(always)]
fn add_here(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

/// The sum of `of` over the values, in an order that can be vectorized.
#[inline(always)]
fn sum_of(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (lines, rest) = numbers.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for line in lines {
        for lane in 0..LANES {
            sums[lane] += of(line[lane]);
        }
    }
    let mut sum = 0.0;
    for x in sums {
        sum += x;
    }
    for &x in rest {
        sum += of(x);
    }
    sum
}

#[inline(always)]
fn layer_norm_here(numbers: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let width = weight.len();
    for row in numbers.chunks_exact_mut(width) {
        let mean = sum_of(row, |x| x) / width as f32;
        let variance = sum_of(row, |x| (x - mean) * (x - mean)) / width as f32;
        let scale = 1.0 / (variance + epsilon).sqrt();
        for ((x, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
            *x = (*x - mean) * scale * weight + bias;
        }
    }
}

#[inline(always)]
fn softmax_here(numbers: &mut [f32]) {
    let (lines, rest) = numbers.as_chunks::<LANES>();
    let mut greatest = [f32::NEG_INFINITY; LANES];
    for line in lines {
        for lane in 0..LANES {
            greatest[lane] = if line[lane] > greatest[lane] { line[lane] } else { greatest[lane] };
        }
    }
    let mut most = f32::NEG_INFINITY;
    for &x in greatest.iter().chain(rest) {
        most = if x > most { x } else { most };
    }
    for x in numbers.iter_mut() {
        *x = exp(*x - most);
    }
    let scale = 1.0 / sum_of(numbers, |x| x);
    for x in numbers {
        *x *= scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arguments covering the range that occurs in models.
    fn arguments() -> Vec<f32> {
        (-4000..=4000).map(|i| i as f32 * 0.0025).collect()
    }

    fn check(name: &str, fast: fn(&mut [f32]), exact: impl Fn(f64) -> f64) {
        let mut fast_values = arguments();
        fast(&mut fast_values);
        for (x, value) in arguments().into_iter().zip(fast_values) {
            let expected = exact(f64::from(x));
            assert!((f64::from(value) - expected).abs() < 1e-6 * (1.0 + expected.abs()), "{name}({x}) = {value}");
        }
    }

    /// The error function, computed from its series.
    fn erf(x: f64) -> f64 {
        if x.abs() > 3.8 {
            return x.signum();
        }
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / n as f64;
            sum += term / (2 * n + 1) as f64;
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    #[test]
    fn functions_are_exact_to_single_precision() {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        check("gelu", gelu, |x| 0.5 * x * (1.0 + erf(x / 2.0_f64.sqrt())));
        check("gelu_tanh", gelu_tanh, |x| {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh())
        });
        check("quick_gelu", quick_gelu, |x| x * sigmoid(1.702 * x));
        check("silu", silu, |x| x * sigmoid(x));
        check("tanh", tanh, f64::tanh);
    }

    #[test]
    fn shares_add_up_to_one_and_rows_have_mean_zero() {
        let mut shares: Vec<f32> = (0..37).map(|i| (i % 11) as f32 * 3.0 - 20.0).collect();
        let exact: Vec<f64> = shares.iter().map(|x| f64::from(*x).exp()).collect();
        softmax(&mut shares);
        let total: f64 = exact.iter().sum();
        for (share, exact) in shares.iter().zip(exact) {
            assert!((f64::from(*share) - exact / total).abs() < 1e-6);
        }
        let mut rows: Vec<f32> = (0..74).map(|i| (i * i % 17) as f32).collect();
        layer_norm(&mut rows, &[1.0; 37], &[0.0; 37], 1e-12);
        for row in rows.chunks(37) {
            assert!(row.iter().sum::<f32>().abs() < 1e-4);
            assert!((row.iter().map(|x| x * x).sum::<f32>() / 37.0 - 1.0).abs() < 1e-4);
        }
    }
}
