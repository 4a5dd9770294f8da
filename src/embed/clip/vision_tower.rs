//! Embeds images (Dosovitskiy et al. 2021): patches are tokens.

use candle_core::{D, Device, Tensor};

use super::config::{Family, ModelConfig, TowerConfig, VisionConfig};
use super::text_tower::load_layers;
use crate::error::Result;
use crate::nn::model_folder::computing;
use crate::nn::transformer::{Activation, EncoderLayer, LayerNorm, Linear, Spans, forward_of};
use crate::nn::weights::Weights;
use crate::vision::{Preprocessor, RgbImage};

/// The image half of the model.
pub(super) struct VisionTower {
    preprocessor: Preprocessor,
    grid: usize,
    patch: usize,
    patches: Linear,
    /// What is added to each token of an image: its position embedding, and for the first one the class. Tokens x
    /// width.
    places: Tensor,
    /// The number of tokens of an image, at least 1.
    tokens: usize,
    before: Option<LayerNorm>,
    layers: Vec<EncoderLayer>,
    norm: LayerNorm,
    head: Head,
    device: Device,
}

/// How an image's tokens are pooled into one vector.
enum Head {
    /// The first token represents the image, and is projected (CLIP).
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
        let (vision, tower) = (&config.vision, &config.vision.tower);
        let model = weights.pp("vision_model");
        let norm = |name: &str| LayerNorm::load(&model.pp(name), tower.width, tower.epsilon, device);
        let is_clip = config.family == Family::Clip;
        let head = match config.family {
            Family::Clip => {
                let projection = weights.pp("visual_projection");
                Head::Class(Linear::load(&projection, tower.width, config.dimensions, false, device)?)
            }
            Family::Siglip => Head::Pooling(Box::new(PoolingHead::load(&model.pp("head"), tower, device)?)),
        };
        Ok(VisionTower {
            preprocessor,
            grid: vision.grid(),
            patch: vision.patch,
            patches: patches(&model, vision, !is_clip, device)?,
            places: places(&model, vision, is_clip, device)?,
            tokens: vision.grid().pow(2) + usize::from(is_clip),
            before: if is_clip { Some(norm("pre_layrnorm")?) } else { None },
            layers: load_layers(&model, tower, false, device)?,
            norm: norm("post_layernorm")?,
            head,
            device: device.clone(),
        })
    }

    /// The part of the image that the model sees, as bytes.
    pub(super) fn fit(&self, image: &RgbImage) -> RgbImage {
        self.preprocessor.fit(image)
    }

    /// The number of tokens of an image.
    pub(super) fn tokens(&self) -> usize {
        self.tokens
    }

    /// One row for each image returned by [`fit`](Self::fit), not yet normalized to length 1.
    pub(super) fn forward(&self, fitted: &[RgbImage]) -> Result<Tensor> {
        let spans = Spans::of_lengths(fitted.iter().map(|_| self.tokens));
        let mut x = self.embed(fitted)?;
        if let Some(norm) = &self.before {
            x = norm.forward(&x)?;
        }
        match &self.head {
            Head::Class(projection) => {
                let first: Vec<u32> = spans.iter().map(|span| span.start as u32).collect();
                let first = Tensor::new(first, &self.device).map_err(computing)?;
                let x = forward_of(&self.layers, x, &spans, &first)?;
                projection.forward(&self.norm.forward(&x)?, Activation::None)
            }
            Head::Pooling(head) => {
                for layer in &self.layers {
                    x = layer.forward(&x, &spans)?;
                }
                head.forward(&self.norm.forward(&x)?, fitted.len())
            }
        }
    }

    /// Embeds patches as tokens, and adds their positions.
    fn embed(&self, fitted: &[RgbImage]) -> Result<Tensor> {
        let (tokens, width) = (self.tokens, 3 * self.patch * self.patch);
        let mut rows = Vec::with_capacity(fitted.len() * tokens * width);
        for image in fitted {
            // The class token is a patch of zeros.
            rows.resize(rows.len() + (tokens - self.grid * self.grid) * width, 0.0);
            self.cut(image, &mut rows);
        }
        let rows = Tensor::from_vec(rows, (fitted.len() * tokens, width), &self.device);
        let places = self.places.repeat((fitted.len(), 1)).and_then(|places| places.contiguous());
        self.patches.forward_onto(&rows.map_err(computing)?, &places.map_err(computing)?)
    }

    /// The values of each patch, one channel after the other, patches row by row. What is left over at the right and
    /// the bottom is ignored, as in the convolution that this replaces.
    fn cut(&self, image: &RgbImage, rows: &mut Vec<f32>) {
        let stride = image.width() as usize * 3;
        let bytes = image.as_raw();
        for (down, across) in (0..self.grid).flat_map(|down| (0..self.grid).map(move |across| (down, across))) {
            for (channel, table) in self.preprocessor.table().iter().enumerate() {
                for line in 0..self.patch {
                    let start = (down * self.patch + line) * stride + across * self.patch * 3;
                    let line = bytes.get(start..start + self.patch * 3).unwrap_or_default();
                    let values = line.iter().skip(channel).step_by(3);
                    rows.extend(values.map(|&byte| table.get(usize::from(byte)).copied().unwrap_or(0.0)));
                }
            }
        }
    }
}

