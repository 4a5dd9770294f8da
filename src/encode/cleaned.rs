//! Cleaning scraped texts before they are embedded.

use std::borrow::Cow;

use ndarray::Array2;
use rayon::prelude::*;

use crate::corpus::TextColumn;
use crate::embed::TextEmbedder;
use crate::error::Result;
use crate::hub::Origin;
use crate::progress::Progress;
use crate::vectorize::{TextCleaning, as_read};

/// Resolves `cleaning` for these texts.
pub(crate) fn resolve_cleaning(cleaning: TextCleaning, texts: Option<&TextColumn>) -> TextCleaning {
    // Only Auto depends on the texts.
    if cleaning != TextCleaning::Auto {
        return cleaning;
    }
    let rows = texts.map(|texts| (0..texts.len()).filter_map(|row| texts.get(row)).collect::<Vec<_>>());
    cleaning.resolve(&rows.unwrap_or_default())
}

/// An embedder whose texts are cleaned first, if it requests that.
#[derive(Debug)]
pub(crate) struct Cleaned<'a> {
    embedder: &'a dyn TextEmbedder,
    cleaning: TextCleaning,
}

impl<'a> Cleaned<'a> {
    /// Wraps `embedder`, so that it receives the texts cleaned with `cleaning`.
    pub(crate) fn new(embedder: &'a dyn TextEmbedder, cleaning: TextCleaning) -> Self {
        Cleaned { embedder, cleaning }
    }
}

impl TextEmbedder for Cleaned<'_> {
    fn check(&self) -> Result<()> {
        self.embedder.check()
    }

    fn dimensions(&self) -> usize {
        self.embedder.dimensions()
    }

    fn origin(&self) -> Option<Origin> {
        self.embedder.origin()
    }

    fn embed_texts(&self, texts: &[&str], progress: &Progress) -> Result<Array2<f32>> {
        if !self.embedder.wants_clean_texts() {
            return self.embedder.embed_texts(texts, progress);
        }
        let read: Vec<Cow<'_, str>> = texts.par_iter().map(|text| as_read(text, self.cleaning)).collect();
        let read: Vec<&str> = read.iter().map(|text| &**text).collect();
        self.embedder.embed_texts(&read, progress)
    }
}
