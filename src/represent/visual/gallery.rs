//! The images of a fit: a table, thumbnails, and collages on demand.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use image::RgbImage;
use polars::prelude::*;
use rayon::prelude::*;

use crate::corpus::{ImageColumn, internal};
use crate::error::{Hint, Result, quoted};
use crate::vision::decode::decode_bytes;
use crate::vision::{Cell, Collage, EncodedImage, Encoding, Limits, decode, encode};

mod joined;
mod saved;

pub use saved::SavedImages;
pub(crate) use saved::SavedPictures;

/// The JPEG quality of collages: free of visible artifacts on photographs.
const COLLAGE_QUALITY: u8 = 90;

/// The height of images in collages of another program, in pixels. Theirs are shown as they are.
const COLLAGE_HEIGHT: u32 = 600;

/// Paths in messages are truncated to this many characters.
const LONGEST_PATH: usize = 120;

/// One image of a topic.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Picture {
    /// The topic that it represents.
    pub topic: i32,
    /// Its rank in the topic, 0 for the best.
    pub rank: usize,
    /// Its row in the frame.
    pub row: usize,
    /// Its selection score: the cosine similarity to the topic's mean image embedding, or how representative the text
    /// of its row is of the topic.
    pub score: f64,
    /// Its path, or the name stored with its bytes, as in the frame; only the beginning for a `data:` URI.
    pub path: Option<String>,
}

/// An image that could not be read and was skipped.
///
/// ```
/// # use topicframe::corpus::ImageColumn;
/// # use topicframe::prelude::*;
/// # use topicframe::represent::Ranking;
/// # let folder = "examples/data/openclipart/images/animals";
/// # let frame = df!("image" => ["a_simple_pig_01.webp", "missing.png"])?;
/// # let images = ImageColumn::read(&frame, "image", folder.as_ref())?;
/// # let ranking = Ranking::by_text(&[0], &[0, 0], &images, &[0.2, 0.5]);
/// # let gallery = VisualRepresentation::new().gallery(&ranking, &images, &Progress::silent())?;
/// for image in gallery.skipped() {
///     assert!(image.to_string().starts_with("row 1 (missing.png): "));
/// }
/// # assert_eq!(gallery.skipped().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedImage {
    /// Its row in the frame.
    pub row: usize,
    /// Its path, or the name stored with its bytes, as in the frame; only the beginning for a `data:` URI.
    pub path: Option<String>,
    /// The reason, in one clause.
    pub reason: String,
    /// What to do about it, if anything can be done.
    pub(super) advice: Option<Hint>,
}

impl fmt::Display for SkippedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "row {} ({}): {}", self.row, quoted(path, LONGEST_PATH), self.reason),
            None => write!(f, "row {}: {}", self.row, self.reason),
        }
    }
}

/// An image selected for a gallery.
pub(super) struct ChosenImage {
    pub(super) row: usize,
    pub(super) score: f64,
    /// Width and height of the original, upright.
    pub(super) size: (u32, u32),
    pub(super) thumbnail: EncodedImage,
}

/// The images of every topic. Cheap to clone.
///
/// It contains thumbnails, so tables and pages need no files; for collages, the originals are read again.
///
/// ```
/// use topicframe::corpus::ImageColumn;
/// use topicframe::prelude::*;
/// use topicframe::represent::Ranking;
///
/// let folder = "examples/data/openclipart/images/animals";
/// let frame = df!("image" => ["a_simple_pig_01.webp", "abeille_tanguy_jacq_01.webp", "missing.png"])?;
/// let images = ImageColumn::read(&frame, "image", folder.as_ref())?;
/// let ranking = Ranking::by_text(&[0], &[0, 0, 0], &images, &[0.2, 0.5, 0.9]);
/// let gallery = VisualRepresentation::new().gallery(&ranking, &images, &Progress::silent())?;
///
/// assert_eq!(gallery.pictures(0)[0].path.as_deref(), Some("abeille_tanguy_jacq_01.webp"));
/// assert_eq!(gallery.to_frame()?.height(), 2);
/// assert_eq!(gallery.skipped()[0].row, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Gallery(Arc<Shared>);

