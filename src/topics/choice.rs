//! Choosing outliers: which rows are set aside, and which of those that the clusterer left out are taken in.

use std::cmp::Ordering;

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

use super::assignment::NO_RUNNER_UP;
use super::nearest::{Nearest, nearest_topics};
use super::outliers::{Admission, Outliers};
use super::{Assignment, Centroids};
use crate::cluster::{FittedClusterer, OUTLIER};
use crate::corpus::{DistinctRows, Embeddings};
use crate::error::{Result, Stage};
use crate::progress::{Progress, Task};

/// Memberships that are computed at a time, which bounds memory.
const MEMBERSHIPS: usize = 1 << 22;

/// The rows that were clustered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClusteredRows<'a> {
    /// The rows with a vector, ascending.
    pub(crate) rows: &'a [usize],
    pub(crate) vectors: &'a Embeddings,
    pub(crate) clusterer: &'a dyn FittedClusterer,
    pub(crate) progress: &'a Progress,
}

/// A row and the topic in which it is, or would be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) row: usize,
    /// The index of its vector among the distinct ones.
    pub(super) place: u32,
    pub(super) topic: i32,
    pub(super) strength: f64,
    /// The cosine to the topic's centroid; for rows that the clusterer left out, to the nearest centroid.
    pub(super) cosine: f64,
    /// Whether the clusterer tells the topic and the strength.
    pub(super) is_told: bool,
}

/// The strongest first; among equally strong rows, those nearest to their topic, then earlier rows, where rows with
/// equal vectors follow each other.
pub(super) fn by_strength(a: &Candidate, b: &Candidate) -> Ordering {
    b.strength
        .total_cmp(&a.strength)
        .then(b.cosine.total_cmp(&a.cosine))
        .then(a.place.cmp(&b.place))
        .then(a.row.cmp(&b.row))
}

impl Assignment {
    /// The topics of the same rows with these outliers. Only the clusterer and edits matter, not the outliers before.
    ///
    /// # Errors
    /// The clusterer cannot tell its memberships.
    pub(crate) fn with_outliers(self, outliers: Outliers, clustered: &ClusteredRows<'_>) -> Result<Self> {
        let before = self.without_choice();
        let mut belongs: Vec<(i32, f64)> =
            before.topics.iter().copied().zip(before.probabilities.iter().copied()).collect();
        let admission = match outliers {
            Outliers::AsClustered => return Ok(before),
            Outliers::None => {
                for row in clustered.left_out(&before)? {
                    belongs[row.row] = (row.topic, row.strength);
                }
                Admission { nearest: Some(f64::NEG_INFINITY), ..Admission::default() }
            }
            Outliers::Below(probability) => {
                belongs.iter_mut().filter(|(_, strength)| *strength < probability).for_each(|row| *row = NO_RUNNER_UP);
                Admission { lowest: Some((probability, f64::NEG_INFINITY)), ..Admission::default() }
            }
            Outliers::Share(share) => {
                let wanted = (share * clustered.rows.len() as f64).round() as usize;
                let left_out = clustered.rows.iter().filter(|&&row| before.topics[row] == OUTLIER).count();
                match left_out > wanted {
                    true => take_in(&mut belongs, clustered.left_out(&before)?, left_out - wanted),
                    false => set_aside(&mut belongs, clustered.in_topics(&before), wanted - left_out),
                }
            }
        };
        Ok(before.with_choice(&belongs, outliers, admission))
    }
}

/// Puts the strongest `count` of the rows that were `left_out` into their topics.
fn take_in(belongs: &mut [(i32, f64)], mut left_out: Vec<Candidate>, count: usize) -> Admission {
    left_out.sort_unstable_by(by_strength);
    for row in left_out.iter().take(count) {
        belongs[row.row] = (row.topic, row.strength);
    }
    // As large a part of new rows that are left out is to be taken in. Their strengths are not known, but cosines are.
    left_out.sort_unstable_by(|a, b| b.cosine.total_cmp(&a.cosine));
    let last = left_out.get(count.wrapping_sub(1)).or(left_out.last());
    Admission { nearest: last.map(|row| row.cosine), ..Admission::default() }
}

