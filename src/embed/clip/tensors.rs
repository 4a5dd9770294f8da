//! Checks that a file has every tensor of the model, with its shape. Towers are read on first use; errors should be
//! known before.

use super::config::{Family, ModelConfig};
use super::layer_names::LAYER;
use crate::error::Result;
use crate::nn::transformer::EncoderConfig;
use crate::nn::weights::Weights;

/// Checks names and shapes without reading any tensor.
pub(super) fn check(weights: &Weights, config: &ModelConfig) -> Result<()> {
    let expected = Expected(weights);
    let (text, vision) = (&config.text, &config.vision);
    let (text_width, image_width) = (text.encoder.hidden_size, vision.encoder.hidden_size);
    let tokens = vision.num_patches() + usize::from(config.family == Family::Clip);

    expected.tensor("text_model.embeddings.token_embedding.weight", &[text.vocab_size, text_width])?;
    expected.tensor("text_model.embeddings.position_embedding.weight", &[text.max_position_embeddings, text_width])?;
    expected.layers("text_model", &text.encoder)?;
    expected.norm("text_model.final_layer_norm", text_width)?;
    expected.tensor(
        "vision_model.embeddings.patch_embedding.weight",
        &[image_width, 3, vision.patch_size, vision.patch_size],
    )?;
    expected.tensor("vision_model.embeddings.position_embedding.weight", &[tokens, image_width])?;
    expected.layers("vision_model", &vision.encoder)?;
    expected.norm("vision_model.post_layernorm", image_width)?;
    match config.family {
        Family::Clip => {
            expected.tensor("text_projection.weight", &[config.projection_dim, text_width])?;
            expected.tensor("vision_model.embeddings.class_embedding", &[image_width])?;
            expected.norm("vision_model.pre_layrnorm", image_width)?;
            expected.tensor("visual_projection.weight", &[config.projection_dim, image_width])
        }
        Family::Siglip => {
            expected.linear("text_model.head", text_width, config.projection_dim)?;
            expected.tensor("vision_model.embeddings.patch_embedding.bias", &[image_width])?;
            expected.tensor("vision_model.head.probe", &[1, 1, image_width])?;
            expected.tensor("vision_model.head.attention.in_proj_weight", &[3 * image_width, image_width])?;
            expected.tensor("vision_model.head.attention.in_proj_bias", &[3 * image_width])?;
            expected.linear("vision_model.head.attention.out_proj", image_width, image_width)?;
            expected.norm("vision_model.head.layernorm", image_width)?;
            expected.linear("vision_model.head.mlp.fc1", image_width, vision.encoder.intermediate_size)?;
            expected.linear("vision_model.head.mlp.fc2", vision.encoder.intermediate_size, image_width)
        }
    }
}

struct Expected<'a>(&'a Weights);

impl Expected<'_> {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<()> {
        self.0.check(name, shape)
    }

    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<()> {
        self.tensor(&format!("{name}.weight"), &[outputs, inputs])?;
        self.tensor(&format!("{name}.bias"), &[outputs])
    }

    fn norm(&self, name: &str, width: usize) -> Result<()> {
        self.tensor(&format!("{name}.weight"), &[width])?;
        self.tensor(&format!("{name}.bias"), &[width])
    }

    fn layers(&self, model: &str, config: &EncoderConfig) -> Result<()> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        for number in 0..config.num_hidden_layers {
            let name = |part: &str| format!("{model}.encoder.layers.{number}.{part}");
            for part in [LAYER.query, LAYER.key, LAYER.value, LAYER.attention_out] {
                self.linear(&name(part), width, width)?;
            }
            self.norm(&name(LAYER.attention_norm), width)?;
            self.norm(&name(LAYER.feed_forward_norm), width)?;
            self.linear(&name(LAYER.up), width, inner)?;
            self.linear(&name(LAYER.down), inner, width)?;
        }
        Ok(())
    }
}
