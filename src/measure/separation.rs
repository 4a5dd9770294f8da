//! How far topics are apart in the space of their vectors.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::linalg::vector_sum::VectorSum;
use crate::linalg::vectors::{dot, norm, unit};

/// For each topic, the mean cosine of its vectors to their own centroid, minus that to the nearest other topic's
/// centroid, -2 to 2. Centroids are means of unit vectors. `rows` has the topic (-1 for none) and the vector of each row;
/// a vector of length 0 counts as none. Without another topic, nothing is subtracted.
pub(crate) fn separations<'a>(rows: impl Iterator<Item = (i32, &'a [f32])>) -> BTreeMap<i32, f64> {
    let mut sums = BTreeMap::<i32, (VectorSum, usize)>::new();
    for (topic, vector) in rows.filter(|&(topic, vector)| topic >= 0 && norm(vector.iter().copied()) > 0.0) {
        let (sum, count) = sums.entry(topic).or_insert_with(|| (VectorSum::new(vector.len()), 0));
        sum.add(unit(vector.iter().copied()));
        *count += 1;
    }
    let sums: BTreeMap<i32, (Vec<f64>, usize)> =
        sums.into_iter().map(|(topic, (sum, count))| (topic, (sum.sum(), count))).collect();
    let directions: BTreeMap<i32, Vec<f64>> =
        sums.iter().map(|(&topic, (sum, _))| (topic, unit(sum.iter().copied()))).collect();
    let separation = |(&topic, (sum, count)): (&i32, &(Vec<f64>, usize))| {
        // The mean cosine of unit vectors to a direction is that of their sum, divided by their number.
        let to = |direction: &Vec<f64>| dot(sum, direction) / *count as f64;
        let others = directions.iter().filter(|(other, _)| **other != topic).map(|(_, direction)| to(direction));
        let own = directions.get(&topic).map_or(0.0, to);
        (topic, own - others.reduce(f64::max).unwrap_or(0.0))
    };
    sums.iter().map(separation).collect()
}

/// For each topic, how often its vectors pass the intruder test: the share of pairs of a vector and another topic in
/// which the vector is more similar to its own topic's `directions` than to the other's, where equal counts half; .5 is
/// chance. Topics without a direction, and the only one with a direction, are left out.
pub(crate) fn intruder_tests(rows: &[(i32, &[f32])], directions: &BTreeMap<i32, Vec<f64>>) -> BTreeMap<i32, f64> {
    let passes = |&(topic, vector): &(i32, &[f32])| {
        let vector: Vec<f64> = vector.iter().copied().map(f64::from).collect();
        let own = dot(&vector, directions.get(&topic)?);
        let half_points = |other: f64| if other < own { 2 } else { u64::from(other == own) };
        let others = directions.iter().filter(|(other, _)| **other != topic);
        Some((topic, others.map(|(_, direction)| half_points(dot(&vector, direction))).sum::<u64>()))
    };
    let passed: Vec<Option<(i32, u64)>> = rows.par_iter().map(passes).collect();
    let mut sums = BTreeMap::<i32, (u64, u64)>::new();
    for (topic, half_points) in passed.into_iter().flatten() {
        let (points, rows) = sums.entry(topic).or_default();
        *points += half_points;
        *rows += 1;
    }
    let others = directions.len().saturating_sub(1) as u64;
    let share = |(topic, (points, rows))| (topic, points as f64 / (2 * rows * others) as f64);
    sums.into_iter().filter(|_| others > 0).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separation_is_the_difference_of_mean_cosines() {
        let rows: [(i32, &[f32]); 5] =
            [(0, &[2.0, 0.0]), (0, &[0.6, 0.8]), (1, &[0.0, 3.0]), (-1, &[1.0, 1.0]), (1, &[0.0, 0.0])];
        let found = separations(rows.into_iter());
        // The centroid of topic 0 is (0.8, 0.4), of length 0.8944; of topic 1, (0, 1).
        assert!((found[&0] - (0.8_f64.hypot(0.4) - 0.4)).abs() < 1e-7);
        assert!((found[&1] - (1.0 - 0.4 / 0.8_f64.hypot(0.4))).abs() < 1e-7);
        assert_eq!(separations([(3, &[0.0_f32, 5.0][..])].into_iter()), BTreeMap::from([(3, 1.0)]));
    }

    #[test]
    fn an_intruder_is_found_by_its_direction() {
        let rows: [(i32, &[f32]); 4] = [(0, &[1.0, 0.2]), (0, &[0.0, 1.0]), (1, &[0.5, 0.5]), (-1, &[1.0, 0.0])];
        let directions = BTreeMap::from([(0, vec![1.0, 0.0]), (1, vec![0.0, 1.0])]);
        assert_eq!(intruder_tests(&rows, &directions), BTreeMap::from([(0, 0.5), (1, 0.5)]));
        assert!(intruder_tests(&rows, &BTreeMap::from([(0, vec![1.0, 0.0])])).is_empty());
    }
}
