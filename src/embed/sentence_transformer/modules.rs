//! The modules after the encoder: `modules.json` and the modules it lists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde_json::Value;

use super::pooling::Pooling;
use crate::error::{Hint, Result};
use crate::nn::model_folder::{Config, compute_error, model_error, read_json, read_json_if_exists, within};
use crate::nn::transformer::{Activation, LayerNorm, Linear};
use crate::nn::weights::Weights;

/// The maximum number of modules.
const MAX_MODULES: usize = 64;

/// The modules of a model, in order.
pub(super) struct Modules {
    /// The encoder's folder.
    pub(super) transformer: PathBuf,
    pub(super) pooling: Pooling,
    pub(super) after: Vec<Module>,
}

/// An operation on the vector of a text.
pub(super) enum Module {
    Dense { linear: Linear, activation: Activation },
    LayerNorm(LayerNorm),
    Normalize,
}

impl Modules {
    /// Reads `modules.json`; without it, a folder is treated as an encoder with mean pooling, as in
    /// sentence-transformers.
    pub(super) fn load(folder: &Path, device: &Device) -> Result<Self> {
        let path = folder.join("modules.json");
        let Some(json) = read_json_if_exists(&path)? else {
            return Ok(Modules { transformer: folder.to_path_buf(), pooling: Pooling::mean(), after: Vec::new() });
        };
        let listed = json.as_array().ok_or_else(|| model_error(&path, "it is not a list of modules"))?;
        if listed.len() > MAX_MODULES {
            let what = format!("it lists {} modules; the maximum is {MAX_MODULES}", listed.len());
            return Err(model_error(&path, &what));
        }
        let mut with_weights = BTreeSet::new();
        let mut modules = Modules { transformer: PathBuf::new(), pooling: Pooling::mean(), after: Vec::new() };
        for (number, module) in listed.iter().enumerate() {
            let kind = module.get("type").and_then(Value::as_str).unwrap_or_default();
            let name = module.get("path").and_then(Value::as_str).unwrap_or_default();
            let inside = within(folder, name)?;
            if kind.ends_with(".Dense") && !with_weights.insert(inside.clone()) {
                // Its weights would be in memory several times.
                return Err(model_error(&path, &format!("two of its modules are in `{name:.200}`")));
            }
            match (number, kind.rsplit('.').next().unwrap_or_default()) {
                (0, "Transformer") => modules.transformer = inside,
                (0, "CLIPModel") => {
                    return Err(model_error(folder, "this is a CLIP model for images and texts").with_hint(
                        Hint::new("Load it as a MultiModalBackend.")
                            .on_command_line("Pass --embedder the folder of the CLIP model itself."),
                    ));
                }
                (1.., "Pooling") => modules.pooling = Pooling::read(&inside.join("config.json"))?,
                (1.., "Dense") => modules.after.push(dense(&inside, device)?),
                (1.., "LayerNorm") => modules.after.push(layer_norm(&inside, device)?),
                (1.., "Normalize") => modules.after.push(Module::Normalize),
                (1.., "Dropout") => {}
                (_, other) => {
                    let message = format!("its module {number} has the type `{other}`, which is not supported");
                    return Err(model_error(&path, &message)
                        .with_hint("Supported are Transformer (first), Pooling, Dense, LayerNorm and Normalize."));
                }
            }
        }
        match modules.transformer.as_os_str().is_empty() {
            true => Err(model_error(&path, "it lists no modules")),
            false => Ok(modules),
        }
    }
}

impl Module {
    /// From texts x width to texts x width.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Module::Dense { linear, activation } => linear.forward(x, *activation),
            Module::LayerNorm(norm) => norm.forward(x),
            Module::Normalize => {
                let normalized = || x.broadcast_div(&x.sqr()?.sum_keepdim(1)?.sqrt()?.clamp(1e-12, f64::MAX)?);
                normalized().map_err(compute_error)
            }
        }
    }

    /// The width after the module, if it changes the width.
    pub(super) fn outputs(&self) -> Option<usize> {
        match self {
            Module::Dense { linear, .. } => Some(linear.outputs()),
            _ => None,
        }
    }

    /// The width that the module expects, if that matters.
    pub(super) fn inputs(&self) -> Option<usize> {
        match self {
            Module::Dense { linear, .. } => Some(linear.inputs()),
            _ => None,
        }
    }
}

fn dense(folder: &Path, device: &Device) -> Result<Module> {
    let path = folder.join("config.json");
    let json = read_json(&path)?;
    let config = Config::new(&json, &path);
    let (inputs, outputs) = (config.size("in_features", None, 1 << 16)?, config.size("out_features", None, 1 << 16)?);
    let name = config.string("activation_function").unwrap_or("torch.nn.modules.activation.Tanh");
    let name = name.rsplit('.').next().unwrap_or_default().to_lowercase();
    let activation = Activation::from_name(&name)
        .ok_or_else(|| model_error(&path, &format!("the activation `{name}` is not supported")))?;
    let weights = Weights::open(folder)?.pp("linear");
    weights.check_size(&config, "in_features", inputs, "weight", 1)?;
    weights.check_size(&config, "out_features", outputs, "weight", 0)?;
    let linear = Linear::load(&weights, inputs, outputs, config.flag("bias", true), device)?;
    Ok(Module::Dense { linear, activation })
}

fn layer_norm(folder: &Path, device: &Device) -> Result<Module> {
    let path = folder.join("config.json");
    let json = read_json(&path)?;
    let config = Config::new(&json, &path);
    let width = config.size("dimension", None, 1 << 16)?;
    let weights = Weights::open(folder)?.pp("norm");
    weights.check_size(&config, "dimension", width, "weight", 0)?;
    Ok(Module::LayerNorm(LayerNorm::load(&weights, width, 1e-5, device)?))
}
