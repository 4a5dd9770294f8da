//! The words of topics, as bars.

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::number::short_float;
use super::super::picture::smaller;
use super::canvas::{Anchor, Canvas, TextStyle};
use super::draw::{Draw, Plot, escaped};
use super::selection::Settings;
use super::theme::Paint;
use super::{Figure, left_out};
use crate::corpus::internal;
use crate::error::{Error, Result, Stage};
use crate::model::FittedTopicModel;
use crate::represent::Aspect;

/// The number of topics and of words, unless others are asked for: those of BERTopic.
const TOPICS: usize = 8;
const WORDS: usize = 5;

/// The number of panels in a row, and sizes in pixels.
const ACROSS: usize = 4;
const PANEL: f64 = 230.0;
const GAP: f64 = 18.0;
const HEADING: f64 = 22.0;
const LINE: f64 = 19.0;
const BAR: f64 = 7.0;
const PICTURE: f64 = 44.0;
const PICTURES: usize = 4;

/// The best words of topics as bars, and the topics' images, if there are any: see
/// [`visualize_barchart`](FittedTopicModel::visualize_barchart).
#[derive(Debug, Clone)]
pub struct Barchart {
    model: FittedTopicModel,
    n_words: usize,
}

impl FittedTopicModel {
    /// The best words of each topic, as bars of their weights, and its best images, if the model has any (BERTopic's
    /// `visualize_barchart`). Default: the eight largest topics and five words of each. All panels have the same scale.
    ///
    /// Frame: `Topic` (i32), `Name`, `Rank` (u32, from 1), `Word`, `Score` (f64).
    pub fn visualize_barchart(&self) -> Figure<Barchart> {
        Figure::new(Barchart { model: self.clone(), n_words: WORDS })
    }
}

