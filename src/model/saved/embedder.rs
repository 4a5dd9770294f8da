//! Embedders of a loaded model: known by their origin, loaded when they are first needed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::options::EmbedderOptions;
use crate::embed::{Device, ImageEmbedder, LoadedEmbedder, TextEmbedder};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::hub::Origin;
use crate::nn::fingerprint::fingerprint;
use crate::progress::Progress;
use crate::spec::Spec;
use crate::vision::ImageSource;

/// The origin of a model, as it is saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedOrigin {
    BuiltIn,
    Hub {
        name: String,
        revision: String,
    },
    /// A folder; the hash is that of its small files and of the sizes of the others.
    Folder {
        path: String,
        sha256: Option<String>,
    },
    /// A type of the user's own.
    Unknown,
}

impl SavedOrigin {
    pub(super) fn of(origin: Option<Origin>) -> Self {
        match origin {
            Some(Origin::BuiltIn) => SavedOrigin::BuiltIn,
            Some(Origin::Hub { name, revision }) => SavedOrigin::Hub { name, revision },
            Some(Origin::Folder(path)) => {
                SavedOrigin::Folder { sha256: fingerprint(&path), path: path.to_string_lossy().into_owned() }
            }
            None => SavedOrigin::Unknown,
        }
    }

    /// The origin, if the model can be loaded from it.
    pub(super) fn origin(&self) -> Option<Origin> {
        match self {
            SavedOrigin::BuiltIn => Some(Origin::BuiltIn),
            SavedOrigin::Hub { name, revision } => Some(Origin::Hub { name: name.clone(), revision: revision.clone() }),
            SavedOrigin::Folder { path, .. } => Some(Origin::Folder(PathBuf::from(path))),
            SavedOrigin::Unknown => None,
        }
    }

    /// The name by which the model is loaded, or why it cannot be.
    pub(super) fn name(&self) -> std::result::Result<String, String> {
        match self {
            SavedOrigin::Unknown => Err("it is not one of topicframe's, so it was not saved".to_owned()),
            SavedOrigin::BuiltIn => Ok("builtin".to_owned()),
            SavedOrigin::Hub { name, revision } => Ok(format!("{name}@{revision}")),
            SavedOrigin::Folder { path, sha256 } => {
                check_folder(Path::new(path), sha256.as_deref())?;
                Ok(path.clone())
            }
        }
    }
}

/// The embedders of texts and of images.
type Embedders = (Option<Arc<dyn TextEmbedder>>, Option<Arc<dyn ImageEmbedder>>);

/// What is saved of an embedder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedEmbedder {
    origin: SavedOrigin,
    /// Its type and settings, for people.
    description: String,
    /// Its settings.
    #[serde(default)]
    spec: Option<(String, serde_json::Value)>,
    texts: Option<TextSide>,
    images: Option<usize>,
}

/// What is known of the texts' embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct TextSide {
    dimensions: usize,
    wants_clean_texts: bool,
}

impl TextSide {
    fn of(embedder: &dyn TextEmbedder) -> Self {
        TextSide { dimensions: embedder.dimensions(), wants_clean_texts: embedder.wants_clean_texts() }
    }
}

impl SavedEmbedder {
    pub(super) fn of_texts(embedder: &dyn TextEmbedder) -> Self {
        SavedEmbedder {
            origin: SavedOrigin::of(embedder.origin()),
            description: format!("{embedder:?}"),
            spec: embedder.spec().map(|spec| (spec.name, spec.settings)),
            texts: Some(TextSide::of(embedder)),
            images: None,
        }
    }

    /// Of a model of another program, which knows at most the name on the Hub.
    pub(super) fn of_name(name: Option<&str>, dimensions: usize) -> Self {
        let (origin, description) = match name {
            Some(name) => {
                let revision = "main".to_owned();
                (SavedOrigin::Hub { name: name.to_owned(), revision }, name.to_owned())
            }
            None => (SavedOrigin::Unknown, "an embedding model whose name was not saved".to_owned()),
        };
        let texts = Some(TextSide { dimensions, wants_clean_texts: false });
        SavedEmbedder { origin, description, spec: None, texts, images: None }
    }

