//! The settings of a search, from `generation_config.json`.

use std::ops::RangeInclusive;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::nn::model_folder::{Config, model_error};

/// The maximum number of tokens that end a caption.
const MAX_EOS_TOKENS: usize = 16;

/// The maximum number of scores for one image: vocabulary size times beams. 256 MiB.
const MAX_SCORES: usize = 1 << 26;

/// The maximum caption length that a model's files may request; the model's positions limit it anyway.
const MAX_LENGTH: usize = 1_000_000;

/// The maximum n-gram size, number of beams, and length penalty.
pub(super) const MAX_NGRAM_SIZE: usize = 1_000;
pub(super) const MAX_BEAMS: usize = 100;
pub(super) const MAX_PENALTY: f64 = 100.0;

/// New tokens if no file sets a length, as in transformers.
const DEFAULT_NEW_TOKENS: usize = 20;

/// When a beam search stops following the beams of an image, once it has as many finished captions as beams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
pub(super) struct GenerationConfig {
    /// Maximum number of tokens in a caption, including the start; `None` for
    /// [`max_new_tokens`](Self::max_new_tokens) after it.
    pub(super) max_length: Option<usize>,
    pub(super) max_new_tokens: usize,
    /// Whether `max_new_tokens` counts rather than `max_length`: the model's files set it.
    pub(super) counts_new_tokens: bool,
    pub(super) min_length: usize,
    pub(super) num_beams: usize,
    pub(super) length_penalty: f64,
    pub(super) early_stopping: EarlyStopping,
    /// Size of the n-grams that may not repeat; 0 for no restriction.
    pub(super) no_repeat_ngram_size: usize,
    /// Scores of previous tokens are divided by this (multiplied if they are negative).
    pub(super) repetition_penalty: f32,
    /// The tokens that every caption begins with.
    pub(super) start_tokens: Vec<u32>,
    /// Tokens that end a caption.
    pub(super) eos_token_id: Vec<u32>,
    /// The token fed to the rows of finished captions.
    pub(super) pad_token_id: u32,
}

/// The tokens that begin, end and pad captions.
pub(super) struct SpecialTokens {
    pub(super) start: u32,
    pub(super) eos: Vec<u32>,
    pub(super) pad: Option<u32>,
}

impl GenerationConfig {
    /// Reads the settings, and checks that the scores of a vocabulary of `vocab_size` tokens fit into memory; errors
    /// about that name `path`.
    pub(super) fn read(
        configs: &ConfigChain<'_>,
        path: &Path,
        vocab_size: usize,
        tokens: SpecialTokens,
    ) -> Result<Self> {
        let early_stopping = configs.0.iter().find_map(|config| match config.string("early_stopping") {
            Some("never") => Some(EarlyStopping::Never),
            _ if config.flag("early_stopping", false) => Some(EarlyStopping::Full),
            _ => None,
        });
        let max_new_tokens = configs.integer("max_new_tokens", 1, MAX_LENGTH)?;
        let generation = GenerationConfig {
            max_length: configs.integer("max_length", 1, MAX_LENGTH)?,
            max_new_tokens: max_new_tokens.unwrap_or(DEFAULT_NEW_TOKENS),
            counts_new_tokens: max_new_tokens.is_some(),
            min_length: configs.integer("min_length", 0, MAX_LENGTH)?.unwrap_or(0),
            num_beams: configs.integer("num_beams", 1, MAX_BEAMS)?.unwrap_or(1),
            length_penalty: configs.number("length_penalty", 1.0, -MAX_PENALTY..=MAX_PENALTY)?,
            early_stopping: early_stopping.unwrap_or(EarlyStopping::Heuristic),
            no_repeat_ngram_size: configs.integer("no_repeat_ngram_size", 0, MAX_NGRAM_SIZE)?.unwrap_or(0),
            repetition_penalty: configs.number("repetition_penalty", 1.0, 1e-3..=1e3)? as f32,
            pad_token_id: tokens.pad.or(tokens.eos.first().copied()).unwrap_or(0),
            start_tokens: vec![tokens.start],
            eos_token_id: tokens.eos,
        };
        let num_beams = generation.num_beams;
        match num_beams.saturating_mul(vocab_size) > MAX_SCORES {
            true => {
                let what = format!("its `num_beams` is {num_beams}, but must be 1 to {}", MAX_SCORES / vocab_size);
                Err(model_error(path, &format!("{what} for a vocabulary of {vocab_size} tokens")))
            }
            false => Ok(generation),
        }
    }

