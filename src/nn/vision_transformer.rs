//! The vision transformer (Dosovitskiy et al. 2021) of ViT, BLIP, CLIP and SigLIP: the patches of an image are tokens.
//!
//! The four differ in the names of their tensors and in a few settings, which are data here ([`VisionLayout`]). What
//! follows the encoder (projections, pooling heads, decoders) is elsewhere.

use candle_core::{Device, Tensor};

use super::model_folder::compute_error;
use super::transformer::{
    Activation, EncoderConfig, EncoderLayer, LayerNames, LayerNorm, Linear, Spans, WeightLayout, forward_selected,
    load_layers,
};
use super::weights::Weights;
use crate::error::{Result, Stage};
use crate::progress::Progress;
use crate::vision::{Preprocessor, RgbImage};

/// The maximum side length of an image, in pixels: no model exceeds it.
pub(crate) const MAX_IMAGE_SIZE: usize = 2_048;

/// The maximum number of patches of an image: no model exceeds it.
pub(crate) const MAX_PATCHES: usize = 16_384;

/// The sizes of a vision transformer, with the names of Hugging Face's `config.json`.
#[derive(Debug, Clone)]
pub(crate) struct VisionConfig {
    pub(crate) encoder: EncoderConfig,
    /// The side length of an image, and of a patch of it, in pixels.
    pub(crate) image_size: usize,
    pub(crate) patch_size: usize,
}

impl VisionConfig {
    /// The number of patches of an image. Pixels that are left over at the right and the bottom belong to none.
    pub(crate) fn num_patches(&self) -> usize {
        (self.image_size / self.patch_size).pow(2)
    }
}

/// The tensor names of a model, and what its encoder has.
pub(crate) struct VisionLayout {
    /// Below `embeddings`; `None` if images have no class token.
    pub(crate) class_embedding: Option<&'static str>,
    /// Below `embeddings`, as the next.
    pub(crate) position_embedding: &'static str,
    pub(crate) patch_embedding: &'static str,
    /// Whether the class token and the position embeddings are stored as a batch of one.
    pub(crate) batched: bool,
    /// Whether the projection of patches has a bias.
    pub(crate) patch_bias: bool,
    pub(crate) sum: EmbeddingSum,
    /// The normalization before the first layer, if there is one.
    pub(crate) pre_norm: Option<&'static str>,
    pub(crate) layers: &'static str,
    pub(crate) layer: LayerNames,
    /// The normalization after the last layer.
    pub(crate) post_norm: &'static str,
}

/// The order in which a patch's position embedding p, bias b and products x w are added up: the results differ in their
/// last bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmbeddingSum {
    /// (p + b) + x w
    PositionFirst,
    /// (b + x w) + p
    PositionLast,
}

/// The encoder, with the preprocessing of its images.
pub(crate) struct VisionTransformer {
    preprocessor: Preprocessor,
    image_size: usize,
    patch_size: usize,
    num_patches: usize,
    patch_embedding: Linear,
    sum: EmbeddingSum,
    /// The class token at its position, 1 x 1 x width.
    class_token: Option<Tensor>,
    /// The position embeddings of the patches, patches x width.
    positions: Tensor,
    pre_norm: Option<LayerNorm>,
    layers: Vec<EncoderLayer>,
    post_norm: LayerNorm,
    device: Device,
}

