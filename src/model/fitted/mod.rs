//! The fitted model and its methods.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::TopicModel;
use super::data::Data;
use super::imported::Imported;
use super::layout::Layout;
use super::pipeline::Pipeline;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::represent::{Aspect, TopicWords};
use crate::topics::{Regrouping, TopicTerms, Topics};

mod distribution;
mod document_info;
mod edit;
mod embedders;
mod emerging;
mod find_documents;
mod hierarchical;
mod image_words;
mod labels;
mod layers;
mod layout_2d;
mod outliers;
mod over_time;
mod per_class;
mod probabilities;
mod quality;
mod reliability;
mod rows;
mod search;
mod split;
mod summary;
mod tables;
mod topic_parts;
mod transform;
mod trust;
mod undo;
mod update;

pub use find_documents::DocumentSearch;
pub use hierarchical::{HierarchyOptions, TopicDistance};
pub use over_time::{OverTimeOptions, TopicsOverTime};
pub use per_class::PerClassOptions;
pub(crate) use quality::Quality;
pub use split::SplitBy;
pub use summary::Summary;
pub(super) use transform::replace_columns;
pub(crate) use trust::{Doubt, TopicQuality};
use undo::Earlier;
pub use update::UpdateTopics;

/// A fitted topic model, as returned by [`TopicModel::fit`](crate::model::TopicModel::fit).
///
/// Everything is keyed by topic id: -1 is the outlier topic, 0 the largest. Cloning is cheap; the columns are shared.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
/// let topics = model.fit(&posts)?;
/// assert_eq!(topics.topic_label(2).as_deref(), Some("2_fast_train"));
/// assert_eq!(topics.get_representative_docs(2), Some(vec!["a fast train".to_owned()]));
///
/// let animals = topics.merge_topics(&[&[0, 1]])?;                   // a new model; `topics` is unchanged
/// assert_eq!((animals.topic_ids(), animals.topic_size(0)), (vec![0, 1], Some(20)));
///
/// let new = animals.transform(&df!("text" => ["a fast train", "the dog sleeps"])?)?;
/// assert_eq!(new.column("Topic")?.i32()?.to_vec(), [Some(1), Some(0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct FittedTopicModel {
    /// The settings of the fit.
    pub(super) settings: Arc<TopicModel>,
    /// The fitted stages, which place new rows.
    pub(super) pipeline: Arc<Pipeline>,
    /// The topics.
    pub(super) topics: Topics,
    /// The rows of the fit, unless [removed](Self::without_data).
    pub(super) data: Option<Arc<Data>>,
    pub(super) summary: Arc<Summary>,
    /// Of a model of BERTopic, what has no other place here.
    pub(super) imported: Option<Arc<Imported>>,
    /// What was before the last edits, oldest first.
    pub(super) earlier: Arc<[Earlier]>,
    /// The rows in the plane, once they were needed there.
    pub(super) layout: Arc<OnceLock<Layout>>,
}

impl FittedTopicModel {
    /// A summary of the fit.
    pub fn summary(&self) -> Summary {
        (*self.summary).clone()
    }

    /// Topic ids in ascending order, starting with -1 if there are outliers.
    pub fn topic_ids(&self) -> Vec<i32> {
        self.topics.assignment.ids()
    }

    /// The topic of each row of the fitted frame, -1 for outliers (BERTopic's `topics_`).
    pub fn labels(&self) -> Vec<i32> {
        self.topics.assignment.topics.clone()
    }

    /// The membership strength of each row of the fitted frame in its topic, 0 to 1; 0 for outliers. Empty for a model of
    /// [BERTopic](Self::load_bertopic), which does not save it.
    pub fn probabilities(&self) -> Vec<f64> {
        self.topics.assignment.probabilities.clone()
    }

    /// The number of rows in a topic.
    pub fn topic_size(&self, topic: i32) -> Option<usize> {
        self.topics.assignment.sizes.get(&topic).copied()
    }

    /// The words of a topic with their weights, best first; `None` for an unknown topic.
    pub fn get_topic(&self, topic: i32) -> Option<Vec<(String, f64)>> {
        self.topics.description.words.get(&topic).cloned()
    }

    /// The words of all topics.
    pub fn get_topics(&self) -> TopicWords {
        self.topics.description.words.clone()
    }

    /// The representative documents of a topic, best first, or if they [cover](crate::represent::Representatives) the
    /// topic, the one that covers most first; `None` for an unknown topic.
    pub fn get_representative_docs(&self, topic: i32) -> Option<Vec<String>> {
        self.topic_size(topic)?;
        let rows = self.representative_rows(topic).unwrap_or_default();
        Some(rows.iter().filter_map(|&(row, _)| self.text(row)).collect())
    }

    /// The rows of [`get_representative_docs`](Self::get_representative_docs) with their scores (cosine similarity of
    /// the row's c-TF-IDF to the topic's). If no row has a text or a caption, the rows of the topic's best images
    /// (cosine similarity to its mean image vector).
    pub fn representative_rows(&self, topic: i32) -> Option<Vec<(usize, f64)>> {
        self.topics.description.representatives.get(&topic).cloned()
    }

