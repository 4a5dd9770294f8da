//! Agglomerative clustering of few items: topics.

use std::fmt;
use std::str::FromStr;

use rayon::prelude::*;

use crate::error::{Error, Result, Stage};
use crate::progress::Progress;

/// How far apart two groups of topics are. Written as `ward`, `average`, `complete` or `single`.
///
/// ```
/// use topicframe::topics::Linkage;
///
/// assert_eq!("average".parse::<Linkage>()?, Linkage::Average);
/// assert_eq!(Linkage::default(), Linkage::Ward);
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Linkage {
    /// Ward's criterion (1963), computed from the distances as if they were Euclidean: BERTopic's choice, and the
    /// default.
    #[default]
    Ward,
    /// The mean distance of their members.
    Average,
    /// The largest distance of their members.
    Complete,
    /// The smallest distance of their members.
    Single,
}

impl FromStr for Linkage {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "ward" => Ok(Linkage::Ward),
            "average" => Ok(Linkage::Average),
            "complete" => Ok(Linkage::Complete),
            "single" => Ok(Linkage::Single),
            _ => Err(Error::invalid_parameter(Stage::Topics, "linkage", text, "ward, average, complete or single")),
        }
    }
}

impl fmt::Display for Linkage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Linkage::Ward => "ward",
            Linkage::Average => "average",
            Linkage::Complete => "complete",
            Linkage::Single => "single",
        })
    }
}

impl Linkage {
    /// The distance between a group of `c` items and the union of two groups of `a` and `b` items, given their
    /// distances: the formulas of Lance and Williams (1967), in the order in which scipy computes them.
    fn updated(self, (a, b, c): (f64, f64, f64), ac: f64, bc: f64, ab: f64) -> f64 {
        match self {
            Linkage::Average => (a * ac + b * bc) / (a + b),
            Linkage::Complete => ac.max(bc),
            Linkage::Single => ac.min(bc),
            Linkage::Ward => {
                let t = 1.0 / (a + b + c);
                ((c + a) * t * ac * ac + (c + b) * t * bc * bc - c * t * ab * ab).max(0.0).sqrt()
            }
        }
    }
}

/// The distances of items from each other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Distances {
    items: usize,
    /// The lower triangle, row by row.
    triangle: Vec<f64>,
}

impl Distances {
    /// `fill(a, distances)` writes the distances from item a to each item before it, which are 0 at first.
    ///
    /// # Errors
    /// Interrupted.
    pub(crate) fn of(items: usize, progress: &Progress, fill: impl Fn(usize, &mut [f64]) + Sync) -> Result<Self> {
        let task = progress.task(Stage::Topics, "distances of topics", items);
        let mut triangle = vec![0.0; items * items.saturating_sub(1) / 2];
        let mut rows = Vec::with_capacity(items);
        let mut rest = &mut triangle[..];
        for item in 0..items {
            let (row, after) = rest.split_at_mut(item);
            rows.push(row);
            rest = after;
        }
        rows.into_par_iter().with_max_len(1).enumerate().for_each(|(item, row)| {
            if !task.is_interrupted() {
                fill(item, row);
                task.advance(1);
            }
        });
        task.finish()?;
        Ok(Distances { items, triangle })
    }

    /// The number of items.
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// The distance of two different items.
    pub(crate) fn between(&self, a: usize, b: usize) -> f64 {
        self.triangle.get(place(a, b)).copied().unwrap_or(0.0)
    }
}

/// Two groups that become one. Groups 0 to n - 1 are the items, and group n + i is the result of merge i.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Join {
    /// The group with the smaller number.
    pub(crate) left: usize,
    pub(crate) right: usize,
    pub(crate) distance: f64,
}

