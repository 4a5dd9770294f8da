//! Embeds texts with the models of sentence-transformers.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TextEmbedder;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::hub::Origin;
use crate::linalg::memory::check_memory;
use crate::linalg::vectors::scale_to_unit;
use crate::nn::device::Device;
use crate::nn::model_folder::{check_folder, compute_error, model_error, read_json, read_json_if_exists};
use crate::nn::text_tokenizer::TextTokenizer;
use crate::nn::weights::Weights;
use crate::nn::workers;
use crate::progress::Progress;
use crate::spec::Spec;

mod architecture;
mod encoder;
mod modern_bert;
mod modules;
mod nomic_bert;
mod padded;
mod pooling;
mod sizes;

use encoder::Encoder;
use modules::Modules;

/// Texts that are tokenized, sorted and embedded at a time.
const WINDOW: usize = 8192;

/// Tokens that a thread processes at a time, so that the activations between layers stay in its caches.
const TOKENS_ON_CPU: usize = 768;

/// Tokens that a GPU processes at a time.
const TOKENS_ON_GPU: usize = 32_768;

/// A sentence-transformers model: BERT, RoBERTa, XLM-R, DistilBERT, MPNet, ModernBERT or Nomic BERT, with its pooling
/// and the modules that follow.
///
/// This covers all-MiniLM-L6-v2, all-mpnet-base-v2, paraphrase-multilingual-MiniLM-L12-v2, the bge, e5 and gte models,
/// gte-modernbert-base, modernbert-embed-base and nomic-embed-text-v1.5. The vectors match those of Python's
/// `sentence-transformers` to five digits; a text's vector does not depend on the texts that it is embedded with. Cheap
/// to clone: the weights are shared.
///
/// ModernBERT and Nomic BERT run on candle-transformers, which is slower than the encoder used for the others, and
/// keeps heads x tokens x tokens values of a text in memory several times over (8,192 tokens and 12 heads: 3.2 GB
/// each). These models accept long texts; a lower [`max_seq_length`](Self::max_seq_length) saves time and memory.
///
/// | setting | default |
/// |---|---|
/// | [`max_seq_length`](Self::max_seq_length) | the model's (`sentence_bert_config.json`) |
/// | [`prompt_name`](Self::prompt_name), [`prompt`](Self::prompt) | the model's default prompt, if it has one |
///
/// ```no_run
/// use topicframe::prelude::*;
///
/// let posts = read_csv("posts.csv")?;
/// let embedder = SentenceTransformer::from_hub("all-MiniLM-L6-v2")?;    // or from_dir("a folder")
/// let rows = embedder.embed_texts(&["a sailing boat", "income tax"], &Progress::silent())?;
/// assert_eq!(rows.dim(), (2, 384));
///
/// let topics = TopicModel::text("text", embedder).fit(&posts)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct SentenceTransformer {
    model: Arc<Model>,
    /// Truncates to `max_seq_length`, if that is valid.
    tokenizer: TextTokenizer,
    /// `None`: the model's own.
    max_seq_length: Option<usize>,
    prompt: Prompt,
}

/// The settings that are saved.
#[derive(Serialize, Deserialize)]
struct SavedSettings {
    max_seq_length: Option<usize>,
    prompt: Option<String>,
    prompt_name: Option<String>,
}

#[derive(Clone)]
enum Prompt {
    Text(String),
    /// One of the model's prompts.
    Named(String),
}

struct Model {
    folder: PathBuf,
    encoder: Encoder,
    modules: Modules,
    dimensions: usize,
    max_seq_length: usize,
    prompts: Vec<(String, String)>,
    device: Device,
    opened: candle_core::Device,
}

impl SentenceTransformer {
    /// Loads a model folder as saved by sentence-transformers or stored on the Hub: `modules.json`, `config.json`,
    /// `tokenizer.json`, `model.safetensors` (whole or sharded) or `pytorch_model.bin`. A folder without `modules.json`
    /// is treated as an encoder with mean pooling.
    ///
    /// # Errors
    /// [`ErrorKind::Model`], naming the file: one that is missing, damaged or truncated, or an architecture that is not
    /// supported.
    pub fn from_dir(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let (model, settings) = Model::load(folder, Device::Cpu)?;
        let mut tokenizer = TextTokenizer::load(&model.modules.transformer)?;
        if settings.lower_case {
            tokenizer.lower_case()?;
        }
        tokenizer.set_length(model.max_seq_length)?;
        let prompt = Prompt::Text(settings.prompt);
        Ok(SentenceTransformer { model: Arc::new(model), tokenizer, max_seq_length: None, prompt })
    }

