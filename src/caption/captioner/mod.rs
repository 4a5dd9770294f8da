//! Image captioning: an image encoder, and a decoder that generates one token at a time.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::ImageCaptioner;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::hub::Origin;
use crate::nn::device::Device;
use crate::nn::image_input::report_unreadable;
use crate::nn::model_folder::compute_error;
use crate::nn::workers;
use crate::progress::Progress;
use crate::spec::Spec;
use crate::vision::{ImageSource, Limits};

mod beam_search;
mod blip_text;
mod config;
mod decoder;
mod generation_config;
mod generation_overrides;
mod gpt2;
mod greedy;
mod load;
mod model;
mod session;
mod tokenizer;
mod vision;

pub use generation_config::EarlyStopping;
use generation_config::GenerationConfig;
use generation_overrides::GenerationOverrides;
use model::Model;

/// Images per batch, unless set with [`Captioner::batch_size`].
const DEFAULT_BATCH_SIZE: usize = 8;

/// Larger batches only take more memory.
const MAX_BATCH_SIZE: usize = 1_024;

/// Captions images with a model loaded from a folder.
///
/// Two architectures are supported, as declared in the folder's `config.json`: `VisionEncoderDecoderModel` with ViT and
/// GPT-2, such as `nlpconnect/vit-gpt2-image-captioning`, and `BlipForConditionalGeneration`, such as
/// `Salesforce/blip-image-captioning-base`. The folder contains `config.json`, `preprocessor_config.json`, the weights
/// (`model.safetensors`, whole or sharded, or `pytorch_model.bin`) and `tokenizer.json` (or GPT-2's `vocab.json`, or
/// BLIP's `vocab.txt`).
///
/// Captions match those of transformers with the same settings (checked against 5.24): greedy search, or beam search if
/// [`num_beams`](Self::num_beams) is above 1. Unset settings default to the model's own, from `generation_config.json`
/// or `config.json`, and otherwise to those of transformers: 20 new tokens, 1 beam. Sampling (`do_sample`) is ignored,
/// so the same image always gets the same caption.
///
/// Captions do not depend on the other images of a call, nor on the number of threads. Cloning is cheap.
///
/// ```no_run
/// use std::path::PathBuf;
/// use topicframe::caption::{Captioner, ImageCaptioner};
/// use topicframe::progress::Progress;
/// use topicframe::vision::ImageSource;
///
/// let captioner = Captioner::from_dir("models/vit-gpt2-image-captioning")?.max_length(16).num_beams(4);
/// let images = [ImageSource::File(PathBuf::from("boat.jpg"))];
/// let captions = captioner.caption_images(&images, &Progress::silent())?;
/// # Ok::<(), topicframe::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Captioner {
    model: Arc<Model>,
    overrides: GenerationOverrides,
    batch_size: usize,
    upright: bool,
    limits: Limits,
}

/// The settings that are saved.
#[derive(Serialize, Deserialize)]
struct Settings {
    overrides: GenerationOverrides,
    batch_size: usize,
    upright: bool,
    limits: Limits,
}

impl Captioner {
    /// Loads the model in `folder` on the CPU.
    ///
    /// # Errors
    /// [`ErrorKind::Model`], naming the file, if the folder or a file is missing, too large or damaged, if the model's
    /// architecture is not supported, or if its tensors do not have the sizes declared in its configuration.
    pub fn from_dir(folder: impl AsRef<Path>) -> Result<Self> {
        Ok(Captioner {
            model: Arc::new(Model::load(folder.as_ref(), Device::Cpu)?),
            overrides: GenerationOverrides::default(),
            batch_size: DEFAULT_BATCH_SIZE,
            upright: true,
            limits: Limits::default(),
        })
    }

    /// Moves the model to `device`, by loading it again unless it is already there: this returns an error if the device
    /// cannot be used, or the folder is damaged.
    ///
    /// # Errors
    /// [`ErrorKind::Model`] if the device cannot be used; otherwise as [`from_dir`](Self::from_dir).
    pub fn device(mut self, device: Device) -> Result<Self> {
        if self.model.device != device {
            self.model = Arc::new(Model::load(&self.model.folder, device)?);
        }
        Ok(self)
    }

