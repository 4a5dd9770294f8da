//! A model's own tokenizer: texts to the numbers of tokens, cut off at the model's length.

use std::path::Path;

use rayon::prelude::*;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{BertNormalizer, Lowercase, Sequence};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{NormalizerWrapper, Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

use super::model_folder::{model_error, read_json_if_there, read_text_file};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::guard::caught;

/// Texts to tokens.
#[derive(Clone)]
pub(crate) struct TextTokenizer {
    tokenizer: Tokenizer,
}

/// What `tokenizer_config.json` says of a tokenizer's length, where it says something sensible.
const LONGEST: u64 = 1 << 20;

impl TextTokenizer {
    /// Reads `tokenizer.json`, or makes a BERT tokenizer of `vocab.txt`, in `folder`.
    ///
    /// # Errors
    /// Neither is there, or it is none.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        let tokenizer = match path.exists() {
            true => parse_tokenizer(&read_text_file(&path)?).map_err(|why| model_error(&path, &why))?,
            false => from_vocabulary(folder)?,
        };
        Ok(TextTokenizer { tokenizer })
    }

    /// The length that `tokenizer_config.json` in `folder` gives.
    pub(crate) fn configured_length(folder: &Path) -> Result<Option<usize>> {
        let config = read_json_if_there(&folder.join("tokenizer_config.json"))?.unwrap_or_default();
        let length = config.get("model_max_length").and_then(|length| {
            length.as_u64().or_else(|| length.as_f64().map(|length| length as u64)).filter(|length| *length < LONGEST)
        });
        Ok(length.map(|length| length as usize))
    }

    /// Texts are cut off at so many tokens, those that the model adds included.
    pub(crate) fn set_length(&mut self, length: Option<usize>) -> Result<()> {
        let truncation = length.map(|max_length| TruncationParams {
            max_length,
            stride: 0,
            strategy: TruncationStrategy::LongestFirst,
            direction: TruncationDirection::Right,
        });
        self.tokenizer.with_truncation(truncation).map(|_| ()).map_err(failed)
    }

    /// Texts are lower-cased first.
    pub(crate) fn lower_case(&mut self) -> Result<()> {
        let before = self.tokenizer.get_normalizer().cloned();
        let mut normalizers = vec![NormalizerWrapper::Lowercase(Lowercase)];
        normalizers.extend(before);
        self.tokenizer.with_normalizer(Some(Sequence::new(normalizers))).map(|_| ()).map_err(failed)
    }

    /// The tokens of a text, with those that the model puts around it.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = caught(|| self.tokenizer.encode_fast(text, true));
        let encoding = encoding
            .map_err(|_| Error::new(ErrorKind::Model, Stage::Embed, "the model's tokenizer fails on a text"))?
            .map_err(failed)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The tokens of many texts.
    pub(crate) fn encode_all(&self, texts: &[String]) -> Result<Vec<Vec<u32>>> {
        texts.par_iter().map(|text| self.encode(text)).collect()
    }

    /// Whether the model puts a token of this number around texts, and texts themselves never hold it.
    pub(crate) fn is_special(&self, id: u32) -> bool {
        self.tokenizer.get_added_tokens_decoder().get(&id).is_some_and(|token| token.special)
    }
}

/// The tokenizer that a `tokenizer.json` describes, which neither fills up nor cuts off; what is wrong with the file
/// otherwise, as a clause.
pub(crate) fn parse_tokenizer(file: &[u8]) -> std::result::Result<Tokenizer, String> {
    // The `tokenizers` crate panics on some tokenizers that contradict themselves.
    let mut tokenizer = caught(|| Tokenizer::from_bytes(file))
        .map_err(|_| "it contradicts itself".to_owned())?
        .map_err(|cause| format!("it describes no tokenizer that can be built: {cause}"))?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(|cause| cause.to_string())?;
    Ok(tokenizer)
}

/// The tokenizer of BERT, by its vocabulary alone.
fn from_vocabulary(folder: &Path) -> Result<Tokenizer> {
    let path = folder.join("vocab.txt");
    if !path.exists() {
        return Err(model_error(folder, "there is no tokenizer.json, and no vocab.txt")
            .hint("Is this the folder of a model, wholly downloaded?"));
    }
    let config = read_json_if_there(&folder.join("tokenizer_config.json"))?.unwrap_or_default();
    let flag = |key: &str, default: bool| config.get(key).and_then(serde_json::Value::as_bool).unwrap_or(default);
    let bytes = read_text_file(&path)?;
    let vocabulary = WordPiece::read_bytes(&bytes);
    let vocabulary = vocabulary.map_err(|cause| model_error(&path, &format!("it is no vocabulary: {cause}")))?;
    let word_piece = WordPiece::builder().vocab(vocabulary).unk_token("[UNK]".into()).build();
    let mut tokenizer =
        Tokenizer::new(word_piece.map_err(|cause| model_error(&path, &format!("it is no vocabulary: {cause}")))?);
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
