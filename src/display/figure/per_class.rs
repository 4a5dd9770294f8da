//! Topics by class, as a table of bars or of shades.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::number::short_float;
use super::super::value::plain;
use super::canvas::{Canvas, TextStyle};
use super::draw::{Draw, Plot, escaped};
use super::selection::Settings;
use super::theme::Paint;
use super::{Figure, left_out, widest};
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::FittedTopicModel;

/// The number of topics, unless others are asked for: BERTopic's.
const TOPICS: usize = 10;

/// Up to this number of classes, values are bars with numbers; of more, shades. Further ones are counted.
const BARS: usize = 8;
const MOST: usize = 60;

/// The maximum number of characters of a class.
const NAME: usize = 80;

/// Sizes in pixels.
const WIDEST_LABEL: f64 = 240.0;
const LONGEST_CLASS: f64 = 120.0;
const LINE: f64 = 22.0;
const BAR_COLUMN: f64 = 120.0;
const SHADE_COLUMN: f64 = 18.0;
const NUMBER: f64 = 44.0;
const GAP: f64 = 14.0;
const HEADING: f64 = 22.0;
const FONT: f64 = 12.0;

/// Topics by class: see [`visualize_topics_per_class`](FittedTopicModel::visualize_topics_per_class).
#[derive(Debug, Clone)]
pub struct PerClassTable {
    model: FittedTopicModel,
    source: TopicsPerClass,
    normalize_frequency: bool,
}

/// Topics by class, for a figure: the frame that [`topics_per_class`](FittedTopicModel::topics_per_class) returns, or the
/// name of a column with classes. A frame or a name converts into it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TopicsPerClass {
    /// A frame with the columns `Topic`, `Class`, `Frequency` and, if there is one, `Words`.
    Frame(DataFrame),
    /// A column of the frame of the fit.
    Column(String),
}

impl From<DataFrame> for TopicsPerClass {
    fn from(frame: DataFrame) -> Self {
        TopicsPerClass::Frame(frame)
    }
}

impl From<&DataFrame> for TopicsPerClass {
    fn from(frame: &DataFrame) -> Self {
        TopicsPerClass::Frame(frame.clone())
    }
}

impl From<&str> for TopicsPerClass {
    fn from(column: &str) -> Self {
        TopicsPerClass::Column(column.to_owned())
    }
}

impl FittedTopicModel {
    /// How often topics occur in classes (BERTopic's `visualize_topics_per_class`): a row for each topic and a column for
    /// each class, with bars of the same scale, or with more than eight classes, with shades. Default: the ten largest
    /// topics. At most 60 classes are drawn, the largest; the others are counted.
    ///
    /// Frame: `Topic` (i32), `Name`, `Class` (as in the frame of classes), `Frequency` (i64), `Value` (f64: what is drawn,
    /// the frequency or the normalized one), `Words`: a row for each topic and class that occur together.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!(
    ///     "text" => ["a cat sleeps", "the cat purrs", "a fast train", "a slow train"].repeat(10),
    ///     "group" => ["pets", "pets", "travel", "pets"].repeat(10),
    /// )?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    /// let figure = topics.visualize_topics_per_class("group").normalize_frequency(true);
    /// assert_eq!(figure.frame()?.height(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_topics_per_class(&self, topics_per_class: impl Into<TopicsPerClass>) -> Figure<PerClassTable> {
        let source = topics_per_class.into();
        Figure::new(PerClassTable { model: self.clone(), source, normalize_frequency: false })
    }
}

