//! What neural models are made of: weights and their files, layers, tokenizers, devices, and threads that share batches.

// Without models, only parts of what reads their folders are used.
#![cfg_attr(not(feature = "models"), allow(dead_code))]

pub(crate) mod device;
#[cfg(feature = "models")]
pub(crate) mod image_input;
pub(crate) mod model_folder;
pub(crate) mod text_tokenizer;
pub(crate) mod tokenizer_bounds;
#[cfg(feature = "models")]
pub(crate) mod transformer;
pub(crate) mod weight_files;
#[cfg(feature = "models")]
pub(crate) mod weights;
#[cfg(feature = "models")]
pub(crate) mod workers;
