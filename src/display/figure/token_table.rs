//! The topics of each word of a document.

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::html::count;
use super::super::number::short_float;
use super::Figure;
use super::canvas::{Anchor, Canvas, TextStyle};
use super::draw::{Draw, Plot, escaped, labeled_axis};
use super::selection::Settings;
use super::text_width::{fitted, text_width};
use super::theme::Paint;
use super::widest;
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::FittedTopicModel;
use crate::topics::TokenDistribution;

/// The number of topics, unless others are asked for, and the largest number of words that are drawn.
const TOPICS: usize = 8;
const WORDS: usize = 400;

/// Sizes in pixels.
const WIDTH: f64 = 900.0;
const WIDEST_LABEL: f64 = 200.0;
const WIDEST_WORD: f64 = 140.0;
const NARROWEST_WORD: f64 = 24.0;
const FONT: f64 = 12.0;
const HEADING: f64 = 18.0;
const CELL: f64 = 16.0;
const GAP: f64 = 12.0;
const BETWEEN_LINES: f64 = 16.0;

/// The topics of each word of a document: see
/// [`visualize_approximate_distribution`](FittedTopicModel::visualize_approximate_distribution).
#[derive(Debug, Clone)]
pub struct TokenTable {
    model: FittedTopicModel,
    tokens: TokenDistribution,
    normalize: bool,
}

impl FittedTopicModel {
    /// Which words of a document belong to which topics, and how much (BERTopic's `visualize_approximate_distribution`), of
    /// what [`token_distributions`](Self::token_distributions) returns: the words in lines, as they are read, and below
    /// each a cell for every topic, the darker, the more similar. Default: the eight topics with the largest shares. At
    /// most 400 words are drawn; the others are counted.
    ///
    /// Frame: `Token` (u32, from 0), `Word`, `Topic` (i32), `Name`, `Similarity` (f64): a row for each word and topic that
    /// are similar.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    /// let tokens = topics.token_distributions(&[0], &ApproximateDistribution::new())?;
    /// let figure = topics.visualize_approximate_distribution(&tokens[0]);
    /// assert!(figure.svg()?.contains("sleeps"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_approximate_distribution(&self, tokens: &TokenDistribution) -> Figure<TokenTable> {
        Figure::new(TokenTable { model: self.clone(), tokens: tokens.clone(), normalize: false })
    }
}

impl Figure<TokenTable> {
    /// Whether similarities are divided by the sum of all in the document, as in BERTopic. Default: `false`.
    #[must_use]
    pub fn normalize(mut self, normalize: bool) -> Self {
        self.drawing.normalize = normalize;
        self
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Tokens {
    words: Vec<String>,
    topics: Vec<(i32, String)>,
    /// The similarities of each word to each topic.
    similarities: Vec<Vec<f64>>,
    /// The number of other topics that words are similar to.
    others: usize,
    row: usize,
}

impl Draw for TokenTable {
    type Data = Tokens;

    fn data(&self, settings: &Settings) -> Result<Tokens> {
        let known = self.model.topic_ids();
        if let Some(unknown) = self.tokens.topics().iter().find(|topic| known.binary_search(topic).is_err()) {
            let message = format!("the words belong to another model: this one has no topic {unknown}");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Display, message)
                .with_hint("Call token_distributions on this model; edits renumber topics."));
        }
        let shares = self.tokens.shares();
        let topics: Vec<i32> = match settings.topics {
            Some(_) => settings.select(&self.model, 0)?.topics,
            None => shares.iter().map(|&(topic, _)| topic).take(settings.top.unwrap_or(TOPICS)).collect(),
        };
        let similarities = self.tokens.similarities();
        let sum = similarities.sum();
        let scale = if self.normalize && sum > 0.0 { sum } else { 1.0 };
        let place = |topic: &i32| self.tokens.topics().iter().position(|other| other == topic);
        let places: Vec<Option<usize>> = topics.iter().map(place).collect();
        let of_word = |word: usize| {
            let of_topic = |place: &Option<usize>| place.and_then(|place| similarities.get((word, place))).copied();
            places.iter().map(|place| of_topic(place).unwrap_or(0.0) / scale).collect()
        };
        let named = |&topic: &i32| Ok((topic, settings.label_of(&self.model, topic)?));
        Ok(Tokens {
            words: self.tokens.tokens().into_iter().map(str::to_owned).collect(),
            similarities: (0..self.tokens.places().len()).map(of_word).collect(),
            others: shares.iter().filter(|(topic, _)| !topics.contains(topic)).count(),
            topics: topics.iter().map(named).collect::<Result<_>>()?,
            row: self.tokens.row(),
        })
    }
}

/// A word in its line.
struct Place {
    line: usize,
    x: f64,
    width: f64,
}

impl Tokens {
    fn label_width(&self) -> f64 {
        widest(self.topics.iter().map(|(_, label)| label.as_str()), 11.0, WIDEST_LABEL) + GAP
    }

    fn most(&self) -> f64 {
        self.similarities.iter().flatten().copied().fold(0.0, f64::max)
    }

