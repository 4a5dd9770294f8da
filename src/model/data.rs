//! The data of a fit, and what was computed from it for each row.

use std::collections::BTreeMap;

use polars::prelude::DataFrame;

use crate::corpus::{Documents, TextColumn};
use crate::encode::{Encoded, resolve_cleaning};
use crate::vectorize::TextCleaning;

/// The rows of a fit. Only methods that need the rows require them in a fitted model.
#[derive(Debug)]
pub(crate) struct Data {
    /// The user's frame.
    pub(crate) frame: DataFrame,
    /// Its columns.
    pub(crate) documents: Documents,
    /// The vectors.
    pub(crate) encoded: Encoded,
    /// Captions by row.
    pub(crate) captions: BTreeMap<usize, String>,
    /// The texts in which words are counted: the documents' texts, or the caption for rows without one.
    pub(crate) texts: Option<TextColumn>,
    /// The cleaning resolved for `texts`.
    pub(crate) cleaning: TextCleaning,
    /// Whether the frame and its columns are those of the fit; a model that was saved without them has only vectors.
    pub(crate) has_documents: bool,
    /// Whether the vectors are those of the fit; a model that was saved without them has none.
    pub(crate) has_vectors: bool,
}

impl Data {
    /// Data without captions; `cleaning` is resolved for the texts of `documents`.
    pub(super) fn new(frame: &DataFrame, documents: Documents, encoded: Encoded, cleaning: TextCleaning) -> Self {
        let texts = documents.texts.clone();
        let (has_documents, has_vectors) = (true, true);
        let (frame, captions) = (frame.clone(), BTreeMap::new());
        Data { frame, documents, encoded, captions, texts, cleaning, has_documents, has_vectors }
    }

    /// The data of a model that was saved without its documents.
    pub(super) fn without_documents(rows: usize, encoded: Encoded, cleaning: TextCleaning) -> Self {
        Data {
            frame: DataFrame::empty(),
            documents: Documents {
                rows,
                texts: None,
                images: None,
                embeddings: None,
                text_embeddings: None,
                image_embeddings: None,
                labels: None,
            },
            encoded,
            captions: BTreeMap::new(),
            texts: None,
            cleaning,
            has_documents: false,
            has_vectors: true,
        }
    }

    /// The same data with captions, by row, as the texts of rows without one. `cleaning` is the model's setting.
    pub(super) fn with_captions(self, captions: BTreeMap<usize, String>, cleaning: TextCleaning) -> Self {
        if captions.is_empty() {
            return self;
        }
        let texts = TextColumn::with_captions(self.documents.texts.as_ref(), &captions, self.documents.rows);
        let cleaning = resolve_cleaning(cleaning, Some(&texts));
        Data { captions, texts: Some(texts), cleaning, ..self }
    }
}
