//! A model's own tokenizer: texts to token ids, truncated to the model's length.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{BertNormalizer, Lowercase, Sequence};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{NormalizerWrapper, Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

use super::model_folder::{
    MAX_TOKENIZER_BYTES, MAX_VOCABULARY_BYTES, model_error, read_json_if_exists, read_text_file,
};
use super::tokenizer_bounds::{added_tokens, check_description, check_length};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::guard::caught;

/// Encodes texts as tokens. Cheap to clone.
#[derive(Clone)]
pub(crate) struct TextTokenizer {
    tokenizer: Arc<Tokenizer>,
    /// The file or folder, for errors.
    path: PathBuf,
    /// The number of bytes of a text that are used.
    max_bytes: usize,
}

/// No token of a sensible text is as long as this many bytes on average: text beyond this many bytes per token is
/// ignored, so that no text takes minutes.
pub(crate) const MAX_BYTES_PER_TOKEN: usize = 1024;

/// This many bytes of a text are used in any case.
const MIN_BYTES: usize = 1 << 18;

/// Lengths in `tokenizer_config.json` from this on are not sensible.
const MAX_CONFIGURED_LENGTH: u64 = 1 << 20;

impl TextTokenizer {
    /// Reads `tokenizer.json`, or builds a BERT tokenizer from `vocab.txt`, in `folder`.
    ///
    /// # Errors
    /// Neither exists, or it is invalid.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        let (tokenizer, path) = match path.exists() {
            true => {
                let file = read_text_file(&path, MAX_TOKENIZER_BYTES)?;
                (parse_tokenizer(&file).map_err(|why| model_error(&path, &why))?, path)
            }
            false => (from_vocabulary(folder)?, folder.to_path_buf()),
        };
        Ok(TextTokenizer { tokenizer: Arc::new(tokenizer), path, max_bytes: usize::MAX })
    }

    /// The length set in `tokenizer_config.json` in `folder`.
    pub(crate) fn configured_length(folder: &Path) -> Result<Option<usize>> {
        let config = read_json_if_exists(&folder.join("tokenizer_config.json"))?.unwrap_or_default();
        let length = config.get("model_max_length").and_then(|length| {
            length
                .as_u64()
                .or_else(|| length.as_f64().map(|length| length as u64))
                .filter(|length| *length < MAX_CONFIGURED_LENGTH)
        });
        Ok(length.map(|length| length as usize))
    }

    /// The minimum length for [`set_length`](Self::set_length): room for one token of the text.
    pub(crate) fn min_length(&self) -> usize {
        added_tokens(&self.tokenizer).saturating_add(1)
    }

    /// Truncates texts to this many tokens, including those that the model adds.
    ///
    /// # Errors
    /// A length that leaves no room for a token of the text.
    pub(crate) fn set_length(&mut self, length: usize) -> Result<()> {
        check_length(&self.tokenizer, length).map_err(|why| model_error(&self.path, &why))?;
        let truncation = TruncationParams {
            max_length: length,
            stride: 0,
            strategy: TruncationStrategy::LongestFirst,
            direction: TruncationDirection::Right,
        };
        self.max_bytes = length.saturating_mul(MAX_BYTES_PER_TOKEN).max(MIN_BYTES);
        Arc::make_mut(&mut self.tokenizer).with_truncation(Some(truncation)).map(|_| ()).map_err(failed)
    }

    /// Lowercases texts first.
    pub(crate) fn lower_case(&mut self) -> Result<()> {
        let before = self.tokenizer.get_normalizer().cloned();
        let mut normalizers = vec![NormalizerWrapper::Lowercase(Lowercase)];
        normalizers.extend(before);
        let tokenizer = Arc::make_mut(&mut self.tokenizer);
        tokenizer.with_normalizer(Some(Sequence::new(normalizers))).map(|_| ()).map_err(failed)
    }

    /// The tokens of a text, including those that the model adds.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let text = truncated(text, self.max_bytes);
        let encoding = caught(|| self.tokenizer.encode_fast(text, true));
        let encoding = encoding
            .map_err(|_| Error::new(ErrorKind::Model, Stage::Embed, "the model's tokenizer fails on a text"))?
            .map_err(failed)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The tokens of many texts, each preceded by `prompt`.
    pub(crate) fn encode_all(&self, prompt: &str, texts: &[&str]) -> Result<Vec<Vec<u32>>> {
        let encode = |text: &&str| match prompt.is_empty() {
            true => self.encode(text),
            false => self.encode(&format!("{prompt}{}", truncated(text, self.max_bytes))),
        };
        texts.par_iter().map(encode).collect()
    }

    /// Whether the model adds this token around texts, and texts themselves never contain it.
    pub(crate) fn is_special(&self, id: u32) -> bool {
        self.tokenizer.get_added_tokens_decoder().get(&id).is_some_and(|token| token.special)
    }
}

/// The beginning of a text: as many whole characters as fit into the first `max_bytes` bytes.
pub(crate) fn truncated(text: &str, max_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(max_bytes)).unwrap_or(text)
}

/// The tokenizer described by a `tokenizer.json`, without padding and truncation; otherwise what is wrong with the
/// file, as a clause.
pub(crate) fn parse_tokenizer(file: &[u8]) -> std::result::Result<Tokenizer, String> {
    let trial = check_description(file)?;
    // The `tokenizers` crate panics on some inconsistent tokenizers.
    let mut tokenizer = caught(|| Tokenizer::from_bytes(file))
        .map_err(|_| "it is inconsistent".to_owned())?
        .map_err(|cause| format!("it does not describe a valid tokenizer: {cause}"))?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(|cause| cause.to_string())?;
    trial.run(&tokenizer)?;
    Ok(tokenizer)
}

/// BERT's tokenizer, from its vocabulary alone.
fn from_vocabulary(folder: &Path) -> Result<Tokenizer> {
    let path = folder.join("vocab.txt");
    if !path.exists() {
        return Err(model_error(folder, "there is no tokenizer.json and no vocab.txt")
            .with_hint("Is this the folder of a model, and was it downloaded completely?"));
    }
    let config = read_json_if_exists(&folder.join("tokenizer_config.json"))?.unwrap_or_default();
    let flag = |key: &str, default: bool| config.get(key).and_then(serde_json::Value::as_bool).unwrap_or(default);
    let bytes = read_text_file(&path, MAX_VOCABULARY_BYTES)?;
    let vocabulary = WordPiece::read_bytes(&bytes);
    let vocabulary = vocabulary.map_err(|cause| model_error(&path, &format!("it is not a vocabulary: {cause}")))?;
    let word_piece = WordPiece::builder().vocab(vocabulary).unk_token("[UNK]".into()).build();
    let mut tokenizer =
        Tokenizer::new(word_piece.map_err(|cause| model_error(&path, &format!("it is not a vocabulary: {cause}")))?);
    let lower_case = flag("do_lower_case", true);
    let normalizer = BertNormalizer::new(true, flag("tokenize_chinese_chars", true), None, lower_case);
    tokenizer.with_normalizer(Some(normalizer)).map_err(failed)?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    let special = |token: &str| match tokenizer.token_to_id(token) {
        Some(id) => Ok((token.to_owned(), id)),
        None => Err(model_error(&path, &format!("it has no {token}"))),
    };
    let around = BertProcessing::new(special("[SEP]")?, special("[CLS]")?);
    tokenizer.with_post_processor(Some(around));
    Ok(tokenizer)
}

fn failed(cause: tokenizers::Error) -> Error {
    Error::new(ErrorKind::Model, Stage::Embed, format!("the model's tokenizer fails: {cause}"))
}
