//! Documents in the plane, at several levels of the tree of topics.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::html::count;
use super::super::number::short_float;
use super::Figure;
use super::canvas::{Canvas, TextStyle};
use super::draw::{Draw, Plot, escaped};
use super::labels::{At, Placed};
use super::plane::{Plane, View, densest};
use super::raster::REST;
use super::selection::Settings;
use super::still::{MapLabel, OF_PANEL, draw_labels, draw_points, places_over, resolution};
use crate::corpus::internal;
use crate::error::{Error, Result, Stage};
use crate::linalg::mix::mix64;
use crate::model::FittedTopicModel;
use crate::topics::TopicHierarchy;

/// The number of levels, unless another is asked for.
const LEVELS: usize = 6;

/// The most levels: each is a picture.
const MOST_LEVELS: usize = 30;

/// The number of panels in a row, and sizes in pixels.
const ACROSS: usize = 3;
const PANEL: f64 = 388.0;
const HEIGHTS: (f64, f64) = (220.0, 330.0);
const GAP: f64 = 18.0;
const HEADING: f64 = 22.0;

/// Documents in the plane at levels of the tree: see
/// [`visualize_hierarchical_documents`](FittedTopicModel::visualize_hierarchical_documents).
#[derive(Debug, Clone)]
pub struct HierarchicalDocuments {
    model: FittedTopicModel,
    tree: Option<TopicHierarchy>,
    nr_levels: usize,
}

impl FittedTopicModel {
    /// The documents in the plane of [`layout_2d`](Self::layout_2d), once for each of several levels of the tree of topics,
    /// from many topics to few (BERTopic's `visualize_hierarchical_documents`, which has a slider). A merged topic has the
    /// color of its largest part. The distances of the tree's merges are divided into `nr_levels` lists of equal length, as
    /// BERTopic does; a level has merged everything up to the last distance of its list.
    ///
    /// Frame: `row` (u32), `x`, `y` (f32), `Topic` (i32), and for each level `Level_1`, `Level_2` ... (i32): the topic, or
    /// the number of the [merge](crate::topics::HierarchyMerge::id) that it is part of; null for outliers.
    ///
    /// ```
    /// use topicframe::prelude::*;
    /// # let posts = df!("text" => ["the cat sleeps", "a fast train", "the dog sleeps", "rain falls"].repeat(10))?;
    /// # let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(4));
    /// # let topics = model.fit(&posts)?;
    ///
    /// let levels = topics.visualize_hierarchical_documents().nr_levels(3);
    /// assert_eq!(levels.frame()?.get_column_names()[3..], ["Topic", "Level_1", "Level_2", "Level_3"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_hierarchical_documents(&self) -> Figure<HierarchicalDocuments> {
        Figure::new(HierarchicalDocuments { model: self.clone(), tree: None, nr_levels: LEVELS })
    }
}

impl Figure<HierarchicalDocuments> {
    /// The number of levels, 1 to 30; fewer if the tree has fewer merges. Default: 6.
    #[must_use]
    pub fn nr_levels(mut self, nr_levels: usize) -> Self {
        self.drawing.nr_levels = nr_levels;
        self
    }

