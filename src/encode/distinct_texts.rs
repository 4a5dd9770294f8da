//! Embedding duplicate texts only once.

use std::collections::HashMap;

use ndarray::{Array2, Axis};

use crate::embed::TextEmbedder;
use crate::error::{Result, Stage};
use crate::linalg::memory::check_memory;
use crate::progress::Progress;

/// The vectors of `texts`. Each distinct text is embedded once if at least half of the texts are duplicates; with fewer
/// duplicates, storing the vectors twice costs more than it saves.
pub(super) fn embed_distinct(embedder: &dyn TextEmbedder, texts: &[&str], progress: &Progress) -> Result<Array2<f32>> {
    let mut firsts = HashMap::new();
    let mut distinct: Vec<&str> = Vec::new();
    let mut places = Vec::with_capacity(texts.len());
    for &text in texts {
        places.push(*firsts.entry(text).or_insert(distinct.len()));
        if places.last() == Some(&distinct.len()) {
            distinct.push(text);
        }
    }
    if distinct.len() > texts.len() / 2 {
        return embedder.embed_texts(texts, progress);
    }
    let vectors = embedder.embed_texts(&distinct, progress)?;
    check_memory(Stage::Embed, "the vectors of the texts", texts.len(), vectors.ncols())?;
    // A wrong number of vectors is reported by the caller, which knows the rows.
    if vectors.nrows() == distinct.len() { Ok(vectors.select(Axis(0), &places)) } else { Ok(vectors) }
}
