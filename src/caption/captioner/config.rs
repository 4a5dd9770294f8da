//! Reads a captioner's `config.json`.

use std::path::Path;

use serde_json::Value;

use super::generation_config::{ConfigChain, GenerationConfig, SpecialTokens};
use crate::error::Result;
use crate::nn::model_folder::{Config, model_error, read_json, read_json_if_exists};
use crate::nn::transformer::{Activation, EncoderConfig, NormPlacement};
use crate::nn::vision_transformer::{MAX_IMAGE_SIZE, MAX_PATCHES, VisionConfig};
use crate::nn::weights::Weights;

/// No captioner exceeds these sizes; the tensors have to match them anyway.
const MAX_HIDDEN_SIZE: usize = 65_536;
const MAX_LAYERS: usize = 1_000;
const MAX_VOCAB_SIZE: usize = 10_000_000;
const MAX_POSITIONS: usize = 8_192;

/// The tokens that start and end BLIP's captions if its configuration omits them.
const BLIP_BOS: u32 = 30_522;
const BLIP_SEP: u32 = 102;

/// The complete configuration of a captioner.
pub(super) struct CaptionerConfig {
    pub(super) vision: VisionConfig,
    pub(super) decoder: DecoderConfig,
    /// The model's own search settings.
    pub(super) generation: GenerationConfig,
}

/// The sizes and settings of the decoder. Sizes have the names of Hugging Face's `config.json`; GPT-2 has others.
pub(super) struct DecoderConfig {
    pub(super) kind: DecoderKind,
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) vocab_size: usize,
    pub(super) max_position_embeddings: usize,
    pub(super) layer_norm_eps: f64,
    pub(super) hidden_act: Activation,
    /// Whether the token embeddings are also the last layer.
    pub(super) tie_word_embeddings: bool,
}

pub(super) enum DecoderKind {
    /// Whether scores are scaled by the width of a head, and by the layer number.
    Gpt2 { scale_attn_weights: bool, scale_attn_by_inverse_layer_idx: bool },
    /// BLIP's, a BERT that attends to images.
    Blip,
}

impl CaptionerConfig {
    /// Reads the configuration in `folder`, and checks that the weights next to it have its sizes.
    pub(super) fn read(folder: &Path) -> Result<(Self, Weights)> {
        let path = folder.join("config.json");
        let json = read_json(&path)?;
        let generation_path = folder.join("generation_config.json");
        let generation = read_json_if_exists(&generation_path)?;
        let generation = generation.as_ref().map(|json| Config::new(json, &generation_path));
        let config = Config::new(&json, &path);
        match config.string("model_type") {
            Some("vision-encoder-decoder") => {
                let captioner = vit_gpt2(&config, generation)?;
                let weights = Weights::open(folder)?;
                check_vision(&captioner.vision, &config.part("encoder"), &weights.pp("encoder"))?;
                captioner.decoder.check_weights(&config.part("decoder"), &weights.pp("decoder"))?;
                Ok((captioner, weights))
            }
            Some("blip") => {
                let captioner = blip(&config, &json, generation)?;
                let weights = Weights::open(folder)?;
                check_vision(&captioner.vision, &config.part("vision_config"), &weights.pp("vision_model"))?;
                captioner.decoder.check_weights(&config.part("text_config"), &weights.pp("text_decoder"))?;
                Ok((captioner, weights))
            }
            other => {
                let other = other.unwrap_or("missing");
                Err(model_error(&path, &format!("its model_type is {other}, which is not a supported captioner"))
                    .with_hint("Supported are vision-encoder-decoder (ViT and GPT-2) and blip."))
            }
        }
    }
}

/// Checks that the weights have these sizes. Of the three encoders' tensor names, those that exist are checked.
fn check_vision(vision: &VisionConfig, config: &Config<'_>, weights: &Weights) -> Result<()> {
    let encoder = &vision.encoder;
    for patches in ["embeddings.patch_embeddings.projection.weight", "embeddings.patch_embedding.weight"] {
        weights.check_size(config, "hidden_size", encoder.hidden_size, patches, 0)?;
        weights.check_size(config, "patch_size", vision.patch_size, patches, 2)?;
    }
    for (layers, up) in [("encoder.layer", "intermediate.dense"), ("encoder.layers", "mlp.fc1"), ("layers", "mlp.fc1")]
    {
        let up = format!("{layers}.0.{up}.weight");
        weights.check_size(config, "intermediate_size", encoder.intermediate_size, &up, 0)?;
        weights.check_layers(config, "num_hidden_layers", encoder.num_hidden_layers, layers)?;
    }
    Ok(())
}