impl VisionTransformer {
    /// Reads the encoder from `weights`. The images of `preprocessor` must have the size that `config` declares.
    pub(crate) fn load(
        weights: &Weights,
        layout: &VisionLayout,
        config: &VisionConfig,
        preprocessor: Preprocessor,
        device: &Device,
    ) -> Result<Self> {
        let (embeddings, width) = (weights.pp("embeddings"), config.encoder.hidden_size);
        let norm = |name: &str| LayerNorm::load(&weights.pp(name), width, config.encoder.layer_norm_eps, device);
        let patch_embedding = patch_embedding(&embeddings.pp(layout.patch_embedding), layout, config, device)?;
        let (class_token, positions) = positions(&embeddings, layout, config, device)?;
        Ok(VisionTransformer {
            preprocessor,
            image_size: config.image_size,
            patch_size: config.patch_size,
            num_patches: config.num_patches(),
            patch_embedding,
            sum: layout.sum,
            class_token,
            positions,
            pre_norm: layout.pre_norm.map(norm).transpose()?,
            layers: load_layers(&weights.pp(layout.layers), &layout.layer, &config.encoder, device)?,
            post_norm: norm(layout.post_norm)?,
            device: device.clone(),
        })
    }

    /// Width and height of the images, in pixels.
    pub(crate) fn image_size(&self) -> usize {
        self.image_size
    }

    /// The number of tokens of an image, at least 1: the class token, if there is one, and the patches.
    pub(crate) fn tokens(&self) -> usize {
        self.num_patches + usize::from(self.class_token.is_some())
    }

    /// The part of an image that the model sees, as bytes: the input of [`forward`](Self::forward).
    pub(crate) fn fit(&self, image: &RgbImage) -> RgbImage {
        self.preprocessor.fit(image)
    }

    /// The last hidden states of all tokens, normalized, one image after the other: (images x tokens) x width.
    pub(crate) fn forward(&self, images: &[RgbImage], progress: &Progress) -> Result<Tensor> {
        let spans = self.spans(images);
        let x = self.run(&self.layers, self.embed(images)?, &spans, progress)?;
        self.post_norm.forward(&x)
    }

    /// As [`forward`](Self::forward), of each image's first token only, which is the class token: images x width.
    pub(crate) fn forward_class(&self, images: &[RgbImage], progress: &Progress) -> Result<Tensor> {
        let spans = self.spans(images);
        let rows: Vec<u32> = spans.iter().map(|span| span.start as u32).collect();
        let rows = Tensor::new(rows, &self.device).map_err(compute_error)?;
        let (layers, last) = self.layers.split_at(self.layers.len().saturating_sub(1));
        let x = self.run(layers, self.embed(images)?, &spans, progress)?;
        self.post_norm.forward(&forward_selected(last, x, &spans, &rows)?)
    }

    fn spans(&self, images: &[RgbImage]) -> Spans {
        Spans::of_lengths(images.iter().map(|_| self.tokens()))
    }

    fn run(&self, layers: &[EncoderLayer], mut x: Tensor, spans: &Spans, progress: &Progress) -> Result<Tensor> {
        for layer in layers {
            progress.check(Stage::Embed)?;
            x = layer.forward(&x, spans)?;
        }
        Ok(x)
    }

    /// The input of the first layer, (images x tokens) x width.
    fn embed(&self, images: &[RgbImage]) -> Result<Tensor> {
        let patches = self.extract_patches(images).map_err(compute_error)?;
        let embedded = match self.sum {
            EmbeddingSum::PositionFirst => {
                let positions = self.positions.repeat((images.len(), 1)).and_then(|positions| positions.contiguous());
                self.patch_embedding.forward_onto(&patches, &positions.map_err(compute_error)?)
            }
            EmbeddingSum::PositionLast => {
                let embedded = self.patch_embedding.forward(&patches, Activation::None)?;
                self.add_positions(&embedded, images.len()).map_err(compute_error)
            }
        };
        let x = self.prepend_class_token(embedded?, images.len()).map_err(compute_error)?;
        match &self.pre_norm {
            Some(norm) => norm.forward(&x),
            None => Ok(x),
        }
    }

    fn add_positions(&self, embedded: &Tensor, images: usize) -> candle_core::Result<Tensor> {
        let shape = (images, self.num_patches, embedded.dim(1)?);
        embedded.reshape(shape)?.broadcast_add(&self.positions)?.reshape(embedded.shape())
    }

