//! Models by name: a local folder, or a model on the Hub; and which kind of model a folder contains.

use std::path::Path;

use serde_json::Value;

use super::{Device, ImageEmbedder, StaticEmbedder, TextEmbedder};
#[cfg(feature = "models")]
use super::{MultiModalBackend, SentenceTransformer};
#[cfg(not(feature = "models"))]
use crate::error::{Error, ErrorKind, Stage};
use crate::error::{Hint, Result};
use crate::hub::{self, Hub};
use crate::nn::model_folder::{model_error, read_json, read_json_if_exists};
use crate::progress::Progress;
use crate::spec::Spec;
use crate::vision::Limits;

/// An embedder of any kind, loaded by name.
///
/// ```
/// use topicframe::prelude::*;
///
/// // The name may come from a user: `builtin`, a folder, or a model on the Hub.
/// let loaded = LoadedEmbedder::load("builtin", Device::Cpu, &Progress::lines())?;
/// let LoadedEmbedder::Static(embedder) = loaded else { return Err("another kind of model".into()) };
/// let model = TopicModel::text("text", embedder);
/// assert!(model.check().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "one is created, and matched on immediately")]
pub enum LoadedEmbedder {
    /// A table of token vectors: the built-in one, or Model2Vec's.
    Static(StaticEmbedder),
    /// A sentence-transformers model, for texts.
    #[cfg(feature = "models")]
    SentenceTransformer(SentenceTransformer),
    /// CLIP or SigLIP, for texts and images.
    #[cfg(feature = "models")]
    MultiModal(MultiModalBackend),
}

impl LoadedEmbedder {
    /// Loads `builtin`, a folder, or a model from the Hub: `organization/name`, or a short name such as
    /// `all-MiniLM-L6-v2` or `clip-ViT-B-32`. A local folder takes precedence. `device` has no effect on a table of
    /// token vectors.
    ///
    /// # Errors
    /// A folder without a known kind of model; errors from the loaders and the [`Hub`].
    pub fn load(name: &str, device: Device, progress: &Progress) -> Result<Self> {
        if name == "builtin" {
            return Ok(LoadedEmbedder::Static(StaticEmbedder::builtin()));
        }
        let folder = hub::folder_of(name, progress)?;
        match kind_of(&folder)? {
            Kind::Static => StaticEmbedder::from_dir(folder).map(LoadedEmbedder::Static),
            Kind::Unspecified => {
                let hint = "config.json has no `model_type`, so this was loaded as a Model2Vec model.";
                StaticEmbedder::from_dir(folder)
                    .map(LoadedEmbedder::Static)
                    .map_err(|error| error.with_further_hint(hint))
            }
            #[cfg(feature = "models")]
            Kind::SentenceTransformer => SentenceTransformer::from_dir(folder)
                .and_then(|model| model.device(device))
                .map(LoadedEmbedder::SentenceTransformer),
            #[cfg(feature = "models")]
            Kind::MultiModal => MultiModalBackend::from_dir(folder)
                .and_then(|model| model.device(device))
                .map(LoadedEmbedder::MultiModal),
            #[cfg(not(feature = "models"))]
            Kind::SentenceTransformer | Kind::MultiModal => {
                let _ = device;
                let message = "this model needs the feature `models`, and topicframe was built without it";
                Err(Error::new(ErrorKind::Model, Stage::Embed, message)
                    .with_path(folder)
                    .with_hint("Build with --features models, or use a Model2Vec model or the built-in embedder."))
            }
        }
    }
}

impl LoadedEmbedder {
    /// The same model with the settings of a [`spec`](TextEmbedder::spec) of its kind.
    pub(crate) fn with_spec(self, spec: &Spec) -> Result<Self> {
        match (self, spec.name.as_str()) {
            #[cfg(feature = "models")]
            (LoadedEmbedder::SentenceTransformer(model), "sentence_transformer") => {
                model.with_spec(spec).map(LoadedEmbedder::SentenceTransformer)
            }
            #[cfg(feature = "models")]
            (LoadedEmbedder::MultiModal(model), "multi_modal") => model.with_spec(spec).map(LoadedEmbedder::MultiModal),
            (loaded, _) => Ok(loaded),
        }
    }

    /// The same model on another device, on which a table of token vectors does not depend.
    #[cfg_attr(not(feature = "models"), expect(unused_variables, reason = "only neural models use it"))]
    pub(crate) fn on_device(self, device: Device) -> Result<Self> {
        match self {
            LoadedEmbedder::Static(model) => Ok(LoadedEmbedder::Static(model)),
            #[cfg(feature = "models")]
            LoadedEmbedder::SentenceTransformer(model) => model.device(device).map(LoadedEmbedder::SentenceTransformer),
            #[cfg(feature = "models")]
            LoadedEmbedder::MultiModal(model) => model.device(device).map(LoadedEmbedder::MultiModal),
        }
    }

