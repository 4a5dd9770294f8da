//! Determines which of a model's files are needed, and whether a folder has them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use glob::Pattern;
use serde_json::Value;

use super::name::{is_inside, leads_out};
use super::read::read_limited;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::nn::weight_files::{INDEX, MAX_INDEX, PICKLED, SAFETENSORS, parts_of};

/// The files of a model at one commit, with their sizes where known.
pub(super) type Listing = BTreeMap<String, Option<u64>>;

/// Size limit for a configuration or list of modules.
pub(super) const MAX_CONFIG: u64 = 4 << 20;

/// The maximum number of modules.
const MAX_MODULES: usize = 64;

/// The maximum number of files that a model may need: its shards, and small files.
const MAX_NEEDED: usize = 2000;

/// The maximum number of files that patterns may select.
pub(super) const MAX_MATCHING: usize = 10_000;

/// One module of a sentence transformer, as listed in `modules.json`; a model without that file is a single module.
struct Module {
    /// The folder; empty for the model's own.
    folder: String,
    /// The last part of the Python class name, such as `Pooling`.
    class: String,
}

impl Module {
    fn whole() -> Self {
        Module { folder: String::new(), class: "Transformer".to_owned() }
    }

    fn file(&self, name: &str) -> String {
        if self.folder.is_empty() { name.to_owned() } else { format!("{}/{name}", self.folder) }
    }

    fn has_weights(&self) -> bool {
        !["Pooling", "Normalize", "Dropout", "BoW", "WordWeights"].contains(&self.class.as_str())
    }

    fn has_config(&self) -> bool {
        !["Normalize", "StaticEmbedding"].contains(&self.class.as_str())
    }
}

/// Reads a file of the model, of at most this many bytes.
type Read<'a> = &'a mut dyn FnMut(&str, u64) -> Result<Vec<u8>>;

/// The files needed to load a model: configurations, vocabularies, and the weights in one format.
///
/// # Errors
/// Errors from `read`; an invalid `modules.json` or index; a model without weights in a known format.
pub(super) fn model_files(listing: &Listing, read: Read<'_>) -> Result<Vec<String>> {
    let has = |name: &str| listing.contains_key(name);
    let modules = modules(&has, read)?;
    let mut folders: BTreeSet<&str> = modules.iter().map(|module| module.folder.as_str()).collect();
    folders.insert("");
    let is_text = |name: &str| {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        let is_index = file.ends_with(".index.json");
        folders.contains(folder) && !is_index && (file.ends_with(".json") || file.ends_with(".txt"))
    };
    let mut files: Vec<String> = listing.keys().filter(|name| is_text(name)).cloned().collect();
    let mut found = false;
    for module in &modules {
        let weights = weights(module, &has, read)?;
        found |= !weights.is_empty();
        files.extend(weights);
    }
    if !found {
        let message = format!("the model has no readable weights: neither {SAFETENSORS} nor {PICKLED}");
        return Err(Error::new(ErrorKind::Model, Stage::Embed, message).with_hint(
            "Look for another copy of the model, or save it again with a current version of transformers.",
        ));
    }
    files.sort();
    files.dedup();
    match files.len() > MAX_NEEDED {
        true => {
            let message =
                format!("the model cannot be used: it needs {} files; the maximum is {MAX_NEEDED}", files.len());
            Err(Error::new(ErrorKind::Model, Stage::Embed, message))
        }
        false => Ok(files),
    }
}

/// The files that match one of the patterns.
pub(super) fn matching(listing: &Listing, patterns: &[Pattern]) -> Vec<String> {
    listing.keys().filter(|name| patterns.iter().any(|pattern| pattern.matches(name))).cloned().collect()
}

/// How certain it is that a folder has everything the model needs, judging by its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Everything that a loader can ask for.
    Complete,
    /// Configurations and weights, but something that most models have is missing.
    Uncertain,
    /// Something is missing.
    Incomplete,
}

/// Inspects a folder that another program has filled: Python keeps there only what its user has requested so far.
pub(super) fn standing(folder: &Path) -> Standing {
    inspect(folder).unwrap_or(Standing::Incomplete)
}

