//! Builds the model from the command-line options.

use topicframe::embed::{Device, Fusion, JointEmbedder, LoadedEmbedder, NoEmbedder};
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::model::{ClusterOn, TopicModel};
use topicframe::prelude::{Communities, CountVectorizer, Limits, StopWords, Umap, VisualRepresentation};
use topicframe::progress::Progress;

use crate::fit::{Fit, Like};

/// A hint that suggests models that embed images.
const NAMES: &str = "Set --embedder to a CLIP or SigLIP model: a folder, or a name on the Hub such as \
                     openai/clip-vit-base-patch32.";

impl Fit {
    /// Loads the embedder and the captioner and assembles the pipeline.
    pub(crate) fn model(&self, progress: Progress) -> Result<TopicModel> {
        if self.captioner.is_some() && self.image_column().is_none() {
            return Err(wrong("--captioner requires images, but no image column was specified")
                .with_hint("Specify the image column with --images."));
        }
        self.check_columns()?;
        let stop_words = self.stop_words.as_deref().map(StopWords::named).transpose()?;
        // Loading a model is slow, and may mean a download: the settings are checked first, on a model without any.
        self.with_settings(self.without_models(), stop_words.clone(), &progress).check()?;
        let model = self.with_settings(self.columns(&progress)?, stop_words, &progress);
        match &self.captioner {
            None => Ok(model),
            Some(name) => self.captioned(model, name, &progress),
        }
    }

    /// A model that nothing has to be loaded for.
    fn without_models(&self) -> TopicModel {
        let model = TopicModel::text(self.text.as_deref().unwrap_or("text"), NoEmbedder).embeddings("embedding");
        match self.image_column() {
            Some(images) => model.with_images(images),
            None => model,
        }
    }

    /// The model with every setting that does not depend on the embedder or the captioner.
    fn with_settings(&self, model: TopicModel, stop_words: Option<StopWords>, progress: &Progress) -> TopicModel {
        let (neighbors, search) = (self.n_neighbors, self.neighbor_search);
        let model = match self.like {
            Some(Like::Bertopic) => {
                model.bertopic().reducer(Umap::new().n_neighbors(neighbors).neighbor_search(search))
            }
            None => model.clusterer(Communities::new().n_neighbors(neighbors).neighbor_search(search)),
        };
        let mut model = model
            .min_topic_size(self.min_cluster_size)
            .outliers(self.outliers)
            .cleaning(self.clean)
            .seed(self.seed)
            .with_progress(progress.clone());
        if let Some(words) = stop_words {
            model = model.vectorizer(CountVectorizer::new().stop_words(words));
        }
        if let Some(nr_topics) = self.nr_topics {
            model = model.nr_topics(nr_topics);
        }
        if let Some(weight) = self.image_weight {
            model = model.fusion(Fusion::new().image_weight(weight));
        }
        if self.image_column().is_some() {
            model = model
                .image_folder(self.image_folder())
                .only_in_image_folder(self.only_in_image_folder)
                .representation("Visual_Aspect", VisualRepresentation::new().limits(self.image_limits()));
        }
        match &self.embeddings {
            Some(embeddings) => model.embeddings(embeddings),
            None => model,
        }
    }

    #[cfg(feature = "models")]
    fn captioned(&self, model: TopicModel, name: &str, progress: &Progress) -> Result<TopicModel> {
        let captioner = topicframe::caption::Captioner::load(name, self.device, progress)?;
        Ok(model.captioner(captioner.limits(self.image_limits())))
    }

    #[cfg(not(feature = "models"))]
    fn captioned(&self, _: TopicModel, _: &str, _: &Progress) -> Result<TopicModel> {
        Err(wrong("--captioner needs the feature `models`, and topicframe was built without it")
            .with_hint("Build with --features models."))
    }

