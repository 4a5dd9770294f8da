//! Topics in the plane, as bubbles.

use polars::prelude::*;
use serde_json::{Value, json};

use super::canvas::Canvas;
use super::draw::{Draw, Plot, escaped};
use super::labels::{At, Placed};
use super::plane::{Plane, View};
use super::selection::Settings;
use super::still::{MapLabel, OF_MAP, draw_labels, places_over};
use super::theme::Paint;
use super::{Figure, left_out};
use crate::corpus::internal;
use crate::error::Result;
use crate::model::FittedTopicModel;

/// The width of the map, its heights, and the radii of the largest and the smallest bubbles, in pixels.
const WIDTH: f64 = 1100.0;
const HEIGHTS: (f64, f64) = (420.0, 680.0);
const LARGEST: f64 = 50.0;
const SMALLEST: f64 = 3.0;

/// The bubbles cover at most this share of the map.
const COVERED: f64 = 0.12;

/// Space around the centers, for bubbles and labels at the edge.
const EDGE: f64 = 70.0;

/// The number of words in the frame.
const WORDS: usize = 5;

/// Topics in the plane: see [`visualize_topics`](FittedTopicModel::visualize_topics).
#[derive(Debug, Clone)]
pub struct TopicMap {
    model: FittedTopicModel,
}

