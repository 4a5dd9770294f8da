//! A tokenizer from a `tokenizer.json`, used as Model2Vec uses it.

use serde::Deserialize;
use serde_json::Value;
use tokenizers::{PostProcessorWrapper, Tokenizer};

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::guard::caught;
use crate::nn::text_tokenizer::parse_tokenizer;

/// A tokenizer without padding and special tokens that truncates to `max_length` tokens and drops unknown tokens.
pub(super) struct FolderTokenizer {
    tokenizer: Tokenizer,
    tokens: usize,
    unknown: Option<u32>,
    max_length: Option<usize>,
    /// Texts are first truncated to this many characters.
    max_chars: usize,
}

impl FolderTokenizer {
    /// Parses a `tokenizer.json`; if that fails, returns what is wrong with it, as a clause.
    pub(super) fn parse(file: &[u8], max_length: Option<usize>) -> std::result::Result<Self, String> {
        let description = serde_json::from_slice::<Description>(file);
        if let Some(cause) = description.as_ref().err().filter(|cause| !cause.is_data()) {
            return Err(format!("it is not JSON: {cause}"));
        }
        let mut tokenizer = parse_tokenizer(file)?;
        let description = description.map_err(|cause| format!("it does not describe a tokenizer: {cause}"))?;
        tokenizer.with_post_processor(None::<PostProcessorWrapper>);

        let vocabulary = tokenizer.get_vocab(true);
        let tokens = vocabulary.len();
        match vocabulary.values().max() {
            None => return Err("its vocabulary is empty".to_owned()),
            Some(&last) if last as usize >= tokens => {
                return Err(format!("it has {tokens} tokens, but their ids go up to {last}"));
            }
            Some(_) => {}
        }
        let max_chars = match max_length {
            Some(length) => length.saturating_mul(median_chars(vocabulary.keys())),
            None => usize::MAX,
        };
        let unknown = unknown_token(&description.model, &tokenizer);
        Ok(FolderTokenizer { tokenizer, tokens, unknown, max_length, max_chars })
    }

    /// The size of the vocabulary; every id is below it.
    pub(super) fn tokens(&self) -> usize {
        self.tokens
    }

    /// A token as spelled in the vocabulary.
    pub(super) fn token(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// Appends the ids of the known tokens of `text` to `ids`, in order.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<()> {
        let end = text.char_indices().nth(self.max_chars).map_or(text.len(), |(at, _)| at);
        let encoding = caught(|| self.tokenizer.encode_fast(&text[..end], false))
            .map_err(|_| Error::new(ErrorKind::Model, Stage::Embed, "the model's tokenizer fails on a text"))?
            .map_err(tokenizer_failed)?;
        let counted = encoding.get_ids().iter().take(self.max_length.unwrap_or(usize::MAX));
        ids.extend(counted.copied().filter(|&id| Some(id) != self.unknown && (id as usize) < self.tokens));
        Ok(())
    }
}

/// What the file says about unknown tokens.
#[derive(Deserialize)]
struct Description {
    model: ModelDescription,
}

#[derive(Deserialize)]
struct ModelDescription {
    unk_token: Option<Value>,
    unk_id: Option<Value>,
}

/// The id of the unknown token: given by name, or (Unigram) by number.
fn unknown_token(model: &ModelDescription, tokenizer: &Tokenizer) -> Option<u32> {
    match model.unk_token.as_ref().and_then(Value::as_str) {
        Some(name) => tokenizer.token_to_id(name),
        None => model.unk_id.as_ref().and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok()),
    }
}

/// The median token length in characters, rounded down, which Model2Vec uses to convert tokens to characters.
fn median_chars<'a>(tokens: impl Iterator<Item = &'a String>) -> usize {
    let mut lengths: Vec<usize> = tokens.map(|token| token.chars().count()).collect();
    lengths.sort_unstable();
    let middle = lengths.len() / 2;
    match lengths.len() {
        0 => 0,
        even if even % 2 == 0 => (lengths[middle - 1] + lengths[middle]) / 2,
        _ => lengths[middle],
    }
}

/// A failure of the `tokenizers` crate.
pub(super) fn tokenizer_failed(cause: tokenizers::Error) -> Error {
    Error::new(ErrorKind::Internal, Stage::Embed, format!("a text cannot be tokenized: {cause}"))
}
