//! Encoders from candle-transformers. They take texts of the same length: shorter ones are padded, and the padding is
//! masked.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::modernbert::ModernBert;
use candle_transformers::models::nomic_bert::NomicBertModel;

use super::sizes::Sizes;
use crate::error::Result;
use crate::nn::model_folder::{Config, compute_error, model_error};
use crate::nn::transformer::Spans;
use crate::nn::weights::Weights;

/// Padding tokens that are not worth a separate computation.
const CHEAP_PADDING: usize = 32;

/// The number of scores (heads x texts x length x length) above which only one thread at a time computes them: 128 MiB,
/// of which candle keeps several copies.
const MANY_SCORES: usize = 1 << 25;

/// The maximum number of scores of one text: those of 8,192 tokens and 16 heads, 4 GiB.
const MAX_SCORES: usize = 1 << 30;

/// The maximum size of a table of rotations: positions times the width of a head.
const MAX_ROTATIONS: usize = 1 << 23;

/// A model from candle-transformers.
pub(super) enum Model {
    ModernBert(ModernBert),
    NomicBert(NomicBertModel),
}

/// Reads the sizes of a model with rotary positions.
pub(super) fn read_sizes(config: &Config<'_>, keys: [&'static str; 6], default_positions: usize) -> Result<Sizes> {
    let sizes = Sizes::read(config, keys, default_positions, 1 << 20)?;
    let (width, heads) = (sizes.hidden_size, sizes.num_attention_heads);
    let [width_key, heads_key, .., positions_key] = keys;
    // Rotations act on pairs of values.
    if !width.is_multiple_of(2 * heads) {
        return Err(config.invalid(heads_key, &format!("a divisor of half of `{width_key}`, which is {width}")));
    }
    let head = width / heads;
    if sizes.max_position_embeddings * head > MAX_ROTATIONS {
        let must = format!("at most {} for heads of width {head}", MAX_ROTATIONS / head);
        return Err(config.invalid(positions_key, &must));
    }
    Ok(sizes)
}

/// Checks that the weights have these sizes: `words` is the token table, `up` the first layer's up-projection (with
/// `parts` times as many rows), `layers` the prefix of a layer's number.
pub(super) fn check_weights(
    sizes: &Sizes,
    config: &Config<'_>,
    weights: &Weights,
    words: &str,
    (up, parts): (&str, usize),
    layers: &str,
) -> Result<()> {
    let [hidden, _, intermediate, layers_key, vocabulary, _] = sizes.keys;
    weights.check_size(config, hidden, sizes.hidden_size, words, 1)?;
    weights.check_size(config, vocabulary, sizes.vocab_size, words, 0)?;
    let expected = parts * sizes.intermediate_size;
    let rows = weights.shape_of(up).and_then(|shape| shape.first().copied()).unwrap_or(expected);
    if rows != expected {
        return Err(config.invalid(intermediate, &format!("{}: the tensor `{up}` has {rows} rows", rows / parts)));
    }
    weights.check_layers(config, layers_key, sizes.num_hidden_layers, layers)
}

/// The tensors that candle asks for. All are looked up here before candle sees them, so that an error names the file,
/// and because candle treats some missing ones as optional.
pub(super) struct Tensors<'a> {
    weights: &'a Weights,
    found: HashMap<String, Tensor>,
}

impl<'a> Tensors<'a> {
    pub(super) fn of(weights: &'a Weights) -> Self {
        Tensors { weights, found: HashMap::new() }
    }

    /// Reads the tensor with this name; candle knows it with `prefix` before its name.
    pub(super) fn take(&mut self, prefix: &str, name: &str, shape: &[usize]) -> Result<()> {
        let tensor = self.weights.tensor(name, shape)?;
        self.found.insert(format!("{prefix}{name}"), tensor);
        Ok(())
    }

    /// The source that candle loads a model from.
    pub(super) fn for_candle(self, device: &Device) -> VarBuilder<'static> {
        VarBuilder::from_tensors(self.found, DType::F32, device)
    }
}

/// Rejects a configuration in which one of `switches` is on.
pub(super) fn refuse(config: &Config<'_>, switches: &[&str]) -> Result<()> {
    match switches.iter().find(|key| config.flag(key, false)) {
        Some(key) => Err(model_error(config.path(), &format!("models with `{key}` are not supported"))),
        None => Ok(()),
    }
}

