//! `config.json` of CLIP (Radford et al. 2021) and SigLIP (Zhai et al. 2023), with transformers' defaults for what it
//! omits.

use std::path::Path;

use serde_json::Value;

use super::layer_names::LAYER;
use crate::error::{Hint, Result};
use crate::nn::model_folder::{Config, model_error, read_json};
use crate::nn::transformer::{Activation, EncoderConfig, NormPlacement};
use crate::nn::vision_transformer::{MAX_IMAGE_SIZE, MAX_PATCHES, VisionConfig};
use crate::nn::weights::Weights;

/// Upper bounds: no model exceeds them, and larger sizes would allocate what no file could fill.
const MAX_HIDDEN_SIZE: usize = 16_384;
const MAX_INTERMEDIATE_SIZE: usize = 65_536;
const MAX_LAYERS: usize = 256;
const MAX_VOCAB_SIZE: usize = 4_000_000;
const MAX_POSITIONS: usize = 8_192;

/// The model family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Causal text tower, a class token in the image tower, projections.
    Clip,
    /// Texts padded to a fixed length, attention pooling in the image tower.
    Siglip,
}

/// The sizes of the model.
#[derive(Debug, Clone)]
pub(super) struct ModelConfig {
    pub(super) family: Family,
    pub(super) text: TextConfig,
    pub(super) vision: VisionConfig,
    /// The dimensions of the vectors; `projection_size` in SigLIP.
    pub(super) projection_dim: usize,
}

/// The sizes of the text half.
#[derive(Debug, Clone)]
pub(super) struct TextConfig {
    pub(super) encoder: EncoderConfig,
    pub(super) vocab_size: usize,
    /// The maximum number of tokens in a text.
    pub(super) max_position_embeddings: usize,
    /// The token whose output represents the text (CLIP).
    pub(super) eos_token_id: u64,
    /// The padding token of short texts, if no other file names it (SigLIP).
    pub(super) pad_token_id: u64,
}

/// Checks that the weights have the sizes of an encoder's layers.
fn check_layers(encoder: &EncoderConfig, config: &Config<'_>, weights: &Weights) -> Result<()> {
    let up = format!("encoder.layers.0.{}.weight", LAYER.up);
    weights.check_size(config, "intermediate_size", encoder.intermediate_size, &up, 0)?;
    weights.check_layers(config, "num_hidden_layers", encoder.num_hidden_layers, "encoder.layers")
}

fn check_text(text: &TextConfig, config: &Config<'_>, weights: &Weights) -> Result<()> {
    let tokens = "embeddings.token_embedding.weight";
    weights.check_size(config, "hidden_size", text.encoder.hidden_size, tokens, 1)?;
    weights.check_size(config, "vocab_size", text.vocab_size, tokens, 0)?;
    let positions = "embeddings.position_embedding.weight";
    weights.check_size(config, "max_position_embeddings", text.max_position_embeddings, positions, 0)?;
    check_layers(&text.encoder, config, weights)
}

fn check_vision(vision: &VisionConfig, config: &Config<'_>, weights: &Weights) -> Result<()> {
    let patches = "embeddings.patch_embedding.weight";
    weights.check_size(config, "hidden_size", vision.encoder.hidden_size, patches, 0)?;
    weights.check_size(config, "patch_size", vision.patch_size, patches, 2)?;
    check_layers(&vision.encoder, config, weights)
}

/// The defaults of transformers for a tower.
struct TowerDefaults {
    hidden_size: usize,
    intermediate_size: usize,
    num_attention_heads: usize,
    hidden_act: &'static str,
    layer_norm_eps: f64,
}

const CLIP_TEXT: TowerDefaults = TowerDefaults {
    hidden_size: 512,
    intermediate_size: 2048,
    num_attention_heads: 8,
    hidden_act: "quick_gelu",
    layer_norm_eps: 1e-5,
};
const CLIP_VISION: TowerDefaults =
    TowerDefaults { hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12, ..CLIP_TEXT };
const SIGLIP: TowerDefaults = TowerDefaults { hidden_act: "gelu_pytorch_tanh", layer_norm_eps: 1e-6, ..CLIP_VISION };

