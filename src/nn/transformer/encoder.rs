//! An encoder layer: attention, then a feed-forward network, each with a residual connection.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::{Activation, LayerNorm, Linear, RelativeBias, SelfAttention, Spans};
use crate::error::Result;
use crate::nn::model_folder::computing;
use crate::nn::weights::Weights;

/// Where a layer normalizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NormPlace {
    /// After each sum, as BERT does.
    After,
    /// Before attention and before the feed-forward network, as CLIP and ViT do.
    Before,
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

/// The sizes of a layer's feed-forward network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FeedForward {
    pub(crate) width: usize,
    pub(crate) activation: Activation,
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
    place: NormPlace,
}

/// The sizes and settings shared by all layers of a model.
pub(crate) struct LayerShape {
    pub(crate) width: usize,
    pub(crate) heads: usize,
    pub(crate) feed_forward: FeedForward,
    /// The epsilon of the layer normalizations.
    pub(crate) epsilon: f64,
    pub(crate) place: NormPlace,
    /// Whether a token sees only the tokens before it.
    pub(crate) causal: bool,
    /// Whether queries, keys and values have a bias.
    pub(crate) qkv_bias: bool,
    pub(crate) relative_bias: Option<Arc<RelativeBias>>,
}

/// The output of a stack of layers for some tokens only.
pub(crate) fn forward_of(layers: &[EncoderLayer], mut x: Tensor, spans: &Spans, rows: &Tensor) -> Result<Tensor> {
    let Some((last, layers)) = layers.split_last() else { return x.index_select(rows, 0).map_err(computing) };
    for layer in layers {
        x = layer.forward(&x, spans)?;
    }
    last.forward_of(&x, spans, rows)
}

impl EncoderLayer {
    /// Reads the layer from `weights`.
    pub(crate) fn load(weights: &Weights, names: &LayerNames, shape: &LayerShape, device: &Device) -> Result<Self> {
        let (width, inner) = (shape.width, shape.feed_forward.width);
        let parts = match names.query == names.key {
            // BLIP stores the three in one tensor.
            true => vec![(weights.pp(names.query), 3 * width)],
            false => [names.query, names.key, names.value].map(|name| (weights.pp(name), width)).to_vec(),
        };
        let norm = |name: &str| LayerNorm::load(&weights.pp(name), width, shape.epsilon, device);
        Ok(EncoderLayer {
            qkv: Linear::load_fused(&parts, width, shape.qkv_bias, device)?,
            attention: SelfAttention::new(width, shape.heads, shape.causal, shape.relative_bias.clone()),
            attention_out: Linear::load(&weights.pp(names.attention_out), width, width, true, device)?,
            attention_norm: norm(names.attention_norm)?,
            up: Linear::load(&weights.pp(names.up), width, inner, true, device)?,
            activation: shape.feed_forward.activation,
            down: Linear::load(&weights.pp(names.down), inner, width, true, device)?,
            feed_forward_norm: norm(names.feed_forward_norm)?,
            place: shape.place,
        })
    }

    /// Tokens x width, of concatenated sequences.
    pub(crate) fn forward(&self, x: &Tensor, spans: &Spans) -> Result<Tensor> {
        match self.place {
            NormPlace::After => {
                let x = self.attention_norm.forward(&self.attend(x, x, spans)?)?;
                self.feed_forward_norm.forward(&self.feed_forward(&x, &x)?)
            }
            NormPlace::Before => {
                let x = self.attend(&self.attention_norm.forward(x)?, x, spans)?;
                self.feed_forward(&self.feed_forward_norm.forward(&x)?, &x)
            }
        }
    }

    /// As [`forward`](Self::forward), for some tokens only (`rows`, indices of the batch's tokens): for the last layer,
    /// if one token represents the whole sequence.
    pub(crate) fn forward_of(&self, x: &Tensor, spans: &Spans, rows: &Tensor) -> Result<Tensor> {
        let before = self.place == NormPlace::Before;
        let normed = if before { self.attention_norm.forward(x)? } else { x.clone() };
        let mixed = self.attention.forward(&self.qkv.forward(&normed, Activation::None)?, spans)?;
        let of_rows = |x: &Tensor| x.index_select(rows, 0).map_err(computing);
        let x = self.attention_out.forward_onto(&of_rows(&mixed)?, &of_rows(x)?)?;
        if before {
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