    /// Moves the model to `device`, by loading it again unless it is already there: this returns an error if the device
    /// cannot be used, or the folder is damaged.
    ///
    /// # Errors
    /// A device that cannot be used; otherwise as [`from_dir`](Self::from_dir).
    pub fn device(mut self, device: Device) -> Result<Self> {
        if self.model.device != device {
            self.model = Arc::new(Model::load(&self.model.folder, device)?.0);
        }
        Ok(self)
    }

    /// Maximum number of tokens used of each text, including those that the model adds: from 3 (more if it adds more than
    /// two) to the model's number of positions. Default: the model's own.
    #[must_use]
    pub fn max_seq_length(mut self, max_seq_length: usize) -> Self {
        self.max_seq_length = Some(max_seq_length);
        // Set here, so that not every call has to copy the tokenizer. With a length that it refuses, it never runs:
        // `check` refuses the same.
        let _ = self.tokenizer.set_length(max_seq_length);
        self
    }

    /// The same model with the settings of a [`spec`](TextEmbedder::spec).
    pub(super) fn with_spec(self, spec: &Spec) -> Result<Self> {
        let SavedSettings { max_seq_length, prompt, prompt_name } = spec.read(Stage::Embed)?;
        let model = max_seq_length.into_iter().fold(self, Self::max_seq_length);
        let model = prompt.into_iter().fold(model, Self::prompt);
        Ok(prompt_name.into_iter().fold(model, Self::prompt_name))
    }

    /// The prompt that precedes each text; empty for none. Default: the model's default prompt, usually none.
    #[must_use]
    pub fn prompt(mut self, prompt: impl Into<String>) -> Self {
        self.prompt = Prompt::Text(prompt.into());
        self
    }

    /// Uses the model's prompt of this name, such as `query` or `passage`, instead of a [`prompt`](Self::prompt). The
    /// model must have it.
    #[must_use]
    pub fn prompt_name(mut self, name: impl Into<String>) -> Self {
        self.prompt = Prompt::Named(name.into());
        self
    }

    /// The vectors of `texts`, one row each, exactly as returned by the model: of length 1 only if it ends with
    /// `Normalize`. (As sentence-transformers' `encode`; [`TextEmbedder::embed_texts`] always returns length 1.)
    ///
    /// # Errors
    /// Those of [`check`](TextEmbedder::check); a text that the model's tokenizer fails on; interrupted work.
    pub fn encode(&self, texts: &[&str], progress: &Progress) -> Result<Array2<f32>> {
        self.check()?;
        let prompt = self.prompt_text()?;
        let task = progress.task(Stage::Embed, "texts", texts.len());
        check_memory(Stage::Embed, "the vectors of the texts", texts.len(), self.model.dimensions)?;
        let mut vectors = Array2::zeros((texts.len(), self.model.dimensions));
        let skipped = self.prompt_tokens(prompt)?;
        let width = self.model.dimensions;
        for (window, to) in texts.chunks(WINDOW).zip(vectors.axis_chunks_iter_mut(ndarray::Axis(0), WINDOW)) {
            let mut to = to;
            let tokens = self.tokenizer.encode_all(prompt, window)?;
            let batches = self.batches(&tokens);
            let pooled = workers::run(&batches, &self.model.opened, progress, |batch| {
                let vectors = self.model.embed(batch, skipped)?;
                task.advance(batch.iter().map(|text| text.rows.len()).sum());
                Ok(vectors)
            })?;
            for (batch, vectors) in batches.iter().zip(&pooled) {
                for (text, vector) in batch.iter().zip(vectors.chunks_exact(width)) {
                    for &row in &text.rows {
                        to.row_mut(row).assign(&ndarray::ArrayView1::from(vector));
                    }
                }
            }
        }
        task.finish()?;
        Ok(vectors)
    }

