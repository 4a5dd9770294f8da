//! Representing topics by images.
//!
//! BERTopic's `VisualRepresentation` combines the images of the best matching texts into a collage, in random sample
//! order and including duplicates, and fails on the first file that it cannot open. Here, a topic's images are those
//! nearest to its mean image embedding if image embeddings exist, and otherwise those with the best matching texts.
//! They are sorted by score and deduplicated, and unreadable images are skipped and reported. The images are stored as
//! a table; collages are created on demand.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Aspect, Representation, Representatives, TopicContext, TopicWords};
use crate::caption::ImageCaptioner;
use crate::corpus::ImageColumn;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::progress::Progress;
use crate::spec::Spec;
use crate::vision::{Collage, Limits};

mod choice;
mod gallery;
mod ranking;
mod thumbnails;

pub use crate::vision::OnImageError;
pub use gallery::SavedImages;
pub(crate) use gallery::SavedPictures;
pub use gallery::{Gallery, Picture, SkippedImage};
pub use ranking::Ranking;

use choice::{Choice, TopicChoice};

/// The maximum number of images per topic: beyond that, a collage is no longer useful.
const MAX_IMAGES: usize = 100;

/// Describes every topic, including outliers, by its best images: a [`Gallery`].
///
/// | setting | default |
/// |---|---|
/// | [`nr_repr_images`](Self::nr_repr_images) | 9 |
/// | [`representatives`](Self::representatives) | [`Representatives::Best`] |
/// | [`image_height`](Self::image_height) | 600 pixels |
/// | [`image_squares`](Self::image_squares) | no |
/// | [`on_error`](Self::on_error) | [`OnImageError::Skip`] |
/// | [`limits`](Self::limits) | [`Limits::new`] |
/// | [`image_to_text_model`](Self::image_to_text_model) | none |
///
/// BERTopic's `nr_samples` and `batch_size` have no equivalent: every row of a topic is a candidate.
///
/// ```
/// use topicframe::prelude::*;
///
/// let folder = "examples/data/openclipart";
/// let drawings = read_csv(format!("{folder}/captions.csv"))?.head(Some(40));
/// let model = TopicModel::text("caption", StaticEmbedder::builtin())
///     .with_images("image")
///     .image_folder(folder)
///     .reducer(Pca::new())
///     .clusterer(KMeans::new(2))
///     .representation("Visual_Aspect", VisualRepresentation::new().nr_repr_images(4));
/// let topics = model.fit(&drawings)?;
///
/// let Aspect::Images(gallery) = topics.topic_aspect("Visual_Aspect")? else { panic!("it returns images") };
/// assert_eq!(gallery.pictures(0).len(), 4);
/// assert!(gallery.collage(0)?.is_some());                           // JPEG, as in get_topic_info()
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct VisualRepresentation {
    nr_repr_images: usize,
    representatives: Representatives,
    image_height: u32,
    image_squares: bool,
    on_error: OnImageError,
    limits: Limits,
    captioner: Option<Arc<dyn ImageCaptioner>>,
}

/// The settings of its own. The captioner belongs to the model, which takes it over, saves it and loads it.
#[derive(Serialize, Deserialize)]
pub(super) struct Settings {
    nr_repr_images: usize,
    representatives: Representatives,
    image_height: u32,
    image_squares: bool,
    on_error: OnImageError,
    limits: Limits,
}

impl Default for VisualRepresentation {
    fn default() -> Self {
        VisualRepresentation {
            nr_repr_images: 9,
            representatives: Representatives::Best,
            image_height: 600,
            image_squares: false,
            on_error: OnImageError::Skip,
            limits: Limits::new(),
            captioner: None,
        }
    }
}

/// Without the captioner, which the model lists.
impl fmt::Debug for VisualRepresentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisualRepresentation")
            .field("nr_repr_images", &self.nr_repr_images)
            .field("representatives", &self.representatives)
            .field("image_height", &self.image_height)
            .field("image_squares", &self.image_squares)
            .field("on_error", &self.on_error)
            .field("limits", &self.limits)
            .finish()
    }
}

