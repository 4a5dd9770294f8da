//! Building blocks of neural models: weights and their files, layers, tokenizers, devices, and worker threads that
//! process batches.

// Without the `models` feature, only parts of the code that reads model folders are used.
#![cfg_attr(not(feature = "models"), allow(dead_code))]

pub(crate) mod device;
pub(crate) mod fingerprint;
#[cfg(feature = "models")]
pub(crate) mod image_input;
pub(crate) mod model_folder;
pub(crate) mod text_tokenizer;
pub(crate) mod tokenizer_bounds;
#[cfg(feature = "models")]
pub(crate) mod transformer;
#[cfg(feature = "models")]
pub(crate) mod vision_transformer;
pub(crate) mod weight_files;
#[cfg(feature = "models")]
pub(crate) mod weights;
#[cfg(feature = "models")]
pub(crate) mod workers;