struct Shared {
    topics: BTreeMap<i32, TopicPictures>,
    skipped: Vec<SkippedImage>,
    images: ImageColumn,
    collage: Collage,
    limits: Limits,
    /// Whether the only picture of a topic is a collage, made by another program.
    is_composed: bool,
}

/// Parallel lists, best first.
#[derive(Default)]
struct TopicPictures {
    pictures: Vec<Picture>,
    sizes: Vec<(u32, u32)>,
    thumbnails: Vec<EncodedImage>,
    /// The encoded originals, if they are kept; one for each picture, or none at all.
    originals: Vec<Option<Vec<u8>>>,
}

impl TopicPictures {
    fn new(topic: i32, chosen: Vec<ChosenImage>, images: &ImageColumn) -> Self {
        let mut pictures = TopicPictures::default();
        for (rank, image) in chosen.into_iter().enumerate() {
            let path = images.label(image.row);
            pictures.pictures.push(Picture { topic, rank, row: image.row, score: image.score, path });
            pictures.sizes.push(image.size);
            pictures.thumbnails.push(image.thumbnail);
        }
        pictures
    }
}

impl Gallery {
    pub(super) fn new(
        chosen: BTreeMap<i32, Vec<ChosenImage>>,
        skipped: Vec<SkippedImage>,
        images: ImageColumn,
        collage: Collage,
        limits: Limits,
    ) -> Self {
        let topics = chosen.into_iter().map(|(topic, chosen)| (topic, TopicPictures::new(topic, chosen, &images)));
        Gallery(Arc::new(Shared { topics: topics.collect(), skipped, images, collage, limits, is_composed: false }))
    }

    /// The collages that another program made, JPEG files by topic: each is the only picture of its topic. `row_of` returns
    /// a row of the topic, of which there are `rows`.
    pub(crate) fn of_collages(
        collages: BTreeMap<i32, Vec<u8>>,
        row_of: impl Fn(i32) -> usize,
        rows: usize,
    ) -> Result<Self> {
        let limits = Limits::new();
        let mut topics = BTreeMap::new();
        for (topic, bytes) in collages {
            let (size, thumbnail) = super::thumbnails::shrink(&bytes, &limits)?;
            let path = Some(format!("{topic}.jpg"));
            let pictures = TopicPictures {
                pictures: vec![Picture { topic, rank: 0, row: row_of(topic), score: 1.0, path }],
                sizes: vec![size],
                thumbnails: vec![thumbnail],
                originals: vec![Some(bytes)],
            };
            topics.insert(topic, pictures);
        }
        let images = ImageColumn::of_paths("image", "".as_ref(), rows, std::iter::empty());
        let collage = Collage::new(COLLAGE_HEIGHT, false);
        Ok(Gallery(Arc::new(Shared { topics, skipped: Vec::new(), images, collage, limits, is_composed: true })))
    }

    /// Whether the pictures are collages that another program made of a topic's images.
    pub(crate) fn is_composed(&self) -> bool {
        self.0.is_composed
    }

    /// The size limits within which images were read.
    pub(crate) fn limits(&self) -> Limits {
        self.0.limits
    }

    /// The topics in ascending order, including those without images.
    pub fn topics(&self) -> Vec<i32> {
        self.0.topics.keys().copied().collect()
    }

    /// The images of `topic`, best first; empty if the topic has none or does not exist.
    pub fn pictures(&self, topic: i32) -> &[Picture] {
        self.0.topics.get(&topic).map(|topic| topic.pictures.as_slice()).unwrap_or_default()
    }

    /// Thumbnails of the images of `topic`, in the same order: PNG or JPEG, at most 256 pixels per side, upright, on a
    /// white background.
    pub fn thumbnails(&self, topic: i32) -> &[EncodedImage] {
        self.0.topics.get(&topic).map(|topic| topic.thumbnails.as_slice()).unwrap_or_default()
    }

    /// The thumbnail of one image.
    pub fn thumbnail(&self, topic: i32, rank: usize) -> Option<&EncodedImage> {
        self.thumbnails(topic).get(rank)
    }

