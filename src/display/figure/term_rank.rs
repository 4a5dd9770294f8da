//! How the weights of a topic's words decline.

use polars::prelude::*;
use serde_json::{Value, json};

use super::Figure;
use super::axis::{Axis, extent};
use super::canvas::Canvas;
use super::color::{COLORS, distinct};
use super::draw::{Draw, Plot, escaped};
use super::lines::{Line, LineChart};
use super::selection::Settings;
use crate::corpus::internal;
use crate::error::Result;
use crate::model::FittedTopicModel;

/// The weights of words by their ranks: see [`visualize_term_rank`](FittedTopicModel::visualize_term_rank).
#[derive(Debug, Clone)]
pub struct TermRank {
    model: FittedTopicModel,
    log_scale: bool,
}

impl FittedTopicModel {
    /// How the weights of each topic's words decline: a line for each topic, -1 included, by the ranks of its words
    /// (BERTopic's `visualize_term_rank`). It tells how many words describe a topic. The topics of
    /// [`topics`](Figure::topics) or [`top`](Figure::top) are in color, up to 18 of them, with a mark where their line
    /// bends most (the largest distance from the straight line between its ends); by default, none is.
    ///
    /// Frame: `Topic` (i32), `Name`, `Rank` (u32, from 1), `Word`, `Score` (f64).
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let figure = model.fit(&posts)?.visualize_term_rank().topics(&[0]).log_scale(true);
    /// assert!(figure.svg()?.contains("0_"));
    /// assert_eq!(figure.frame()?.column("Topic")?.n_unique()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_term_rank(&self) -> Figure<TermRank> {
        Figure::new(TermRank { model: self.clone(), log_scale: false })
    }
}

