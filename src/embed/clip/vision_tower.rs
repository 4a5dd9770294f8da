//! Embeds images: a vision transformer, and the head that turns its tokens into one vector.

use candle_core::{D, Device, Tensor};

use super::config::{Family, ModelConfig};
use super::layer_names::LAYER;
use crate::error::Result;
use crate::nn::model_folder::compute_error;
use crate::nn::transformer::{Activation, EncoderConfig, LayerNorm, Linear, WeightLayout};
use crate::nn::vision_transformer::{EmbeddingSum, VisionLayout, VisionTransformer};
use crate::nn::weights::Weights;
use crate::progress::Progress;
use crate::vision::{Preprocessor, RgbImage};

const CLIP: VisionLayout = VisionLayout {
    class_embedding: Some("class_embedding"),
    position_embedding: "position_embedding.weight",
    patch_embedding: "patch_embedding",
    batched: false,
    patch_bias: false,
    sum: EmbeddingSum::PositionFirst,
    // The file's own spelling.
    pre_norm: Some("pre_layrnorm"),
    layers: "encoder.layers",
    layer: LAYER,
    post_norm: "post_layernorm",
};

const SIGLIP: VisionLayout = VisionLayout { class_embedding: None, patch_bias: true, pre_norm: None, ..CLIP };

/// The image half of the model.
pub(super) struct VisionTower {
    encoder: VisionTransformer,
    head: Head,
}

/// How an image's tokens are pooled into one vector.
enum Head {
    /// The class token represents the image, and is projected (CLIP).
    Class(Linear),
    /// Attention with a learned query (SigLIP).
    Pooling(Box<PoolingHead>),
}

impl VisionTower {
    pub(super) fn load(
        weights: &Weights,
        config: &ModelConfig,
        preprocessor: Preprocessor,
        device: &Device,
    ) -> Result<Self> {
        let (model, encoder) = (weights.pp("vision_model"), &config.vision.encoder);
        let (layout, head) = match config.family {
            Family::Clip => {
                let projection = weights.pp("visual_projection");
                let sizes = (encoder.hidden_size, config.projection_dim);
                (CLIP, Head::Class(Linear::load(&projection, sizes.0, sizes.1, false, device)?))
            }
            Family::Siglip => (SIGLIP, Head::Pooling(Box::new(PoolingHead::load(&model.pp("head"), encoder, device)?))),
        };
        let encoder = VisionTransformer::load(&model, &layout, &config.vision, preprocessor, device)?;
        Ok(VisionTower { encoder, head })
    }

    /// The part of the image that the model sees, as bytes.
    pub(super) fn fit(&self, image: &RgbImage) -> RgbImage {
        self.encoder.fit(image)
    }

    /// The number of tokens of an image.
    pub(super) fn tokens(&self) -> usize {
        self.encoder.tokens()
    }

    /// One row for each image returned by [`fit`](Self::fit), not yet normalized to length 1.
    pub(super) fn forward(&self, fitted: &[RgbImage], progress: &Progress) -> Result<Tensor> {
        match &self.head {
            Head::Class(projection) => {
                projection.forward(&self.encoder.forward_class(fitted, progress)?, Activation::None)
            }
            Head::Pooling(head) => head.forward(&self.encoder.forward(fitted, progress)?, fitted.len()),
        }
    }
}

/// SigLIP's pooling: one learned query attends to all tokens of an image, followed by a feed-forward network.
struct PoolingHead {
    /// Heads x head width x 1, already divided by the square root of the head width.
    query: Tensor,
    keys_values: Linear,
    out: Linear,
    norm: LayerNorm,
    up: Linear,
    activation: Activation,
    down: Linear,
    hidden_size: usize,
    num_attention_heads: usize,
}

impl PoolingHead {
    fn load(weights: &Weights, config: &EncoderConfig, device: &Device) -> Result<Self> {
        let (width, heads) = (config.hidden_size, config.num_attention_heads);
        let attention = weights.pp("attention");
        let kernel = attention.values("in_proj_weight", &[3 * width, width])?;
        let bias = attention.values("in_proj_bias", &[3 * width])?;
        let (query_kernel, kernel) = kernel.split_at(width * width);
        let (query_bias, bias) = bias.split_at(width);
        let probe = weights.tensor("probe", &[1, 1, width])?.reshape((1, width)).map_err(compute_error)?;
        let layout = WeightLayout::OutputsByInputs;
        let query = Linear::new(query_kernel, layout, Some(query_bias.to_vec()), [width, width], &Device::Cpu)?;
        let scale = 1.0 / ((width / heads) as f64).sqrt();
        let query = query.forward(&probe, Activation::None)?;
        let query = (query * scale).and_then(|query| query.reshape((heads, width / heads, 1))?.to_device(device));
        Ok(PoolingHead {
            query: query.map_err(compute_error)?,
            keys_values: Linear::new(kernel, layout, Some(bias.to_vec()), [width, 2 * width], device)?,
            out: Linear::load(&attention.pp("out_proj"), width, width, true, device)?,
            norm: LayerNorm::load(&weights.pp("layernorm"), width, config.layer_norm_eps, device)?,
            up: Linear::load(&weights.pp("mlp.fc1"), width, config.intermediate_size, true, device)?,
            activation: config.hidden_act,
            down: Linear::load(&weights.pp("mlp.fc2"), config.intermediate_size, width, true, device)?,
            hidden_size: width,
            num_attention_heads: heads,
        })
    }

    /// One row for each image; `x` contains the tokens of `images` images of the same size.
    fn forward(&self, x: &Tensor, images: usize) -> Result<Tensor> {
        let keys_values = self.keys_values.forward(x, Activation::None)?;
        let pooled = self.out.forward(&self.attend(&keys_values, images).map_err(compute_error)?, Activation::None)?;
        let inner = self.up.forward(&self.norm.forward(&pooled)?, self.activation)?;
        self.down.forward_onto(&inner, &pooled)
    }

    fn attend(&self, keys_values: &Tensor, images: usize) -> candle_core::Result<Tensor> {
        let (tokens, head) = (keys_values.dim(0)? / images.max(1), self.hidden_size / self.num_attention_heads);
        let parts =
            keys_values.reshape((images, tokens, 2, self.num_attention_heads, head))?.permute((2, 0, 3, 1, 4))?;
        let (keys, values) = (parts.get(0)?.contiguous()?, parts.get(1)?.contiguous()?);
        let query = self.query.broadcast_as((images, self.num_attention_heads, head, 1))?.contiguous()?;
        let scores = keys.matmul(&query)?.transpose(2, 3)?.contiguous()?;
        let weights = candle_nn::ops::softmax(&scores, D::Minus1)?;
        weights.matmul(&values)?.reshape((images, self.hidden_size))
    }
}
