//! The representative documents of a topic.

use std::collections::{BTreeMap, HashSet};

use rayon::prelude::*;

use crate::corpus::TextColumn;

/// The `n` rows of each topic with the most representative texts and their scores, in descending order; ties are broken
/// by row. Duplicate texts are included once.
pub(crate) fn representative_rows(
    texts: &TextColumn,
    assignments: &[i32],
    scores: &[f64],
    n: usize,
) -> BTreeMap<i32, Vec<(usize, f64)>> {
    let mut by_topic = BTreeMap::<i32, Vec<(usize, f64)>>::new();
    for (row, (&topic, &score)) in assignments.iter().zip(scores).enumerate() {
        if texts.get(row).is_some() {
            by_topic.entry(topic).or_default().push((row, score));
        }
    }
    by_topic.par_iter_mut().for_each(|(_, rows)| {
        rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut seen = HashSet::new();
        rows.retain(|&(row, _)| seen.len() < n && texts.get(row).is_some_and(|text| seen.insert(text)));
    });
    by_topic
}
