//! The image encoder: ViT (Dosovitskiy et al. 2021), and BLIP's, which is a ViT with different tensor names.

use candle_core::{Device, Tensor};

use super::config;
use crate::error::{Result, Stage};
use crate::nn::model_folder::computing;
use crate::nn::transformer::{
    Activation, EncoderLayer, FeedForward, LayerNames, LayerNorm, LayerShape, Linear, NormPlace, Spans,
};
use crate::nn::weights::Weights;
use crate::progress::Progress;

/// The tensor names.
struct Names {
    class: &'static str,
    positions: &'static str,
    patches: &'static str,
    layers: &'static str,
    layer: LayerNames,
    norm: &'static str,
}

const VIT: Names = Names {
    class: "cls_token",
    positions: "position_embeddings",
    patches: "patch_embeddings.projection",
    layers: "encoder.layer",
    layer: LayerNames {
        query: "attention.attention.query",
        key: "attention.attention.key",
        value: "attention.attention.value",
        attention_out: "attention.output.dense",
        attention_norm: "layernorm_before",
        up: "intermediate.dense",
        down: "output.dense",
        feed_forward_norm: "layernorm_after",
    },
    norm: "layernorm",
};

/// The names that transformers 5 uses in memory, and in files written by `torch.save`.
const VIT_5: Names = Names {
    layers: "layers",
    layer: LayerNames {
        query: "attention.q_proj",
        key: "attention.k_proj",
        value: "attention.v_proj",
        attention_out: "attention.o_proj",
        attention_norm: "layernorm_before",
        up: "mlp.fc1",
        down: "mlp.fc2",
        feed_forward_norm: "layernorm_after",
    },
    ..VIT
};

const BLIP: Names = Names {
    class: "class_embedding",
    positions: "position_embedding",
    patches: "patch_embedding",
    layers: "encoder.layers",
    layer: LayerNames {
        query: "self_attn.qkv",
        key: "self_attn.qkv",
        value: "self_attn.qkv",
        attention_out: "self_attn.projection",
        attention_norm: "layer_norm1",
        up: "mlp.fc1",
        down: "mlp.fc2",
        feed_forward_norm: "layer_norm2",
    },
    norm: "post_layernorm",
};

pub(super) struct VisionEncoder {
    patches: Linear,
    /// The first row: the class token at its position, 1 x width.
    first: Tensor,
    /// The position embeddings of the patches, patches x width.
    positions: Tensor,
    layers: Vec<EncoderLayer>,
    norm: LayerNorm,
    image: usize,
    patch: usize,
    device: Device,
}

impl VisionEncoder {
    /// Reads the encoder from `weights`.
    pub(super) fn load(weights: &Weights, sizes: &config::Vision, blip: bool, device: &Device) -> Result<Self> {
        let names = match blip {
            true => BLIP,
            false if weights.has_group(VIT_5.layers) => VIT_5,
            false => VIT,
        };
        let (embeddings, width) = (weights.pp("embeddings"), sizes.width);
        let (grid, numbers) = (sizes.image / sizes.patch, 3 * sizes.patch * sizes.patch);
        let patches = embeddings.pp(names.patches);
        let kernel = patches.numbers("weight", &[width, 3, sizes.patch, sizes.patch])?;
        let bias = patches.numbers("bias", &[width])?;
        let class = embeddings.tensor(names.class, &[1, 1, width])?;
        let positions = embeddings.tensor(names.positions, &[1, grid * grid + 1, width])?;
        let place = || {
            let positions = positions.squeeze(0)?;
            let first = (class.squeeze(0)? + positions.narrow(0, 0, 1)?)?;
            Ok((first.to_device(device)?, positions.narrow(0, 1, grid * grid)?.contiguous()?.to_device(device)?))
        };
        let (first, positions) = place().map_err(computing)?;
        let shape = LayerShape {
            width,
            heads: sizes.heads,
            feed_forward: FeedForward { width: sizes.inner, activation: sizes.activation },
            epsilon: sizes.epsilon,
            place: NormPlace::Before,
            causal: false,
            qkv_bias: sizes.bias,
            relative_bias: None,
        };
        let layers = weights.pp(names.layers);
        Ok(VisionEncoder {
            patches: Linear::from_rows(&kernel, Some(bias), numbers, width, device)?,
            first,
            positions,
            layers: (0..sizes.layers)
                .map(|layer| EncoderLayer::load(&layers.pp(layer), &names.layer, &shape, device))
                .collect::<Result<_>>()?,
            norm: LayerNorm::load(&weights.pp(names.norm), width, sizes.epsilon, device)?,
            image: sizes.image,
            patch: sizes.patch,
            device: device.clone(),
        })
    }

    /// Width and height of the images, in pixels.
    pub(super) fn image(&self) -> usize {
        self.image
    }

    /// The number of states of an image: the class token's, and one for each patch after it.
    pub(super) fn states(&self) -> usize {
        let grid = self.image / self.patch;
        grid * grid + 1
    }

    /// The states of images, (images x states) x width. `pixels` are each image's red, green and blue.
    pub(super) fn forward(&self, pixels: &[Vec<f32>], progress: &Progress) -> Result<Tensor> {
        let cut = self.cut_all(pixels).map_err(computing)?;
        let embedded = self.patches.forward(&cut, Activation::None)?;
        let mut x = self.place(&embedded, pixels.len()).map_err(computing)?;
        let spans = Spans::of_lengths(pixels.iter().map(|_| self.states()));
        for layer in &self.layers {
            progress.check(Stage::Embed)?;
            x = layer.forward(&x, &spans)?;
        }
        self.norm.forward(&x)
    }

    /// The patches of all images, (images x patches) x values of a patch.
    fn cut_all(&self, pixels: &[Vec<f32>]) -> candle_core::Result<Tensor> {
        let (patches, numbers) = (pixels.len() * (self.states() - 1), 3 * self.patch * self.patch);
        let mut cut = Vec::with_capacity(patches * numbers);
        pixels.iter().for_each(|pixels| self.cut(pixels, &mut cut));
        Tensor::from_vec(cut, (patches, numbers), &self.device)
    }

    /// Adds the position embeddings, and the class token before each image's patches.
    fn place(&self, embedded: &Tensor, images: usize) -> candle_core::Result<Tensor> {
        let (patches, width) = (self.states() - 1, embedded.dim(1)?);
        let embedded = embedded.reshape((images, patches, width))?.broadcast_add(&self.positions)?;
        let first = self.first.unsqueeze(0)?.broadcast_as((images, 1, width))?.contiguous()?;
        Tensor::cat(&[&first, &embedded], 1)?.contiguous()?.reshape((images * (patches + 1), width))
    }

    /// The patches of an image, one after the other, each as its red, green and blue.
    fn cut(&self, pixels: &[f32], to: &mut Vec<f32>) {
        let (side, patch) = (self.image, self.patch);
        let grid = side / patch;
        for (down, across) in (0..grid * grid).map(|at| (at / grid, at % grid)) {
            for (channel, row) in (0..3 * patch).map(|at| (at / patch, at % patch)) {
                let start = channel * side * side + (down * patch + row) * side + across * patch;
                to.extend_from_slice(pixels.get(start..start + patch).unwrap_or_default());
            }
        }
    }
}
