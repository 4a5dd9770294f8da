//! The representative documents of a topic.

use std::collections::{BTreeMap, HashSet};

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::corpus::TextColumn;

/// The `n` rows of each topic with the most representative texts and their scores, in descending order; ties are broken
/// by row. Duplicate texts are included once. Topics without a text are omitted.
pub(crate) fn representative_rows(
    texts: &TextColumn,
    assignments: &[i32],
    scores: &[f64],
    n: usize,
) -> BTreeMap<i32, Vec<(usize, f64)>> {
    let mut by_topic = HashMap::<i32, Vec<(usize, f64)>>::new();
    for (row, (&topic, &score)) in assignments.iter().zip(scores).enumerate() {
        by_topic.entry(topic).or_default().push((row, score));
    }
    let by_topic: Vec<(i32, Vec<(usize, f64)>)> = by_topic.into_iter().collect();
    let best = |(topic, rows)| Some((topic, best_rows(texts, rows, n)?));
    by_topic.into_par_iter().with_max_len(1).filter_map(best).collect()
}

/// The best of `rows`; `None` if no row has a text. Only a few rows are sorted, and only their texts are read.
fn best_rows(texts: &TextColumn, mut rows: Vec<(usize, f64)>, n: usize) -> Option<Vec<(usize, f64)>> {
    let order = |a: &(usize, f64), b: &(usize, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let (mut best, mut seen) = (Vec::new(), HashSet::new());
    let mut rest = &mut rows[..];
    let mut batch = n;
    while best.len() < n && !rest.is_empty() {
        // Twice as many each time: there may be any number of duplicates and of rows without a text.
        batch = batch.saturating_mul(2);
        if batch < rest.len() {
            rest.select_nth_unstable_by(batch, order);
        }
        let (next, after) = rest.split_at_mut(batch.min(rest.len()));
        next.sort_unstable_by(order);
        let is_new = |&&(row, _): &&(usize, f64)| texts.get(row).is_some_and(|text| seen.insert(text));
        best.extend(next.iter().filter(is_new).take(n - best.len()));
        rest = after;
    }
    let has_text = || rows.iter().any(|&(row, _)| texts.get(row).is_some());
    (!best.is_empty() || has_text()).then_some(best)
}
