//! The measures of a topic, and the order of topics by them.

use std::collections::BTreeMap;

use crate::measure::mean;

/// How far a topic can be trusted, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TopicQuality {
    pub(crate) topic: i32,
    /// How well its words belong together (NPMI), -1 to 1.
    pub(crate) coherence: Option<f64>,
    /// How well the runs of the clusterer agree on it, 0 to 1.
    pub(crate) stability: Option<f64>,
    /// How much stronger its rows belong to it than to the second best topic, -1 to 1.
    pub(crate) margin: Option<f64>,
    /// How much nearer its images are to each other than to the next topic, -2 to 2.
    pub(crate) separation: Option<f64>,
    /// Its place by the mean of its ranks in what is known, 1 for the topic to trust most.
    pub(crate) rank: Option<usize>,
}

/// The weakest of `qualities`, weakest first: the tenth with the highest ranks, rounded up; none of fewer than four
/// topics, or if nothing is known.
pub(crate) fn weakest(qualities: &[TopicQuality]) -> Vec<i32> {
    if qualities.len() < 4 {
        return Vec::new();
    }
    let mut ranked: Vec<(usize, i32)> = qualities.iter().filter_map(|one| Some((one.rank?, one.topic))).collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    ranked.into_iter().take(qualities.len().div_ceil(10)).map(|(_, topic)| topic).collect()
}

/// Sets the ranks: by the mean of a topic's ranks in each measure that is known of any, ties by topic.
pub(super) fn rank(qualities: &mut [TopicQuality]) {
    let measures: [fn(&TopicQuality) -> Option<f64>; 4] =
        [|one| one.coherence, |one| one.stability, |one| one.margin, |one| one.separation];
    let mut sums = vec![0.0; qualities.len()];
    let mut is_known = false;
    for measure in measures {
        let values: Vec<Option<f64>> = qualities.iter().map(measure).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        is_known = true;
        sums.iter_mut().zip(ranks(&values)).for_each(|(sum, rank)| *sum += rank);
    }
    let mut order: Vec<usize> = (0..qualities.len()).collect();
    order.sort_by(|&a, &b| sums[b].total_cmp(&sums[a]));
    for (place, topic) in order.into_iter().enumerate().filter(|_| is_known) {
        qualities[topic].rank = Some(place + 1);
    }
}

/// How many values are lower than each, counting equal ones half; unknown ones are the lowest.
fn ranks(values: &[Option<f64>]) -> Vec<f64> {
    let values: Vec<f64> = values.iter().map(|value| value.unwrap_or(f64::NEG_INFINITY)).collect();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let rank = |value: &f64| {
        let (lower, equal) = (sorted.partition_point(|x| x < value), sorted.partition_point(|x| x <= value));
        (lower + equal) as f64 / 2.0
    };
    values.iter().map(rank).collect()
}

/// The mean of what several maps have for a topic.
pub(super) fn mean_of(found: &[BTreeMap<i32, f64>], topic: &i32) -> Option<f64> {
    mean(found.iter().filter_map(|of_topics| of_topics.get(topic).copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(topic: i32, coherence: Option<f64>, stability: Option<f64>) -> TopicQuality {
        TopicQuality { topic, coherence, stability, margin: None, separation: None, rank: None }
    }

    #[test]
    fn topics_are_ranked_by_the_measures_that_are_known() {
        let mut topics = [
            quality(0, Some(0.2), Some(0.9)),
            quality(1, None, Some(0.5)),
            quality(2, Some(0.1), Some(0.5)),
            quality(3, Some(0.3), Some(0.95)),
        ];
        rank(&mut topics);
        assert_eq!(topics.map(|topic| topic.rank), [Some(2), Some(4), Some(3), Some(1)]);
        assert_eq!(weakest(&topics), [1]);
        assert!(weakest(&topics[..3]).is_empty());
        let mut unknown = [0, 1, 2, 3].map(|topic| quality(topic, None, None));
        rank(&mut unknown);
        assert!(unknown.iter().all(|topic| topic.rank.is_none()) && weakest(&unknown).is_empty());
    }
}
