//! Runs a decoder on several captions, for both search methods.

use super::decoder::{Decoder, Memory, Past};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::nn::model_folder::compute_error;

/// A decoder running on the captions of some images: the same number of rows for each image, one image after the other.
pub(super) struct Session<'a> {
    decoder: &'a dyn Decoder,
    memory: Memory,
    past: Past,
}

impl<'a> Session<'a> {
    /// Begins without any token, with one row for each image of `memory`.
    pub(super) fn new(decoder: &'a dyn Decoder, memory: Memory) -> Self {
        Session { decoder, memory, past: Past::default() }
    }

    /// The number of images.
    pub(super) fn images(&self) -> usize {
        self.memory.images()
    }

    /// Begins every row with the tokens `start`; returns the scores of the next token, row by row.
    pub(super) fn start(&mut self, start: &[u32]) -> Result<Vec<f32>> {
        let Some((last, before)) = start.split_last() else {
            return Err(Error::new(ErrorKind::Internal, Stage::Embed, "a caption has no start token"));
        };
        let images = self.images();
        for token in before {
            self.decoder.step(&self.memory, &mut self.past, &vec![*token; images])?;
        }
        self.append(&vec![*last; images])
    }

    /// Appends one token to each row; returns the scores of all possible next tokens, row by row.
    pub(super) fn append(&mut self, tokens: &[u32]) -> Result<Vec<f32>> {
        let hidden = self.decoder.step(&self.memory, &mut self.past, tokens)?;
        let scores = self.decoder.scores(&hidden)?;
        scores.flatten_all().and_then(|scores| scores.to_vec1()).map_err(compute_error)
    }

    /// Continues with these rows, in this order; a row may occur several times.
    pub(super) fn keep_rows(&mut self, rows: &[u32]) -> Result<()> {
        self.past.keep(rows).map_err(compute_error)
    }

    /// Continues with these images. Their rows have to be kept as well.
    pub(super) fn keep_images(&mut self, images: &[u32]) -> Result<()> {
        self.memory.keep(images).map_err(compute_error)
    }
}

/// The error for scores that are not numbers.
pub(super) fn not_a_number() -> Error {
    Error::new(ErrorKind::Model, Stage::Embed, "the captioner's scores are not numbers: its weights are damaged")
}
