//! BERT, RoBERTa, XLM-R, DistilBERT and MPNet: one encoder under different names.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::sizes::{SIZE_KEYS, Sizes};
use crate::error::{Hint, Result};
use crate::nn::model_folder::{Config, compute_error, model_error};
use crate::nn::transformer::{
    Activation, EncoderConfig, EncoderLayer, LayerNames, LayerNorm, NormPlacement, RelativeBias, Spans, load_layers,
};
use crate::nn::weights::Weights;

const BERT_LAYER: LayerNames = LayerNames {
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attention_out: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    up: "intermediate.dense",
    down: "output.dense",
    feed_forward_norm: "output.LayerNorm",
};

const MPNET_LAYER: LayerNames = LayerNames {
    query: "attention.attn.q",
    key: "attention.attn.k",
    value: "attention.attn.v",
    attention_out: "attention.attn.o",
    attention_norm: "attention.LayerNorm",
    ..BERT_LAYER
};

const DISTILBERT_LAYER: LayerNames = LayerNames {
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attention_out: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    up: "ffn.lin1",
    down: "ffn.lin2",
    feed_forward_norm: "output_layer_norm",
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Bert,
    /// RoBERTa and XLM-R: BERT with positions that begin after that of the padding token.
    Roberta,
    DistilBert,
    MpNet,
}

impl Family {
    fn of(config: &Config<'_>) -> Result<Self> {
        match config.string("model_type").unwrap_or_default() {
            "bert" => Ok(Family::Bert),
            "roberta" | "xlm-roberta" | "camembert" => Ok(Family::Roberta),
            "distilbert" => Ok(Family::DistilBert),
            "mpnet" => Ok(Family::MpNet),
            "clip" | "siglip" => Err(model_error(config.path(), "this is a model for images and texts")
                .with_hint(Hint::new("Load it as a MultiModalBackend.").on_command_line(
                    "Pass --embedder the folder of that model itself, which embeds texts and images.",
                ))),
            other => Err(model_error(config.path(), &format!("models of type `{other}` are not supported")).with_hint(
                "Supported are bert, roberta, xlm-roberta, camembert, distilbert, mpnet, modernbert and nomic_bert.",
            )),
        }
    }

    fn layer_names(self) -> &'static LayerNames {
        match self {
            Family::Bert | Family::Roberta => &BERT_LAYER,
            Family::DistilBert => &DISTILBERT_LAYER,
            Family::MpNet => &MPNET_LAYER,
        }
    }

    /// The prefix of the encoder's tensor names if it is part of a larger model.
    fn prefix(self) -> &'static str {
        match self {
            Family::Bert => "bert",
            Family::Roberta => "roberta",
            Family::DistilBert => "distilbert",
            Family::MpNet => "mpnet",
        }
    }

    fn layers(self) -> &'static str {
        if self == Family::DistilBert { "transformer.layer" } else { "encoder.layer" }
    }
}

/// The maximum number of positions. Models for long texts have 8,192 or a few times as many.
const MAX_POSITIONS: usize = 1 << 17;

/// The maximum size of MPNet's table of score biases, over all heads and distances: 64 MiB.
const MAX_BIAS_VALUES: usize = 1 << 24;

/// DistilBERT's size keys.
const DISTILBERT_SIZE_KEYS: [&str; 6] =
    ["dim", "n_heads", "hidden_dim", "n_layers", "vocab_size", "max_position_embeddings"];

fn check_heads(config: &Config<'_>, sizes: &Sizes) -> Result<()> {
    let ([width_key, heads_key, ..], width) = (sizes.keys, sizes.hidden_size);
    match width.is_multiple_of(sizes.num_attention_heads) {
        true => Ok(()),
        false => Err(config.invalid(heads_key, &format!("a divisor of `{width_key}`, which is {width}"))),
    }
}

/// Checks that the weights have these sizes.
fn check_weights(family: Family, sizes: &Sizes, config: &Config<'_>, weights: &Weights) -> Result<()> {
    let [hidden, _, intermediate, layers, vocabulary, positions] = sizes.keys;
    let words = "embeddings.word_embeddings.weight";
    weights.check_size(config, hidden, sizes.hidden_size, words, 1)?;
    weights.check_size(config, vocabulary, sizes.vocab_size, words, 0)?;
    let table = "embeddings.position_embeddings.weight";
    weights.check_size(config, positions, sizes.max_position_embeddings, table, 0)?;
    let up = format!("{}.weight", family.layer_names().up);
    weights.pp(family.layers()).pp(0).check_size(config, intermediate, sizes.intermediate_size, &up, 0)?;
    weights.check_layers(config, layers, sizes.num_hidden_layers, family.layers())
}

