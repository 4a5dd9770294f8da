//! A captioner loaded from a folder.

use std::fmt;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use rayon::prelude::*;

use super::blip_text::BlipText;
use super::config::{self, DecoderKind};
use super::decoder::{Decoder, Past};
use super::gpt2::Gpt2;
use super::search::Search;
use super::vision::VisionEncoder;
use super::words::Words;
use super::{beam_search, greedy};
use crate::error::Result;
use crate::nn::device::Device;
use crate::nn::image_input::preprocessor;
use crate::nn::model_folder::{check_folder, computing};
use crate::nn::transformer::{Activation, Linear};
use crate::progress::Progress;
use crate::vision::{ImageSource, Limits, Preprocessor, decode, decode_as_stored};

/// The model, with everything from its folder.
pub(super) struct Loaded {
    pub(super) folder: PathBuf,
    pub(super) place: Device,
    pub(super) device: candle_core::Device,
    pub(super) words: Words,
    /// The model's own search settings.
    pub(super) search: Search,
    /// Whether captions may begin with a prompt.
    pub(super) takes_prompts: bool,
    pub(super) positions: usize,
    pub(super) vocabulary: usize,
    preprocessor: Preprocessor,
    vision: VisionEncoder,
    /// The projection between encoder and decoder, if their widths differ.
    bridge: Option<Linear>,
    decoder: Box<dyn Decoder>,
}

impl Loaded {
    pub(super) fn read(folder: &Path, device: Device) -> Result<Self> {
        check_folder(folder)?;
        let (config::Description { vision, decoder, search }, weights) = config::read(folder)?;
        let (place, device) = (device, device.open()?);
        let preprocessor = preprocessor(folder, vision.image)?;
        let special: Vec<u32> = search.start.iter().chain(&search.end).chain([&search.fill]).copied().collect();
        let words = Words::load(folder, &special)?;
        let takes_prompts = matches!(decoder.kind, DecoderKind::Blip);
        let encoder = weights.pp(if takes_prompts { "vision_model" } else { "encoder" });
        let bridge = match !takes_prompts && vision.width != decoder.width {
            true => {
                let bridge = weights.pp("enc_to_dec_proj");
                Some(Linear::load(&bridge, vision.width, decoder.width, true, &device)?)
            }
            false => None,
        };
        Ok(Loaded {
            folder: folder.to_path_buf(),
            place,
            vision: VisionEncoder::load(&encoder, &vision, takes_prompts, &device)?,
            decoder: match takes_prompts {
                true => Box::new(BlipText::load(&weights.pp("text_decoder"), &decoder, vision.width, &device)?),
                false => Box::new(Gpt2::load(&weights.pp("decoder"), &decoder, &device)?),
            },
            positions: decoder.positions,
            vocabulary: decoder.vocabulary,
            device,
            words,
            search,
            takes_prompts,
            preprocessor,
            bridge,
        })
    }

    /// An image as the encoder's input.
    pub(super) fn pixels(&self, image: &ImageSource<'_>, limits: &Limits, upright: bool) -> Result<Vec<f32>> {
        let image = if upright { decode(image, limits) } else { decode_as_stored(image, limits) };
        image.map(|image| self.preprocessor.pixels(&image))
    }

    /// The tokens of a caption for each image.
    pub(super) fn write(&self, pixels: &[Vec<f32>], search: &Search, progress: &Progress) -> Result<Vec<Vec<u32>>> {
        if pixels.is_empty() {
            return Ok(Vec::new());
        }
        let states = self.states(pixels, progress)?;
        let memory = self.decoder.look(&states, pixels.len())?;
        match search.num_beams {
            1 => greedy::search(&*self.decoder, memory, search, progress),
            _ => beam_search::search(&*self.decoder, memory, search, progress),
        }
    }

    /// The encoder's output for images, (images x states) x width.
    pub(super) fn encoded(&self, pixels: &[Vec<f32>], progress: &Progress) -> Result<Tensor> {
        self.vision.forward(pixels, progress)
    }

    /// What the decoder sees of images: the encoder's output, at the decoder's width.
    fn states(&self, pixels: &[Vec<f32>], progress: &Progress) -> Result<Tensor> {
        let states = self.encoded(pixels, progress)?;
        match &self.bridge {
            Some(bridge) => bridge.forward(&states, Activation::None),
            None => Ok(states),
        }
    }

    /// The scores of all tokens after each of `tokens`, tokens x vocabulary, row by row.
    pub(super) fn scores(&self, pixels: Vec<f32>, tokens: &[u32]) -> Result<Vec<f32>> {
        let states = self.states(&[pixels], &Progress::silent())?;
        let (memory, mut past) = (self.decoder.look(&states, 1)?, Past::default());
        let mut all = Vec::new();
        for token in tokens {
            let scores = self.decoder.scores(&self.decoder.step(&memory, &mut past, &[*token])?)?;
            all.extend(scores.flatten_all().and_then(|scores| scores.to_vec1::<f32>()).map_err(computing)?);
        }
        Ok(all)
    }

    /// Images as the encoder's input, each or the reason why there is none.
    pub(super) fn all_pixels(
        &self,
        images: &[ImageSource<'_>],
        limits: &Limits,
        upright: bool,
    ) -> Vec<Result<Vec<f32>>> {
        images.par_iter().map(|image| self.pixels(image, limits, upright)).collect()
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: images of {1} x {1}, {2:?}", self.folder.display(), self.vision.image(), self.decoder)
    }
}