    /// The images that could not be read, by row. Images that no topic needed were not read.
    pub fn skipped(&self) -> &[SkippedImage] {
        &self.0.skipped
    }

    /// One row per image: `topic` (Int32), `rank` (UInt32, 0 for the best), `row` (UInt32), `score` (Float64), and
    /// `path` (String, null if the image has none).
    pub fn to_frame(&self) -> Result<DataFrame> {
        let pictures: Vec<&Picture> = self.0.topics.values().flat_map(|topic| &topic.pictures).collect();
        let column = |name: &str, of: fn(&Picture) -> u32| {
            Column::new(name.into(), pictures.iter().map(|picture| of(picture)).collect::<Vec<u32>>())
        };
        let columns = vec![
            Column::new("topic".into(), pictures.iter().map(|picture| picture.topic).collect::<Vec<i32>>()),
            column("rank", |picture| picture.rank as u32),
            column("row", |picture| picture.row as u32),
            Column::new("score".into(), pictures.iter().map(|picture| picture.score).collect::<Vec<f64>>()),
            Column::new("path".into(), pictures.iter().map(|picture| picture.path.as_deref()).collect::<Vec<_>>()),
        ];
        DataFrame::new(pictures.len(), columns).map_err(internal)
    }

    /// The collage of `topic`, best first, three images per row, as JPEG bytes; `None` if it has no images.
    ///
    /// The originals are read again for the best quality; if one is no longer available, its thumbnail is used instead.
    pub fn collage(&self, topic: i32) -> Result<Option<Vec<u8>>> {
        match self.0.topics.get(&topic) {
            Some(pictures) => self.0.compose(pictures),
            None => Ok(None),
        }
    }

    /// The collages of all topics with images, as in [`collage`](Self::collage), created in parallel.
    pub fn collages(&self) -> Result<BTreeMap<i32, Vec<u8>>> {
        let compose = |(&topic, pictures): (&i32, &TopicPictures)| Some((topic, self.0.compose(pictures).transpose()?));
        let collages: Vec<_> = self.0.topics.par_iter().filter_map(compose).collect();
        collages.into_iter().map(|(topic, bytes)| Ok((topic, bytes?))).collect()
    }
}

impl Shared {
    fn compose(&self, pictures: &TopicPictures) -> Result<Option<Vec<u8>>> {
        if let (true, Some(Some(composed))) = (self.is_composed, pictures.originals.first()) {
            return Ok(Some(composed.clone()));
        }
        let Some(layout) = self.collage.layout(&pictures.sizes)? else { return Ok(None) };
        // Each thread keeps only one original in memory at a time.
        let fill = |(index, cell): (usize, &Cell)| self.image(pictures, index).and_then(|image| cell.fill(&image));
        let filled: Vec<Result<RgbImage>> = layout.cells.par_iter().enumerate().map(fill).collect();
        let mut canvas = layout.canvas();
        for (cell, image) in layout.cells.iter().zip(filled) {
            cell.paint(&mut canvas, &image?);
        }
        Ok(Some(encode(&canvas, Encoding::Jpeg { quality: COLLAGE_QUALITY })?.bytes))
    }

    fn image(&self, pictures: &TopicPictures, index: usize) -> Result<RgbImage> {
        if let Some(Some(bytes)) = pictures.originals.get(index)
            && let Ok(image) = decode_bytes(bytes, &self.limits, true)
        {
            return Ok(image);
        }
        let row = pictures.pictures.get(index).map(|picture| picture.row);
        let original = row.and_then(|row| self.images.get(row).ok().flatten());
        if let Some(image) = original.and_then(|source| decode(&source, &self.limits).ok()) {
            return Ok(image);
        }
        let thumbnail = pictures.thumbnails.get(index).map(|thumbnail| thumbnail.bytes.as_slice());
        decode_bytes(thumbnail.unwrap_or_default(), &Limits::new(), true)
    }
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pictures: usize = self.0.topics.values().map(|topic| topic.pictures.len()).sum();
        let (topics, skipped) = (self.0.topics.len(), self.0.skipped.len());
        write!(f, "Gallery({pictures} images of {topics} topics, {skipped} skipped)")
    }
}
