//! BLIP's decoder (Li et al. 2022): a BERT that attends to its own output and to the image, one token at a time.
//!
//! Candle's implementation recomputes the keys and values of the image for every token, and cannot follow several
//! beams.

use std::fmt;

use candle_core::{Device, Tensor};

use super::config::DecoderConfig;
use super::decoder::{Decoder, Heads, Memory, Past, Vocabulary, VocabularySource};
use crate::error::Result;
use crate::nn::model_folder::compute_error;
use crate::nn::transformer::{Activation, LayerNorm, Linear};
use crate::nn::weights::Weights;

pub(super) struct BlipText {
    vocabulary: Vocabulary,
    norm: LayerNorm,
    layers: Vec<Layer>,
    /// The layer between the last encoder layer and the scores.
    transform: Linear,
    transform_norm: LayerNorm,
    activation: Activation,
    width: usize,
}

struct Layer {
    heads: Heads,
    qkv: Linear,
    out: Linear,
    norm: LayerNorm,
    image_query: Linear,
    image_key: Linear,
    image_value: Linear,
    image_out: Linear,
    image_norm: LayerNorm,
    up: Linear,
    activation: Activation,
    down: Linear,
    feed_forward_norm: LayerNorm,
}

impl BlipText {
    /// Reads the decoder from `weights`; `image_width` is that of the image encoder's states.
    pub(super) fn load(weights: &Weights, config: &DecoderConfig, image_width: usize, device: &Device) -> Result<Self> {
        let (bert, head) = (weights.pp("bert"), weights.pp("cls.predictions"));
        let (embeddings, width) = (bert.pp("embeddings"), config.hidden_size);
        let bias = if head.has("bias") { "bias" } else { "decoder.bias" };
        let untied = !config.tie_word_embeddings && head.has("decoder.weight");
        let source = VocabularySource {
            vectors: embeddings.pp("word_embeddings"),
            positions: embeddings.pp("position_embeddings"),
            scores: untied.then(|| head.pp("decoder")),
            bias: Some(head.values(bias, &[config.vocab_size])?),
            config,
        };
        let norm = |weights: &Weights| LayerNorm::load(&weights.pp("LayerNorm"), width, config.layer_norm_eps, device);
        let transform = head.pp("transform");
        Ok(BlipText {
            vocabulary: Vocabulary::load(source, device)?,
            norm: norm(&embeddings)?,
            layers: (0..config.num_hidden_layers)
                .map(|layer| Layer::load(&bert.pp("encoder.layer").pp(layer), config, image_width, device))
                .collect::<Result<_>>()?,
            transform: Linear::load(&transform.pp("dense"), width, width, true, device)?,
            transform_norm: norm(&transform)?,
            activation: config.hidden_act,
            width,
        })
    }
}

impl Layer {
    fn load(weights: &Weights, config: &DecoderConfig, image_width: usize, device: &Device) -> Result<Self> {
        let width = config.hidden_size;
        let linear =
            |name: &str, inputs: usize, outputs: usize| Linear::load(&weights.pp(name), inputs, outputs, true, device);
        let norm = |name: &str| LayerNorm::load(&weights.pp(name), width, config.layer_norm_eps, device);
        let parts = ["query", "key", "value"].map(|part| (weights.pp("attention.self").pp(part), width));
        Ok(Layer {
            heads: Heads {
                num_heads: config.num_attention_heads,
                width,
                scale: 1.0 / ((width / config.num_attention_heads) as f64).sqrt(),
            },
            qkv: Linear::load_fused(&parts, width, true, device)?,
            out: linear("attention.output.dense", width, width)?,
            norm: norm("attention.output.LayerNorm")?,
            image_query: linear("crossattention.self.query", width, width)?,
            image_key: linear("crossattention.self.key", image_width, width)?,
            image_value: linear("crossattention.self.value", image_width, width)?,
            image_out: linear("crossattention.output.dense", width, width)?,
            image_norm: norm("crossattention.output.LayerNorm")?,
            up: linear("intermediate.dense", width, config.intermediate_size)?,
            activation: config.hidden_act,
            down: linear("output.dense", config.intermediate_size, width)?,
            feed_forward_norm: norm("output.LayerNorm")?,
        })
    }

    fn image_keys_values(&self, states: &Tensor, images: usize) -> Result<(Tensor, Tensor)> {
        let part = |layer: &Linear| {
            let part = layer.forward(states, Activation::None)?;
            self.heads.split_images(&part, images).map_err(compute_error)
        };
        Ok((part(&self.image_key)?, part(&self.image_value)?))
    }

    fn step(&self, x: &Tensor, memory: &Memory, past: &mut Past, layer: usize) -> Result<Tensor> {
        let mixed = self.heads.attend_to_past(&self.qkv.forward(x, Activation::None)?, past, layer)?;
        let x = self.norm.forward(&self.out.forward_onto(&mixed, x)?)?;
        let attended = self.heads.attend_to_image(&self.image_query.forward(&x, Activation::None)?, memory, layer)?;
        let x = self.image_norm.forward(&self.image_out.forward_onto(&attended, &x)?)?;
        let inner = self.up.forward(&x, self.activation)?;
        self.feed_forward_norm.forward(&self.down.forward_onto(&inner, &x)?)
    }
}

impl Decoder for BlipText {
    fn memory(&self, states: &Tensor, images: usize) -> Result<Memory> {
        let layers = self.layers.iter().map(|layer| layer.image_keys_values(states, images)).collect::<Result<_>>()?;
        Ok(Memory::new(layers, images))
    }

    fn step(&self, memory: &Memory, past: &mut Past, tokens: &[u32]) -> Result<Tensor> {
        let mut x = self.norm.forward(&self.vocabulary.embed(tokens, past.length())?)?;
        for (number, layer) in self.layers.iter().enumerate() {
            x = layer.step(&x, memory, past, number)?;
        }
        past.advance();
        Ok(x)
    }

    fn scores(&self, hidden: &Tensor) -> Result<Tensor> {
        let hidden = self.transform.forward(hidden, self.activation)?;
        self.vocabulary.scores(&self.transform_norm.forward(&hidden)?)
    }
}

impl fmt::Debug for BlipText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BLIP's decoder, {} layers of width {}", self.layers.len(), self.width)
    }
}
