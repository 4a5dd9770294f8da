//! The curve 1 / (1 + a d^2b) that models closeness in the low-dimensional layout.

/// Points at which the curve is fitted, from 0 to 3 spreads.
const POINTS: usize = 300;

/// The maximum number of steps of the fit; it needs about ten.
const STEPS: usize = 500;

/// The `a` and `b` for which 1 / (1 + a d^(2b)) is the best least-squares fit (at 300 points from 0 to 3 `spread`) to
/// the desired closeness: 1 up to `min_dist`, and exp(-(d - min_dist) / spread) beyond it.
///
/// `spread` is greater than 0 and `min_dist` is from 0 to `spread`. Uses the Levenberg-Marquardt method starting at a =
/// b = 1, like umap-learn (through SciPy): `min_dist` 0.0 and `spread` 1.0 result in a = 1.932 and b = 0.791.
pub fn find_ab_params(spread: f64, min_dist: f64) -> (f64, f64) {
    let (mut a, mut b) = (1.0_f64, 1.0_f64);
    let mut fit = Fit::at(a, b, spread, min_dist);
    let mut damping = 1e-3;
    for _ in 0..STEPS {
        let Some((step_a, step_b)) = fit.step(damping) else { break };
        let tried = Fit::at(a + step_a, b + step_b, spread, min_dist);
        if tried.error.is_finite() && tried.error <= fit.error {
            let settled = step_a.abs() <= 1e-10 * a.abs() && step_b.abs() <= 1e-10 * b.abs();
            (a, b, fit) = (a + step_a, b + step_b, tried);
            damping = (damping * 0.1).max(1e-12);
            if settled {
                break;
            }
        } else {
            damping *= 10.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    (a, b)
}

/// The squared error at a given a and b, and the normal equations of the linearization.
struct Fit {
    error: f64,
    aa: f64,
    ab: f64,
    bb: f64,
    a_residual: f64,
    b_residual: f64,
}

impl Fit {
    fn at(a: f64, b: f64, spread: f64, min_dist: f64) -> Fit {
        let mut fit = Fit { error: 0.0, aa: 0.0, ab: 0.0, bb: 0.0, a_residual: 0.0, b_residual: 0.0 };
        for point in 0..POINTS {
            let d = 3.0 * spread * point as f64 / (POINTS - 1) as f64;
            let wanted = if d < min_dist { 1.0 } else { (-(d - min_dist) / spread).exp() };
            let power = d.powf(2.0 * b);
            let curve = 1.0 / (1.0 + a * power);
            let residual = wanted - curve;
            let by_a = -power * curve * curve;
            // d^2b ln d approaches 0 as d does.
            let by_b = if d > 0.0 { 2.0 * a * by_a * d.ln() } else { 0.0 };
            fit.error += residual * residual;
            fit.aa += by_a * by_a;
            fit.ab += by_a * by_b;
            fit.bb += by_b * by_b;
            fit.a_residual += by_a * residual;
            fit.b_residual += by_b * residual;
        }
        fit
    }

    fn step(&self, damping: f64) -> Option<(f64, f64)> {
        let (aa, bb) = (self.aa * (1.0 + damping), self.bb * (1.0 + damping));
        let determinant = aa * bb - self.ab * self.ab;
        if !determinant.is_finite() || determinant <= 0.0 {
            return None;
        }
        let a = (self.a_residual * bb - self.b_residual * self.ab) / determinant;
        let b = (self.b_residual * aa - self.a_residual * self.ab) / determinant;
        Some((a, b))
    }
}
