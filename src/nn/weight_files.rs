//! How the files of weights are called.

use std::collections::BTreeSet;

use serde_json::Value;

pub(crate) const SAFETENSORS: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";
pub(crate) const PICKLED: &str = "pytorch_model.bin";

/// Size limit for an index of weights.
pub(crate) const MAX_INDEX: u64 = 16 << 20;

/// The maximum number of shards.
const MAX_PARTS: usize = 1_000;

/// The files that an index of weights names, each once; or what is wrong with the index, as a predicate.
///
/// They are names without a folder. The caller, who knows where the index comes from, must check that they stay inside
/// the model's folder.
pub(crate) fn parts_of(index: &Value) -> std::result::Result<BTreeSet<&str>, String> {
    let map = index.get("weight_map").and_then(Value::as_object).ok_or("has no `weight_map`")?;
    let names: Option<BTreeSet<&str>> = map.values().map(Value::as_str).collect();
    let names = names.ok_or("has a tensor without a file name in its `weight_map`")?;
    match names.len() {
        1..=MAX_PARTS => Ok(names),
        many => Err(format!("names {many} files in its `weight_map`; 1 to {MAX_PARTS} are allowed")),
    }
}
