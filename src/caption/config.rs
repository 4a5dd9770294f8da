//! Reads a captioner's `config.json` and `generation_config.json`.

use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::Value;

use super::search::{EarlyStopping, Search};
use crate::error::Result;
use crate::nn::model_folder::{Config, model_error, read_json, read_json_if_there};
use crate::nn::transformer::Activation;
use crate::nn::weights::Weights;

/// No captioner exceeds these sizes; the tensors have to match them anyway.
const MAX_WIDTH: usize = 65_536;
const MAX_LAYERS: usize = 1_000;
const MAX_VOCABULARY: usize = 10_000_000;
const MAX_POSITIONS: usize = 8_192;
const MAX_IMAGE: usize = 2_048;
const MAX_PATCHES: usize = 16_384;
const MAX_ENDS: usize = 16;

/// The maximum number of scores for one image: vocabulary size times beams. 256 MiB.
const MAX_SCORES: usize = 1 << 26;

/// The maximum caption length that a model's files may request; the model's positions limit it anyway.
const MAX_LENGTH: usize = 1_000_000;

/// The maximum n-gram size, number of beams, and length penalty.
pub(super) const MAX_NGRAM: usize = 1_000;
pub(super) const MAX_BEAMS: usize = 100;
pub(super) const MAX_PENALTY: f64 = 100.0;

/// The tokens that start and end BLIP's captions if its configuration omits them.
const BLIP_START: u32 = 30_522;
const BLIP_END: u32 = 102;

/// New tokens if no file sets a length, as in transformers.
const DEFAULT_NEW_TOKENS: usize = 20;

/// The complete configuration.
pub(super) struct Description {
    pub(super) vision: Vision,
    pub(super) decoder: Decoder,
    /// The model's own search settings.
    pub(super) search: Search,
}

/// Sizes of the image encoder.
pub(super) struct Vision {
    pub(super) width: usize,
    pub(super) inner: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) image: usize,
    pub(super) patch: usize,
    pub(super) epsilon: f64,
    pub(super) activation: Activation,
    /// Whether queries, keys and values have a bias.
    pub(super) bias: bool,
}

/// Sizes of the decoder, and its kind.
pub(super) struct Decoder {
    pub(super) kind: DecoderKind,
    pub(super) width: usize,
    pub(super) inner: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) vocabulary: usize,
    pub(super) positions: usize,
    pub(super) epsilon: f64,
    pub(super) activation: Activation,
    /// Whether the token embeddings are also the last layer.
    pub(super) tied: bool,
}

pub(super) enum DecoderKind {
    /// Whether scores are scaled by the width of a head, and by the layer number.
    Gpt2 { scaled: bool, scaled_by_layer: bool },
    /// BLIP's, a BERT that attends to images.
    Blip,
}

/// Reads the configuration in `folder`, and checks that the weights next to it have its sizes.
pub(super) fn read(folder: &Path) -> Result<(Description, Weights)> {
    let path = folder.join("config.json");
    let json = read_json(&path)?;
    let generation_path = folder.join("generation_config.json");
    let generation = read_json_if_there(&generation_path)?;
    let generation = generation.as_ref().map(|json| Config::new(json, &generation_path));
    let config = Config::new(&json, &path);
    match config.word("model_type") {
        Some("vision-encoder-decoder") => {
            let description = vit_gpt2(&config, generation)?;
            let weights = Weights::open(folder)?;
            description.vision.fit(&config.part("encoder"), &weights.pp("encoder"))?;
            description.decoder.fit(&config.part("decoder"), &weights.pp("decoder"))?;
            Ok((description, weights))
        }
        Some("blip") => {
            let description = blip(&config, &json, generation)?;
            let weights = Weights::open(folder)?;
            description.vision.fit(&config.part("vision_config"), &weights.pp("vision_model"))?;
            description.decoder.fit(&config.part("text_config"), &weights.pp("text_decoder"))?;
            Ok((description, weights))
        }
        other => {
            let other = other.unwrap_or("missing");
            Err(model_error(&path, &format!("its model_type is {other}, which is not a supported captioner"))
                .with_hint("Supported are vision-encoder-decoder (ViT and GPT-2) and blip."))
        }
    }
}