/// The rotary base of a model; below 1, rotations go the wrong way.
pub(super) const ROTATION_BASE: RangeInclusive<f64> = 1.0..=1e12;

/// An encoder from candle-transformers: one vector per token.
pub(super) struct PaddedEncoder {
    model: Model,
    sizes: Sizes,
    device: Device,
    /// Held while many scores are in memory.
    many_scores: Mutex<()>,
}

impl PaddedEncoder {
    pub(super) fn new(model: Model, sizes: Sizes, device: &Device) -> Self {
        PaddedEncoder { model, sizes, device: device.clone(), many_scores: Mutex::new(()) }
    }

    /// The width of a token's vector.
    pub(super) fn width(&self) -> usize {
        self.sizes.hidden_size
    }

    /// The maximum number of tokens in a text, including those that the model adds.
    pub(super) fn max_length(&self) -> usize {
        self.sizes.max_position_embeddings.min((MAX_SCORES / self.sizes.num_attention_heads).isqrt())
    }

    /// The vectors of all tokens of `texts`, one text after the other: tokens x width. Texts of similar length should
    /// be adjacent.
    pub(super) fn forward(&self, texts: &[&[u32]]) -> Result<(Tensor, Spans)> {
        let spans = Spans::of_lengths(texts.iter().map(|text| text.len()));
        let mut parts = Vec::new();
        let mut rest = texts;
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(similar_lengths(rest));
            let longest = batch.iter().map(|text| text.len()).max().unwrap_or(0);
            if longest > 0 {
                let scores = self.sizes.num_attention_heads * batch.len() * longest * longest;
                let alone =
                    (scores > MANY_SCORES).then(|| self.many_scores.lock().unwrap_or_else(PoisonError::into_inner));
                parts.push(self.forward_padded(batch, longest).map_err(compute_error)?);
                drop(alone);
            }
            rest = after;
        }
        let tokens = match parts.as_slice() {
            [] => Tensor::zeros((0, self.sizes.hidden_size), DType::F32, &self.device),
            [all] => Ok(all.clone()),
            _ => Tensor::cat(&parts, 0),
        };
        Ok((tokens.map_err(compute_error)?, spans))
    }

    /// The vectors of the tokens of `texts`, which are padded to `longest` and concatenated again afterwards.
    fn forward_padded(&self, texts: &[&[u32]], longest: usize) -> candle_core::Result<Tensor> {
        let last = self.sizes.vocab_size.saturating_sub(1) as u32;
        let mut ids: Vec<u32> = Vec::with_capacity(texts.len() * longest);
        let mut mask: Vec<u32> = Vec::with_capacity(texts.len() * longest);
        let mut kept: Vec<u32> = Vec::new();
        for text in texts {
            kept.extend(ids.len() as u32..(ids.len() + text.len()) as u32);
            ids.extend(text.iter().map(|id| (*id).min(last)));
            mask.resize(ids.len(), 1);
            let end = ids.len() + longest - text.len();
            ids.resize(end, 0);
            mask.resize(end, 0);
        }
        let padding = kept.len() < ids.len();
        let shape = (texts.len(), longest);
        let ids = Tensor::from_vec(ids, shape, &self.device)?;
        let mask = Tensor::from_vec(mask, shape, &self.device)?;
        let x = match &self.model {
            Model::ModernBert(model) => model.forward(&ids, &mask)?,
            Model::NomicBert(model) => model.forward(&ids, None, Some(&mask))?,
        };
        let x = x.flatten(0, 1)?;
        match padding {
            true => x.index_select(&Tensor::new(kept, &self.device)?, 0),
            false => Ok(x),
        }
    }
}

/// How many of the first texts are computed together: little of the computation should be padding.
fn similar_lengths(texts: &[&[u32]]) -> usize {
    let (mut longest, mut tokens) = (0, 0);
    for (before, text) in texts.iter().enumerate() {
        longest = longest.max(text.len());
        tokens += text.len();
        let padding = longest * (before + 1) - tokens;
        if before > 0 && padding > CHEAP_PADDING.max(tokens / 4) {
            return before;
        }
    }
    texts.len()
}