impl Figure<TermRank> {
    /// Whether weights are drawn on a logarithmic scale; weights of 0 are left out there. Default: `false`.
    #[must_use]
    pub fn log_scale(mut self, log_scale: bool) -> Self {
        self.drawing.log_scale = log_scale;
        self
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Ranks {
    topics: Vec<OfTopic>,
    log_scale: bool,
}

#[derive(Debug)]
struct OfTopic {
    topic: i32,
    label: String,
    words: Vec<(String, f64)>,
    color: Option<u8>,
}

impl Draw for TermRank {
    type Data = Ranks;

    fn data(&self, settings: &Settings) -> Result<Ranks> {
        let chosen = match settings.chooses_topics() {
            true => settings.select(&self.model, 0)?.topics,
            false => Vec::new(),
        };
        let colors = distinct(chosen.len().min(COLORS));
        let of_topic = |topic: i32| {
            let words = self.model.get_topic(topic).unwrap_or_default();
            let words = words.into_iter().filter(|(word, weight)| !word.is_empty() && weight.is_finite()).collect();
            let color = chosen.iter().position(|&other| other == topic).and_then(|place| colors.get(place).copied());
            Ok(OfTopic { topic, label: settings.label_of(&self.model, topic)?, words, color })
        };
        let topics = self.model.topic_ids().into_iter().map(of_topic).collect::<Result<_>>()?;
        Ok(Ranks { topics, log_scale: self.log_scale })
    }
}

/// Where the weights bend most: the largest distance from the straight line between the first and the last of them.
fn bend(values: &[f64]) -> Option<usize> {
    let (first, last) = (*values.first()?, *values.last()?);
    let steps = values.len().checked_sub(1).filter(|&steps| steps > 1)? as f64;
    let below = |(place, value): (usize, &f64)| first + (last - first) * place as f64 / steps - value;
    let distances = values.iter().enumerate().map(below);
    let best = distances.enumerate().fold(None, |best: Option<(usize, f64)>, (place, distance)| match best {
        Some((_, most)) if distance <= most => best,
        _ => Some((place, distance)),
    });
    best.filter(|&(_, distance)| distance > 0.0).map(|(place, _)| place)
}

impl Ranks {
    fn drawn(&self, weight: f64) -> f64 {
        match self.log_scale {
            true if weight > 0.0 => weight.log10(),
            true => f64::NAN,
            false => weight,
        }
    }

    fn chart(&self) -> LineChart {
        let line = |of_topic: &OfTopic| {
            let values: Vec<f64> = of_topic.words.iter().map(|(_, weight)| self.drawn(*weight)).collect();
            let note =
                |(word, weight): &(String, f64)| format!("{word} {}", super::super::number::short_float(*weight));
            Line {
                label: of_topic.label.clone(),
                color: of_topic.color,
                marked: of_topic.color.and_then(|_| bend(&values)),
                points: values.into_iter().enumerate().map(|(rank, value)| (rank as f64 + 1.0, value)).collect(),
                notes: of_topic.words.iter().map(note).collect(),
            }
        };
        let lines: Vec<Line> = self.topics.iter().map(line).collect();
        let most = lines.iter().map(|line| line.points.len()).max().unwrap_or(0).max(2) as f64;
        let values = lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
        let (y, y_ticks) = match self.log_scale {
            false => {
                let axis = Axis::of(values, (0.0, 1.0), 5);
                (axis.domain(), axis.ticks(5))
            }
            true => decades(extent(values).unwrap_or((-1.0, 0.0))),
        };
        let ticks = Axis::new((1.0, most), (0.0, 1.0)).ticks(10).into_iter().filter(|(rank, _)| rank.fract() == 0.0);
        LineChart {
            lines,
            x: (1.0, most),
            y,
            x_ticks: ticks.collect(),
            y_ticks,
            x_title: "rank of the word".to_owned(),
            y_title: if self.log_scale { "weight (logarithmic)" } else { "weight" }.to_owned(),
        }
    }
}

/// The range of logarithms with whole decades, and their ticks; 1, 2 and 5 where there are few decades.
fn decades((low, high): (f64, f64)) -> ((f64, f64), Vec<(f64, String)>) {
    let factors: &[f64] = if high - low > 2.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let powers = low.floor() as i32..=high.ceil() as i32;
    let all = powers.flat_map(|power| {
        factors.iter().map(move |factor| (f64::from(power) + factor.log10(), factor * 10.0_f64.powi(power)))
    });
    let all: Vec<(f64, f64)> = all.collect();
    let below = all.iter().map(|tick| tick.0).filter(|&at| at <= low + 1e-9).fold(low.floor(), f64::max);
    let above = all.iter().map(|tick| tick.0).filter(|&at| at >= high - 1e-9).fold(high.ceil(), f64::min);
    let inside = all.into_iter().filter(|tick| (below - 1e-9..=above + 1e-9).contains(&tick.0));
    let written = inside.map(|(at, value)| (at, super::super::number::short_float(value)));
    ((below, above), written.collect())
}

impl Plot for Ranks {
    fn title(&self) -> String {
        "Weights of words by rank".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let rows = || {
            self.topics.iter().flat_map(|of_topic| {
                of_topic.words.iter().enumerate().map(move |(rank, (word, weight))| (of_topic, rank, word, weight))
            })
        };
        let columns = vec![
            Column::new("Topic".into(), rows().map(|(of_topic, ..)| of_topic.topic).collect::<Vec<_>>()),
            Column::new("Name".into(), rows().map(|(of_topic, ..)| of_topic.label.as_str()).collect::<Vec<_>>()),
            Column::new("Rank".into(), rows().map(|(_, rank, ..)| rank as u32 + 1).collect::<Vec<_>>()),
            Column::new("Word".into(), rows().map(|(_, _, word, _)| word.as_str()).collect::<Vec<_>>()),
            Column::new("Score".into(), rows().map(|(.., weight)| *weight).collect::<Vec<_>>()),
        ];
        DataFrame::new(rows().count(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        self.chart().size()
    }

    fn draw(&self, canvas: &mut Canvas) {
        self.chart().draw(canvas);
    }

    fn note(&self) -> Option<String> {
        let colored = self.topics.iter().filter(|of_topic| of_topic.color.is_some()).count();
        let all = super::super::html::count(self.topics.len(), "topic");
        Some(match colored {
            0 => all,
            _ => format!("{all}, {colored} of them in color · the mark is where a line bends most"),
        })
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let trace = |of_topic: &OfTopic| {
            let values: Vec<f64> = of_topic.words.iter().map(|(_, weight)| self.drawn(*weight)).collect();
            let is_colored = of_topic.color.is_some();
            json!({
                "type": "scatter", "mode": "lines", "name": "", "hovertext": escaped(&of_topic.label),
                "x": (1..=values.len()).collect::<Vec<_>>(), "y": values,
                "opacity": if is_colored { 1.0 } else { 0.1 },
                "line": { "color": if is_colored { "red" } else { "black" }, "width": 1.5 },
            })
        };
        let title = if self.log_scale { "c-TF-IDF score (log scale)" } else { "c-TF-IDF score" };
        let layout = json!({
            "showlegend": false, "xaxis": { "title": { "text": "Term Rank" } }, "yaxis": { "title": { "text": title } },
        });
        (self.topics.iter().map(trace).collect(), layout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_bends_where_it_is_farthest_below_its_chord() {
        assert_eq!(bend(&[1.0, 0.2, 0.1, 0.0]), Some(1));
        assert_eq!(bend(&[1.0, 0.5, 0.0]), None, "straight");
        assert_eq!((bend(&[1.0, 0.0]), bend(&[])), (None, None));
    }

    #[test]
    fn logarithms_have_round_ticks() {
        let (range, ticks) = decades((0.021_f64.log10(), 0.46_f64.log10()));
        let labels: Vec<&str> = ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["0.02", "0.05", "0.1", "0.2", "0.5"]);
        assert!((range.0 - 0.02_f64.log10()).abs() < 1e-9 && (range.1 - 0.5_f64.log10()).abs() < 1e-9);
        assert_eq!(decades((-4.0, 0.0)).1.len(), 5);
    }
}