impl Vision {
    /// Checks that the weights have these sizes. Of the three encoders' tensor names, those that exist are checked.
    fn fit(&self, config: &Config<'_>, weights: &Weights) -> Result<()> {
        for patches in ["embeddings.patch_embeddings.projection.weight", "embeddings.patch_embedding.weight"] {
            weights.fit(config, "hidden_size", self.width, patches, 0)?;
            weights.fit(config, "patch_size", self.patch, patches, 2)?;
        }
        for (layers, up) in
            [("encoder.layer", "intermediate.dense"), ("encoder.layers", "mlp.fc1"), ("layers", "mlp.fc1")]
        {
            weights.fit(config, "intermediate_size", self.inner, &format!("{layers}.0.{up}.weight"), 0)?;
            weights.fit_layers(config, "num_hidden_layers", self.layers, layers)?;
        }
        Ok(())
    }
}

impl Decoder {
    /// Checks that the weights have these sizes.
    fn fit(&self, config: &Config<'_>, weights: &Weights) -> Result<()> {
        match self.kind {
            DecoderKind::Gpt2 { .. } => {
                let weights = weights.pp("transformer");
                weights.fit(config, "n_embd", self.width, "wte.weight", 1)?;
                weights.fit(config, "vocab_size", self.vocabulary, "wte.weight", 0)?;
                weights.fit(config, "n_positions", self.positions, "wpe.weight", 0)?;
                weights.fit(config, "n_inner", self.inner, "h.0.mlp.c_fc.weight", 1)?;
                weights.fit_layers(config, "n_layer", self.layers, "h")
            }
            DecoderKind::Blip => {
                let weights = weights.pp("bert");
                let words = "embeddings.word_embeddings.weight";
                weights.fit(config, "hidden_size", self.width, words, 1)?;
                weights.fit(config, "vocab_size", self.vocabulary, words, 0)?;
                let positions = "embeddings.position_embeddings.weight";
                weights.fit(config, "max_position_embeddings", self.positions, positions, 0)?;
                let up = "encoder.layer.0.intermediate.dense.weight";
                weights.fit(config, "intermediate_size", self.inner, up, 0)?;
                weights.fit_layers(config, "num_hidden_layers", self.layers, "encoder.layer")
            }
        }
    }
}

fn vit_gpt2(config: &Config<'_>, generation: Option<Config<'_>>) -> Result<Description> {
    let (encoder, decoder) = (config.part("encoder"), config.part("decoder"));
    for (part, config, known) in [("encoder", &encoder, "vit"), ("decoder", &decoder, "gpt2")] {
        let found = config.word("model_type").unwrap_or("missing");
        if found != known {
            return Err(model_error(config.path(), &format!("its {part} is {found}, but only {known} is supported")));
        }
    }
    let decoder_sizes = gpt2(&decoder)?;
    let ids = Ids(generation.iter().chain([config, &decoder]).collect());
    // As in transformers: if there is a generation configuration, nothing else counts.
    let settings = match &generation {
        Some(generation) => vec![generation],
        None => vec![config, &decoder],
    };
    let vocabulary = decoder_sizes.vocabulary;
    let start = ids.first("decoder_start_token_id", vocabulary)?;
    let start = match start {
        Some(start) => start,
        None => ids.required("bos_token_id", vocabulary)?,
    };
    let end = ids.all("eos_token_id", vocabulary)?;
    let pad = ids.first("pad_token_id", vocabulary)?;
    let search = search(&Layers(settings), config.path(), vocabulary, vec![start], end, pad)?;
    Ok(Description { vision: vision(&encoder, 1e-12)?, decoder: decoder_sizes, search })
}

fn blip(config: &Config<'_>, json: &Value, generation: Option<Config<'_>>) -> Result<Description> {
    let architecture = json["architectures"][0].as_str().unwrap_or("BlipForConditionalGeneration");
    if architecture != "BlipForConditionalGeneration" {
        let what = format!("it is a {architecture}, which does not generate captions");
        return Err(model_error(config.path(), &what).with_hint("Use a BlipForConditionalGeneration."));
    }
    let text = config.part("text_config");
    let decoder = blip_text(&text)?;
    // The generation configuration of existing models names the wrong end token; transformers ignores it.
    let ids = Ids(vec![&text]);
    let start = ids.first("bos_token_id", decoder.vocabulary)?.unwrap_or(BLIP_START);
    let end = ids.first("sep_token_id", decoder.vocabulary)?.unwrap_or(BLIP_END);
    if start as usize >= decoder.vocabulary {
        return Err(model_error(config.path(), "its text_config has no bos_token_id"));
    }
    let pad = ids.first("pad_token_id", decoder.vocabulary)?;
    let settings = Layers(generation.iter().chain([&text]).collect());
    let search = search(&settings, config.path(), decoder.vocabulary, vec![start], vec![end], pad)?;
    Ok(Description { vision: vision(&config.part("vision_config"), 1e-5)?, decoder, search })
}

