//! Whether clusterings of the same rows agree.

use std::collections::BTreeMap;
use std::hash::Hash;

use hashbrown::HashMap;
use rayon::prelude::*;

use super::mean;

/// The agreement of two clusterings of the same rows, by label: the Rand index, corrected for chance (Hubert and Arabie
/// 1985). 1 if they are the same up to the labels' names, about 0 for independent ones. An outlier label counts as any
/// other. As in scikit-learn, two clusterings without any pair to tell apart agree.
///
/// ```
/// use topicframe::measure::adjusted_rand_index;
///
/// assert_eq!(adjusted_rand_index(&[0, 0, 1, 1], &[7, 7, 3, 3]), 1.0);
/// assert!((adjusted_rand_index(&[0, 0, 1, 1], &[0, 1, 0, 1]) + 0.5).abs() < 1e-12);
/// ```
pub fn adjusted_rand_index<L: Copy + Eq + Hash>(a: &[L], b: &[L]) -> f64 {
    let together = pairs(sizes(a.iter().zip(b)).into_values());
    let (of_a, of_b) = (pairs(sizes(a.iter()).into_values()), pairs(sizes(b.iter()).into_values()));
    let all = pairs([a.len().min(b.len()) as u64]);
    let expected = if all > 0.0 { of_a * of_b / all } else { 0.0 };
    let most = (of_a + of_b) / 2.0;
    if most == expected { 1.0 } else { (together - expected) / (most - expected) }
}

/// The number of pairs of rows in the same group.
fn pairs(groups: impl IntoIterator<Item = u64>) -> f64 {
    groups.into_iter().map(|rows| rows * rows.saturating_sub(1) / 2).sum::<u64>() as f64
}

/// The mean [`adjusted_rand_index`] of all pairs of `runs`; `None` of fewer than two.
pub(crate) fn mean_agreement(runs: &[Vec<i32>]) -> Option<f64> {
    let pairs: Vec<(usize, usize)> = (0..runs.len()).flat_map(|a| (0..a).map(move |b| (a, b))).collect();
    let agreements: Vec<f64> = pairs.par_iter().map(|&(a, b)| adjusted_rand_index(&runs[a], &runs[b])).collect();
    mean(agreements)
}

/// How well a clustering reproduces each topic, given the topic and the cluster of each row (-1 for none): the Jaccard
/// similarity of the topic and what matches it best, 0 to 1. That is either a single cluster, or all clusters with more
/// than half of their rows in the topic, since a clustering may divide a topic further without disputing it.
pub(crate) fn best_matches(rows: impl Iterator<Item = (i32, i32)> + Clone) -> BTreeMap<i32, f64> {
    let topics = sizes(rows.clone().map(|(topic, _)| topic));
    let clusters = sizes(rows.clone().map(|(_, cluster)| cluster));
    let mut best: BTreeMap<i32, f64> = topics.keys().filter(|&&topic| topic >= 0).map(|&topic| (topic, 0.0)).collect();
    // For each topic, the rows of its clusters, and how many of these are in the topic.
    let mut unions = HashMap::<i32, (u64, u64)>::new();
    for ((topic, cluster), both) in sizes(rows).into_iter().filter(|((topic, cluster), _)| *topic >= 0 && *cluster >= 0)
    {
        let size = clusters[&cluster];
        let single = jaccard(topics[&topic], size, both);
        best.entry(topic).and_modify(|best| *best = best.max(single));
        if 2 * both > size {
            let (rows, inside) = unions.entry(topic).or_default();
            *rows += size;
            *inside += both;
        }
    }
    for (topic, (rows, inside)) in unions {
        let union = jaccard(topics[&topic], rows, inside);
        best.entry(topic).and_modify(|best| *best = best.max(union));
    }
    best
}

/// The similarity of two sets of `a` and `b` elements, of which they share `both`.
fn jaccard(a: u64, b: u64, both: u64) -> f64 {
    both as f64 / (a + b - both) as f64
}

fn sizes<K: Eq + Hash>(keys: impl Iterator<Item = K>) -> HashMap<K, u64> {
    let mut sizes = HashMap::new();
    for key in keys {
        *sizes.entry(key).or_insert(0) += 1;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_matched_by_one_cluster_or_by_its_parts() {
        let matches =
            |topics: &[i32], clusters: &[i32]| best_matches(topics.iter().copied().zip(clusters.iter().copied()));
        assert_eq!(matches(&[0, 0, 0, 0, 1, 1], &[5, 5, 6, 6, 7, 7]), BTreeMap::from([(0, 1.0), (1, 1.0)]));
        // A cluster of both topics is more than half of the first one's.
        assert_eq!(matches(&[0, 0, 0, 1, 1], &[4, 4, 4, 4, -1]), BTreeMap::from([(0, 0.75), (1, 0.2)]));
        assert_eq!(matches(&[0, 0, -1, -1], &[-1, -1, 3, 3]), BTreeMap::from([(0, 0.0)]));
    }
}
