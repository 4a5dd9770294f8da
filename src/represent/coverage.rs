//! Rows that together cover a topic.

use crate::corpus::Embeddings;
use crate::linalg::facility_location::facility_location;
use crate::linalg::vector_sum::VectorSum;
use crate::linalg::vectors::unit;

/// The maximum number of rows of a topic that are compared with each other: of more, as many at equal distances.
const COMPARED: usize = 512;

/// Chooses `n` of `rows` (all with a vector) so that each row is similar to one of them, the one that covers most first:
/// facility location on the cosine of vectors minus their mean, so that what all rows have in common does not count.
pub(super) fn covering_rows(rows: &[usize], vectors: &Embeddings, n: usize) -> Vec<usize> {
    let compared = n.max(COMPARED).min(rows.len());
    let rows: Vec<usize> = (0..compared).filter_map(|place| rows.get(place * rows.len() / compared).copied()).collect();
    let directions: Vec<Vec<f64>> =
        rows.iter().map(|&row| unit(vectors.get(row).unwrap_or_default().iter().copied())).collect();
    let mut sum = VectorSum::new(vectors.dimensions());
    directions.iter().for_each(|direction| sum.add(direction.iter().copied()));
    let mean = sum.mean();
    let centered = |direction: &Vec<f64>| {
        let difference = unit(direction.iter().zip(&mean).map(|(x, mean)| x - mean));
        difference.into_iter().map(|x| x as f32).collect()
    };
    let centered: Vec<Vec<f32>> = directions.iter().map(centered).collect();
    facility_location(&centered, n).into_iter().map(|place| rows[place]).collect()
}
