//! The folders that BERTopic 0.17 saves with `serialization="safetensors"`, and reads.
//!
//! | file | content |
//! |---|---|
//! | `topics.json` | the topic of each document, sizes, words, labels, and other descriptions ([`Topics`]) |
//! | `config.json` | the arguments of `BERTopic(...)` that are no stages, and the name of the embedding model |
//! | `topic_embeddings.safetensors` | `topic_embeddings`: a vector per topic, ascending by id |
//! | `ctfidf.safetensors`, `ctfidf_config.json` | the c-TF-IDF weights of the topics, and what they were counted with; optional |
//! | `images/TOPIC.jpg` | a picture of each topic; optional |

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::linalg::sparse::CsrMatrix;

mod ordered;
mod reading;
mod tensors;
mod writing;

pub(crate) use ordered::Ordered;
pub(crate) use reading::read_bertopic;
pub(crate) use writing::write_bertopic;

const TOPICS: &str = "topics.json";
const CONFIG: &str = "config.json";
const EMBEDDINGS: &str = "topic_embeddings.safetensors";
const CTFIDF: &str = "ctfidf.safetensors";
const CTFIDF_CONFIG: &str = "ctfidf_config.json";
const IMAGES: &str = "images";

/// The aspect whose topics have pictures.
pub(crate) const VISUAL_ASPECT: &str = "Visual_Aspect";

/// What is in a folder. Topics are numbered from 0 without gaps, and may include -1; every topic has words, a size and an
/// embedding.
#[derive(Debug)]
pub(crate) struct BertopicModel {
    pub(crate) topics: Topics,
    pub(crate) config: Map<String, Value>,
    /// One row per topic, ascending.
    pub(crate) embeddings: Array2<f32>,
    pub(crate) ctfidf: Option<CtfIdf>,
    /// JPEG files by topic.
    pub(crate) images: BTreeMap<i32, Vec<u8>>,
}

/// The content of `topics.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Topics {
    pub(crate) topic_representations: BTreeMap<i32, Vec<(String, f64)>>,
    pub(crate) topics: Vec<i32>,
    pub(crate) topic_sizes: BTreeMap<i32, usize>,
    #[serde(default)]
    pub(crate) topic_mapper: Value,
    #[serde(default)]
    pub(crate) topic_labels: BTreeMap<i32, String>,
    /// In ascending order of topics.
    #[serde(default)]
    pub(crate) custom_labels: Option<Vec<String>>,
    #[serde(default, rename = "_outliers")]
    pub(crate) outliers: i32,
    /// Of pictures, only `true`.
    #[serde(default)]
    pub(crate) topic_aspects: Option<Ordered<Value>>,
}

/// The c-TF-IDF weights of topics.
#[derive(Debug)]
pub(crate) struct CtfIdf {
    pub(crate) weights: CsrMatrix<f64>,
    /// The idf of each term.
    pub(crate) idf: Vec<f64>,
    pub(crate) vocabulary: Vec<String>,
    pub(crate) config: CtfIdfConfig,
}

/// The content of `ctfidf_config.json`, but for the vocabulary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CtfIdfConfig {
    /// The settings of `ClassTfidfTransformer`.
    pub(crate) ctfidf_model: Map<String, Value>,
    /// The settings of scikit-learn's `CountVectorizer`.
    pub(crate) vectorizer: Map<String, Value>,
}