    /// Groups texts of similar length, longest first, without duplicates.
    fn batches<'a>(&self, tokens: &'a [Vec<u32>]) -> Vec<Vec<UniqueText<'a>>> {
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        order.sort_by(|&a, &b| {
            tokens[b].len().cmp(&tokens[a].len()).then_with(|| tokens[a].cmp(&tokens[b])).then(a.cmp(&b))
        });
        let max_tokens = if self.model.opened.is_cpu() { TOKENS_ON_CPU } else { TOKENS_ON_GPU };
        let mut batches: Vec<Vec<UniqueText<'a>>> = Vec::new();
        let mut batch_tokens = max_tokens;
        for row in order {
            let ids = tokens[row].as_slice();
            if let Some(text) = batches.last_mut().and_then(|batch| batch.last_mut()).filter(|text| text.ids == ids) {
                text.rows.push(row);
                continue;
            }
            if batch_tokens + ids.len() > max_tokens {
                batches.push(Vec::new());
                batch_tokens = 0;
            }
            batch_tokens += ids.len();
            if let Some(batch) = batches.last_mut() {
                batch.push(UniqueText { ids, rows: vec![row] });
            }
        }
        batches
    }

    /// The prompt that precedes each text.
    ///
    /// # Errors
    /// The model has no prompt of this name.
    fn prompt_text(&self) -> Result<&str> {
        let name = match &self.prompt {
            Prompt::Text(text) => return Ok(text),
            Prompt::Named(name) => name,
        };
        let prompts = &self.model.prompts;
        prompts.iter().find(|(known, _)| known == name).map(|(_, prompt)| prompt.as_str()).ok_or_else(|| {
            let known: Vec<&str> = prompts.iter().map(|(name, _)| name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let message = format!("the model has no prompt named `{name}`");
            Error::new(ErrorKind::NotFound, Stage::Embed, message).with_hint(format!("It has: {known}."))
        })
    }

    /// How many tokens of each text belong to the prompt and do not count.
    fn prompt_tokens(&self, prompt: &str) -> Result<usize> {
        if self.model.modules.pooling.include_prompt || prompt.is_empty() {
            return Ok(0);
        }
        let tokens = self.tokenizer.encode(prompt)?;
        let ends = tokens.last().is_some_and(|&last| self.tokenizer.is_special(last));
        Ok(tokens.len() - usize::from(ends))
    }
}

/// Texts with the same tokens.
struct UniqueText<'a> {
    ids: &'a [u32],
    /// Their rows in the window.
    rows: Vec<usize>,
}

impl Model {
    fn load(folder: &Path, device: Device) -> Result<(Self, Settings)> {
        check_folder(folder)?;
        let opened = device.open()?;
        let modules = Modules::load(folder, &opened)?;
        let config_path = modules.transformer.join("config.json");
        let config = read_json(&config_path)?;
        let encoder = Encoder::load(&config, &config_path, &Weights::open(&modules.transformer)?, &opened)?;
        let dimensions = check_widths(folder, &encoder, &modules)?;
        let settings = Settings::read(folder, &modules.transformer)?;
        let max_length = encoder.max_length();
        let max_seq_length = settings.length.unwrap_or(max_length).min(max_length);
        let prompts = settings.prompts.clone();
        let folder = folder.to_path_buf();
        Ok((Model { folder, encoder, modules, dimensions, max_seq_length, prompts, device, opened }, settings))
    }