impl DecoderConfig {
    /// Checks that the weights have these sizes.
    fn check_weights(&self, config: &Config<'_>, weights: &Weights) -> Result<()> {
        match self.kind {
            DecoderKind::Gpt2 { .. } => {
                let weights = weights.pp("transformer");
                weights.check_size(config, "n_embd", self.hidden_size, "wte.weight", 1)?;
                weights.check_size(config, "vocab_size", self.vocab_size, "wte.weight", 0)?;
                weights.check_size(config, "n_positions", self.max_position_embeddings, "wpe.weight", 0)?;
                weights.check_size(config, "n_inner", self.intermediate_size, "h.0.mlp.c_fc.weight", 1)?;
                weights.check_layers(config, "n_layer", self.num_hidden_layers, "h")
            }
            DecoderKind::Blip => {
                let weights = weights.pp("bert");
                let words = "embeddings.word_embeddings.weight";
                weights.check_size(config, "hidden_size", self.hidden_size, words, 1)?;
                weights.check_size(config, "vocab_size", self.vocab_size, words, 0)?;
                let positions = "embeddings.position_embeddings.weight";
                weights.check_size(config, "max_position_embeddings", self.max_position_embeddings, positions, 0)?;
                let up = "encoder.layer.0.intermediate.dense.weight";
                weights.check_size(config, "intermediate_size", self.intermediate_size, up, 0)?;
                weights.check_layers(config, "num_hidden_layers", self.num_hidden_layers, "encoder.layer")
            }
        }
    }
}

fn vit_gpt2(config: &Config<'_>, generation: Option<Config<'_>>) -> Result<CaptionerConfig> {
    let (encoder, decoder) = (config.part("encoder"), config.part("decoder"));
    for (part, config, known) in [("encoder", &encoder, "vit"), ("decoder", &decoder, "gpt2")] {
        let found = config.string("model_type").unwrap_or("missing");
        if found != known {
            return Err(model_error(config.path(), &format!("its {part} is {found}, but only {known} is supported")));
        }
    }
    let decoder_config = gpt2(&decoder)?;
    let vocab_size = decoder_config.vocab_size;
    let ids = ConfigChain(generation.iter().chain([config, &decoder]).collect());
    // As in transformers: if there is a generation configuration, nothing else counts.
    let settings = match &generation {
        Some(generation) => vec![generation],
        None => vec![config, &decoder],
    };
    let start = match ids.token_id("decoder_start_token_id", vocab_size)? {
        Some(start) => start,
        None => ids.required_token_id("bos_token_id", vocab_size)?,
    };
    let eos = ids.token_ids("eos_token_id", vocab_size)?;
    let tokens = SpecialTokens { start, eos, pad: ids.token_id("pad_token_id", vocab_size)? };
    let generation = GenerationConfig::read(&ConfigChain(settings), config.path(), vocab_size, tokens)?;
    Ok(CaptionerConfig { vision: vision(&encoder, &VIT)?, decoder: decoder_config, generation })
}

fn blip(config: &Config<'_>, json: &Value, generation: Option<Config<'_>>) -> Result<CaptionerConfig> {
    let architecture = json["architectures"][0].as_str().unwrap_or("BlipForConditionalGeneration");
    if architecture != "BlipForConditionalGeneration" {
        let what = format!("it is a {architecture}, which does not generate captions");
        return Err(model_error(config.path(), &what).with_hint("Use a BlipForConditionalGeneration."));
    }
    let text = config.part("text_config");
    let decoder = blip_text(&text)?;
    // The generation configuration of existing models names the wrong end token; transformers ignores it.
    let ids = ConfigChain(vec![&text]);
    let vocab_size = decoder.vocab_size;
    let start = ids.token_id("bos_token_id", vocab_size)?.unwrap_or(BLIP_BOS);
    let end = ids.token_id("sep_token_id", vocab_size)?.unwrap_or(BLIP_SEP);
    if start as usize >= vocab_size {
        return Err(model_error(config.path(), "its text_config has no bos_token_id"));
    }
    let tokens = SpecialTokens { start, eos: vec![end], pad: ids.token_id("pad_token_id", vocab_size)? };
    let settings = ConfigChain(generation.iter().chain([&text]).collect());
    let generation = GenerationConfig::read(&settings, config.path(), vocab_size, tokens)?;
    Ok(CaptionerConfig { vision: vision(&config.part("vision_config"), &BLIP)?, decoder, generation })
}

/// The defaults of transformers for an image encoder.
struct VisionDefaults {
    image_size: usize,
    layer_norm_eps: f64,
}

const VIT: VisionDefaults = VisionDefaults { image_size: 224, layer_norm_eps: 1e-12 };
const BLIP: VisionDefaults = VisionDefaults { image_size: 384, layer_norm_eps: 1e-5 };