fn vision(config: &Config<'_>, epsilon: f64) -> Result<Vision> {
    let vision = Vision {
        width: config.size("hidden_size", Some(768), MAX_WIDTH)?,
        inner: config.size("intermediate_size", Some(3072), MAX_WIDTH)?,
        layers: config.size("num_hidden_layers", Some(12), MAX_LAYERS)?,
        heads: config.size("num_attention_heads", Some(12), MAX_WIDTH)?,
        image: config.size("image_size", Some(if epsilon < 1e-6 { 224 } else { 384 }), MAX_IMAGE)?,
        patch: config.size("patch_size", Some(16), MAX_IMAGE)?,
        epsilon: config.epsilon("layer_norm_eps", epsilon)?,
        activation: activation(config, "hidden_act", "gelu")?,
        bias: config.flag("qkv_bias", true),
    };
    check_heads(config, ["hidden_size", "num_attention_heads"], vision.width, vision.heads)?;
    if config.size("num_channels", Some(3), MAX_WIDTH)? != 3 || vision.patch > vision.image {
        return Err(model_error(config.path(), "its images do not have 3 channels, or are smaller than a patch"));
    }
    if (vision.image / vision.patch).pow(2) > MAX_PATCHES {
        let must = format!("so large that images of {} pixels have at most {MAX_PATCHES} patches", vision.image);
        return Err(config.wrong("patch_size", &must));
    }
    Ok(vision)
}

fn gpt2(config: &Config<'_>) -> Result<Decoder> {
    let width = config.size("n_embd", Some(768), MAX_WIDTH)?;
    let decoder = Decoder {
        kind: DecoderKind::Gpt2 {
            scaled: config.flag("scale_attn_weights", true),
            scaled_by_layer: config.flag("scale_attn_by_inverse_layer_idx", false),
        },
        width,
        inner: config.size("n_inner", Some(4 * width), 8 * MAX_WIDTH)?,
        layers: config.size("n_layer", Some(12), MAX_LAYERS)?,
        heads: config.size("n_head", Some(12), MAX_WIDTH)?,
        vocabulary: config.size("vocab_size", Some(50_257), MAX_VOCABULARY)?,
        positions: config.size("n_positions", Some(1_024), MAX_POSITIONS)?,
        epsilon: config.epsilon("layer_norm_epsilon", 1e-5)?,
        activation: activation(config, "activation_function", "gelu_new")?,
        tied: config.flag("tie_word_embeddings", true),
    };
    check_heads(config, ["n_embd", "n_head"], width, decoder.heads)?;
    Ok(decoder)
}

fn blip_text(config: &Config<'_>) -> Result<Decoder> {
    let decoder = Decoder {
        kind: DecoderKind::Blip,
        width: config.size("hidden_size", Some(768), MAX_WIDTH)?,
        inner: config.size("intermediate_size", Some(3_072), MAX_WIDTH)?,
        layers: config.size("num_hidden_layers", Some(12), MAX_LAYERS)?,
        heads: config.size("num_attention_heads", Some(8), MAX_WIDTH)?,
        vocabulary: config.size("vocab_size", Some(30_524), MAX_VOCABULARY)?,
        positions: config.size("max_position_embeddings", Some(512), MAX_POSITIONS)?,
        epsilon: config.epsilon("layer_norm_eps", 1e-12)?,
        activation: activation(config, "hidden_act", "gelu")?,
        tied: config.flag("tie_word_embeddings", true),
    };
    check_heads(config, ["hidden_size", "num_attention_heads"], decoder.width, decoder.heads)?;
    Ok(decoder)
}

fn check_heads(config: &Config<'_>, [of_width, of_heads]: [&str; 2], width: usize, heads: usize) -> Result<()> {
    match width % heads {
        0 => Ok(()),
        _ => Err(config.wrong(of_heads, &format!("a divisor of `{of_width}`, which is {width}"))),
    }
}