    /// The model for the specified columns.
    fn columns(&self, progress: &Progress) -> Result<TopicModel> {
        if self.embeddings.is_some() {
            self.note_device("the embeddings are precomputed", progress);
            return self.with_vectors();
        }
        match LoadedEmbedder::load(self.embedder(), self.device, progress)? {
            #[cfg(feature = "models")]
            LoadedEmbedder::MultiModal(model) => self.joint(model.limits(self.image_limits())),
            _ if self.clusters_images() => Err(self.texts_only()),
            LoadedEmbedder::Static(model) => {
                self.note_device("the embedder is a lookup table", progress);
                self.texts(|text| TopicModel::text(text, model))
            }
            #[cfg(feature = "models")]
            LoadedEmbedder::SentenceTransformer(model) => self.texts(|text| TopicModel::text(text, model)),
            _ => Err(wrong("the command does not support this kind of embedder")),
        }
    }

    /// The size limits for images.
    fn image_limits(&self) -> Limits {
        self.limits.change(Limits::new())
    }

    /// The name of the embedder.
    fn embedder(&self) -> &str {
        if self.embedder.eq_ignore_ascii_case("builtin") { "builtin" } else { &self.embedder }
    }

    /// Notes that the device is not used; this is not an error, because the topics are the same.
    fn note_device(&self, why: &str, progress: &Progress) {
        if self.device != Device::Cpu && self.captioner.is_none() {
            progress.note(Stage::Embed, format!("--device {} has no effect: {why}", self.device));
        }
    }

    /// Whether images, alone or with text, must be embedded.
    fn clusters_images(&self) -> bool {
        self.text.is_none() || self.cluster_on.is_some_and(|on| on != ClusterOn::Text)
    }

    fn texts_only(&self) -> Error {
        let message = format!("the embedder `{}` only supports text, but images are to be clustered", self.embedder);
        wrong(&message).with_hint(NAMES)
    }

    /// What the specified columns do not allow, whatever the embedder.
    fn check_columns(&self) -> Result<()> {
        let (text, images) = (self.text.is_some(), self.image_column().is_some());
        if self.embeddings.is_none() && self.embedder() == "builtin" && self.clusters_images() {
            return Err(self.texts_only());
        }
        if text && !images && self.clusters_images() {
            return Err(wrong("there are no images to cluster: specify the image column with --images"));
        }
        if !text && self.cluster_on.is_some_and(|on| on != ClusterOn::Images) {
            return Err(wrong("there is no text to cluster: specify the text column with --text"));
        }
        self.check_weight(text && images && self.embeddings.is_none() && self.fuses())
    }

    /// Whether text and images are to be fused if the embedder supports both.
    fn fuses(&self) -> bool {
        self.cluster_on.is_none_or(|on| on == ClusterOn::Both)
    }

    /// An image weight only applies to models that fuse images with text.
    fn check_weight(&self, fused: bool) -> Result<()> {
        if self.image_weight.is_none() || fused {
            return Ok(());
        }
        let message = "--image-weight balances text and images, but only one of them is clustered";
        Err(wrong(message).with_hint("Omit it, or specify both columns and an embedder that supports both."))
    }

    /// Clusters on text; images only illustrate the topics.
    fn texts(&self, of_column: impl FnOnce(&str) -> TopicModel) -> Result<TopicModel> {
        self.check_weight(false)?;
        let text =
            self.text.as_deref().ok_or_else(|| wrong("there is no text: specify the text column with --text"))?;
        let model = of_column(text);
        Ok(match self.image_column() {
            Some(images) => model.with_images(images),
            None => model,
        })
    }

    /// A model with an embedder that supports both text and images.
    fn joint<J: JointEmbedder + 'static>(&self, embedder: J) -> Result<TopicModel> {
        match (self.text.as_deref(), self.image_column()) {
            (Some(text), Some(images)) => {
                let on = self.cluster_on.unwrap_or(ClusterOn::Both);
                Ok(TopicModel::text_and_images(text, images, embedder).cluster_on(on))
            }
            (None, Some(images)) => Ok(TopicModel::images(images, embedder)),
            _ => self.texts(|text| TopicModel::text(text, embedder)),
        }
    }

    /// Clusters the precomputed embeddings of the frame.
    fn with_vectors(&self) -> Result<TopicModel> {
        match self.text {
            None => self.joint(NoEmbedder),
            Some(_) if self.clusters_images() => self.joint(NoEmbedder),
            Some(_) => self.texts(|text| TopicModel::text(text, NoEmbedder)),
        }
    }
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::InvalidParameter, Stage::Input, message)
}
