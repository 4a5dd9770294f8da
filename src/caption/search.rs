//! Search settings, and what both search methods share.

use super::decoder::{Decoder, Memory, Past};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::nn::model_folder::computing;

/// When a beam search stops following the beams of an image, once it has as many finished captions as beams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum EarlyStopping {
    /// Immediately; `True` in transformers.
    Full,
    /// When the best beam, weighted by its current length, is no better than the worst finished caption; `False` in
    /// transformers, and its default.
    #[default]
    Heuristic,
    /// When no beam, however long it gets, could become better than the worst finished caption; `"never"` in
    /// transformers.
    Never,
}

/// The settings of a search, as `generation_config.json` names them.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// Maximum number of tokens in a caption, including the start; `None` for [`new_tokens`](Self::new_tokens) after
    /// it.
    pub(super) max_length: Option<usize>,
    pub(super) new_tokens: usize,
    /// Whether the model's files count new tokens only.
    pub(super) counts_new: bool,
    pub(super) min_length: usize,
    pub(super) num_beams: usize,
    pub(super) length_penalty: f64,
    pub(super) early_stopping: EarlyStopping,
    /// Size of the n-grams that may not repeat; 0 for no restriction.
    pub(super) no_repeat_ngram: usize,
    /// Scores of previous tokens are divided by this (multiplied if they are negative).
    pub(super) repetition_penalty: f32,
    /// The tokens that every caption begins with.
    pub(super) start: Vec<u32>,
    /// Tokens that end a caption.
    pub(super) end: Vec<u32>,
    /// The token fed to the rows of finished captions.
    pub(super) fill: u32,
}

impl Search {
    /// The maximum number of tokens in a caption, including the start.
    pub(super) fn limit(&self) -> usize {
        match self.max_length {
            Some(max_length) if !self.counts_new => max_length,
            _ => self.start.len().saturating_add(self.new_tokens),
        }
    }

    /// Sets the maximum number of tokens in a caption.
    pub(super) fn limit_to(&mut self, max_length: usize) {
        (self.max_length, self.counts_new) = (Some(max_length), false);
    }

    /// The number of continuations that a beam search considers: enough remain to continue with if others end.
    pub(super) fn candidates(&self) -> usize {
        (1 + self.end.len()).max(2) * self.num_beams
    }

    /// Whether this token ends a caption.
    pub(super) fn ends(&self, token: u32) -> bool {
        self.end.contains(&token)
    }

    /// Lowers or rules out the scores of tokens that may not follow `tokens`. `scores` covers all tokens.
    pub(super) fn restrict(&self, tokens: &[u32], scores: &mut [f32]) {
        if self.repetition_penalty != 1.0 {
            let mut seen = tokens.to_vec();
            seen.sort_unstable();
            seen.dedup();
            for token in seen {
                if let Some(score) = scores.get_mut(token as usize) {
                    *score =
                        if *score < 0.0 { *score * self.repetition_penalty } else { *score / self.repetition_penalty };
                }
            }
        }
        if self.no_repeat_ngram > 0 && tokens.len() >= self.no_repeat_ngram {
            let prefix = tokens.get(tokens.len() + 1 - self.no_repeat_ngram..).unwrap_or_default();
            for run in tokens.windows(self.no_repeat_ngram) {
                if let [start @ .., last] = run
                    && start == prefix
                    && let Some(score) = scores.get_mut(*last as usize)
                {
                    *score = f32::NEG_INFINITY;
                }
            }
        }
        if tokens.len() < self.min_length {
            for end in &self.end {
                if let Some(score) = scores.get_mut(*end as usize) {
                    *score = f32::NEG_INFINITY;
                }
            }
        }
    }
}

/// A decoder running on the captions of some images: the same number of rows for each image, one image after the other.
pub(super) struct Session<'a> {
    decoder: &'a dyn Decoder,
    memory: Memory,
    past: Past,
}

impl<'a> Session<'a> {
    /// Begins with the tokens `start`, one row for each image; returns the scores of the next token.
    pub(super) fn begin(decoder: &'a dyn Decoder, memory: Memory, start: &[u32]) -> Result<(Self, Vec<f32>)> {
        let images = memory.images();
        let mut session = Session { decoder, memory, past: Past::default() };
        let Some((last, before)) = start.split_last() else {
            return Err(Error::new(ErrorKind::Internal, Stage::Embed, "a caption has no start token"));
        };
        for token in before {
            session.decoder.step(&session.memory, &mut session.past, &vec![*token; images])?;
        }
        let scores = session.write(&vec![*last; images])?;
        Ok((session, scores))
    }

    /// Appends one token to each row; returns the scores of all possible next tokens, row by row.
    pub(super) fn write(&mut self, tokens: &[u32]) -> Result<Vec<f32>> {
        let hidden = self.decoder.step(&self.memory, &mut self.past, tokens)?;
        let scores = self.decoder.scores(&hidden)?;
        scores.flatten_all().and_then(|scores| scores.to_vec1()).map_err(computing)
    }

    /// Continues with these rows, in this order; a row may occur several times.
    pub(super) fn keep_rows(&mut self, rows: &[u32]) -> Result<()> {
        self.past.keep(rows).map_err(computing)
    }

    /// Continues with these images. Their rows have to be kept as well.
    pub(super) fn keep_images(&mut self, images: &[u32]) -> Result<()> {
        self.memory.keep(images).map_err(computing)
    }
}

/// The error for scores that are not numbers.
pub(super) fn not_a_number() -> Error {
    Error::new(ErrorKind::Model, Stage::Embed, "the captioner's scores are not numbers: its weights are damaged")
}
