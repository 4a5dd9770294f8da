//! The settings of a model as JSON.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::captioner::SavedCaptioner;
use super::embedder::SavedEmbedder;
use super::options::EmbedderOptions;
use super::recorded::Recorded;
use crate::cluster::{Clusterer, clusterer_of};
use crate::corpus::Columns;
use crate::embed::Fusion;
use crate::encode::{ClusterOn, Encoder};
use crate::error::Result;
use crate::model::TopicModel;
use crate::progress::Progress;
use crate::reduce::{Reducer, reducer_of};
use crate::represent::{Representation, Representatives, representation_of};
use crate::spec::Spec;
use crate::vectorize::{ClassTfIdf, CountVectorizer, TextCleaning};

/// The settings of a model.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedSettings {
    columns: SavedColumns,
    cluster_on: ClusterOn,
    text_embedder: Option<SavedEmbedder>,
    image_embedder: Option<SavedEmbedder>,
    fusion: Fusion,
    cleaning: TextCleaning,
    captioner: Option<SavedCaptioner>,
    nr_captioned_images: usize,
    reducer: Option<SavedStage>,
    clusterer: SavedStage,
    outliers: String,
    nr_topics: Option<String>,
    vectorizer: CountVectorizer,
    ctfidf: ClassTfIdf,
    merge_word_forms: bool,
    coherent_words: bool,
    representations: Vec<SavedRepresentation>,
    top_n_words: usize,
    nr_repr_docs: usize,
    representatives: Representatives,
    seed: u64,
}

/// The roles of columns.
#[derive(Debug, Serialize, Deserialize)]
struct SavedColumns {
    text: Option<String>,
    image: Option<String>,
    embeddings: Option<String>,
    text_embeddings: Option<String>,
    image_embeddings: Option<String>,
    labels: Option<String>,
    image_folder: String,
    only_in_image_folder: bool,
}

/// A stage: its kind and settings if it is built in, and in any case what it was, for people.
#[derive(Debug, Serialize, Deserialize)]
struct SavedStage {
    kind: Option<String>,
    settings: Value,
    description: String,
}

/// A representation.
#[derive(Debug, Serialize, Deserialize)]
struct SavedRepresentation {
    name: String,
    produces_words: bool,
    stage: SavedStage,
}

impl SavedStage {
    fn new(spec: Option<Spec>, description: String) -> Self {
        let (kind, settings) = spec.map_or((None, Value::Null), |spec| (Some(spec.name), spec.settings));
        SavedStage { kind, settings, description }
    }

    /// The stage by its spec, if it is built in.
    fn built<T>(self, build: impl Fn(&Spec) -> Result<T>, otherwise: impl Fn(String) -> T) -> Result<T> {
        match self.kind {
            Some(name) => build(&Spec { name, settings: self.settings }),
            None => Ok(otherwise(self.description)),
        }
    }
}

fn recorded(description: String) -> Recorded {
    Recorded { description, name: None, produces_words: true }
}

impl SavedSettings {
    pub(super) fn of(model: &TopicModel) -> Self {
        let Encoder { columns, cluster_on, text_embedder, image_embedder, fusion, cleaning } = &model.encoder;
        let representation = |(name, representation): &(String, Arc<dyn Representation>)| SavedRepresentation {
            name: name.clone(),
            produces_words: representation.produces_words(),
            stage: SavedStage::new(representation.spec(), format!("{representation:?}")),
        };
        SavedSettings {
            columns: SavedColumns::of(columns),
            cluster_on: *cluster_on,
            text_embedder: text_embedder.as_deref().map(SavedEmbedder::of_texts),
            image_embedder: image_embedder.as_deref().map(SavedEmbedder::of_images),
            fusion: *fusion,
            cleaning: *cleaning,
            captioner: model.captioner.as_deref().map(SavedCaptioner::of),
            nr_captioned_images: model.nr_captioned_images,
            reducer: model.reducer.as_ref().map(|reducer| SavedStage::new(reducer.spec(), format!("{reducer:?}"))),
            clusterer: SavedStage::new(model.clusterer.spec(), format!("{:?}", model.clusterer)),
            outliers: model.outliers.to_string(),
            nr_topics: model.nr_topics.map(|count| count.to_string()),
            vectorizer: model.vectorizer.clone(),
            ctfidf: model.ctfidf.clone(),
            merge_word_forms: model.merge_word_forms,
            coherent_words: model.coherent_words,
            representations: model.representations.iter().map(representation).collect(),
            top_n_words: model.top_n_words,
            nr_repr_docs: model.nr_repr_docs,
            representatives: model.representatives,
            seed: model.seed,
        }
    }

    /// The model with these settings. Embedders are not loaded; `options` is how they are, when they are needed.
    pub(super) fn model(self, options: &EmbedderOptions) -> Result<TopicModel> {
        let (text_embedder, image_embedder) =
            SavedEmbedder::embedders(self.text_embedder, self.image_embedder, options);
        let representation = |saved: SavedRepresentation| {
            let (name, produces_words) = (saved.name, saved.produces_words);
            let otherwise = |description| {
                Arc::new(Recorded { description, name: Some(name.clone()), produces_words }) as Arc<dyn Representation>
            };
            let representation = saved.stage.built(representation_of, otherwise)?;
            Ok((name, representation))
        };
        let reducer = |saved: SavedStage| {
            saved.built(reducer_of, |description| Arc::new(recorded(description)) as Arc<dyn Reducer>)
        };
        let clusterer =
            self.clusterer.built(clusterer_of, |description| Arc::new(recorded(description)) as Arc<dyn Clusterer>)?;
        let outliers: crate::topics::Outliers = self.outliers.parse()?;
        let model = TopicModel {
            encoder: Encoder {
                columns: self.columns.columns(),
                cluster_on: self.cluster_on,
                text_embedder,
                image_embedder,
                fusion: self.fusion,
                cleaning: self.cleaning,
            },
            captioner: self.captioner.map(SavedCaptioner::captioner),
            nr_captioned_images: self.nr_captioned_images,
            reducer: self.reducer.map(reducer).transpose()?,
            clusterer,
            outliers,
            nr_topics: self.nr_topics.map(|count| count.parse()).transpose()?,
            vectorizer: self.vectorizer,
            ctfidf: self.ctfidf,
            merge_word_forms: self.merge_word_forms,
            coherent_words: self.coherent_words,
            representations: self.representations.into_iter().map(representation).collect::<Result<_>>()?,
            top_n_words: self.top_n_words,
            nr_repr_docs: self.nr_repr_docs,
            representatives: self.representatives,
            seed: self.seed,
            progress: Progress::of_a_model(),
        };
        model.vectorizer.check()?;
        model.ctfidf.check()?;
        model.encoder.fusion.check()?;
        Ok(model)
    }
}

impl SavedColumns {
    fn of(columns: &Columns) -> Self {
        SavedColumns {
            text: columns.text.clone(),
            image: columns.image.clone(),
            embeddings: columns.embeddings.clone(),
            text_embeddings: columns.text_embeddings.clone(),
            image_embeddings: columns.image_embeddings.clone(),
            labels: columns.labels.clone(),
            image_folder: columns.image_folder.to_string_lossy().into_owned(),
            only_in_image_folder: columns.only_in_image_folder,
        }
    }

    fn columns(self) -> Columns {
        Columns {
            text: self.text,
            image: self.image,
            embeddings: self.embeddings,
            text_embeddings: self.text_embeddings,
            image_embeddings: self.image_embeddings,
            labels: self.labels,
            image_folder: PathBuf::from(self.image_folder),
            only_in_image_folder: self.only_in_image_folder,
        }
    }
}