/// Takes the weakest `count` of the rows `in_topics` out of their topics.
fn set_aside(belongs: &mut [(i32, f64)], mut in_topics: Vec<Candidate>, count: usize) -> Admission {
    if count == 0 {
        return Admission::default();
    }
    in_topics.sort_unstable_by(by_strength);
    let kept = in_topics.len().saturating_sub(count);
    for row in in_topics.iter().skip(kept) {
        belongs[row.row] = NO_RUNNER_UP;
    }
    let weakest = in_topics.iter().take(kept).next_back().map(|row| (row.strength, row.cosine));
    Admission { lowest: Some(weakest.unwrap_or((f64::INFINITY, f64::INFINITY))), ..Admission::default() }
}

impl ClusteredRows<'_> {
    /// The rows in topics.
    fn in_topics(&self, before: &Assignment) -> Vec<Candidate> {
        let centroids = Centroids::of(&before.topics, self.vectors);
        let distinct = DistinctRows::of(self.vectors, self.rows);
        let candidate = |(&row, &place): (&usize, &u32)| {
            let topic = before.topics[row];
            let cosine = centroids.cosine(topic, self.vectors.get(row)?)?;
            let strength = before.probabilities[row];
            (topic != OUTLIER).then_some(Candidate { row, place, topic, strength, cosine, is_told: true })
        };
        self.rows.par_iter().zip(&distinct.places).filter_map(candidate).collect()
    }

    /// The rows that the clusterer left out, with the topic in which they belong most; none if there are no topics.
    pub(super) fn left_out(&self, before: &Assignment) -> Result<Vec<Candidate>> {
        let distinct = DistinctRows::of(self.vectors, self.rows);
        let is_left_out = |row: usize| before.topics[row] == OUTLIER;
        // By hand, rows with equal vectors may have been put apart.
        let mut firsts: Vec<Option<usize>> = vec![None; distinct.firsts.len()];
        for (&row, &place) in self.rows.iter().zip(&distinct.places).filter(|(row, _)| is_left_out(**row)) {
            if let Some(first) = firsts.get_mut(place as usize) {
                *first = first.or(Some(row));
            }
        }
        let firsts: Vec<(u32, usize)> = (0..).zip(firsts).filter_map(|(place, first)| Some((place, first?))).collect();
        let rows: Vec<usize> = firsts.iter().map(|&(_, row)| row).collect();
        let places: Vec<usize> = firsts.iter().map(|&(place, _)| place as usize).collect();
        let nearest = match rows.is_empty() {
            true => Vec::new(),
            false => {
                let centroids = Centroids::of(&before.topics, self.vectors);
                nearest_topics(&self.vectors.of_rows(&rows)?, &centroids, self.progress)?
            }
        };
        let memberships = self.memberships(before, &distinct, &places)?;
        let belongs: Vec<Option<(i32, f64, f64, bool)>> = (rows.iter().zip(nearest).zip(memberships))
            .map(|((&row, nearest), membership)| {
                let Nearest { topic, share, cosine } = nearest?;
                let runner_up = before.runners_up.as_ref().and_then(|all| all.get(row).copied());
                let runner_up = runner_up.filter(|&(topic, _)| topic != OUTLIER);
                let told = runner_up.or(membership);
                let (topic, strength) = told.unwrap_or((topic, share));
                Some((topic, strength, cosine, told.is_some()))
            })
            .collect();
        let candidate = |(&row, &place): (&usize, &u32)| {
            let found = places.binary_search(&(place as usize)).ok()?;
            let (topic, strength, cosine, is_told) = (*belongs.get(found)?)?;
            is_left_out(row).then_some(Candidate { row, place, topic, strength, cosine, is_told })
        };
        Ok(self.rows.iter().zip(&distinct.places).filter_map(candidate).collect())
    }

    /// The topic with the largest membership of each of the distinct vectors `places`, and that membership, if the
    /// clusterer tells.
    fn memberships(
        &self,
        before: &Assignment,
        distinct: &DistinctRows,
        places: &[usize],
    ) -> Result<Vec<Option<(i32, f64)>>> {
        let labels = Labels::new(before);
        let task = self.progress.task(Stage::Topics, "memberships", places.len());
        let mut found = Vec::new();
        for some in places.chunks((MEMBERSHIPS / before.clusters().max(1)).max(1)) {
            if task.is_interrupted() {
                break;
            }
            match self.clusterer.membership_vectors_of(some)? {
                Some(memberships) if memberships.nrows() == some.len() => {
                    let of_place = |(at, &place): (usize, &usize)| {
                        labels.strongest(memberships.row(at), self.vector_at(distinct, place))
                    };
                    found.par_extend(some.par_iter().enumerate().map(of_place));
                }
                _ => return self.select_memberships(&labels, distinct, places, task),
            }
            task.advance(some.len());
        }
        task.finish()?;
        Ok(found)
    }

    fn vector_at(&self, distinct: &DistinctRows, place: usize) -> &[f32] {
        distinct.firsts.get(place).and_then(|&row| self.vectors.get(row)).unwrap_or_default()
    }

    /// The same, from the memberships of all fitted points.
    fn select_memberships(
        &self,
        labels: &Labels<'_>,
        distinct: &DistinctRows,
        places: &[usize],
        task: Task,
    ) -> Result<Vec<Option<(i32, f64)>>> {
        let memberships = self.clusterer.membership_vectors()?.unwrap_or(Array2::zeros((0, 0)));
        let first_places = distinct.first_places();
        let point = |place: usize| match memberships.nrows() {
            points if points == distinct.firsts.len() => Some(place),
            points if points == self.rows.len() => first_places.get(place).copied(),
            _ => None,
        };
        let of_place = |&place: &usize| {
            let of_point = point(place).filter(|&point| point < memberships.nrows())?;
            labels.strongest(memberships.row(of_point), self.vector_at(distinct, place))
        };
        let found = places.par_iter().map(of_place).collect();
        task.finish()?;
        Ok(found)
    }
}

