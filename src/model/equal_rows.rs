//! Duplicate rows: rows with equal vectors have the same position, topic and probability.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{Array2, Axis};

use super::TopicModel;
use super::check::{check_labels, check_points, check_runners_up};
use crate::cluster::{Clustering, OUTLIER};
use crate::corpus::{DistinctRows, Embeddings};
use crate::error::{Result, Stage};
use crate::graph::{FittedNeighborGraph, NeighborGraph};
use crate::linalg::vectors::Vectors;
use crate::reduce::{Reducer, Reduction};
use crate::topics::DocumentTerms;
use crate::training::Training;

impl TopicModel {
    fn training<'a>(&self, vectors: Vectors, rows: &'a [usize], labels: Option<&'a [i32]>) -> Training<'a> {
        let training = Training::new(vectors).with_frame_rows(rows).with_seed(self.seed).with_progress(&self.progress);
        match labels {
            Some(labels) => training.with_labels(labels),
            None => training,
        }
    }

    pub(super) fn note_copies(&self, distinct: &DistinctRows) {
        let (rows, repeated) = (distinct.places.len(), distinct.repeated());
        match (repeated, distinct.firsts.len()) {
            (0, _) => {}
            (_, 1) => self.progress.note(
                Stage::Cluster,
                format!("all {rows} rows have the same vector, so they cannot be distinguished"),
            ),
            (_, different) => self.progress.note(
                Stage::Cluster,
                format!(
                    "{repeated} of {rows} rows have the vector of an earlier one ({different} are distinct): duplicates share a topic"
                ),
            ),
        }
    }

    /// The reduced positions of the distinct vectors.
    pub(super) fn reduce(&self, reducer: &dyn Reducer, data: &Rows<'_>, distinct: &DistinctRows) -> Result<Reduction> {
        let all = distinct.repeated() == 0 || reducer.weights_duplicates();
        let given = if all { data.rows } else { &distinct.firsts };
        let labels = data.labels.map(|labels| labels_of(labels, given));
        let training = self.training(data.vectors.of_rows(given)?, given, labels.as_deref());
        let mut reduction = reducer.fit(&training)?;
        check_points(&reduction.embedding, given.len())?;
        if given.len() > distinct.firsts.len() {
            reduction.embedding = reduction.embedding.select(Axis(0), &distinct.first_places());
        }
        Ok(reduction)
    }

    /// Clusters all rows by their positions `points`; rows at the same position have the same cluster.
    pub(super) fn cluster(&self, data: &Rows<'_>, points: Array2<f32>, distinct: &DistinctRows) -> Result<Clustering> {
        self.cluster_rows(data, points.into(), None, distinct)
    }

    /// Clusters all rows by the neighbor graph of their vectors, or of their reduced `points` if there are any, and of
    /// their terms, as far as they were counted.
    pub(super) fn cluster_graph(
        &self,
        settings: NeighborGraph,
        data: &Rows<'_>,
        points: Option<Array2<f32>>,
        distinct: &DistinctRows,
        terms: Option<&DocumentTerms>,
    ) -> Result<Clustering> {
        let (settings, vectors) = match points {
            Some(points) => (settings.of_points(), points.into()),
            None => (settings, data.vectors.of_rows(&distinct.firsts)?),
        };
        let terms = terms.map(|terms| terms.of_rows(&distinct.firsts));
        let graph = settings.fit(vectors.clone(), terms.as_ref(), &self.progress)?;
        self.cluster_rows(data, vectors, Some(&graph), distinct)
    }

    fn cluster_rows(
        &self,
        data: &Rows<'_>,
        vectors: Vectors,
        graph: Option<&FittedNeighborGraph>,
        distinct: &DistinctRows,
    ) -> Result<Clustering> {
        let places = &distinct.places;
        let copies = distinct.repeated() > 0;
        let labels = data.labels.map(|labels| labels_of(labels, data.rows));
        let mut training = self.training(vectors, data.rows, labels.as_deref());
        training.graph = graph;
        if copies {
            training = training.with_places(places);
        }
        let mut clustering = self.clusterer.fit(&training)?;
        check_labels(&clustering.labels, &clustering.probabilities, places.len())?;
        check_runners_up(clustering.runners_up.as_deref(), places.len())?;
        if copies {
            settle_by_majority(&mut clustering, distinct);
        }
        Ok(clustering)
    }
}

/// The rows to cluster.
pub(super) struct Rows<'a> {
    pub(super) vectors: &'a Embeddings,
    /// The rows usable for clustering, ascending.
    pub(super) rows: &'a [usize],
    /// The known label of every row of the frame.
    pub(super) labels: Option<&'a [i32]>,
}

fn labels_of(labels: &[i32], rows: &[usize]) -> Vec<i32> {
    rows.iter().map(|&row| labels.get(row).copied().unwrap_or(OUTLIER)).collect()
}

/// Assigns all rows at the same position the label that most of them have (ties are resolved in favor of the earliest
/// row), and the probability of the first row with that label.
fn settle_by_majority(clustering: &mut Clustering, distinct: &DistinctRows) {
    let mut decides = distinct.first_places();
    let labels = &clustering.labels;
    let labeled = || distinct.places.iter().copied().zip(labels.iter().copied());
    let differs = |&(place, label): &(u32, i32)| labels[decides[place as usize]] != label;
    let disputed: BTreeSet<u32> = labeled().filter(differs).map(|(place, _)| place).collect();
    // For each label at a disputed position: the number of rows with it, and the first such row.
    let mut votes = BTreeMap::<(u32, i32), (usize, usize)>::new();
    for (row, vote) in labeled().enumerate().filter(|(_, (place, _))| disputed.contains(place)) {
        votes.entry(vote).or_insert((0, row)).0 += 1;
    }
    let mut most = BTreeMap::<u32, (usize, usize)>::new();
    for (&(place, _), &(count, first)) in &votes {
        let best = most.entry(place).or_insert((count, first));
        if count > best.0 || count == best.0 && first < best.1 {
            *best = (count, first);
        }
    }
    for (place, (_, first)) in most {
        decides[place as usize] = first;
    }
    for (row, &place) in distinct.places.iter().enumerate() {
        let deciding = decides[place as usize];
        clustering.labels[row] = clustering.labels[deciding];
        clustering.probabilities[row] = clustering.probabilities[deciding];
        if let Some(runners_up) = &mut clustering.runners_up {
            runners_up[row] = runners_up[deciding];
        }
    }
}
