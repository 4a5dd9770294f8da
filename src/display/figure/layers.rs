//! How topics split from layer to layer.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::html::count;
use super::Figure;
use super::canvas::{Canvas, FONT, TextStyle, short};
use super::color::{COLORS, distinct};
use super::draw::{Draw, Plot, escaped};
use super::selection::Settings;
use super::theme::Paint;
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::FittedTopicModel;

/// Sizes in pixels. A drawing is as high as its finest layer needs, within limits.
const COLUMN: f64 = 230.0;
const GAP: f64 = 3.0;
const HEADING: f64 = 22.0;
const LOWEST: f64 = 360.0;
const HIGHEST: f64 = 1_600.0;
const A_TOPIC: f64 = 26.0;
const STRIPE: f64 = 4.0;

/// The height of a box from which on its name is written in it.
const READABLE: f64 = 13.0;

/// The layers of topics: see [`visualize_layers`](FittedTopicModel::visualize_layers).
#[derive(Debug, Clone)]
pub struct LayersTree {
    model: FittedTopicModel,
    nr_topics: Option<Vec<usize>>,
}

impl FittedTopicModel {
    /// How topics split: a column of boxes for each layer, the coarsest on the left, with each topic beside the one that it
    /// is part of, and as high as it has rows. Default: the [`layers`](Self::layers) that the clusterer found; other
    /// numbers of topics with [`nr_topics`](Figure::nr_topics). The words of every layer are computed, as by
    /// [`at`](Self::at). [`topics`](Figure::topics) and [`top`](Figure::top) choose topics of the coarsest layer. Outliers
    /// are counted below.
    ///
    /// Frame: `Layer` (i64, 0 for the coarsest), `Topics` (i64: the number of topics in the layer), `Topic` (i32), `Parent`
    /// (i32: the topic of the layer before that it is part of, null in the coarsest), `Name`, `Count` (i64).
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let drawings = read_csv("examples/data/openclipart/captions.csv")?;
    /// let topics = TopicModel::text("caption", StaticEmbedder::builtin()).fit(&drawings)?;
    /// let figure = topics.visualize_layers().nr_topics(&[4, 12]);
    /// assert_eq!(figure.frame()?.height(), 4 + 12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_layers(&self) -> Figure<LayersTree> {
        Figure::new(LayersTree { model: self.clone(), nr_topics: None })
    }
}

