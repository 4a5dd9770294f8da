//! How probable each topic is for each row.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1};
use polars::prelude::*;

use super::{Assignment, Centroids};
use crate::cluster::{FittedClusterer, OUTLIER};
use crate::corpus::{DistinctRows, Embeddings, internal};
use crate::error::Result;
use crate::linalg::vectors::{dot, unit};

/// Memberships that are computed at a time, which bounds memory.
const AT_A_TIME: usize = 1 << 22;

/// How probable it is for each row that it belongs to each topic, or to none: the result of
/// [`topic_probabilities`](crate::model::FittedTopicModel::topic_probabilities). The values of a row sum to 1.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// let topics = model.fit(&posts)?;
/// let probabilities = topics.topic_probabilities()?;
/// assert_eq!(probabilities.topics(), [-1, 0, 1]);                   // the columns
/// assert_eq!(probabilities.values().dim(), (20, 3));
/// assert!((probabilities.of(0, topics.labels()[0]).unwrap_or(0.0) - 1.0).abs() < 1e-6);
/// let frame = posts.hstack(probabilities.to_frame()?.columns())?;   // beside the columns of the frame
/// assert_eq!(frame.get_column_names()[1..], ["Probability_-1", "Probability_0", "Probability_1"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TopicProbabilities {
    topics: Vec<i32>,
    first_row: usize,
    values: Array2<f64>,
}

impl TopicProbabilities {
    /// Of `rows` that are outliers for certain.
    pub(crate) fn outliers(topics: &[i32], rows: Range<usize>) -> Self {
        let topics: Vec<i32> = std::iter::once(OUTLIER).chain(topics.iter().copied()).collect();
        let mut values = Array2::zeros((rows.len(), topics.len()));
        values.column_mut(0).fill(1.0);
        TopicProbabilities { topics, first_row: rows.start, values }
    }

    /// The topics, the columns of [`values`](Self::values): -1, which stands for none of them, then the others by id.
    pub fn topics(&self) -> &[i32] {
        &self.topics
    }

    /// The row of the frame that the first row of [`values`](Self::values) is of: 0, but for
    /// [batches](crate::model::FittedTopicModel::topic_probabilities_in_batches).
    pub fn first_row(&self) -> usize {
        self.first_row
    }

    /// The probabilities, rows x [`topics`](Self::topics): 0 to 1, in each row summing to 1.
    pub fn values(&self) -> ArrayView2<'_, f64> {
        self.values.view()
    }

    /// The probabilities, without copying them.
    pub fn into_values(self) -> Array2<f64> {
        self.values
    }

    /// How probable a topic, or -1, is for a row of the frame; `None` if there is no such row or topic here.
    pub fn of(&self, row: usize, topic: i32) -> Option<f64> {
        let column = self.topics.binary_search(&topic).ok()?;
        self.values.get((row.checked_sub(self.first_row)?, column)).copied()
    }

    /// One column for each topic, in the same order: `Probability_-1`, `Probability_0` and so on (Float64).
    ///
    /// # Errors
    /// None in practice.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let column = |(topic, values): (&i32, ArrayView1<'_, f64>)| {
            Column::new(format!("Probability_{topic}").into(), values.to_vec())
        };
        let columns = self.topics.iter().zip(self.values.columns()).map(column).collect();
        DataFrame::new(self.values.nrows(), columns).map_err(internal)
    }

    /// The values of the row with this index here.
    pub(crate) fn row_mut(&mut self, row: usize) -> Option<ArrayViewMut1<'_, f64>> {
        (row < self.values.nrows()).then(|| self.values.row_mut(row))
    }
}

/// How much rows belong to topics.
pub(crate) struct Memberships<'a> {
    assignment: &'a Assignment,
    /// The topics without -1, ascending, and their mean vectors of unit length, if they have any.
    topics: Vec<i32>,
    means: Vec<Option<Vec<f64>>>,
    /// The topics in which the parts of each divided cluster are, by label.
    divided: BTreeMap<i32, BTreeSet<i32>>,
}

impl<'a> Memberships<'a> {
    pub(crate) fn new(assignment: &'a Assignment, centroids: &Centroids) -> Self {
        let topics: Vec<i32> = assignment.ids().into_iter().filter(|&topic| topic != OUTLIER).collect();
        let mean = |&topic: &i32| Some(unit(centroids.get(topic)?.iter().copied()));
        let (means, divided) = (topics.iter().map(mean).collect(), assignment.topics_of_divided());
        Memberships { assignment, topics, means, divided }
    }

    /// The topics without -1, ascending.
    pub(crate) fn topics(&self) -> &[i32] {
        &self.topics
    }

    /// From the membership in each cluster: those of clusters in one topic add up, and what is left is the outliers'. The
    /// membership in a cluster that was divided is that in the part in which the row is, if it is in one (`own` is its
    /// topic, or -1), and otherwise that in the part nearest to `vector`.
    pub(crate) fn by_clusters(
        &self,
        memberships: ArrayView1<'_, f64>,
        own: i32,
        vector: &[f32],
        mut values: ArrayViewMut1<'_, f64>,
    ) {
        values.fill(0.0);
        for (label, &membership) in (0..).zip(memberships) {
            let is_part = self.divided.get(&label).is_some_and(|parts| parts.contains(&own));
            let topic = if is_part { Some(own) } else { self.assignment.topic_of(label, vector) };
            let place = topic.and_then(|topic| self.topics.binary_search(&topic).ok());
            // A clusterer may be anyone's.
            if let Some(value) = place.and_then(|place| values.get_mut(place + 1)).filter(|_| membership > 0.0) {
                *value += membership.min(1.0);
            }
        }
        let sum = values.sum();
        if sum > 1.0 {
            values.iter_mut().for_each(|value| *value /= sum);
        }
        if let Some(outlier) = values.first_mut() {
            *outlier = (1.0 - sum).max(0.0);
        }
    }

