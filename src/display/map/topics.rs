//! The topics of a map: names, sizes, colors, and the labels of topics and of coarser topics.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::figure::Plane;
use super::labels::{self, Label, Wanted, half_shown, starts};
use super::points::Points;
use super::rows::{Layer, MapRows, TopicName};
use crate::cluster::OUTLIER;
use crate::error::{Error, ErrorKind, Result, Stage};

/// Topics on the page, at most: each has a number of 16 bits.
const MOST: usize = 65_000;

/// The largest scale at which a label of a coarser topic ends, in pixels per step of a coordinate.
const COARSE_TO: f64 = 0.3;

/// The topics of the rows.
#[derive(Debug)]
pub(super) struct TopicTable {
    /// Largest first, the outliers last.
    pub(super) topics: Vec<MapTopic>,
    /// The place in the table of each row of the frame.
    pub(super) groups: Vec<u16>,
    pub(super) layers: Vec<MapLayer>,
    /// In the order of their priority: those of coarser topics first.
    pub(super) labels: Vec<PlacedLabel>,
}

/// A topic.
#[derive(Debug)]
pub(super) struct MapTopic {
    pub(super) id: i32,
    pub(super) name: String,
    pub(super) label: String,
    pub(super) words: Vec<String>,
    pub(super) size: usize,
    /// A color of the palette; `None` for outliers, and for topics without a place.
    pub(super) color: Option<u8>,
    /// The middle of its densest part, in steps of a coordinate.
    pub(super) center: Option<[f64; 2]>,
}

impl MapTopic {
    fn of(id: i32, size: usize, name: TopicName, plane: &Plane, points: &Points) -> Self {
        let place = plane.topic(id);
        let TopicName { name, label, words } = name;
        let label = if id == OUTLIER { "Outliers".to_owned() } else { label };
        let center = place.map(|place| points.steps.at(place.center));
        MapTopic { id, name, label, words, size, color: place.map(|place| place.color), center }
    }
}

/// A layer of coarser topics.
#[derive(Debug)]
pub(super) struct MapLayer {
    /// Largest first, the outliers last.
    pub(super) topics: Vec<MapTopic>,
    /// The place in `topics` of the coarser topic that most rows of each topic are in; outliers are outliers.
    pub(super) of_topics: Vec<usize>,
}

/// A label with the scales at which it is shown.
#[derive(Debug)]
pub(super) struct PlacedLabel {
    pub(super) label: Label,
    pub(super) at: [f64; 2],
    pub(super) from: f64,
    /// Infinite if it is shown from `from` on.
    pub(super) to: f64,
    /// The number of its layer; the topics themselves come after the coarser layers.
    pub(super) layer: usize,
    /// The places of its topics in the table.
    pub(super) topics: Vec<usize>,
}

impl TopicTable {
    pub(super) fn of(rows: &MapRows, points: &Points) -> Result<Self> {
        let of_rows = &rows.plane.of_rows;
        let topics = sorted(of_rows, |id, size| MapTopic::of(id, size, rows.name(id), &rows.plane, points));
        if topics.len() > MOST {
            let message = format!("a map has at most {MOST} topics, but there are {}", topics.len());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Display, message));
        }
        let place: BTreeMap<i32, u16> = topics.iter().zip(0_u16..).map(|(topic, place)| (topic.id, place)).collect();
        let groups: Vec<u16> = of_rows.iter().filter_map(|id| place.get(id).copied()).collect();
        let layers: Vec<MapLayer> =
            rows.layers.iter().map(|layer| MapLayer::of(layer, points, &groups, &topics)).collect();
        let labels = if rows.has_topics { placed_labels(&topics, &layers) } else { Vec::new() };
        Ok(TopicTable { topics, groups, layers, labels })
    }
}

/// The topics of rows, largest first, the outliers last.
fn sorted(of_rows: &[i32], topic: impl Fn(i32, usize) -> MapTopic) -> Vec<MapTopic> {
    let mut sizes: BTreeMap<i32, usize> = BTreeMap::new();
    of_rows.iter().for_each(|&id| *sizes.entry(id).or_default() += 1);
    let mut order: Vec<(i32, usize)> = sizes.into_iter().collect();
    order.sort_by_key(|&(id, size)| (id == OUTLIER, Reverse(size), id));
    order.into_iter().map(|(id, size)| topic(id, size)).collect()
}

