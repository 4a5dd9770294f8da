//! The tree in which topics merge: a dendrogram.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::html::count;
use super::super::markup::Html;
use super::super::number::short_float;
use super::super::show::Show;
use super::axis::Axis;
use super::canvas::{Anchor, Canvas, TextStyle, short};
use super::color::{COLORS, distinct};
use super::draw::{Draw, Plot, escaped};
use super::selection::Settings;
use super::similarity::{Join, Square, by_vectors, by_words, leaf_order};
use super::text_width::text_width;
use super::theme::Paint;
use super::{Figure, MARGIN, left_out, widest};
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::FittedTopicModel;
use crate::topics::TopicHierarchy;

/// Of larger trees, the lowest merges are left out.
const MOST_LEAVES: usize = 100;

/// Branches that merge below this distance have a color of their own, as in BERTopic.
const COLOR_THRESHOLD: f64 = 1.0;

/// Sizes in pixels: distances, the line of a leaf, labels, the axis.
const DEPTH: f64 = 480.0;
const LINE: f64 = 18.0;
const WIDEST_LABEL: f64 = 340.0;
const GAP: f64 = 8.0;
const AXIS: f64 = 30.0;
const JOINT: f64 = 3.0;

/// The tree in which topics merge: see [`visualize_hierarchy`](FittedTopicModel::visualize_hierarchy).
#[derive(Debug, Clone)]
pub struct Dendrogram {
    model: Option<FittedTopicModel>,
    tree: Option<TopicHierarchy>,
    orientation: Orientation,
    color_threshold: f64,
}

/// Where the root of a dendrogram is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Orientation {
    /// The root is on the left, and topics are on the right, one on each line. The default, as in BERTopic.
    #[default]
    Left,
    /// The root is at the top, and topics are at the bottom, side by side.
    Bottom,
}

impl FittedTopicModel {
    /// The tree in which topics merge, as a dendrogram (BERTopic's `visualize_hierarchy`): that of
    /// [`hierarchical_topics`](Self::hierarchical_topics), or [another one](Figure::tree). Topics have their labels, and
    /// every joint shows its words on hover. Of the orders that the tree allows, the leaves have the one in which
    /// neighbors are most similar.
    ///
    /// With [`topics`](Figure::topics) or [`top`](Figure::top), it is the part of the tree of all topics that joins these.
    /// Of a tree of more than 100 topics, the lowest merges are folded into their number.
    ///
    /// Frame: `Child_a` (i32), `Child_b` (i32), `Parent` (i32), `Distance` (f64), `Size` (i64), `Name`: a row for each
    /// merge, the most similar topics first. `Size` is the number of rows.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["a cat sleeps", "the cat purrs", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// let topics = model.fit(&posts)?;
    /// assert_eq!(topics.visualize_hierarchy().frame()?.height(), 2);
    /// let by_vectors = HierarchyOptions::new().distance(TopicDistance::Vectors);
    /// let tree = topics.hierarchical_topics_with(&by_vectors)?;
    /// assert!(topics.visualize_hierarchy().tree(&tree).svg()?.contains("train"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_hierarchy(&self) -> Figure<Dendrogram> {
        Figure::new(Dendrogram { model: Some(self.clone()), ..Dendrogram::default() })
    }
}

impl Default for Dendrogram {
    fn default() -> Self {
        Dendrogram { model: None, tree: None, orientation: Orientation::Left, color_threshold: COLOR_THRESHOLD }
    }
}

impl Figure<Dendrogram> {
    /// Another tree of the same topics, as [`hierarchical_topics_with`](FittedTopicModel::hierarchical_topics_with)
    /// returns it (BERTopic's `hierarchical_topics`).
    #[must_use]
    pub fn tree(mut self, tree: &TopicHierarchy) -> Self {
        self.drawing.tree = Some(tree.clone());
        self
    }

    /// Where the root is. Default: [`Orientation::Left`].
    #[must_use]
    pub fn orientation(mut self, orientation: Orientation) -> Self {
        self.drawing.orientation = orientation;
        self
    }

