//! Ranking the images of a topic: the rows with an image, best first.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use rayon::prelude::*;

use super::super::coverage::covering_rows;
use crate::corpus::{Embeddings, ImageColumn};
use crate::linalg::vector_sum::VectorSum;
use crate::linalg::vectors::{cosine, norm};

/// The rows with images of every topic and their scores, best first.
///
/// ```
/// use topicframe::corpus::ImageColumn;
/// use topicframe::prelude::*;
/// use topicframe::represent::Ranking;
///
/// let frame = df!("image" => [Some("a.png"), None, Some("c.png"), Some("d.png")])?;
/// let images = ImageColumn::read(&frame, "image", "photos".as_ref())?;
/// let ranking = Ranking::by_text(&[0, 1], &[0, 0, 0, 1], &images, &[0.3, 0.9, 0.6, 0.5]);
/// assert_eq!(ranking.topics()[&0], [(2, 0.6), (0, 0.3)]);           // row 1 has no image
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    topics: BTreeMap<i32, Vec<(usize, f64)>>,
}

impl Ranking {
    /// Ranks a topic's images by the cosine similarity between their embeddings and the topic's mean image embedding,
    /// -1 to 1. The mean is computed from the normalized embeddings. Ties are broken by row. Rows with an image but
    /// without an embedding are not candidates: the image could not be read when the embeddings were computed.
    ///
    /// `assignments` contains the topic of each row; only `topics` are ranked.
    pub fn by_image(topics: &[i32], assignments: &[i32], images: &ImageColumn, vectors: &Embeddings) -> Self {
        let rows = rows_of_topics(topics, assignments, |row| images.has(row) && vectors.has(row));
        Self::by_mean(&rows, vectors)
    }

    fn by_mean(rows: &BTreeMap<i32, Vec<usize>>, vectors: &Embeddings) -> Self {
        let scored: Vec<_> = rows.par_iter().map(|(&topic, rows)| (topic, score_by_mean(rows, vectors))).collect();
        Self::sorted(scored)
    }

    /// As [`by_image`](Self::by_image), of images that are known only by their vectors.
    pub(crate) fn by_vector(topics: &[i32], assignments: &[i32], vectors: &Embeddings) -> Self {
        let rows = rows_of_topics(topics, assignments, |row| vectors.has(row));
        Self::by_mean(&rows, vectors)
    }

    /// Ranks a topic's images by how representative the text of their row is of the topic (`scores`, one per row). Ties
    /// are broken by row.
    ///
    /// `assignments` contains the topic of each row; only `topics` are ranked.
    pub fn by_text(topics: &[i32], assignments: &[i32], images: &ImageColumn, scores: &[f64]) -> Self {
        let rows = rows_of_topics(topics, assignments, |row| images.has(row));
        let score = |row: &usize| (*row, scores.get(*row).copied().filter(|score| score.is_finite()).unwrap_or(0.0));
        Self::sorted(rows.into_iter().map(|(topic, rows)| (topic, rows.iter().map(score).collect())))
    }

    /// The same images, with `n` of each topic first that together cover it by `vectors`, the one that covers most first:
    /// each image is similar to one of them ([`Representatives::Coverage`](super::super::Representatives::Coverage)).
    /// Scores are unchanged.
    #[must_use]
    pub fn covering(self, vectors: &Embeddings, n: usize) -> Self {
        let reorder = |(topic, images): (i32, Vec<(usize, f64)>)| {
            let mut rows: Vec<usize> = images.iter().map(|&(row, _)| row).filter(|&row| vectors.has(row)).collect();
            rows.sort_unstable();
            let first = covering_rows(&rows, vectors, n);
            let places: HashMap<usize, usize> = first.into_iter().zip(0..).collect();
            let mut images = images;
            // The sort is stable: the others stay in their order.
            images.sort_by_key(|(row, _)| places.get(row).copied().unwrap_or(usize::MAX));
            (topic, images)
        };
        Ranking { topics: self.topics.into_par_iter().map(reorder).collect() }
    }

    fn sorted(topics: impl IntoIterator<Item = (i32, Vec<(usize, f64)>)>) -> Self {
        let best_first = |(topic, mut rows): (i32, Vec<(usize, f64)>)| {
            rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            (topic, rows)
        };
        Ranking { topics: topics.into_iter().map(best_first).collect() }
    }

    /// The rows of each topic with their scores, best first.
    pub fn topics(&self) -> &BTreeMap<i32, Vec<(usize, f64)>> {
        &self.topics
    }
}

/// The rows of each topic that have an image.
fn rows_of_topics(topics: &[i32], assignments: &[i32], has_image: impl Fn(usize) -> bool) -> BTreeMap<i32, Vec<usize>> {
    let mut rows: BTreeMap<i32, Vec<usize>> = topics.iter().map(|&topic| (topic, Vec::new())).collect();
    for (row, topic) in assignments.iter().enumerate() {
        if let Some(rows) = rows.get_mut(topic).filter(|_| has_image(row)) {
            rows.push(row);
        }
    }
    rows
}

fn score_by_mean(rows: &[usize], vectors: &Embeddings) -> Vec<(usize, f64)> {
    // The sum has the direction of the mean.
    let mut sum = VectorSum::new(vectors.dimensions());
    for vector in rows.iter().filter_map(|&row| vectors.get(row)) {
        let norm = norm(vector.iter().copied());
        if norm > 0.0 {
            sum.add(vector.iter().map(|&x| f64::from(x) / norm));
        }
    }
    let sum = sum.sum();
    let length = norm(sum.iter().copied());
    let score = |row: usize| {
        let vector = vectors.get(row).unwrap_or_default();
        let dot: f64 = sum.iter().zip(vector).map(|(a, &b)| a * f64::from(b)).sum();
        cosine(dot, length, norm(vector.iter().copied()))
    };
    rows.iter().map(|&row| (row, score(row))).collect()
}
