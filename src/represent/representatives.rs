//! The representative documents of a topic.

use std::collections::{BTreeMap, HashSet};

use hashbrown::HashMap;
use rayon::prelude::*;

use serde::{Deserialize, Serialize};

use super::coverage::covering_rows;
use crate::corpus::{Embeddings, TextColumn};
use crate::linalg::sparse::CsrMatrix;

/// The rows that have a text, and which of them have the same.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TextRows<'a> {
    /// By the texts.
    Texts(&'a TextColumn),
    /// Without the texts, by what is known of them.
    Known {
        /// The rows that have a text, ascending.
        rows: &'a [usize],
        /// The number of occurrences of each term in each of these texts.
        counts: &'a CsrMatrix<u32>,
        /// The vectors of texts, by row.
        vectors: Option<&'a Embeddings>,
    },
}

/// What tells a text from others.
#[derive(Debug, PartialEq, Eq, Hash)]
enum TextKey<'a> {
    Text(&'a str),
    /// Its terms, their counts, and the bits of its vector.
    Known(&'a [u32], &'a [u32], Option<Vec<u32>>),
}

impl TextRows<'_> {
    /// The key of a row's text; `None` if it has none.
    fn key(&self, row: usize) -> Option<TextKey<'_>> {
        match self {
            TextRows::Texts(texts) => texts.get(row).map(TextKey::Text),
            TextRows::Known { rows, counts, vectors } => {
                let (terms, counts) = counts.row(rows.binary_search(&row).ok()?);
                let vector = vectors.and_then(|vectors| vectors.get(row));
                let bits = |vector: &[f32]| vector.iter().map(|x| x.to_bits()).collect();
                Some(TextKey::Known(terms, counts, vector.map(bits)))
            }
        }
    }
}

/// Which rows or images represent a topic.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["a cat sleeps", "a cat eats", "a dog runs", "a fast train", "the train"].repeat(8))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin())
///     .reducer(NoReduction)
///     .clusterer(KMeans::new(2))
///     .nr_repr_docs(2)
///     .representatives(Representatives::Coverage);
/// let topics = model.fit(&posts)?;
/// assert_eq!(topics.get_representative_docs(0).map(|docs| docs.len()), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Representatives {
    /// The best ones: those with the highest scores, which may be much alike.
    #[default]
    Best,
    /// Those that together cover the topic: each row is similar to one of them (facility location on the vectors minus
    /// their mean). The first one covers most rows. Of topics with more than 512 distinct
    /// texts or images, that many are compared.
    Coverage,
}

/// Like [`representative_rows`], but rows that together cover the topic by their `vectors`, the one that covers most
/// first. Topics whose texts have no vectors have the best ones.
pub(crate) fn covering_representatives(
    texts: TextRows<'_>,
    assignments: &[i32],
    scores: &[f64],
    vectors: &Embeddings,
    n: usize,
) -> BTreeMap<i32, Vec<(usize, f64)>> {
    let cover = |(topic, rows): (i32, Vec<(usize, f64)>)| {
        let mut seen = HashSet::new();
        let is_new = |row: &usize| vectors.has(*row) && texts.key(*row).is_some_and(|text| seen.insert(text));
        let distinct: Vec<usize> = rows.iter().map(|&(row, _)| row).filter(is_new).collect();
        if distinct.is_empty() {
            return Some((topic, best_rows(texts, rows, n)?));
        }
        let score = |row: usize| (row, scores.get(row).copied().unwrap_or_default());
        Some((topic, covering_rows(&distinct, vectors, n).into_iter().map(score).collect()))
    };
    by_topic(assignments, scores).into_par_iter().with_max_len(1).filter_map(cover).collect()
}

/// The `n` rows of each topic with the most representative texts and their scores, in descending order; ties are broken
/// by row. Duplicate texts are included once. Topics without a text are omitted.
pub(crate) fn representative_rows(
    texts: TextRows<'_>,
    assignments: &[i32],
    scores: &[f64],
    n: usize,
) -> BTreeMap<i32, Vec<(usize, f64)>> {
    let best = |(topic, rows)| Some((topic, best_rows(texts, rows, n)?));
    by_topic(assignments, scores).into_par_iter().with_max_len(1).filter_map(best).collect()
}

/// The rows of each topic with their scores.
fn by_topic(assignments: &[i32], scores: &[f64]) -> Vec<(i32, Vec<(usize, f64)>)> {
    let mut by_topic = HashMap::<i32, Vec<(usize, f64)>>::new();
    for (row, (&topic, &score)) in assignments.iter().zip(scores).enumerate() {
        by_topic.entry(topic).or_default().push((row, score));
    }
    by_topic.into_iter().collect()
}

/// The best of `rows`; `None` if no row has a text. Only a few rows are sorted, and only their texts are read.
fn best_rows(texts: TextRows<'_>, mut rows: Vec<(usize, f64)>, n: usize) -> Option<Vec<(usize, f64)>> {
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
        let is_new = |&&(row, _): &&(usize, f64)| texts.key(row).is_some_and(|text| seen.insert(text));
        best.extend(next.iter().filter(is_new).take(n - best.len()));
        rest = after;
    }
    let has_text = || rows.iter().any(|&(row, _)| texts.key(row).is_some());
    (!best.is_empty() || has_text()).then_some(best)
}