impl VisualRepresentation {
    pub(super) fn from_settings(settings: Settings) -> Self {
        let Settings { nr_repr_images, representatives, image_height, image_squares, on_error, limits } = settings;
        VisualRepresentation {
            nr_repr_images,
            representatives,
            image_height,
            image_squares,
            on_error,
            limits,
            captioner: None,
        }
    }

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The maximum number of images per topic, 1 to 100. Default: 9.
    #[must_use]
    pub fn nr_repr_images(mut self, nr_repr_images: usize) -> Self {
        self.nr_repr_images = nr_repr_images;
        self
    }

    /// Whether the images are the best ones, or those that together cover the topic by the image embeddings, or without
    /// these, by the vectors that were clustered. Default: [`Representatives::Best`].
    #[must_use]
    pub fn representatives(mut self, representatives: Representatives) -> Self {
        self.representatives = representatives;
        self
    }

    /// The height of a collage of nine images in pixels, 30 to 4,096. Default: 600. Each row has about a third of this
    /// height, so collages with fewer images are shorter.
    #[must_use]
    pub fn image_height(mut self, image_height: u32) -> Self {
        self.image_height = image_height;
        self
    }

    /// Whether collages crop every image to its center square, all of the same size. By default, images keep their
    /// aspect ratio.
    #[must_use]
    pub fn image_squares(mut self, image_squares: bool) -> Self {
        self.image_squares = image_squares;
        self
    }

    /// How to handle images that cannot be read. Default: [`OnImageError::Skip`].
    #[must_use]
    pub fn on_error(mut self, on_error: OnImageError) -> Self {
        self.on_error = on_error;
        self
    }

    /// The captioner for images without text. Equivalent to
    /// [`TopicModel::captioner`](crate::model::TopicModel::captioner); provided here for compatibility with BERTopic. The
    /// model takes it over, unless it has a captioner, and saves and loads it as its own. Default: none.
    #[must_use]
    pub fn image_to_text_model(mut self, captioner: impl ImageCaptioner + 'static) -> Self {
        self.captioner = Some(Arc::new(captioner));
        self
    }

    /// The size limits for images. Default: [`Limits::new`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Selects the best readable images of each topic of `ranking`, without duplicates in a topic: neither the same
    /// row, nor the same file, nor another file with the same bytes. Images are decoded only as needed.
    ///
    /// # Errors
    /// A parameter is out of range. With [`OnImageError::Fail`], an image cannot be read (the first one is reported).
    /// Otherwise, only if none of the images can be read (the first one is reported).
    pub fn gallery(&self, ranking: &Ranking, images: &ImageColumn, progress: &Progress) -> Result<Gallery> {
        self.check()?;
        let task = progress.task(Stage::Represent, "pictures", ranking.topics().len());
        let choice = Choice {
            images,
            limits: self.limits,
            most: self.nr_repr_images,
            fail: self.on_error == OnImageError::Fail,
        };
        let choose = |(&topic, candidates): (&i32, &Vec<(usize, f64)>)| {
            let chosen = progress.check(Stage::Represent).and_then(|()| choice.choose(candidates));
            task.advance(1);
            (topic, chosen)
        };
        // Collected as individual results, so that the error of the first topic is always the one reported.
        let chosen: Vec<(i32, Result<TopicChoice>)> = ranking.topics().par_iter().map(choose).collect();
        let mut topics = BTreeMap::new();
        let mut skipped = Vec::new();
        for (topic, chosen) in chosen {
            let chosen = chosen?;
            topics.insert(topic, chosen.pictures);
            skipped.extend(chosen.skipped);
        }
        skipped.sort_by_key(|image| image.row);
        let found = topics.values().any(|pictures| !pictures.is_empty());
        let tried = skipped.len() + topics.values().map(Vec::len).sum::<usize>();
        report(&skipped, tried, found, images, progress)?;
        let collage = Collage::new(self.image_height, self.image_squares);
        Ok(Gallery::new(topics, skipped, images.clone(), collage, self.limits))
    }
}