    pub(super) fn of_images(embedder: &dyn ImageEmbedder) -> Self {
        SavedEmbedder {
            origin: SavedOrigin::of(embedder.origin()),
            description: format!("{embedder:?}"),
            spec: embedder.spec().map(|spec| (spec.name, spec.settings)),
            texts: embedder.text_side().map(TextSide::of),
            images: Some(embedder.dimensions()),
        }
    }

    /// The embedders of a model. If both are the same model, it is loaded once.
    pub(super) fn embedders(
        texts: Option<SavedEmbedder>,
        images: Option<SavedEmbedder>,
        options: &EmbedderOptions,
    ) -> Embedders {
        let images = images.map(|saved| Arc::new(RecordedEmbedder::new(saved, options)));
        let is_same = |texts: &SavedEmbedder, images: &SavedEmbedder| {
            texts.origin != SavedOrigin::Unknown
                && (&texts.origin, &texts.description, &texts.texts)
                    == (&images.origin, &images.description, &images.texts)
        };
        let texts: Option<Arc<dyn TextEmbedder>> = match (texts, &images) {
            (None, _) => None,
            (Some(texts), Some(images)) if is_same(&texts, &images.saved) => Some(Arc::clone(images) as _),
            (Some(texts), _) => Some(Arc::new(RecordedEmbedder::new(texts, options))),
        };
        (texts, images.map(|images| images as _))
    }
}

/// An embedder that is loaded when it is first needed.
struct RecordedEmbedder {
    saved: SavedEmbedder,
    options: EmbedderOptions,
    loaded: OnceLock<Result<LoadedEmbedder>>,
}

impl RecordedEmbedder {
    fn new(saved: SavedEmbedder, options: &EmbedderOptions) -> Self {
        RecordedEmbedder { saved, options: options.clone(), loaded: OnceLock::new() }
    }

    fn loaded(&self, method: &str, progress: &Progress) -> Result<&LoadedEmbedder> {
        let loaded = self.loaded.get_or_init(|| self.load(method, progress));
        loaded.as_ref().map_err(Clone::clone)
    }

    fn load(&self, method: &str, progress: &Progress) -> Result<LoadedEmbedder> {
        let (name, is_given) = match &self.options.name {
            Some(name) => (name.clone(), true),
            None => (self.place(method)?, false),
        };
        let loaded = LoadedEmbedder::load(&name, Device::Cpu, progress).map_err(|cause| match is_given {
            true => cause,
            false => missing("embedder", &self.saved.description, "it cannot be loaded", method).with_cause(cause),
        })?;
        if is_given {
            self.check_given(&name, &loaded, progress)?;
        }
        // A device that cannot be used does not mean that the model is missing.
        let device = self.options.device;
        let loaded = loaded.on_device(device)?;
        if device != Device::Cpu && matches!(loaded, LoadedEmbedder::Static(_)) {
            let message = format!("the device `{device}` has no effect: the embedder is a lookup table");
            progress.note(Stage::Embed, message);
        }
        let loaded = match &self.saved.spec {
            Some((name, settings)) => loaded.with_spec(&Spec { name: name.clone(), settings: settings.clone() })?,
            None => loaded,
        };
        Ok(loaded.with_limits(|limits| self.options.limits(limits)))
    }

    /// Where the model was in the fit, if it is still there.
    fn place(&self, method: &str) -> Result<String> {
        let missing = |why: &str| missing("embedder", &self.saved.description, why, method);
        self.saved.origin.name().map_err(|why| missing(&why))
    }

