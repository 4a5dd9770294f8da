//! Limits on what a `tokenizer.json` may do.
//!
//! A tokenizer is a list of steps, and forty steps that each double a text turn one character into a terabyte. So the
//! growth that its steps could cause is estimated before it is built (while it is built, added tokens already pass
//! through its normalizers); then it is tried on texts on which its patterns might be slow.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokenizers::{PostProcessor, Tokenizer};

mod trial;
mod values;
mod vocabulary;

pub(crate) use trial::Trial;
use vocabulary::{Merges, Vocabulary};

/// What is wrong, as a clause.
type Checked<T> = std::result::Result<T, String>;

/// The maximum factor by which the steps may lengthen a text, if each of them found everything it looks for. XLM-R's
/// reach about 80, ALBERT's 3,400.
const MAX_GROWTH: f64 = 10_000.0;

/// The maximum number of copies of a text in the result.
const MAX_COPIES: usize = 4;

/// The maximum number of tokens added around a text.
const MAX_SPECIAL_TOKENS: usize = 256;

/// The maximum number of steps, including those within sequences, and the maximum nesting depth of sequences.
const MAX_STEPS: usize = 128;
const MAX_DEPTH: usize = 8;

/// The maximum number of regular expressions, and the maximum length of one in bytes.
const MAX_PATTERNS: usize = 32;
const MAX_PATTERN_BYTES: usize = 4_096;

/// Limits on added tokens: their number, the bytes of one, and of all.
const MAX_ADDED_TOKENS: usize = 100_000;
const MAX_TOKEN_BYTES: usize = 1_024;
const MAX_ADDED_TOKENS_BYTES: usize = 2 << 20;

/// The longest word that WordPiece processes; its work is cubic in the word length. Models have 100.
const MAX_WORD_CHARS: u64 = 256;

/// The maximum length in bytes of the affix that BPE and WordPiece add to each piece of a word.
const MAX_AFFIX_BYTES: usize = 64;

/// The number of characters from a tokenizer's patterns that it is tried on.
const MAX_TRIED_CHARACTERS: usize = 48;

/// The contents of the file, without token ids.
#[derive(Deserialize)]
struct Description {
    added_tokens: Option<Vec<AddedToken>>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    decoder: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
}

#[derive(Deserialize)]
struct Model {
    vocab: Option<Vocabulary>,
    merges: Option<Merges>,
    max_input_chars_per_word: Option<u64>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
}

/// Estimates what the tokenizer described by `file` could do.
pub(crate) fn check_description(file: &[u8]) -> Checked<Trial> {
    values::check(file)?;
    let description: Description =
        serde_json::from_slice(file).map_err(|cause| format!("it does not describe a valid tokenizer: {cause}"))?;
    check_added(description.added_tokens.as_deref().unwrap_or_default())?;
    check_model(&description.model)?;
    let mut steps = Steps::new();
    steps.walk(description.normalizer.as_ref(), 0)?;
    steps.walk(description.pre_tokenizer.as_ref(), 0)?;
    steps.check_growth("normalizer` and `pre_tokenizer")?;
    let mut decoding = Steps::new();
    decoding.walk(description.decoder.as_ref(), 0)?;
    decoding.check_growth("decoder")?;
    let mut processed = PostProcessed { copies: 1, tokens: 0 };
    processed.walk(description.post_processor.as_ref(), 0)?;
    Ok(Trial::new(steps.characters, steps.patterns > 0))
}

fn check_added(added: &[AddedToken]) -> Checked<()> {
    let bytes: usize = added.iter().map(|token| token.content.len()).sum();
    let longest = added.iter().map(|token| token.content.len()).max().unwrap_or(0);
    if added.len() > MAX_ADDED_TOKENS || bytes > MAX_ADDED_TOKENS_BYTES {
        let (most, most_bytes) = (MAX_ADDED_TOKENS, MAX_ADDED_TOKENS_BYTES);
        return Err(format!(
            "its `added_tokens` has {} entries of {bytes} bytes; the maximum is {most} of {most_bytes}",
            added.len()
        ));
    }
    match longest > MAX_TOKEN_BYTES {
        true => Err(format!("one of its `added_tokens` has {longest} bytes; the maximum is {MAX_TOKEN_BYTES}")),
        false => Ok(()),
    }
}

