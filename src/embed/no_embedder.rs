//! In place of an embedder, where the frame has the vectors.

use ndarray::Array2;

use super::{ImageEmbedder, JointEmbedder, TextEmbedder};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::progress::Progress;
use crate::vision::ImageSource;

/// Embeds nothing: for models whose vectors are columns of the frame. Asked to embed, it fails and says so.
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
        Err(nothing_embeds("texts"))
    }
}

impl ImageEmbedder for NoEmbedder {
    /// 0: there are no vectors.
    fn dimensions(&self) -> usize {
        0
    }

    fn embed_images(&self, _: &[ImageSource<'_>], _: &Progress) -> Result<Array2<f32>> {
        Err(nothing_embeds("images"))
    }
}

impl JointEmbedder for NoEmbedder {}

/// What is to be embedded has no embedder.
pub(crate) fn nothing_embeds(what: &str) -> Error {
    let message = format!("the model has no embedder of {what}: it can only use vectors that the frame has");
    Error::new(ErrorKind::InvalidParameter, Stage::Embed, message).hint(
        Hint::new("Give the model an embedder in place of NoEmbedder; for a fit, the name of their column will do.")
            .on_command_line("Give --embedder a model of them, or --embeddings the column of their vectors."),
    )
}
