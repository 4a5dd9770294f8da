//! Editing topics: merging, deleting, reducing and weighting words anew. An edit returns a new model and leaves the original unchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{FittedTopicModel, Summary, no_topic};
use crate::cluster::{Clustering, OUTLIER};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::model::data::Data;
use crate::model::pipeline::Pipeline;
use crate::model::{NrTopics, ReduceTopics, TopicModel};
use crate::topics::{Assignment, Regrouping, Topics};
use crate::vectorize::ClassTfIdf;

/// Edits that may cut the tree of topics anew.
const CUTS: [&str; 2] = ["at", "reduce_topics"];

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

    /// Returns a model in which the rows of these topics are outliers, with probability 0. The other topics are renumbered,
    /// and weights and representations recomputed. New rows that would have been in a deleted topic are outliers.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// let fewer = model.fit(&posts)?.delete_topics(&[2])?;
    /// assert_eq!((fewer.topic_ids(), fewer.topic_size(-1)), (vec![-1, 0, 1], Some(10)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A topic does not exist, or is -1; the model is without its data; a representation fails.
    pub fn delete_topics(&self, topics: &[i32]) -> Result<FittedTopicModel> {
        for &topic in topics {
            self.check_topic(topic, "delete")?;
        }
        if topics.is_empty() {
            return Ok(self.clone());
        }
        let targets = topics.iter().map(|&topic| (topic, OUTLIER)).collect();
        self.join("delete_topics", &targets)
    }

    /// Checks that there is a topic with this number; -1 is none.
    pub(super) fn check_topic(&self, topic: i32, to: &str) -> Result<()> {
        if topic == OUTLIER {
            let message = format!("there is nothing to {to}: -1 stands for the rows that are in no topic");
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message).with_hint(
                Hint::new("reduce_outliers() and with_outliers() change which rows are outliers.")
                    .on_command_line("--reduce-outliers and --outliers change which documents are outliers."),
            ));
        }
        match self.topic_size(topic) {
            Some(_) => Ok(()),
            None => Err(no_topic(topic, Some(to))),
        }
    }

    fn check_group(&self, group: &[i32]) -> Result<()> {
        let known = |topic: &i32| *topic == OUTLIER || self.topic_size(*topic).is_some();
        if let Some(topic) = group.iter().find(|topic| !known(topic)) {
            return Err(no_topic(*topic, Some("merge")));
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

    /// Returns a model with fewer topics: `topics.reduce_topics(20)`, `topics.reduce_topics(NrTopics::Auto)`, or by words or
    /// by similarity ([`ReduceTopics`], which has an example). If there are no more topics than requested, nothing changes.
    ///
    /// If the clusterer found a tree of topics ([`Communities`](crate::cluster::Communities) does) and no edit moved rows
    /// since, except for a choice of outliers, a number of topics by vectors is the tree's cut with that number, as in
    /// [`at`](Self::at): every topic is part of one of the new ones, which outliers may join, and probabilities are those
    /// of the cut.
    ///
    /// Otherwise, and for parts of the tree that nothing connects, topics are grouped by average linkage on the cosine
    /// distance of their mean vectors (or of their c-TF-IDF) until the requested number is reached, or until no two groups
    /// are similar enough; the outlier topic is not included and stays. With [`NrTopics::Auto`], HDBSCAN
    /// (`min_cluster_size` 2) clusters the mean vectors, normalized to unit length; topics that it considers outliers
    /// stay. Groups are merged as in [`merge_topics`](Self::merge_topics).
    ///
    /// # Errors
    /// The requested number is 0; the similarity is not from -1 to 1; no words were counted; the model is without its
    /// data; a representation fails; interrupted.
    pub fn reduce_topics(&self, to: impl Into<ReduceTopics>) -> Result<FittedTopicModel> {
        let to = to.into();
        to.check()?;
        if let Some(count) = to.count() {
            if count >= self.topics.assignment.topic_count() {
                return Ok(self.clone());
            }
            self.data_with_vectors("reduce_topics")?;
            let cut = if to.is_by_vectors() && self.is_cut_of_tree() { self.clustering_at(count)? } else { None };
            if let Some(clustering) = cut {
                return self.recut("reduce_topics", clustering, Some(NrTopics::Count(count)));
            }
        }
        let targets = to.targets(&self.topics, self.settings.seed, &self.settings.progress)?;
        match targets.iter().all(|(topic, target)| topic == target) {
            true => Ok(self.clone()),
            false => self.join("reduce_topics", &targets),
        }
    }

    /// Whether the topics are those of the clusterer, but for the choice of outliers.
    fn is_cut_of_tree(&self) -> bool {
        let moves_rows =
            |edit: &&Regrouping| edit.edit != "with_outliers" && edit.unchanged().len() < edit.destinations.len();
        let since_cut = self.topics.history.iter().rev().take_while(|edit| !CUTS.contains(&edit.edit.as_str()));
        self.topics.assignment.unmerged().is_some() && since_cut.filter(moves_rows).count() == 0
    }

    /// Returns a model with `nr_topics` topics, at least 1, more or fewer than now: another cut of the tree that the fit
    /// found, without reading texts or fitting again. Cuts are nested: a topic of a finer cut is part of one topic of
    /// every coarser cut, and between `n` topics and `n + 1`, one topic is divided. Earlier edits are undone, except that the
    /// choice of [outliers](Self::with_outliers) is made again. If the tree has no such cut, the result is the nearest.
    ///
    /// [`layers`](Self::layers) lists the numbers that suggest themselves, and [`topics_at`](Self::topics_at) has the
    /// topics of rows at several numbers side by side.
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
        self.data_with_vectors("at")?;
        let edited = self.recut("at", self.tree_at(nr_topics)?, None)?;
        let found = edited.summary().topics;
        if found != nr_topics {
            let message = format!("{nr_topics} topics were requested, but the nearest cut of the tree has {found}");
            self.settings.progress.note(Stage::Topics, message);
        }
        Ok(edited)
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
        let data = self.data_with_vectors("with_ctfidf")?;
        let settings = TopicModel { ctfidf, ..(*self.settings).clone() };
        settings.ctfidf.report_unknown_seed_words(&self.topics.terms.vocabulary, &settings.progress);
        let describe = |assignment: &_, terms: &_| settings.describe(data, assignment, terms);
        let (assignment, vectors) = ((*self.topics.assignment).clone(), &data.encoded.clustered);
        let topics = self.topics.reassign("with_ctfidf", assignment, vectors, &settings.ctfidf, describe)?;
        Ok(FittedTopicModel { settings: Arc::new(settings), ..self.regrouped(topics) })
    }

    /// The model with the topics of another `clustering` of the same rows, merged until there are no more than `at_most`.
    pub(super) fn recut(
        &self,
        edit: &str,
        clustering: Clustering,
        at_most: Option<NrTopics>,
    ) -> Result<FittedTopicModel> {
        let data = self.data_with_vectors(edit)?;
        let (settings, vectors) = (&self.settings, &data.encoded.clustered);
        let assignment = self.assigned(data, &clustering, at_most)?;
        let describe = |assignment: &_, terms: &_| settings.describe(data, assignment, terms);
        let topics = self.topics.reassign(edit, assignment, vectors, &settings.ctfidf, describe)?;
        let pipeline = Pipeline { clusterer: clustering.model, ..(*self.pipeline).clone() };
        Ok(FittedTopicModel { pipeline: Arc::new(pipeline), ..self.regrouped(topics) })
    }

    /// The topics of another `clustering` of the same rows, merged until there are no more than `at_most`.
    pub(super) fn assigned(
        &self,
        data: &Data,
        clustering: &Clustering,
        at_most: Option<NrTopics>,
    ) -> Result<Assignment> {
        let assignment = Assignment::by_size(clustering, &data.encoded.rows, data.documents.rows);
        let assignment = match at_most {
            None => assignment,
            Some(nr_topics) => self.settings.merge_similar(assignment, nr_topics, &data.encoded.clustered)?,
        };
        let outliers = self.topics.assignment.outliers();
        self.settings.choose_outliers(assignment, outliers, &data.encoded, &*clustering.model)
    }

    /// The model with every topic in `targets` merged into its target.
    fn join(&self, edit: &str, targets: &BTreeMap<i32, i32>) -> Result<FittedTopicModel> {
        self.regroup(edit, &self.topics.assignment.joined(targets))
    }

    /// The model with the rows of the fit regrouped by `groups`, an arbitrary number for each row, -1 for outliers.
    pub(super) fn regroup(&self, edit: &str, groups: &[i32]) -> Result<FittedTopicModel> {
        let data = self.data_with_vectors(edit)?;
        let settings = &self.settings;
        let describe = |assignment: &_, terms: &_| settings.describe(data, assignment, terms);
        let topics = self.topics.regroup(edit, groups, &data.encoded.clustered, &settings.ctfidf, describe)?;
        Ok(self.regrouped(topics))
    }

    /// The same model with other topics, an edit later.
    pub(super) fn regrouped(&self, topics: Topics) -> FittedTopicModel {
        self.note_labels_of_minorities(&topics);
        let summary = Summary {
            clustered: topics.assignment.clustered(),
            outliers: topics.assignment.outlier_count(),
            topics: topics.assignment.topic_count(),
            ..(*self.summary).clone()
        };
        FittedTopicModel { topics, summary: Arc::new(summary), earlier: self.earlier_and_this(), ..self.clone() }
    }
}