fn inspect(folder: &Path) -> Result<Standing> {
    let has = |name: &str| folder.join(name).is_file();
    let mut read = |name: &str, limit: u64| read_limited(&folder.join(name), limit);
    let modules = modules(&has, &mut read)?;
    for module in &modules {
        let weights = weights(module, &has, &mut read)?;
        let lacks_weights = module.has_weights() && weights.is_empty();
        let lacks_config = module.has_config() && !has(&module.file("config.json"));
        if lacks_weights || lacks_config || !weights.iter().all(|file| has(file)) {
            return Ok(Standing::Incomplete);
        }
    }
    let homes: Vec<Module> =
        [Module::whole()].into_iter().chain(modules.into_iter().filter(Module::has_weights)).collect();
    let anywhere = |name: &str| homes.iter().any(|home| has(&home.file(name)));
    let has_tokenizer = anywhere("tokenizer.json") || anywhere("vocab.json") && anywhere("merges.txt");
    let has_preprocessor = anywhere("preprocessor_config.json") || anywhere("processor_config.json");
    let mut sees = false;
    for config in homes.iter().map(|home| home.file("config.json")).filter(|config| has(config)) {
        sees |= mentions_images(&parse(&config, &read(&config, MAX_CONFIG)?)?);
    }
    // Loading a sentence transformer as a bare encoder in Python leaves its pooling on the Hub, and without it the
    // vectors would be different. Python records files that it looked for in vain in `.no_exist`.
    let knows_modules = has("modules.json") || sees || python_missed(folder, "modules.json");
    let complete = has_tokenizer && knows_modules && (has_preprocessor || !sees);
    Ok(if complete { Standing::Complete } else { Standing::Uncertain })
}

fn python_missed(snapshot: &Path, file: &str) -> bool {
    let place = snapshot.parent().and_then(Path::parent).zip(snapshot.file_name());
    place.is_some_and(|(model, commit)| model.join(".no_exist").join(commit).join(file).is_file())
}

fn modules(has: &dyn Fn(&str) -> bool, read: Read<'_>) -> Result<Vec<Module>> {
    const LIST: &str = "modules.json";
    if !has(LIST) {
        return Ok(vec![Module::whole()]);
    }
    let list = parse(LIST, &read(LIST, MAX_CONFIG)?)?;
    let entries = list.as_array().filter(|entries| (1..=MAX_MODULES).contains(&entries.len()));
    let entries = entries.ok_or_else(|| damaged(LIST, "is not a list of modules"))?;
    entries.iter().map(module).collect()
}

fn module(entry: &Value) -> Result<Module> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let (Some(folder), Some(class)) = (text("path"), text("type")) else {
        return Err(damaged("modules.json", "has a module without `path` and `type`"));
    };
    let folder = folder.trim_end_matches('/');
    if !folder.is_empty() && !is_inside(folder) {
        return Err(leads_out(folder, "modules.json"));
    }
    let class = class.rsplit('.').next().unwrap_or_default();
    Ok(Module { folder: folder.to_owned(), class: class.to_owned() })
}

/// The module's weights: one safetensors file, otherwise sharded safetensors with their index, otherwise PyTorch's
/// file.
fn weights(module: &Module, has: &dyn Fn(&str) -> bool, read: Read<'_>) -> Result<Vec<String>> {
    let [whole, index, pickled] = [SAFETENSORS, INDEX, PICKLED].map(|name| module.file(name));
    if has(&whole) {
        return Ok(vec![whole]);
    }
    if has(&index) {
        let mut files = parts(module, &index, read)?;
        files.push(index);
        return Ok(files);
    }
    Ok(if has(&pickled) { vec![pickled] } else { Vec::new() })
}

fn parts(module: &Module, index: &str, read: Read<'_>) -> Result<Vec<String>> {
    let content = parse(index, &read(index, MAX_INDEX)?)?;
    let names = parts_of(&content).map_err(|what| damaged(index, &what))?;
    match names.iter().find(|name| !is_inside(name) || name.contains('/')) {
        Some(name) => Err(leads_out(name, index)),
        None => Ok(names.into_iter().map(|name| module.file(name)).collect()),
    }
}

/// Whether a configuration mentions images at any depth.
fn mentions_images(config: &Value) -> bool {
    match config {
        Value::Object(map) => {
            map.contains_key("vision_config") || map.contains_key("image_size") || map.values().any(mentions_images)
        }
        Value::Array(list) => list.iter().any(mentions_images),
        _ => false,
    }
}

fn parse(file: &str, bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|cause| damaged(file, "is not JSON").with_cause(cause))
}

fn damaged(file: &str, what: &str) -> Error {
    Error::new(ErrorKind::Model, Stage::Embed, format!("the model cannot be used: {file} {what}"))
}