    /// Maximum number of tokens in a caption, including the start token and the prompt, as transformers counts them.
    /// Default: the model's own, otherwise 20 more than the start token and the prompt. At least one more than these,
    /// at most the model's number of positions (1,024 in GPT-2, 512 in BLIP).
    #[must_use]
    pub fn max_length(mut self, max_length: usize) -> Self {
        self.overrides.max_length = Some(max_length);
        self
    }

    /// Number of beams in the beam search, which returns the most likely caption. 1 means greedy search. Default: the
    /// model's own, otherwise 1. From 1 to 100.
    #[must_use]
    pub fn num_beams(mut self, num_beams: usize) -> Self {
        self.overrides.num_beams = Some(num_beams);
        self
    }

    /// Length penalty: with several beams, a caption's score is divided by its length to this power, so values above 0
    /// favor long captions. Default: the model's own, otherwise 1. From -100 to 100.
    #[must_use]
    pub fn length_penalty(mut self, length_penalty: f64) -> Self {
        self.overrides.length_penalty = Some(length_penalty);
        self
    }

    /// When a beam search stops. Default: the model's own, otherwise [`EarlyStopping::Heuristic`].
    #[must_use]
    pub fn early_stopping(mut self, early_stopping: EarlyStopping) -> Self {
        self.overrides.early_stopping = Some(early_stopping);
        self
    }

    /// Size of the n-grams that may not repeat within a caption; 0 for no restriction. Default: the model's own,
    /// otherwise 0. At most 1,000.
    #[must_use]
    pub fn no_repeat_ngram_size(mut self, no_repeat_ngram_size: usize) -> Self {
        self.overrides.no_repeat_ngram_size = Some(no_repeat_ngram_size);
        self
    }

    /// Number of images that a thread captions together; larger batches take more memory and are faster up to a point.
    /// Captions do not depend on it. Default 8. From 1 to 1,024.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// The prompt that every caption begins with, such as `a photography of`. Only BLIP accepts one. Default: none.
    #[must_use]
    pub fn prompt(mut self, prompt: impl Into<String>) -> Self {
        self.overrides.prompt = Some(prompt.into());
        self
    }

    /// Whether images are rotated upright according to their Exif orientation. Default: yes, as in transformers;
    /// Pillow's `Image.open` leaves them as stored.
    #[must_use]
    pub fn upright(mut self, upright: bool) -> Self {
        self.upright = upright;
        self
    }