fn vision(config: &Config<'_>, defaults: &VisionDefaults) -> Result<VisionConfig> {
    let hidden_size = config.size("hidden_size", Some(768), MAX_HIDDEN_SIZE)?;
    let intermediate_size = config.size("intermediate_size", Some(3072), MAX_HIDDEN_SIZE)?;
    let num_hidden_layers = config.size("num_hidden_layers", Some(12), MAX_LAYERS)?;
    let num_attention_heads = config.size("num_attention_heads", Some(12), MAX_HIDDEN_SIZE)?;
    let image_size = config.size("image_size", Some(defaults.image_size), MAX_IMAGE_SIZE)?;
    let patch_size = config.size("patch_size", Some(16), MAX_IMAGE_SIZE)?;
    let encoder = EncoderConfig {
        hidden_size,
        intermediate_size,
        num_hidden_layers,
        num_attention_heads,
        layer_norm_eps: config.epsilon("layer_norm_eps", defaults.layer_norm_eps)?,
        hidden_act: activation(config, "hidden_act", "gelu")?,
        norm_placement: NormPlacement::Pre,
        causal: false,
        qkv_bias: config.flag("qkv_bias", true),
        relative_bias: None,
    };
    check_heads(config, ["hidden_size", "num_attention_heads"], hidden_size, num_attention_heads)?;
    if config.size("num_channels", Some(3), MAX_HIDDEN_SIZE)? != 3 || patch_size > image_size {
        return Err(model_error(config.path(), "its images do not have 3 channels, or are smaller than a patch"));
    }
    let vision = VisionConfig { encoder, image_size, patch_size };
    if vision.num_patches() > MAX_PATCHES {
        let must = format!("so large that images of {image_size} pixels have at most {MAX_PATCHES} patches");
        return Err(config.invalid("patch_size", &must));
    }
    Ok(vision)
}

fn gpt2(config: &Config<'_>) -> Result<DecoderConfig> {
    let hidden_size = config.size("n_embd", Some(768), MAX_HIDDEN_SIZE)?;
    let decoder = DecoderConfig {
        kind: DecoderKind::Gpt2 {
            scale_attn_weights: config.flag("scale_attn_weights", true),
            scale_attn_by_inverse_layer_idx: config.flag("scale_attn_by_inverse_layer_idx", false),
        },
        hidden_size,
        intermediate_size: config.size("n_inner", Some(4 * hidden_size), 8 * MAX_HIDDEN_SIZE)?,
        num_hidden_layers: config.size("n_layer", Some(12), MAX_LAYERS)?,
        num_attention_heads: config.size("n_head", Some(12), MAX_HIDDEN_SIZE)?,
        vocab_size: config.size("vocab_size", Some(50_257), MAX_VOCAB_SIZE)?,
        max_position_embeddings: config.size("n_positions", Some(1_024), MAX_POSITIONS)?,
        layer_norm_eps: config.epsilon("layer_norm_epsilon", 1e-5)?,
        hidden_act: activation(config, "activation_function", "gelu_new")?,
        tie_word_embeddings: config.flag("tie_word_embeddings", true),
    };
    check_heads(config, ["n_embd", "n_head"], hidden_size, decoder.num_attention_heads)?;
    Ok(decoder)
}

fn blip_text(config: &Config<'_>) -> Result<DecoderConfig> {
    let decoder = DecoderConfig {
        kind: DecoderKind::Blip,
        hidden_size: config.size("hidden_size", Some(768), MAX_HIDDEN_SIZE)?,
        intermediate_size: config.size("intermediate_size", Some(3_072), MAX_HIDDEN_SIZE)?,
        num_hidden_layers: config.size("num_hidden_layers", Some(12), MAX_LAYERS)?,
        num_attention_heads: config.size("num_attention_heads", Some(8), MAX_HIDDEN_SIZE)?,
        vocab_size: config.size("vocab_size", Some(30_524), MAX_VOCAB_SIZE)?,
        max_position_embeddings: config.size("max_position_embeddings", Some(512), MAX_POSITIONS)?,
        layer_norm_eps: config.epsilon("layer_norm_eps", 1e-12)?,
        hidden_act: activation(config, "hidden_act", "gelu")?,
        tie_word_embeddings: config.flag("tie_word_embeddings", true),
    };
    check_heads(config, ["hidden_size", "num_attention_heads"], decoder.hidden_size, decoder.num_attention_heads)?;
    Ok(decoder)
}

fn check_heads(config: &Config<'_>, [width_key, heads_key]: [&str; 2], width: usize, heads: usize) -> Result<()> {
    match width % heads {
        0 => Ok(()),
        _ => Err(config.invalid(heads_key, &format!("a divisor of `{width_key}`, which is {width}"))),
    }
}

fn activation(config: &Config<'_>, key: &str, default: &str) -> Result<Activation> {
    let name = config.string(key).unwrap_or(default);
    Activation::from_name(name)
        .ok_or_else(|| model_error(config.path(), &format!("its {key} is {name}, which is not supported")))
}
