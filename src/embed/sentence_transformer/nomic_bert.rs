//! Nomic BERT: BERT with rotary positions and gated feed-forward layers, as in nomic-embed-text.

use candle_core::Device;
use candle_transformers::models::nomic_bert::{Config as CandleConfig, NomicBertModel};

use super::padded::{Model, PaddedEncoder, ROTATION_BASE, Tensors, check_weights, read_sizes, refuse};
use super::sizes::{SIZE_KEYS, Sizes};
use crate::error::Result;
use crate::nn::model_folder::{Config, compute_error, model_error};
use crate::nn::weights::Weights;

/// The size keys of the Hub's models, which come with their own code.
const HUB_SIZE_KEYS: [&str; 6] = ["n_embd", "n_head", "n_inner", "n_layer", "vocab_size", "n_positions"];

/// Variants of the Hub's code that transformers does not have, so there is nothing to compare with.
const UNKNOWN: [&str; 8] = [
    "prenorm",
    "parallel_block",
    "use_rms_norm",
    "causal",
    "rotary_emb_interleaved",
    "qkv_proj_bias",
    "mlp_fc1_bias",
    "mlp_fc2_bias",
];

pub(super) fn load(config: &Config<'_>, weights: &Weights, device: &Device) -> Result<PaddedEncoder> {
    let from_hub = config.has("n_embd");
    let (keys, default_positions) = if from_hub { (HUB_SIZE_KEYS, 8192) } else { (SIZE_KEYS, 2048) };
    let mut sizes = read_sizes(config, keys, default_positions)?;
    check_variant(config)?;
    if config.has("rotary_scaling_factor") {
        // Beyond the trained length, rotations depend on the length of the text; up to it, they do not.
        sizes.max_position_embeddings =
            sizes.max_position_embeddings.min(config.size("max_trained_positions", Some(2048), 1 << 20)?);
    }
    let candle_config = CandleConfig {
        vocab_size: sizes.vocab_size,
        n_embd: sizes.hidden_size,
        n_head: sizes.num_attention_heads,
        n_layer: sizes.num_hidden_layers,
        n_inner: sizes.intermediate_size,
        n_positions: sizes.max_position_embeddings,
        type_vocab_size: config.size("type_vocab_size", Some(2), 1 << 10)?,
        layer_norm_epsilon: config.epsilon("layer_norm_epsilon", config.epsilon("layer_norm_eps", 1e-12)?)?,
        rotary_emb_fraction: 1.0,
        rotary_emb_base: theta(config)?,
        rotary_emb_interleaved: false,
        qkv_proj_bias: false,
        mlp_fc1_bias: false,
        mlp_fc2_bias: false,
        activation_function: "swiglu".to_owned(),
        prenorm: false,
        // Otherwise, candle would look for the tensors a second time, under this name.
        model_type: None,
    };
    let weights = if weights.has_group("nomic_bert") { weights.pp("nomic_bert") } else { weights.clone() };
    let words = "embeddings.word_embeddings.weight";
    check_weights(&sizes, config, &weights, words, ("encoder.layers.0.mlp.fc11.weight", 1), "encoder.layers")?;
    let types = "embeddings.token_type_embeddings.weight";
    weights.check_size(config, "type_vocab_size", candle_config.type_vocab_size, types, 0)?;
    let tensors = tensors(&weights, &sizes, candle_config.type_vocab_size)?.for_candle(device);
    let model = NomicBertModel::load(tensors, &candle_config).map_err(compute_error)?;
    Ok(PaddedEncoder::new(Model::NomicBert(model), sizes, device))
}

fn check_variant(config: &Config<'_>) -> Result<()> {
    refuse(config, &UNKNOWN)?;
    let activation = config.string("activation_function").or(config.string("hidden_act")).unwrap_or("swiglu");
    if !matches!(activation, "swiglu" | "silu") {
        return Err(model_error(config.path(), &format!("Nomic BERT with `{activation}` is not supported")));
    }
    if config.number("rotary_emb_fraction", 1.0, 0.0..=1.0)? != 1.0 {
        return Err(model_error(
            config.path(),
            "rotary positions on part of a head (`rotary_emb_fraction`) are not supported",
        ));
    }
    for key in ["num_experts", "moe_every_n_layers"] {
        if config.integer(key)?.is_some_and(|number| number > 0) {
            return Err(model_error(config.path(), "mixtures of experts are not supported"));
        }
    }
    let kind = config.part("rope_parameters").string("rope_type").unwrap_or("default");
    if kind != "default" || config.has("rope_scaling") {
        return Err(model_error(
            config.path(),
            &format!("rotary positions that are scaled or of type `{kind}` are not supported"),
        ));
    }
    Ok(())
}

/// The rotary base.
fn theta(config: &Config<'_>) -> Result<f64> {
    let older = config.number("rotary_emb_base", 1000.0, ROTATION_BASE)?;
    config.part("rope_parameters").number("rope_theta", older, ROTATION_BASE)
}

fn tensors<'a>(weights: &'a Weights, sizes: &Sizes, types: usize) -> Result<Tensors<'a>> {
    let &Sizes { hidden_size: width, intermediate_size, .. } = sizes;
    let mut tensors = Tensors::of(weights);
    tensors.take("", "embeddings.word_embeddings.weight", &[sizes.vocab_size, width])?;
    tensors.take("", "embeddings.token_type_embeddings.weight", &[types, width])?;
    tensors.take("", "emb_ln.weight", &[width])?;
    tensors.take("", "emb_ln.bias", &[width])?;
    for layer in 0..sizes.num_hidden_layers {
        let mut take = |name: &str, shape: &[usize]| tensors.take("", &format!("encoder.layers.{layer}.{name}"), shape);
        take("attn.Wqkv.weight", &[3 * width, width])?;
        take("attn.out_proj.weight", &[width, width])?;
        take("mlp.fc11.weight", &[intermediate_size, width])?;
        take("mlp.fc12.weight", &[intermediate_size, width])?;
        take("mlp.fc2.weight", &[width, intermediate_size])?;
        for norm in ["norm1", "norm2"] {
            take(&format!("{norm}.weight"), &[width])?;
            take(&format!("{norm}.bias"), &[width])?;
        }
    }
    Ok(tensors)
}
