//! GPT-2 (Radford et al. 2019) with cross-attention to an image in every layer, one token at a time.

use std::fmt;

use candle_core::{Device, Tensor};

use super::config::{DecoderConfig, DecoderKind};
use super::decoder::{Decoder, Heads, Memory, Past, Vocabulary, VocabularySource};
use crate::error::Result;
use crate::nn::model_folder::compute_error;
use crate::nn::transformer::{Activation, LayerNorm, Linear, WeightLayout};
use crate::nn::weights::Weights;

pub(super) struct Gpt2 {
    vocabulary: Vocabulary,
    layers: Vec<Layer>,
    norm: LayerNorm,
    width: usize,
}

struct Layer {
    heads: Heads,
    norm: LayerNorm,
    qkv: Linear,
    out: Linear,
    image_norm: LayerNorm,
    image_query: Linear,
    image_keys_values: Linear,
    image_out: Linear,
    feed_forward_norm: LayerNorm,
    up: Linear,
    activation: Activation,
    down: Linear,
}

impl Gpt2 {
    /// Reads the decoder from `weights`.
    pub(super) fn load(weights: &Weights, config: &DecoderConfig, device: &Device) -> Result<Self> {
        let model = weights.pp("transformer");
        let untied = !config.tie_word_embeddings && weights.has("lm_head.weight");
        let source = VocabularySource {
            vectors: model.pp("wte"),
            positions: model.pp("wpe"),
            scores: untied.then(|| weights.pp("lm_head")),
            bias: None,
            config,
        };
        Ok(Gpt2 {
            vocabulary: Vocabulary::load(source, device)?,
            layers: (0..config.num_hidden_layers)
                .map(|layer| Layer::load(&model.pp("h").pp(layer), config, layer, device))
                .collect::<Result<_>>()?,
            norm: LayerNorm::load(&model.pp("ln_f"), config.hidden_size, config.layer_norm_eps, device)?,
            width: config.hidden_size,
        })
    }
}

impl Layer {
    fn load(weights: &Weights, config: &DecoderConfig, layer: usize, device: &Device) -> Result<Self> {
        let width = config.hidden_size;
        // Files store the weights of these layers by columns.
        let linear = |name: &str, inputs: usize, outputs: usize| {
            let weights = weights.pp(name);
            let bias = weights.values("bias", &[outputs])?;
            let values = weights.values("weight", &[inputs, outputs])?;
            Linear::new(&values, WeightLayout::InputsByOutputs, Some(bias), [inputs, outputs], device)
        };
        let norm = |name: &str| LayerNorm::load(&weights.pp(name), width, config.layer_norm_eps, device);
        Ok(Layer {
            heads: Heads { num_heads: config.num_attention_heads, width, scale: scale(config, layer) },
            norm: norm("ln_1")?,
            qkv: linear("attn.c_attn", width, 3 * width)?,
            out: linear("attn.c_proj", width, width)?,
            image_norm: norm("ln_cross_attn")?,
            image_query: linear("crossattention.q_attn", width, width)?,
            image_keys_values: linear("crossattention.c_attn", width, 2 * width)?,
            image_out: linear("crossattention.c_proj", width, width)?,
            feed_forward_norm: norm("ln_2")?,
            up: linear("mlp.c_fc", width, config.intermediate_size)?,
            activation: config.hidden_act,
            down: linear("mlp.c_proj", config.intermediate_size, width)?,
        })
    }

    fn image_keys_values(&self, states: &Tensor, images: usize) -> Result<(Tensor, Tensor)> {
        let both = self.image_keys_values.forward(states, Activation::None)?;
        let width = self.heads.width;
        let part = |i: usize| both.narrow(1, i * width, width).and_then(|part| self.heads.split_images(&part, images));
        part(0).and_then(|keys| Ok((keys, part(1)?))).map_err(compute_error)
    }

    fn step(&self, x: &Tensor, memory: &Memory, past: &mut Past, layer: usize) -> Result<Tensor> {
        let qkv = self.qkv.forward(&self.norm.forward(x)?, Activation::None)?;
        let x = self.out.forward_onto(&self.heads.attend_to_past(&qkv, past, layer)?, x)?;
        let queries = self.image_query.forward(&self.image_norm.forward(&x)?, Activation::None)?;
        let x = self.image_out.forward_onto(&self.heads.attend_to_image(&queries, memory, layer)?, &x)?;
        let inner = self.up.forward(&self.feed_forward_norm.forward(&x)?, self.activation)?;
        self.down.forward_onto(&inner, &x)
    }
}

/// The factor that queries of a layer are multiplied by.
fn scale(config: &DecoderConfig, layer: usize) -> f64 {
    let DecoderKind::Gpt2 { scale_attn_weights, scale_attn_by_inverse_layer_idx } = config.kind else { return 1.0 };
    let by_width =
        if scale_attn_weights { 1.0 / ((config.hidden_size / config.num_attention_heads) as f64).sqrt() } else { 1.0 };
    if scale_attn_by_inverse_layer_idx { by_width / (layer + 1) as f64 } else { by_width }
}

impl Decoder for Gpt2 {
    fn memory(&self, states: &Tensor, images: usize) -> Result<Memory> {
        let layers = self.layers.iter().map(|layer| layer.image_keys_values(states, images)).collect::<Result<_>>()?;
        Ok(Memory::new(layers, images))
    }

    fn step(&self, memory: &Memory, past: &mut Past, tokens: &[u32]) -> Result<Tensor> {
        let mut x = self.vocabulary.embed(tokens, past.length())?;
        for (number, layer) in self.layers.iter().enumerate() {
            x = layer.step(&x, memory, past, number)?;
        }
        past.advance();
        Ok(x)
    }

    fn scores(&self, hidden: &Tensor) -> Result<Tensor> {
        self.vocabulary.scores(&self.norm.forward(hidden)?)
    }
}

impl fmt::Debug for Gpt2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GPT-2, {} layers of width {}", self.layers.len(), self.width)
    }
}
