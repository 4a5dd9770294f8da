//! Captioners by name: a local folder, or a model on the Hub.

use super::Captioner;
use crate::error::Result;
use crate::hub::{self, Hub};
use crate::nn::device::Device;
use crate::progress::Progress;

impl Captioner {
    /// Loads a model from the Hugging Face Hub, such as `nlpconnect/vit-gpt2-image-captioning` or
    /// `Salesforce/blip-image-captioning-base`; as [`SentenceTransformer::from_hub`](crate::embed::SentenceTransformer::from_hub).
    ///
    /// # Errors
    /// As [`Hub::model_folder`] and [`from_dir`](Self::from_dir).
    pub fn from_hub(name: &str) -> Result<Self> {
        Self::from_dir(Hub::new().model_folder(name, &Progress::lines())?)
    }

    /// Loads a folder, or a model from the Hub if there is no such folder.
    ///
    /// # Errors
    /// As [`Hub::model_folder`], [`from_dir`](Self::from_dir) and [`device`](Self::device).
    pub fn load(name: &str, device: Device, progress: &Progress) -> Result<Self> {
        // An unusable device is known without the model, which may have to be downloaded first.
        device.open()?;
        Self::from_dir(hub::folder_of(name, progress)?)?.device(device)
    }
}
