//! Eigenvalues and eigenvectors of small symmetric matrices, by the Jacobi method.

/// The maximum number of sweeps over all pairs; about eight are needed.
const SWEEPS: usize = 50;

/// The eigenvalues of the symmetric `order` x `order` matrix `matrix` (row-major), largest first, and their unit
/// eigenvectors: eigenvector j is column j of the returned matrix (row-major). The entry of largest magnitude in each
/// eigenvector (the first in case of ties) is positive, so the result is unique if the eigenvalues are distinct.
///
/// Intended for orders up to a few hundred: the cost grows with the cube of the order.
pub fn symmetric_eigen(matrix: &[f64], order: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = matrix.to_vec();
    let mut vectors = vec![0.0; order * order];
    for i in 0..order {
        vectors[i * order + i] = 1.0;
    }
    for _ in 0..SWEEPS {
        if !sweep(&mut a, &mut vectors, order) {
            break;
        }
    }
    let mut by_value: Vec<usize> = (0..order).collect();
    by_value.sort_by(|&i, &j| a[j * order + j].total_cmp(&a[i * order + i]));
    let values = by_value.iter().map(|&i| a[i * order + i]).collect();
    let mut sorted = vec![0.0; order * order];
    for (to, &from) in by_value.iter().enumerate() {
        let sign = sign_of_largest((0..order).map(|row| vectors[row * order + from]));
        for row in 0..order {
            sorted[row * order + to] = sign * vectors[row * order + from];
        }
    }
    (values, sorted)
}

/// 1 or -1: the sign of the entry of largest magnitude, the first in case of ties.
pub fn sign_of_largest(entries: impl Iterator<Item = f64>) -> f64 {
    let largest = entries.fold(0.0_f64, |largest, entry| if entry.abs() > largest.abs() { entry } else { largest });
    if largest < 0.0 { -1.0 } else { 1.0 }
}

/// Rotates each pair of axes once; returns false if nothing was left to rotate.
fn sweep(a: &mut [f64], vectors: &mut [f64], order: usize) -> bool {
    let scale = a.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
    let mut rotated = false;
    for p in 0..order {
        for q in p + 1..order {
            let off = a[p * order + q];
            if off.abs() <= scale * 1e-17 {
                continue;
            }
            rotated = true;
            let theta = (a[q * order + q] - a[p * order + p]) / (2.0 * off);
            let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
            let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
            rotate(a, vectors, order, (p, q), (cosine, tangent * cosine));
        }
    }
    rotated
}

fn rotate(a: &mut [f64], vectors: &mut [f64], order: usize, (p, q): (usize, usize), (cosine, sine): (f64, f64)) {
    for k in 0..order {
        let (kp, kq) = (a[k * order + p], a[k * order + q]);
        a[k * order + p] = cosine * kp - sine * kq;
        a[k * order + q] = sine * kp + cosine * kq;
    }
    for k in 0..order {
        let (pk, qk) = (a[p * order + k], a[q * order + k]);
        a[p * order + k] = cosine * pk - sine * qk;
        a[q * order + k] = sine * pk + cosine * qk;
        let (vp, vq) = (vectors[k * order + p], vectors[k * order + q]);
        vectors[k * order + p] = cosine * vp - sine * vq;
        vectors[k * order + q] = sine * vp + cosine * vq;
    }
    // Exactly zero by construction; rounding would leave a residue.
    a[p * order + q] = 0.0;
    a[q * order + p] = 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_matrix() {
        let (values, vectors) = symmetric_eigen(&[2.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 5.0], 3);
        for (value, expected) in values.iter().zip([5.0, 3.0, 1.0]) {
            assert!((value - expected).abs() < 1e-12, "{values:?}");
        }
        assert!(
            (vectors[1] - 0.5_f64.sqrt()).abs() < 1e-12 && (vectors[4] - 0.5_f64.sqrt()).abs() < 1e-12,
            "{vectors:?}"
        );
    }

    #[test]
    fn the_vectors_rebuild_the_matrix() {
        let order = 12;
        let entry = |i: usize, j: usize| 1.0 / (1.0 + (i + j) as f64) + if i == j { (i * i) as f64 * 0.1 } else { 0.0 };
        let matrix: Vec<f64> = (0..order * order).map(|at| entry(at / order, at % order)).collect();
        let (values, vectors) = symmetric_eigen(&matrix, order);
        for i in 0..order {
            for j in 0..order {
                let rebuilt: f64 =
                    (0..order).map(|e| vectors[i * order + e] * values[e] * vectors[j * order + e]).sum();
                assert!((rebuilt - entry(i, j)).abs() < 1e-12, "({i}, {j})");
            }
        }
    }
}