fn check_model(model: &Model) -> Checked<()> {
    if let Some(length) = model.max_input_chars_per_word.filter(|length| *length > MAX_WORD_CHARS) {
        return Err(format!("its `model.max_input_chars_per_word` is {length}; the maximum is {MAX_WORD_CHARS}"));
    }
    for (key, affix) in [
        ("continuing_subword_prefix", &model.continuing_subword_prefix),
        ("end_of_word_suffix", &model.end_of_word_suffix),
    ] {
        if let Some(affix) = affix.as_ref().filter(|affix| affix.len() > MAX_AFFIX_BYTES) {
            return Err(format!("its `model.{key}` has {} bytes; the maximum is {MAX_AFFIX_BYTES}", affix.len()));
        }
    }
    model.merges.as_ref().map_or(Ok(()), Merges::check)?;
    model.vocab.as_ref().map_or(Ok(()), Vocabulary::check)
}

/// The steps of a normalizer, a pre-tokenizer or a decoder. They are recognized by their fields rather than by their
/// type, which may be missing.
struct Steps {
    count: usize,
    patterns: usize,
    growth: f64,
    /// Growth by Unicode normalization forms: text that one of them has lengthened is left unchanged by the next.
    forms: f64,
    characters: BTreeSet<char>,
}

impl Steps {
    fn new() -> Self {
        Steps { count: 0, patterns: 0, growth: 1.0, forms: 1.0, characters: BTreeSet::new() }
    }