impl MapLayer {
    fn of(layer: &Layer, points: &Points, groups: &[u16], finer: &[MapTopic]) -> Self {
        let name = |id: i32| layer.names.get(&id).cloned().unwrap_or_default();
        let mut topics =
            sorted(&layer.plane.of_rows, |id, size| MapTopic::of(id, size, name(id), &layer.plane, points));
        let without = finer.iter().find(|topic| topic.id == OUTLIER).map(|topic| topic.size);
        if let Some(size) = without.filter(|_| topics.last().is_none_or(|topic| topic.id != OUTLIER)) {
            topics.push(MapTopic::of(OUTLIER, size, name(OUTLIER), &layer.plane, points));
        }
        let place: BTreeMap<i32, usize> = topics.iter().enumerate().map(|(place, topic)| (topic.id, place)).collect();
        let mut counts: BTreeMap<(u16, usize), usize> = BTreeMap::new();
        for (&group, coarser) in groups.iter().zip(&layer.plane.of_rows) {
            if let Some(&coarser) = place.get(coarser) {
                *counts.entry((group, coarser)).or_default() += 1;
            }
        }
        let mut best: BTreeMap<u16, (usize, usize)> = BTreeMap::new();
        for ((group, coarser), count) in counts {
            if best.get(&group).is_none_or(|&(most, _)| count > most) {
                best.insert(group, (count, coarser));
            }
        }
        let of_topic = |(number, topic): (u16, &MapTopic)| match topic.id {
            OUTLIER => topics.len() - 1,
            _ => best.get(&number).map_or(0, |&(_, coarser)| coarser),
        };
        MapLayer { of_topics: (0..).zip(finer).map(of_topic).collect(), topics }
    }

    /// The topics that are parts of the coarser one at `place`.
    fn parts(&self, place: usize) -> Vec<usize> {
        let of_topics = self.of_topics.iter().enumerate();
        of_topics.filter(|(_, coarser)| **coarser == place).map(|(topic, _)| topic).collect()
    }
}

/// The labels of coarser topics, each until half of its parts have room, and those of topics.
fn placed_labels(topics: &[MapTopic], layers: &[MapLayer]) -> Vec<PlacedLabel> {
    // From where on the label of each topic may be shown: where those of coarser topics have ended.
    let mut from = vec![0.0_f64; topics.len()];
    let mut labels = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let largest = layer.topics.first().map_or(1, |topic| topic.size);
        for (place, coarse) in layer.topics.iter().enumerate().filter(|(_, coarse)| coarse.id != OUTLIER) {
            let parts = layer.parts(place);
            let start = parts.iter().filter_map(|&part| from.get(part)).fold(0.0, |most: f64, &from| most.max(from));
            let end = half_shown(&wanted_instead(&parts, topics, layers.get(number + 1)));
            let end = end.map(|end| end.min(COARSE_TO)).filter(|&end| end > start);
            let (Some(at), Some(end)) = (coarse.center, end) else { continue };
            for &part in &parts {
                if let Some(from) = from.get_mut(part) {
                    *from = from.max(end);
                }
            }
            let label = topic_label(coarse, largest);
            labels.push(PlacedLabel { label, at, from: start, to: end, layer: number, topics: parts });
        }
    }
    let largest = topics.first().map_or(1, |topic| topic.size);
    for (place, (topic, &from)) in topics.iter().zip(&from).enumerate() {
        if let Some(at) = topic.center.filter(|_| topic.id != OUTLIER) {
            let (label, layer) = (topic_label(topic, largest), layers.len());
            labels.push(PlacedLabel { label, at, from, to: f64::INFINITY, layer, topics: vec![place] });
        }
    }
    disjoint(labels)
}

/// The labels that are shown instead of that of a coarser topic with these parts: of topics of the next layer, or of the
/// parts themselves.
fn wanted_instead(parts: &[usize], topics: &[MapTopic], next: Option<&MapLayer>) -> Vec<Wanted> {
    let finer: Vec<&MapTopic> = match next {
        Some(next) => {
            let places: BTreeSet<usize> = parts.iter().filter_map(|&part| next.of_topics.get(part).copied()).collect();
            places.into_iter().filter_map(|place| next.topics.get(place)).collect()
        }
        None => parts.iter().filter_map(|&part| topics.get(part)).collect(),
    };
    let largest = finer.iter().map(|topic| topic.size).max().unwrap_or(1);
    let wanted = |topic: &&MapTopic| {
        let label = topic_label(topic, largest);
        topic.center.map(|at| Wanted::new(at, &label, (0.0, f64::INFINITY)))
    };
    finer.iter().take(labels::MOST).filter_map(wanted).collect()
}

/// The labels that have room, each from where on it has.
fn disjoint(mut labels: Vec<PlacedLabel>) -> Vec<PlacedLabel> {
    labels.truncate(labels::MOST);
    let wanted: Vec<Wanted> =
        labels.iter().map(|label| Wanted::new(label.at, &label.label, (label.from, label.to))).collect();
    for (label, start) in labels.iter_mut().zip(starts(&wanted)) {
        label.from = start;
    }
    labels.retain(|label| label.from < label.to);
    labels
}

fn topic_label(topic: &MapTopic, largest: usize) -> Label {
    Label::new(&topic.label, topic.size as f64 / largest.max(1) as f64)
}
