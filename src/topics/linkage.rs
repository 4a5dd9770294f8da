//! Agglomerative clustering with average linkage, for few items: topics.

/// Clusters `n` items (0 to n - 1) into `groups` groups by average linkage over the symmetric `distance`: equivalent to
/// repeatedly merging the two groups with the smallest mean distance. Each item's group is identified by its smallest
/// member. If `groups` is at least `n`, each item is its own group.
///
/// Uses the nearest-neighbor chain algorithm (Murtagh 1983) in O(n²) time; ties are resolved in favor of the smaller
/// index, so the result is deterministic.
pub(crate) fn average_linkage(n: usize, groups: usize, distance: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    let mut merges = Merges::new(n, distance).all();
    // The merges are not found in the order of their heights.
    merges.sort_by(|a, b| a.height.total_cmp(&b.height));
    let mut group: Vec<usize> = (0..n).collect();
    for merge in merges.iter().take(n.saturating_sub(groups.max(1))) {
        let (a, b) = (root(&group, merge.a), root(&group, merge.b));
        group[a.max(b)] = a.min(b);
    }
    (0..n).map(|thing| root(&group, thing)).collect()
}

fn root(group: &[usize], mut thing: usize) -> usize {
    while group[thing] != thing {
        thing = group[thing];
    }
    thing
}

/// Two groups, each identified by one of its members, and their mean distance.
struct Merge {
    a: usize,
    b: usize,
    height: f64,
}

struct Merges {
    n: usize,
    /// Distances between groups: the lower triangle, row by row.
    distances: Vec<f64>,
    /// The size of each group; 0 for a group that was merged into another.
    sizes: Vec<usize>,
}

impl Merges {
    fn new(n: usize, distance: impl Fn(usize, usize) -> f64) -> Self {
        let distances = (0..n).flat_map(|a| (0..a).map(move |b| (a, b))).map(|(a, b)| distance(a, b)).collect();
        Merges { n, distances, sizes: vec![1; n] }
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
                let mean = (of_a * self.between(a, c) + of_b * self.between(b, c)) / (of_a + of_b);
                self.distances[place(a, c)] = mean;
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
    use super::average_linkage;

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
            let found = average_linkage(points.len(), groups, |a, b| (points[a] - points[b]).abs());
            assert_eq!(found, by_definition(&points, groups), "{groups}");
        }
        assert!(average_linkage(0, 3, |_, _| 0.0).is_empty());
        assert_eq!(average_linkage(3, 1, |_, _| 0.0), [0, 0, 0]);
    }
}