    /// From the distances of `vector` to the topics' mean vectors: the memberships of fuzzy c-means with exponent 2, on
    /// the unit sphere. A row that is an outlier is one for certain.
    pub(crate) fn by_centroids(&self, vector: &[f32], topic: i32, mut values: ArrayViewMut1<'_, f64>) {
        values.fill(0.0);
        let vector = unit(vector.iter().copied());
        // Half of the squared distance.
        let distance = |mean: &Option<Vec<f64>>| Some((1.0 - dot(&vector, mean.as_ref()?)).max(0.0));
        let distances: Vec<Option<f64>> = self.means.iter().map(distance).collect();
        let nearest = distances.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let closeness = |distance: f64| match nearest <= f64::EPSILON {
            true => f64::from(u8::from(distance <= f64::EPSILON)),
            false => nearest / distance,
        };
        let closeness: Vec<f64> = distances.into_iter().map(|distance| distance.map_or(0.0, closeness)).collect();
        let sum: f64 = closeness.iter().sum();
        let is_outlier = topic == OUTLIER || sum <= 0.0;
        for (value, closeness) in values.iter_mut().skip(1).zip(closeness).filter(|_| !is_outlier) {
            *value = closeness / sum;
        }
        if let Some(outlier) = values.first_mut().filter(|_| is_outlier) {
            *outlier = 1.0;
        }
    }
}

/// The fitted rows, with what the clusterer knows of them.
pub(crate) struct FittedMemberships<'a> {
    memberships: &'a Memberships<'a>,
    clusterer: &'a dyn FittedClusterer,
    /// The rows with a vector, ascending.
    rows: &'a [usize],
    vectors: &'a Embeddings,
    distinct: DistinctRows,
    /// Those of all points, if the clusterer does not tell them for some.
    of_all: Option<Array2<f64>>,
}

impl<'a> FittedMemberships<'a> {
    pub(crate) fn new(
        memberships: &'a Memberships<'a>,
        clusterer: &'a dyn FittedClusterer,
        rows: &'a [usize],
        vectors: &'a Embeddings,
    ) -> Result<Self> {
        let distinct = DistinctRows::of(vectors, rows);
        let of_all = match clusterer.membership_vectors_of(&[])? {
            Some(_) => None,
            None => clusterer.membership_vectors()?,
        };
        Ok(FittedMemberships { memberships, clusterer, rows, vectors, distinct, of_all })
    }

    /// The number of rows at a time that bounds memory.
    pub(crate) fn batch(&self) -> usize {
        (AT_A_TIME / self.memberships.assignment.clusters().max(1)).max(1)
    }

    /// The probabilities of these rows of the frame.
    pub(crate) fn of_range(&self, rows: Range<usize>) -> Result<TopicProbabilities> {
        let values = self.of_rows(&rows.clone().collect::<Vec<usize>>())?;
        Ok(TopicProbabilities {
            values,
            ..TopicProbabilities::outliers(self.memberships.topics(), rows.start..rows.start)
        })
    }

    /// The probabilities of these rows of the frame, in the given order.
    pub(crate) fn of_rows(&self, rows: &[usize]) -> Result<Array2<f64>> {
        let mut found = TopicProbabilities::outliers(self.memberships.topics(), 0..rows.len()).values;
        let position = |row: &usize| self.rows.binary_search(row).ok();
        let positions: Vec<Option<usize>> = rows.iter().map(position).collect();
        let place = |position: &Option<usize>| Some(*self.distinct.places.get((*position)?)? as usize);
        let places: Vec<Option<usize>> = positions.iter().map(place).collect();
        let mut distinct: Vec<usize> = places.iter().flatten().copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let some = self.clusterer.membership_vectors_of(&distinct)?;
        let some = some.filter(|memberships| memberships.nrows() == distinct.len());
        for (at, mut values) in found.outer_iter_mut().enumerate() {
            let (Some(&row), Some(&Some(place)), Some(&Some(position))) =
                (rows.get(at), places.get(at), positions.get(at))
            else {
                continue;
            };
            let own = self.memberships.assignment.topics.get(row).copied().unwrap_or(OUTLIER);
            let membership = match &some {
                Some(some) => distinct.binary_search(&place).ok().map(|place| some.row(place)),
                None => self.of_point(place, position),
            };
            match (membership, self.vectors.get(row)) {
                (Some(membership), vector) => {
                    self.memberships.by_clusters(membership, own, vector.unwrap_or_default(), values.view_mut());
                }
                (None, Some(vector)) => self.memberships.by_centroids(vector, own, values.view_mut()),
                (None, None) => {}
            }
        }
        Ok(found)
    }

    fn of_point(&self, place: usize, position: usize) -> Option<ArrayView1<'_, f64>> {
        let of_all = self.of_all.as_ref()?;
        let point = match of_all.nrows() {
            points if points == self.distinct.firsts.len() => place,
            points if points == self.rows.len() => position,
            _ => return None,
        };
        (point < of_all.nrows()).then(|| of_all.row(point))
    }
}