    /// Whether a model that is given by name can be the one of the fit.
    fn check_given(&self, name: &str, loaded: &LoadedEmbedder, progress: &Progress) -> Result<()> {
        let texts = (self.saved.texts.map(|texts| texts.dimensions), loaded.texts().map(|model| model.dimensions()));
        let images = (self.saved.images, loaded.images().map(|model| model.dimensions()));
        for ((before, now), what) in [(images, "images"), (texts, "texts")] {
            let Some(before) = before.filter(|before| Some(*before) != now) else { continue };
            let message = match now {
                Some(now) => format!("the embedder `{name}` has {now} dimensions, but the one of the fit had {before}"),
                None => format!("the embedder `{name}` does not support {what}, as the one of the fit did"),
            };
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, message)
                .with_hint(format!("Use the embedder of the fit: {:.200}.", self.saved.description)));
        }
        if let SavedOrigin::Folder { sha256: Some(sha256), .. } = &self.saved.origin
            && fingerprint(Path::new(name)).is_some_and(|now| now != *sha256)
        {
            progress.note(Stage::Embed, format!("the model in {name} is not the one that was used in the fit"));
        }
        Ok(())
    }

    /// The error for an embedder of another kind than the one that was saved.
    fn other_kind(&self, method: &str) -> Error {
        missing("embedder", &self.saved.description, "there is another kind of model at its place", method)
    }
}

/// Whether the model in a folder is the one that was recorded.
fn check_folder(path: &Path, sha256: Option<&str>) -> std::result::Result<(), String> {
    if !path.is_dir() {
        return Err(format!("its folder {} does not exist", path.display()));
    }
    match sha256.is_some_and(|sha256| fingerprint(path).as_deref() != Some(sha256)) {
        true => Err(format!("the model in {} is another one than at the time of saving", path.display())),
        false => Ok(()),
    }
}

pub(super) fn missing(what: &str, description: &str, why: &str, method: &str) -> Error {
    let message = format!("the {what} `{description:.200}` of the saved model is missing: {why}");
    // The command captions nothing anew, and so has no option for a captioner.
    let on_command_line = match method {
        "with_captioner" => "",
        _ => "Say where it is now with --embedder: a folder, or a name on the Hub.",
    };
    Error::new(ErrorKind::Model, Stage::Embed, message).with_hint(
        Hint::new(format!("Give it to the loaded model: topics.{method}(..).")).on_command_line(on_command_line),
    )
}

impl fmt::Debug for RecordedEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.saved.description)
    }
}

impl TextEmbedder for RecordedEmbedder {
    fn dimensions(&self) -> usize {
        self.saved.texts.map_or(0, |texts| texts.dimensions)
    }

    fn embed_texts(&self, texts: &[&str], progress: &Progress) -> Result<Array2<f32>> {
        let method = if self.saved.images.is_some() { "with_image_embedder" } else { "with_embedder" };
        match self.loaded(method, progress)?.texts() {
            Some(embedder) => embedder.embed_texts(texts, progress),
            None => Err(self.other_kind(method)),
        }
    }

    fn wants_clean_texts(&self) -> bool {
        self.saved.texts.is_some_and(|texts| texts.wants_clean_texts)
    }

    fn origin(&self) -> Option<Origin> {
        self.saved.origin.origin()
    }

    fn spec(&self) -> Option<Spec> {
        self.saved.spec.clone().map(|(name, settings)| Spec { name, settings })
    }
}

impl ImageEmbedder for RecordedEmbedder {
    fn dimensions(&self) -> usize {
        self.saved.images.unwrap_or(0)
    }

    fn embed_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Array2<f32>> {
        let method = "with_image_embedder";
        match self.loaded(method, progress)?.images() {
            Some(embedder) => embedder.embed_images(images, progress),
            None => Err(self.other_kind(method)),
        }
    }

    fn text_side(&self) -> Option<&dyn TextEmbedder> {
        self.saved.texts.map(|_| self as &dyn TextEmbedder)
    }

    fn origin(&self) -> Option<Origin> {
        self.saved.origin.origin()
    }

    fn spec(&self) -> Option<Spec> {
        self.saved.spec.clone().map(|(name, settings)| Spec { name, settings })
    }
}