    /// The tree. Default: that of [`hierarchical_topics`](FittedTopicModel::hierarchical_topics).
    #[must_use]
    pub fn hierarchical_topics(mut self, tree: &TopicHierarchy) -> Self {
        self.drawing.tree = Some(tree.clone());
        self
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Levels {
    /// Row, place and topic of each document.
    documents: Vec<(usize, [f32; 2], i32)>,
    panels: Vec<Panel>,
    view: View,
}

/// A level.
#[derive(Debug)]
struct Panel {
    title: String,
    /// The group of each topic that is shown, with its color.
    of_topics: BTreeMap<i32, (i32, u8)>,
    names: BTreeMap<i32, String>,
    labels: Vec<MapLabel>,
    places: Vec<Option<Placed>>,
}

/// The distance of a level, and its groups of topics.
struct Level {
    distance: Option<f64>,
    groups: Vec<Vec<i32>>,
}

impl Draw for HierarchicalDocuments {
    type Data = Levels;

    fn data(&self, settings: &Settings) -> Result<Levels> {
        if !(1..=MOST_LEVELS).contains(&self.nr_levels) {
            return Err(Error::invalid_parameter(Stage::Display, "nr_levels", self.nr_levels, "1 to 30"));
        }
        let selection = settings.select(&self.model, usize::MAX)?;
        let tree = match &self.tree {
            Some(tree) => tree.clone(),
            None => self.model.hierarchical_topics()?,
        };
        let sizes = tree.leaves().iter().map(|leaf| (leaf.id, leaf.size)).collect();
        self.check_tree(&sizes)?;
        let plane = Plane::of(&self.model)?;
        let rows = plane.points.iter().zip(&plane.of_rows).enumerate();
        let placed = rows.filter(|(_, (at, _))| at.iter().all(|x| x.is_finite()));
        let mut documents: Vec<(usize, [f32; 2], i32)> = placed.map(|(row, (&at, &topic))| (row, at, topic)).collect();
        documents.sort_by_key(|&(row, ..)| mix64(row as u64 + 1));
        let view = View::of(documents.iter().map(|&(_, at, _)| pair(at)), PANEL, HEIGHTS);
        let names: BTreeMap<i32, &str> =
            selection.topics.iter().zip(&selection.labels).map(|(&topic, label)| (topic, label.as_str())).collect();
        let levels = levels(&tree, self.nr_levels)?;
        let panel = |level: &Level| panel(&plane, &tree, level, &names, &documents, &view);
        let panels = levels.iter().map(panel).collect();
        Ok(Levels { documents, panels, view })
    }
}

impl HierarchicalDocuments {
    /// That the tree is one of the topics of the model.
    fn check_tree(&self, sizes: &BTreeMap<i32, usize>) -> Result<()> {
        let topics = self.model.topic_ids().into_iter().filter(|&topic| topic >= 0);
        let own: BTreeMap<i32, usize> =
            topics.filter_map(|topic| Some((topic, self.model.topic_size(topic)?))).collect();
        match own == *sizes {
            true => Ok(()),
            false => {
                let message = "the tree is not of the topics of this model";
                Err(Error::new(crate::error::ErrorKind::InvalidData, Stage::Display, message)
                    .with_hint("Call hierarchical_topics() on this model; edits renumber topics."))
            }
        }
    }
}

/// The levels, from many groups to few: the merges in lists of equal length, each cut at its last distance. Without
/// merges, the topics themselves.
fn levels(tree: &TopicHierarchy, count: usize) -> Result<Vec<Level>> {
    let merges = tree.merges();
    let count = count.min(merges.len());
    let (each, longer) = (merges.len() / count.max(1), merges.len() % count.max(1));
    let last = |list: usize| (list + 1) * each + (list + 1).min(longer) - 1;
    let distances = (0..count).filter_map(|list| Some(merges.get(last(list))?.distance));
    let level = |distance: f64| Ok(Level { distance: Some(distance), groups: tree.groups(distance)? });
    let levels: Vec<Level> = distances.map(level).collect::<Result<_>>()?;
    match levels.is_empty() {
        true => Ok(vec![Level { distance: None, groups: tree.leaves().iter().map(|leaf| vec![leaf.id]).collect() }]),
        false => Ok(levels),
    }
}

fn panel(
    plane: &Plane,
    tree: &TopicHierarchy,
    level: &Level,
    shown: &BTreeMap<i32, &str>,
    documents: &[(usize, [f32; 2], i32)],
    view: &View,
) -> Panel {
    let sizes: BTreeMap<i32, usize> = tree.leaves().iter().map(|leaf| (leaf.id, leaf.size)).collect();
    let size = |topic: &i32| sizes.get(topic).copied().unwrap_or(0);
    let (mut of_topics, mut names, mut groups) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for group in &level.groups {
        let Some(largest) = group.iter().copied().max_by_key(|topic| (size(topic), std::cmp::Reverse(*topic))) else {
            continue;
        };
        let merge = tree.merges().iter().find(|merge| merge.topics == *group);
        let id = merge.map_or(largest, |merge| merge.id);
        let name = merge.map(|merge| format!("{}_{}", merge.id, merge.name));
        let name = name.or_else(|| shown.get(&largest).map(|name| (*name).to_owned()));
        let is_shown = |topic: &&i32| shown.contains_key(*topic);
        let (Some(name), Some(place)) = (name, plane.topic(largest)) else { continue };
        let members: Vec<i32> = group.iter().filter(is_shown).copied().collect();
        if members.is_empty() {
            continue;
        }
        let rows: usize = members.iter().map(size).sum();
        of_topics.extend(members.into_iter().map(|topic| (topic, (id, place.color))));
        names.insert(id, name.clone());
        groups.push((id, name, rows, place.color));
    }
    groups.sort_by_key(|&(id, _, rows, _)| (std::cmp::Reverse(rows), id));
    let number: BTreeMap<i32, usize> = groups.iter().enumerate().map(|(number, group)| (group.0, number)).collect();
    let points = documents
        .iter()
        .filter_map(|&(_, at, topic)| Some((view.at(pair(at)), *number.get(&of_topics.get(&topic)?.0)?)));
    let centers = densest(points, groups.len(), view.width / 40.0);
    let most = groups.first().map_or(0, |group| group.2);
    let label = |((id, name, rows, color), center): (&(i32, String, usize, u8), Option<At>)| {
        Some(MapLabel::new((*id, name), center?, *color, (*rows, most), OF_PANEL))
    };
    let labels: Vec<MapLabel> = groups.iter().zip(centers).filter_map(label).collect();
    let places = places_over(view, &labels, documents.iter().map(|&(_, at, _)| view.at(pair(at))));
    let title = match level.distance {
        Some(distance) => format!("{}, merged up to {}", count(groups.len(), "topic"), short_float(distance)),
        None => count(groups.len(), "topic"),
    };
    Panel { title, of_topics, names, labels, places }
}

fn pair([x, y]: [f32; 2]) -> At {
    (f64::from(x), f64::from(y))
}

impl Plot for Levels {
    fn title(&self) -> String {
        "Documents at levels of the tree of topics".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let mut documents: Vec<&(usize, [f32; 2], i32)> = self.documents.iter().collect();
        documents.sort_by_key(|document| document.0);
        let mut columns = vec![
            Column::new("row".into(), documents.iter().map(|document| document.0 as u32).collect::<Vec<_>>()),
            Column::new("x".into(), documents.iter().map(|document| document.1[0]).collect::<Vec<_>>()),
            Column::new("y".into(), documents.iter().map(|document| document.1[1]).collect::<Vec<_>>()),
            Column::new("Topic".into(), documents.iter().map(|document| document.2).collect::<Vec<_>>()),
        ];
        for (number, panel) in self.panels.iter().enumerate() {
            let group = |document: &&(usize, [f32; 2], i32)| panel.of_topics.get(&document.2).map(|group| group.0);
            let groups: Vec<Option<i32>> = documents.iter().map(group).collect();
            columns.push(Column::new(format!("Level_{}", number + 1).into(), groups));
        }
        DataFrame::new(documents.len(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        let across = self.panels.len().clamp(1, ACROSS) as f64;
        let down = self.panels.len().div_ceil(ACROSS).max(1) as f64;
        (across * PANEL + (across - 1.0) * GAP, down * (HEADING + self.view.height) + (down - 1.0) * GAP)
    }

    fn draw(&self, canvas: &mut Canvas) {
        for (number, panel) in self.panels.iter().enumerate() {
            let (column, row) = ((number % ACROSS) as f64, (number / ACROSS) as f64);
            canvas.begin_part((column * (PANEL + GAP), row * (HEADING + self.view.height + GAP)));
            let heading = TextStyle { bold: true, ..TextStyle::INK };
            canvas.fitted_text((0.0, 12.0), &panel.title, PANEL, heading);
            canvas.begin_part((0.0, HEADING));
            let color = |topic: i32| panel.of_topics.get(&topic).map_or(REST, |group| group.1);
            let points: Vec<(At, u8)> = self.documents.iter().map(|&(_, at, topic)| (pair(at), color(topic))).collect();
            draw_points(canvas, &self.view, &points, resolution(points.len()));
            draw_labels(canvas, &panel.labels, &panel.places);
            canvas.end_group();
            canvas.end_group();
        }
    }

    fn note(&self) -> Option<String> {
        let unlabeled: usize =
            self.panels.iter().flat_map(|panel| &panel.places).filter(|place| place.is_none()).count();
        (unlabeled > 0).then(|| format!("{} have no room", count(unlabeled, "label")))
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let traces = self.panels.iter().enumerate().map(|(number, panel)| {
            let axis = if number == 0 { String::new() } else { (number + 1).to_string() };
            let name = |topic: &i32| panel.of_topics.get(topic).and_then(|group| panel.names.get(&group.0));
            json!({
                "type": "scattergl", "mode": "markers", "name": escaped(&panel.title),
                "x": self.documents.iter().map(|document| document.1[0]).collect::<Vec<_>>(),
                "y": self.documents.iter().map(|document| document.1[1]).collect::<Vec<_>>(),
                "text": self.documents.iter().map(|document| name(&document.2).map(|name| escaped(name))).collect::<Vec<_>>(),
                "marker": {
                    "size": 4,
                    "color": self.documents.iter()
                        .map(|document| panel.of_topics.get(&document.2).map_or(-1, |group| group.0)).collect::<Vec<_>>(),
                },
                "xaxis": format!("x{axis}"), "yaxis": format!("y{axis}"),
            })
        });
        let down = self.panels.len().div_ceil(ACROSS).max(1);
        let layout = json!({
            "showlegend": false,
            "grid": { "rows": down, "columns": self.panels.len().clamp(1, ACROSS), "pattern": "independent" },
        });
        (traces.collect(), layout)
    }
}