/// The convolution that turns patches into tokens, as a matrix product.
fn patches(model: &Weights, vision: &VisionConfig, bias: bool, device: &Device) -> Result<Linear> {
    let (width, patch) = (vision.tower.width, vision.patch);
    let weights = model.pp("embeddings.patch_embedding");
    let bias = bias.then(|| weights.numbers("bias", &[width])).transpose()?;
    let kernel = weights.numbers("weight", &[width, 3, patch, patch])?;
    Linear::from_rows(&kernel, bias, 3 * patch * patch, width, device)
}

fn places(model: &Weights, vision: &VisionConfig, class: bool, device: &Device) -> Result<Tensor> {
    let width = vision.tower.width;
    let embeddings = model.pp("embeddings");
    let tokens = vision.grid().pow(2) + usize::from(class);
    let mut places = embeddings.numbers("position_embedding.weight", &[tokens, width])?;
    if class {
        let class = embeddings.numbers("class_embedding", &[width])?;
        places.iter_mut().zip(&class).for_each(|(place, class)| *place += class);
    }
    Tensor::from_vec(places, (tokens, width), device).map_err(computing)
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
    width: usize,
    heads: usize,
}

impl PoolingHead {
    fn load(weights: &Weights, tower: &TowerConfig, device: &Device) -> Result<Self> {
        let (width, heads) = (tower.width, tower.heads);
        let attention = weights.pp("attention");
        let kernel = attention.numbers("in_proj_weight", &[3 * width, width])?;
        let bias = attention.numbers("in_proj_bias", &[3 * width])?;
        let (query_kernel, kernel) = kernel.split_at(width * width);
        let (query_bias, bias) = bias.split_at(width);
        let probe = weights.tensor("probe", &[1, 1, width])?.reshape((1, width)).map_err(computing)?;
        let query = Linear::from_rows(query_kernel, Some(query_bias.to_vec()), width, width, &Device::Cpu)?;
        let scale = 1.0 / ((width / heads) as f64).sqrt();
        let query = query.forward(&probe, Activation::None)?;
        let query = (query * scale).and_then(|query| query.reshape((heads, width / heads, 1))?.to_device(device));
        Ok(PoolingHead {
            query: query.map_err(computing)?,
            keys_values: Linear::from_rows(kernel, Some(bias.to_vec()), width, 2 * width, device)?,
            out: Linear::load(&attention.pp("out_proj"), width, width, true, device)?,
            norm: LayerNorm::load(&weights.pp("layernorm"), width, tower.epsilon, device)?,
            up: Linear::load(&weights.pp("mlp.fc1"), width, tower.inner, true, device)?,
            activation: tower.activation,
            down: Linear::load(&weights.pp("mlp.fc2"), tower.inner, width, true, device)?,
            width,
            heads,
        })
    }

    /// One row for each image; `x` contains the tokens of `images` images of the same size.
    fn forward(&self, x: &Tensor, images: usize) -> Result<Tensor> {
        let keys_values = self.keys_values.forward(x, Activation::None)?;
        let pooled = self.out.forward(&self.attend(&keys_values, images).map_err(computing)?, Activation::None)?;
        let inner = self.up.forward(&self.norm.forward(&pooled)?, self.activation)?;
        self.down.forward_onto(&inner, &pooled)
    }

    fn attend(&self, keys_values: &Tensor, images: usize) -> candle_core::Result<Tensor> {
        let (tokens, head) = (keys_values.dim(0)? / images.max(1), self.width / self.heads);
        let parts = keys_values.reshape((images, tokens, 2, self.heads, head))?.permute((2, 0, 3, 1, 4))?;
        let (keys, values) = (parts.get(0)?.contiguous()?, parts.get(1)?.contiguous()?);
        let query = self.query.broadcast_as((images, self.heads, head, 1))?.contiguous()?;
        let scores = keys.matmul(&query)?.transpose(2, 3)?.contiguous()?;
        let shares = candle_nn::ops::softmax(&scores, D::Minus1)?;
        shares.matmul(&values)?.reshape((images, self.width))
    }
}
