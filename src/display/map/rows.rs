//! The rows that are mapped, from a frame or a model, and what is known about each of them.

use std::collections::{BTreeMap, HashMap};

use polars::prelude::*;

use super::super::figure::{Plane, label_of};
use super::{InteractiveMap, Source};
use crate::cluster::OUTLIER;
use crate::corpus::{ImageColumn, TextColumn, describe_type, find, internal};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::FittedTopicModel;
use crate::represent::Aspect;
use crate::vision::Limits;

/// The number of layers of coarser labels.
const LAYERS: usize = 2;

/// The words of a topic on the page.
const WORDS: usize = 10;

/// The column of membership strengths.
const PROBABILITY: &str = "Probability";

/// Rows in the plane.
#[derive(Debug)]
pub(super) struct MapRows {
    pub(super) plane: Plane,
    /// The names of the topics that have one.
    pub(super) names: BTreeMap<i32, TopicName>,
    /// Whether rows have topics at all; otherwise, all are in topic 0.
    pub(super) has_topics: bool,
    /// The coarser layers of topics, the coarsest first.
    pub(super) layers: Vec<Layer>,
    pub(super) texts: Option<TextColumn>,
    pub(super) images: Option<ImageColumn>,
    /// The size limits within which images are read.
    pub(super) limits: Limits,
    /// Pictures of topics that the model keeps, encoded, by row.
    pub(super) thumbnails: HashMap<usize, Vec<u8>>,
    /// The membership strengths; empty if they are not known.
    pub(super) probabilities: Vec<f64>,
    /// Of a model, the rows of its fit or those that were given.
    pub(super) columns: Option<DataFrame>,
}

/// What a topic is called.
#[derive(Debug, Clone, Default)]
pub(super) struct TopicName {
    pub(super) name: String,
    /// What is read on the map.
    pub(super) label: String,
    /// Its words, best first.
    pub(super) words: Vec<String>,
}

/// A coarser layer of topics.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) plane: Plane,
    /// What each topic is called.
    pub(super) names: BTreeMap<i32, TopicName>,
}

impl MapRows {
    pub(super) fn of(map: &InteractiveMap) -> Result<Self> {
        let mut rows = match &map.source {
            Source::Frame(frame, x, y) => MapRows::of_frame(map, frame, (x, y))?,
            Source::Model(model, documents) => MapRows::of_model(map, model, documents.as_ref())?,
        };
        rows.read_columns(map)?;
        Ok(rows)
    }

    fn of_frame(map: &InteractiveMap, frame: &DataFrame, (x, y): (&str, &str)) -> Result<Self> {
        let (x, y) = (coordinates(frame, x)?, coordinates(frame, y)?);
        let points: Vec<[f32; 2]> = x.into_iter().zip(y).map(|(x, y)| [x, y]).collect();
        let probabilities = match frame.column(PROBABILITY) {
            Ok(column) if column.dtype().is_float() => {
                let column = column.cast(&DataType::Float64).map_err(internal)?;
                column.f64().map_err(internal)?.iter().map(|value| value.unwrap_or(f64::NAN)).collect()
            }
            _ => Vec::new(),
        };
        let names = BTreeMap::from([(0, TopicName::of(0, &map.title, Vec::new()))]);
        let of_rows = vec![0; points.len()];
        Ok(MapRows {
            plane: Plane::new(points, of_rows),
            names,
            has_topics: false,
            layers: Vec::new(),
            texts: None,
            images: None,
            limits: map.image_limits.unwrap_or_default(),
            thumbnails: HashMap::new(),
            probabilities,
            columns: None,
        })
    }

