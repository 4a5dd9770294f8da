//! `config.json` of CLIP (Radford et al. 2021) and SigLIP (Zhai et al. 2023), with transformers' defaults for what it
//! omits.

use std::path::Path;

use serde_json::Value;

use super::text_tower::LAYER;
use crate::error::{Hint, Result};
use crate::nn::model_folder::{Config, model_error, read_json};
use crate::nn::transformer::{Activation, FeedForward, LayerShape, NormPlace};
use crate::nn::weights::Weights;

/// Upper bounds: no model exceeds them, and larger sizes would allocate what no file could fill.
const MAX_WIDTH: usize = 16_384;
const MAX_INNER: usize = 65_536;
const MAX_LAYERS: usize = 256;
const MAX_VOCABULARY: usize = 4_000_000;
const MAX_TEXT: usize = 8_192;
const MAX_IMAGE: usize = 2_048;
const MAX_PATCHES: usize = 16_384;

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
    /// The dimensions of the vectors.
    pub(super) dimensions: usize,
}

#[derive(Debug, Clone)]
pub(super) struct TextConfig {
    pub(super) tower: TowerConfig,
    pub(super) vocabulary: usize,
    /// The maximum number of tokens in a text.
    pub(super) positions: usize,
    /// The token whose output represents the text (CLIP).
    pub(super) end: u64,
    /// The padding token of short texts, if no other file names it (SigLIP).
    pub(super) padding: u64,
}

#[derive(Debug, Clone)]
pub(super) struct VisionConfig {
    pub(super) tower: TowerConfig,
    /// The side length of an image, and of a patch of it, in pixels.
    pub(super) image: usize,
    pub(super) patch: usize,
}

/// The sizes of one tower.
#[derive(Debug, Clone)]
pub(super) struct TowerConfig {
    pub(super) width: usize,
    pub(super) inner: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) activation: Activation,
    pub(super) epsilon: f64,
}

impl TowerConfig {
    pub(super) fn layer(&self, causal: bool) -> LayerShape {
        LayerShape {
            width: self.width,
            heads: self.heads,
            feed_forward: FeedForward { width: self.inner, activation: self.activation },
            epsilon: self.epsilon,
            place: NormPlace::Before,
            causal,
            qkv_bias: true,
            relative_bias: None,
        }
    }
}

impl TowerConfig {
    fn fit(&self, config: &Config<'_>, weights: &Weights) -> Result<()> {
        let up = format!("encoder.layers.0.{}.weight", LAYER.up);
        weights.fit(config, "intermediate_size", self.inner, &up, 0)?;
        weights.fit_layers(config, "num_hidden_layers", self.layers, "encoder.layers")
    }
}

impl TextConfig {
    fn fit(&self, config: &Config<'_>, weights: &Weights) -> Result<()> {
        let tokens = "embeddings.token_embedding.weight";
        weights.fit(config, "hidden_size", self.tower.width, tokens, 1)?;
        weights.fit(config, "vocab_size", self.vocabulary, tokens, 0)?;
        let positions = "embeddings.position_embedding.weight";
        weights.fit(config, "max_position_embeddings", self.positions, positions, 0)?;
        self.tower.fit(config, weights)
    }
}

impl VisionConfig {
    fn fit(&self, config: &Config<'_>, weights: &Weights) -> Result<()> {
        let patches = "embeddings.patch_embedding.weight";
        weights.fit(config, "hidden_size", self.tower.width, patches, 0)?;
        weights.fit(config, "patch_size", self.patch, patches, 2)?;
        self.tower.fit(config, weights)
    }

    /// Patches along one side.
    pub(super) fn grid(&self) -> usize {
        self.image / self.patch
    }
}

/// The defaults of transformers for a tower.
struct TowerDefaults {
    width: usize,
    inner: usize,
    heads: usize,
    activation: &'static str,
    epsilon: f64,
}

