//! ModernBERT: rotary positions, and layers with attention limited to a window of the text.

use candle_core::Device;
use candle_transformers::models::modernbert::{Config as CandleConfig, ModernBert};

use super::padded::{Model, PaddedEncoder, ROTATION_BASE, Tensors, check_weights, read_sizes, refuse};
use super::sizes::{SIZE_KEYS, Sizes};
use crate::error::Result;
use crate::nn::model_folder::{Config, compute_error, model_error};
use crate::nn::weights::Weights;

/// A layer with attention to the whole text.
const GLOBAL: &str = "full_attention";

/// A layer in which a token attends only to nearby ones.
const LOCAL: &str = "sliding_attention";

/// The prefix of all tensor names in candle, and in the files of models with a head.
const PREFIX: &str = "model.";

pub(super) fn load(config: &Config<'_>, weights: &Weights, device: &Device) -> Result<PaddedEncoder> {
    let sizes = read_sizes(config, SIZE_KEYS, 8192)?;
    let candle_config = candle_config(config, &sizes)?;
    let weights = if weights.has_group("model") { weights.pp("model") } else { weights.clone() };
    check_weights(
        &sizes,
        config,
        &weights,
        "embeddings.tok_embeddings.weight",
        ("layers.0.mlp.Wi.weight", 2),
        "layers",
    )?;
    let tensors = tensors(&weights, &sizes)?.for_candle(device);
    let model = ModernBert::load(tensors, &candle_config).map_err(compute_error)?;
    Ok(PaddedEncoder::new(Model::ModernBert(model), sizes, device))
}

fn candle_config(config: &Config<'_>, sizes: &Sizes) -> Result<CandleConfig> {
    refuse(config, &["norm_bias", "attention_bias", "mlp_bias"])?;
    let activation = config.string("hidden_activation").unwrap_or("gelu");
    if activation != "gelu" {
        return Err(model_error(config.path(), &format!("ModernBERT with `{activation}` is not supported")));
    }
    if config.has("rope_scaling") {
        return Err(model_error(config.path(), "scaled rotary positions (`rope_scaling`) are not supported"));
    }
    Ok(CandleConfig {
        vocab_size: sizes.vocab_size,
        hidden_size: sizes.hidden_size,
        num_hidden_layers: sizes.num_hidden_layers,
        num_attention_heads: sizes.num_attention_heads,
        intermediate_size: sizes.intermediate_size,
        max_position_embeddings: sizes.max_position_embeddings,
        layer_norm_eps: config.epsilon("norm_eps", 1e-5)?,
        pad_token_id: 0,
        global_attn_every_n_layers: global_every(config, sizes.num_hidden_layers)?,
        global_rope_theta: theta(config, GLOBAL, "global_rope_theta", 160_000.0)?,
        local_attention: config.size("local_attention", Some(128), 1 << 20)?,
        local_rope_theta: theta(config, LOCAL, "local_rope_theta", 10_000.0)?,
        classifier_config: None,
    })
}

/// The rotary base for one kind of layer: transformers 5 writes it under `rope_parameters`, 4 under a separate key.
fn theta(config: &Config<'_>, kind: &str, old_key: &str, default: f64) -> Result<f64> {
    let rope = config.part("rope_parameters").part(kind);
    if let Some(kind) = rope.string("rope_type").filter(|kind| *kind != "default") {
        return Err(model_error(config.path(), &format!("rotary positions of type `{kind}` are not supported")));
    }
    let older = config.number(old_key, default, ROTATION_BASE)?;
    rope.number("rope_theta", older, ROTATION_BASE)
}

/// The interval between layers with attention to the whole text, which the first layer has. transformers 5 lists the
/// kinds of all layers, 4 stores the interval.
fn global_every(config: &Config<'_>, layers: usize) -> Result<usize> {
    if !config.has("layer_types") {
        return config.size("global_attn_every_n_layers", Some(3), 1 << 10);
    }
    let kinds = config.strings("layer_types").unwrap_or_default();
    let every = kinds.iter().skip(1).position(|kind| *kind == GLOBAL).map_or(layers, |at| at + 1);
    let expected = (0..layers).map(|layer| if layer % every == 0 { GLOBAL } else { LOCAL });
    match kinds.iter().copied().eq(expected) {
        true => Ok(every),
        false => {
            let what = "its `layer_types` do not have full_attention at regular intervals from the first layer on";
            Err(model_error(config.path(), what))
        }
    }
}

fn tensors<'a>(weights: &'a Weights, sizes: &Sizes) -> Result<Tensors<'a>> {
    let &Sizes { hidden_size: width, intermediate_size, .. } = sizes;
    let mut tensors = Tensors::of(weights);
    tensors.take(PREFIX, "embeddings.tok_embeddings.weight", &[sizes.vocab_size, width])?;
    tensors.take(PREFIX, "embeddings.norm.weight", &[width])?;
    tensors.take(PREFIX, "final_norm.weight", &[width])?;
    for layer in 0..sizes.num_hidden_layers {
        let mut take = |name: &str, shape: &[usize]| tensors.take(PREFIX, &format!("layers.{layer}.{name}"), shape);
        if layer > 0 {
            take("attn_norm.weight", &[width])?;
        }
        take("attn.Wqkv.weight", &[3 * width, width])?;
        take("attn.Wo.weight", &[width, width])?;
        take("mlp_norm.weight", &[width])?;
        take("mlp.Wi.weight", &[2 * intermediate_size, width])?;
        take("mlp.Wo.weight", &[width, intermediate_size])?;
    }
    Ok(tensors)
}