/// The n - 1 merges of n items, ascending by distance: scipy's `linkage`. Where distances are equal, the result depends on
/// the order of the items only.
pub(crate) fn dendrogram(distances: Distances, linkage: Linkage) -> Vec<Join> {
    let n = distances.items;
    let mut group: Vec<usize> = (0..n).collect();
    // The number of the group that each item stands for.
    let mut number: Vec<usize> = (0..n).collect();
    let mut joins = Vec::with_capacity(n.saturating_sub(1));
    for merge in sorted_merges(distances, linkage) {
        let (a, b) = (root(&group, merge.a), root(&group, merge.b));
        let (left, right) = (number[a].min(number[b]), number[a].max(number[b]));
        joins.push(Join { left, right, distance: merge.height });
        group[a.max(b)] = a.min(b);
        number[a.min(b)] = n + joins.len() - 1;
    }
    joins
}

/// Clusters n items (0 to n - 1) into `groups` groups by average linkage: equivalent to repeatedly merging the two groups
/// with the smallest mean distance. Each item's group is identified by its smallest member. If `groups` is at least n, each
/// item is its own group.
pub(crate) fn average_linkage(distances: Distances, groups: usize) -> Vec<usize> {
    let n = distances.items;
    let merges = sorted_merges(distances, Linkage::Average);
    joined(n, merges.iter().take(n.saturating_sub(groups.max(1))))
}

/// As [`average_linkage`], but until the mean distance of any two groups is above `most`.
pub(crate) fn average_linkage_within(distances: Distances, most: f64) -> Vec<usize> {
    let n = distances.items;
    let merges = sorted_merges(distances, Linkage::Average);
    joined(n, merges.iter().take_while(|merge| merge.height <= most))
}

fn joined<'a>(n: usize, merges: impl Iterator<Item = &'a Merge>) -> Vec<usize> {
    let mut group: Vec<usize> = (0..n).collect();
    for merge in merges {
        let (a, b) = (root(&group, merge.a), root(&group, merge.b));
        group[a.max(b)] = a.min(b);
    }
    (0..n).map(|thing| root(&group, thing)).collect()
}

/// The merges, ascending by height.
///
/// Uses the nearest-neighbor chain algorithm (Murtagh 1983) in O(n²) time; ties are resolved in favor of the smaller
/// index, so the result is deterministic.
fn sorted_merges(distances: Distances, linkage: Linkage) -> Vec<Merge> {
    let mut merges = Merges::new(distances, linkage).all();
    // The merges are not found in the order of their heights.
    merges.sort_by(|a, b| a.height.total_cmp(&b.height));
    merges
}

fn root(group: &[usize], mut thing: usize) -> usize {
    while group[thing] != thing {
        thing = group[thing];
    }
    thing
}

/// Two groups, each identified by one of its members, and their distance.
struct Merge {
    a: usize,
    b: usize,
    height: f64,
}

struct Merges {
    n: usize,
    linkage: Linkage,
    /// Distances between groups: the lower triangle, row by row.
    distances: Vec<f64>,
    /// The size of each group; 0 for a group that was merged into another.
    sizes: Vec<usize>,
}

impl Merges {
    fn new(distances: Distances, linkage: Linkage) -> Self {
        let Distances { items, triangle } = distances;
        Merges { n: items, linkage, distances: triangle, sizes: vec![1; items] }
    }

    /// Merges until a single group remains.
    fn all(mut self) -> Vec<Merge> {
        let mut merges = Vec::with_capacity(self.n.saturating_sub(1));
        let mut chain: Vec<usize> = Vec::new();
        while merges.len() + 1 < self.n {
            let last = match chain.last() {
                Some(&last) => last,
                None => {
                    let first = self.sizes.iter().position(|&size| size > 0).unwrap_or(0);
                    chain.push(first);
                    first
                }
            };
            let before = chain.len().checked_sub(2).map(|place| chain[place]);
            let nearest = self.nearest(last, before);
            if Some(nearest) == before {
                chain.truncate(chain.len() - 2);
                merges.push(self.join(last, nearest));
            } else {
                chain.push(nearest);
            }
        }
        merges
    }

