//! Which topics a figure shows, and what it calls them.

use std::collections::BTreeSet;

use crate::cluster::OUTLIER;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::{FittedTopicModel, no_topic};
use crate::represent::Aspect;

/// What a figure calls the topics.
///
/// ```
/// use topicframe::prelude::*;
/// # let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// # let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// # let topics = model.fit(&posts)?;
///
/// let topics = topics.set_topic_labels([(0, "Pets")])?;
/// assert!(topics.visualize_barchart().svg()?.contains("Pets"));
/// assert!(!topics.visualize_barchart().label(Label::Name).svg()?.contains("Pets"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Label {
    /// The [label that was set](FittedTopicModel::set_topic_labels); the name, where there is none.
    #[default]
    Custom,
    /// The name: the id and the top four words.
    Name,
    /// The id and the best words of a representation, by its name.
    Aspect(String),
}

/// What all figures can be told: topics, labels, title, ground.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub(super) topics: Option<Vec<i32>>,
    pub(super) top: Option<usize>,
    pub(super) title: Option<String>,
    pub(super) label: Label,
    pub(super) dark: bool,
}

/// The topics of a figure, with their labels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    /// In the order in which they are shown.
    pub(super) topics: Vec<i32>,
    /// The label of each.
    pub(super) labels: Vec<String>,
    /// The number of topics (without outliers) that are not shown.
    pub(super) left_out: usize,
}

impl Settings {
    /// The topics that were asked for, in that order; or else the largest, at most `most` of them, without the outliers.
    pub(super) fn select(&self, model: &FittedTopicModel, most: usize) -> Result<Selection> {
        let all: Vec<i32> = model.topic_ids().into_iter().filter(|&id| id != OUTLIER).collect();
        let topics = match &self.topics {
            Some(topics) => known(model, topics)?,
            None => all.iter().copied().take(self.top.unwrap_or(most)).collect(),
        };
        let labels = topics.iter().map(|&topic| self.label_of(model, topic)).collect::<Result<_>>()?;
        let left_out = all.iter().filter(|id| !topics.contains(id)).count();
        Ok(Selection { topics, labels, left_out })
    }

    /// Whether topics were asked for, by their ids or their number.
    pub(super) fn chooses_topics(&self) -> bool {
        self.topics.is_some() || self.top.is_some()
    }

    /// What the topic is called.
    pub(super) fn label_of(&self, model: &FittedTopicModel, topic: i32) -> Result<String> {
        label_of(&self.label, model, topic)
    }

    pub(super) fn check(&self) -> Result<()> {
        match (self.top, &self.topics) {
            (Some(0), _) => Err(Error::invalid_parameter(Stage::Display, "top", 0, "at least 1")),
            (_, Some(topics)) if topics.is_empty() => {
                Err(Error::invalid_parameter(Stage::Display, "topics", "[]", "at least one topic"))
            }
            _ => Ok(()),
        }
    }
}

/// What a topic of `model` is called.
pub(in crate::display) fn label_of(label: &Label, model: &FittedTopicModel, topic: i32) -> Result<String> {
    let label = match label {
        Label::Custom => model.topic_label(topic),
        Label::Name => model.topic_name(topic),
        Label::Aspect(name) => match model.topic_aspect(name)? {
            Aspect::Words(words) => {
                let words = words.get(&topic).into_iter().flatten().map(|(word, _)| word.as_str());
                let best: Vec<&str> = words.filter(|word| !word.is_empty()).take(ASPECT_WORDS).collect();
                Some(format!("{topic} {}", best.join(", ")).trim_end().to_owned())
            }
            _ => {
                let message = format!("the representation {name:?} has images, which cannot be labels");
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Display, message));
            }
        },
    };
    Ok(label.unwrap_or_else(|| topic.to_string()))
}

/// The number of words of a representation in a label.
const ASPECT_WORDS: usize = 4;

/// `topics` without repetitions.
fn known(model: &FittedTopicModel, topics: &[i32]) -> Result<Vec<i32>> {
    let mut seen = BTreeSet::new();
    let distinct: Vec<i32> = topics.iter().copied().filter(|&topic| seen.insert(topic)).collect();
    match distinct.iter().find(|&&topic| model.topic_size(topic).is_none()) {
        None => Ok(distinct),
        Some(&unknown) => Err(no_topic(unknown, None)),
    }
}
