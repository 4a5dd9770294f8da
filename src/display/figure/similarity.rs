//! How similar topics are, and an order in which similar ones are next to each other.

use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::linalg::vectors::{dot, unit};
use crate::model::FittedTopicModel;
use crate::progress::Progress;

/// A square matrix, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Square {
    pub(super) side: usize,
    values: Vec<f64>,
}

impl Square {
    pub(super) fn of(side: usize, mut value: impl FnMut(usize, usize) -> f64) -> Self {
        let cells = (0..side).flat_map(|a| (0..side).map(move |b| (a, b)));
        Square { side, values: cells.map(|(a, b)| value(a, b)).collect() }
    }

    pub(super) fn get(&self, a: usize, b: usize) -> f64 {
        self.values.get(a * self.side + b).copied().unwrap_or_default()
    }

    fn set(&mut self, a: usize, b: usize, value: f64) {
        if let Some(cell) = self.values.get_mut(a * self.side + b) {
            *cell = value;
        }
    }
}

/// The cosine similarity of the mean vectors of `topics`.
pub(super) fn by_vectors(model: &FittedTopicModel, topics: &[i32]) -> Result<Square> {
    let vectors = model.topic_embeddings();
    let units = topics.iter().map(|topic| Some(unit(vectors.get(topic)?.iter().copied()))).collect();
    let units: Option<Vec<Vec<f64>>> = units;
    let Some(units) = units else { return Err(not_known("vectors", "a mean vector", "use_ctfidf(true)")) };
    let between = |a: usize, b: usize| match (units.get(a), units.get(b)) {
        (Some(a), Some(b)) => dot::<f64>(a, b).clamp(-1.0, 1.0),
        _ => 0.0,
    };
    Ok(Square::of(topics.len(), between))
}

/// The cosine similarity of the c-TF-IDF of `topics`.
pub(super) fn by_words(model: &FittedTopicModel, topics: &[i32]) -> Result<Square> {
    let (terms, ids) = (model.terms(), model.topic_ids());
    if terms.c_tf_idf.entries() == 0 {
        return Err(not_known("c-TF-IDF", "counted words", "use_ctfidf(false)"));
    }
    let rows: Option<Vec<usize>> = topics.iter().map(|topic| ids.binary_search(topic).ok()).collect();
    let Some(rows) = rows else { return Err(not_known("c-TF-IDF", "counted words", "use_ctfidf(false)")) };
    let (distances, have_words) = (terms.distances(&rows, &Progress::silent())?, terms.have_words(&rows));
    let between = |a: usize, b: usize| match a == b {
        true => f64::from(u8::from(have_words.get(a) == Some(&true))),
        false => 1.0 - distances.between(a, b),
    };
    Ok(Square::of(topics.len(), between))
}

fn not_known(by: &str, lacking: &str, instead: &str) -> Error {
    let message = format!("the topics cannot be compared by {by}: not all of them have {lacking}");
    Error::new(ErrorKind::NotFound, Stage::Display, message).with_hint(Hint::new(format!("Call {instead}.")))
}

/// What is joined in a binary tree: groups 0 to n - 1 are the leaves, and group n + i is the result of join i.
pub(super) type Join = (usize, usize);

/// The leaves of a group: first those of its left part, of which there are `left` (none for a leaf).
struct Group {
    leaves: Vec<usize>,
    left: usize,
}

impl Group {
    /// The leaves that can be at the other end if `leaf` is at one: those of the other part.
    fn facing(&self, leaf: usize) -> &[usize] {
        let (left, right) = self.leaves.split_at_checked(self.left).unwrap_or_default();
        match left {
            [] => right,
            _ if left.contains(&leaf) => right,
            _ => left,
        }
    }
}

/// The leaves of the binary tree of `joins`, in that of the orders that the tree allows in which neighbors are most
/// similar: the sum of the similarities of neighbors is largest (Bar-Joseph and others 2001). Ties go to the earlier leaf.
pub(super) fn leaf_order(similarities: &Square, joins: &[Join]) -> Vec<usize> {
    let n = similarities.side;
    let mut groups: Vec<Group> = (0..n).map(|leaf| Group { leaves: vec![leaf], left: 0 }).collect();
    // The best sum of an order of the smallest group with both leaves, in which these are its ends.
    let mut best = Square::of(n, |_, _| 0.0);
    let mut steps = vec![f64::NEG_INFINITY; n];
    for &(left, right) in joins {
        let (Some(left), Some(right)) = (groups.get(left), groups.get(right)) else { return (0..n).collect() };
        for &outer in &left.leaves {
            // The best order of the left group from `outer`, and the step to each leaf of the right one.
            let to = |&inner: &usize| {
                let ends = left.facing(outer).iter();
                ends.map(|&end| best.get(outer, end) + similarities.get(end, inner)).fold(f64::NEG_INFINITY, f64::max)
            };
            // Only those of the right group are read.
            for inner in &right.leaves {
                if let Some(step) = steps.get_mut(*inner) {
                    *step = to(inner);
                }
            }
            for &other in &right.leaves {
                let step = |inner: &usize| steps.get(*inner).copied().unwrap_or(f64::NEG_INFINITY);
                let sums = right.facing(other).iter().map(|inner| step(inner) + best.get(*inner, other));
                let sum = sums.fold(f64::NEG_INFINITY, f64::max);
                best.set(outer, other, sum);
                best.set(other, outer, sum);
            }
        }
        let leaves = left.leaves.iter().chain(&right.leaves).copied().collect();
        let left = left.leaves.len();
        groups.push(Group { leaves, left });
    }
    ordered(similarities, joins, &groups, &best)
}

