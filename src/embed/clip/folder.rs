//! Locates the model in a folder: Hugging Face's layout, or one of those of sentence-transformers.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Hint, Result};
use crate::nn::model_folder::{check_folder, model_error, read_json_if_exists, within};

/// The folder that contains `config.json`. sentence-transformers' `modules.json` names it: `0_CLIPModel` in the older
/// layout, the folder itself in the newer one.
pub(super) fn locate(folder: &Path) -> Result<PathBuf> {
    check_folder(folder)?;
    let path = folder.join("modules.json");
    let Some(modules) = read_json_if_exists(&path)? else { return Ok(folder.to_path_buf()) };
    let modules = modules.as_array().ok_or_else(|| model_error(&path, "it is not a list of modules"))?;
    let mut found = None;
    for module in modules {
        let word = |key: &str| module.get(key).and_then(Value::as_str);
        let (Some(kind), Some(path_in_folder)) = (word("type"), word("path")) else {
            return Err(model_error(&path, "a module lacks its type or its path"));
        };
        match (kind.rsplit('.').next(), &found) {
            (Some("CLIPModel" | "Transformer"), None) => found = Some(within(folder, path_in_folder)?),
            // Vectors are normalized to length 1 in any case.
            (Some("Normalize"), Some(_)) => {}
            (name, _) => {
                let what = format!("its module `{}` is not part of CLIP or SigLIP", name.unwrap_or(kind));
                let hint = Hint::new("Load a text-only model with SentenceTransformer.").on_command_line(
                    "--embedder accepts CLIP, SigLIP, and text-only models as saved by sentence-transformers.",
                );
                return Err(model_error(&path, &what).with_hint(hint));
            }
        }
    }
    found.ok_or_else(|| model_error(&path, "it names no model"))
}