/// Reports skipped images; an error if no images are left.
fn report(
    skipped: &[SkippedImage],
    tried: usize,
    found: bool,
    images: &ImageColumn,
    progress: &Progress,
) -> Result<()> {
    const NAMED: usize = 3;
    let Some(first) = skipped.first() else {
        if !found {
            progress.note(Stage::Represent, format!("no row has an image in column `{}`", images.name()));
        }
        return Ok(());
    };
    if !found {
        let message =
            format!("none of the {} candidate images can be read; the first: {}", skipped.len(), first.reason);
        let error =
            Error::new(ErrorKind::Image, Stage::Represent, message).with_column(images.name()).with_row(first.row);
        let error = match &first.path {
            Some(path) => error.with_path(path),
            None => error,
        };
        let hint =
            first.advice.clone().unwrap_or_else(|| {
                Hint::new("Relative paths are resolved against the image folder: check that it contains the \
                       images.").on_command_line(
                "Relative paths are resolved against the input folder or --image-folder: check that it contains the \
                 images.",
            )
            });
        return Err(error.with_hint(hint));
    }
    let named: Vec<String> = skipped.iter().take(NAMED).map(SkippedImage::to_string).collect();
    let more = match skipped.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let message = format!(
        "{} of the {tried} candidate images could not be read and {} skipped: {}{more}",
        skipped.len(),
        if skipped.len() == 1 { "was" } else { "were" },
        named.join("; ")
    );
    match skipped.iter().find_map(|image| image.advice.clone()) {
        Some(advice) => progress.note_with_hint(Stage::Represent, message, advice),
        None => progress.note(Stage::Represent, message),
    }
    Ok(())
}

impl Representation for VisualRepresentation {
    fn check(&self) -> Result<()> {
        if !(1..=MAX_IMAGES).contains(&self.nr_repr_images) {
            let allowed = format!("from 1 to {MAX_IMAGES}");
            return Err(Error::invalid_parameter(Stage::Represent, "nr_repr_images", self.nr_repr_images, &allowed));
        }
        if !(30..=4096).contains(&self.image_height) {
            let allowed = "from 30 to 4096 pixels";
            return Err(Error::invalid_parameter(Stage::Represent, "image_height", self.image_height, allowed));
        }
        self.limits.check(Stage::Represent)?;
        self.captioner.as_ref().map_or(Ok(()), |captioner| captioner.check())
    }

    fn needs_images(&self) -> bool {
        true
    }

    fn produces_words(&self) -> bool {
        false
    }

    fn captioner(&self) -> Option<Arc<dyn ImageCaptioner>> {
        self.captioner.clone()
    }

    /// Without the captioner, which belongs to the model.
    fn spec(&self) -> Option<Spec> {
        let VisualRepresentation {
            nr_repr_images, representatives, image_height, image_squares, on_error, limits, ..
        } = *self;
        let settings = Settings { nr_repr_images, representatives, image_height, image_squares, on_error, limits };
        Spec::new("visual", &settings)
    }

    fn describe(&self, context: &TopicContext<'_>, _words: &TopicWords) -> Result<Aspect> {
        let Some(images) = context.images else {
            let message = "a visual representation needs an image column";
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).with_hint(
                Hint::new("Set it with `.with_images(\"image\")`.").on_command_line("Set it with --images."),
            ));
        };
        let ranking = match context.image_embeddings {
            Some(vectors) => Ranking::by_image(context.topics, context.assignments, images, vectors),
            None => Ranking::by_text(context.topics, context.assignments, images, context.text_scores),
        };
        let ranking = match self.representatives {
            Representatives::Best => ranking,
            // Some of the images may not be readable, or be repeated.
            Representatives::Coverage => {
                ranking.covering(context.image_embeddings.unwrap_or(context.embeddings), 2 * self.nr_repr_images)
            }
        };
        self.gallery(&ranking, images, context.progress).map(Aspect::Images)
    }
}