    /// The distance below which topics that merge have a color in common: at least 0. Default: 1.
    #[must_use]
    pub fn color_threshold(mut self, color_threshold: f64) -> Self {
        self.drawing.color_threshold = color_threshold;
        self
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Tree {
    merges: Vec<Joint>,
    /// What merges at the bottom: topics, or folded merges; in the order in which they are drawn.
    ends: Vec<End>,
    /// Where each node is across the tree, in lines.
    places: BTreeMap<i32, f64>,
    /// The color of each node that is part of a branch with a color.
    colors: BTreeMap<i32, u8>,
    topics: usize,
    left_out: usize,
    orientation: Orientation,
}

#[derive(Debug, Clone)]
struct Joint {
    id: i32,
    children: [i32; 2],
    distance: f64,
    size: usize,
    name: String,
    topics: Vec<i32>,
    /// Whether it is part of an end.
    is_folded: bool,
}

#[derive(Debug)]
struct End {
    id: i32,
    label: String,
}

impl Draw for Dendrogram {
    type Data = Tree;

    fn data(&self, settings: &Settings) -> Result<Tree> {
        if self.color_threshold.is_nan() || self.color_threshold < 0.0 {
            let (name, value) = ("color_threshold", self.color_threshold);
            return Err(Error::invalid_parameter(Stage::Display, name, value, "at least 0"));
        }
        let made;
        let tree = match (&self.tree, &self.model) {
            (Some(tree), model) => {
                model.as_ref().map_or(Ok(()), |model| check(tree, model))?;
                tree
            }
            (None, Some(model)) => {
                made = model.hierarchical_topics()?;
                &made
            }
            (None, None) => return Err(Error::new(ErrorKind::Internal, Stage::Display, "there is no tree")),
        };
        let all = || tree.leaves().iter().map(|leaf| (leaf.id, leaf.name.clone()));
        let (topics, left_out): (BTreeMap<i32, String>, usize) = match &self.model {
            None => (all().collect(), 0),
            Some(model) => {
                let selection = settings.select(model, usize::MAX)?;
                (selection.topics.into_iter().zip(selection.labels).collect(), selection.left_out)
            }
        };
        let size = |topic: i32| Some(tree.leaves().get(place_of(tree, topic)?)?.size);
        if let Some(&other) = topics.keys().find(|&&topic| size(topic).is_none()) {
            return Err(Error::invalid_parameter(
                Stage::Display,
                "topics",
                other,
                "topics of the tree, which -1 is not",
            ));
        }
        let joints = joints(tree, &topics);
        Ok(self.laid_out(joints, &topics, left_out))
    }
}

fn place_of(tree: &TopicHierarchy, topic: i32) -> Option<usize> {
    tree.leaves().binary_search_by_key(&topic, |leaf| leaf.id).ok()
}

/// That the tree is one of the topics of the model.
fn check(tree: &TopicHierarchy, model: &FittedTopicModel) -> Result<()> {
    tree.check_topics(model.fingerprint())
}

/// The merges that join some of `topics`.
fn joints(tree: &TopicHierarchy, topics: &BTreeMap<i32, String>) -> Vec<Joint> {
    // What stands for a node that has only one part with topics: this part.
    let mut stands: BTreeMap<i32, i32> = topics.keys().map(|&topic| (topic, topic)).collect();
    let size = |topic: &i32| Some(tree.leaves().get(place_of(tree, *topic)?)?.size);
    let mut joints = Vec::new();
    for merge in tree.merges() {
        let part = |id: i32| stands.get(&id).copied();
        match (part(merge.left), part(merge.right)) {
            (Some(left), Some(right)) => {
                let of_merge: Vec<i32> =
                    merge.topics.iter().copied().filter(|topic| topics.contains_key(topic)).collect();
                stands.insert(merge.id, merge.id);
                joints.push(Joint {
                    id: merge.id,
                    children: [left, right],
                    distance: merge.distance,
                    size: of_merge.iter().filter_map(size).sum(),
                    name: merge.name.clone(),
                    topics: of_merge,
                    is_folded: false,
                });
            }
            (Some(only), None) | (None, Some(only)) => drop(stands.insert(merge.id, only)),
            (None, None) => {}
        }
    }
    joints
}

impl Dendrogram {
    fn laid_out(&self, mut joints: Vec<Joint>, topics: &BTreeMap<i32, String>, left_out: usize) -> Tree {
        let folded = topics.len().saturating_sub(MOST_LEAVES);
        joints.iter_mut().take(folded).for_each(|joint| joint.is_folded = true);
        let drawn: BTreeMap<i32, &Joint> =
            joints.iter().filter(|joint| !joint.is_folded).map(|joint| (joint.id, joint)).collect();
        // In the order of the tree: the smaller number is the left part.
        let mut ends = Vec::new();
        let mut open: Vec<i32> = match joints.last() {
            Some(root) => vec![root.id],
            None => topics.keys().rev().copied().collect(),
        };
        while let Some(id) = open.pop() {
            match drawn.get(&id) {
                Some(joint) => open.extend(joint.children.iter().rev()),
                None => ends.push(id),
            }
        }
        let of_ids: BTreeMap<i32, &Joint> = joints.iter().map(|joint| (joint.id, joint)).collect();
        let ends = self.ordered(ends, &of_ids, &drawn);
        let mut places: BTreeMap<i32, f64> =
            ends.iter().zip(0_u32..).map(|(&id, at)| (id, f64::from(at) + 0.5)).collect();
        for joint in drawn.values() {
            let place = |id: &i32| places.get(id).copied().unwrap_or_default();
            let [a, b] = &joint.children;
            let middle = (place(a) + place(b)) / 2.0;
            places.insert(joint.id, middle);
        }
        let label = |id: i32| match of_ids.get(&id) {
            Some(joint) => format!("{}: {}", count(joint.topics.len(), "topic"), joint.name),
            None => topics.get(&id).cloned().unwrap_or_default(),
        };
        let ends: Vec<End> = ends.into_iter().map(|id| End { id, label: label(id) }).collect();
        let colors = branch_colors(&drawn, &ends, self.color_threshold);
        Tree { merges: joints, ends, places, colors, topics: topics.len(), left_out, orientation: self.orientation }
    }

    /// The ends in the best order that the tree allows: neighbors are similar.
    fn ordered(&self, ends: Vec<i32>, all: &BTreeMap<i32, &Joint>, drawn: &BTreeMap<i32, &Joint>) -> Vec<i32> {
        let Some(model) = &self.model else { return ends };
        // What stands for a folded merge is its largest topic: the first.
        let topic = |id: &i32| all.get(id).and_then(|joint| joint.topics.first()).copied().unwrap_or(*id);
        let topics: Vec<i32> = ends.iter().map(topic).collect();
        let Ok(similarities) = by_words(model, &topics).or_else(|_| by_vectors(model, &topics)) else { return ends };
        let mut groups: BTreeMap<i32, usize> = ends.iter().enumerate().map(|(place, &id)| (id, place)).collect();
        let mut joins: Vec<Join> = Vec::new();
        for joint in drawn.values() {
            let [a, b] = joint.children;
            let (Some(&a), Some(&b)) = (groups.get(&a), groups.get(&b)) else { return ends };
            groups.insert(joint.id, ends.len() + joins.len());
            joins.push((a, b));
        }
        order_of(&similarities, &joins, &ends)
    }
}

fn order_of(similarities: &Square, joins: &[Join], ends: &[i32]) -> Vec<i32> {
    let mut order = leaf_order(similarities, joins);
    // An order is as good as its reverse: the one that begins with the smaller number.
    if order.first() > order.last() {
        order.reverse();
    }
    order.into_iter().filter_map(|place| ends.get(place).copied()).collect()
}

/// The colors of the branches that merge below `threshold`, in the order in which they are drawn.
fn branch_colors(drawn: &BTreeMap<i32, &Joint>, ends: &[End], threshold: f64) -> BTreeMap<i32, u8> {
    let mut parents: BTreeMap<i32, i32> = BTreeMap::new();
    for joint in drawn.values().filter(|joint| joint.distance < threshold) {
        parents.extend(joint.children.iter().map(|&child| (child, joint.id)));
    }
    let top = |id: i32| {
        let mut top = id;
        while let Some(&parent) = parents.get(&top) {
            top = parent;
        }
        top
    };
    let mut branches: Vec<i32> = ends.iter().map(|end| top(end.id)).filter(|id| drawn.contains_key(id)).collect();
    branches.dedup();
    let palette = distinct(branches.len().min(COLORS));
    let colors: BTreeMap<i32, u8> = branches.into_iter().zip(palette.into_iter().cycle()).collect();
    let nodes = ends.iter().map(|end| end.id).chain(drawn.keys().copied());
    nodes.filter_map(|id| Some((id, *colors.get(&top(id))?))).collect()
}

impl Tree {
    fn drawn(&self) -> impl Iterator<Item = &Joint> {
        self.merges.iter().filter(|joint| !joint.is_folded)
    }

    /// The distance at which a node ends: 0 for the ends.
    fn distance(&self, id: i32) -> f64 {
        let drawn = self.merges.binary_search_by_key(&id, |joint| joint.id).ok().and_then(|at| self.merges.get(at));
        drawn.filter(|joint| !joint.is_folded).map_or(0.0, |joint| joint.distance)
    }

    fn place(&self, id: i32) -> f64 {
        LINE * self.places.get(&id).copied().unwrap_or_default()
    }

    fn paint(&self, id: i32) -> Paint {
        self.colors.get(&id).map_or(Paint::Muted, |&color| Paint::Series(color))
    }

    /// Distances grow away from the labels.
    fn axis(&self) -> Axis {
        Axis::of(self.drawn().map(|joint| joint.distance), (DEPTH, 0.0), 5)
    }

    /// How much room labels need in their direction.
    fn label_width(&self) -> f64 {
        let most = if self.orientation == Orientation::Left { WIDEST_LABEL } else { WIDEST_LABEL / 2.0 };
        widest(self.ends.iter().map(|end| end.label.as_str()), 12.0, most) + GAP
    }

    fn is_left(&self) -> bool {
        self.orientation == Orientation::Left
    }

    /// A point at this depth and place.
    fn at(&self, depth: f64, across: f64) -> (f64, f64) {
        if self.is_left() { (depth, across) } else { (AXIS + 10.0 + across, depth) }
    }

    fn draw_axis(&self, canvas: &mut Canvas) {
        let (axis, across) = (self.axis(), LINE * self.ends.len() as f64);
        for (distance, label) in axis.ticks(5) {
            let depth = axis.at(distance);
            canvas.line(self.at(depth, 0.0), self.at(depth, across), Paint::Faint, 1.0);
            match self.is_left() {
                true => {
                    // A long label at the left end has its place in the margin and right of it.
                    let beyond = text_width(&label, TextStyle::NOTE.size) / 2.0 - MARGIN - depth;
                    let at = (depth + beyond.max(0.0), across + 16.0);
                    canvas.text(at, &label, TextStyle::NOTE.anchored(Anchor::Middle));
                }
                false => canvas.text((AXIS, depth + 4.0), &label, TextStyle::NOTE.anchored(Anchor::End)),
            }
        }
        match self.is_left() {
            true => {
                let style = TextStyle::NOTE.anchored(Anchor::Middle);
                canvas.text((DEPTH / 2.0, across + AXIS), "distance", style);
            }
            false => {
                let style = TextStyle { turned: -90.0, ..TextStyle::NOTE.anchored(Anchor::Middle) };
                canvas.text((2.0, DEPTH / 2.0), "distance", style);
            }
        }
    }

    fn draw_joint(&self, canvas: &mut Canvas, joint: &Joint, axis: Axis) {
        let depth = axis.at(joint.distance);
        let [a, b] = joint.children;
        let points = [
            self.at(axis.at(self.distance(a)), self.place(a)),
            self.at(depth, self.place(a)),
            self.at(depth, self.place(b)),
            self.at(axis.at(self.distance(b)), self.place(b)),
        ];
        let step = |(place, &(x, y)): (usize, &(f64, f64))| {
            format!("{}{} {}", if place == 0 { 'M' } else { 'L' }, short(x), short(y))
        };
        let path: String = points.iter().enumerate().map(step).collect();
        canvas.begin_group(&hover(joint));
        canvas.path(&path, self.paint(joint.id), 1.5);
        canvas.disc(self.at(depth, self.place(joint.id)), JOINT, self.paint(joint.id), 1.0);
        canvas.end_group();
    }
}

fn hover(joint: &Joint) -> String {
    let topics = count(joint.topics.len(), "topic");
    format!(
        "{}: {} ({topics}, {}, distance {})",
        joint.id,
        joint.name,
        count(joint.size, "row"),
        short_float(joint.distance)
    )
}

impl Plot for Tree {
    fn title(&self) -> String {
        "Hierarchy of topics".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let child = |place: usize| self.merges.iter().map(move |joint| joint.children.get(place).copied());
        let columns = vec![
            Column::new("Child_a".into(), child(0).collect::<Option<Vec<i32>>>().unwrap_or_default()),
            Column::new("Child_b".into(), child(1).collect::<Option<Vec<i32>>>().unwrap_or_default()),
            Column::new("Parent".into(), self.merges.iter().map(|joint| joint.id).collect::<Vec<_>>()),
            Column::new("Distance".into(), self.merges.iter().map(|joint| joint.distance).collect::<Vec<_>>()),
            Column::new("Size".into(), self.merges.iter().map(|joint| joint.size as i64).collect::<Vec<_>>()),
            Column::new("Name".into(), self.merges.iter().map(|joint| joint.name.as_str()).collect::<Vec<_>>()),
        ];
        DataFrame::new(self.merges.len(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        let across = (LINE * self.ends.len() as f64).max(LINE);
        match self.is_left() {
            true => (DEPTH + self.label_width(), across + AXIS),
            false => ((AXIS + 10.0 + across).max(200.0), DEPTH + self.label_width()),
        }
    }

    fn draw(&self, canvas: &mut Canvas) {
        if self.ends.is_empty() {
            return canvas.text((0.0, 12.0), "There are no topics.", TextStyle::NOTE);
        }
        self.draw_axis(canvas);
        let axis = self.axis();
        self.drawn().for_each(|joint| self.draw_joint(canvas, joint, axis));
        let room = self.label_width() - GAP;
        for end in &self.ends {
            match self.is_left() {
                true => canvas.fitted_text((DEPTH + GAP, self.place(end.id) + 4.0), &end.label, room, TextStyle::INK),
                false => {
                    let style = TextStyle { turned: -90.0, ..TextStyle::INK.anchored(Anchor::End) };
                    let (x, y) = self.at(DEPTH + GAP, self.place(end.id) + 4.0);
                    canvas.fitted_text((x, y), &end.label, room, style);
                }
            }
        }
    }

    fn note(&self) -> Option<String> {
        let folded = self.topics.saturating_sub(self.ends.len());
        let folded = (folded > 0).then(|| format!("{} topics in {} branches", self.topics, self.ends.len()));
        let parts: Vec<String> = folded.into_iter().chain(left_out(self.left_out)).collect();
        (!parts.is_empty()).then(|| parts.join(" · "))
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let place = |id: i32| self.places.get(&id).copied().unwrap_or_default();
        let trace = |joint: &Joint| {
            let [a, b] = joint.children;
            let distances = [self.distance(a), joint.distance, joint.distance, self.distance(b)];
            let places = [place(a), place(a), place(b), place(b)];
            let (x, y) = if self.is_left() { (distances, places) } else { (places, distances) };
            json!({
                "type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "text",
                "text": escaped(&hover(joint)), "line": { "color": self.paint(joint.id).hex(false) },
            })
        };
        let labels: Vec<String> = self.ends.iter().map(|end| escaped(&end.label)).collect();
        let places: Vec<f64> = self.ends.iter().map(|end| place(end.id)).collect();
        let ticks = json!({ "tickmode": "array", "tickvals": places, "ticktext": labels, "automargin": true });
        let distances = json!({ "title": { "text": "Distance" }, "rangemode": "tozero" });
        let layout = match self.is_left() {
            true => json!({
                "xaxis": distances, "yaxis": ticks, "showlegend": false, "height": 200 + 15 * self.ends.len(),
            }),
            false => json!({ "xaxis": ticks, "yaxis": distances, "showlegend": false }),
        };
        (self.drawn().map(trace).collect(), layout)
    }
}

impl Show for TopicHierarchy {
    /// A dendrogram: topics on the right, and lines that meet at the distance at which they merge. Of a tree of more than
    /// 100 topics, the upper part, with the number of topics in each branch.
    fn to_html(&self) -> Html {
        let title = format!("{}, {}", count(self.leaves().len(), "topic"), count(self.merges().len(), "merge"));
        let drawing = Dendrogram { tree: Some(self.clone()), ..Dendrogram::default() };
        Show::to_html(&Figure::new(drawing).title(title))
    }

    fn to_text(&self) -> Option<String> {
        Some(self.get_topic_tree())
    }
}