/// The order that [`leaf_order`] found, from the sums: what is still to be ordered is a group and its two ends.
fn ordered(similarities: &Square, joins: &[Join], groups: &[Group], best: &Square) -> Vec<usize> {
    let n = similarities.side;
    let of = |group: usize| groups.get(group).map(|group| group.leaves.as_slice()).unwrap_or_default();
    let facing = |group: usize, leaf: usize| groups.get(group).map(|group| group.facing(leaf)).unwrap_or_default();
    let Some(&(left, right)) = joins.last() else { return (0..n).collect() };
    let Some((first, last)) = largest(of(left), of(right), |a, b| best.get(a, b)) else { return (0..n).collect() };
    let mut order = Vec::with_capacity(n);
    let mut open = vec![(n + joins.len() - 1, first, last)];
    while let Some((group, first, last)) = open.pop() {
        let Some(&(left, right)) = group.checked_sub(n).and_then(|join| joins.get(join)) else {
            order.push(group);
            continue;
        };
        // The first end may be in either part.
        let (left, right) = if of(left).contains(&first) { (left, right) } else { (right, left) };
        let sum = |a: usize, b: usize| best.get(first, a) + similarities.get(a, b) + best.get(b, last);
        let (end, start) = largest(facing(left, first), facing(right, last), sum).unwrap_or((first, last));
        open.extend([(right, start, last), (left, first, end)]);
    }
    order
}

/// The pair with the largest value, the first of equal ones.
fn largest(left: &[usize], right: &[usize], value: impl Fn(usize, usize) -> f64) -> Option<(usize, usize)> {
    let pairs = left.iter().flat_map(|&a| right.iter().map(move |&b| (a, b)));
    let best = pairs.fold(None, |best: Option<((usize, usize), f64)>, (a, b)| match best {
        Some((_, most)) if value(a, b) <= most => best,
        _ => Some(((a, b), value(a, b))),
    });
    best.map(|(pair, _)| pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All orders that a tree allows.
    fn allowed(n: usize, joins: &[Join]) -> Vec<Vec<usize>> {
        let mut of_groups: Vec<Vec<Vec<usize>>> = (0..n).map(|leaf| vec![vec![leaf]]).collect();
        for &(left, right) in joins {
            let mut orders = Vec::new();
            for a in &of_groups[left] {
                for b in &of_groups[right] {
                    orders.push([a.clone(), b.clone()].concat());
                    orders.push([b.clone(), a.clone()].concat());
                }
            }
            of_groups.push(orders);
        }
        of_groups.pop().unwrap_or_default()
    }

    #[test]
    fn no_order_that_the_tree_allows_is_better() {
        let joins = [(0, 4), (1, 5), (3, 2), (6, 8), (7, 9)];
        for seed in 0..50_u64 {
            let similarity = |a: usize, b: usize| {
                let (low, high) = (a.min(b) as u64, a.max(b) as u64);
                if a == b { 1.0 } else { crate::linalg::mix::mix(seed, low * 6 + high) as f64 / u64::MAX as f64 }
            };
            let similarities = Square::of(6, similarity);
            let value = |order: &Vec<usize>| order.windows(2).map(|pair| similarity(pair[0], pair[1])).sum::<f64>();
            let orders = allowed(6, &joins);
            let found = leaf_order(&similarities, &joins);
            assert!(orders.contains(&found), "{found:?}");
            let best = orders.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
            assert!((value(&found) - best).abs() < 1e-9, "{} {best}", value(&found));
        }
    }

    #[test]
    fn one_leaf_and_none_have_an_order() {
        assert_eq!(leaf_order(&Square::of(1, |_, _| 1.0), &[]), [0]);
        assert!(leaf_order(&Square::of(0, |_, _| 1.0), &[]).is_empty());
        assert_eq!(leaf_order(&Square::of(2, |_, _| 1.0), &[(1, 0)]).len(), 2);
    }
}
