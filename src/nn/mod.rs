//! What neural models are made of: weights and their files, layers, tokenizers, devices, and threads that share batches.

pub(crate) mod device;
pub(crate) mod image_input;
pub(crate) mod model_folder;
pub(crate) mod text_tokenizer;
pub(crate) mod tokenizer_bounds;
pub(crate) mod transformer;
pub(crate) mod weights;
pub(crate) mod workers;