    fn of_model(map: &InteractiveMap, model: &FittedTopicModel, documents: Option<&DataFrame>) -> Result<Self> {
        let plane = Plane::of(model)?;
        if let Some(documents) = documents
            && documents.height() != plane.points.len()
        {
            let message =
                format!("the documents have {} rows, but the fit had {}", documents.height(), plane.points.len());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Display, message)
                .with_hint("Pass the frame of the fit, with all of its rows in the same order."));
        }
        let of_fit = model.columns();
        let (texts, images, columns) = match documents {
            None => {
                (model.texts().cloned(), model.images().cloned(), model.frame_of_fit("interactive_map").ok().cloned())
            }
            Some(frame) => {
                let known = |name: &Option<String>| name.clone().filter(|name| frame.column(name).is_ok());
                let texts = known(&of_fit.text).map(|name| TextColumn::read(frame, &name)).transpose()?;
                let images = |name: String| ImageColumn::read(frame, &name, &of_fit.image_folder);
                (texts, known(&of_fit.image).map(images).transpose()?, Some(frame.clone()))
            }
        };
        Ok(MapRows {
            names: names(map, model)?,
            has_topics: true,
            layers: if map.topics.is_none() { layers(map, model)? } else { Vec::new() },
            texts,
            images: images.map(|images| images.only_in_folder(of_fit.only_in_image_folder)),
            limits: map.image_limits.unwrap_or_else(|| limits(model)),
            thumbnails: thumbnails(model),
            probabilities: model.probabilities(),
            columns,
            plane,
        })
    }

    /// Reads the columns that the map names.
    fn read_columns(&mut self, map: &InteractiveMap) -> Result<()> {
        if let Some(name) = &map.text {
            self.texts = Some(TextColumn::read(self.frame(map)?, name)?);
        }
        if let Some((name, folder)) = &map.images {
            let only_in_folder = self.images.as_ref().is_some_and(ImageColumn::is_only_in_folder);
            self.images = Some(ImageColumn::read(self.frame(map)?, name, folder)?.only_in_folder(only_in_folder));
        }
        if let Some((topics, names)) = &map.topics {
            let frame = self.frame(map)?;
            let ids = topic_ids(frame, topics)?;
            let names = names_of(frame, names.as_deref(), &ids)?;
            self.plane = Plane::new(std::mem::take(&mut self.plane.points), ids);
            (self.names, self.has_topics) = (names, true);
        }
        Ok(())
    }

    /// The frame with the columns that the map names.
    pub(super) fn frame<'a>(&'a self, map: &'a InteractiveMap) -> Result<&'a DataFrame> {
        match (&self.columns, &map.source) {
            (Some(frame), _) | (None, Source::Frame(frame, ..)) => Ok(frame),
            (None, Source::Model(model, _)) => model.frame_of_fit("a column of the map"),
        }
    }

    /// What each topic without the outliers is called: `3_cats_dogs`, as in figures.
    pub(super) fn still_labels(&self) -> BTreeMap<i32, String> {
        let topics = self.plane.topics.iter().map(|place| place.topic);
        topics.map(|topic| (topic, self.name(topic).name)).collect()
    }

    /// What a topic is called.
    pub(super) fn name(&self, topic: i32) -> TopicName {
        let unnamed = || TopicName { name: topic.to_string(), label: format!("Topic {topic}"), words: Vec::new() };
        self.names.get(&topic).cloned().unwrap_or_else(unnamed)
    }
}

impl TopicName {
    fn of(topic: i32, name: &str, words: Vec<String>) -> Self {
        let label = match name.strip_prefix(&format!("{topic}_")) {
            Some(words) => words.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", "),
            None => name.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let label = if label.is_empty() { format!("Topic {topic}") } else { label };
        TopicName { name: name.to_owned(), label, words }
    }
}

/// What the topics of a model are called.
fn names(map: &InteractiveMap, model: &FittedTopicModel) -> Result<BTreeMap<i32, TopicName>> {
    let name = |topic: i32| {
        let words = model.get_topic(topic).unwrap_or_default().into_iter().map(|(word, _)| word);
        let words = words.filter(|word| !word.is_empty()).take(WORDS).collect();
        Ok((topic, TopicName::of(topic, &label_of(&map.label, model, topic)?, words)))
    };
    model.topic_ids().into_iter().map(name).collect()
}

