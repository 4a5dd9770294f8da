//! What embedders see of scraped texts.

use std::borrow::Cow;

use ndarray::Array2;
use rayon::prelude::*;

use super::TopicModel;
use crate::corpus::Corpus;
use crate::embed::TextEmbedder;
use crate::error::Result;
use crate::progress::Progress;
use crate::vectorize::{TextCleaning, as_read};

impl TopicModel {
    /// The model, its cleaning settled by the texts of `corpus`.
    pub(super) fn settled(&self, corpus: &Corpus) -> TopicModel {
        TopicModel { cleaning: self.settled_cleaning(corpus), ..self.clone() }
    }

    /// What the model's cleaning comes to for the texts of `corpus`.
    pub(super) fn settled_cleaning(&self, corpus: &Corpus) -> TextCleaning {
        // Settled before: the texts need not be looked at.
        if self.cleaning != TextCleaning::Auto {
            return self.cleaning;
        }
        let texts = corpus.texts.as_ref();
        let rows = texts.map(|texts| (0..texts.len()).filter_map(|row| texts.get(row)).collect::<Vec<_>>());
        self.cleaning.resolve(&rows.unwrap_or_default())
    }

    /// `embedder` as the texts of a fitted model meet it.
    pub(crate) fn cleaned<'a>(&self, embedder: &'a dyn TextEmbedder) -> Cleaned<'a> {
        Cleaned { embedder, cleaning: self.cleaning }
    }
}

/// An embedder whose texts are cleaned first, where it wants them so.
#[derive(Debug)]
pub(crate) struct Cleaned<'a> {
    embedder: &'a dyn TextEmbedder,
    cleaning: TextCleaning,
}

impl<'a> Cleaned<'a> {
    /// `embedder`, with what `cleaning` leaves of texts.
    pub(super) fn new(embedder: &'a dyn TextEmbedder, cleaning: TextCleaning) -> Self {
        Cleaned { embedder, cleaning }
    }
}

impl TextEmbedder for Cleaned<'_> {
    fn dimensions(&self) -> usize {
        self.embedder.dimensions()
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
