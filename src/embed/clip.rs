//! CLIP and SigLIP: embed texts and images in one vector space.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Device, Fusion, ImageEmbedder, JointEmbedder, TextEmbedder};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::hub::Origin;
use crate::nn::image_input::preprocessor;
use crate::nn::weights::Weights;
use crate::progress::Progress;
use crate::spec::Spec;
use crate::vision::{ImageSource, Limits, OnImageError, Preprocessor};

mod batches;
mod config;
mod folder;
mod layer_names;
mod prompts;
mod tensors;
mod text_tower;
mod vision_tower;

use batches::ImageReading;
use config::ModelConfig;
use prompts::PromptTokenizer;
use text_tower::TextTower;
use vision_tower::VisionTower;

/// Embeds texts and images in one vector space, with CLIP or SigLIP.
///
/// | setting | default |
/// |---|---|
/// | [`batch_size`](Self::batch_size) | 32 |
/// | [`fusion`](Self::fusion) | equal weights |
/// | [`text_tower`](Self::text_tower) | the model's own |
/// | [`device`](Self::device) | the CPU |
/// | [`upright`](Self::upright) | yes |
/// | [`on_error`](Self::on_error) | [`OnImageError::Skip`] |
/// | [`limits`](Self::limits) | those of [`Limits::new`] |
/// | [`progress`](Self::progress) | silent |
///
/// Vectors have length 1; a text without tokens and an image that cannot be read yield zeros. A text that exceeds the
/// model's maximum length is truncated, never an error. A row does not depend on the rows around it, nor on the number
/// of threads. Cloning is cheap.
///
/// ```no_run
/// use std::path::Path;
/// use topicframe::embed::MultiModalBackend;
///
/// let model = MultiModalBackend::from_dir("clip-ViT-B-32")?;
/// let doc_embeddings = model.embed_documents(&["a dog on a beach", "two boats"])?;
/// let image_embeddings = model.embed_images(&[Path::new("dog.jpg").into(), Path::new("boats.jpg").into()])?;
/// # Ok::<(), topicframe::error::Error>(())
/// ```
#[derive(Clone)]
pub struct MultiModalBackend {
    model: Arc<Model>,
    text_tower: Option<Arc<dyn TextEmbedder>>,
    batch_size: usize,
    fusion: Fusion,
    reading: ImageReading,
    progress: Progress,
}

struct Model {
    folder: PathBuf,
    config: ModelConfig,
    tokenizer: PromptTokenizer,
    preprocessor: Preprocessor,
    weights: Weights,
    /// Each tower is read on first use: embedding images alone does not need the other.
    text: OnceLock<Result<TextTower>>,
    vision: OnceLock<Result<VisionTower>>,
    device: Device,
    opened: candle_core::Device,
}

impl MultiModalBackend {
    /// Loads a folder in Hugging Face's layout (`config.json` of a `CLIPModel` or a `SiglipModel`, `model.safetensors`
    /// or `pytorch_model.bin`, `tokenizer.json` or `vocab.json` and `merges.txt`, `preprocessor_config.json`), or in
    /// sentence-transformers' layout (`modules.json`, with the same files next to it or in `0_CLIPModel`). Everything
    /// is checked; the weights of a tower are read into memory on first use.
    ///
    /// # Errors
    /// [`ErrorKind::Model`], naming the file: the folder or one of its files is missing or damaged, its architecture is
    /// not supported, or its sizes are invalid or inconsistent.
    pub fn from_dir(folder: impl AsRef<Path>) -> Result<Self> {
        Ok(MultiModalBackend {
            model: Arc::new(Model::load(folder.as_ref(), Device::Cpu)?),
            text_tower: None,
            batch_size: 32,
            fusion: Fusion::new(),
            reading: ImageReading { limits: Limits::new(), upright: true, on_error: OnImageError::Skip },
            progress: Progress::silent(),
        })
    }

    /// Moves the model to `device`, by loading it again unless it is already there: this returns an error if the device
    /// cannot be used, or the folder is damaged.
    ///
    /// # Errors
    /// A device that cannot be used; otherwise as [`from_dir`](Self::from_dir).
    pub fn device(mut self, device: Device) -> Result<Self> {
        if self.model.device != device {
            self.model = Arc::new(Model::load(&self.model.folder, device)?);
        }
        Ok(self)
    }

    /// Maximum number of texts or images that go through the model together; default 32. On the CPU, a thread takes
    /// fewer if they would not fit its caches; the vectors are the same. At least 1.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// How [`embed`](Self::embed) combines the text vector and the image vector of a row; default equal weights.
    #[must_use]
    pub fn fusion(mut self, fusion: Fusion) -> Self {
        self.fusion = fusion;
        self
    }