    /// The group nearest to `a`; ties are resolved in favor of `before`, so that chains terminate.
    fn nearest(&self, a: usize, before: Option<usize>) -> usize {
        let mut best = before;
        let mut least = before.map_or(f64::INFINITY, |b| self.between(a, b));
        for b in (0..self.n).filter(|&b| b != a && self.sizes[b] > 0) {
            let distance = self.between(a, b);
            if distance < least || best.is_none() {
                (best, least) = (Some(b), distance);
            }
        }
        best.unwrap_or(a)
    }

    fn between(&self, a: usize, b: usize) -> f64 {
        self.distances[place(a, b)]
    }

    /// Merges two groups; the result keeps the smaller identifier.
    fn join(&mut self, a: usize, b: usize) -> Merge {
        let (a, b) = (a.min(b), a.max(b));
        let height = self.between(a, b);
        let (of_a, of_b) = (self.sizes[a] as f64, self.sizes[b] as f64);
        for c in (0..self.n).filter(|&c| c != a && c != b) {
            if self.sizes[c] > 0 {
                let sizes = (of_a, of_b, self.sizes[c] as f64);
                let distance = self.linkage.updated(sizes, self.between(a, c), self.between(b, c), height);
                self.distances[place(a, c)] = distance;
            }
        }
        self.sizes[a] += self.sizes[b];
        self.sizes[b] = 0;
        Merge { a, b, height }
    }
}

fn place(a: usize, b: usize) -> usize {
    let (low, high) = (a.min(b), a.max(b));
    high * (high.saturating_sub(1)) / 2 + low
}

#[cfg(test)]
mod tests {
    use super::{Distances, average_linkage};
    use crate::progress::Progress;

    fn distances(items: usize, distance: impl Fn(usize, usize) -> f64 + Sync) -> Distances {
        let fill = |a: usize, row: &mut [f64]| row.iter_mut().enumerate().for_each(|(b, x)| *x = distance(a, b));
        Distances::of(items, &Progress::silent(), fill).unwrap()
    }

    /// The definition: repeatedly merges the two groups with the smallest mean distance between their members.
    fn by_definition(points: &[f64], groups: usize) -> Vec<usize> {
        let mut members: Vec<Vec<usize>> = (0..points.len()).map(|i| vec![i]).collect();
        let mean = |a: &[usize], b: &[usize]| {
            let sum: f64 = a.iter().flat_map(|&i| b.iter().map(move |&j| (points[i] - points[j]).abs())).sum();
            sum / (a.len() * b.len()) as f64
        };
        while members.len() > groups {
            let pairs = (0..members.len()).flat_map(|i| (0..i).map(move |j| (j, i)));
            let (a, b) = pairs
                .min_by(|x, y| mean(&members[x.0], &members[x.1]).total_cmp(&mean(&members[y.0], &members[y.1])))
                .unwrap();
            let joined = members.remove(b);
            members[a].extend(joined);
        }
        let mut group = vec![0; points.len()];
        for members in &members {
            let first = *members.iter().min().unwrap();
            members.iter().for_each(|&member| group[member] = first);
        }
        group
    }

    #[test]
    fn groups_are_those_of_the_definition() {
        // No ties, for which the definition would be ambiguous.
        let mut state = 7_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64
        };
        let points: Vec<f64> = (0..40).map(|_| random()).collect();
        for groups in [1, 2, 3, 7, 20, 39, 40, 50] {
            let found = average_linkage(distances(points.len(), |a, b| (points[a] - points[b]).abs()), groups);
            assert_eq!(found, by_definition(&points, groups), "{groups}");
        }
        assert!(average_linkage(distances(0, |_, _| 0.0), 3).is_empty());
        assert_eq!(average_linkage(distances(3, |_, _| 0.0), 1), [0, 0, 0]);
    }
}
