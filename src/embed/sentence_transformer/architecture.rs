//! BERT, RoBERTa, XLM-R, DistilBERT and MPNet: one encoder under different names.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use crate::error::{Hint, Result};
use crate::nn::model_folder::{Config, computing, model_error};
use crate::nn::transformer::{
    Activation, EncoderLayer, FeedForward, LayerNames, LayerNorm, LayerShape, NormPlace, RelativeBias, Spans,
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
        match config.word("model_type").unwrap_or_default() {
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
const MAX_BIAS: usize = 1 << 24;

/// The sizes of a model, from its `config.json`.
struct Sizes {
    /// The configuration's keys for width, heads, inner width and layers.
    keys: [&'static str; 4],
    width: usize,
    heads: usize,
    inner: usize,
    layers: usize,
    vocabulary: usize,
    positions: usize,
    /// The position of a text's first token.
    first_position: usize,
}

impl Sizes {
    fn read(family: Family, config: &Config<'_>) -> Result<Self> {
        let keys = match family {
            Family::DistilBert => ["dim", "n_heads", "hidden_dim", "n_layers"],
            _ => ["hidden_size", "num_attention_heads", "intermediate_size", "num_hidden_layers"],
        };
        let [width, heads, inner, layers] = keys;
        let positions = config.size("max_position_embeddings", Some(512), MAX_POSITIONS)?;
        let sizes = Sizes {
            keys,
            width: config.size(width, None, 1 << 16)?,
            heads: config.size(heads, None, 1 << 10)?,
            inner: config.size(inner, None, 1 << 18)?,
            layers: config.size(layers, None, 1 << 10)?,
            vocabulary: config.size("vocab_size", None, 1 << 24)?,
            positions,
            first_position: first_position(family, config, positions)?,
        };
        if !sizes.width.is_multiple_of(sizes.heads) {
            return Err(config.wrong(heads, &format!("a divisor of `{width}`, which is {}", sizes.width)));
        }
        Ok(sizes)
    }

    /// Checks that the weights have these sizes.
    fn fit(&self, family: Family, config: &Config<'_>, weights: &Weights) -> Result<()> {
        let [width, _, inner, layers] = self.keys;
        let words = "embeddings.word_embeddings.weight";
        weights.fit(config, width, self.width, words, 1)?;
        weights.fit(config, "vocab_size", self.vocabulary, words, 0)?;
        let positions = "embeddings.position_embeddings.weight";
        weights.fit(config, "max_position_embeddings", self.positions, positions, 0)?;
        let first = weights.pp(family.layers()).pp(0);
        first.fit(config, inner, self.inner, &format!("{}.weight", family.layer_names().up), 0)?;
        weights.fit_layers(config, layers, self.layers, family.layers())
    }
}

/// The position of a text's first token. RoBERTa and MPNet begin after the position of padding, which equals the
/// padding token's id.
fn first_position(family: Family, config: &Config<'_>, positions: usize) -> Result<usize> {
    if !matches!(family, Family::Roberta | Family::MpNet) {
        return Ok(0);
    }
    // A text has at least three tokens: those at its ends and one of its own.
    let most = positions.saturating_sub(4);
    let padding = config.whole("pad_token_id")?.map_or(Some(1), |padding| usize::try_from(padding).ok());
    let padding = padding.filter(|padding| *padding <= most);
    padding.map(|padding| padding + 1).ok_or_else(|| {
        config.wrong("pad_token_id", &format!("0 to {most}, since `max_position_embeddings` is {positions}"))
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
    vocabulary: usize,
    first_position: usize,
    longest: usize,
    device: Device,
}

impl PackedEncoder {
    /// Reads the encoder described by `config.json` and the weights.
    pub(super) fn load(config: &Config<'_>, weights: &Weights, device: &Device) -> Result<Self> {
        let family = Family::of(config)?;
        let sizes = Sizes::read(family, config)?;
        if config.word("position_embedding_type").is_some_and(|kind| kind != "absolute") {
            return Err(model_error(
                config.path(),
                "only absolute positions (`position_embedding_type`) are supported",
            ));
        }
        let weights = match weights.has_group(family.prefix()) {
            true => weights.pp(family.prefix()),
            false => weights.clone(),
        };
        sizes.fit(family, config, &weights)?;
        let epsilon = config.epsilon("layer_norm_eps", 1e-12)?;
        let table = |name: &str, rows: usize| -> Result<Tensor> {
            let table = weights.tensor(&format!("embeddings.{name}.weight"), &[rows, sizes.width])?;
            table.to_device(device).map_err(computing)
        };
        let shape = layer_shape(family, config, &sizes, &weights, epsilon)?;
        let layer = |number: usize| {
            let weights = weights.pp(family.layers()).pp(number);
            EncoderLayer::load(&weights, family.layer_names(), &shape, device)
        };
        Ok(PackedEncoder {
            words: table("word_embeddings", sizes.vocabulary)?,
            positions: table("position_embeddings", sizes.positions)?,
            token_type: token_type(family, config, &sizes, &weights, device)?,
            norm: LayerNorm::load(&weights.pp("embeddings.LayerNorm"), sizes.width, epsilon, device)?,
            layers: (0..sizes.layers).map(layer).collect::<Result<_>>()?,
            width: sizes.width,
            vocabulary: sizes.vocabulary,
            first_position: sizes.first_position,
            longest: sizes.positions.saturating_sub(sizes.first_position),
            device: device.clone(),
        })
    }

    /// The width of a token's vector.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The maximum number of tokens in a text, including those that the model adds.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The vectors of all tokens of `texts`, one text after the other: tokens x width.
    pub(super) fn forward(&self, texts: &[&[u32]]) -> Result<(Tensor, Spans)> {
        let spans = Spans::of_lengths(texts.iter().map(|text| text.len()));
        let last = self.vocabulary.saturating_sub(1) as u32;
        let ids: Vec<u32> = texts.iter().flat_map(|text| text.iter().map(|id| (*id).min(last))).collect();
        let positions: Vec<u32> = texts
            .iter()
            .flat_map(|text| (0..text.len()).map(|at| (self.first_position + at.min(self.longest - 1)) as u32))
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
        let mut x = self.norm.forward(&embedded().map_err(computing)?)?;
        for layer in &self.layers {
            x = layer.forward(&x, &spans)?;
        }
        Ok((x, spans))
    }
}

fn layer_shape(
    family: Family,
    config: &Config<'_>,
    sizes: &Sizes,
    weights: &Weights,
    epsilon: f64,
) -> Result<LayerShape> {
    let name = config.word("hidden_act").or(config.word("activation")).unwrap_or("gelu");
    let activation = Activation::named(name)
        .ok_or_else(|| model_error(config.path(), &format!("the activation `{name}` is not supported")))?;
    let relative_bias = match family {
        Family::MpNet => Some(Arc::new(mpnet_bias(config, sizes, weights)?)),
        _ => None,
    };
    Ok(LayerShape {
        width: sizes.width,
        heads: sizes.heads,
        feed_forward: FeedForward { width: sizes.inner, activation },
        epsilon,
        place: NormPlace::After,
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
    weights.fit(config, "type_vocab_size", types, name, 0)?;
    let table = weights.tensor(name, &[types, sizes.width])?;
    table.narrow(0, 0, 1).and_then(|first| first.to_device(device)).map(Some).map_err(computing)
}

/// MPNet's table of score biases, expanded over distances.
fn mpnet_bias(config: &Config<'_>, sizes: &Sizes, weights: &Weights) -> Result<RelativeBias> {
    let (key, name) = ("relative_attention_num_buckets", "encoder.relative_attention_bias.weight");
    let buckets = config.size(key, Some(32), 1 << 12)?;
    weights.fit(config, key, buckets, name, 0)?;
    weights.fit(config, sizes.keys[1], sizes.heads, name, 1)?;
    if sizes.heads * 2 * sizes.positions > MAX_BIAS {
        let most = MAX_BIAS / (2 * sizes.heads);
        return Err(config.wrong("max_position_embeddings", &format!("at most {most} for {} heads", sizes.heads)));
    }
    let table = weights.numbers(name, &[buckets, sizes.heads])?;
    Ok(RelativeBias::new(sizes.heads, sizes.positions, |head, distance| {
        table.get(bucket(distance, buckets) * sizes.heads + head).copied().unwrap_or(0.0)
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
