//! The captioner of a loaded model: known by its origin, loaded when it is first needed.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::embedder::{SavedOrigin, missing};
#[cfg(feature = "models")]
use crate::caption::Captioner;
use crate::caption::ImageCaptioner;
#[cfg(feature = "models")]
use crate::embed::Device;
use crate::error::{Error, Result};
use crate::hub::Origin;
use crate::progress::Progress;
use crate::spec::Spec;
use crate::vision::ImageSource;

/// What is saved of a captioner. The captions of the fit are saved, so it is needed only for other images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedCaptioner {
    origin: SavedOrigin,
    /// Its type and settings, for people.
    description: String,
    /// Its settings.
    #[serde(default)]
    spec: Option<(String, serde_json::Value)>,
}

impl SavedCaptioner {
    pub(super) fn of(captioner: &dyn ImageCaptioner) -> Self {
        SavedCaptioner {
            origin: SavedOrigin::of(captioner.origin()),
            description: format!("{captioner:?}"),
            spec: captioner.spec().map(|spec| (spec.name, spec.settings)),
        }
    }

    pub(super) fn captioner(self) -> Arc<dyn ImageCaptioner> {
        Arc::new(RecordedCaptioner { saved: self, loaded: OnceLock::new() })
    }

    fn spec(&self) -> Option<Spec> {
        self.spec.clone().map(|(name, settings)| Spec { name, settings })
    }

    fn missing(&self, why: &str) -> Error {
        missing("captioner", &self.description, why, "with_captioner")
    }

    #[cfg(feature = "models")]
    fn load(&self, progress: &Progress) -> Result<Arc<dyn ImageCaptioner>> {
        let name = match self.origin {
            SavedOrigin::BuiltIn => Err("no captioner is built in".to_owned()),
            _ => self.origin.name(),
        };
        let name = name.map_err(|why| self.missing(&why))?;
        let loaded = Captioner::load(&name, Device::Cpu, progress);
        let loaded = loaded.map_err(|cause| self.missing("it cannot be loaded").with_cause(cause))?;
        match self.spec() {
            Some(spec) => Ok(Arc::new(loaded.with_spec(&spec)?)),
            None => Ok(Arc::new(loaded)),
        }
    }

    #[cfg(not(feature = "models"))]
    fn load(&self, _: &Progress) -> Result<Arc<dyn ImageCaptioner>> {
        Err(self.missing("loading it needs the feature `models`, and topicframe was built without it"))
    }
}

/// A captioner that is loaded when it is first needed.
struct RecordedCaptioner {
    saved: SavedCaptioner,
    loaded: OnceLock<Result<Arc<dyn ImageCaptioner>>>,
}

impl fmt::Debug for RecordedCaptioner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.saved.description)
    }
}

impl ImageCaptioner for RecordedCaptioner {
    fn caption_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Vec<Option<String>>> {
        match self.loaded.get_or_init(|| self.saved.load(progress)) {
            Ok(captioner) => captioner.caption_images(images, progress),
            Err(error) => Err(error.clone()),
        }
    }

    fn origin(&self) -> Option<Origin> {
        self.saved.origin.origin()
    }

    fn spec(&self) -> Option<Spec> {
        self.saved.spec()
    }
}