    fn walk(&mut self, value: Option<&Value>, depth: usize) -> Checked<()> {
        match value {
            Some(Value::Array(steps)) => steps.iter().try_for_each(|step| self.walk(Some(step), depth)),
            Some(Value::Object(step)) => {
                self.count += 1;
                if self.count > MAX_STEPS || depth > MAX_DEPTH {
                    return Err(format!("it has more than {MAX_STEPS} steps, or {MAX_DEPTH} nested sequences"));
                }
                self.step(step)?;
                let mut inner = step.iter().filter(|(key, _)| *key != "pattern").map(|(_, value)| value);
                inner.try_for_each(|value| self.walk(Some(value), depth + 1))
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, step: &Map<String, Value>) -> Checked<()> {
        let text = |key: &str| step.get(key).and_then(Value::as_str);
        if let Some(pattern) = step.get("pattern") {
            let (least, added) = self.pattern(pattern)?;
            // An empty match is possible between any two characters.
            let content = text("content").map_or(0, str::len) as f64;
            self.growth *= (content / least.max(1) as f64 + added).max(1.0);
        }
        if let Some(prepended) = text("prepend") {
            self.growth *= 1.0 + prepended.len() as f64;
        }
        if let Some(replacement) = text("replacement") {
            self.growth *= 1.0 + 2.0 * replacement.len() as f64;
        }
        if let Some(map) = text("precompiled_charsmap") {
            self.growth *= (longest_replacement(map)? as f64 / 3.0).max(1.0);
        }
        if text("suffix") == Some("") || text("word_delimiter_token") == Some("") {
            self.growth *= 2.0;
        }
        match text("type").unwrap_or_default() {
            "NFKC" | "NFKD" => self.forms = self.forms.max(22.0),
            "NFC" | "NFD" | "Lowercase" | "Nmt" => self.forms = self.forms.max(6.0),
            "ByteLevel" | "Bert" | "BertNormalizer" => self.growth *= 2.0,
            _ => {}
        }
        Ok(())
    }

    /// The minimum number of bytes that a pattern matches, and what to add if that is zero.
    fn pattern(&mut self, pattern: &Value) -> Checked<(usize, f64)> {
        let (text, found) = match (pattern.get("String"), pattern.get("Regex")) {
            (Some(Value::String(text)), _) => (text, (text.len(), if text.is_empty() { 1.0 } else { 0.0 })),
            (_, Some(Value::String(text))) => {
                self.patterns += 1;
                (text, (1, 1.0))
            }
            _ => return Ok((1, 1.0)),
        };
        if self.patterns > MAX_PATTERNS {
            return Err(format!("it has more than {MAX_PATTERNS} regular expressions"));
        }
        if text.len() > MAX_PATTERN_BYTES {
            return Err(format!("one of its patterns has {} bytes; the maximum is {MAX_PATTERN_BYTES}", text.len()));
        }
        let remaining = MAX_TRIED_CHARACTERS.saturating_sub(self.characters.len());
        self.characters.extend(text.chars().take(remaining));
        Ok(found)
    }

    fn check_growth(&self, part: &str) -> Checked<()> {
        let growth = self.growth * self.forms;
        match growth > MAX_GROWTH {
            true => Err(format!(
                "the steps of its `{part}` could make a text {growth:.0} times as long; the maximum is {MAX_GROWTH}"
            )),
            false => Ok(()),
        }
    }
}

/// The length in bytes of the longest entry in SentencePiece's replacement table. The entries follow its index, each
/// terminated by a zero byte.
fn longest_replacement(map: &str) -> Checked<usize> {
    let bytes = STANDARD.decode(map).map_err(|_| "its `precompiled_charsmap` is not base64".to_owned())?;
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or("its `precompiled_charsmap` is too short")?;
    let replacements = rest.get(u32::from_le_bytes(*length) as usize..).unwrap_or_default();
    Ok(replacements.split(|byte| *byte == 0).map(<[u8]>::len).max().unwrap_or(0))
}

/// The effect of a post-processor on a text's tokens.
struct PostProcessed {
    copies: usize,
    tokens: usize,
}

impl PostProcessed {
    fn walk(&mut self, value: Option<&Value>, depth: usize) -> Checked<()> {
        let Some(Value::Object(step)) = value else { return Ok(()) };
        if depth > MAX_DEPTH {
            return Err(format!("its `post_processor` has more than {MAX_DEPTH} nested sequences"));
        }
        let pieces = step.get("single").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let copies = pieces.iter().filter(|piece| piece.get("Sequence").is_some()).count();
        self.copies = self.copies.saturating_mul(copies.max(1));
        for piece in pieces {
            let Some(name) = piece.get("SpecialToken").and_then(|token| token.get("id")?.as_str()) else { continue };
            let ids = step.get("special_tokens").and_then(|tokens| tokens.get(name)?.get("ids")?.as_array());
            let ids =
                ids.ok_or_else(|| format!("its `post_processor` adds `{name:.100}` around texts without defining it"))?;
            self.tokens += ids.len();
        }
        if self.copies > MAX_COPIES || self.tokens > MAX_SPECIAL_TOKENS {
            let (copies, tokens) = (self.copies, self.tokens);
            return Err(format!(
                "its `post_processor` repeats a text {copies} times with {tokens} tokens around it; the maximum is \
                 {MAX_COPIES} times with {MAX_SPECIAL_TOKENS}"
            ));
        }
        let inner = step.get("processors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if inner.len() > MAX_STEPS {
            return Err(format!("its `post_processor` has more than {MAX_STEPS} steps"));
        }
        inner.iter().try_for_each(|step| self.walk(Some(step), depth + 1))
    }
}

/// The number of tokens that the tokenizer adds to each text.
pub(crate) fn added_tokens(tokenizer: &Tokenizer) -> usize {
    tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false))
}

/// Checks that texts truncated to `length` tokens have room for a token of their own.
pub(crate) fn check_length(tokenizer: &Tokenizer, length: usize) -> Checked<()> {
    let around = added_tokens(tokenizer);
    match around < length {
        true => Ok(()),
        false => Err(format!("it adds {around} tokens around each text, but the model accepts only {length}")),
    }
}
