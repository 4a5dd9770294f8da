//! Shared by the caption decoders: attention to the previous tokens and to the image, and the token embeddings.

use std::fmt::Debug;

use candle_core::{Device, Tensor};

use super::config::DecoderConfig;
use crate::error::Result;
use crate::nn::model_folder::compute_error;
use crate::nn::transformer::{Activation, Linear, WeightLayout};
use crate::nn::weights::Weights;

/// The capacity for tokens grows in steps of this size.
const CAPACITY_STEP: usize = 16;

/// Generates captions, one token at a time.
pub(super) trait Decoder: Send + Sync + Debug {
    /// Precomputes what it needs from the images; `states` are (images x patches) x the encoder's width.
    fn memory(&self, states: &Tensor, images: usize) -> Result<Memory>;

    /// Appends one token to each row, and returns the hidden states: rows x width. The rows of an image are
    /// consecutive, and their number is the same for each image.
    fn step(&self, memory: &Memory, past: &mut Past, tokens: &[u32]) -> Result<Tensor>;

    /// The scores of all possible next tokens, rows x tokens.
    fn scores(&self, hidden: &Tensor) -> Result<Tensor>;
}

/// Keys and values of the images, for each layer: images x heads x patches x head width.
pub(super) struct Memory {
    layers: Vec<(Tensor, Tensor)>,
    images: usize,
}

impl Memory {
    pub(super) fn new(layers: Vec<(Tensor, Tensor)>, images: usize) -> Self {
        Memory { layers, images }
    }

    pub(super) fn images(&self) -> usize {
        self.images
    }

    /// Keeps only these images, in this order.
    pub(super) fn keep(&mut self, images: &[u32]) -> candle_core::Result<()> {
        for (keys, values) in &mut self.layers {
            let kept = Tensor::new(images, keys.device())?;
            *keys = keys.index_select(&kept, 0)?;
            *values = values.index_select(&kept, 0)?;
        }
        self.images = images.len();
        Ok(())
    }
}

/// Keys and values of the tokens so far, for each layer: rows x heads x capacity x head width.
#[derive(Default)]
pub(super) struct Past {
    layers: Vec<(Tensor, Tensor)>,
    length: usize,
}

impl Past {
    /// The number of tokens in each row.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Each row has one token more.
    pub(super) fn advance(&mut self) {
        self.length += 1;
    }

    /// Keeps only these rows, in this order; a row may occur several times.
    pub(super) fn keep(&mut self, rows: &[u32]) -> candle_core::Result<()> {
        let all = self.layers.first().map_or(0, |(keys, _)| keys.dims().first().copied().unwrap_or(0));
        if rows.len() == all && (0..).zip(rows).all(|(at, row)| at == *row) {
            return Ok(());
        }
        for (keys, values) in &mut self.layers {
            let kept = Tensor::new(rows, keys.device())?;
            *keys = keys.index_select(&kept, 0)?;
            *values = values.index_select(&kept, 0)?;
        }
        Ok(())
    }

    /// Appends the keys and values of one token, rows x heads x 1 x width, to a layer, and returns all of them so far.
    fn add(&mut self, layer: usize, keys: &Tensor, values: &Tensor) -> candle_core::Result<(Tensor, Tensor)> {
        let (rows, heads, _, width) = keys.dims4()?;
        let zeros = |tokens: usize| Tensor::zeros((rows, heads, tokens, width), keys.dtype(), keys.device());
        if layer >= self.layers.len() {
            self.layers.push((zeros(CAPACITY_STEP)?, zeros(CAPACITY_STEP)?));
        }
        let missing = || candle_core::Error::Msg("the layers of a decoder must run in order".into());
        let (all_keys, all_values) = self.layers.get_mut(layer).ok_or_else(missing)?;
        if all_keys.dim(2)? <= self.length {
            *all_keys = Tensor::cat(&[&*all_keys, &zeros(CAPACITY_STEP)?], 2)?.contiguous()?;
            *all_values = Tensor::cat(&[&*all_values, &zeros(CAPACITY_STEP)?], 2)?.contiguous()?;
        }
        all_keys.slice_set(&keys.contiguous()?, 2, self.length)?;
        all_values.slice_set(&values.contiguous()?, 2, self.length)?;
        Ok((all_keys.narrow(2, 0, self.length + 1)?, all_values.narrow(2, 0, self.length + 1)?))
    }
}

/// Multi-head attention in a decoder.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    pub(super) num_heads: usize,
    /// The width of all heads together.
    pub(super) width: usize,
    /// The factor that queries are multiplied by.
    pub(super) scale: f64,
}

impl Heads {
    fn head_width(self) -> usize {
        self.width / self.num_heads
    }

