//! Saving the pictures of topics.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Gallery, Picture, Shared, SkippedImage, TopicPictures};
use crate::corpus::ImageColumn;
use crate::error::Result;
use crate::state::State;
use crate::vision::decode::read;
use crate::vision::{Collage, EncodedImage, Limits, sniff_format};

/// Pictures with a longer side do not exist.
const LONGEST_SIDE: u32 = 1 << 20;

/// What of the pictures is saved with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SavedImages {
    /// Their paths. Where the files are not found after loading, there are no pictures.
    Paths,
    /// Paths, and thumbnails of up to 256 pixels, which are shown in any case. Collages use the files if they are there.
    #[default]
    Thumbnails,
    /// Paths, thumbnails, and the files: collages are the same wherever the model is loaded.
    Whole,
}

/// Where the pictures of a loaded gallery come from.
pub(crate) struct SavedPictures<'a> {
    /// The images of the fit, if they were saved.
    pub(crate) images: Option<&'a ImageColumn>,
    /// The number of rows of the fit.
    pub(crate) rows: usize,
}

impl Gallery {
    /// The state of the pictures.
    pub(crate) fn state(&self, saved: SavedImages) -> State<'static> {
        let Shared { topics, skipped, images, collage, limits, is_composed } = &*self.0;
        let all = || topics.values().flat_map(|topic| topic.pictures.iter().enumerate().map(move |at| (topic, at)));
        let pictures = || all().map(|(_, (_, picture))| picture);
        let paths = pictures().map(|picture| images.path(picture.row));
        let state = State::new("pictures")
            .with_setting("column", images.name())
            .with_setting("image_folder", images.base())
            .with_setting("only_in_image_folder", images.is_only_in_folder())
            .with_setting("collage", collage)
            .with_setting("limits", limits)
            .with_setting("is_composed", is_composed)
            .with_values("topics", topics.keys().copied().collect::<Vec<i32>>())
            .with_numbers("counts", &topics.values().map(|topic| topic.pictures.len()).collect::<Vec<usize>>())
            .with_numbers("rows", &pictures().map(|picture| picture.row).collect::<Vec<usize>>())
            .with_values("scores", pictures().map(|picture| picture.score).collect::<Vec<f64>>())
            .with_values(
                "sizes",
                topics.values().flat_map(|topic| &topic.sizes).flat_map(|s| [s.0, s.1]).collect::<Vec<u32>>(),
            );
        let state = with_optional(state, "labels", pictures().map(|picture| picture.path.as_deref()));
        let state = with_optional(state, "paths", paths);
        let state = with_optional(state, "skipped.paths", skipped.iter().map(|image| image.path.as_deref()))
            .with_numbers("skipped.rows", &skipped.iter().map(|image| image.row).collect::<Vec<usize>>())
            .with_texts("skipped.reasons", skipped.iter().map(|image| image.reason.as_str()));
        let state = match saved {
            SavedImages::Paths => state,
            SavedImages::Thumbnails | SavedImages::Whole => {
                let thumbnails = || topics.values().flat_map(|topic| &topic.thumbnails);
                let sizes = thumbnails().flat_map(|thumbnail| [thumbnail.width, thumbnail.height]);
                state
                    .with_contents("thumbnails", thumbnails().map(|thumbnail| thumbnail.bytes.as_slice()))
                    .with_values("thumbnails.sizes", sizes.collect::<Vec<u32>>())
            }
        };
        match saved {
            // A collage has no other file.
            SavedImages::Paths | SavedImages::Thumbnails if !is_composed => state,
            _ => {
                let original = |(topic, (at, picture)): (&TopicPictures, (usize, &Picture))| {
                    let kept = topic.originals.get(at).cloned().flatten();
                    let source = || images.get(picture.row).ok().flatten();
                    // One that is gone is empty.
                    kept.or_else(|| read(&source()?, limits).ok().map(|bytes| bytes.into_owned())).unwrap_or_default()
                };
                let originals: Vec<Vec<u8>> = all().map(original).collect();
                state.with_contents("originals", originals.iter().map(Vec::as_slice))
            }
        }
    }

    /// The pictures of a state.
    pub(crate) fn from_state(mut state: State<'_>, source: &SavedPictures<'_>) -> Result<Self> {
        let rows = state.take_numbers("rows", source.rows)?;
        let count = rows.len();
        let scores = state.take_exactly::<f64>("scores", count)?;
        let sizes = state.take_exactly::<u32>("sizes", count.saturating_mul(2))?;
        if !sizes.iter().all(|&side| (1..=LONGEST_SIDE).contains(&side)) {
            return Err(state.out_of_range("sizes"));
        }
        let labels = take_optional(&mut state, "labels", count)?;
        let paths = take_optional(&mut state, "paths", count)?;
        let limits: Limits = state.setting("limits")?;
        let collage: Collage = state.setting("collage")?;
        collage.check().map_err(|cause| state.wrong("the size of collages is out of range").with_cause(cause))?;
        let images = match source.images {
            Some(images) => images.clone(),
            None => {
                let known = rows.iter().zip(&paths).filter_map(|(&row, path)| Some((row, path.as_deref()?)));
                let name: String = state.setting("column")?;
                let base: String = state.setting("image_folder")?;
                let column = ImageColumn::of_paths(&name, base.as_ref(), source.rows, known);
                column.only_in_folder(state.setting("only_in_image_folder")?)
            }
        };
        let thumbnails = match state.has("thumbnails") {
            true => thumbnails(&mut state, count)?,
            false => rows.iter().map(|&row| again(&images, row, &limits)).collect(),
        };
        let originals = match state.has("originals") {
            true => state.take_contents("originals")?,
            false => Vec::new(),
        };
        let mut originals = originals.into_iter();
        let mut all =
            rows.into_iter().zip(scores).zip(labels.into_iter().zip(thumbnails)).zip(sizes.as_chunks::<2>().0);
        let mut of_topics = BTreeMap::new();
        let topics = state.take_values::<i32>("topics")?;
        let counts = state.take_numbers("counts", count.saturating_add(1))?;
        if counts.len() != topics.len() || counts.iter().sum::<usize>() != count {
            return Err(state.out_of_range("counts"));
        }
        for (topic, count) in topics.into_iter().zip(counts) {
            let mut pictures = TopicPictures::default();
            for (((row, score), (path, thumbnail)), &[width, height]) in all.by_ref().take(count) {
                let original = originals.next().filter(|bytes| !bytes.is_empty());
                // Without a thumbnail, there is nothing to show.
                let Some(thumbnail) = thumbnail else { continue };
                pictures.pictures.push(Picture { topic, rank: pictures.pictures.len(), row, score, path });
                pictures.sizes.push((width, height));
                pictures.thumbnails.push(thumbnail);
                pictures.originals.push(original);
            }
            of_topics.insert(topic, pictures);
        }
        let skipped = skipped(&mut state)?;
        let is_composed = state.setting::<Option<bool>>("is_composed")?.unwrap_or(false);
        Ok(Gallery(Arc::new(Shared { topics: of_topics, skipped, images, collage, limits, is_composed })))
    }
}

