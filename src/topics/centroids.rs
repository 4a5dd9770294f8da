//! Topic centroids: the mean vector of each topic's rows.

use std::collections::BTreeMap;

use hashbrown::HashSet;
use rayon::prelude::*;

use super::Assignment;
use crate::corpus::Embeddings;
use crate::error::Result;
use crate::linalg::vector_sum::VectorSum;
use crate::linalg::vectors::{cosine, dot, norm};
use crate::state::State;

/// The mean vector of each topic that has a row with a vector, by topic id, summed in row order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Centroids(BTreeMap<i32, Vec<f32>>);

impl Centroids {
    /// The means of the rows' `vectors`.
    pub(crate) fn of(topics: &[i32], vectors: &Embeddings) -> Self {
        Self::of_topics(topics, vectors, |_| true)
    }

    /// From the mean of each topic.
    pub(crate) fn from_means(means: BTreeMap<i32, Vec<f32>>) -> Self {
        Centroids(means)
    }

    fn of_topics(topics: &[i32], vectors: &Embeddings, wanted: impl Fn(i32) -> bool) -> Self {
        let mut rows = BTreeMap::<i32, Vec<usize>>::new();
        for (row, &topic) in topics.iter().enumerate().filter(|(_, topic)| wanted(**topic)) {
            rows.entry(topic).or_default().push(row);
        }
        let mean = |(topic, rows): (i32, Vec<usize>)| {
            let mut sum = None;
            for vector in rows.into_iter().filter_map(|row| vectors.get(row)) {
                sum.get_or_insert_with(|| VectorSum::new(vector.len())).add(vector.iter().copied());
            }
            sum.map(|sum| (topic, sum.mean_f32()))
        };
        let rows: Vec<(i32, Vec<usize>)> = rows.into_iter().collect();
        Centroids(rows.into_par_iter().with_max_len(1).filter_map(mean).collect())
    }

    /// The means after an edit; those of topics with `unchanged` rows (previous to new id) are kept.
    pub(crate) fn regrouped(
        &self,
        unchanged: &BTreeMap<i32, i32>,
        assignment: &Assignment,
        vectors: &Embeddings,
    ) -> Self {
        let known: HashSet<i32> = unchanged.values().copied().collect();
        let Centroids(mut means) = Self::of_topics(&assignment.topics, vectors, |topic| !known.contains(&topic));
        means.extend(unchanged.iter().filter_map(|(before, &after)| Some((after, self.get(*before)?.to_vec()))));
        Centroids(means)
    }

    /// The state of the means.
    pub(crate) fn state(&self) -> State<'static> {
        State::new("centroids")
            .with_values("topics", self.0.keys().copied().collect::<Vec<i32>>())
            .with_values("means", self.0.values().flatten().copied().collect::<Vec<f32>>())
    }

    /// The means of a state, of these dimensions, of topics out of `ids` (ascending).
    pub(crate) fn from_state(mut state: State<'_>, dimensions: usize, ids: &[i32]) -> Result<Self> {
        let topics = state.take_values::<i32>("topics")?;
        let is_known = topics.iter().all(|topic| ids.binary_search(topic).is_ok());
        if !is_known || !topics.is_sorted_by(|a, b| a < b) {
            return Err(state.out_of_range("topics"));
        }
        let means = state.take_exactly::<f32>("means", topics.len().saturating_mul(dimensions))?;
        if !means.iter().all(|x| x.is_finite()) {
            return Err(state.out_of_range("means"));
        }
        let means = means.chunks(dimensions.max(1)).map(<[f32]>::to_vec);
        Ok(Centroids(topics.into_iter().zip(means).collect()))
    }

    /// The mean of a topic.
    pub(crate) fn get(&self, topic: i32) -> Option<&[f32]> {
        self.0.get(&topic).map(Vec::as_slice)
    }

    /// The cosine of `vector` to the mean of a topic.
    pub(super) fn cosine(&self, topic: i32, vector: &[f32]) -> Option<f64> {
        let mean = self.get(topic)?;
        Some(cosine(dot(vector, mean), norm(vector.iter().copied()), norm(mean.iter().copied())))
    }

    /// The means by topic id, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i32, &[f32])> {
        self.0.iter().map(|(&topic, mean)| (topic, mean.as_slice()))
    }
}
