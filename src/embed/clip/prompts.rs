//! Tokenizes texts in the way that the model was trained on.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tokenizers::{Tokenizer, TruncationParams};

use super::config::{Family, TextConfig};
use crate::error::{Error, Result};
use crate::guard::caught;
use crate::nn::model_folder::{
    MAX_TOKENIZER_BYTES, MAX_VOCABULARY_BYTES, model_error, read_json_if_exists, read_json_of, read_text_file,
};
use crate::nn::text_tokenizer::{MAX_BYTES_PER_TOKEN, parse_tokenizer, truncated};
use crate::nn::tokenizer_bounds::check_length;

/// The `eos_token_id` of models that were saved before it was fixed: the token with the highest id ends a text.
const WRONG_EOS: u64 = 2;

/// Tokenizes texts.
pub(super) struct PromptTokenizer {
    tokenizer: Tokenizer,
    /// The file, for error messages.
    path: PathBuf,
    length: usize,
    vocab_size: usize,
    form: PromptForm,
}

enum PromptForm {
    /// Ends with this token, or with the one that has the highest id.
    Ends(Option<u32>),
    /// Is padded with this token.
    Padded(u32),
}

/// A text's tokens, and the position of the one whose output represents the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prompt {
    pub(super) ids: Vec<u32>,
    pub(super) pooled: usize,
}

impl PromptTokenizer {
    /// Reads `tokenizer.json`, or the `vocab.json` and `merges.txt` of older CLIP folders.
    pub(super) fn load(folder: &Path, config: &TextConfig, family: Family) -> Result<Self> {
        let settings = Settings::read(folder)?;
        let mut path = folder.join("tokenizer.json");
        let bytes = if path.exists() || family == Family::Siglip {
            read_text_file(&path, MAX_TOKENIZER_BYTES).map_err(|error| match folder.join("spiece.model").exists() {
                true => error.with_hint(
                    "spiece.model is not supported: load the tokenizer with transformers and save it again.",
                ),
                false => error,
            })?
        } else {
            path = folder.join("vocab.json");
            clip_tokenizer(&path, &folder.join("merges.txt"), &settings)?
        };
        let length =
            settings.length.map_or(config.max_position_embeddings, |length| length.min(config.max_position_embeddings));
        let tokenizer = build(&bytes, length).map_err(|why| model_error(&path, &why))?;
        let form = match family {
            Family::Clip if config.eos_token_id == WRONG_EOS => PromptForm::Ends(None),
            Family::Clip => PromptForm::Ends(u32::try_from(config.eos_token_id).ok()),
            Family::Siglip => {
                let named = settings.token("pad_token").and_then(|name| tokenizer.token_to_id(&name));
                let padding = named.map_or(config.pad_token_id, u64::from);
                let inside = u32::try_from(padding).ok().filter(|id| (*id as usize) < config.vocab_size);
                PromptForm::Padded(inside.ok_or_else(|| model_error(&path, "unknown padding token"))?)
            }
        };
        let prompts = PromptTokenizer { tokenizer, path, length, vocab_size: config.vocab_size, form };
        prompts.check_end()?;
        Ok(prompts)
    }

    /// A text must end with the token whose output represents it; otherwise, all texts would have the same vector.
    fn check_end(&self) -> Result<()> {
        let PromptForm::Ends(Some(end)) = self.form else { return Ok(()) };
        match self.ids("a")?.0.contains(&end) {
            true => Ok(()),
            false => {
                let what = format!("it does not end texts with the token {end}, which config.json names");
                Err(model_error(&self.path, &what))
            }
        }
    }

    /// The tokens of a text, truncated to the model's maximum. `None` for a text without any.
    pub(super) fn encode(&self, text: &str) -> Result<Option<Prompt>> {
        let (mut ids, known) = self.ids(text)?;
        if !known {
            return Ok(None);
        }
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.vocab_size) {
            let what = format!("it has a token {id}, but the model's vocabulary has {}", self.vocab_size);
            return Err(model_error(&self.path, &what));
        }
        let first = |wanted: u32| ids.iter().position(|id| *id == wanted);
        let pooled = match self.form {
            PromptForm::Ends(Some(end)) => first(end),
            PromptForm::Ends(None) => ids.iter().max().and_then(|highest| first(*highest)),
            PromptForm::Padded(padding) => {
                ids.resize(self.length, padding);
                None
            }
        };
        let pooled = pooled.unwrap_or(ids.len().saturating_sub(1));
        Ok(Some(Prompt { ids, pooled }))
    }

    /// The tokens of a text, and whether any of them belongs to the text itself.
    fn ids(&self, text: &str) -> Result<(Vec<u32>, bool)> {
        let text = truncated(text, self.length.saturating_mul(MAX_BYTES_PER_TOKEN));
        let failed = |error: Error| error.with_hint("Save the tokenizer again with transformers.");
        let encoding = caught(|| self.tokenizer.encode_fast(text, true))
            .map_err(|_| failed(model_error(&self.path, "it fails on a text")))?
            .map_err(|cause| failed(model_error(&self.path, &format!("it fails on a text: {cause}"))))?;
        let known = encoding.get_special_tokens_mask().contains(&0);
        Ok((encoding.get_ids().to_vec(), known))
    }
}