impl Figure<LayersTree> {
    /// The numbers of topics of the layers, ascending: at least one. Default: those of
    /// [`layers`](FittedTopicModel::layers).
    #[must_use]
    pub fn nr_topics(mut self, nr_topics: &[usize]) -> Self {
        self.drawing.nr_topics = Some(nr_topics.to_vec());
        self
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Layers {
    /// The coarsest first.
    layers: Vec<Layer>,
    /// The rows of the coarsest layer that are shown, and outliers.
    rows: usize,
    outliers: usize,
    left_out: usize,
}

#[derive(Debug)]
struct Layer {
    /// The number of all topics of this layer.
    topics: usize,
    /// From the top.
    boxes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    topic: i32,
    parent: Option<i32>,
    label: String,
    count: usize,
    /// The number of rows above it.
    above: usize,
    color: u8,
}

impl Draw for LayersTree {
    type Data = Layers;

    fn data(&self, settings: &Settings) -> Result<Layers> {
        let numbers = self.numbers()?;
        let (mut layers, mut left_out, mut outliers) = (Vec::<Layer>::new(), 0, 0);
        let mut last: Vec<i32> = Vec::new();
        for &number in &numbers {
            let model = self.model.at(number)?;
            let labels = model.labels();
            let ids: Vec<i32> = model.topic_ids().into_iter().filter(|&id| id != OUTLIER).collect();
            let boxes = match layers.last() {
                None => {
                    let selection = settings.select(&model, usize::MAX)?;
                    left_out = selection.left_out;
                    outliers = labels.iter().filter(|&&label| label == OUTLIER).count();
                    coarsest(&model, selection.topics.into_iter().zip(selection.labels))
                }
                Some(coarser) => finer(settings, &model, &ids, coarser, &parents(&last, &labels))?,
            };
            layers.push(Layer { topics: ids.len(), boxes });
            last = labels;
        }
        let rows = layers.first().map_or(0, |layer| layer.boxes.iter().map(|node| node.count).sum());
        Ok(Layers { layers, rows, outliers, left_out })
    }
}

impl LayersTree {
    fn numbers(&self) -> Result<Vec<usize>> {
        let numbers = match &self.nr_topics {
            Some(numbers) => numbers.clone(),
            None => {
                let layers = self.model.layers()?;
                let counts = layers.column("Topics").map_err(internal)?.i64().map_err(internal)?;
                counts.iter().flatten().filter_map(|count| usize::try_from(count).ok()).collect()
            }
        };
        let is_ascending = numbers.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        match numbers.first() {
            Some(&first) if first > 0 && is_ascending => Ok(numbers),
            None if self.nr_topics.is_none() => {
                let message = "the clusterer found no layers";
                Err(Error::new(ErrorKind::NotFound, Stage::Display, message).with_hint("Specify nr_topics."))
            }
            _ => {
                let value = format!("{numbers:?}");
                Err(Error::invalid_parameter(Stage::Display, "nr_topics", value, "ascending numbers of at least 1"))
            }
        }
    }
}

fn coarsest(model: &FittedTopicModel, topics: impl Iterator<Item = (i32, String)>) -> Vec<Node> {
    let size = |topic: i32| model.topic_size(topic).unwrap_or(0);
    let mut above = 0;
    let mut boxes: Vec<Node> = Vec::new();
    for (topic, label) in topics {
        boxes.push(Node { topic, parent: None, label, count: size(topic), above, color: 0 });
        above += size(topic);
    }
    let colors = distinct(boxes.len().min(COLORS));
    boxes.iter_mut().zip(colors.into_iter().cycle()).for_each(|(node, color)| node.color = color);
    boxes
}

/// For each topic of a layer, the topic of the coarser layer that has most of its rows.
fn parents(coarser: &[i32], finer: &[i32]) -> BTreeMap<i32, i32> {
    let mut counts: BTreeMap<(i32, i32), usize> = BTreeMap::new();
    for (&parent, &topic) in coarser.iter().zip(finer).filter(|&(&parent, _)| parent != OUTLIER) {
        *counts.entry((topic, parent)).or_default() += 1;
    }
    let mut best: BTreeMap<i32, (usize, i32)> = BTreeMap::new();
    for ((topic, parent), count) in counts {
        if best.get(&topic).is_none_or(|&(most, _)| count > most) {
            best.insert(topic, (count, parent));
        }
    }
    best.into_iter().map(|(topic, (_, parent))| (topic, parent)).collect()
}

/// The topics of a layer beside the ones that they are part of, the largest on top.
fn finer(
    settings: &Settings,
    model: &FittedTopicModel,
    ids: &[i32],
    coarser: &Layer,
    parents: &BTreeMap<i32, i32>,
) -> Result<Vec<Node>> {
    let mut boxes = Vec::new();
    for parent in &coarser.boxes {
        let mut children: Vec<(i32, usize)> = ids
            .iter()
            .filter(|id| parents.get(id) == Some(&parent.topic))
            .map(|&id| (id, model.topic_size(id).unwrap_or(0)))
            .collect();
        children.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut above = parent.above;
        for (topic, count) in children {
            let label = settings.label_of(model, topic)?;
            boxes.push(Node { topic, parent: Some(parent.topic), label, count, above, color: parent.color });
            above += count;
        }
    }
    Ok(boxes)
}

impl Layers {
    fn height(&self) -> f64 {
        let finest = self.layers.iter().map(|layer| layer.boxes.len()).max().unwrap_or(0);
        (A_TOPIC * finest as f64).clamp(LOWEST, HIGHEST)
    }

    fn draw_box(&self, canvas: &mut Canvas, node: &Node, left: f64) {
        let scale = self.height() / self.rows.max(1) as f64;
        let (top, height) = (HEADING + scale * node.above as f64, scale * node.count as f64);
        let height = (height - 1.0).max(0.75);
        canvas.begin_group(&format!("{}: {}", node.label, count(node.count, "row")));
        let (right, bottom) = (left + COLUMN, top + height);
        let path = format!("M{} {}H{}V{}H{}Z", short(left), short(top), short(right), short(bottom), short(left));
        canvas.area(&path, Paint::Series(node.color), 0.22);
        canvas.rect((left, top), (STRIPE, height), 0.0, Paint::Series(node.color));
        canvas.end_group();
        if height >= READABLE {
            let at = (left + STRIPE + 6.0, top + height.min(22.0) / 2.0 + 4.0);
            canvas.fitted_text(at, &node.label, COLUMN - STRIPE - 12.0, TextStyle::INK);
        }
    }

    fn nodes(&self) -> impl Iterator<Item = (usize, &Layer, &Node)> {
        let layers = self.layers.iter().enumerate();
        layers.flat_map(|(number, layer)| layer.boxes.iter().map(move |node| (number, layer, node)))
    }
}

impl Plot for Layers {
    fn title(&self) -> String {
        "Layers of topics".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let nodes = || self.nodes();
        let columns = vec![
            Column::new("Layer".into(), nodes().map(|(number, ..)| number as i64).collect::<Vec<_>>()),
            Column::new("Topics".into(), nodes().map(|(_, layer, _)| layer.topics as i64).collect::<Vec<_>>()),
            Column::new("Topic".into(), nodes().map(|(.., node)| node.topic).collect::<Vec<i32>>()),
            Column::new("Parent".into(), nodes().map(|(.., node)| node.parent).collect::<Vec<Option<i32>>>()),
            Column::new("Name".into(), nodes().map(|(.., node)| node.label.as_str()).collect::<Vec<_>>()),
            Column::new("Count".into(), nodes().map(|(.., node)| node.count as i64).collect::<Vec<_>>()),
        ];
        DataFrame::new(nodes().count(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        let columns = self.layers.len().max(1) as f64;
        (columns * COLUMN + (columns - 1.0) * GAP, HEADING + self.height())
    }

    fn draw(&self, canvas: &mut Canvas) {
        if self.rows == 0 {
            return canvas.text((0.0, FONT), "There are no topics.", TextStyle::NOTE);
        }
        for (number, layer) in self.layers.iter().enumerate() {
            let left = number as f64 * (COLUMN + GAP);
            canvas.text((left, 12.0), &count(layer.topics, "topic"), TextStyle { bold: true, ..TextStyle::INK });
            layer.boxes.iter().for_each(|node| self.draw_box(canvas, node, left));
        }
    }

    fn note(&self) -> Option<String> {
        let left_out =
            (self.left_out > 0).then(|| format!("{} of the first layer not shown", count(self.left_out, "topic")));
        let outliers = (self.outliers > 0).then(|| count(self.outliers, "outlier"));
        let parts: Vec<String> = left_out.into_iter().chain(outliers).collect();
        (!parts.is_empty()).then(|| parts.join(" · "))
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let id = |number: usize, topic: i32| format!("{number}/{topic}");
        let parent = |(number, _, node): (usize, &Layer, &Node)| match (number.checked_sub(1), node.parent) {
            (Some(before), Some(parent)) => id(before, parent),
            _ => String::new(),
        };
        let trace = json!({
            "type": "icicle", "branchvalues": "total",
            "ids": self.nodes().map(|(number, _, node)| id(number, node.topic)).collect::<Vec<_>>(),
            "labels": self.nodes().map(|(.., node)| escaped(&node.label)).collect::<Vec<_>>(),
            "parents": self.nodes().map(parent).collect::<Vec<_>>(),
            "values": self.nodes().map(|(.., node)| node.count).collect::<Vec<_>>(),
        });
        (vec![trace], json!({}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_the_topic_with_most_rows() {
        let found = parents(&[0, 0, 1, 1, -1, -1], &[0, 0, 0, 1, 2, -1]);
        assert_eq!(found, BTreeMap::from([(0, 0), (1, 1)]));
    }
}