    /// Splits the keys or values of images, (images x patches) x width, into heads: images x heads x patches x head
    /// width.
    pub(super) fn split_images(self, states: &Tensor, images: usize) -> candle_core::Result<Tensor> {
        let patches = states.dim(0)? / images.max(1);
        states
            .contiguous()?
            .reshape((images, patches, self.num_heads, self.head_width()))?
            .transpose(1, 2)?
            .contiguous()
    }

    /// Attends to the tokens so far. `qkv` are the queries, keys and values of one token per row, rows x 3 width.
    pub(super) fn attend_to_past(self, qkv: &Tensor, past: &mut Past, layer: usize) -> Result<Tensor> {
        self.try_attend_to_past(qkv, past, layer).map_err(compute_error)
    }

    fn try_attend_to_past(self, qkv: &Tensor, past: &mut Past, layer: usize) -> candle_core::Result<Tensor> {
        let rows = qkv.dim(0)?;
        let part = |i: usize| {
            qkv.narrow(1, i * self.width, self.width)?.contiguous()?.reshape((
                rows,
                self.num_heads,
                1,
                self.head_width(),
            ))
        };
        let (keys, values) = past.add(layer, &part(1)?, &part(2)?)?;
        let scores = (part(0)? * self.scale)?.matmul(&keys.transpose(2, 3)?)?;
        let weights = candle_nn::ops::softmax_last_dim(&scores)?;
        weights.matmul(&values)?.reshape((rows, self.width))
    }

    /// Attends to the image of each row. `queries` are rows x width.
    pub(super) fn attend_to_image(self, queries: &Tensor, memory: &Memory, layer: usize) -> Result<Tensor> {
        self.try_attend_to_image(queries, memory, layer).map_err(compute_error)
    }

    fn try_attend_to_image(self, queries: &Tensor, memory: &Memory, layer: usize) -> candle_core::Result<Tensor> {
        let missing = || candle_core::Error::Msg("the decoder must have as many layers as its image memory".into());
        let (keys, values) = memory.layers.get(layer).ok_or_else(missing)?;
        let rows = queries.dim(0)?;
        let beams = rows / memory.images.max(1);
        let queries = queries.reshape((memory.images, beams, self.num_heads, self.head_width()))?.transpose(1, 2)?;
        let scores = (queries.contiguous()? * self.scale)?.matmul(&keys.transpose(2, 3)?)?;
        let weights = candle_nn::ops::softmax_last_dim(&scores)?;
        weights.matmul(values)?.transpose(1, 2)?.contiguous()?.reshape((rows, self.width))
    }
}

/// The token embeddings, and the layer that scores tokens; the two usually share weights, which are then stored once.
pub(super) struct Vocabulary {
    scores: Linear,
    vectors: Option<Tensor>,
    positions: Tensor,
}

/// The inputs of [`Vocabulary::load`].
pub(super) struct VocabularySource<'a> {
    /// The token embeddings.
    pub(super) vectors: Weights,
    /// The position embeddings.
    pub(super) positions: Weights,
    /// The scoring layer, if it has weights of its own.
    pub(super) scores: Option<Weights>,
    pub(super) bias: Option<Vec<f32>>,
    pub(super) config: &'a DecoderConfig,
}

impl Vocabulary {
    pub(super) fn load(source: VocabularySource<'_>, device: &Device) -> Result<Self> {
        let config = source.config;
        let shape = [config.vocab_size, config.hidden_size];
        let on_device = |tensor: Tensor| tensor.to_device(device).map_err(compute_error);
        let (scores, vectors) = match source.scores {
            Some(scores) => (scores, Some(on_device(source.vectors.tensor("weight", &shape)?)?)),
            None => (source.vectors, None),
        };
        let scores = scores.values("weight", &shape)?;
        let sizes = [config.hidden_size, config.vocab_size];
        Ok(Vocabulary {
            scores: Linear::new(&scores, WeightLayout::OutputsByInputs, source.bias, sizes, device)?,
            vectors,
            positions: on_device(
                source.positions.tensor("weight", &[config.max_position_embeddings, config.hidden_size])?,
            )?,
        })
    }

    /// The embeddings of tokens at a position: rows x width.
    pub(super) fn embed(&self, tokens: &[u32], position: usize) -> Result<Tensor> {
        let vectors = match &self.vectors {
            None => self.scores.weights_of(tokens)?,
            Some(vectors) => Tensor::new(tokens, vectors.device())
                .and_then(|tokens| vectors.index_select(&tokens, 0))
                .map_err(compute_error)?,
        };
        let position = self.positions.narrow(0, position, 1);
        position.and_then(|position| vectors.broadcast_add(&position)).map_err(compute_error)
    }

    /// The scores of all tokens, rows x tokens.
    pub(super) fn scores(&self, hidden: &Tensor) -> Result<Tensor> {
        self.scores.forward(hidden, Activation::None)
    }
}
