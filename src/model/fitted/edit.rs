//! Editing topics: merging, reducing and weighting words anew. An edit returns a new model and leaves the original unchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ndarray::Array2;

use super::{FittedTopicModel, Summary};
use crate::cluster::{Clusterer, Hdbscan, OUTLIER};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::unit;
use crate::model::TopicModel;
use crate::model::pipeline::Pipeline;
use crate::topics::{Assignment, Topics, average_linkage};
use crate::training::Training;
use crate::vectorize::ClassTfIdf;

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
            _ => Err(Error::invalid_parameter(Stage::Topics, "nr_topics", text, "at least 1, or auto")),
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

impl FittedTopicModel {
    /// Returns a model with the topics of each group merged into one: `topics.merge_topics(&[&[1, 2], &[4, 7, 9]])`.
    ///
    /// Term counts are added up, weights and all representations are recomputed, topics are renumbered by size, and new
    /// rows are placed in the merged topics. Probabilities are unchanged. A group that starts with -1 turns its topics
    /// into outliers, with probability 0.
    ///
    /// # Errors
    /// A topic does not exist, or is in two groups; -1 is not the first in its group; a representation fails.
    pub fn merge_topics(&self, groups: &[&[i32]]) -> Result<FittedTopicModel> {
        let mut targets = BTreeMap::new();
        for group in groups {
            self.check_group(group)?;
            // Duplicates within a group are ignored.
            let members: BTreeSet<i32> = group.iter().copied().collect();
            for topic in members {
                if targets.insert(topic, group.first().copied().unwrap_or(topic)).is_some() {
                    let message = format!("topic {topic} is in two groups of topics to merge");
                    return Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
                        .with_hint("Combine the two groups, or remove the topic from one of them."));
                }
            }
        }
        self.join("merge_topics", &targets)
    }

    fn check_group(&self, group: &[i32]) -> Result<()> {
        let known = |topic: &i32| *topic == OUTLIER || self.topic_size(*topic).is_some();
        if let Some(topic) = group.iter().find(|topic| !known(topic)) {
            let message = format!("there is no topic {topic} to merge");
            return Err(Error::new(ErrorKind::NotFound, Stage::Topics, message)
                .with_hint("get_topic_info() lists the topics; merging renumbers them."));
        }
        match group.iter().skip(1).any(|&topic| topic == OUTLIER) && group.first() != Some(&OUTLIER) {
            false => Ok(()),
            true => {
                let message = "outliers cannot be merged into a topic: they have nothing in common";
                Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
                    .with_hint("Put -1 first to turn the group's topics into outliers."))
            }
        }
    }

    /// Returns a model with fewer topics: `topics.reduce_topics(20)` or `topics.reduce_topics(NrTopics::Auto)`.
    ///
    /// Topics are grouped by average linkage on the cosine distance of their mean vectors until the requested number is
    /// reached; the outlier topic is not included and stays. With [`NrTopics::Auto`], HDBSCAN (`min_cluster_size` 2)
    /// clusters the mean vectors, normalized to unit length; topics that it considers outliers stay. Groups are merged
    /// as in [`merge_topics`](Self::merge_topics). If there are no more topics than requested, nothing changes.
    ///
    /// # Errors
    /// The requested number is 0; a representation fails.
    pub fn reduce_topics(&self, nr_topics: impl Into<NrTopics>) -> Result<FittedTopicModel> {
        let nr_topics = nr_topics.into();
        if nr_topics == NrTopics::Count(0) {
            return Err(Error::invalid_parameter(Stage::Topics, "nr_topics", 0, "at least 1, or auto"));
        }
        let ids: Vec<i32> = self.topic_ids().into_iter().filter(|&topic| topic != OUTLIER).collect();
        let directions = self.directions(&ids);
        let groups = match nr_topics {
            NrTopics::Count(count) => average_linkage(ids.len(), count, |a, b| {
                1.0 - directions.row(a).iter().zip(directions.row(b)).map(|(x, y)| x * y).sum::<f64>()
            }),
            NrTopics::Auto => self.dense_groups(&directions)?,
        };
        let targets: BTreeMap<i32, i32> =
            ids.iter().zip(groups).filter_map(|(&topic, group)| Some((topic, *ids.get(group)?))).collect();
        match targets.iter().all(|(topic, target)| topic == target) {
            true => Ok(self.clone()),
            false => self.join("reduce_topics", &targets),
        }
    }

    /// Returns a model with `nr_topics` topics, at least 1, more or fewer than now: another cut of the tree that the fit
    /// found, without reading texts or fitting again. Cuts are nested: a topic of a finer cut is part of one topic of
    /// every coarser cut. Earlier edits are undone, except that the choice of [outliers](Self::with_outliers) is made
    /// again. If the tree has no such cut, the result is the nearest.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["a cat sleeps", "a dog sleeps", "a fast train", "a slow train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).clusterer(Communities::new().n_neighbors(2));
    /// let topics = model.fit(&posts)?;
    /// let finer = topics.at(4)?;
    /// assert!(finer.topic_ids().len() >= topics.topic_ids().len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `nr_topics` is 0; the clusterer found no tree ([`Communities`](crate::cluster::Communities) does); the model is
    /// without its data; a representation fails.
    pub fn at(&self, nr_topics: usize) -> Result<FittedTopicModel> {
        if nr_topics == 0 {
            return Err(Error::invalid_parameter(Stage::Topics, "nr_topics", 0, "at least 1"));
        }
        let data = self.data("at")?;
        let Some(clustering) = self.pipeline.clusterer.at(nr_topics) else {
            let message = "the clusterer found no tree of topics, so there is no other number of them to choose";
            return Err(Error::new(ErrorKind::NotFound, Stage::Topics, message)
                .with_hint("Fit with Communities, or merge topics with reduce_topics."));
        };
        let settings = &self.settings;
        let assignment = Assignment::by_size(&clustering, &data.encoded.rows, data.documents.rows);
        let outliers = self.topics.assignment.outliers();
        let assignment = settings.choose_outliers(assignment, outliers, &data.encoded, &*clustering.model)?;
        let describe = |assignment: &_, terms: &_| settings.describe(data, assignment, terms);
        let vectors = &data.encoded.clustered;
        let topics = self.topics.reassign("at", assignment, vectors, &settings.ctfidf, describe)?;
        let pipeline = Pipeline { clusterer: clustering.model, ..(*self.pipeline).clone() };
        Ok(FittedTopicModel { pipeline: Arc::new(pipeline), ..self.regrouped(topics) })
    }

    /// Returns a model whose term counts are weighted by `ctfidf`, with words and all representations anew. No text is
    /// counted again, and topics, probabilities and new rows' topics are unchanged. Later edits keep the weighting.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// let topics = model.fit(&posts)?;
    ///
    /// let like_bertopic = topics.with_ctfidf(ClassTfIdf::new())?;       // its formula, without coverage
    /// assert_eq!(like_bertopic.labels(), topics.labels());
    /// assert_ne!(like_bertopic.get_topic(2), topics.get_topic(2));      // other weights
    ///
    /// let seeded = topics.with_ctfidf(ClassTfIdf::new().coverage(true).seed_words(["sleeps"], 3.0))?;
    /// assert_eq!(seeded.topic_label(0).as_deref(), Some("0_sleeps_cat"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A parameter is out of range; the model is without its data; a representation fails.
    pub fn with_ctfidf(&self, ctfidf: ClassTfIdf) -> Result<FittedTopicModel> {
        ctfidf.check()?;
        let data = self.data("with_ctfidf")?;
        let settings = TopicModel { ctfidf, ..(*self.settings).clone() };
        settings.ctfidf.report_unknown_seed_words(&self.topics.terms.vocabulary, &settings.progress);
        let describe = |assignment: &_, terms: &_| settings.describe(data, assignment, terms);
        let (assignment, vectors) = ((*self.topics.assignment).clone(), &data.encoded.clustered);
        let topics = self.topics.reassign("with_ctfidf", assignment, vectors, &settings.ctfidf, describe)?;
        Ok(FittedTopicModel { settings: Arc::new(settings), ..self.regrouped(topics) })
    }

    /// The mean vectors of `topics`, normalized to unit length, one per row; zeros if a mean has no direction.
    fn directions(&self, topics: &[i32]) -> Array2<f64> {
        let mut directions = Array2::zeros((topics.len(), self.pipeline.encoder.dimensions));
        for (mut row, &topic) in directions.outer_iter_mut().zip(topics) {
            let Some(mean) = self.topics.centroids.get(topic) else { continue };
            row.iter_mut().zip(unit(mean.iter().copied())).for_each(|(to, x)| *to = x);
        }
        directions
    }

    /// The group of each row of `directions`: the first row of its cluster, or the row itself if it is an outlier.
    fn dense_groups(&self, directions: &Array2<f64>) -> Result<Vec<usize>> {
        let alone: Vec<usize> = (0..directions.nrows()).collect();
        if directions.nrows() < 2 {
            return Ok(alone);
        }
        let points = directions.mapv(|x| x as f32);
        let clustering =
            Hdbscan::new().min_cluster_size(2).fit(&Training::new(points).with_seed(self.settings.seed))?;
        let labels = &clustering.labels;
        let first = |label: i32| labels.iter().position(|&other| other == label);
        Ok(alone
            .iter()
            .zip(labels)
            .map(|(&row, &label)| if label == OUTLIER { row } else { first(label).unwrap_or(row) })
            .collect())
    }

    /// The model with every topic in `targets` merged into its target.
    fn join(&self, edit: &str, targets: &BTreeMap<i32, i32>) -> Result<FittedTopicModel> {
        let target = |topic: &i32| targets.get(topic).copied().unwrap_or(*topic);
        self.regroup(edit, &self.topics.assignment.topics.iter().map(target).collect::<Vec<_>>())
    }

    /// The model with the rows of the fit regrouped by `groups`, an arbitrary number for each row, -1 for outliers.
    fn regroup(&self, edit: &str, groups: &[i32]) -> Result<FittedTopicModel> {
        let data = self.data(edit)?;
        let settings = &self.settings;
        let describe = |assignment: &_, terms: &_| settings.describe(data, assignment, terms);
        let topics = self.topics.regroup(edit, groups, &data.encoded.clustered, &settings.ctfidf, describe)?;
        Ok(self.regrouped(topics))
    }

    /// The same model with other topics.
    pub(super) fn regrouped(&self, topics: Topics) -> FittedTopicModel {
        let (rows, clustered) = (topics.assignment.topics.len(), topics.assignment.clustered());
        let summary = Summary {
            clustered,
            outliers: rows - clustered,
            topics: topics.assignment.topic_count(),
            ..(*self.summary).clone()
        };
        FittedTopicModel { topics, summary: Arc::new(summary), ..self.clone() }
    }
}
