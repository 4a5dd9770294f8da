//! The local distance scale of each row: the distance to its nearest neighbor, and how fast closeness decays beyond it.

use rayon::prelude::*;

use crate::neighbors::Neighbors;

/// The maximum number of bisection steps when searching for a scale.
const STEPS: usize = 64;

/// Tolerance for the sum of memberships around its target.
const TOLERANCE: f64 = 1e-5;

/// The smallest scale, as a fraction of the mean distance to the neighbors.
const MIN_SCALE: f32 = 1e-3;

/// The local distance scale of each row (McInnes, Healy and Melville 2018, section 3.1 and algorithm 3).
#[derive(Debug, Clone, PartialEq)]
pub struct KnnScales {
    /// The decay scale of membership beyond `rhos`, one per row, greater than 0 unless all distances are 0.
    pub sigmas: Vec<f32>,
    /// The distance within which membership is 1, one per row.
    pub rhos: Vec<f32>,
}

/// The scales of all rows of `neighbors`, chosen so that a row's memberships, `exp(-(d - rho) / sigma)`, sum to log2 of
/// the number of neighbors (the first of which, the row itself, is not counted, as in umap-learn).
///
/// `local_connectivity` is the number of nearest neighbors (at distances greater than 0) that are connected with
/// certainty, 0 or more; fractional values interpolate between two neighbors.
pub fn smooth_knn_dist(neighbors: &Neighbors, local_connectivity: f32) -> KnnScales {
    smooth_knn_dist_floored(neighbors, local_connectivity, mean_distance(&neighbors.distances))
}

/// The same, where `overall` is the mean distance that sets the lower bound for the scales of rows with `rho` = 0.
pub(crate) fn smooth_knn_dist_floored(neighbors: &Neighbors, local_connectivity: f32, overall: f32) -> KnnScales {
    let target = f64::from(neighbors.k as u32).log2();
    let rows = neighbors.distances.par_chunks(neighbors.k.max(1));
    let scales = rows.map(|distances| {
        let rho = connected_distance(distances, local_connectivity);
        let floor = if rho > 0.0 { mean_distance(distances) } else { overall };
        (scale(distances, rho, target).max(MIN_SCALE * floor), rho)
    });
    let (sigmas, rhos) = scales.unzip();
    KnnScales { sigmas, rhos }
}

/// The mean of `values`, summed in double precision; 0 if empty.
pub(crate) fn mean_distance(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
    (sum / values.len().max(1) as f64) as f32
}

/// The distance to the `local_connectivity`-th neighbor that is not a duplicate.
fn connected_distance(distances: &[f32], local_connectivity: f32) -> f32 {
    let mut apart = distances.iter().copied().filter(|&distance| distance > 0.0);
    let whole = local_connectivity.floor();
    let fraction = local_connectivity - whole;
    let mut below = 0.0;
    for _ in 0..whole as usize {
        match apart.next() {
            Some(distance) => below = distance,
            // Fewer neighbors than requested: the farthest one.
            None => return below,
        }
    }
    let above = apart.next().unwrap_or(below);
    below + fraction * (above - below)
}

/// Finds the scale at which the memberships sum to `target` by bisection, in single precision and with the same steps
/// as umap-learn, so that both stop at the same scale.
fn scale(distances: &[f32], rho: f32, target: f64) -> f32 {
    let (mut low, mut high, mut middle) = (0.0_f32, f32::MAX, 1.0_f32);
    for _ in 0..STEPS {
        let sum = distances.iter().skip(1).fold(0.0_f32, |sum, &distance| {
            let beyond = distance - rho;
            sum + if beyond > 0.0 { (-(beyond / middle)).exp() } else { 1.0 }
        });
        if (f64::from(sum) - target).abs() < TOLERANCE {
            break;
        }
        if f64::from(sum) > target {
            high = middle;
            middle = (low + high) / 2.0;
        } else {
            low = middle;
            middle = if high == f32::MAX { middle * 2.0 } else { (low + high) / 2.0 };
        }
    }
    middle
}