    /// Size limits for images. Default: [`Limits::default`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The tokens of each image's caption, from the start token to the end token, which is missing if the caption was
    /// truncated; `None` for an image that cannot be read.
    ///
    /// # Errors
    /// As [`caption_images`](ImageCaptioner::caption_images).
    pub fn caption_tokens(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Vec<Option<Vec<u32>>>> {
        let config = self.generation_config()?;
        let task = progress.task(Stage::Embed, "captions", images.len());
        let batches = self.batches(images.len());
        let generated = workers::run(&batches, &self.model.opened, progress, |batch| {
            let images = images.get(batch.clone()).unwrap_or_default();
            let captions = self.generate(images, &config, progress)?;
            task.advance(images.len());
            Ok(captions)
        })?;
        task.finish()?;
        let captions: Vec<Result<Vec<u32>>> = generated.into_iter().flatten().collect();
        let broken: Vec<&Error> = captions.iter().filter_map(|caption| caption.as_ref().err()).collect();
        report_unreadable(&broken, images.len(), "caption", progress)?;
        Ok(captions.into_iter().map(|caption| caption.ok()).collect())
    }

    /// The encoder's output for an image (its last hidden state, normalized): one row for the class token, then one for
    /// each patch.
    ///
    /// # Errors
    /// [`ErrorKind::Image`] if the image cannot be read.
    #[doc(hidden)] // For the tests, which compare it with transformers'.
    pub fn image_states(&self, image: &ImageSource<'_>) -> Result<Array2<f32>> {
        let image = self.model.read_image(image, &self.limits, self.upright)?;
        let states = self.model.encode(&[image], &Progress::silent())?;
        let values = states.flatten_all().and_then(|states| states.to_vec1()).map_err(compute_error)?;
        matrix(states.dims().first().copied().unwrap_or(0), values)
    }

    /// The logits of all tokens in the vocabulary after each of `tokens`, which begin a caption of the image: tokens x
    /// vocabulary.
    ///
    /// # Errors
    /// [`ErrorKind::Image`] if the image cannot be read; [`ErrorKind::InvalidParameter`] if there are more tokens than
    /// the model has positions, or if a token is not in its vocabulary.
    #[doc(hidden)] // For the tests, which compare it with transformers'.
    pub fn token_scores(&self, image: &ImageSource<'_>, tokens: &[u32]) -> Result<Array2<f32>> {
        let (positions, vocab_size) = (self.model.max_position_embeddings, self.model.vocab_size);
        if tokens.len() > positions || tokens.iter().any(|token| *token as usize >= vocab_size) {
            let allowed = format!("at most {positions} tokens, each below {vocab_size}");
            return Err(Error::invalid_parameter(
                Stage::Embed,
                "tokens",
                format!("({} tokens)", tokens.len()),
                &allowed,
            ));
        }
        let image = self.model.read_image(image, &self.limits, self.upright)?;
        matrix(tokens.len(), self.model.scores(image, tokens)?)
    }

    /// The same model with the settings of a [`spec`](ImageCaptioner::spec).
    pub(crate) fn with_spec(self, spec: &Spec) -> Result<Self> {
        let Settings { overrides, batch_size, upright, limits } = spec.read(Stage::Embed)?;
        Ok(Captioner { overrides, batch_size, upright, limits, ..self })
    }

    fn generation_config(&self) -> Result<GenerationConfig> {
        self.limits.check(Stage::Embed)?;
        if !(1..=MAX_BATCH_SIZE).contains(&self.batch_size) {
            return Err(Error::invalid_parameter(Stage::Embed, "batch_size", self.batch_size, "1 to 1,024"));
        }
        self.overrides.apply(&self.model)
    }

    /// The images of each batch: no more than the batch size, and no thread idle while another has several.
    fn batches(&self, images: usize) -> Vec<Range<usize>> {
        let threads = match self.model.opened {
            candle_core::Device::Cpu => rayon::current_num_threads().max(1),
            _ => 1,
        };
        let rounds = images.div_ceil(threads.saturating_mul(self.batch_size)).max(1);
        let size = images.div_ceil(threads.saturating_mul(rounds)).max(1);
        (0..images).step_by(size).map(|first| first..(first + size).min(images)).collect()
    }

    /// The tokens of a batch's captions, each or the reason why there is none.
    fn generate(
        &self,
        images: &[ImageSource<'_>],
        config: &GenerationConfig,
        progress: &Progress,
    ) -> Result<Vec<Result<Vec<u32>>>> {
        let read = self.model.read_images(images, &self.limits, self.upright);
        let (mut readable, mut captions) = (Vec::new(), Vec::with_capacity(read.len()));
        for image in read {
            captions.push(image.map(|image| {
                readable.push(image);
                Vec::new()
            }));
        }
        let generated = self.model.generate(&readable, config, progress)?;
        for (caption, tokens) in captions.iter_mut().flatten().zip(generated) {
            *caption = tokens;
        }
        Ok(captions)
    }
}

fn matrix(count: usize, values: Vec<f32>) -> Result<Array2<f32>> {
    let width = values.len() / count.max(1);
    Array2::from_shape_vec((count, width), values).map_err(|cause| {
        Error::new(ErrorKind::Internal, Stage::Embed, "the rows do not fill a matrix").with_cause(cause)
    })
}

impl ImageCaptioner for Captioner {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidParameter`] for a value out of range, or for a prompt if the model does not accept one.
    fn check(&self) -> Result<()> {
        self.generation_config().map(|_| ())
    }

    /// One caption for each image, trimmed, with single spaces.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidParameter`] as [`check`](ImageCaptioner::check); [`ErrorKind::Image`] if no image can be
    /// read; [`ErrorKind::Model`] if the model's scores or tokens do not form a caption; [`ErrorKind::Interrupted`].
    fn caption_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Vec<Option<String>>> {
        let tokens = self.caption_tokens(images, progress)?;
        tokens
            .iter()
            .map(|tokens| tokens.as_ref().map(|tokens| self.model.tokenizer.decode(tokens)).transpose())
            .collect()
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin::of_folder(&self.model.folder))
    }

    fn spec(&self) -> Option<Spec> {
        let Captioner { overrides, batch_size, upright, limits, .. } = self.clone();
        Spec::new("captioner", &Settings { overrides, batch_size, upright, limits })
    }
}

impl fmt::Debug for Captioner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Captioner({:?})", self.model)
    }
}
