//! Loading a saved model.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use topicframe::FittedTopicModel;
use topicframe::embed::{Device, LoadedEmbedder};
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::model::{LoadOptions, SavedVectors};
use topicframe::prelude::Limits;
use topicframe::progress::Progress;

use crate::limits::ImageLimits;
use crate::usage::any_case;

/// Options for the embedder of a saved model.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Embedder")]
pub struct Loading {
    /// The embedder, if it is no longer where it was in the fit: a folder, or a name on the Hub. It must be the same
    /// model [default: where it was].
    #[arg(long, value_name = "FOLDER|NAME")]
    embedder: Option<String>,

    /// Device for model inference: `cpu`, or `cuda` or `cuda:N` if topicframe was built with the `cuda` feature.
    #[arg(long, value_name = "cpu|cuda", default_value_t = Device::Cpu, value_parser = any_case::<Device>)]
    device: Device,
}

impl Loading {
    /// Loads the model in `folder`, with the embedder if one is given, and with other `limits` for images than in the fit.
    pub fn load(&self, folder: &Path, limits: &ImageLimits, progress: &Progress) -> Result<FittedTopicModel> {
        limits.change(Limits::new()).check(Stage::Input)?;
        let mut options = LoadOptions::new().device(self.device);
        if !limits.given().is_empty() {
            let limits = limits.clone();
            options = options.image_limits(move |of_fit| limits.change(of_fit));
        }
        if let Some(name) = self.name() {
            options = options.embedder(name);
        }
        let topics = FittedTopicModel::load_with(folder, &options)?.with_progress(progress.clone());
        if topics.columns().image.is_none() {
            for option in limits.given() {
                progress.note(Stage::Input, format!("{option} has no effect: the model was fitted without images"));
            }
        }
        match self.name() {
            Some(name) if !Listing::read(folder)?.has_embedder() => self.with_embedder(topics, name, limits, progress),
            _ => Ok(topics),
        }
    }

    /// The name of the embedder, if one is given.
    pub fn name(&self) -> Option<&str> {
        let name = self.embedder.as_deref()?;
        Some(if name.eq_ignore_ascii_case("builtin") { "builtin" } else { name })
    }

    /// A model that was fitted to precomputed vectors, with the embedder that they are from.
    #[cfg_attr(not(feature = "models"), expect(unused_variables, reason = "no embedder for images can be loaded"))]
    fn with_embedder(
        &self,
        topics: FittedTopicModel,
        name: &str,
        limits: &ImageLimits,
        progress: &Progress,
    ) -> Result<FittedTopicModel> {
        match LoadedEmbedder::load(name, self.device, progress)? {
            #[cfg(feature = "models")]
            LoadedEmbedder::MultiModal(model) => {
                let model = model.limits(limits.change(Limits::new()));
                topics.with_image_embedder(model.clone())?.with_embedder(model)
            }
            LoadedEmbedder::Static(model) => topics.with_embedder(model),
            #[cfg(feature = "models")]
            LoadedEmbedder::SentenceTransformer(model) => topics.with_embedder(model),
            _ => {
                let message = "the command does not support this kind of embedder";
                Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, message))
            }
        }
    }
}

/// The folder of a saved model, with its `model.json`.
pub struct Listing {
    path: PathBuf,
    pub content: Value,
}

impl Listing {
    /// Reads `model.json`, which is checked when the model is loaded.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("model.json");
        let failed = || Error::new(ErrorKind::Io, Stage::Input, "cannot read the file").with_path(&path);
        let bytes = fs::read(&path).map_err(|cause| failed().with_cause(cause))?;
        let content = serde_json::from_slice(&bytes).map_err(|cause| failed().with_cause(cause))?;
        Ok(Listing { content, path })
    }

    /// The precision of the vectors.
    pub fn vectors(&self) -> SavedVectors {
        match self.content["model"]["saved"]["vectors"].as_str() {
            Some("half") => SavedVectors::Half,
            Some("none") => SavedVectors::None,
            _ => SavedVectors::Full,
        }
    }

    /// Whether the model has an embedder, which it has not if it was fitted to precomputed vectors.
    fn has_embedder(&self) -> bool {
        let settings = &self.content["model"]["settings"];
        ["text_embedder", "image_embedder"].iter().any(|side| !settings[side].is_null())
    }

    /// The size of the model's files in bytes.
    pub fn bytes(&self) -> u64 {
        let files = self.content["files"].as_array().into_iter().flatten();
        let listed: u64 = files.filter_map(|file| file["bytes"].as_u64()).fold(0, u64::saturating_add);
        listed.saturating_add(fs::metadata(&self.path).map_or(0, |file| file.len()))
    }
}