/// Coarser topics, if the model has a tree of them. The map does without them if they cannot be described.
fn layers(map: &InteractiveMap, model: &FittedTopicModel) -> Result<Vec<Layer>> {
    let coarser = match model.coarser(LAYERS) {
        Err(error) if error.kind() != ErrorKind::Interrupted => {
            let message = format!("the map has no labels of coarser topics: {}", error.message());
            map.progress.note(Stage::Display, message);
            Vec::new()
        }
        coarser => coarser?,
    };
    coarser.iter().map(|layer| Ok(Layer { names: names(map, layer)?, plane: Plane::of(layer)? })).collect()
}

/// The size limits of the model's pictures of topics.
fn limits(model: &FittedTopicModel) -> Limits {
    let galleries = model.topic_aspects().into_values().filter_map(|aspect| match aspect {
        Aspect::Images(gallery) => Some(gallery.limits()),
        Aspect::Words(_) => None,
    });
    galleries.into_iter().next().unwrap_or_default()
}

/// The pictures of topics, encoded, by row.
fn thumbnails(model: &FittedTopicModel) -> HashMap<usize, Vec<u8>> {
    let mut thumbnails = HashMap::new();
    for aspect in model.topic_aspects().into_values() {
        // The collages of another program are of topics, not of rows.
        let Aspect::Images(gallery) = aspect else { continue };
        for topic in gallery.topics().into_iter().filter(|_| !gallery.is_composed()) {
            for (picture, thumbnail) in gallery.pictures(topic).iter().zip(gallery.thumbnails(topic)) {
                thumbnails.entry(picture.row).or_insert_with(|| thumbnail.bytes.clone());
            }
        }
    }
    thumbnails
}

/// A column of coordinates; null is not a number.
fn coordinates(frame: &DataFrame, name: &str) -> Result<Vec<f32>> {
    let column = find(frame, name)?;
    if !column.dtype().is_primitive_numeric() {
        let message =
            format!("coordinates must be numbers, but this column contains {}", describe_type(column.dtype()));
        return Err(Error::new(ErrorKind::WrongType, Stage::Display, message).with_column(name));
    }
    let floats = column.cast(&DataType::Float32).map_err(internal)?;
    let floats = floats.f32().map_err(internal)?;
    Ok(floats.iter().map(|value| value.unwrap_or(f32::NAN)).collect())
}

/// A column of topics; null is an outlier.
fn topic_ids(frame: &DataFrame, name: &str) -> Result<Vec<i32>> {
    let column = find(frame, name)?;
    if !column.dtype().is_integer() {
        let message = format!("topics must be integers, but this column contains {}", describe_type(column.dtype()));
        return Err(Error::new(ErrorKind::WrongType, Stage::Display, message).with_column(name));
    }
    let ids = column.cast(&DataType::Int32).map_err(internal)?;
    let ids = ids.i32().map_err(internal)?;
    if ids.null_count() != column.null_count() {
        let message = "ids of topics must fit into 32 bits with a sign";
        return Err(Error::new(ErrorKind::InvalidData, Stage::Display, message).with_column(name));
    }
    Ok(ids.iter().map(|id| id.unwrap_or(OUTLIER)).collect())
}

/// The first name of each topic.
fn names_of(frame: &DataFrame, name: Option<&str>, ids: &[i32]) -> Result<BTreeMap<i32, TopicName>> {
    let mut names = BTreeMap::new();
    let Some(name) = name else { return Ok(names) };
    let column = TextColumn::read(frame, name)?;
    for (row, &id) in ids.iter().enumerate() {
        if !names.contains_key(&id)
            && let Some(name) = column.get(row)
        {
            names.insert(id, TopicName::of(id, name, Vec::new()));
        }
    }
    Ok(names)
}
