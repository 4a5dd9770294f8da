//! What of a model is saved, and how it is loaded: where its embedder runs, and how stages of the user's own are read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cluster::{FittedClusterer, fitted_clusterer_of};
use crate::embed::Device;
use crate::error::Result;
use crate::reduce::{FittedReducer, fitted_reducer_of};
pub use crate::represent::SavedImages;
use crate::state::State;
use crate::vision::Limits;

/// The precision of the vectors of a saved model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SavedVectors {
    /// As they are: a loaded model is the same as the fitted one.
    #[default]
    Full,
    /// Half precision, which takes half of the space. New rows may get slightly different probabilities, and rarely
    /// another topic.
    Half,
    /// None: new rows are placed in the topic with the nearest mean vector, and the topics can no longer be edited.
    None,
}

/// What of a model is saved by [`save_with`](crate::model::FittedTopicModel::save_with).
///
/// | setting | default |
/// |---|---|
/// | [`documents`](Self::documents) | yes |
/// | [`term_counts`](Self::term_counts) | yes |
/// | [`vectors`](Self::vectors) | [`SavedVectors::Full`] |
/// | [`images`](Self::images) | [`SavedImages::Thumbnails`] |
/// | [`place_by_centroids`](Self::place_by_centroids) | no |
///
/// ```
/// use topicframe::model::{SaveOptions, SavedVectors};
/// use topicframe::prelude::*;
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("topics");
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// let topics = model.fit(&posts)?;
/// topics.save_with(&folder, &SaveOptions::new().documents(false).vectors(SavedVectors::None))?;
///
/// let loaded = FittedTopicModel::load(&folder)?;
/// assert_eq!(loaded.get_topics(), topics.get_topics());
/// assert!(loaded.get_document_info().is_err());                     // the texts stayed out
/// let new = loaded.transform(&df!("text" => ["the cat sleeps"])?)?; // placed by centroids
/// assert_eq!(new.column("Topic")?.i32()?.get(0), Some(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveOptions {
    pub(super) documents: bool,
    pub(super) term_counts: bool,
    pub(super) vectors: SavedVectors,
    pub(super) images: SavedImages,
    pub(super) place_by_centroids: bool,
}

impl Default for SaveOptions {
    fn default() -> Self {
        SaveOptions {
            documents: true,
            term_counts: true,
            vectors: SavedVectors::Full,
            images: SavedImages::Thumbnails,
            place_by_centroids: false,
        }
    }
}

impl SaveOptions {
    /// Creates the defaults, with which a loaded model is the same as the fitted one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the frame of the fit is saved, with captions and pictures of topics. Without it, everything works that
    /// needs no documents: topics, their words, `transform`, searches, and edits, unless a representation reads texts
    /// or images ([`KeyBERTInspired`](crate::represent::KeyBERTInspired),
    /// [`VisualRepresentation`](crate::represent::VisualRepresentation)). Tables of documents do not, and
    /// representative documents are only rows; after an edit, texts with the same
    /// terms and vectors count as equal.
    ///
    /// The [vectors](Self::vectors) and the [term counts](Self::term_counts) of each text are saved all the same, and
    /// tell much about the texts: which words each of them has. Leave them out if the texts are confidential.
    #[must_use]
    pub fn documents(mut self, documents: bool) -> Self {
        self.documents = documents;
        self
    }

    /// Whether the counts of the terms in each text are saved, if the [documents](Self::documents) are not. Without
    /// them, topics have their words, but cannot be edited. Default: yes, unless the [vectors](Self::vectors) stay out,
    /// which edits need too.
    ///
    /// ```
    /// use topicframe::model::SaveOptions;
    /// use topicframe::prelude::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path().join("topics");
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    ///
    /// topics.save_with(&folder, &SaveOptions::new().documents(false))?;
    /// assert_eq!(FittedTopicModel::load(&folder)?.merge_topics(&[&[0, 1]])?.topic_ids(), [0]);
    ///
    /// topics.save_with(&folder, &SaveOptions::new().documents(false).term_counts(false))?;
    /// let loaded = FittedTopicModel::load(&folder)?;
    /// assert!(loaded.merge_topics(&[&[0, 1]]).is_err() && loaded.get_topics() == topics.get_topics());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn term_counts(mut self, term_counts: bool) -> Self {
        self.term_counts = term_counts;
        self
    }

    /// The precision of the vectors.
    #[must_use]
    pub fn vectors(mut self, vectors: SavedVectors) -> Self {
        self.vectors = vectors;
        self
    }

    /// What of the topics' pictures is saved.
    #[must_use]
    pub fn images(mut self, images: SavedImages) -> Self {
        self.images = images;
        self
    }

    /// Whether the fitted reducer and clusterer are left out: the loaded model places new rows in the topic with the
    /// nearest mean vector, as with [`SavedVectors::None`], and has no tree and no other runs of the clusterer. For
    /// stages of the user's own that cannot be saved. Default: no.
    #[must_use]
    pub fn place_by_centroids(mut self, place_by_centroids: bool) -> Self {
        self.place_by_centroids = place_by_centroids;
        self
    }

    pub(super) fn by_centroids(&self) -> bool {
        self.place_by_centroids || self.vectors == SavedVectors::None
    }
}

