//! An encoder layer: attention, then a feed-forward network, each with a residual connection.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::{Activation, LayerNorm, Linear, RelativeBias, SelfAttention, Spans};
use crate::error::Result;
use crate::nn::model_folder::compute_error;
use crate::nn::weights::Weights;

/// Where a layer normalizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NormPlacement {
    /// Before attention and before the feed-forward network, as CLIP and ViT do.
    Pre,
    /// After each residual sum, as BERT does.
    Post,
}

/// The tensor names of a layer, below the layer's own name. Query, key and value have the same name if they are stored
/// in one tensor, in this order.
pub(crate) struct LayerNames {
    pub(crate) query: &'static str,
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) attention_out: &'static str,
    pub(crate) attention_norm: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
    pub(crate) feed_forward_norm: &'static str,
}

/// The sizes and settings of an encoder: its sizes have the names of Hugging Face's `config.json`.
#[derive(Debug, Clone)]
pub(crate) struct EncoderConfig {
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) hidden_act: Activation,
    pub(crate) layer_norm_eps: f64,
    pub(crate) norm_placement: NormPlacement,
    /// Whether a token sees only itself and the tokens before it.
    pub(crate) causal: bool,
    /// Whether queries, keys and values have a bias.
    pub(crate) qkv_bias: bool,
    pub(crate) relative_bias: Option<Arc<RelativeBias>>,
}

/// One layer.
pub(crate) struct EncoderLayer {
    qkv: Linear,
    attention: SelfAttention,
    attention_out: Linear,
    attention_norm: LayerNorm,
    up: Linear,
    activation: Activation,
    down: Linear,
    feed_forward_norm: LayerNorm,
    norm_placement: NormPlacement,
}

/// The layers of an encoder: `weights` are those above the layers' numbers.
pub(crate) fn load_layers(
    weights: &Weights,
    names: &LayerNames,
    config: &EncoderConfig,
    device: &Device,
) -> Result<Vec<EncoderLayer>> {
    let load = |layer: usize| EncoderLayer::load(&weights.pp(layer), names, config, device);
    (0..config.num_hidden_layers).map(load).collect()
}

/// The output of a stack of layers for some tokens only: `rows`, indices of the batch's tokens.
pub(crate) fn forward_selected(layers: &[EncoderLayer], mut x: Tensor, spans: &Spans, rows: &Tensor) -> Result<Tensor> {
    let Some((last, layers)) = layers.split_last() else { return x.index_select(rows, 0).map_err(compute_error) };
    for layer in layers {
        x = layer.forward(&x, spans)?;
    }
    last.forward_selected(&x, spans, rows)
}

impl EncoderLayer {
    /// Reads the layer from `weights`.
    fn load(weights: &Weights, names: &LayerNames, config: &EncoderConfig, device: &Device) -> Result<Self> {
        let &EncoderConfig { hidden_size, intermediate_size, num_attention_heads, causal, .. } = config;
        let parts = match names.query == names.key {
            // BLIP stores the three in one tensor.
            true => vec![(weights.pp(names.query), 3 * hidden_size)],
            false => [names.query, names.key, names.value].map(|name| (weights.pp(name), hidden_size)).to_vec(),
        };
        let norm = |name: &str| LayerNorm::load(&weights.pp(name), hidden_size, config.layer_norm_eps, device);
        let linear =
            |name: &str, inputs: usize, outputs: usize| Linear::load(&weights.pp(name), inputs, outputs, true, device);
        Ok(EncoderLayer {
            qkv: Linear::load_fused(&parts, hidden_size, config.qkv_bias, device)?,
            attention: SelfAttention::new(hidden_size, num_attention_heads, causal, config.relative_bias.clone()),
            attention_out: linear(names.attention_out, hidden_size, hidden_size)?,
            attention_norm: norm(names.attention_norm)?,
            up: linear(names.up, hidden_size, intermediate_size)?,
            activation: config.hidden_act,
            down: linear(names.down, intermediate_size, hidden_size)?,
            feed_forward_norm: norm(names.feed_forward_norm)?,
            norm_placement: config.norm_placement,
        })
    }

    /// Tokens x width, of concatenated sequences.
    pub(crate) fn forward(&self, x: &Tensor, spans: &Spans) -> Result<Tensor> {
        match self.norm_placement {
            NormPlacement::Post => {
                let x = self.attention_norm.forward(&self.attend(x, x, spans)?)?;
                self.feed_forward_norm.forward(&self.feed_forward(&x, &x)?)
            }
            NormPlacement::Pre => {
                let x = self.attend(&self.attention_norm.forward(x)?, x, spans)?;
                self.feed_forward(&self.feed_forward_norm.forward(&x)?, &x)
            }
        }
    }

    /// As [`forward`](Self::forward), for some tokens only (`rows`, indices of the batch's tokens): for the last layer,
    /// if one token represents the whole sequence.
    pub(crate) fn forward_selected(&self, x: &Tensor, spans: &Spans, rows: &Tensor) -> Result<Tensor> {
        let pre_norm = self.norm_placement == NormPlacement::Pre;
        let normed = if pre_norm { self.attention_norm.forward(x)? } else { x.clone() };
        let mixed = self.attention.forward(&self.qkv.forward(&normed, Activation::None)?, spans)?;
        let of_rows = |x: &Tensor| x.index_select(rows, 0).map_err(compute_error);
        let x = self.attention_out.forward_onto(&of_rows(&mixed)?, &of_rows(x)?)?;
        if pre_norm {
            return self.feed_forward(&self.feed_forward_norm.forward(&x)?, &x);
        }
        let x = self.attention_norm.forward(&x)?;
        self.feed_forward_norm.forward(&self.feed_forward(&x, &x)?)
    }

    fn attend(&self, x: &Tensor, onto: &Tensor, spans: &Spans) -> Result<Tensor> {
        let mixed = self.attention.forward(&self.qkv.forward(x, Activation::None)?, spans)?;
        self.attention_out.forward_onto(&mixed, onto)
    }

    fn feed_forward(&self, x: &Tensor, onto: &Tensor) -> Result<Tensor> {
        self.down.forward_onto(&self.up.forward(x, self.activation)?, onto)
    }
}