    /// Sets another model for the texts, trained to produce vectors in the space of this model's images, such as
    /// `clip-ViT-B-32-multilingual-v1` for `clip-ViT-B-32`. It must have this model's
    /// [`dimensions`](ImageEmbedder::dimensions).
    #[must_use]
    pub fn text_tower(mut self, text_tower: impl TextEmbedder + 'static) -> Self {
        self.text_tower = Some(Arc::new(text_tower));
        self
    }

    /// Whether images are rotated according to their Exif orientation before the model sees them; default true.
    /// Pillow's `Image.open`, and with it sentence-transformers and BERTopic, does not rotate them.
    #[must_use]
    pub fn upright(mut self, upright: bool) -> Self {
        self.reading.upright = upright;
        self
    }

    /// What to do about images that cannot be read; default [`OnImageError::Skip`]: their vectors are zeros, and a note
    /// reports their number and the first reasons. If no image can be read, this is always an error.
    #[must_use]
    pub fn on_error(mut self, on_error: OnImageError) -> Self {
        self.reading.on_error = on_error;
        self
    }

    /// Size limits for images; larger ones cannot be read. Default [`Limits::new`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.reading.limits = limits;
        self
    }

    /// The model with the limits that `change` returns for its present ones, if any.
    pub(super) fn change_limits(self, change: impl FnOnce(Limits) -> Option<Limits>) -> Self {
        match change(self.reading.limits) {
            Some(limits) => self.limits(limits),
            None => self,
        }
    }

    /// Where [`embed_documents`](Self::embed_documents), [`embed_images`](Self::embed_images) and
    /// [`embed`](Self::embed) report their progress; default silent. A [`TopicModel`](crate::model::TopicModel) has its
    /// own.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// The folder that the model was loaded from.
    pub fn folder(&self) -> &Path {
        &self.model.folder
    }

    /// One row for each text: n x dimensions.
    ///
    /// # Errors
    /// Those of [`check`](TextEmbedder::check), of the text tower, and of a damaged model.
    pub fn embed_documents(&self, documents: &[&str]) -> Result<Array2<f32>> {
        TextEmbedder::embed_texts(self, documents, &self.progress)
    }

    /// One row for each image: n x dimensions.
    ///
    /// # Errors
    /// Those of [`check`](ImageEmbedder::check) and of a damaged model; no image can be read; with
    /// [`OnImageError::Fail`], the first one that cannot be read.
    pub fn embed_images(&self, images: &[ImageSource<'_>]) -> Result<Array2<f32>> {
        ImageEmbedder::embed_images(self, images, &self.progress)
    }

    /// One row for each pair of a text and an image, fused: n x dimensions. `None`, an empty text and an image that
    /// cannot be read count as missing: the row uses the other one, or is zeros. Either list may be empty if the other
    /// is not.
    ///
    /// # Errors
    /// Texts and images that differ in number; as [`embed_documents`](Self::embed_documents) and
    /// [`embed_images`](Self::embed_images).
    pub fn embed(&self, documents: &[Option<&str>], images: &[Option<ImageSource<'_>>]) -> Result<Array2<f32>> {
        TextEmbedder::check(self)?;
        let rows = documents.len().max(images.len());
        if [documents.len(), images.len()].iter().any(|n| *n != rows && *n != 0) {
            let message = format!("there are {} documents and {} images", documents.len(), images.len());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message)
                .with_hint("Pass one of each for every row, `None` where a row lacks it, or an empty list."));
        }
        let not_empty: Vec<Option<&str>> =
            documents.iter().map(|text| text.filter(|text| !text.trim().is_empty())).collect();
        let texts = self.spread(rows, &not_empty, |texts| self.embed_documents(texts))?;
        let images = self.spread(rows, images, |images| self.embed_images(images))?;
        self.fusion.fuse(texts.view(), images.view())
    }

    /// Embeds the items that are present; zeros for the rest.
    fn spread<T: Clone>(
        &self,
        rows: usize,
        items: &[Option<T>],
        embed: impl Fn(&[T]) -> Result<Array2<f32>>,
    ) -> Result<Array2<f32>> {
        let mut out = Array2::zeros((rows, self.model.config.projection_dim));
        let (present_rows, present): (Vec<usize>, Vec<T>) =
            items.iter().enumerate().filter_map(|(row, item)| Some((row, item.clone()?))).unzip();
        if !present.is_empty() {
            let vectors = embed(&present)?;
            present_rows.iter().zip(vectors.outer_iter()).for_each(|(row, vector)| out.row_mut(*row).assign(&vector));
        }
        Ok(out)
    }

    fn batches(&self) -> (usize, &candle_core::Device) {
        (self.batch_size, &self.model.opened)
    }
}

/// The settings that are saved.
#[derive(Serialize, Deserialize)]
struct Settings {
    upright: bool,
    on_error: OnImageError,
    limits: Limits,
    /// The text tower, for people: it is not loaded again.
    text_tower: Option<String>,
}

