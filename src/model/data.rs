//! What a fit saw, and what was computed from it row by row.

use std::collections::BTreeMap;

use polars::prelude::DataFrame;

use crate::corpus::{Documents, TextColumn};
use crate::encode::{Encoded, resolve_cleaning};
use crate::vectorize::TextCleaning;

/// The rows of a fit. A fitted model works without them, apart from what needs rows.
#[derive(Debug)]
pub(crate) struct Data {
    /// The frame as the user gave it.
    pub(crate) frame: DataFrame,
    /// Its columns.
    pub(crate) documents: Documents,
    /// The vectors.
    pub(crate) encoded: Encoded,
    /// Captions by row.
    pub(crate) captions: BTreeMap<usize, String>,
    /// The texts that words are counted in: the documents' own, and for rows without one the caption.
    pub(crate) texts: Option<TextColumn>,
    /// The cleaning that suits `texts`.
    pub(crate) cleaning: TextCleaning,
}

impl Data {
    /// Without captions; `cleaning` suits the texts of `documents`.
    pub(super) fn new(frame: &DataFrame, documents: Documents, encoded: Encoded, cleaning: TextCleaning) -> Self {
        let texts = documents.texts.clone();
        Data { frame: frame.clone(), documents, encoded, captions: BTreeMap::new(), texts, cleaning }
    }

    /// The same with captions by row as the texts of rows that have none. `cleaning` is that of the model.
    pub(super) fn with_captions(self, captions: BTreeMap<usize, String>, cleaning: TextCleaning) -> Self {
        if captions.is_empty() {
            return self;
        }
        let texts = TextColumn::with_captions(self.documents.texts.as_ref(), &captions, self.documents.rows);
        let cleaning = resolve_cleaning(cleaning, Some(&texts));
        Data { captions, texts: Some(texts), cleaning, ..self }
    }
}
