//! The content of a report, independent of its presentation.

use std::collections::BTreeMap;

use image::RgbImage;
use rayon::prelude::*;

use super::super::picture::{data_uri, pixels, stands_on_white, strip_picture};
use super::class_table::ClassTable;
use super::page_figure::PageFigure;
use super::percent::percent;
use super::topic_curves::TopicCurves;
use super::topic_names::{TopicNames, anchor, name};
use super::topic_tree::TopicTree;
use crate::cluster::OUTLIER;
use crate::error::Result;
use crate::model::{Doubt, FittedTopicModel, OverTimeOptions, Quality, Summary, TopicQuality};
use crate::represent::{Aspect, Gallery, Picture};
use crate::vision::EncodedImage;

/// The number of images per topic in the table.
const STRIP: usize = 4;

/// Their side length in pixels: twice the displayed size, for high-density screens.
const STRIP_SIDE: u32 = 96;

/// The content of a report. Owned, so that a page can be rendered without the model.
#[derive(Debug, Clone)]
pub(super) struct ReportView {
    pub(super) title: String,
    pub(super) summary: Summary,
    pub(super) topics: Vec<TopicView>,
    pub(super) outliers: Option<TopicView>,
    /// The number of topics not shown, which are the smallest.
    pub(super) left_out: usize,
    /// The number of images that could not be read.
    pub(super) unreadable: usize,
    pub(super) has_pictures: bool,
    /// Whether any topic has words.
    pub(super) has_words: bool,
    /// The number of rows of the largest topic.
    pub(super) largest: usize,
    /// How far all topics can be trusted.
    pub(super) quality: Quality,
    pub(super) names: TopicNames,
    pub(super) map: Option<PageFigure>,
    pub(super) tree: Option<TopicTree>,
    pub(super) similarity: Option<PageFigure>,
    pub(super) curves: Option<TopicCurves>,
    pub(super) classes: Vec<ClassTable>,
}

/// One topic.
#[derive(Debug, Clone)]
pub(super) struct TopicView {
    pub(super) id: i32,
    pub(super) size: usize,
    /// The share of all rows, 0 to 1.
    pub(super) share: f64,
    pub(super) name: String,
    /// The number of words that are already in the name.
    named: usize,
    pub(super) words: Vec<(String, f64)>,
    /// Additional descriptions in words.
    pub(super) aspects: Vec<(String, Vec<String>)>,
    /// Descriptions in images.
    pub(super) galleries: Vec<(String, Vec<PictureView>)>,
    /// Small images for the table.
    pub(super) strip: Vec<String>,
    pub(super) documents: Vec<DocumentView>,
    /// How far it can be trusted; `None` for outliers, or if nothing is known.
    pub(super) trust: Option<TrustView>,
}

/// How far a topic can be trusted.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrustView {
    pub(super) quality: TopicQuality,
    /// Its place among the topics, 1 for the one to trust most.
    pub(super) rank: usize,
    /// The number of topics.
    pub(super) topics: usize,
}

/// One image of a topic.
#[derive(Debug, Clone)]
pub(super) struct PictureView {
    pub(super) uri: String,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Whether it is on a white background: a drawing, not a photograph.
    pub(super) on_white: bool,
    pub(super) caption: Option<String>,
    pub(super) path: Option<String>,
    pub(super) row: usize,
    pub(super) score: f64,
}

/// One document of a topic.
#[derive(Debug, Clone)]
pub(super) struct DocumentView {
    pub(super) row: usize,
    pub(super) text: String,
    pub(super) score: f64,
}

/// The descriptions of the topics, by name.
type Aspects = BTreeMap<String, Aspect>;

/// What of a model is shown on the page, and how much.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    pub(super) max_topics: usize,
    pub(super) max_pictures: usize,
    pub(super) has_map: bool,
    pub(super) has_tree: bool,
    pub(super) has_heatmap: bool,
    /// The column of time, and how it is read.
    pub(super) time: Option<(String, OverTimeOptions)>,
    /// The columns of classes.
    pub(super) classes: Vec<String>,
}

impl ReportView {
    /// Gathers the content of the page for `model`.
    pub(super) fn of(model: &FittedTopicModel, title: &str, extent: &Extent) -> Result<Self> {
        // These may fail early: columns may be missing, or not be of times and classes.
        let most = extent.max_topics;
        let curves =
            extent.time.as_ref().map(|(column, time)| TopicCurves::of(model, column, time, most)).transpose()?;
        let classes: Result<Vec<ClassTable>> =
            extent.classes.iter().map(|column| ClassTable::of(model, column, most)).collect();
        let classes = classes?;
        let map = if extent.has_map { PageFigure::map(model)? } else { None };
        let tree = if extent.has_tree { TopicTree::of(model, most)? } else { None };
        let similarity = if extent.has_heatmap { PageFigure::similarity(model)? } else { None };
        let ids: Vec<i32> = model.topic_ids().into_iter().filter(|&id| id >= 0).collect();
        let shown: Vec<i32> = ids.iter().copied().take(extent.max_topics).collect();
        let aspects = model.topic_aspects();
        let topics: Result<Vec<TopicView>> =
            shown.par_iter().map(|&id| TopicView::of(model, &aspects, id, extent.max_pictures)).collect();
        let mut topics = topics?;
        let quality = model.measured()?;
        let trusts = trusts(&quality);
        topics.iter_mut().for_each(|topic| topic.trust = trusts.get(&topic.id).copied());
        let outliers =
            model.topic_size(-1).map(|_| TopicView::of(model, &aspects, -1, extent.max_pictures)).transpose()?;
        let sections = topics.iter().chain(&outliers).map(|topic| (topic.id, topic.filter_words())).collect();
        Ok(ReportView {
            names: TopicNames::of(model, &sections),
            map,
            tree,
            similarity,
            curves,
            classes,
            title: title.to_owned(),
            summary: model.summary(),
            left_out: ids.len() - shown.len(),
            unreadable: galleries(&aspects).map(|(_, gallery)| gallery.skipped().len()).sum(),
            has_pictures: topics.iter().chain(&outliers).any(|topic| !topic.galleries.is_empty()),
            has_words: topics.iter().chain(&outliers).any(TopicView::has_words),
            largest: topics.iter().map(|topic| topic.size).max().unwrap_or(0),
            topics,
            outliers,
            quality,
        })
    }