impl Figure<PerClassTable> {
    /// Whether the frequencies of each topic are divided by the square root of the sum of their squares, as in BERTopic,
    /// so that topics of different sizes can be compared. Default: `false`.
    #[must_use]
    pub fn normalize_frequency(mut self, normalize_frequency: bool) -> Self {
        self.drawing.normalize_frequency = normalize_frequency;
        self
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Table {
    topics: Vec<(i32, String)>,
    /// The names of the classes that are drawn, and the number of the others.
    classes: Vec<String>,
    classes_left_out: usize,
    /// All cells, by topic and class.
    cells: Vec<Cell>,
    /// The column of classes in which the cells have their rows.
    class_column: Column,
    is_normalized: bool,
    left_out: usize,
}

#[derive(Debug)]
struct Cell {
    topic: usize,
    /// The place among the classes that are drawn.
    class: Option<usize>,
    class_name: String,
    row: IdxSize,
    frequency: i64,
    value: f64,
    words: String,
}

impl Draw for PerClassTable {
    type Data = Table;

    fn data(&self, settings: &Settings) -> Result<Table> {
        let selection = settings.select(&self.model, TOPICS)?;
        let made;
        let frame = match &self.source {
            TopicsPerClass::Frame(frame) => frame,
            TopicsPerClass::Column(column) => {
                made = self.model.topics_per_class(column)?;
                &made
            }
        };
        let read = Columns::of(frame)?;
        let drawn = largest_classes(&read);
        let of_topic = |(place, topic): (usize, &i32)| {
            let rows = (0..read.topics.len()).filter(|&row| read.topics.get(row) == Some(topic));
            let cells = rows.map(|row| read.cell(row, place, &drawn)).collect();
            normalized(cells, self.normalize_frequency)
        };
        Ok(Table {
            cells: selection.topics.iter().enumerate().flat_map(of_topic).collect(),
            topics: selection.topics.into_iter().zip(selection.labels).collect(),
            classes_left_out: read.firsts.len() - drawn.len(),
            classes: drawn.into_keys().collect(),
            class_column: read.class_column,
            is_normalized: self.normalize_frequency,
            left_out: selection.left_out,
        }
        .in_order(&read.firsts))
    }
}

fn normalized(mut cells: Vec<Cell>, normalize: bool) -> Vec<Cell> {
    let length = cells.iter().map(|cell| (cell.frequency as f64).powi(2)).sum::<f64>().sqrt();
    if normalize && length > 0.0 {
        cells.iter_mut().for_each(|cell| cell.value /= length);
    }
    cells
}

/// The columns of a frame of topics by class, which may be the user's own.
struct Columns {
    topics: Vec<i32>,
    frequencies: Vec<i64>,
    words: Vec<String>,
    class_names: Vec<String>,
    class_column: Column,
    /// The classes with their first rows and frequencies.
    firsts: BTreeMap<String, (usize, i64)>,
}

impl Columns {
    fn of(frame: &DataFrame) -> Result<Self> {
        let column = |name: &str| {
            frame.column(name).cloned().map_err(|_| {
                let message = format!("the frame of topics by class has no column `{name}`");
                Error::new(ErrorKind::NotFound, Stage::Display, message)
                    .with_hint("topics_per_class(column) returns a frame with Topic, Class, Frequency and Words.")
            })
        };
        let integers = |name: &str| {
            let column = column(name)?;
            let refused = || {
                let message = format!("the column must have integers, but is {}", column.dtype());
                Error::new(ErrorKind::InvalidData, Stage::Display, message).with_column(name)
            };
            let cast = match column.dtype().is_integer() {
                true => column.cast(&DataType::Int64).map_err(|_| refused())?,
                false => return Err(refused()),
            };
            let values = cast.i64().map_err(internal)?.iter();
            values.map(|value| value.ok_or_else(refused)).collect::<Result<Vec<i64>>>()
        };
        let class_column = column("Class")?;
        let name = |row: usize| class_column.get(row).map(|value| plain(&value, NAME)).map_err(internal);
        let class_names: Vec<String> = (0..frame.height()).map(name).collect::<Result<_>>()?;
        let topics = integers("Topic")?.into_iter().map(|topic| i32::try_from(topic).unwrap_or(i32::MIN)).collect();
        let frequencies = integers("Frequency")?;
        let words = match frame.column("Words").ok().and_then(|words| words.str().ok()) {
            Some(words) => words.iter().map(|words| words.unwrap_or("").to_owned()).collect(),
            None => Vec::new(),
        };
        let mut firsts: BTreeMap<String, (usize, i64)> = BTreeMap::new();
        for (row, (name, &frequency)) in class_names.iter().zip(&frequencies).enumerate() {
            let class = firsts.entry(name.clone()).or_insert((row, 0));
            class.1 = class.1.saturating_add(frequency);
        }
        Ok(Columns { topics, frequencies, words, class_names, class_column, firsts })
    }

    fn cell(&self, row: usize, topic: usize, drawn: &BTreeMap<String, usize>) -> Cell {
        let class_name = self.class_names.get(row).cloned().unwrap_or_default();
        let frequency = self.frequencies.get(row).copied().unwrap_or_default();
        Cell {
            topic,
            class: drawn.get(&class_name).copied(),
            class_name,
            row: row as IdxSize,
            frequency,
            value: frequency as f64,
            words: self.words.get(row).cloned().unwrap_or_default(),
        }
    }
}

/// The largest classes with their places, which are in the order of the frame.
fn largest_classes(read: &Columns) -> BTreeMap<String, usize> {
    let mut classes: Vec<(&String, (usize, i64))> = read.firsts.iter().map(|(name, class)| (name, *class)).collect();
    classes.sort_by(|a, b| b.1.1.cmp(&a.1.1).then(a.1.0.cmp(&b.1.0)));
    classes.truncate(MOST);
    classes.sort_by_key(|(_, (first, _))| *first);
    classes.into_iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect()
}

impl Table {
    /// With the names of the classes in the order of their places.
    fn in_order(mut self, firsts: &BTreeMap<String, (usize, i64)>) -> Self {
        self.classes.sort_by_key(|name| firsts.get(name).map(|&(first, _)| first));
        self
    }

    fn most(&self) -> f64 {
        self.cells.iter().map(|cell| cell.value).fold(0.0, f64::max)
    }

    fn has_bars(&self) -> bool {
        self.classes.len() <= BARS
    }

    fn label_width(&self) -> f64 {
        widest(self.topics.iter().map(|(_, label)| label.as_str()), FONT, WIDEST_LABEL) + GAP
    }

    fn column_width(&self) -> f64 {
        if self.has_bars() { BAR_COLUMN + GAP } else { SHADE_COLUMN }
    }

    fn heading_height(&self) -> f64 {
        let classes = self.classes.iter().map(String::as_str);
        if self.has_bars() { HEADING } else { widest(classes, 11.0, LONGEST_CLASS) + 8.0 }
    }

    fn draw_headings(&self, canvas: &mut Canvas) {
        let height = self.heading_height();
        for (place, name) in self.classes.iter().enumerate() {
            let x = self.label_width() + self.column_width() * place as f64;
            match self.has_bars() {
                true => {
                    let style = TextStyle { bold: true, ..TextStyle::INK };
                    canvas.fitted_text((x, height - 10.0), name, BAR_COLUMN, style);
                }
                false => {
                    let style = TextStyle { size: 11.0, turned: -90.0, ..TextStyle::INK };
                    canvas.fitted_text((x + SHADE_COLUMN / 2.0 + 4.0, height - 4.0), name, LONGEST_CLASS, style);
                }
            }
        }
    }

    fn draw_cell(&self, canvas: &mut Canvas, cell: &Cell, most: f64) {
        let Some(class) = cell.class else { return };
        let x = self.label_width() + self.column_width() * class as f64;
        let y = self.heading_height() + LINE * cell.topic as f64;
        let share = if most > 0.0 { cell.value / most } else { 0.0 };
        let label = self.topics.get(cell.topic).map_or("", |(_, label)| label.as_str());
        let (name, value) = (&cell.class_name, short_float(cell.value));
        let words = if cell.words.is_empty() { String::new() } else { format!(" ({})", cell.words) };
        canvas.begin_group(&format!("{label} · {name}: {value}{words}"));
        match self.has_bars() {
            true => {
                let length = (BAR_COLUMN - NUMBER) * share.clamp(0.0, 1.0);
                canvas.rect((x, y + 4.0), (length.max(1.0), LINE - 9.0), 2.0, Paint::Accent);
                canvas.text((x + length.max(1.0) + 5.0, y + 14.5), &value, TextStyle::NOTE);
            }
            false => canvas.rect((x, y + 1.0), (SHADE_COLUMN - 1.0, LINE - 2.0), 0.0, Paint::ramp(share)),
        }
        canvas.end_group();
    }
}

impl Plot for Table {
    fn title(&self) -> String {
        "Topics by class".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let topic = |cell: &Cell| self.topics.get(cell.topic);
        let rows = IdxCa::from_vec(PlSmallStr::EMPTY, self.cells.iter().map(|cell| cell.row).collect());
        let classes = self.class_column.take(&rows).map_err(internal)?;
        let cells = || self.cells.iter();
        let columns = vec![
            Column::new("Topic".into(), cells().map(|cell| topic(cell).map(|(id, _)| *id)).collect::<Vec<_>>()),
            Column::new(
                "Name".into(),
                cells().map(|cell| topic(cell).map(|(_, label)| label.as_str())).collect::<Vec<_>>(),
            ),
            classes.with_name("Class".into()),
            Column::new("Frequency".into(), cells().map(|cell| cell.frequency).collect::<Vec<i64>>()),
            Column::new("Value".into(), cells().map(|cell| cell.value).collect::<Vec<f64>>()),
            Column::new("Words".into(), cells().map(|cell| cell.words.as_str()).collect::<Vec<_>>()),
        ];
        DataFrame::new(self.cells.len(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        let width = self.label_width() + self.column_width() * self.classes.len().max(1) as f64;
        (width.max(320.0), self.heading_height() + LINE * self.topics.len().max(1) as f64)
    }

    fn draw(&self, canvas: &mut Canvas) {
        if self.topics.is_empty() || self.classes.is_empty() {
            return canvas.text((0.0, FONT), "There are no topics and classes.", TextStyle::NOTE);
        }
        self.draw_headings(canvas);
        let (width, _) = self.size();
        for (place, (_, label)) in self.topics.iter().enumerate() {
            let y = self.heading_height() + LINE * place as f64;
            canvas.line((0.0, y), (width, y), Paint::Faint, 1.0);
            canvas.fitted_text((0.0, y + 15.0), label, self.label_width() - GAP, TextStyle::INK);
        }
        let most = self.most();
        self.cells.iter().for_each(|cell| self.draw_cell(canvas, cell, most));
    }

    fn note(&self) -> Option<String> {
        let shades = (!self.has_bars()).then(|| format!("the darkest shade is {}", short_float(self.most())));
        let shades = shades.map(|text| if self.is_normalized { text } else { format!("{text} rows") });
        let classes = (self.classes_left_out > 0).then(|| match self.classes_left_out {
            1 => "1 class not shown".to_owned(),
            more => format!("{more} classes not shown"),
        });
        let bars = self.has_bars().then(|| if self.is_normalized { "normalized frequency" } else { "rows" }.to_owned());
        let parts: Vec<String> = shades.into_iter().chain(bars).chain(classes).chain(left_out(self.left_out)).collect();
        Some(parts.join(" · "))
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let trace = |(place, (topic, label)): (usize, &(i32, String))| {
            let cells: Vec<&Cell> = self.cells.iter().filter(|cell| cell.topic == place).collect();
            let hover = |cell: &&Cell| format!("<b>Topic {topic}</b><br>Words: {}", escaped(&cell.words));
            json!({
                "type": "bar", "orientation": "h", "name": escaped(label),
                "visible": if place == 0 { json!(true) } else { json!("legendonly") },
                "x": cells.iter().map(|cell| cell.value).collect::<Vec<_>>(),
                "y": cells.iter().map(|cell| escaped(&cell.class_name)).collect::<Vec<_>>(),
                "hoverinfo": "text", "hovertext": cells.iter().map(hover).collect::<Vec<_>>(),
            })
        };
        let title = if self.is_normalized { "Normalized Frequency" } else { "Frequency" };
        let layout = json!({ "xaxis": { "title": { "text": title } }, "yaxis": { "type": "category" } });
        (self.topics.iter().enumerate().map(trace).collect(), layout)
    }
}
