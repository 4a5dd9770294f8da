//! Encoders on candle tensors: BERT and its relatives, and the towers of CLIP, SigLIP and ViT.
//!
//! The sequences of a batch are concatenated without padding: a tensor of tokens x width, and [`Spans`] that mark where
//! each sequence begins. On the CPU, the layers are custom operations (weights packed once, functions in wide
//! registers, one thread per batch); on a GPU, the same layers use candle's operations.

use candle_core::{CpuStorage, Layout};

mod activation;
mod attention;
mod encoder;
mod layer_norm;
mod linear;

pub(crate) use activation::Activation;
pub(crate) use attention::{RelativeBias, SelfAttention, Spans};
pub(crate) use encoder::{EncoderConfig, EncoderLayer, LayerNames, NormPlacement, forward_selected, load_layers};
pub(crate) use layer_norm::LayerNorm;
pub(crate) use linear::{Linear, WeightLayout};

/// The values of a contiguous tensor.
fn contiguous_values<'a>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [f32]> {
    let piece = layout.contiguous_offsets();
    let all = storage.as_slice::<f32>()?;
    piece
        .and_then(|(start, end)| all.get(start..end))
        .ok_or_else(|| candle_core::Error::Msg("expected a contiguous tensor".into()))
}