type Read<T> = Arc<dyn Fn(State<'_>) -> Result<Arc<T>> + Send + Sync>;

type ChangeLimits = Arc<dyn Fn(Limits) -> Limits + Send + Sync>;

/// How a model is loaded by [`load_with`](crate::model::FittedTopicModel::load_with): where its embedder runs, and how
/// stages of the user's own are read, by the kind of the [`State`] that they returned.
///
/// ```
/// use std::sync::Arc;
/// use topicframe::model::LoadOptions;
/// use topicframe::ndarray::ArrayView2;
/// use topicframe::prelude::*;
/// use topicframe::state::State;
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("topics");
///
/// /// Two clusters: below and above a threshold of the first coordinate.
/// #[derive(Debug, Clone)]
/// struct Threshold(f32);
///
/// impl Clusterer for Threshold {
///     fn check(&self) -> Result<(), Error> {
///         Ok(())
///     }
///
///     fn min_rows(&self) -> usize {
///         1
///     }
///
///     fn fit(&self, training: &Training<'_>) -> Result<Clustering, Error> {
///         let (labels, strengths) = self.predict(training.matrix().view(), &training.progress)?;
///         Ok(Clustering::new(labels, strengths, self.clone()))
///     }
/// }
///
/// impl FittedClusterer for Threshold {
///     fn predict(&self, points: ArrayView2<'_, f32>, _: &Progress) -> Result<(Vec<i32>, Vec<f64>), Error> {
///         let label = |row| i32::from(points[[row, 0]] > self.0);
///         Ok(((0..points.nrows()).map(label).collect(), vec![1.0; points.nrows()]))
///     }
///
///     fn state(&self) -> Option<State<'_>> {
///         Some(State::new("threshold").with_values("threshold", vec![self.0]))
///     }
/// }
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(Threshold(0.0));
/// model.fit(&posts)?.save(&folder)?;
///
/// let options = LoadOptions::new().clusterer("threshold", |mut state| {
///     let threshold = state.take_exactly("threshold", 1)?[0];
///     Ok(Arc::new(Threshold(threshold)))
/// });
/// assert!(FittedTopicModel::load_with(&folder, &options).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct LoadOptions {
    reducers: BTreeMap<String, Read<dyn FittedReducer>>,
    clusterers: BTreeMap<String, Read<dyn FittedClusterer>>,
    pub(super) embedder: EmbedderOptions,
}

/// How the embedder of a loaded model is loaded.
#[derive(Clone, Default)]
pub(super) struct EmbedderOptions {
    pub(super) device: Device,
    /// Where it is now, instead of where it was in the fit.
    pub(super) name: Option<String>,
    change_limits: Option<ChangeLimits>,
}

impl EmbedderOptions {
    /// The limits for images in place of those of the fit; `None` if they stay.
    pub(super) fn limits(&self, of_fit: Limits) -> Option<Limits> {
        self.change_limits.as_ref().map(|change| change(of_fit))
    }
}

impl LoadOptions {
    /// Creates the defaults: the built-in stages are known, and the embedder runs on the CPU.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads fitted reducers of this kind with `read`.
    #[must_use]
    pub fn reducer(
        mut self,
        kind: impl Into<String>,
        read: impl Fn(State<'_>) -> Result<Arc<dyn FittedReducer>> + Send + Sync + 'static,
    ) -> Self {
        self.reducers.insert(kind.into(), Arc::new(read));
        self
    }

    /// Reads fitted clusterers of this kind with `read`.
    #[must_use]
    pub fn clusterer(
        mut self,
        kind: impl Into<String>,
        read: impl Fn(State<'_>) -> Result<Arc<dyn FittedClusterer>> + Send + Sync + 'static,
    ) -> Self {
        self.clusterers.insert(kind.into(), Arc::new(read));
        self
    }

    /// Where the model's embedder is now, if it is no longer where it was in the fit: `builtin`, a folder, or a name on
    /// the Hub. It must be the same model, and keeps the settings of the fit. A model without embedder still has none, and
    /// an embedder of your own type is given by [`with_embedder`](crate::model::FittedTopicModel::with_embedder).
    #[must_use]
    pub fn embedder(mut self, name: impl Into<String>) -> Self {
        self.embedder.name = Some(name.into());
        self
    }

    /// Where the model's embedder runs. Default: on the CPU. A table of token vectors, such as the built-in embedder, has
    /// no device.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.embedder.device = device;
        self
    }

    /// Changes the size limits for the images of new rows and of queries, if the model embeds images: `change` gets those
    /// of the fit. Default: unchanged.
    ///
    /// ```
    /// use topicframe::model::LoadOptions;
    ///
    /// let options = LoadOptions::new().image_limits(|limits| limits.max_side(4_000));
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn image_limits(mut self, change: impl Fn(Limits) -> Limits + Send + Sync + 'static) -> Self {
        self.embedder.change_limits = Some(Arc::new(change));
        self
    }

    pub(super) fn read_reducer(&self, state: State<'_>) -> Result<Arc<dyn FittedReducer>> {
        match self.reducers.get(state.kind()) {
            Some(read) => read(state),
            None => fitted_reducer_of(state).map_err(|error| error.with_further_hint(YOUR_OWN)),
        }
    }

    pub(super) fn read_clusterer(&self, state: State<'_>) -> Result<Arc<dyn FittedClusterer>> {
        match self.clusterers.get(state.kind()) {
            Some(read) => read(state),
            None => fitted_clusterer_of(state).map_err(|error| error.with_further_hint(YOUR_OWN)),
        }
    }
}

const YOUR_OWN: &str = "A stage of your own is read with LoadOptions.";

impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reducers, clusterers) = (self.reducers.keys(), self.clusterers.keys());
        f.debug_struct("LoadOptions")
            .field("reducers", &reducers.collect::<Vec<_>>())
            .field("clusterers", &clusterers.collect::<Vec<_>>())
            .field("embedder", &self.embedder.name)
            .field("device", &self.embedder.device)
            .field("changes_image_limits", &self.embedder.change_limits.is_some())
            .finish()
    }
}
