//! A captioner loaded from a folder.

use std::fmt;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use rayon::prelude::*;

use super::blip_text::BlipText;
use super::config::{CaptionerConfig, DecoderKind};
use super::decoder::{Decoder, Past};
use super::generation_config::GenerationConfig;
use super::gpt2::Gpt2;
use super::session::Session;
use super::tokenizer::CaptionTokenizer;
use super::{beam_search, greedy, vision};
use crate::error::Result;
use crate::nn::device::Device;
use crate::nn::image_input::preprocessor;
use crate::nn::model_folder::{check_folder, compute_error};
use crate::nn::transformer::{Activation, Linear};
use crate::nn::vision_transformer::VisionTransformer;
use crate::progress::Progress;
use crate::vision::{ImageSource, Limits, RgbImage, decode, decode_as_stored};

/// The model, with everything from its folder.
pub(super) struct Model {
    pub(super) folder: PathBuf,
    pub(super) device: Device,
    pub(super) opened: candle_core::Device,
    pub(super) tokenizer: CaptionTokenizer,
    /// The model's own search settings.
    pub(super) generation: GenerationConfig,
    /// Whether captions may begin with a prompt.
    pub(super) accepts_prompts: bool,
    pub(super) max_position_embeddings: usize,
    pub(super) vocab_size: usize,
    encoder: VisionTransformer,
    /// The projection between encoder and decoder, if their widths differ.
    projection: Option<Linear>,
    decoder: Box<dyn Decoder>,
}

impl Model {
    pub(super) fn load(folder: &Path, device: Device) -> Result<Self> {
        check_folder(folder)?;
        let (config, weights) = CaptionerConfig::read(folder)?;
        let opened = device.open()?;
        let preprocessor = preprocessor(folder, config.vision.image_size)?;
        let generation = config.generation;
        let special = generation.start_tokens.iter().chain(&generation.eos_token_id).chain([&generation.pad_token_id]);
        let tokenizer = CaptionTokenizer::load(folder, &special.copied().collect::<Vec<u32>>())?;
        let is_blip = matches!(config.decoder.kind, DecoderKind::Blip);
        let encoder = weights.pp(if is_blip { "vision_model" } else { "encoder" });
        let layout = if is_blip { &vision::BLIP } else { vision::vit(&encoder) };
        let (image_width, width) = (config.vision.encoder.hidden_size, config.decoder.hidden_size);
        let projection = match !is_blip && image_width != width {
            true => Some(Linear::load(&weights.pp("enc_to_dec_proj"), image_width, width, true, &opened)?),
            false => None,
        };
        Ok(Model {
            folder: folder.to_path_buf(),
            device,
            encoder: VisionTransformer::load(&encoder, layout, &config.vision, preprocessor, &opened)?,
            decoder: match is_blip {
                true => Box::new(BlipText::load(&weights.pp("text_decoder"), &config.decoder, image_width, &opened)?),
                false => Box::new(Gpt2::load(&weights.pp("decoder"), &config.decoder, &opened)?),
            },
            max_position_embeddings: config.decoder.max_position_embeddings,
            vocab_size: config.decoder.vocab_size,
            opened,
            tokenizer,
            generation,
            accepts_prompts: is_blip,
            projection,
        })
    }

    /// The part of an image that the encoder sees.
    pub(super) fn read_image(&self, image: &ImageSource<'_>, limits: &Limits, upright: bool) -> Result<RgbImage> {
        let image = if upright { decode(image, limits) } else { decode_as_stored(image, limits) };
        image.map(|image| self.encoder.fit(&image))
    }

    /// As [`read_image`](Self::read_image), each or the reason why there is none.
    pub(super) fn read_images(
        &self,
        images: &[ImageSource<'_>],
        limits: &Limits,
        upright: bool,
    ) -> Vec<Result<RgbImage>> {
        images.par_iter().map(|image| self.read_image(image, limits, upright)).collect()
    }

    /// The tokens of a caption for each image.
    pub(super) fn generate(
        &self,
        images: &[RgbImage],
        config: &GenerationConfig,
        progress: &Progress,
    ) -> Result<Vec<Vec<u32>>> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let states = self.decoder_input(images, progress)?;
        let session = Session::new(&*self.decoder, self.decoder.memory(&states, images.len())?);
        match config.num_beams {
            1 => greedy::run(session, config, progress),
            _ => beam_search::run(session, config, progress),
        }
    }

    /// The encoder's output for images, (images x tokens) x width.
    pub(super) fn encode(&self, images: &[RgbImage], progress: &Progress) -> Result<Tensor> {
        self.encoder.forward(images, progress)
    }

    /// What the decoder sees of images: the encoder's output, at the decoder's width.
    fn decoder_input(&self, images: &[RgbImage], progress: &Progress) -> Result<Tensor> {
        let states = self.encode(images, progress)?;
        match &self.projection {
            Some(projection) => projection.forward(&states, Activation::None),
            None => Ok(states),
        }
    }

    /// The scores of all tokens after each of `tokens`, tokens x vocabulary, row by row.
    pub(super) fn scores(&self, image: RgbImage, tokens: &[u32]) -> Result<Vec<f32>> {
        let states = self.decoder_input(&[image], &Progress::silent())?;
        let (memory, mut past) = (self.decoder.memory(&states, 1)?, Past::default());
        let mut all = Vec::new();
        for token in tokens {
            let scores = self.decoder.scores(&self.decoder.step(&memory, &mut past, &[*token])?)?;
            all.extend(scores.flatten_all().and_then(|scores| scores.to_vec1::<f32>()).map_err(compute_error)?);
        }
        Ok(all)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: images of {1} x {1}, {2:?}", self.folder.display(), self.encoder.image_size(), self.decoder)
    }
}