impl ModelConfig {
    /// Reads `config.json` in `folder`, and checks that the weights next to it have its sizes.
    pub(super) fn read(folder: &Path) -> Result<(Self, Weights)> {
        let path = &folder.join("config.json");
        let json = read_json(path)?;
        let family = match json.get("model_type").and_then(Value::as_str) {
            Some("clip") => Family::Clip,
            Some("siglip") => Family::Siglip,
            other => return Err(unknown_architecture(path, other)),
        };
        let config = Config::new(&json, path);
        // If both names are present, the older one wins, as in transformers.
        let part = |name: &str| match json.get(format!("{name}_dict")) {
            Some(Value::Object(_)) => config.part(&format!("{name}_dict")),
            _ => config.part(name),
        };
        let (text_part, vision_part) = (part("text_config"), part("vision_config"));
        let text = text(&text_part, family)?;
        let vision = vision(&vision_part, family)?;
        let projection_dim = match family {
            Family::Clip => config.size("projection_dim", Some(512), MAX_HIDDEN_SIZE)?,
            Family::Siglip => text_part.size("projection_size", Some(text.encoder.hidden_size), MAX_HIDDEN_SIZE)?,
        };
        if family == Family::Siglip && projection_dim != vision.encoder.hidden_size {
            let image_dim = vision.encoder.hidden_size;
            let widths = format!("text vectors have {projection_dim} dimensions, but image vectors have {image_dim}");
            return Err(model_error(path, &widths));
        }
        let weights = Weights::open(folder)?;
        check_text(&text, &text_part, &weights.pp("text_model"))?;
        check_vision(&vision, &vision_part, &weights.pp("vision_model"))?;
        match family {
            Family::Clip => {
                weights.check_size(&config, "projection_dim", projection_dim, "text_projection.weight", 0)?
            }
            Family::Siglip => {
                weights.check_size(&text_part, "projection_size", projection_dim, "text_model.head.weight", 0)?
            }
        }
        Ok((ModelConfig { family, text, vision, projection_dim }, weights))
    }
}

fn unknown_architecture(path: &Path, model_type: Option<&str>) -> crate::error::Error {
    let what = match model_type {
        Some(name) => format!("its architecture is `{name}`, but only `clip` and `siglip` embed texts and images"),
        None => "its architecture is unknown: there is no `model_type`".to_owned(),
    };
    let error = model_error(path, &what);
    match model_type {
        Some("bert" | "roberta" | "xlm-roberta" | "distilbert" | "mpnet" | "modernbert" | "nomic_bert") => error
            .with_hint(
                Hint::new("This is a text-only model: load it with SentenceTransformer.")
                    .on_command_line("This is a text-only model: omit --images, or use --cluster-on text."),
            ),
        _ => error,
    }
}

fn text(config: &Config<'_>, family: Family) -> Result<TextConfig> {
    let (defaults, vocab_size, positions, causal) = match family {
        Family::Clip => (CLIP_TEXT, 49_408, 77, true),
        // Texts are padded, and read in both directions.
        Family::Siglip => (SIGLIP, 32_000, 64, false),
    };
    Ok(TextConfig {
        encoder: encoder(config, &defaults, causal)?,
        vocab_size: config.size("vocab_size", Some(vocab_size), MAX_VOCAB_SIZE)?,
        max_position_embeddings: config.size("max_position_embeddings", Some(positions), MAX_POSITIONS)?,
        eos_token_id: config.integer("eos_token_id")?.unwrap_or(49_407),
        pad_token_id: config.integer("pad_token_id")?.unwrap_or(1),
    })
}

fn vision(config: &Config<'_>, family: Family) -> Result<VisionConfig> {
    let (defaults, patch_size) = match family {
        Family::Clip => (CLIP_VISION, 32),
        Family::Siglip => (SIGLIP, 16),
    };
    let image_size = config.size("image_size", Some(224), MAX_IMAGE_SIZE)?;
    let patch_size = config.size("patch_size", Some(patch_size), image_size)?;
    if (image_size / patch_size).pow(2) > MAX_PATCHES {
        let must = format!("so large that images of {image_size} pixels have at most {MAX_PATCHES} patches");
        return Err(config.invalid("patch_size", &must));
    }
    if config.size("num_channels", Some(3), 1024)? != 3 {
        return Err(model_error(config.path(), "its images do not have three channels"));
    }
    if !config.flag("vision_use_head", true) {
        return Err(model_error(config.path(), "it has no head that pools an image into one vector"));
    }
    Ok(VisionConfig { encoder: encoder(config, &defaults, false)?, image_size, patch_size })
}

fn encoder(config: &Config<'_>, defaults: &TowerDefaults, causal: bool) -> Result<EncoderConfig> {
    let hidden_size = config.size("hidden_size", Some(defaults.hidden_size), MAX_HIDDEN_SIZE)?;
    let heads = config.size("num_attention_heads", Some(defaults.num_attention_heads), hidden_size)?;
    if !hidden_size.is_multiple_of(heads) {
        let must = format!("a divisor of `hidden_size`, which is {hidden_size}");
        return Err(config.invalid("num_attention_heads", &must));
    }
    let name = config.string("hidden_act").unwrap_or(defaults.hidden_act);
    let hidden_act = Activation::from_name(name)
        .ok_or_else(|| model_error(config.path(), &format!("its activation function `{name}` is not supported")))?;
    Ok(EncoderConfig {
        hidden_size,
        intermediate_size: config.size("intermediate_size", Some(defaults.intermediate_size), MAX_INTERMEDIATE_SIZE)?,
        num_hidden_layers: config.size("num_hidden_layers", Some(12), MAX_LAYERS)?,
        num_attention_heads: heads,
        hidden_act,
        layer_norm_eps: config.epsilon("layer_norm_eps", defaults.layer_norm_eps)?,
        norm_placement: NormPlacement::Pre,
        causal,
        qkv_bias: true,
        relative_bias: None,
    })
}