const CLIP_TEXT: TowerDefaults =
    TowerDefaults { width: 512, inner: 2048, heads: 8, activation: "quick_gelu", epsilon: 1e-5 };
const CLIP_VISION: TowerDefaults = TowerDefaults { width: 768, inner: 3072, heads: 12, ..CLIP_TEXT };
const SIGLIP: TowerDefaults = TowerDefaults { activation: "gelu_pytorch_tanh", epsilon: 1e-6, ..CLIP_VISION };

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
        let dimensions = match family {
            Family::Clip => config.size("projection_dim", Some(512), MAX_WIDTH)?,
            Family::Siglip => text_part.size("projection_size", Some(text.tower.width), MAX_WIDTH)?,
        };
        if family == Family::Siglip && dimensions != vision.tower.width {
            let widths =
                format!("text vectors have {dimensions} dimensions, but image vectors have {}", vision.tower.width);
            return Err(model_error(path, &widths));
        }
        let weights = Weights::open(folder)?;
        text.fit(&text_part, &weights.pp("text_model"))?;
        vision.fit(&vision_part, &weights.pp("vision_model"))?;
        match family {
            Family::Clip => weights.fit(&config, "projection_dim", dimensions, "text_projection.weight", 0)?,
            Family::Siglip => weights.fit(&text_part, "projection_size", dimensions, "text_model.head.weight", 0)?,
        }
        Ok((ModelConfig { family, text, vision, dimensions }, weights))
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
    let (defaults, vocabulary, positions) = match family {
        Family::Clip => (CLIP_TEXT, 49_408, 77),
        Family::Siglip => (SIGLIP, 32_000, 64),
    };
    Ok(TextConfig {
        tower: tower(config, &defaults)?,
        vocabulary: config.size("vocab_size", Some(vocabulary), MAX_VOCABULARY)?,
        positions: config.size("max_position_embeddings", Some(positions), MAX_TEXT)?,
        end: config.whole("eos_token_id")?.unwrap_or(49_407),
        padding: config.whole("pad_token_id")?.unwrap_or(1),
    })
}

fn vision(config: &Config<'_>, family: Family) -> Result<VisionConfig> {
    let (defaults, patch) = match family {
        Family::Clip => (CLIP_VISION, 32),
        Family::Siglip => (SIGLIP, 16),
    };
    let image = config.size("image_size", Some(224), MAX_IMAGE)?;
    let patch = config.size("patch_size", Some(patch), image)?;
    if (image / patch).pow(2) > MAX_PATCHES {
        let must = format!("so large that images of {image} pixels have at most {MAX_PATCHES} patches");
        return Err(config.wrong("patch_size", &must));
    }
    if config.size("num_channels", Some(3), 1024)? != 3 {
        return Err(model_error(config.path(), "its images do not have three channels"));
    }
    if !config.flag("vision_use_head", true) {
        return Err(model_error(config.path(), "it has no head that pools an image into one vector"));
    }
    Ok(VisionConfig { tower: tower(config, &defaults)?, image, patch })
}

fn tower(config: &Config<'_>, defaults: &TowerDefaults) -> Result<TowerConfig> {
    let width = config.size("hidden_size", Some(defaults.width), MAX_WIDTH)?;
    let heads = config.size("num_attention_heads", Some(defaults.heads), width)?;
    if !width.is_multiple_of(heads) {
        return Err(config.wrong("num_attention_heads", &format!("a divisor of `hidden_size`, which is {width}")));
    }
    let name = config.word("hidden_act").unwrap_or(defaults.activation);
    let activation = Activation::named(name)
        .ok_or_else(|| model_error(config.path(), &format!("its activation function `{name}` is not supported")))?;
    Ok(TowerConfig {
        width,
        inner: config.size("intermediate_size", Some(defaults.inner), MAX_INNER)?,
        layers: config.size("num_hidden_layers", Some(12), MAX_LAYERS)?,
        heads,
        activation,
        epsilon: config.epsilon("layer_norm_eps", defaults.epsilon)?,
    })
}
