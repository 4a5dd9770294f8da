//! Embeds the tokens of texts.

use candle_core::{Device, Tensor};

use super::config::{Family, ModelConfig};
use super::layer_names::LAYER;
use super::prompts::Prompt;
use crate::error::Result;
use crate::nn::model_folder::compute_error;
use crate::nn::transformer::{Activation, EncoderLayer, LayerNorm, Linear, Spans, forward_selected, load_layers};
use crate::nn::weights::Weights;

/// The text half of the model.
pub(super) struct TextTower {
    /// Vocabulary x width.
    tokens: Tensor,
    /// Positions x width.
    positions: Tensor,
    layers: Vec<EncoderLayer>,
    norm: LayerNorm,
    projection: Linear,
    device: Device,
}

impl TextTower {
    pub(super) fn load(weights: &Weights, config: &ModelConfig, device: &Device) -> Result<Self> {
        let (text, encoder) = (&config.text, &config.text.encoder);
        let width = encoder.hidden_size;
        let model = weights.pp("text_model");
        let embeddings = model.pp("embeddings");
        let table =
            |name: &str, rows: usize| embeddings.tensor(name, &[rows, width])?.to_device(device).map_err(compute_error);
        let (projection, bias) = match config.family {
            Family::Clip => (weights.pp("text_projection"), false),
            Family::Siglip => (model.pp("head"), true),
        };
        Ok(TextTower {
            tokens: table("token_embedding.weight", text.vocab_size)?,
            positions: table("position_embedding.weight", text.max_position_embeddings)?,
            layers: load_layers(&model.pp("encoder.layers"), &LAYER, encoder, device)?,
            norm: LayerNorm::load(&model.pp("final_layer_norm"), width, encoder.layer_norm_eps, device)?,
            projection: Linear::load(&projection, width, config.projection_dim, bias, device)?,
            device: device.clone(),
        })
    }

    /// One row for each prompt, not yet normalized to length 1.
    pub(super) fn forward(&self, prompts: &[&Prompt]) -> Result<Tensor> {
        let spans = Spans::of_lengths(prompts.iter().map(|prompt| prompt.ids.len()));
        let pooled: Vec<u32> =
            spans.iter().zip(prompts).map(|(span, prompt)| (span.start + prompt.pooled) as u32).collect();
        let pooled = Tensor::new(pooled, &self.device).map_err(compute_error)?;
        let x = forward_selected(&self.layers, self.embed(prompts).map_err(compute_error)?, &spans, &pooled)?;
        self.projection.forward(&self.norm.forward(&x)?, Activation::None)
    }

    fn embed(&self, prompts: &[&Prompt]) -> candle_core::Result<Tensor> {
        let ids: Vec<u32> = prompts.iter().flat_map(|prompt| prompt.ids.iter().copied()).collect();
        let positions: Vec<u32> = prompts.iter().flat_map(|prompt| 0..prompt.ids.len() as u32).collect();
        let tokens = self.tokens.index_select(&Tensor::new(ids, &self.device)?, 0)?;
        tokens + self.positions.index_select(&Tensor::new(positions, &self.device)?, 0)?
    }
}
