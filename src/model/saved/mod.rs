//! Saving a fitted model to a folder, and loading it again.
//!
//! The folder's format is described in `store`. Its `model.json` has under `model` ([`SavedModel`]):
//!
//! | key | content |
//! |---|---|
//! | `settings` | the settings of the fit: the roles of columns, and of each stage its kind, its settings, and what it was in words |
//! | `saved` | what was saved: `documents`, `term_counts` (of each text), `vectors` (`full`, `half` or `none`) |
//! | `rows`, `dimensions`, `cleaning`, `uses_direction_only` | of the fit |
//! | `data` | of the rows, if their documents or term counts were saved: their cleaning, and which vectors are those that were clustered, those of texts, of images and of columns |
//! | `known` | the vectors by which rows of the fit are recognized |
//! | `summary` | [`Summary`](crate::model::Summary) |
//! | `topics` | number, rows, name and words of each topic, to be read by people; weights are in the part `topics` |
//! | `history` | the edits since the fit |
//! | `labels` | the labels that topics were given, by number; left out if there are none |
//! | `imported` | of a model of BERTopic, what has no other place here |
//!
//! | part | content |
//! |---|---|
//! | `topics` | the topic of each row, clusters and their parts, outliers, mean vectors, words, representatives, captions |
//! | `terms` | term counts of each text, from which those of topics follow; if term counts stayed out, those of topics, with their weights |
//! | `vectors` | vectors of rows, unless they stayed out |
//! | `reducer`, `clusterer` | the fitted stages |
//! | `pictures` | pictures of topics |
//! | `layout` | the position of each row in the plane, if it was computed or given |
//! | `documents` | the frame of the fit, without columns that are in `vectors` |

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::imported::Imported;
use super::{FittedTopicModel, Summary};
use crate::error::Result;
use crate::vectorize::TextCleaning;

mod bertopic;
mod captioner;
mod embedder;
mod hub;
mod options;
mod pools;
mod reading;
mod recorded;
mod settings;
mod writing;

pub use options::{LoadOptions, SaveOptions, SavedImages, SavedVectors};

use pools::VectorColumn;
use settings::SavedSettings;

/// What `model.json` has of a model.
#[derive(Debug, Serialize, Deserialize)]
struct SavedModel {
    settings: SavedSettings,
    saved: Saved,
    rows: usize,
    dimensions: usize,
    /// Resolved for the texts of the fit.
    cleaning: TextCleaning,
    uses_direction_only: bool,
    data: Option<SavedData>,
    known: Option<SavedKnown>,
    summary: Summary,
    topics: Value,
    history: Value,
    /// The labels that topics were given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<i32, String>,
    /// Of a model of BERTopic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    imported: Option<Imported>,
}

/// What was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Saved {
    documents: bool,
    /// Of each text.
    #[serde(default)]
    term_counts: bool,
    vectors: SavedVectors,
}

/// What was saved of the rows.
#[derive(Debug, Serialize, Deserialize)]
struct SavedData {
    cleaning: TextCleaning,
    clustered: Option<String>,
    texts: Option<String>,
    images: Option<String>,
    columns: Vec<VectorColumn>,
}

/// The vectors of the rows that are recognized.
#[derive(Debug, Serialize, Deserialize)]
struct SavedKnown {
    vectors: String,
    is_rounded: bool,
}

impl FittedTopicModel {
    /// Saves the model to `folder`, so that [`load`](Self::load) returns the same model: tables, words, pictures, edits,
    /// searches, and [`transform`](Self::transform) to the last bit on the same kind of processor.
    ///
    /// The folder is created if it does not exist. It contains `model.json`, arrays as safetensors, and the frame as an
    /// Arrow file; no code, nothing that is executed when it is read. A model in the folder is replaced when the new one
    /// is complete: after a failure, or if the process is killed at any moment, the folder has the old model or the new
    /// one. Embedders and captioners are not saved, but their origin is.
    ///
    /// ```
    /// use topicframe::prelude::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path().join("topics");
    ///
    /// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
    /// let topics = TopicModel::text("text", StaticEmbedder::builtin()).fit(&posts)?;
    /// topics.save(&folder)?;
    ///
    /// let loaded = FittedTopicModel::load(&folder)?;
    /// assert!(loaded.get_topic_info()?.equals_missing(&topics.get_topic_info()?));
    /// let new = df!("text" => ["a slow train", "a cat"])?;
    /// assert!(loaded.transform(&new)?.equals_missing(&topics.transform(&new)?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A stage of your own cannot be saved ([`FittedReducer::state`](crate::reduce::FittedReducer::state),
    /// [`FittedClusterer::state`](crate::cluster::FittedClusterer::state)): this is checked before anything is written.
    /// The folder cannot be written, has a `model.json` of another program, or the disk is full.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        self.save_with(folder, &SaveOptions::new())
    }

    /// Saves a part of the model, or less precise: see [`SaveOptions`], which has an example.
    ///
    /// # Errors
    /// As [`save`](Self::save); vectors have values too large for half precision.
    pub fn save_with(&self, folder: impl AsRef<Path>, options: &SaveOptions) -> Result<()> {
        writing::save(self, folder.as_ref(), options)
    }

    /// Loads a model that was [saved](Self::save). Its embedder is loaded when it is first needed: the built-in one, a
    /// model of the Hub in the same revision, or the folder where it was, if that is unchanged. Where it is not at hand,
    /// everything works that needs none, and the error says how to give it ([`with_embedder`](Self::with_embedder)). The
    /// same holds for its [captioner](Self::captioner).
    ///
    /// The folder may come from anyone: every file is checked by size and hash, numbers by their range, and links are not
    /// followed. Images are found by their paths, as in the fit.
    ///
    /// # Errors
    /// There is no saved model, or one of a newer format; a file is missing or damaged: the error has its path.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        Self::load_with(folder, &LoadOptions::new())
    }

    /// Loads a model with stages of your own: see [`LoadOptions`], which has an example.
    ///
    /// # Errors
    /// As [`load`](Self::load); a stage is not known.
    pub fn load_with(folder: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        reading::load(folder.as_ref(), None, options)
    }
}