    /// Where the words are that are drawn: in lines, as they are read.
    fn places(&self) -> Vec<Place> {
        let start = self.label_width();
        let (mut line, mut x) = (0, start);
        let mut places = Vec::new();
        for word in self.words.iter().take(WORDS) {
            let width = (text_width(word, FONT).min(WIDEST_WORD) + 4.0).max(NARROWEST_WORD);
            if x + width > WIDTH && x > start {
                (line, x) = (line + 1, start);
            }
            places.push(Place { line, x, width });
            x += width + 1.0;
        }
        places
    }

    fn line_height(&self) -> f64 {
        HEADING + CELL * self.topics.len() as f64 + BETWEEN_LINES
    }

    fn draw_cells(&self, canvas: &mut Canvas, number: usize, place: &Place, top: f64) {
        let most = self.most();
        let (Some(word), Some(values)) = (self.words.get(number), self.similarities.get(number)) else { return };
        for (row, (value, (_, label))) in values.iter().zip(&self.topics).enumerate() {
            let (at, size) = ((place.x, top + HEADING + CELL * row as f64), (place.width, CELL - 1.0));
            if *value <= 0.0 {
                canvas.rect(at, size, 0.0, Paint::Faint);
                continue;
            }
            let share = if most > 0.0 { value / most } else { 0.0 };
            canvas.begin_group(&format!("{word} · {label}: {}", short_float(*value)));
            canvas.rect(at, size, 0.0, Paint::ramp(0.1 + 0.9 * share));
            canvas.end_group();
        }
    }
}

impl Plot for Tokens {
    fn title(&self) -> String {
        format!("Topics of the words of row {}", self.row)
    }

    fn frame(&self) -> Result<DataFrame> {
        let cells = || {
            self.words.iter().zip(&self.similarities).enumerate().flat_map(|(number, (word, values))| {
                let positive = values.iter().zip(&self.topics).filter(|(value, _)| **value > 0.0);
                positive.map(move |(value, topic)| (number, word, topic, *value))
            })
        };
        let columns = vec![
            Column::new("Token".into(), cells().map(|(number, ..)| number as u32).collect::<Vec<_>>()),
            Column::new("Word".into(), cells().map(|(_, word, ..)| word.as_str()).collect::<Vec<_>>()),
            Column::new("Topic".into(), cells().map(|(_, _, topic, _)| topic.0).collect::<Vec<i32>>()),
            Column::new("Name".into(), cells().map(|(_, _, topic, _)| topic.1.as_str()).collect::<Vec<_>>()),
            Column::new("Similarity".into(), cells().map(|(.., value)| value).collect::<Vec<f64>>()),
        ];
        DataFrame::new(cells().count(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        let places = self.places();
        let right = places.iter().map(|place| place.x + place.width).fold(320.0, f64::max);
        let lines = places.last().map_or(1, |place| place.line + 1) as f64;
        (right, lines * self.line_height() - BETWEEN_LINES)
    }

    fn draw(&self, canvas: &mut Canvas) {
        if self.words.is_empty() || self.topics.is_empty() {
            let none =
                if self.words.is_empty() { "The document has no words." } else { "No word resembles any topic." };
            return canvas.text((0.0, FONT), none, TextStyle::NOTE);
        }
        let places = self.places();
        let mut labeled = None;
        for (number, place) in places.iter().enumerate() {
            let top = self.line_height() * place.line as f64;
            if labeled != Some(place.line) {
                labeled = Some(place.line);
                let style = TextStyle { size: 11.0, ..TextStyle::NOTE.anchored(Anchor::End) };
                for (row, (_, label)) in self.topics.iter().enumerate() {
                    let y = top + HEADING + CELL * row as f64 + 12.0;
                    canvas.fitted_text((self.label_width() - GAP, y), label, self.label_width() - GAP, style);
                }
            }
            if let Some(word) = self.words.get(number) {
                canvas.text((place.x, top + 13.0), &fitted(word, FONT, WIDEST_WORD), TextStyle::INK);
            }
            self.draw_cells(canvas, number, place, top);
        }
    }

    fn note(&self) -> Option<String> {
        let most = (self.most() > 0.0).then(|| format!("the darkest shade is {}", short_float(self.most())));
        let words = self.words.len().saturating_sub(WORDS);
        let words = (words > 0).then(|| format!("{} not shown", count(words, "word")));
        let others = (self.others > 0).then(|| format!("{} not shown", count(self.others, "topic")));
        let parts: Vec<String> = most.into_iter().chain(words).chain(others).collect();
        (!parts.is_empty()).then(|| parts.join(" · "))
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let of_topic = |topic: usize| -> Vec<Option<f64>> {
            self.similarities.iter().map(|values| values.get(topic).copied()).collect()
        };
        let trace = json!({
            "type": "heatmap", "z": (0..self.topics.len()).map(of_topic).collect::<Vec<_>>(),
            "text": vec![self.words.iter().map(|word| escaped(word)).collect::<Vec<_>>(); self.topics.len()],
            "colorscale": "Blues", "reversescale": true,
        });
        let words = labeled_axis(self.words.iter().map(String::as_str));
        let topics = labeled_axis(self.topics.iter().map(|(_, label)| label.as_str()));
        (vec![trace], json!({ "xaxis": words, "yaxis": topics }))
    }
}
