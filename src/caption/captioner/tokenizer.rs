//! Decodes tokens to sentences, and encodes prompts as tokens.

use std::path::Path;

use serde_json::{Map, Value, json};
use tokenizers::Tokenizer;

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::guard::caught;
use crate::nn::model_folder::{MAX_TOKENIZER_BYTES, MAX_VOCABULARY_BYTES, model_error, read_text_file};
use crate::nn::text_tokenizer::parse_tokenizer;

/// A captioner's tokenizer.
pub(super) struct CaptionTokenizer(Tokenizer);

impl CaptionTokenizer {
    /// Reads `tokenizer.json`; otherwise GPT-2's `vocab.json` or BERT's `vocab.txt`. In those two, the tokens `special`
    /// are not text.
    pub(super) fn load(folder: &Path, special: &[u32]) -> Result<Self> {
        let [whole, json, text] = ["tokenizer.json", "vocab.json", "vocab.txt"].map(|name| folder.join(name));
        let (path, description) = if !whole.exists() && json.exists() {
            (&json, byte_level(&read_text_file(&json, MAX_VOCABULARY_BYTES)?, special))
        } else if !whole.exists() && text.exists() {
            (&text, word_piece(&read_text_file(&text, MAX_VOCABULARY_BYTES)?, special))
        } else {
            (&whole, Ok(read_text_file(&whole, MAX_TOKENIZER_BYTES)?))
        };
        let built = description.and_then(|description| parse_tokenizer(&description));
        built.map(CaptionTokenizer).map_err(|why| model_error(path, &why))
    }

    /// Decodes tokens to a sentence, without special tokens, with single spaces.
    pub(super) fn decode(&self, tokens: &[u32]) -> Result<String> {
        let text = caught(|| self.0.decode(tokens, true));
        let text = text.map_err(|_| failed("a caption", "it is inconsistent"))?;
        let text = text.map_err(|cause| failed("a caption", &cause.to_string()))?;
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The tokens of a text, without special tokens.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = caught(|| self.0.encode_fast(text, false));
        let encoding = encoding.map_err(|_| failed("the prompt", "it is inconsistent"))?;
        let encoding = encoding.map_err(|cause| failed("the prompt", &cause.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }
}

fn failed(what: &str, why: &str) -> Error {
    Error::new(ErrorKind::Model, Stage::Embed, format!("the captioner's tokenizer fails on {what}: {why}"))
}

/// What is wrong, as a clause.
type Parsed<T> = std::result::Result<T, String>;

/// GPT-2's, for decoding only, which does not need merges.
fn byte_level(bytes: &[u8], special: &[u32]) -> Parsed<Vec<u8>> {
    let vocabulary: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|cause| format!("it is not a vocabulary: {cause}"))?;
    let token =
        |id: u32| vocabulary.iter().find(|(_, other)| other.as_u64() == Some(id.into())).map(|(token, _)| token);
    let description = json!({
        "added_tokens": added(special, |id| token(id).cloned()),
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "vocab": &vocabulary, "merges": []},
    });
    serde_json::to_vec(&description).map_err(|cause| cause.to_string())
}

/// BERT's, lowercased.
fn word_piece(bytes: &[u8], special: &[u32]) -> Parsed<Vec<u8>> {
    let text = std::str::from_utf8(bytes).map_err(|cause| format!("it is not a vocabulary: {cause}"))?;
    let tokens: Vec<&str> = text.lines().collect();
    let vocabulary: Map<String, Value> =
        tokens.iter().zip(0_u32..).map(|(token, id)| ((*token).to_owned(), id.into())).collect();
    let description = json!({
        "added_tokens": added(special, |id| tokens.get(id as usize).map(|token| (*token).to_owned())),
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "vocab": vocabulary, "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100},
    });
    serde_json::to_vec(&description).map_err(|cause| cause.to_string())
}

fn added(special: &[u32], token: impl Fn(u32) -> Option<String>) -> Vec<Value> {
    let mut ids = special.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let known = ids.into_iter().filter_map(|id| Some((id, token(id)?)));
    let describe = |(id, content): (u32, String)| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    };
    known.map(describe).collect()
}
