//! A model's own tokenizer: texts to the numbers of tokens, cut off at the model's length.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{BertNormalizer, Lowercase, Sequence};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{NormalizerWrapper, Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

use super::model_folder::{MAX_TOKENIZER, MAX_VOCABULARY_FILE, model_error, read_json_if_there, read_text_file};
use super::tokenizer_bounds::{check_description, check_length};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::guard::caught;

/// Texts to tokens. Cheap to clone.
#[derive(Clone)]
pub(crate) struct TextTokenizer {
    tokenizer: Arc<Tokenizer>,
    /// The file or folder, for errors.
    path: PathBuf,
    /// Bytes of a text that are looked at.
    most_bytes: usize,
}

/// No token of a sensible text is as long as this many bytes on average: what lies beyond so many for each token that
/// counts is not looked at, so that no text takes minutes.
pub(crate) const BYTES_A_TOKEN: usize = 1024;

/// So many bytes of a text are looked at in any case.
const LEAST_BYTES: usize = 1 << 18;

/// What `tokenizer_config.json` says of a tokenizer's length, where it says something sensible.
const LONGEST: u64 = 1 << 20;

impl TextTokenizer {
    /// Reads `tokenizer.json`, or makes a BERT tokenizer of `vocab.txt`, in `folder`.
    ///
    /// # Errors
    /// Neither is there, or it is not one.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        let (tokenizer, path) = match path.exists() {
            true => {
                let file = read_text_file(&path, MAX_TOKENIZER)?;
                (parse_tokenizer(&file).map_err(|why| model_error(&path, &why))?, path)
            }
            false => (from_vocabulary(folder)?, folder.to_path_buf()),
        };
        Ok(TextTokenizer { tokenizer: Arc::new(tokenizer), path, most_bytes: usize::MAX })
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
        self.most_bytes = length.saturating_mul(BYTES_A_TOKEN).max(LEAST_BYTES);
        Arc::make_mut(&mut self.tokenizer).with_truncation(Some(truncation)).map(|_| ()).map_err(failed)
    }

    /// Texts are lower-cased first.
    pub(crate) fn lower_case(&mut self) -> Result<()> {
        let before = self.tokenizer.get_normalizer().cloned();
        let mut normalizers = vec![NormalizerWrapper::Lowercase(Lowercase)];
        normalizers.extend(before);
        let tokenizer = Arc::make_mut(&mut self.tokenizer);
        tokenizer.with_normalizer(Some(Sequence::new(normalizers))).map(|_| ()).map_err(failed)
    }

    /// The tokens of a text, with those that the model puts around it.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let text = beginning(text, self.most_bytes);
        let encoding = caught(|| self.tokenizer.encode_fast(text, true));
        let encoding = encoding
            .map_err(|_| Error::new(ErrorKind::Model, Stage::Embed, "the model's tokenizer fails on a text"))?
            .map_err(failed)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The tokens of many texts, each with `prompt` before it.
    pub(crate) fn encode_all(&self, prompt: &str, texts: &[&str]) -> Result<Vec<Vec<u32>>> {
        let encode = |text: &&str| match prompt.is_empty() {
            true => self.encode(text),
            false => self.encode(&format!("{prompt}{}", beginning(text, self.most_bytes))),
        };
        texts.par_iter().map(encode).collect()
    }

    /// Whether the model puts a token of this number around texts, and texts themselves never hold it.
    pub(crate) fn is_special(&self, id: u32) -> bool {
        self.tokenizer.get_added_tokens_decoder().get(&id).is_some_and(|token| token.special)
    }
}

/// The first bytes of a text, as many as are whole characters among the first `most`.
pub(crate) fn beginning(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// The tokenizer that a `tokenizer.json` describes, which neither fills up nor cuts off; what is wrong with the file
/// otherwise, as a clause.
pub(crate) fn parse_tokenizer(file: &[u8]) -> std::result::Result<Tokenizer, String> {
    let trial = check_description(file)?;
    // The `tokenizers` crate panics on some tokenizers that contradict themselves.
    let mut tokenizer = caught(|| Tokenizer::from_bytes(file))
        .map_err(|_| "it contradicts itself".to_owned())?
        .map_err(|cause| format!("it describes no tokenizer that can be built: {cause}"))?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(|cause| cause.to_string())?;
    trial.run(&tokenizer)?;
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
    let bytes = read_text_file(&path, MAX_VOCABULARY_FILE)?;
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
