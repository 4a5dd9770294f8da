//! Embeddings of words and phrases for representations that compare them.

use ndarray::Array2;

use crate::embed::{DistinctTexts, TextEmbedder, check_vectors};
use crate::error::{Error, Result, Stage};
use crate::linalg::vectors::unit;
use crate::progress::Progress;

/// Texts with their embeddings; each distinct text is embedded once.
#[derive(Debug)]
pub(super) struct TextVectors<'a> {
    texts: DistinctTexts<'a>,
    vectors: Array2<f32>,
}

impl<'a> TextVectors<'a> {
    /// Embeds `texts`, in the order of their first occurrence.
    ///
    /// # Errors
    /// The embedder fails, or does not return exactly one vector of finite numbers per text.
    pub(super) fn embed(
        embedder: &dyn TextEmbedder,
        texts: impl IntoIterator<Item = &'a str>,
        progress: &Progress,
    ) -> Result<Self> {
        let texts = DistinctTexts::of(texts);
        let vectors = match texts.texts().is_empty() {
            true => Array2::zeros((0, embedder.dimensions())),
            false => embedder.embed_texts(texts.texts(), progress)?,
        };
        check_vectors(&vectors, texts.texts().len(), "texts", Stage::Represent, |_| None)?;
        Ok(TextVectors { texts, vectors })
    }

    /// The embedding of `text`, normalized to unit length; zeros if the embedder does not know it, empty if it was not
    /// embedded.
    pub(super) fn unit(&self, text: &str) -> Vec<f64> {
        self.texts.place(text).map(|place| unit(self.vectors.row(place).iter().copied())).unwrap_or_default()
    }

    /// The unnormalized embedding of `text`.
    pub(super) fn raw(&self, text: &str) -> Vec<f32> {
        self.texts.place(text).map(|place| self.vectors.row(place).to_vec()).unwrap_or_default()
    }
}

/// Checks a parameter that counts words.
pub(super) fn check_count(name: &str, value: usize, most: usize) -> Result<()> {
    match (1..=most).contains(&value) {
        true => Ok(()),
        false => Err(Error::invalid_parameter(Stage::Represent, name, value, &format!("from 1 to {most}"))),
    }
}