impl MultiModalBackend {
    fn saved(&self) -> Option<Spec> {
        let ImageReading { limits, upright, on_error } = self.reading;
        let text_tower = self.text_tower.as_ref().map(|tower| format!("{tower:?}"));
        Spec::new("multi_modal", &Settings { upright, on_error, limits, text_tower })
    }

    /// The same model with the settings of a [`spec`](TextEmbedder::spec).
    pub(super) fn with_spec(self, spec: &Spec) -> Result<Self> {
        let Settings { upright, on_error, limits, text_tower } = spec.read(Stage::Embed)?;
        match text_tower {
            None => Ok(self.upright(upright).on_error(on_error).limits(limits)),
            Some(tower) => {
                let message =
                    format!("the model was used with the text tower `{tower:.200}`, which is not loaded again");
                let hint = "Give the loaded model the embedder with its text tower: topics.with_image_embedder(..).";
                Err(Error::new(ErrorKind::Model, Stage::Embed, message).with_hint(
                    Hint::new(hint).on_command_line("The command has no option for this: it takes a program."),
                ))
            }
        }
    }
}

impl Model {
    fn load(folder: &Path, device: Device) -> Result<Self> {
        let opened = device.open()?;
        let root = folder::locate(folder)?;
        let (config, weights) = ModelConfig::read(&root)?;
        let preprocessor = preprocessor(&root, config.vision.image_size)?;
        let tokenizer = PromptTokenizer::load(&root, &config.text, config.family)?;
        tensors::check(&weights, &config)?;
        Ok(Model {
            folder: folder.to_path_buf(),
            config,
            tokenizer,
            preprocessor,
            weights,
            text: OnceLock::new(),
            vision: OnceLock::new(),
            device,
            opened,
        })
    }

    fn text(&self) -> Result<&TextTower> {
        let load = || TextTower::load(&self.weights, &self.config, &self.opened);
        self.text.get_or_init(load).as_ref().map_err(Error::clone)
    }

    fn vision(&self) -> Result<&VisionTower> {
        let load = || VisionTower::load(&self.weights, &self.config, self.preprocessor.clone(), &self.opened);
        self.vision.get_or_init(load).as_ref().map_err(Error::clone)
    }
}

impl TextEmbedder for MultiModalBackend {
    /// Checks every parameter.
    ///
    /// # Errors
    /// A batch size of 0; a fusion weight or a limit that is out of range; as the text tower's `check`, or a text tower
    /// whose dimensions differ from those of the image vectors.
    fn check(&self) -> Result<()> {
        if self.batch_size == 0 {
            return Err(Error::invalid_parameter(Stage::Embed, "batch_size", self.batch_size, "at least 1"));
        }
        self.fusion.check()?;
        self.reading.limits.check(Stage::Embed)?;
        let Some(tower) = &self.text_tower else { return Ok(()) };
        tower.check()?;
        let (texts, images) = (tower.dimensions(), self.model.config.projection_dim);
        if texts == images {
            return Ok(());
        }
        let message = format!("the text tower has {texts} dimensions, but the image vectors have {images}");
        Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, message)
            .with_hint("Use a text tower that was trained for this exact model."))
    }

    fn dimensions(&self) -> usize {
        self.model.config.projection_dim
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin::of_folder(&self.model.folder))
    }

    fn spec(&self) -> Option<Spec> {
        self.saved()
    }

    fn embed_texts(&self, texts: &[&str], progress: &Progress) -> Result<Array2<f32>> {
        TextEmbedder::check(self)?;
        if let Some(tower) = &self.text_tower {
            return tower.embed_texts(texts, progress);
        }
        let (model, dimensions) = (&*self.model, self.model.config.projection_dim);
        batches::embed_texts(texts, &model.tokenizer, model.text()?, dimensions, self.batches(), progress)
    }
}

impl ImageEmbedder for MultiModalBackend {
    /// As for texts: it is one model, with one set of parameters.
    fn check(&self) -> Result<()> {
        TextEmbedder::check(self)
    }

    fn dimensions(&self) -> usize {
        self.model.config.projection_dim
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin::of_folder(&self.model.folder))
    }

    fn spec(&self) -> Option<Spec> {
        self.saved()
    }

    fn embed_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Array2<f32>> {
        ImageEmbedder::check(self)?;
        let (model, dimensions) = (&*self.model, self.model.config.projection_dim);
        batches::embed_images(images, model.vision()?, dimensions, &self.reading, self.batches(), progress)
    }

    fn text_side(&self) -> Option<&dyn TextEmbedder> {
        Some(self)
    }
}

impl JointEmbedder for MultiModalBackend {}

impl fmt::Debug for MultiModalBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (folder, dimensions) = (self.model.folder.display(), self.model.config.projection_dim);
        write!(f, "MultiModalBackend({folder}, {dimensions} dimensions, {})", self.model.device)?;
        match &self.text_tower {
            Some(tower) => write!(f, " with the text tower {tower:?}"),
            None => Ok(()),
        }
    }
}