/// The position of a text's first token. RoBERTa and MPNet begin after the position of padding, which equals the
/// padding token's id.
fn first_position(family: Family, config: &Config<'_>, positions: usize) -> Result<usize> {
    if !matches!(family, Family::Roberta | Family::MpNet) {
        return Ok(0);
    }
    // A text has at least three tokens: those at its ends and one of its own.
    let most = positions.saturating_sub(4);
    let padding = config.integer("pad_token_id")?.map_or(Some(1), |padding| usize::try_from(padding).ok());
    let padding = padding.filter(|padding| *padding <= most);
    padding.map(|padding| padding + 1).ok_or_else(|| {
        config.invalid("pad_token_id", &format!("0 to {most}, since `max_position_embeddings` is {positions}"))
    })
}

/// An encoder of one of these families: one vector per token.
pub(super) struct PackedEncoder {
    words: Tensor,
    positions: Tensor,
    token_type: Option<Tensor>,
    norm: LayerNorm,
    layers: Vec<EncoderLayer>,
    width: usize,
    vocab_size: usize,
    /// The position of a text's first token.
    first_position: usize,
    max_length: usize,
    device: Device,
}

impl PackedEncoder {
    /// Reads the encoder described by `config.json` and the weights.
    pub(super) fn load(config: &Config<'_>, weights: &Weights, device: &Device) -> Result<Self> {
        let family = Family::of(config)?;
        let keys = if family == Family::DistilBert { DISTILBERT_SIZE_KEYS } else { SIZE_KEYS };
        let sizes = Sizes::read(config, keys, 512, MAX_POSITIONS)?;
        let first_position = first_position(family, config, sizes.max_position_embeddings)?;
        check_heads(config, &sizes)?;
        if config.string("position_embedding_type").is_some_and(|kind| kind != "absolute") {
            return Err(model_error(
                config.path(),
                "only absolute positions (`position_embedding_type`) are supported",
            ));
        }
        let weights = match weights.has_group(family.prefix()) {
            true => weights.pp(family.prefix()),
            false => weights.clone(),
        };
        check_weights(family, &sizes, config, &weights)?;
        let layer_norm_eps = config.epsilon("layer_norm_eps", 1e-12)?;
        let table = |name: &str, rows: usize| -> Result<Tensor> {
            let table = weights.tensor(&format!("embeddings.{name}.weight"), &[rows, sizes.hidden_size])?;
            table.to_device(device).map_err(compute_error)
        };
        let encoder = encoder_config(family, config, &sizes, &weights, layer_norm_eps)?;
        Ok(PackedEncoder {
            words: table("word_embeddings", sizes.vocab_size)?,
            positions: table("position_embeddings", sizes.max_position_embeddings)?,
            token_type: token_type(family, config, &sizes, &weights, device)?,
            norm: LayerNorm::load(&weights.pp("embeddings.LayerNorm"), sizes.hidden_size, layer_norm_eps, device)?,
            layers: load_layers(&weights.pp(family.layers()), family.layer_names(), &encoder, device)?,
            width: sizes.hidden_size,
            vocab_size: sizes.vocab_size,
            first_position,
            max_length: sizes.max_position_embeddings.saturating_sub(first_position),
            device: device.clone(),
        })
    }

    /// The width of a token's vector.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The maximum number of tokens in a text, including those that the model adds.
    pub(super) fn max_length(&self) -> usize {
        self.max_length
    }

