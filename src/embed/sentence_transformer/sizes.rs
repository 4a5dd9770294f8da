//! The sizes of an encoder, from its `config.json`.

use crate::error::Result;
use crate::nn::model_folder::Config;

/// The keys that transformers writes for most architectures, in the order of [`Sizes`].
pub(super) const SIZE_KEYS: [&str; 6] = [
    "hidden_size",
    "num_attention_heads",
    "intermediate_size",
    "num_hidden_layers",
    "vocab_size",
    "max_position_embeddings",
];

/// The sizes that an encoder is loaded with, within bounds.
pub(super) struct Sizes {
    /// The configuration's keys for them, in the order of the fields.
    pub(super) keys: [&'static str; 6],
    pub(super) hidden_size: usize,
    pub(super) num_attention_heads: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) vocab_size: usize,
    pub(super) max_position_embeddings: usize,
}

impl Sizes {
    /// Reads the sizes with these keys, in the order of the fields.
    pub(super) fn read(
        config: &Config<'_>,
        keys: [&'static str; 6],
        default_positions: usize,
        max_positions: usize,
    ) -> Result<Self> {
        let [hidden, heads, intermediate, layers, vocabulary, positions] = keys;
        Ok(Sizes {
            keys,
            hidden_size: config.size(hidden, None, 1 << 16)?,
            num_attention_heads: config.size(heads, None, 1 << 10)?,
            intermediate_size: config.size(intermediate, None, 1 << 18)?,
            num_hidden_layers: config.size(layers, None, 1 << 10)?,
            vocab_size: config.size(vocabulary, None, 1 << 24)?,
            max_position_embeddings: config.size(positions, Some(default_positions), max_positions)?,
        })
    }
}
