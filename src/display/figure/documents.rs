//! Documents in the plane.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::html::count;
use super::super::markup::grouped;
use super::Figure;
use super::canvas::Canvas;
use super::draw::{Draw, Plot, escaped};
use super::labels::{At, Placed};
use super::plane::{Plane, View};
use super::raster::REST;
use super::selection::Settings;
use super::still::{
    MapLabel, OF_COLUMN, OF_MAP, beside, draw_labels, draw_labels_beside, draw_points, height_for, places_beside,
    places_over, resolution,
};
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::{Error, Result, Stage};
use crate::linalg::mix::mix64;
use crate::model::FittedTopicModel;

/// The width of a map, the width of its points if there are labels beside them, and the heights, in pixels.
const WIDTH: f64 = 1200.0;
const COLUMN: f64 = 170.0;
const HEIGHTS: (f64, f64) = (560.0, 860.0);

/// Documents in the plane, with the labels of their topics: see
/// [`visualize_documents`](FittedTopicModel::visualize_documents) and
/// [`visualize_document_datamap`](FittedTopicModel::visualize_document_datamap).
#[derive(Debug, Clone)]
pub struct DocumentMap {
    model: FittedTopicModel,
    sample: f64,
    hides_annotations: bool,
    labels_beside: bool,
}

impl FittedTopicModel {
    /// The documents as points in the plane of [`layout_2d`](Self::layout_2d), in the colors of their topics, with the
    /// topics' labels over them (BERTopic's `visualize_documents`). Outliers, and topics that are not among those that
    /// were asked for, are gray. Neighboring topics have colors that differ for every kind of sight. Labels do not overlap;
    /// how many have no place is said below the drawing.
    ///
    /// Frame: `row` (u32), `x`, `y` (f32), `Topic` (i32), `Name`, `Probability` (f64, null if unknown).
    ///
    /// ```
    /// use topicframe::prelude::*;
    /// # let posts = df!("text" => ["the cat sleeps", "a fast train", "the dog sleeps"].repeat(10))?;
    /// # let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// # let topics = model.fit(&posts)?;
    ///
    /// let map = topics.visualize_documents().sample(0.5).title("Posts");
    /// assert_eq!(map.frame()?.height(), 15);
    /// assert!(map.svg()?.contains("data:image/png"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_documents(&self) -> Figure<DocumentMap> {
        let drawing = DocumentMap { model: self.clone(), sample: 1.0, hides_annotations: false, labels_beside: false };
        Figure::new(drawing)
    }

    /// The same map with the labels beside it, connected with the densest part of their topics: nothing covers the
    /// points (BERTopic's `visualize_document_datamap`, by DataMapPlot). As many topics have a label as fit, largest first.
    ///
    /// Frame: as [`visualize_documents`](Self::visualize_documents).
    pub fn visualize_document_datamap(&self) -> Figure<DocumentMap> {
        let drawing = DocumentMap { model: self.clone(), sample: 1.0, hides_annotations: false, labels_beside: true };
        Figure::new(drawing)
    }
}

impl Figure<DocumentMap> {
    /// The share of each topic's documents that is drawn, above 0 and at most 1. Default: 1.
    #[must_use]
    pub fn sample(mut self, share: f64) -> Self {
        self.drawing.sample = share;
        self
    }

