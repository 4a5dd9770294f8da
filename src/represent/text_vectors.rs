//! Vectors of words and phrases, for representations that compare them.

use std::collections::HashMap;

use ndarray::Array2;

use crate::embed::TextEmbedder;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;

/// Texts with their vectors; each distinct text is embedded once.
#[derive(Debug)]
pub(super) struct TextVectors<'a> {
    places: HashMap<&'a str, usize>,
    vectors: Array2<f32>,
}

impl<'a> TextVectors<'a> {
    /// Embeds `texts`, in the order in which they come first.
    ///
    /// # Errors
    /// Those of the embedder, and an embedder that gives other than one vector of finite numbers for each text.
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

    /// The vector of `text` at length 1; zeros where the embedder knows nothing of it, nothing where it was not embedded.
    pub(super) fn unit(&self, text: &str) -> Vec<f64> {
        let row = self.places.get(text).filter(|&&place| place < self.vectors.nrows());
        row.map(|&place| unit(self.vectors.row(place).iter().map(|&x| f64::from(x)))).unwrap_or_default()
    }

    /// The vector of `text` as the embedder gave it.
    pub(super) fn raw(&self, text: &str) -> Vec<f32> {
        let row = self.places.get(text).filter(|&&place| place < self.vectors.nrows());
        row.map(|&place| self.vectors.row(place).to_vec()).unwrap_or_default()
    }
}

fn check(vectors: &Array2<f32>, texts: usize) -> Result<()> {
    let message = if vectors.nrows() != texts || (vectors.ncols() == 0 && texts > 0) {
        format!("the embedder gave {} vectors of {} numbers for {texts} texts", vectors.nrows(), vectors.ncols())
    } else if vectors.iter().any(|x| !x.is_finite()) {
        "the embedder gave a vector with NaN or an infinite number".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::InvalidData, Stage::Represent, message))
}

/// `vector` at length 1; zeros stay zeros.
pub(super) fn unit(vector: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut vector: Vec<f64> = vector.into_iter().collect();
    let norm = dot(&vector, &vector).sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|x| *x /= norm);
    }
    vector
}

/// Adds `vector` to `sum`.
pub(super) fn add(sum: &mut [f64], vector: impl IntoIterator<Item = f64>) {
    sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
}

/// The inner product: for two vectors of length 1 their cosine.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A parameter that counts words.
pub(super) fn check_count(name: &str, value: usize, most: usize) -> Result<()> {
    match (1..=most).contains(&value) {
        true => Ok(()),
        false => Err(Error::parameter(Stage::Represent, name, value, &format!("from 1 to {most}"))),
    }
}
