//! Embeddings of words and phrases for representations that compare them.

use std::collections::HashMap;

use ndarray::Array2;

use crate::embed::TextEmbedder;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::unit;
use crate::progress::Progress;

/// Texts with their embeddings; each distinct text is embedded once.
#[derive(Debug)]
pub(super) struct TextVectors<'a> {
    places: HashMap<&'a str, usize>,
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
        let mut places = HashMap::new();
        let mut distinct = Vec::new();
        for text in texts {
            places.entry(text).or_insert_with(|| {
                distinct.push(text);
                distinct.len() - 1
            });
        }
        let vectors = match distinct.is_empty() {
            true => Array2::zeros((0, embedder.dimensions())),
            false => embedder.embed_texts(&distinct, progress)?,
        };
        check(&vectors, distinct.len())?;
        Ok(TextVectors { places, vectors })
    }

    /// The embedding of `text`, normalized to unit length; zeros if the embedder does not know it, empty if it was not
    /// embedded.
    pub(super) fn unit(&self, text: &str) -> Vec<f64> {
        let row = self.places.get(text).filter(|&&place| place < self.vectors.nrows());
        row.map(|&place| unit(self.vectors.row(place).iter().copied())).unwrap_or_default()
    }

    /// The unnormalized embedding of `text`.
    pub(super) fn raw(&self, text: &str) -> Vec<f32> {
        let row = self.places.get(text).filter(|&&place| place < self.vectors.nrows());
        row.map(|&place| self.vectors.row(place).to_vec()).unwrap_or_default()
    }
}

fn check(vectors: &Array2<f32>, texts: usize) -> Result<()> {
    let message = if vectors.nrows() != texts || (vectors.ncols() == 0 && texts > 0) {
        format!(
            "the embedder returned {} vectors with {} dimensions for {texts} texts",
            vectors.nrows(),
            vectors.ncols()
        )
    } else if vectors.iter().any(|x| !x.is_finite()) {
        "the embedder returned a vector with NaN or infinite values".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::InvalidData, Stage::Represent, message))
}

/// Checks a parameter that counts words.
pub(super) fn check_count(name: &str, value: usize, most: usize) -> Result<()> {
    match (1..=most).contains(&value) {
        true => Ok(()),
        false => Err(Error::invalid_parameter(Stage::Represent, name, value, &format!("from 1 to {most}"))),
    }
}