/// The topics of cluster labels.
struct Labels<'a> {
    before: &'a Assignment,
    /// For each label that is not divided, its topic, if it has one.
    whole: Vec<Option<Option<i32>>>,
}

impl<'a> Labels<'a> {
    fn new(before: &'a Assignment) -> Self {
        let labels = i32::try_from(before.clusters()).unwrap_or(i32::MAX);
        Labels { before, whole: (0..labels).map(|label| before.topic_of_all(label)).collect() }
    }

    /// The topic to which a row with this vector belongs most, and how much; the memberships of clusters in one topic add
    /// up.
    fn strongest(&self, memberships: ArrayView1<'_, f64>, vector: &[f32]) -> Option<(i32, f64)> {
        let mut of_topics = vec![0.0; self.before.topic_count()];
        for (label, &membership) in memberships.iter().enumerate().filter(|(_, membership)| **membership > 0.0) {
            let topic = match self.whole.get(label) {
                Some(Some(topic)) => *topic,
                _ => i32::try_from(label).ok().and_then(|label| self.before.topic_of(label, vector)),
            };
            let topic = topic.and_then(|topic| usize::try_from(topic).ok());
            if let Some(sum) = topic.and_then(|topic| of_topics.get_mut(topic)) {
                *sum += membership;
            }
        }
        let best = (0..).zip(of_topics).max_by(|a: &(i32, f64), b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        best.filter(|&(_, sum)| sum > 0.0).map(|(topic, sum)| (topic, sum.min(1.0)))
    }
}