    /// A share of all rows in percent.
    pub(super) fn percent(&self, rows: usize) -> String {
        percent(rows as f64 / self.summary.rows.max(1) as f64)
    }
}

impl TopicView {
    fn of(model: &FittedTopicModel, aspects: &Aspects, id: i32, max_pictures: usize) -> Result<Self> {
        let size = model.topic_size(id).unwrap_or(0);
        let words = model.get_topic(id).unwrap_or_default().to_vec();
        let (name, named) = name(model, id, &words);
        // The page names the outlier topic "Outliers", so none of its words is in its name.
        let named = if id == OUTLIER { 0 } else { named };
        let mut shown = Vec::new();
        let mut strip = Vec::new();
        for (name, gallery) in galleries(aspects) {
            let pictures = gather(gallery, id, max_pictures)?;
            if strip.is_empty() {
                let small = pictures.iter().take(STRIP).map(|(_, image, _)| strip_picture(image, STRIP_SIDE));
                strip = small.collect::<Result<_>>()?;
            }
            let pictures: Vec<PictureView> = pictures.iter().map(|parts| PictureView::of(model, parts)).collect();
            if !pictures.is_empty() {
                shown.push((name.clone(), pictures));
            }
        }
        Ok(TopicView {
            id,
            size,
            share: size as f64 / model.summary().rows.max(1) as f64,
            name,
            named,
            aspects: word_aspects(aspects, id),
            words,
            galleries: shown,
            strip,
            documents: documents(model, id),
            trust: None,
        })
    }

    /// The anchor of the topic's section.
    pub(super) fn anchor(&self) -> String {
        anchor(self.id)
    }

    /// What speaks against the topic.
    pub(super) fn doubts(&self) -> Vec<Doubt> {
        self.trust.map(|trust| trust.quality.doubts()).unwrap_or_default()
    }

    pub(super) fn is_doubted(&self) -> bool {
        !self.doubts().is_empty()
    }

    pub(super) fn has_words(&self) -> bool {
        self.words.iter().any(|(word, _)| !word.is_empty())
    }

    /// The words that are not in the name, best first.
    pub(super) fn more_words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|(word, _)| word.as_str()).filter(|word| !word.is_empty()).skip(self.named)
    }

    /// The text that the filter searches: name and words in lower case.
    pub(super) fn filter_words(&self) -> String {
        let words = self.words.iter().map(|(word, _)| word.as_str());
        let others = self.aspects.iter().flat_map(|(_, words)| words.iter().map(String::as_str));
        let all: Vec<&str> = std::iter::once(self.name.as_str()).chain(words).chain(others).collect();
        all.join(" ").to_lowercase()
    }

    /// The share in percent.
    pub(super) fn percent(&self) -> String {
        percent(self.share)
    }
}

/// How far each topic can be trusted, by id.
fn trusts(quality: &Quality) -> BTreeMap<i32, TrustView> {
    let topics = quality.topics.len();
    let trust =
        |quality: &TopicQuality| Some((quality.topic, TrustView { quality: *quality, rank: quality.rank?, topics }));
    quality.topics.iter().filter_map(trust).collect()
}

type PictureParts<'a> = (&'a Picture, RgbImage, &'a EncodedImage);

/// The images of a topic with their thumbnails.
fn gather(gallery: &Gallery, id: i32, most: usize) -> Result<Vec<PictureParts<'_>>> {
    let parts = gallery.pictures(id).iter().zip(gallery.thumbnails(id)).take(most);
    parts.map(|(picture, encoded)| Ok((picture, pixels(&encoded.bytes)?, encoded))).collect()
}

impl PictureView {
    fn of(model: &FittedTopicModel, (picture, image, encoded): &PictureParts<'_>) -> Self {
        PictureView {
            uri: data_uri(encoded.mime(), &encoded.bytes),
            width: encoded.width,
            height: encoded.height,
            on_white: stands_on_white(image),
            caption: model.text(picture.row),
            path: picture.path.clone(),
            row: picture.row,
            score: picture.score,
        }
    }
}

fn galleries(aspects: &Aspects) -> impl Iterator<Item = (&String, &Gallery)> {
    aspects.iter().filter_map(|(name, aspect)| match aspect {
        Aspect::Images(gallery) => Some((name, gallery)),
        Aspect::Words(_) => None,
    })
}

fn word_aspects(aspects: &Aspects, id: i32) -> Vec<(String, Vec<String>)> {
    let words = |aspect: &Aspect| match aspect {
        Aspect::Words(words) => words.get(&id).map(|words| words.iter().map(|(word, _)| word.clone()).collect()),
        Aspect::Images(_) => None,
    };
    aspects.iter().filter_map(|(name, aspect)| Some((name.clone(), words(aspect)?))).collect()
}

fn documents(model: &FittedTopicModel, id: i32) -> Vec<DocumentView> {
    let rows = model.representative_rows(id).unwrap_or_default();
    let document = |&(row, score): &(usize, f64)| Some(DocumentView { row, text: model.text(row)?.to_owned(), score });
    rows.iter().filter_map(document).collect()
}
