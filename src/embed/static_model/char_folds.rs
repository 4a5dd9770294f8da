//! What BERT's basic tokenization does to a single character, computed once per character.

use std::sync::OnceLock;

use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

use super::folder_tokenizer::tokenizer_failed;
use crate::error::Result;

/// Characters per page of the table.
const PAGE: usize = 256;

/// A non-starter of the lowest combining class (1), and one of the highest (240): a character that swaps places with
/// neither, on either side, is a starter.
const LOWEST: char = '\u{334}';
const HIGHEST: char = '\u{345}';

/// A table of folds, filled on demand by any thread.
pub(super) struct CharFolds(Vec<OnceLock<Box<[OnceLock<Fold>]>>>);

/// A character after cleaning, decomposition, accent removal and lowercasing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fold {
    /// The text to append; a space is a word boundary (punctuation has one on either side).
    Text(Box<str>),
    /// The character remains as a combining mark that swaps places with its neighbors (canonical ordering), so it
    /// cannot be folded alone.
    Reorders,
}

impl CharFolds {
    pub(super) fn new() -> Self {
        CharFolds((0..(char::MAX as usize + 1) / PAGE).map(|_| OnceLock::new()).collect())
    }

    /// The fold of `character`.
    pub(super) fn get(&self, character: char) -> Result<&Fold> {
        let code = character as usize;
        let page = self.0[code / PAGE].get_or_init(|| (0..PAGE).map(|_| OnceLock::new()).collect());
        let entry = &page[code % PAGE];
        match entry.get() {
            Some(fold) => Ok(fold),
            None => {
                let fold = fold(character)?;
                Ok(entry.get_or_init(|| fold))
            }
        }
    }
}

/// The normalized words of a text, by the `tokenizers` crate's own steps.
pub(super) fn basic_words(text: &str) -> Result<Vec<String>> {
    let mut folded = NormalizedString::from(text);
    BertNormalizer::default().normalize(&mut folded).map_err(tokenizer_failed)?;
    let mut words = PreTokenizedString::from(folded);
    BertPreTokenizer.pre_tokenize(&mut words).map_err(tokenizer_failed)?;
    let splits = words.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    Ok(splits.into_iter().map(|(word, _, _)| word.to_owned()).collect())
}

/// Folds a character between two letters, which shows whether it joins or separates them.
fn fold(character: char) -> Result<Fold> {
    let folded = basic_words(&format!("a{character}a"))?.join(" ");
    let text = folded.strip_prefix('a').and_then(|rest| rest.strip_suffix('a')).unwrap_or(&folded);
    match text.chars().all(is_starter) {
        true => Ok(Fold::Text(text.into())),
        false => Ok(Fold::Reorders),
    }
}

fn is_starter(character: char) -> bool {
    let decompose = |text: String| NormalizedString::from(text).nfd().get().to_owned();
    let alone = decompose(character.to_string());
    decompose(format!("{HIGHEST}{character}")) == format!("{HIGHEST}{alone}")
        && decompose(format!("{character}{LOWEST}")) == format!("{alone}{LOWEST}")
}
