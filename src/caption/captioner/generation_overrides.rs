//! The settings that a user changes, on top of the model's own.

use serde::{Deserialize, Serialize};

use super::generation_config::{EarlyStopping, GenerationConfig, MAX_BEAMS, MAX_NGRAM_SIZE, MAX_PENALTY};
use super::model::Model;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};

/// The settings of a search that are not the model's own.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GenerationOverrides {
    pub(super) max_length: Option<usize>,
    pub(super) num_beams: Option<usize>,
    pub(super) length_penalty: Option<f64>,
    pub(super) early_stopping: Option<EarlyStopping>,
    pub(super) no_repeat_ngram_size: Option<usize>,
    pub(super) prompt: Option<String>,
}

impl GenerationOverrides {
    /// The model's own settings, overridden by these.
    ///
    /// # Errors
    /// A value out of range; a prompt that the model does not accept, or that leaves no tokens for a caption.
    pub(super) fn apply(&self, model: &Model) -> Result<GenerationConfig> {
        let mut config = model.generation.clone();
        if let Some(num_beams) = self.num_beams {
            config.num_beams = num_beams;
        }
        if !(1..=MAX_BEAMS).contains(&config.num_beams) {
            return Err(Error::invalid_parameter(Stage::Embed, "num_beams", config.num_beams, "1 to 100"));
        }
        if config.num_beams > 1 && config.candidates() > model.vocab_size {
            let allowed = format!("lower for a vocabulary of {} tokens", model.vocab_size);
            return Err(Error::invalid_parameter(Stage::Embed, "num_beams", config.num_beams, &allowed));
        }
        if let Some(size) = self.no_repeat_ngram_size {
            if size > MAX_NGRAM_SIZE {
                return Err(Error::invalid_parameter(Stage::Embed, "no_repeat_ngram_size", size, "0 to 1,000"));
            }
            config.no_repeat_ngram_size = size;
        }
        if let Some(penalty) = self.length_penalty {
            if penalty.is_nan() || penalty.abs() > MAX_PENALTY {
                return Err(Error::invalid_parameter(Stage::Embed, "length_penalty", penalty, "-100 to 100"));
            }
            config.length_penalty = penalty;
        }
        if let Some(early_stopping) = self.early_stopping {
            config.early_stopping = early_stopping;
        }
        if let Some(prompt) = &self.prompt {
            if !model.accepts_prompts {
                let message = "the captioner does not accept a prompt: only BLIP does";
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, message));
            }
            config.start_tokens.extend(model.tokenizer.encode(prompt)?);
        }
        self.apply_max_length(model, config)
    }

    fn apply_max_length(&self, model: &Model, mut config: GenerationConfig) -> Result<GenerationConfig> {
        let (least, most) = (config.start_tokens.len() + 1, model.max_position_embeddings);
        if let Some(token) = config.start_tokens.iter().find(|token| **token as usize >= model.vocab_size) {
            let message = format!("the prompt contains the token {token}, which is not in the model's vocabulary");
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, message));
        }
        match self.max_length {
            Some(length) if !(least..=most).contains(&length) => {
                let allowed = format!("{least} to {most}, including the start token and the prompt");
                return Err(Error::invalid_parameter(Stage::Embed, "max_length", length, &allowed));
            }
            Some(length) => config.set_max_length(length),
            None => config.set_max_length(config.length_limit().min(most)),
        }
        if config.length_limit() < least {
            let message = format!(
                "the prompt leaves no room for a caption within the maximum length of {} tokens",
                config.length_limit()
            );
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, message).with_hint(
                Hint::new("Set a higher max_length.")
                    .on_command_line("Pass --captioner a model whose configuration allows longer captions."),
            ));
        }
        Ok(config)
    }
}