fn activation(config: &Config<'_>, key: &str, default: &str) -> Result<Activation> {
    let name = config.word(key).unwrap_or(default);
    Activation::named(name)
        .ok_or_else(|| model_error(config.path(), &format!("its {key} is {name}, which is not supported")))
}

/// Tokens by role, from the first configuration that has one.
struct Ids<'a>(Vec<&'a Config<'a>>);

impl Ids<'_> {
    fn first(&self, key: &str, vocabulary: usize) -> Result<Option<u32>> {
        Ok(self.all(key, vocabulary)?.first().copied())
    }

    fn required(&self, key: &str, vocabulary: usize) -> Result<u32> {
        let path = self.0.last().map_or(Path::new(""), |config| config.path());
        self.first(key, vocabulary)?.ok_or_else(|| model_error(path, &format!("it has no {key}")))
    }

    fn all(&self, key: &str, vocabulary: usize) -> Result<Vec<u32>> {
        for config in &self.0 {
            let ids = config.wholes(key)?;
            if ids.len() > MAX_ENDS {
                return Err(config.wrong(key, &format!("a token, or a list of at most {MAX_ENDS}")));
            }
            if let Some(id) = ids.iter().find(|id| **id >= vocabulary as u64) {
                return Err(model_error(
                    config.path(),
                    &format!("its {key} is {id}, beyond its vocabulary of {vocabulary} tokens"),
                ));
            }
            if !ids.is_empty() {
                return Ok(ids.iter().map(|id| *id as u32).collect());
            }
        }
        Ok(Vec::new())
    }
}

/// Settings, from the first configuration that has one.
struct Layers<'a>(Vec<&'a Config<'a>>);

impl Layers<'_> {
    /// A whole number from `least` to `most`; `None` if no configuration has one.
    fn whole(&self, key: &str, least: usize, most: usize) -> Result<Option<usize>> {
        for config in &self.0 {
            if let Some(number) = config.whole(key)? {
                let number = usize::try_from(number).ok().filter(|number| (least..=most).contains(number));
                let number = number.ok_or_else(|| config.wrong(key, &format!("a whole number from {least} to {most}")));
                return number.map(Some);
            }
        }
        Ok(None)
    }

    fn number(&self, key: &str, default: f64, range: RangeInclusive<f64>) -> Result<f64> {
        for config in &self.0 {
            if let Some(number) = config.number_if_there(key, range.clone())? {
                return Ok(number);
            }
        }
        Ok(default)
    }
}

fn search(
    settings: &Layers<'_>,
    path: &Path,
    vocabulary: usize,
    start: Vec<u32>,
    end: Vec<u32>,
    pad: Option<u32>,
) -> Result<Search> {
    let early = settings.0.iter().find_map(|config| match config.word("early_stopping") {
        Some("never") => Some(EarlyStopping::Never),
        _ if config.flag("early_stopping", false) => Some(EarlyStopping::Full),
        _ => None,
    });
    let new_tokens = settings.whole("max_new_tokens", 1, MAX_LENGTH)?;
    let search = Search {
        max_length: settings.whole("max_length", 1, MAX_LENGTH)?,
        new_tokens: new_tokens.unwrap_or(DEFAULT_NEW_TOKENS),
        counts_new: new_tokens.is_some(),
        min_length: settings.whole("min_length", 0, MAX_LENGTH)?.unwrap_or(0),
        num_beams: settings.whole("num_beams", 1, MAX_BEAMS)?.unwrap_or(1),
        length_penalty: settings.number("length_penalty", 1.0, -MAX_PENALTY..=MAX_PENALTY)?,
        early_stopping: early.unwrap_or(EarlyStopping::Heuristic),
        no_repeat_ngram: settings.whole("no_repeat_ngram_size", 0, MAX_NGRAM)?.unwrap_or(0),
        repetition_penalty: settings.number("repetition_penalty", 1.0, 1e-3..=1e3)? as f32,
        fill: pad.or(end.first().copied()).unwrap_or(0),
        start,
        end,
    };
    match search.num_beams.saturating_mul(vocabulary) > MAX_SCORES {
        true => {
            let what = format!("its `num_beams` is {}, but must be 1 to {}", search.num_beams, MAX_SCORES / vocabulary);
            Err(model_error(path, &format!("{what} for a vocabulary of {vocabulary} tokens")))
        }
        false => Ok(search),
    }
}