    /// Whether topics have no labels on the map. Default: `false`.
    #[must_use]
    pub fn hide_annotations(mut self, hide: bool) -> Self {
        self.drawing.hides_annotations = hide;
        self
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct MappedDocuments {
    documents: Vec<Document>,
    /// What each topic is called.
    names: BTreeMap<i32, String>,
    labels: Vec<MapLabel>,
    places: Vec<Option<Placed>>,
    view: View,
    labels_beside: bool,
    note: Option<String>,
}

/// A document in the plane.
#[derive(Debug, Clone, Copy)]
struct Document {
    row: usize,
    at: [f32; 2],
    topic: i32,
    probability: Option<f64>,
    color: u8,
}

impl Document {
    fn at(&self) -> At {
        (f64::from(self.at[0]), f64::from(self.at[1]))
    }
}

impl Draw for DocumentMap {
    type Data = MappedDocuments;

    fn data(&self, settings: &Settings) -> Result<MappedDocuments> {
        if !(self.sample > 0.0 && self.sample <= 1.0) {
            return Err(Error::invalid_parameter(Stage::Display, "sample", self.sample, "above 0 and at most 1"));
        }
        let selection = settings.select(&self.model, usize::MAX)?;
        let names = self.model.topic_ids().into_iter().map(|topic| Ok((topic, settings.label_of(&self.model, topic)?)));
        let shown = Shown {
            topics: &selection.topics,
            labels: &selection.labels,
            sample: self.sample,
            has_labels: !self.hides_annotations,
            is_beside: self.labels_beside,
        };
        let names = names.collect::<Result<_>>()?;
        Ok(MappedDocuments::new(&Plane::of(&self.model)?, &self.model.probabilities(), names, &shown))
    }
}

/// What is shown of a plane.
#[derive(Debug, Clone, Copy)]
pub(in crate::display) struct Shown<'a> {
    /// The topics that have a color.
    pub(in crate::display) topics: &'a [i32],
    /// The label of each.
    pub(in crate::display) labels: &'a [String],
    /// The share of each topic's documents that is drawn.
    pub(in crate::display) sample: f64,
    pub(in crate::display) has_labels: bool,
    /// Whether labels are beside the points, and not over them.
    pub(in crate::display) is_beside: bool,
}

impl MappedDocuments {
    /// The documents of `plane` with their probabilities, if these are known; `names` says what each topic is called.
    pub(in crate::display) fn new(
        plane: &Plane,
        probabilities: &[f64],
        names: BTreeMap<i32, String>,
        shown: &Shown<'_>,
    ) -> Self {
        let documents = documents(plane, probabilities, shown);
        let width = if shown.is_beside { WIDTH - 2.0 * beside(COLUMN) } else { WIDTH };
        let lowest = match shown.is_beside && shown.has_labels {
            true => height_for(shown.topics.len()).clamp(HEIGHTS.0, HEIGHTS.1),
            false => HEIGHTS.0,
        };
        let view = View::of(documents.iter().map(Document::at), width, (lowest, HEIGHTS.1));
        let labels = if shown.has_labels { map_labels(plane, &view, shown) } else { Vec::new() };
        let places = match shown.is_beside {
            true => places_beside(&view, &labels, COLUMN),
            false => places_over(&view, &labels, documents.iter().map(|document| view.at(document.at()))),
        };
        let unlabeled = places.iter().filter(|place| place.is_none()).count();
        let note = note(plane, &documents, labels.len(), unlabeled);
        MappedDocuments { documents, names, labels, places, view, labels_beside: shown.is_beside, note }
    }
}

/// The documents of the sample that have a place, in an order in which no topic covers another.
fn documents(plane: &Plane, probabilities: &[f64], shown: &Shown<'_>) -> Vec<Document> {
    let topics: BTreeSet<i32> = shown.topics.iter().copied().collect();
    let mut of_topics = BTreeMap::<i32, Vec<Document>>::new();
    for (row, (&at, &topic)) in plane.points.iter().zip(&plane.of_rows).enumerate() {
        if at.iter().all(|x| x.is_finite()) {
            let colored = plane.topic(topic).filter(|_| topics.contains(&topic));
            let color = colored.map_or(REST, |place| place.color);
            let probability = probabilities.get(row).copied();
            of_topics.entry(topic).or_default().push(Document { row, at, topic, probability, color });
        }
    }
    let key = |document: &Document| mix64(document.row as u64 + 1);
    let sampled = of_topics.into_values().flat_map(|mut documents| {
        let kept = (documents.len() as f64 * shown.sample).ceil() as usize;
        documents.sort_by_key(key);
        documents.truncate(kept);
        documents
    });
    let mut documents: Vec<Document> = sampled.collect();
    documents.sort_by_key(key);
    documents
}

/// What is gray, and what is left out.
fn note(plane: &Plane, documents: &[Document], labels: usize, unlabeled: usize) -> Option<String> {
    let placed = plane.points.iter().filter(|at| at.iter().all(|x| x.is_finite())).count();
    let nowhere = plane.points.len() - placed;
    let outliers = documents.iter().filter(|document| document.topic == OUTLIER).count();
    let others = documents.iter().filter(|document| document.color == REST).count() - outliers;
    let outliers = (outliers > 0).then(|| count(outliers, "outlier"));
    let others = (others > 0).then(|| format!("{} of other topics", count(others, "document")));
    let gray: Vec<String> = outliers.into_iter().chain(others).collect();
    let mut parts = Vec::new();
    if !gray.is_empty() {
        parts.push(format!("gray: {}", gray.join(", ")));
    }
    if documents.len() < placed {
        parts.push(format!("a sample of {} of {} documents", grouped(documents.len()), grouped(placed)));
    }
    if nowhere > 0 {
        parts.push(format!("{} without a vector not shown", count(nowhere, "row")));
    }
    if unlabeled > 0 {
        parts.push(format!("{unlabeled} of {} without a label, which would not fit", count(labels, "topic")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The labels of topics, the largest first.
fn map_labels(plane: &Plane, view: &View, shown: &Shown<'_>) -> Vec<MapLabel> {
    let fonts = if shown.is_beside { OF_COLUMN } else { OF_MAP };
    let size = |topic: i32| plane.topic(topic).map_or(0, |place| place.size);
    let mut topics: Vec<(i32, &String)> = shown.topics.iter().copied().zip(shown.labels).collect();
    topics.sort_by_key(|&(topic, _)| (std::cmp::Reverse(size(topic)), topic));
    let largest = topics.first().map_or(0, |&(topic, _)| size(topic));
    let label = |(topic, label): (i32, &String)| {
        let place = plane.topic(topic)?;
        let label = MapLabel::new((topic, label), view.at(place.center), place.color, (place.size, largest), fonts);
        Some(label.at_cloud(view.length(place.radius)))
    };
    topics.into_iter().filter_map(label).collect()
}

impl Plot for MappedDocuments {
    fn title(&self) -> String {
        "Documents and topics".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let mut documents = self.documents.clone();
        documents.sort_by_key(|document| document.row);
        let name = |document: &Document| self.names.get(&document.topic).map(String::as_str);
        let columns = vec![
            Column::new("row".into(), documents.iter().map(|document| document.row as u32).collect::<Vec<_>>()),
            Column::new("x".into(), documents.iter().map(|document| document.at[0]).collect::<Vec<_>>()),
            Column::new("y".into(), documents.iter().map(|document| document.at[1]).collect::<Vec<_>>()),
            Column::new("Topic".into(), documents.iter().map(|document| document.topic).collect::<Vec<_>>()),
            Column::new("Name".into(), documents.iter().map(name).collect::<Vec<_>>()),
            Column::new(
                "Probability".into(),
                documents.iter().map(|document| document.probability).collect::<Vec<_>>(),
            ),
        ];
        DataFrame::new(documents.len(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        (WIDTH, self.view.height)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let points: Vec<(At, u8)> = self.documents.iter().map(|document| (document.at(), document.color)).collect();
        canvas.begin_part(((WIDTH - self.view.width) / 2.0, 0.0));
        draw_points(canvas, &self.view, &points, resolution(points.len()));
        match self.labels_beside {
            true => draw_labels_beside(canvas, &self.labels, &self.places),
            false => draw_labels(canvas, &self.labels, &self.places),
        }
        canvas.end_group();
    }

    fn note(&self) -> Option<String> {
        self.note.clone()
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let mut of_topics = BTreeMap::<i32, Vec<&Document>>::new();
        self.documents.iter().for_each(|document| of_topics.entry(document.topic).or_default().push(document));
        let trace = |(topic, documents): (i32, Vec<&Document>)| {
            json!({
                "type": "scattergl", "mode": "markers",
                "name": escaped(self.names.get(&topic).map_or("", String::as_str)),
                "x": documents.iter().map(|document| document.at[0]).collect::<Vec<_>>(),
                "y": documents.iter().map(|document| document.at[1]).collect::<Vec<_>>(),
                "customdata": documents.iter().map(|document| document.row).collect::<Vec<_>>(),
                "marker": { "size": 5, "opacity": 0.5 },
            })
        };
        let axis = json!({ "visible": false });
        (of_topics.into_iter().map(trace).collect(), json!({ "xaxis": axis, "yaxis": axis }))
    }
}