    /// The maximum number of tokens in a caption, including the start.
    pub(super) fn length_limit(&self) -> usize {
        match self.max_length {
            Some(max_length) if !self.counts_new_tokens => max_length,
            _ => self.start_tokens.len().saturating_add(self.max_new_tokens),
        }
    }

    /// Sets the maximum number of tokens in a caption.
    pub(super) fn set_max_length(&mut self, max_length: usize) {
        (self.max_length, self.counts_new_tokens) = (Some(max_length), false);
    }

    /// The number of continuations that a beam search considers: enough remain to continue with if others end.
    pub(super) fn candidates(&self) -> usize {
        (1 + self.eos_token_id.len()).max(2) * self.num_beams
    }

    /// Whether this token ends a caption.
    pub(super) fn ends(&self, token: u32) -> bool {
        self.eos_token_id.contains(&token)
    }

    /// Lowers or rules out the scores of tokens that may not follow `tokens`. `scores` covers all tokens.
    pub(super) fn process_scores(&self, tokens: &[u32], scores: &mut [f32]) {
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
        if self.no_repeat_ngram_size > 0 && tokens.len() >= self.no_repeat_ngram_size {
            let prefix = tokens.get(tokens.len() + 1 - self.no_repeat_ngram_size..).unwrap_or_default();
            for run in tokens.windows(self.no_repeat_ngram_size) {
                if let [start @ .., last] = run
                    && start == prefix
                    && let Some(score) = scores.get_mut(*last as usize)
                {
                    *score = f32::NEG_INFINITY;
                }
            }
        }
        if tokens.len() < self.min_length {
            for eos in &self.eos_token_id {
                if let Some(score) = scores.get_mut(*eos as usize) {
                    *score = f32::NEG_INFINITY;
                }
            }
        }
    }
}

/// Configurations in order of precedence: the first one that has a key counts.
pub(super) struct ConfigChain<'a>(pub(super) Vec<&'a Config<'a>>);

impl ConfigChain<'_> {
    /// The token under `key`, or the first one of a list.
    pub(super) fn token_id(&self, key: &str, vocab_size: usize) -> Result<Option<u32>> {
        Ok(self.token_ids(key, vocab_size)?.first().copied())
    }

    /// As [`token_id`](Self::token_id); it is an error if no configuration has one.
    pub(super) fn required_token_id(&self, key: &str, vocab_size: usize) -> Result<u32> {
        let path = self.0.last().map_or(Path::new(""), |config| config.path());
        self.token_id(key, vocab_size)?.ok_or_else(|| model_error(path, &format!("it has no {key}")))
    }

    /// The tokens under `key`, one or a list; empty if no configuration has one.
    pub(super) fn token_ids(&self, key: &str, vocab_size: usize) -> Result<Vec<u32>> {
        for config in &self.0 {
            let ids = config.integers(key)?;
            if ids.len() > MAX_EOS_TOKENS {
                return Err(config.invalid(key, &format!("a token, or a list of at most {MAX_EOS_TOKENS}")));
            }
            if let Some(id) = ids.iter().find(|id| **id >= vocab_size as u64) {
                return Err(model_error(
                    config.path(),
                    &format!("its {key} is {id}, beyond its vocabulary of {vocab_size} tokens"),
                ));
            }
            if !ids.is_empty() {
                return Ok(ids.iter().map(|id| *id as u32).collect());
            }
        }
        Ok(Vec::new())
    }

    /// A whole number from `least` to `most`; `None` if no configuration has one.
    fn integer(&self, key: &str, least: usize, most: usize) -> Result<Option<usize>> {
        for config in &self.0 {
            if let Some(number) = config.integer(key)? {
                let number = usize::try_from(number).ok().filter(|number| (least..=most).contains(number));
                let number =
                    number.ok_or_else(|| config.invalid(key, &format!("a whole number from {least} to {most}")));
                return number.map(Some);
            }
        }
        Ok(None)
    }

    fn number(&self, key: &str, default: f64, range: RangeInclusive<f64>) -> Result<f64> {
        for config in &self.0 {
            if let Some(number) = config.optional_number(key, range.clone())? {
                return Ok(number);
            }
        }
        Ok(default)
    }
}
