//! Takes the place of an embedder if the frame already contains the vectors.

use ndarray::Array2;

use super::{ImageEmbedder, JointEmbedder, TextEmbedder};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::progress::Progress;
use crate::vision::ImageSource;

/// Embeds nothing: for models whose vectors are columns of the frame. If it is asked to embed, it returns an error.
///
/// ```
/// use topicframe::prelude::*;
///
/// let model = TopicModel::images("image", NoEmbedder).embeddings("embedding");
/// # assert!(model.check().is_ok());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoEmbedder;

impl TextEmbedder for NoEmbedder {
    /// 0: there are no vectors.
    fn dimensions(&self) -> usize {
        0
    }

    fn embed_texts(&self, _: &[&str], _: &Progress) -> Result<Array2<f32>> {
        Err(missing_embedder("texts"))
    }
}

impl ImageEmbedder for NoEmbedder {
    /// 0: there are no vectors.
    fn dimensions(&self) -> usize {
        0
    }

    fn embed_images(&self, _: &[ImageSource<'_>], _: &Progress) -> Result<Array2<f32>> {
        Err(missing_embedder("images"))
    }
}

impl JointEmbedder for NoEmbedder {}

/// The error for input that has no embedder.
pub(crate) fn missing_embedder(what: &str) -> Error {
    let message = format!("the model has no embedder for {what}: it can only use vectors from the frame");
    Error::new(ErrorKind::InvalidParameter, Stage::Embed, message).with_hint(
        Hint::new("Use an embedder instead of NoEmbedder; for a fit, the column of the vectors is enough.")
            .on_command_line("Pass --embedder a model for them, or --embeddings the column of their vectors."),
    )
}