    /// Adds the class token, if there is one, before the patches of each image.
    fn prepend_class_token(&self, embedded: Tensor, images: usize) -> candle_core::Result<Tensor> {
        let Some(class_token) = &self.class_token else { return Ok(embedded) };
        let width = embedded.dim(1)?;
        let embedded = embedded.reshape((images, self.num_patches, width))?;
        let class_tokens = class_token.broadcast_as((images, 1, width))?.contiguous()?;
        Tensor::cat(&[&class_tokens, &embedded], 1)?.contiguous()?.reshape((images * self.tokens(), width))
    }

    /// The patches of all images: (images x patches) x values of a patch.
    fn extract_patches(&self, images: &[RgbImage]) -> candle_core::Result<Tensor> {
        let shape = (images.len() * self.num_patches, 3 * self.patch_size * self.patch_size);
        let mut patches = Vec::with_capacity(shape.0 * shape.1);
        images.iter().for_each(|image| self.extract_patches_of(image, &mut patches));
        Tensor::from_vec(patches, shape, &self.device)
    }

    /// Appends the values of an image's patches, row by row, each as its red, green and blue: the order in which the
    /// convolution that this replaces stores its weights.
    fn extract_patches_of(&self, image: &RgbImage, patches: &mut Vec<f32>) {
        let (grid, size) = (self.image_size / self.patch_size, self.patch_size);
        let (bytes, stride) = (image.as_raw(), image.width() as usize * 3);
        for (row, column) in (0..grid).flat_map(|row| (0..grid).map(move |column| (row, column))) {
            for (channel, table) in self.preprocessor.table().iter().enumerate() {
                for line in 0..size {
                    let start = (row * size + line) * stride + column * size * 3;
                    let line = bytes.get(start..start + size * 3).unwrap_or_default();
                    let values = line.iter().skip(channel).step_by(3);
                    patches.extend(values.map(|&byte| table.get(usize::from(byte)).copied().unwrap_or(0.0)));
                }
            }
        }
    }
}

/// The convolution that turns patches into tokens, as a matrix product.
fn patch_embedding(weights: &Weights, layout: &VisionLayout, config: &VisionConfig, device: &Device) -> Result<Linear> {
    let (width, patch_size) = (config.encoder.hidden_size, config.patch_size);
    let kernel = weights.values("weight", &[width, 3, patch_size, patch_size])?;
    let bias = layout.patch_bias.then(|| weights.values("bias", &[width])).transpose()?;
    Linear::new(&kernel, WeightLayout::OutputsByInputs, bias, [3 * patch_size * patch_size, width], device)
}

/// The class token at its position, and the position embeddings of the patches.
fn positions(
    embeddings: &Weights,
    layout: &VisionLayout,
    config: &VisionConfig,
    device: &Device,
) -> Result<(Option<Tensor>, Tensor)> {
    let (width, num_patches) = (config.encoder.hidden_size, config.num_patches());
    let class_shape: &[usize] = if layout.batched { &[1, 1, width] } else { &[width] };
    let class_embedding = layout.class_embedding.map(|name| embeddings.values(name, class_shape)).transpose()?;
    let tokens = num_patches + usize::from(class_embedding.is_some());
    let shape: &[usize] = if layout.batched { &[1, tokens, width] } else { &[tokens, width] };
    let mut positions = embeddings.values(layout.position_embedding, shape)?;
    let mut class_token = None;
    if let Some(mut class_embedding) = class_embedding {
        let of_patches = positions.split_off(width);
        class_embedding.iter_mut().zip(&positions).for_each(|(class, position)| *class += position);
        class_token = Some(Tensor::from_vec(class_embedding, (1, 1, width), device).map_err(compute_error)?);
        positions = of_patches;
    }
    let positions = Tensor::from_vec(positions, (num_patches, width), device).map_err(compute_error)?;
    Ok((class_token, positions))
}
