//! Encoders on candle's tensors: BERT and its kin, and the towers of CLIP, SigLIP and ViT.
//!
//! Sequences of a batch lie one after the other, without padding: a tensor of tokens x width, and [`Spans`] that say
//! where each sequence begins. On the processor the layers are operations of our own (weights packed once, functions in
//! wide registers, one thread for each batch); on a GPU the same layers are candle's operations.

use candle_core::{CpuStorage, Layout};

mod activation;
mod attention;
mod encoder;
mod layer_norm;
mod linear;

pub(crate) use activation::Activation;
pub(crate) use attention::{RelativeBias, SelfAttention, Spans};
pub(crate) use encoder::{EncoderLayer, FeedForward, LayerNames, LayerShape, NormPlace, forward_of};
pub(crate) use layer_norm::LayerNorm;
pub(crate) use linear::Linear;

/// The numbers of a tensor that lies in one piece.
fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [f32]> {
    let piece = layout.contiguous_offsets();
    let all = storage.as_slice::<f32>()?;
    piece
        .and_then(|(start, end)| all.get(start..end))
        .ok_or_else(|| candle_core::Error::Msg("a tensor in one piece is expected".into()))
}
