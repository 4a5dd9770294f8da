//! Checks that a file has every tensor of the model, with its shape. Towers are read on first use; errors should be
//! known before.

use super::config::{Family, ModelConfig, TowerConfig};
use super::text_tower::LAYER;
use crate::error::Result;
use crate::nn::weights::Weights;

/// Checks names and shapes without reading any tensor.
pub(super) fn check(weights: &Weights, config: &ModelConfig) -> Result<()> {
    let expected = Expected(weights);
    let (text, vision) = (&config.text, &config.vision);
    let (read, seen) = (text.tower.width, vision.tower.width);
    let tokens = vision.grid().pow(2) + usize::from(config.family == Family::Clip);

    expected.tensor("text_model.embeddings.token_embedding.weight", &[text.vocabulary, read])?;
    expected.tensor("text_model.embeddings.position_embedding.weight", &[text.positions, read])?;
    expected.layers("text_model", &text.tower)?;
    expected.norm("text_model.final_layer_norm", read)?;
    expected.tensor("vision_model.embeddings.patch_embedding.weight", &[seen, 3, vision.patch, vision.patch])?;
    expected.tensor("vision_model.embeddings.position_embedding.weight", &[tokens, seen])?;
    expected.layers("vision_model", &vision.tower)?;
    expected.norm("vision_model.post_layernorm", seen)?;
    match config.family {
        Family::Clip => {
            expected.tensor("text_projection.weight", &[config.dimensions, read])?;
            expected.tensor("vision_model.embeddings.class_embedding", &[seen])?;
            expected.norm("vision_model.pre_layrnorm", seen)?;
            expected.tensor("visual_projection.weight", &[config.dimensions, seen])
        }
        Family::Siglip => {
            expected.linear("text_model.head", read, config.dimensions)?;
            expected.tensor("vision_model.embeddings.patch_embedding.bias", &[seen])?;
            expected.tensor("vision_model.head.probe", &[1, 1, seen])?;
            expected.tensor("vision_model.head.attention.in_proj_weight", &[3 * seen, seen])?;
            expected.tensor("vision_model.head.attention.in_proj_bias", &[3 * seen])?;
            expected.linear("vision_model.head.attention.out_proj", seen, seen)?;
            expected.norm("vision_model.head.layernorm", seen)?;
            expected.linear("vision_model.head.mlp.fc1", seen, vision.tower.inner)?;
            expected.linear("vision_model.head.mlp.fc2", vision.tower.inner, seen)
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

    fn layers(&self, model: &str, tower: &TowerConfig) -> Result<()> {
        let (width, inner) = (tower.width, tower.inner);
        for number in 0..tower.layers {
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
