//! A fitted model and what one asks of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use polars::prelude::*;

use crate::corpus::{Corpus, Embeddings};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::ClusterOn;
use crate::represent::{Aspect, TopicWords};

mod assignment;
mod edit;
mod linkage;
mod search;
mod tables;
mod terms;
mod transform;

pub use assignment::Assignment;
pub use edit::NrTopics;
pub use terms::TopicTerms;
pub(crate) use transform::{Inference, replace_columns};

/// What was fitted, in numbers and names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Rows of the frame.
    pub rows: usize,
    /// Rows that have a topic.
    pub clustered: usize,
    /// Rows in topic -1, blank ones included.
    pub outliers: usize,
    /// Rows that could not be clustered: without text or image, without a vector, without a word that the embedder knows,
    /// with an image that cannot be read.
    pub blank: usize,
    /// Rows whose vector an earlier row has: they share its topic.
    pub repeated: usize,
    /// Topics, without -1.
    pub topics: usize,
    /// Width of the vectors that were clustered.
    pub dimensions: usize,
    /// The seed.
    pub seed: u64,
    /// What was clustered.
    pub cluster_on: ClusterOn,
    /// The embedder and its settings, or the column that the vectors came from.
    pub embedder: String,
    /// The reduction and its settings.
    pub reducer: String,
    /// The clustering and its settings.
    pub clusterer: String,
    /// The column of the texts.
    pub text_column: Option<String>,
    /// The column of the images.
    pub image_column: Option<String>,
    /// Rows that have an image, where there is an image column.
    pub images: Option<usize>,
    /// The captioner and its settings, where there is one.
    pub captioner: Option<String>,
    /// Images that were captioned.
    pub captions: usize,
}

/// Topics: what [`TopicModel::fit`](crate::model::TopicModel::fit) gives.
///
/// Everything is keyed by topic id: -1 is the outlier topic, 0 the largest. Cloning is cheap; the columns are shared.
#[derive(Debug, Clone)]
pub struct FittedTopicModel {
    pub(crate) frame: DataFrame,
    pub(crate) corpus: Arc<Corpus>,
    pub(crate) embeddings: Arc<Embeddings>,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) terms: Arc<TopicTerms>,
    pub(crate) captions: Arc<BTreeMap<usize, String>>,
    pub(crate) words: Arc<TopicWords>,
    pub(crate) aspects: Arc<BTreeMap<String, Aspect>>,
    pub(crate) aspect_order: Arc<Vec<String>>,
    pub(crate) representatives: Arc<BTreeMap<i32, Vec<(usize, f64)>>>,
    pub(crate) inference: Arc<Inference>,
    pub(crate) summary: Arc<Summary>,
}

impl FittedTopicModel {
    /// What was fitted, in numbers and names.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Topic ids in ascending order, -1 first where there are outliers.
    pub fn topic_ids(&self) -> Vec<i32> {
        self.assignment.ids()
    }

    /// The topic of each row of the fitted frame.
    pub fn topics(&self) -> &[i32] {
        &self.assignment.topics
    }

    /// How strongly each row of the fitted frame belongs to its topic, 0 to 1; 0 for outliers.
    pub fn probabilities(&self) -> &[f64] {
        &self.assignment.probabilities
    }

    /// Rows of a topic.
    pub fn topic_size(&self, topic: i32) -> Option<usize> {
        self.assignment.sizes.get(&topic).copied()
    }

    /// The name of a topic: its id and its four best words, such as `0_cat_dog_animal_pet`; the id alone where it has
    /// none.
    pub fn topic_label(&self, topic: i32) -> Option<String> {
        let words = self.words.get(&topic)?;
        let best = words.iter().take(4).map(|(word, _)| word.as_str());
        Some(std::iter::once(topic.to_string().as_str()).chain(best).collect::<Vec<_>>().join("_"))
    }

    /// The words of a topic with their weights, best first; `None` for an unknown topic.
    pub fn get_topic(&self, topic: i32) -> Option<&[(String, f64)]> {
        self.words.get(&topic).map(Vec::as_slice)
    }

    /// The words of all topics.
    pub fn get_topics(&self) -> &TopicWords {
        &self.words
    }

    /// The documents that stand for a topic, best first; `None` for an unknown topic.
    pub fn get_representative_docs(&self, topic: i32) -> Option<Vec<String>> {
        self.topic_size(topic)?;
        let rows = self.representative_rows(topic).unwrap_or_default();
        Some(rows.iter().filter_map(|&(row, _)| self.text(row).map(str::to_owned)).collect())
    }

    /// The rows of [`get_representative_docs`](Self::get_representative_docs) with their scores (cosine between the
    /// row's c-TF-IDF and the topic's). Where no row has a text or a caption, those of the topic's best images (cosine to
    /// its mean image vector).
    pub fn representative_rows(&self, topic: i32) -> Option<&[(usize, f64)]> {
        self.representatives.get(&topic).map(Vec::as_slice)
    }

    /// The other descriptions of the topics, by the name given in
    /// [`representation`](crate::model::TopicModel::representation).
    pub fn topic_aspects(&self) -> &BTreeMap<String, Aspect> {
        &self.aspects
    }

    /// One description of all topics.
    ///
    /// # Errors
    /// A name that no representation has.
    pub fn topic_aspect(&self, name: &str) -> Result<&Aspect> {
        self.aspects.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.aspect_order.iter().map(String::as_str).collect();
            Error::new(ErrorKind::NotFound, Stage::Topics, format!("there is no representation `{name}`"))
                .hint(format!("The model has: {}.", if names.is_empty() { "none".into() } else { names.join(", ") }))
        })
    }

    /// The captions that a captioner gave, by row.
    pub fn captions(&self) -> &BTreeMap<usize, String> {
        &self.captions
    }

    /// The text of a row, or the caption of its image; `None` where it has neither.
    pub fn text(&self, row: usize) -> Option<&str> {
        self.corpus.texts.as_ref()?.get(row)
    }

    /// The terms that the weights are about, in the order of the columns of [`c_tf_idf`](Self::terms).
    pub fn vocabulary(&self) -> &[String] {
        &self.terms.vocabulary
    }

    /// Counts and weights of the topics' terms.
    pub fn terms(&self) -> &TopicTerms {
        &self.terms
    }

    /// The mean vector of each topic's rows, by topic id.
    pub fn topic_embeddings(&self) -> HashMap<i32, Vec<f32>> {
        let width = self.embeddings.dimensions();
        let mut sums = HashMap::<i32, (Vec<f64>, usize)>::new();
        for (row, &topic) in self.assignment.topics.iter().enumerate() {
            let Some(vector) = self.embeddings.get(row) else { continue };
            let (sum, count) = sums.entry(topic).or_insert_with(|| (vec![0.0; width], 0));
            sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += f64::from(*x));
            *count += 1;
        }
        let mean = |(sum, count): (Vec<f64>, usize)| sum.iter().map(|sum| (sum / count as f64) as f32).collect();
        sums.into_iter().map(|(topic, sum)| (topic, mean(sum))).collect()
    }
}