impl Figure<Barchart> {
    /// The number of words of each topic; at least 1. Default: 5.
    #[must_use]
    pub fn n_words(mut self, n_words: usize) -> Self {
        self.drawing.n_words = n_words;
        self
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Bars {
    panels: Vec<Panel>,
    left_out: usize,
}

#[derive(Debug)]
struct Panel {
    topic: i32,
    label: String,
    words: Vec<(String, f64)>,
    /// Data URIs.
    pictures: Vec<String>,
}

impl Draw for Barchart {
    type Data = Bars;

    fn data(&self, settings: &Settings) -> Result<Bars> {
        if self.n_words == 0 {
            return Err(Error::invalid_parameter(Stage::Display, "n_words", 0, "at least 1"));
        }
        let selection = settings.select(&self.model, TOPICS)?;
        let panel = |(&topic, label): (&i32, &String)| {
            let words = self.model.get_topic(topic).unwrap_or_default();
            let words = words.into_iter().filter(|(word, _)| !word.is_empty()).take(self.n_words).collect();
            Ok(Panel { topic, label: label.clone(), words, pictures: pictures(&self.model, topic)? })
        };
        let panels = selection.topics.iter().zip(&selection.labels).map(panel).collect::<Result<_>>()?;
        Ok(Bars { panels, left_out: selection.left_out })
    }
}

/// The best images of the topic's first gallery, small.
fn pictures(model: &FittedTopicModel, topic: i32) -> Result<Vec<String>> {
    let galleries = model.topic_aspects().into_values().filter_map(|aspect| match aspect {
        Aspect::Images(gallery) => Some(gallery),
        _ => None,
    });
    for gallery in galleries {
        let thumbnails = gallery.thumbnails(topic);
        if !thumbnails.is_empty() {
            // Twice the pixels, for high-density screens.
            let small = |image: &crate::vision::EncodedImage| smaller(&image.bytes, 2 * PICTURE as u32);
            return thumbnails.iter().take(PICTURES).map(small).collect();
        }
    }
    Ok(Vec::new())
}

impl Bars {
    fn across(&self) -> usize {
        self.panels.len().clamp(1, ACROSS)
    }

    /// The height of a panel: all have the same.
    fn panel_height(&self) -> f64 {
        let words = self.panels.iter().map(|panel| panel.words.len()).max().unwrap_or(0).max(1);
        let has_pictures = self.panels.iter().any(|panel| !panel.pictures.is_empty());
        HEADING + LINE * words as f64 + if has_pictures { PICTURE + 8.0 } else { 0.0 }
    }

    fn best(&self) -> f64 {
        let scores = self.panels.iter().flat_map(|panel| &panel.words).map(|(_, score)| *score);
        scores.filter(|score| score.is_finite()).fold(0.0, f64::max)
    }
}

impl Plot for Bars {
    fn title(&self) -> String {
        "Topic words".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let rows = || {
            self.panels.iter().flat_map(|panel| {
                panel.words.iter().enumerate().map(move |(rank, (word, score))| (panel, rank, word, score))
            })
        };
        let columns = vec![
            Column::new("Topic".into(), rows().map(|(panel, ..)| panel.topic).collect::<Vec<_>>()),
            Column::new("Name".into(), rows().map(|(panel, ..)| panel.label.as_str()).collect::<Vec<_>>()),
            Column::new("Rank".into(), rows().map(|(_, rank, ..)| rank as u32 + 1).collect::<Vec<_>>()),
            Column::new("Word".into(), rows().map(|(_, _, word, _)| word.as_str()).collect::<Vec<_>>()),
            Column::new("Score".into(), rows().map(|(.., score)| *score).collect::<Vec<_>>()),
        ];
        DataFrame::new(rows().count(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        let (across, down) = (self.across() as f64, self.panels.len().div_ceil(self.across()).max(1) as f64);
        (across * PANEL + (across - 1.0) * GAP, down * self.panel_height() + (down - 1.0) * GAP)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let best = self.best();
        for (place, panel) in self.panels.iter().enumerate() {
            let (column, row) = (place % self.across(), place / self.across());
            let x = column as f64 * (PANEL + GAP);
            let y = row as f64 * (self.panel_height() + GAP);
            draw_panel(canvas, panel, (x, y), best);
        }
    }

    fn note(&self) -> Option<String> {
        left_out(self.left_out)
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let trace = |(place, panel): (usize, &Panel)| {
            let axis = if place == 0 { String::new() } else { (place + 1).to_string() };
            let words = panel.words.iter().rev();
            json!({
                "type": "bar", "orientation": "h", "name": escaped(&panel.label),
                "x": words.clone().map(|(_, score)| *score).collect::<Vec<_>>(),
                "y": words.map(|(word, _)| escaped(word)).collect::<Vec<_>>(),
                "xaxis": format!("x{axis}"), "yaxis": format!("y{axis}"),
            })
        };
        let traces: Vec<Value> = self.panels.iter().enumerate().map(trace).collect();
        let down = self.panels.len().div_ceil(self.across()).max(1);
        let layout = json!({
            "showlegend": false,
            "grid": { "rows": down, "columns": self.across(), "pattern": "independent" },
        });
        (traces, layout)
    }
}

fn draw_panel(canvas: &mut Canvas, panel: &Panel, (x, y): (f64, f64), best: f64) {
    canvas.fitted_text((x, y + 12.0), &panel.label, PANEL, TextStyle { bold: true, ..TextStyle::INK });
    for (rank, (word, score)) in panel.words.iter().enumerate() {
        let top = y + HEADING + LINE * rank as f64;
        let share = if best > 0.0 { (score / best).clamp(0.0, 1.0) } else { 0.0 };
        let number = short_float(*score);
        canvas.fitted_text((x, top + 9.0), word, PANEL - 60.0, TextStyle { size: 11.0, ..TextStyle::INK });
        let note = TextStyle { size: 10.0, ..TextStyle::NOTE.anchored(Anchor::End) };
        canvas.text((x + PANEL, top + 9.0), &number, note);
        canvas.rect((x, top + 12.0), (PANEL, BAR - 4.0), 1.5, Paint::Faint);
        canvas.rect((x, top + 12.0), (PANEL * share, BAR - 4.0), 1.5, Paint::Accent);
    }
    let top = y + HEADING + LINE * panel.words.len() as f64 + 6.0;
    for (place, uri) in panel.pictures.iter().enumerate() {
        let left = x + place as f64 * (PICTURE + 6.0);
        canvas.image((left, top), (PICTURE, PICTURE), uri, &format!("image of topic {}", panel.topic));
    }
}
