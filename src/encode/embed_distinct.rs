//! Embedding duplicate texts only once.

use ndarray::{Array2, Axis};

use crate::embed::{DistinctTexts, TextEmbedder};
use crate::error::{Result, Stage};
use crate::linalg::memory::check_memory;
use crate::progress::Progress;

/// The vectors of `texts`. Each distinct text is embedded once if at least half of the texts are duplicates; with fewer
/// duplicates, storing the vectors twice costs more than it saves.
pub(super) fn embed_distinct(embedder: &dyn TextEmbedder, texts: &[&str], progress: &Progress) -> Result<Array2<f32>> {
    let distinct = DistinctTexts::of(texts.iter().copied());
    if distinct.texts().len() > texts.len() / 2 {
        return embedder.embed_texts(texts, progress);
    }
    let vectors = embedder.embed_texts(distinct.texts(), progress)?;
    check_memory(Stage::Embed, "the vectors of the texts", texts.len(), vectors.ncols())?;
    // A wrong number of vectors is reported by the caller, which knows the rows.
    if vectors.nrows() != distinct.texts().len() {
        return Ok(vectors);
    }
    Ok(vectors.select(Axis(0), distinct.inverse()))
}
