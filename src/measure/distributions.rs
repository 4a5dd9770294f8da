//! The distribution functions that tests need: normal (as chi-squared with one degree of freedom), and Student's t.

/// The 97.5 % quantile of the normal distribution.
pub(super) const Z_95: f64 = 1.959_963_984_540_054;

/// Where continued fractions start, and below which their terms are not distinguished from 0.
const TINY: f64 = 1e-300;
const EPSILON: f64 = 1e-16;
const MOST_TERMS: usize = 10_000;

/// ln Γ(x) for x > 0: Stirling's series, after raising x to 15 or more.
pub(super) fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0_f64);
    while x < 15.0 {
        product *= x;
        x += 1.0;
    }
    // Bernoulli's numbers: B(2k) / (2k (2k - 1)).
    const SERIES: [f64; 7] =
        [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0, 1.0 / 156.0];
    let square = x * x;
    let series = SERIES.iter().rev().fold(0.0, |sum, term| sum / square + term) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - product.ln()
}

/// ln n!
pub(super) fn ln_factorial(n: u64) -> f64 {
    ln_gamma(n as f64 + 1.0)
}

/// The probability that a chi-squared variable with one degree of freedom is at least `x`: erfc(√(x / 2)).
pub(super) fn chi_squared_tail(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    let half = x / 2.0;
    let front = (0.5 * half.ln() - half).exp() / std::f64::consts::PI.sqrt();
    if half < 1.5 {
        // The series of the lower incomplete gamma function with a = 1/2.
        let (mut term, mut sum) = (2.0, 2.0);
        for n in 1..MOST_TERMS {
            term *= half / (0.5 + n as f64);
            sum += term;
            if term < sum * EPSILON {
                break;
            }
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    // The continued fraction of the upper one (Lentz's method).
    let mut b = half + 0.5;
    let (mut c, mut d) = (1.0 / TINY, 1.0 / b);
    let mut fraction = d;
    for n in 1..MOST_TERMS {
        let n = n as f64;
        let a = -n * (n - 0.5);
        b += 2.0;
        d = 1.0 / not_zero(a * d + b);
        c = not_zero(b + a / c);
        let factor = c * d;
        fraction *= factor;
        if (factor - 1.0).abs() < EPSILON {
            break;
        }
    }
    (front * fraction).clamp(0.0, 1.0)
}

/// The probability that a variable of Student's t distribution with `freedom` degrees of freedom is at least as far from
/// 0 as `t`.
pub(super) fn student_two_sided(t: f64, freedom: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let square = t * t;
    incomplete_beta(freedom / (freedom + square), square / (freedom + square), freedom / 2.0, 0.5)
}

/// The 97.5 % quantile of Student's t distribution, by bisection.
pub(super) fn student_quantile_95(freedom: f64) -> f64 {
    let (mut low, mut high) = (Z_95 * 0.99, 13.0);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if student_two_sided(middle, freedom) > 0.05 { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The regularized incomplete beta function I(x; a, b), given also y = 1 - x.
fn incomplete_beta(x: f64, y: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || y <= 0.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * y.ln()).exp();
    // The fraction converges fast on this side of the mean.
    match x < (a + 1.0) / (a + b + 2.0) {
        true => front * beta_fraction(x, a, b) / a,
        false => 1.0 - front * beta_fraction(y, b, a) / b,
    }
}

fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let (mut c, mut d) = (1.0, 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..MOST_TERMS {
        let m = m as f64;
        let mut factor = 1.0;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for numerator in [even, odd] {
            d = 1.0 / not_zero(1.0 + numerator * d);
            c = not_zero(1.0 + numerator / c);
            factor = c * d;
            fraction *= factor;
        }
        if (factor - 1.0).abs() < EPSILON {
            break;
        }
    }
    fraction
}

fn not_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found} instead of {expected}");
    }

    #[test]
    fn values_are_those_of_scipy() {
        // scipy.special.gammaln
        for (x, expected) in [
            (0.5, 0.572_364_942_924_700_1),
            (1.5, -0.120_782_237_635_245_22),
            (10.0, 12.801_827_480_081_469),
            (1e6, 12_815_504.569_147_611),
        ] {
            assert_near(ln_gamma(x), expected);
        }
        assert!(ln_gamma(1.0).abs() < 1e-14 && ln_gamma(2.0).abs() < 1e-14);
        // scipy.stats.chi2.sf(x, 1)
        for (x, expected) in CHI_SQUARED {
            assert_near(chi_squared_tail(x), expected);
        }
        assert_eq!(chi_squared_tail(0.0), 1.0);
        // 2 * scipy.stats.t.sf(t, df)
        for (t, freedom, expected) in STUDENT {
            assert_near(student_two_sided(t, freedom), expected);
        }
        assert_eq!((student_two_sided(0.0, 3.0), student_two_sided(f64::INFINITY, 3.0)), (1.0, 0.0));
        // scipy.stats.t.ppf(0.975, df), which has ten digits; with 1 degree of freedom, the quantile is tan(0.475 π).
        for (freedom, expected) in QUANTILES {
            let found = student_quantile_95(freedom);
            assert!((found / expected - 1.0).abs() < 1e-10, "{found} instead of {expected}");
        }
        assert_near(student_quantile_95(1.0), (0.475 * std::f64::consts::PI).tan());
    }

    const CHI_SQUARED: [(f64, f64); 8] = [
        (1e-06, 0.9992021155721779),
        (0.1, 0.7518296340458492),
        (1.0, 0.31731050786291115),
        (2.9, 0.08857955257977622),
        (3.1, 0.07829229414640966),
        (3.841, 0.050013683763956804),
        (30.0, 4.3204630578274955e-08),
        (500.0, 9.505397766554137e-111),
    ];

    const STUDENT: [(f64, f64, f64); 8] = [
        (0.5, 1.0, 0.7048327646991336),
        (12.7, 1.0, 0.05002432768934415),
        (2.0, 2.0, 0.1835034190722739),
        (1000.0, 2.0, 9.999985000025e-07),
        (3.0, 8.0, 0.017071681233782634),
        (0.01, 18.0, 0.9921312880965929),
        (25.0, 18.0, 1.9832200761081353e-15),
        (2.2, 98.0, 0.03015679616438981),
    ];

    const QUANTILES: [(f64, f64); 4] =
        [(1.0, 12.706204736432095), (2.0, 4.302652729696142), (18.0, 2.10092204024096), (98.0, 1.984467454426692)];
}