impl FittedTopicModel {
    /// The topics as bubbles at the densest part of their documents in the plane of [`layout_2d`](Self::layout_2d)
    /// (BERTopic's `visualize_topics`, which lays out the topics by themselves). The area of a bubble is the number of its
    /// documents; neighboring topics have different colors, and labels do not overlap. The outliers have no bubble.
    ///
    /// Frame: `Topic` (i32), `x`, `y` (f64, in the coordinates of the layout), `Count` (u32), `Name`, `Words` (String).
    pub fn visualize_topics(&self) -> Figure<TopicMap> {
        Figure::new(TopicMap { model: self.clone() })
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Bubbles {
    /// The largest first.
    bubbles: Vec<Bubble>,
    labels: Vec<MapLabel>,
    places: Vec<Option<Placed>>,
    view: View,
    left_out: usize,
}

#[derive(Debug)]
struct Bubble {
    topic: i32,
    name: String,
    words: String,
    count: usize,
    at: At,
    color: u8,
    radius: f64,
}

impl Draw for TopicMap {
    type Data = Bubbles;

    fn data(&self, settings: &Settings) -> Result<Bubbles> {
        let selection = settings.select(&self.model, usize::MAX)?;
        let plane = Plane::of(&self.model)?;
        let bubble = |(&topic, name): (&i32, &String)| {
            let place = plane.topic(topic)?;
            let count = self.model.topic_size(topic).unwrap_or(0);
            let words = self.model.get_topic(topic).unwrap_or_default().into_iter().map(|(word, _)| word);
            let words: Vec<String> = words.filter(|word| !word.is_empty()).take(WORDS).collect();
            Some(Bubble {
                topic,
                name: name.clone(),
                words: words.join(", "),
                count,
                at: place.center,
                color: place.color,
                radius: 0.0,
            })
        };
        let mut bubbles: Vec<Bubble> = selection.topics.iter().zip(&selection.labels).filter_map(bubble).collect();
        bubbles.sort_by_key(|bubble| (std::cmp::Reverse(bubble.count), bubble.topic));
        let view = View::of(bubbles.iter().map(|bubble| bubble.at), WIDTH - 2.0 * EDGE, HEIGHTS);
        let largest = bubbles.first().map_or(0, |bubble| bubble.count);
        let total: usize = bubbles.iter().map(|bubble| bubble.count).sum();
        let room = COVERED * view.width * view.height / total.max(1) as f64 / std::f64::consts::PI;
        let scale = room.min(LARGEST * LARGEST / largest.max(1) as f64);
        for bubble in &mut bubbles {
            bubble.radius = (bubble.count as f64 * scale).sqrt().max(SMALLEST);
        }
        let view = view.with_edge(EDGE);
        let label = |bubble: &Bubble| {
            let size = (bubble.count, largest);
            let label = (bubble.topic, bubble.name.as_str());
            MapLabel::new(label, view.at(bubble.at), bubble.color, size, OF_MAP).at_mark(bubble.radius)
        };
        let labels: Vec<MapLabel> = bubbles.iter().map(label).collect();
        let marks: Vec<At> = bubbles.iter().flat_map(|bubble| inside(view.at(bubble.at), bubble.radius)).collect();
        let places = places_over(&view, &labels, marks.into_iter());
        Ok(Bubbles { bubbles, labels, places, view, left_out: selection.left_out })
    }
}

/// Places in a disc, some pixels apart.
fn inside((x, y): At, radius: f64) -> impl Iterator<Item = At> {
    let steps = (radius / 5.0).ceil() as i32;
    let step = move |number: i32| f64::from(number) * radius / f64::from(steps.max(1));
    let all = (-steps..=steps).flat_map(move |a| (-steps..=steps).map(move |b| (step(a), step(b))));
    all.filter(move |(dx, dy)| dx.hypot(*dy) <= radius).map(move |(dx, dy)| (x + dx, y + dy))
}

impl Plot for Bubbles {
    fn title(&self) -> String {
        "Topics".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let mut bubbles: Vec<&Bubble> = self.bubbles.iter().collect();
        bubbles.sort_by_key(|bubble| bubble.topic);
        let columns = vec![
            Column::new("Topic".into(), bubbles.iter().map(|bubble| bubble.topic).collect::<Vec<_>>()),
            Column::new("x".into(), bubbles.iter().map(|bubble| bubble.at.0).collect::<Vec<_>>()),
            Column::new("y".into(), bubbles.iter().map(|bubble| bubble.at.1).collect::<Vec<_>>()),
            Column::new("Count".into(), bubbles.iter().map(|bubble| bubble.count as u32).collect::<Vec<_>>()),
            Column::new("Name".into(), bubbles.iter().map(|bubble| bubble.name.as_str()).collect::<Vec<_>>()),
            Column::new("Words".into(), bubbles.iter().map(|bubble| bubble.words.as_str()).collect::<Vec<_>>()),
        ];
        DataFrame::new(bubbles.len(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        (self.view.width, self.view.height)
    }

    fn draw(&self, canvas: &mut Canvas) {
        for bubble in &self.bubbles {
            let at = self.view.at(bubble.at);
            canvas.begin_group(&format!("{}: {} documents: {}", bubble.name, bubble.count, bubble.words));
            canvas.disc(at, bubble.radius, Paint::Series(bubble.color), 0.35);
            canvas.circle(at, bubble.radius, Paint::Series(bubble.color), 1.2);
            canvas.end_group();
        }
        draw_labels(canvas, &self.labels, &self.places);
    }

    fn note(&self) -> Option<String> {
        let unlabeled = self.places.iter().filter(|place| place.is_none()).count();
        let unlabeled = (unlabeled > 0).then(|| format!("{unlabeled} without a label, which would not fit"));
        let parts: Vec<String> = left_out(self.left_out).into_iter().chain(unlabeled).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let bubbles = || self.bubbles.iter();
        let trace = json!({
            "type": "scatter", "mode": "markers",
            "x": bubbles().map(|bubble| bubble.at.0).collect::<Vec<_>>(),
            "y": bubbles().map(|bubble| bubble.at.1).collect::<Vec<_>>(),
            "text": bubbles().map(|bubble| escaped(&bubble.name)).collect::<Vec<_>>(),
            "marker": { "size": bubbles().map(|bubble| 2.0 * bubble.radius).collect::<Vec<_>>() },
        });
        let axis = json!({ "visible": false });
        (vec![trace], json!({ "xaxis": axis, "yaxis": axis }))
    }
}