    /// The same model with other limits for images, if it has any and `change` returns some.
    #[cfg_attr(not(feature = "models"), expect(unused_variables, reason = "only neural models use it"))]
    pub(crate) fn with_limits(self, change: impl FnOnce(Limits) -> Option<Limits>) -> Self {
        match self {
            #[cfg(feature = "models")]
            LoadedEmbedder::MultiModal(model) => LoadedEmbedder::MultiModal(model.change_limits(change)),
            other => other,
        }
    }

    /// The embedder of texts.
    pub(crate) fn texts(&self) -> Option<&dyn TextEmbedder> {
        match self {
            LoadedEmbedder::Static(model) => Some(model),
            #[cfg(feature = "models")]
            LoadedEmbedder::SentenceTransformer(model) => Some(model),
            #[cfg(feature = "models")]
            LoadedEmbedder::MultiModal(model) => Some(model),
        }
    }

    /// The embedder of images, if the model has one.
    pub(crate) fn images(&self) -> Option<&dyn ImageEmbedder> {
        match self {
            #[cfg(feature = "models")]
            LoadedEmbedder::MultiModal(model) => Some(model),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Static,
    /// There is no `model_type`, which all models but the oldest static ones have.
    Unspecified,
    SentenceTransformer,
    MultiModal,
}

/// Determines the kind from the folder's small files.
fn kind_of(folder: &Path) -> Result<Kind> {
    let modules = read_json_if_exists(&folder.join("modules.json"))?.unwrap_or_default();
    let first = modules.get(0).and_then(|module| module.get("type")).and_then(Value::as_str).unwrap_or_default();
    match first.rsplit('.').next().unwrap_or_default() {
        "CLIPModel" => return Ok(Kind::MultiModal),
        "StaticEmbedding" => return Ok(Kind::Static),
        _ => {}
    }
    let path = folder.join("config.json");
    let config = read_json(&path)?;
    let word = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or_default();
    match word("model_type") {
        "clip" | "siglip" => Ok(Kind::MultiModal),
        "model2vec" => Ok(Kind::Static),
        "vision-encoder-decoder" | "blip" => {
            let hint = Hint::new("Load it with Captioner::from_dir.").on_command_line("Pass it with --captioner.");
            Err(model_error(folder, "this model generates captions; it is not an embedder").with_hint(hint))
        }
        // Model2Vec's older configurations have a tokenizer name and no model type.
        "" if config.get("tokenizer_name").is_some() || config.get("seq_length").is_some() => Ok(Kind::Static),
        "" if first.is_empty() => Ok(Kind::Unspecified),
        _ => Ok(Kind::SentenceTransformer),
    }
}

#[cfg(feature = "models")]
impl SentenceTransformer {
    /// Loads a model from the Hugging Face Hub, such as `sentence-transformers/all-MiniLM-L6-v2` (or just
    /// `all-MiniLM-L6-v2`); `@revision` may follow. A model in Hugging Face's cache is not downloaded again; a download
    /// is reported on standard error. For other settings, use [`Hub`] and pass its folder to
    /// [`from_dir`](Self::from_dir).
    ///
    /// # Errors
    /// As [`Hub::model_folder`] and [`from_dir`](Self::from_dir).
    pub fn from_hub(name: &str) -> Result<Self> {
        Self::from_dir(Hub::new().model_folder(name, &Progress::lines())?)
    }
}

#[cfg(feature = "models")]
impl MultiModalBackend {
    /// Loads a model from the Hugging Face Hub, such as `openai/clip-vit-base-patch32`,
    /// `google/siglip-base-patch16-224` or `clip-ViT-B-32`; as [`SentenceTransformer::from_hub`].
    ///
    /// # Errors
    /// As [`Hub::model_folder`] and [`from_dir`](Self::from_dir).
    pub fn from_hub(name: &str) -> Result<Self> {
        Self::from_dir(Hub::new().model_folder(name, &Progress::lines())?)
    }
}

impl StaticEmbedder {
    /// Loads a Model2Vec model from the Hugging Face Hub, such as `minishlab/potion-base-8M`; as
    /// [`SentenceTransformer::from_hub`].
    ///
    /// # Errors
    /// As [`Hub::model_folder`] and [`from_dir`](Self::from_dir).
    pub fn from_hub(name: &str) -> Result<Self> {
        Self::from_dir(Hub::new().model_folder(name, &Progress::lines())?)
    }
}