    fn embed(&self, batch: &[UniqueText<'_>], skipped: usize) -> Result<Vec<f32>> {
        let texts: Vec<&[u32]> = batch.iter().map(|text| text.ids).collect();
        let (tokens, spans) = self.encoder.forward(&texts)?;
        let width = self.encoder.width();
        let tokens: Vec<f32> = tokens.flatten_all().and_then(|tokens| tokens.to_vec1()).map_err(compute_error)?;
        let pooled: Vec<f32> =
            spans.iter().flat_map(|span| self.modules.pooling.pool(&tokens, width, span, skipped)).collect();
        if self.modules.after.is_empty() {
            return Ok(pooled);
        }
        let shape = (texts.len(), self.modules.pooling.outputs(width));
        let mut x = candle_core::Tensor::from_vec(pooled, shape, &self.opened).map_err(compute_error)?;
        for module in &self.modules.after {
            x = module.forward(&x)?;
        }
        x.flatten_all().and_then(|x| x.to_vec1()).map_err(compute_error)
    }
}

/// The dimensions of the model's vectors; every module must accept the output of the one before it.
fn check_widths(folder: &Path, encoder: &Encoder, modules: &Modules) -> Result<usize> {
    let mut width = modules.pooling.outputs(encoder.width());
    for module in &modules.after {
        if let Some(inputs) = module.inputs().filter(|inputs| *inputs != width) {
            let message = format!("a Dense module expects {inputs} dimensions, but gets {width}");
            return Err(model_error(folder, &message));
        }
        width = module.outputs().unwrap_or(width);
    }
    Ok(width)
}

/// Settings from small files.
struct Settings {
    length: Option<usize>,
    lower_case: bool,
    prompts: Vec<(String, String)>,
    prompt: String,
}

/// The maximum number of characters in a prompt, which precedes every text.
const MAX_PROMPT_CHARS: usize = 10_000;

/// Where old models store the maximum text length.
const LENGTH_FILES: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

impl Settings {
    fn read(folder: &Path, transformer: &Path) -> Result<Self> {
        let path: Option<PathBuf> = LENGTH_FILES.iter().map(|name| transformer.join(name)).find(|path| path.exists());
        let config = path.map(|path| read_json(&path)).transpose()?.unwrap_or_default();
        let length = config.get("max_seq_length").and_then(Value::as_u64).filter(|length| *length >= 3);
        let length = match length {
            Some(length) => usize::try_from(length).ok(),
            None => TextTokenizer::configured_length(transformer)?,
        };
        let path = folder.join("config_sentence_transformers.json");
        let prompts = read_json_if_exists(&path)?.unwrap_or_default();
        let listed: Vec<(String, String)> = prompts
            .get("prompts")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())))
            .collect();
        if let Some((name, prompt)) = listed.iter().find(|(_, prompt)| prompt.chars().count() > MAX_PROMPT_CHARS) {
            let length = prompt.chars().count();
            let what = format!("its `prompts.{name:.100}` has {length} characters; the maximum is {MAX_PROMPT_CHARS}");
            return Err(model_error(&path, &what));
        }
        let default = prompts.get("default_prompt_name").and_then(Value::as_str);
        let prompt = listed.iter().find(|(name, _)| Some(name.as_str()) == default).map(|(_, prompt)| prompt.clone());
        Ok(Settings {
            length,
            lower_case: config.get("do_lower_case").and_then(Value::as_bool).unwrap_or(false),
            prompts: listed,
            prompt: prompt.unwrap_or_default(),
        })
    }
}

impl TextEmbedder for SentenceTransformer {
    /// Checks every parameter.
    ///
    /// # Errors
    /// A [`max_seq_length`](Self::max_seq_length) out of range; a [`prompt_name`](Self::prompt_name) that the model
    /// does not have.
    fn check(&self) -> Result<()> {
        if let Some(length) = self.max_seq_length {
            let (min_length, max_length) = (self.tokenizer.min_length().max(3), self.model.encoder.max_length());
            if !(min_length..=max_length).contains(&length) {
                let allowed = format!("{min_length} to {max_length}");
                return Err(Error::invalid_parameter(Stage::Embed, "max_seq_length", length, &allowed));
            }
        }
        self.prompt_text().map(|_| ())
    }

    fn dimensions(&self) -> usize {
        self.model.dimensions
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin::of_folder(&self.model.folder))
    }

    fn spec(&self) -> Option<Spec> {
        let (prompt, prompt_name) = match &self.prompt {
            Prompt::Text(prompt) => (Some(prompt.clone()), None),
            Prompt::Named(name) => (None, Some(name.clone())),
        };
        Spec::new("sentence_transformer", &SavedSettings { max_seq_length: self.max_seq_length, prompt, prompt_name })
    }

    fn embed_texts(&self, texts: &[&str], progress: &Progress) -> Result<Array2<f32>> {
        let mut vectors = self.encode(texts, progress)?;
        for mut row in vectors.outer_iter_mut() {
            row.as_slice_mut().map(scale_to_unit);
        }
        Ok(vectors)
    }
}

impl fmt::Debug for SentenceTransformer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Model { folder, dimensions, device, .. } = &*self.model;
        let length = self.max_seq_length.unwrap_or(self.model.max_seq_length);
        write!(f, "SentenceTransformer({}, {dimensions} dimensions, {length} tokens, {device}", folder.display())?;
        if let Ok(prompt) = self.prompt_text()
            && !prompt.is_empty()
        {
            write!(f, ", prompt {prompt:?}")?;
        }
        f.write_str(")")
    }
}