fn thumbnails(state: &mut State<'_>, count: usize) -> Result<Vec<Option<EncodedImage>>> {
    let thumbnails = state.take_contents("thumbnails")?;
    if thumbnails.len() != count {
        return Err(state.out_of_range("thumbnails"));
    }
    let sizes = state.take_exactly::<u32>("thumbnails.sizes", count.saturating_mul(2))?;
    if !sizes.iter().all(|&side| (1..=LONGEST_SIDE).contains(&side)) {
        return Err(state.out_of_range("thumbnails.sizes"));
    }
    let thumbnail = |(bytes, &[width, height]): (Vec<u8>, &[u32; 2])| {
        Some(EncodedImage { format: sniff_format(&bytes)?, bytes, width, height })
    };
    let thumbnails = thumbnails.into_iter().zip(sizes.as_chunks().0);
    let read: Option<Vec<EncodedImage>> = thumbnails.map(thumbnail).collect();
    Ok(read.ok_or_else(|| state.wrong("a thumbnail is damaged"))?.into_iter().map(Some).collect())
}

/// The thumbnail of a picture whose file is still there.
fn again(images: &ImageColumn, row: usize, limits: &Limits) -> Option<EncodedImage> {
    let source = images.get(row).ok().flatten()?;
    let bytes = read(&source, limits).ok()?;
    super::super::thumbnails::shrink(&bytes, limits).ok().map(|(_, thumbnail)| thumbnail)
}

fn skipped(state: &mut State<'_>) -> Result<Vec<SkippedImage>> {
    let reasons = state.take_texts("skipped.reasons")?;
    let rows = state.take_numbers("skipped.rows", usize::MAX)?;
    let paths = take_optional(state, "skipped.paths", reasons.len())?;
    if rows.len() != reasons.len() {
        return Err(state.out_of_range("skipped.rows"));
    }
    let all = rows.into_iter().zip(paths).zip(reasons);
    Ok(all.map(|((row, path), reason)| SkippedImage { row, path, reason, advice: None }).collect())
}

/// Texts of which some are missing.
fn with_optional<'a, 't>(state: State<'a>, name: &str, texts: impl Iterator<Item = Option<&'t str>>) -> State<'a> {
    let texts: Vec<Option<&str>> = texts.collect();
    state
        .with_texts(name, texts.iter().map(|text| text.unwrap_or_default()))
        .with_values(&format!("{name}.exist"), texts.iter().map(|text| u8::from(text.is_some())).collect::<Vec<u8>>())
}

fn take_optional(state: &mut State<'_>, name: &str, count: usize) -> Result<Vec<Option<String>>> {
    let texts = state.take_texts(name)?;
    let exist = state.take_exactly::<u8>(&format!("{name}.exist"), count)?;
    match texts.len() == count {
        true => Ok(texts.into_iter().zip(exist).map(|(text, exists)| (exists != 0).then_some(text)).collect()),
        false => Err(state.out_of_range(name)),
    }
}