    /// The vectors of all tokens of `texts`, one text after the other: tokens x width.
    pub(super) fn forward(&self, texts: &[&[u32]]) -> Result<(Tensor, Spans)> {
        let spans = Spans::of_lengths(texts.iter().map(|text| text.len()));
        let last = self.vocab_size.saturating_sub(1) as u32;
        let ids: Vec<u32> = texts.iter().flat_map(|text| text.iter().map(|id| (*id).min(last))).collect();
        let positions: Vec<u32> = texts
            .iter()
            .flat_map(|text| (0..text.len()).map(|at| (self.first_position + at.min(self.max_length - 1)) as u32))
            .collect();
        let embedded = || -> candle_core::Result<Tensor> {
            let words = self.words.index_select(&Tensor::new(ids, &self.device)?, 0)?;
            let positions = self.positions.index_select(&Tensor::new(positions, &self.device)?, 0)?;
            let sum = (words + positions)?;
            match &self.token_type {
                Some(token_type) => sum.broadcast_add(token_type),
                None => Ok(sum),
            }
        };
        let mut x = self.norm.forward(&embedded().map_err(compute_error)?)?;
        for layer in &self.layers {
            x = layer.forward(&x, &spans)?;
        }
        Ok((x, spans))
    }
}

fn encoder_config(
    family: Family,
    config: &Config<'_>,
    sizes: &Sizes,
    weights: &Weights,
    layer_norm_eps: f64,
) -> Result<EncoderConfig> {
    let name = config.string("hidden_act").or(config.string("activation")).unwrap_or("gelu");
    let hidden_act = Activation::from_name(name)
        .ok_or_else(|| model_error(config.path(), &format!("the activation `{name}` is not supported")))?;
    let relative_bias = match family {
        Family::MpNet => Some(Arc::new(mpnet_bias(config, sizes, weights)?)),
        _ => None,
    };
    Ok(EncoderConfig {
        hidden_size: sizes.hidden_size,
        num_hidden_layers: sizes.num_hidden_layers,
        num_attention_heads: sizes.num_attention_heads,
        intermediate_size: sizes.intermediate_size,
        hidden_act,
        layer_norm_eps,
        norm_placement: NormPlacement::Post,
        causal: false,
        qkv_bias: true,
        relative_bias,
    })
}

/// The vector that BERT adds to every token of a first text.
fn token_type(
    family: Family,
    config: &Config<'_>,
    sizes: &Sizes,
    weights: &Weights,
    device: &Device,
) -> Result<Option<Tensor>> {
    if !matches!(family, Family::Bert | Family::Roberta) {
        return Ok(None);
    }
    let types = config.size("type_vocab_size", Some(2), 1 << 10)?;
    let name = "embeddings.token_type_embeddings.weight";
    weights.check_size(config, "type_vocab_size", types, name, 0)?;
    let table = weights.tensor(name, &[types, sizes.hidden_size])?;
    table.narrow(0, 0, 1).and_then(|first| first.to_device(device)).map(Some).map_err(compute_error)
}

/// MPNet's table of score biases, expanded over distances.
fn mpnet_bias(config: &Config<'_>, sizes: &Sizes, weights: &Weights) -> Result<RelativeBias> {
    let (key, name) = ("relative_attention_num_buckets", "encoder.relative_attention_bias.weight");
    let buckets = config.size(key, Some(32), 1 << 12)?;
    weights.check_size(config, key, buckets, name, 0)?;
    weights.check_size(config, sizes.keys[1], sizes.num_attention_heads, name, 1)?;
    if sizes.num_attention_heads * 2 * sizes.max_position_embeddings > MAX_BIAS_VALUES {
        let most = MAX_BIAS_VALUES / (2 * sizes.num_attention_heads);
        return Err(config
            .invalid("max_position_embeddings", &format!("at most {most} for {} heads", sizes.num_attention_heads)));
    }
    let table = weights.values(name, &[buckets, sizes.num_attention_heads])?;
    Ok(RelativeBias::new(sizes.num_attention_heads, sizes.max_position_embeddings, |head, distance| {
        table.get(bucket(distance, buckets) * sizes.num_attention_heads + head).copied().unwrap_or(0.0)
    }))
}

/// The bucket of a distance (key minus query): half of the buckets for each direction, half of those for one distance
/// each, the others increasingly wide up to 128.
fn bucket(distance: i64, buckets: usize) -> usize {
    const FAR: f64 = 128.0;
    let half = buckets / 2;
    let side = if distance > 0 { half } else { 0 };
    let away = distance.unsigned_abs() as usize;
    let near = (half / 2).max(1);
    if away < near {
        return side + away;
    }
    let wide = (away as f32 / near as f32).ln() / (FAR as f32 / near as f32).ln() * (half - near) as f32;
    side + (near + wide as usize).min(half.saturating_sub(1))
}
