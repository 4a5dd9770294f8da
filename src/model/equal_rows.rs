//! Rows with equal vectors belong together: they lie at one place, and have one topic and one probability.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Axis;

use super::TopicModel;
use super::check::{check_labels, check_points};
use crate::cluster::Clustering;
use crate::corpus::{DistinctRows, Embeddings};
use crate::error::{Result, Stage};
use crate::reduce::Reduction;

impl TopicModel {
    pub(super) fn note_copies(&self, distinct: &DistinctRows) {
        let (rows, repeated) = (distinct.places.len(), distinct.repeated());
        match (repeated, distinct.firsts.len()) {
            (0, _) => {}
            (_, 1) => self.progress.note(
                Stage::Cluster,
                format!("all {rows} rows have the same vector, so they cannot be told apart"),
            ),
            (_, different) => self.progress.note(
                Stage::Cluster,
                format!(
                    "{repeated} of {rows} rows repeat an earlier one ({different} are distinct): duplicates share a topic"
                ),
            ),
        }
    }

    /// The places of the distinct vectors.
    pub(super) fn reduce(&self, embeddings: &Embeddings, rows: &[usize], distinct: &DistinctRows) -> Result<Reduction> {
        let all = distinct.repeated() == 0 || self.reducer.counts_copies();
        let given = if all { rows } else { &distinct.firsts };
        let mut reduction = self.reducer.fit_shared(&embeddings.of_rows(given)?, self.seed, &self.progress)?;
        check_points(&reduction.embedding, given.len())?;
        if given.len() > distinct.firsts.len() {
            reduction.embedding = reduction.embedding.select(Axis(0), &distinct.first_places());
        }
        Ok(reduction)
    }

    /// The clusters of all rows; rows at one place agree.
    pub(super) fn cluster(&self, reduction: &Reduction, distinct: &DistinctRows) -> Result<Clustering> {
        let (points, places) = (reduction.embedding.view(), &distinct.places);
        let copies = distinct.repeated() > 0;
        let mut clustering = match copies {
            true => self.clusterer.fit_copies(points, places, self.seed, &self.progress)?,
            false => self.clusterer.fit(points, self.seed, &self.progress)?,
        };
        check_labels(&clustering.labels, &clustering.probabilities, places.len())?;
        if copies {
            settle_by_majority(&mut clustering, distinct);
        }
        Ok(clustering)
    }
}

/// Gives all rows at one place the label that most of them have, of equally frequent ones that of the earliest row, and
/// the probability of the first row that has it.
fn settle_by_majority(clustering: &mut Clustering, distinct: &DistinctRows) {
    let mut decides = distinct.first_places();
    let labels = &clustering.labels;
    let labeled = || distinct.places.iter().copied().zip(labels.iter().copied());
    let differs = |&(place, label): &(u32, i32)| labels[decides[place as usize]] != label;
    let disputed: BTreeSet<u32> = labeled().filter(differs).map(|(place, _)| place).collect();
    // For each label at a disputed place: how many rows have it, and the first that does.
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
    }
}
