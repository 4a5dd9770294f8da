//! A requested number of topics, and merging topics with similar means until there are no more than that.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ndarray::Array2;

use super::TopicModel;
use crate::cluster::{Clusterer, Clustering, Hdbscan, OUTLIER};
use crate::corpus::Embeddings;
use crate::encode::Encoded;
use crate::error::{Error, Result, Stage};
use crate::linalg::vectors::unit;
use crate::progress::Progress;
use crate::topics::{Assignment, Centroids, Distances, average_linkage};
use crate::training::Training;

/// The target number of topics. Written as a number or `auto`.
///
/// ```
/// use topicframe::prelude::*;
/// # let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
/// # let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
/// # let topics = model.fit(&posts)?;
///
/// assert_eq!(topics.reduce_topics(2)?.topic_ids(), [0, 1]);         // a number, or NrTopics::Auto,
/// let wanted: NrTopics = "2".parse()?;                              // or as a user writes it
/// assert_eq!(topics.reduce_topics(wanted)?.topic_ids(), [0, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NrTopics {
    /// This number, not counting the outlier topic; at least 1.
    Count(usize),
    /// The number that remains after merging the topics that HDBSCAN clusters together.
    Auto,
}

impl From<usize> for NrTopics {
    fn from(count: usize) -> Self {
        NrTopics::Count(count)
    }
}

impl FromStr for NrTopics {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match (text, text.parse()) {
            ("auto", _) => Ok(NrTopics::Auto),
            (_, Ok(count)) if count > 0 => Ok(NrTopics::Count(count)),
            _ => Err(refused(text)),
        }
    }
}

impl fmt::Display for NrTopics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NrTopics::Count(count) => write!(f, "{count}"),
            NrTopics::Auto => f.write_str("auto"),
        }
    }
}

impl NrTopics {
    pub(super) fn check(self) -> Result<()> {
        if self == NrTopics::Count(0) { Err(refused("0")) } else { Ok(()) }
    }
}

fn refused(value: &str) -> Error {
    Error::invalid_parameter(Stage::Topics, "nr_topics", value, "at least 1, or auto")
}

impl TopicModel {
    /// The topics of a clustering. If a number of them is requested that its tree, if it has one, does not reach, similar
    /// ones are merged.
    pub(super) fn assign(&self, clustering: &Clustering, encoded: &Encoded, rows: usize) -> Result<Assignment> {
        let assignment = Assignment::by_size(clustering, &encoded.rows, rows);
        match self.nr_topics {
            None => Ok(assignment),
            // Whoever has a tree has chosen a cut of it.
            Some(NrTopics::Auto) if clustering.model.at(1).is_some() => Ok(assignment),
            Some(nr_topics) => self.merge_similar(assignment, nr_topics, &encoded.clustered),
        }
    }

    /// The topics of `assignment`, merged until there are no more than `nr_topics`.
    pub(super) fn merge_similar(
        &self,
        assignment: Assignment,
        nr_topics: NrTopics,
        vectors: &Embeddings,
    ) -> Result<Assignment> {
        if matches!(nr_topics, NrTopics::Count(count) if count >= assignment.topic_count()) {
            return Ok(assignment);
        }
        let centroids = Centroids::of(&assignment.topics, vectors);
        let targets = similar(&assignment.ids(), &centroids, nr_topics, self.seed, &self.progress)?;
        Ok(assignment.regrouped("reduce_topics", &assignment.joined(&targets), vectors).0)
    }
}

/// For each of the topics `ids`, the topic that it is merged into, which may be itself. Outliers are left out.
///
/// Topics are grouped by average linkage on the cosine distance of their means, or for [`NrTopics::Auto`] by HDBSCAN.
fn similar(
    ids: &[i32],
    centroids: &Centroids,
    nr_topics: NrTopics,
    seed: u64,
    progress: &Progress,
) -> Result<BTreeMap<i32, i32>> {
    let ids: Vec<i32> = ids.iter().copied().filter(|&topic| topic != OUTLIER).collect();
    let directions = directions(&ids, centroids);
    let groups = match nr_topics {
        NrTopics::Count(count) => average_linkage(distances(&directions, progress)?, count),
        NrTopics::Auto => dense_groups(&directions, seed, progress)?,
    };
    Ok(targets(&ids, &groups))
}

/// The topic that each of `ids` is merged into, from the first member of its group.
pub(super) fn targets(ids: &[i32], groups: &[usize]) -> BTreeMap<i32, i32> {
    ids.iter().zip(groups).filter_map(|(&topic, &group)| Some((topic, *ids.get(group)?))).collect()
}

/// The cosine distances of rows of unit length.
pub(super) fn distances(directions: &Array2<f64>, progress: &Progress) -> Result<Distances> {
    let distance =
        |a: usize, b: usize| 1.0 - directions.row(a).iter().zip(directions.row(b)).map(|(x, y)| x * y).sum::<f64>();
    Distances::of(directions.nrows(), progress, |a, row| {
        row.iter_mut().enumerate().for_each(|(b, cell)| *cell = distance(a, b));
    })
}

/// The means of `topics`, normalized to unit length, one per row; zeros if a mean has no direction.
pub(super) fn directions(topics: &[i32], centroids: &Centroids) -> Array2<f64> {
    let dimensions = centroids.iter().next().map_or(0, |(_, mean)| mean.len());
    let mut directions = Array2::zeros((topics.len(), dimensions));
    for (mut row, &topic) in directions.outer_iter_mut().zip(topics) {
        let Some(mean) = centroids.get(topic) else { continue };
        row.iter_mut().zip(unit(mean.iter().copied())).for_each(|(to, x)| *to = x);
    }
    directions
}

/// The group of each row of `directions`: the first row of its cluster, or the row itself if it is an outlier.
pub(super) fn dense_groups(directions: &Array2<f64>, seed: u64, progress: &Progress) -> Result<Vec<usize>> {
    let alone: Vec<usize> = (0..directions.nrows()).collect();
    if directions.nrows() < 2 {
        return Ok(alone);
    }
    let points = directions.mapv(|x| x as f32);
    let training = Training::new(points).with_seed(seed).with_progress(progress);
    let clustering = Hdbscan::new().min_cluster_size(2).fit(&training)?;
    let labels = &clustering.labels;
    let first = |label: i32| labels.iter().position(|&other| other == label);
    let group = |(&row, &label): (&usize, &i32)| if label == OUTLIER { row } else { first(label).unwrap_or(row) };
    Ok(alone.iter().zip(labels).map(group).collect())
}