    /// The additional descriptions of the topics, by the name passed to
    /// [`representation`](crate::model::TopicModel::representation).
    pub fn topic_aspects(&self) -> BTreeMap<String, Aspect> {
        self.topics.description.aspects.clone()
    }

    /// The additional description with this name.
    ///
    /// # Errors
    /// There is no representation with this name.
    pub fn topic_aspect(&self, name: &str) -> Result<Aspect> {
        self.topics.description.aspects.get(name).cloned().ok_or_else(|| {
            let names: Vec<&str> = self.topics.description.order.iter().map(String::as_str).collect();
            Error::new(ErrorKind::NotFound, Stage::Topics, format!("there is no representation `{name}`")).with_hint(
                format!("The model has: {}.", if names.is_empty() { "none".into() } else { names.join(", ") }),
            )
        })
    }

    /// The captions that a captioner returned, by row of the fitted frame.
    pub fn captions(&self) -> BTreeMap<usize, String> {
        self.data.as_ref().map(|data| data.captions.clone()).unwrap_or_default()
    }

    /// The text of a row of the fitted frame, or the caption of its image; `None` if it has neither.
    pub fn text(&self, row: usize) -> Option<String> {
        self.data.as_ref()?.texts.as_ref()?.get(row).map(str::to_owned)
    }

    /// The vocabulary, shared: one term for each column of the matrices in [`terms`](Self::terms).
    pub fn vocabulary(&self) -> Arc<[String]> {
        Arc::clone(&self.topics.terms.vocabulary)
    }

    /// The counts and weights of the topics' terms, shared.
    pub fn terms(&self) -> Arc<TopicTerms> {
        Arc::clone(&self.topics.terms)
    }

    /// The mean vector of each topic's rows, by topic id.
    pub fn topic_embeddings(&self) -> BTreeMap<i32, Vec<f32>> {
        self.topics.centroids.iter().map(|(topic, mean)| (topic, mean.to_vec())).collect()
    }

    /// The edits since the fit, oldest first: which topics became which. [`lineage`](Self::lineage) has them as a frame.
    pub fn history(&self) -> Vec<Regrouping> {
        (*self.topics.history).clone()
    }

    /// The same topics without the rows of the fit: frame, texts, image paths and vectors are freed, unless something
    /// else still needs them (UMAP keeps the vectors to place new rows).
    ///
    /// Topics, their words and images, searches and [`transform`](Self::transform) work as before, except that a row of
    /// the fit is placed like any new row. Methods that need the rows (edits, documents, captions) return an error or
    /// an empty result.
    #[must_use]
    pub fn without_data(&self) -> FittedTopicModel {
        let pipeline = Pipeline { known: None, ..(*self.pipeline).clone() };
        let layout = self.layout.get().map(|layout| OnceLock::from(layout.without_vectors())).unwrap_or_default();
        let (pipeline, layout) = (Arc::new(pipeline), Arc::new(layout));
        FittedTopicModel { pipeline, data: None, earlier: Arc::default(), layout, ..self.clone() }
    }

    /// The documents of the fit; the error names the method, `what`, that needs them.
    fn data(&self, what: &str) -> Result<&Data> {
        self.data.as_deref().filter(|data| data.has_documents).ok_or_else(|| {
            let message = format!("{what} needs the documents of the fit, but this model does not keep them");
            Error::new(ErrorKind::NotFound, Stage::Topics, message)
                .said_on_command_line("this needs the documents of the fit, but the model was saved without them")
                .with_hint(
                    Hint::new("Use the model from before without_data(), or one that was saved with its documents.")
                        .on_command_line("Use a model that was saved without --save-without-documents."),
                )
        })
    }

    /// The rows of the fit with their vectors, but perhaps without their documents; the error names the method, `what`,
    /// that needs them.
    fn data_with_vectors(&self, what: &str) -> Result<&Data> {
        let data = self.data.as_deref().ok_or_else(|| {
            let message = format!("{what} needs the rows of the fit, but this model does not keep them");
            Error::new(ErrorKind::NotFound, Stage::Topics, message)
                .said_on_command_line("this needs the documents of the fit or their vectors, but the model has neither")
                .with_hint(
                    Hint::new(
                        "Use the model from before without_data(), or one that was saved with its documents, or with its \
                         vectors and term counts.",
                    )
                    .on_command_line(
                        "Use a model that was saved without --save-without-documents, or without --save-vectors none.",
                    ),
                )
        })?;
        if data.has_vectors {
            return Ok(data);
        }
        let message = format!("{what} needs the vectors of the rows, but this model was saved without them");
        Err(Error::new(ErrorKind::NotFound, Stage::Topics, message)
            .said_on_command_line("this needs the vectors of the documents, but the model was saved without them")
            .with_hint(
                Hint::new("Use the model from before saving, or one that was saved with its vectors.")
                    .on_command_line("Use a model that was saved without --save-vectors none."),
            ))
    }
}

/// The error for a topic that does not exist, and what was `to` be done with it, such as `merge`.
pub(crate) fn no_topic(topic: i32, to: Option<&str>) -> Error {
    let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
    Error::new(ErrorKind::NotFound, Stage::Topics, format!("there is no topic {topic}{to}")).with_hint(
        Hint::new("get_topic_info() lists the topics; edits renumber them.")
            .on_command_line("`topicframe info MODEL` lists the topics."),
    )
}
