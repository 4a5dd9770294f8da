//! Selects the encoder for a folder's `config.json`.

use std::path::Path;

use candle_core::{Device, Tensor};
use serde_json::Value;

use super::architecture::PackedEncoder;
use super::modern_bert;
use super::nomic_bert;
use super::padded::PaddedEncoder;
use crate::error::Result;
use crate::nn::model_folder::Config;
use crate::nn::transformer::Spans;
use crate::nn::weights::Weights;

/// An encoder: one vector per token.
#[allow(clippy::large_enum_variant, reason = "one is created for a model, and kept")]
pub(super) enum Encoder {
    /// BERT and its relatives, implemented here for speed: texts are concatenated.
    Packed(PackedEncoder),
    /// Others, from candle-transformers: texts are padded to the same length.
    Padded(PaddedEncoder),
}

impl Encoder {
    /// Reads the encoder described by `config.json`, passed as `json`, and the weights.
    pub(super) fn load(json: &Value, path: &Path, weights: &Weights, device: &Device) -> Result<Self> {
        let config = Config::new(json, path);
        Ok(match config.string("model_type") {
            Some("modernbert") => Encoder::Padded(modern_bert::load(&config, weights, device)?),
            Some("nomic_bert") => Encoder::Padded(nomic_bert::load(&config, weights, device)?),
            _ => Encoder::Packed(PackedEncoder::load(&config, weights, device)?),
        })
    }

    /// The width of a token's vector.
    pub(super) fn width(&self) -> usize {
        match self {
            Encoder::Packed(encoder) => encoder.width(),
            Encoder::Padded(encoder) => encoder.width(),
        }
    }

    /// The maximum number of tokens in a text, including those that the model adds.
    pub(super) fn max_length(&self) -> usize {
        match self {
            Encoder::Packed(encoder) => encoder.max_length(),
            Encoder::Padded(encoder) => encoder.max_length(),
        }
    }

    /// The vectors of all tokens of `texts`, one text after the other: tokens x width.
    pub(super) fn forward(&self, texts: &[&[u32]]) -> Result<(Tensor, Spans)> {
        match self {
            Encoder::Packed(encoder) => encoder.forward(texts),
            Encoder::Padded(encoder) => encoder.forward(texts),
        }
    }
}