/// A tokenizer that truncates to `length` tokens, including those at the ends.
fn build(bytes: &[u8], length: usize) -> std::result::Result<Tokenizer, String> {
    let mut tokenizer = parse_tokenizer(bytes)?;
    check_length(&tokenizer, length)?;
    let truncation = TruncationParams { max_length: length, ..TruncationParams::default() };
    tokenizer
        .with_truncation(Some(truncation))
        .map_err(|cause| format!("texts cannot be truncated to {length} tokens: {cause}"))?;
    Ok(tokenizer)
}

/// The files next to the tokenizer.
struct Settings {
    files: Vec<Map<String, Value>>,
    length: Option<usize>,
}

impl Settings {
    fn read(folder: &Path) -> Result<Self> {
        let mut files = Vec::new();
        for name in ["tokenizer_config.json", "special_tokens_map.json"] {
            if let Some(Value::Object(file)) = read_json_if_exists(&folder.join(name))? {
                files.push(file);
            }
        }
        let length = files.iter().find_map(|file| file.get("model_max_length")?.as_u64());
        // A few tokens are the ends; transformers writes a huge number if there is no limit.
        let length = length.and_then(|length| usize::try_from(length).ok()).filter(|length| *length >= 4);
        Ok(Settings { files, length })
    }

    /// The text of a special token, by its role.
    fn token(&self, role: &str) -> Option<String> {
        self.files.iter().find_map(|file| match file.get(role)? {
            Value::String(text) => Some(text.clone()),
            token => token.get("content")?.as_str().map(str::to_owned),
        })
    }
}

/// CLIP's tokenizer from its vocabulary and merges, in the form of a `tokenizer.json`.
fn clip_tokenizer(vocabulary: &Path, merges: &Path, settings: &Settings) -> Result<Vec<u8>> {
    const PIECES: &str = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    let missing = |error: Error| error.with_hint("The folder needs tokenizer.json, or vocab.json and merges.txt.");
    let words = read_json_of(vocabulary, MAX_VOCABULARY_BYTES).map_err(missing)?;
    let rules = read_text_file(merges, MAX_VOCABULARY_BYTES).map_err(missing)?;
    let rules = String::from_utf8(rules).map_err(|_| model_error(merges, "it is not text"))?;
    let rules: Vec<&str> = rules.lines().filter(|line| !line.starts_with("#version") && !line.is_empty()).collect();
    let role = |role: &str, default: &str| -> Result<(String, u64)> {
        let name = settings.token(role).unwrap_or_else(|| default.to_owned());
        let id = words.get(&name).and_then(Value::as_u64);
        let id = id.ok_or_else(|| model_error(vocabulary, &format!("it lacks the token `{name}`")))?;
        Ok((name, id))
    };
    let (start, end) = (role("bos_token", "<|startoftext|>")?, role("eos_token", "<|endoftext|>")?);
    let unknown = role("unk_token", "<|endoftext|>")?;
    let mut special = vec![&start, &end, &unknown];
    special.sort_by_key(|(_, id)| *id);
    special.dedup();
    let special: Vec<Value> = special
        .iter()
        .map(|(content, id)| {
            json!({
                "id": id, "content": content, "special": true,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            })
        })
        .collect();
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": special,
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "NFC" },
            { "type": "Replace", "pattern": { "Regex": r"\s+" }, "content": " " },
            { "type": "Lowercase" },
        ] },
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
            { "type": "Split", "pattern": { "Regex": PIECES }, "behavior": "Removed", "invert": true },
            { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
        ] },
        "post_processor": {
            "type": "RobertaProcessing", "trim_offsets": false, "add_prefix_space": false,
            "sep": end, "cls": start,
        },
        "model": {
            "type": "BPE", "vocab": words, "merges": rules, "unk_token": unknown.0, "dropout": null,
            "continuing_subword_prefix": "", "end_of_word_suffix": "</w>", "fuse_unk": false,
        },
    });
    serde_json::to_vec(&tokenizer).map_err(|cause| model_error(vocabulary, "it cannot be used").with_cause(cause))
}
