//! Choosing few vectors that cover all.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Chooses `n` of `vectors`, or all if there are fewer, so that each vector has a large inner product with one of them:
/// the sum of the largest ones is maximized greedily (facility location), where negative products count as 0. Returns
/// their indices in the order in which they are chosen; ties are resolved in favor of the smaller index.
///
/// The gain of a vector only shrinks as others are chosen, so that most gains need not be computed again (Minoux 1978).
pub(crate) fn facility_location(vectors: &[Vec<f32>], n: usize) -> Vec<usize> {
    let mut products = vec![vec![0.0_f32; vectors.len()]; vectors.len()];
    for (a, vector) in vectors.iter().enumerate() {
        for (b, other) in vectors.iter().enumerate().take(a + 1) {
            let product = dot(vector, other).max(0.0);
            (products[a][b], products[b][a]) = (product, product);
        }
    }
    let mut covered = vec![0.0_f32; vectors.len()];
    let gain = |covered: &[f32], item: usize| -> f64 {
        let more = products[item].iter().zip(covered).map(|(new, old)| f64::from((new - old).max(0.0)));
        more.sum()
    };
    let mut candidates: BinaryHeap<Candidate> =
        (0..vectors.len()).map(|item| Candidate { gain: gain(&covered, item), item, chosen_before: 0 }).collect();
    let mut chosen = Vec::new();
    while let Some(mut best) = candidates.pop().filter(|_| chosen.len() < n) {
        if best.chosen_before < chosen.len() {
            best.gain = gain(&covered, best.item);
            best.chosen_before = chosen.len();
            candidates.push(best);
            continue;
        }
        covered.iter_mut().zip(&products[best.item]).for_each(|(old, new)| *old = old.max(*new));
        chosen.push(best.item);
    }
    chosen
}

/// The inner product, in eight partial sums, which compilers turn into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (a, b) in a.zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (x, y))| *sum += x * y);
    }
    sums.iter().sum::<f32>() + rest
}

/// A vector that can be chosen, and what it would add.
#[derive(Debug, PartialEq)]
struct Candidate {
    gain: f64,
    item: usize,
    /// How many had been chosen when the gain was computed.
    chosen_before: usize,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then_with(|| other.item.cmp(&self.item))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_direction_is_covered_before_any_is_covered_twice() {
        let vectors: Vec<Vec<f32>> = [[1.0, 0.0], [0.9, 0.1], [1.0, 0.1], [0.0, 1.0], [-1.0, 0.0]]
            .iter()
            .map(|vector| vector.iter().copied().chain([0.0; 8]).collect())
            .collect();
        assert_eq!(facility_location(&vectors, 3), [2, 4, 3]);
        assert_eq!(facility_location(&vectors, 9).len(), 5);
        assert_eq!(facility_location(&vectors, 0), [0; 0]);
        assert_eq!(facility_location(&[], 3), [0; 0]);
        // Nothing to tell them apart: in order.
        assert_eq!(facility_location(&[vec![0.0], vec![0.0], vec![0.0]], 2), [0, 1]);
    }

    #[test]
    fn lazy_gains_choose_what_all_gains_choose() {
        let vectors: Vec<Vec<f32>> = (0..60_u32)
            .map(|row| (0..11_u32).map(|column| ((row * 37 + column * 101) % 59) as f32 / 29.0 - 1.0).collect())
            .collect();
        let mut covered = vec![0.0_f32; 60];
        let mut expected = Vec::new();
        for _ in 0..20 {
            let gain = |item: usize| -> f64 {
                let more = |(row, old): (usize, &f32)| f64::from((dot(&vectors[item], &vectors[row]) - old).max(0.0));
                covered.iter().enumerate().map(more).sum()
            };
            let free = (0..60).filter(|item| !expected.contains(item));
            let best = free.max_by(|&a, &b| gain(a).total_cmp(&gain(b)).then(b.cmp(&a))).unwrap();
            let products: Vec<f32> = vectors.iter().map(|other| dot(&vectors[best], other)).collect();
            covered.iter_mut().zip(products).for_each(|(old, new)| *old = old.max(new));
            expected.push(best);
        }
        assert_eq!(facility_location(&vectors, 20), expected);
    }
}
