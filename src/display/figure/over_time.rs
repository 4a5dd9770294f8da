//! Topics over time, as lines.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::value::plain;
use super::axis::{Axis, extent};
use super::canvas::Canvas;
use super::color::{COLORS, distinct};
use super::draw::{Draw, Plot, escaped};
use super::lines::{Line, LineChart};
use super::selection::Settings;
use super::time_axis::time_ticks;
use super::{Figure, left_out};
use crate::corpus::internal;
use crate::error::Result;
use crate::model::{FittedTopicModel, TopicsOverTime};

/// The number of topics, unless others are asked for, and the largest number of lines that can be told apart.
const TOPICS: usize = 10;
const MOST: usize = COLORS;

/// The maximum number of characters of a time or class on hover.
const SHOWN: usize = 60;

const SECONDS_A_DAY: f64 = 86_400.0;

/// Topics over time: see [`visualize_topics_over_time`](FittedTopicModel::visualize_topics_over_time).
#[derive(Debug, Clone)]
pub struct OverTimeLines {
    model: FittedTopicModel,
    over_time: TopicsOverTime,
    normalize_frequency: bool,
}

impl FittedTopicModel {
    /// How often topics occur over time: a line for each (BERTopic's `visualize_topics_over_time`), of what
    /// [`topics_over_time`](Self::topics_over_time) returns. Default: the ten largest topics. At most 18 lines are drawn, as
    /// many as there are colors that differ for every kind of sight; the others are counted. Where time is divided by
    /// classes, each class of a topic has a line.
    ///
    /// Frame: `Topic` (i32), `Name`, `Timestamp` (as in [`TopicsOverTime::frame`]), `Frequency` (i64), `Value` (f64: what
    /// is drawn, the frequency or the normalized one), `Words`, and `Class` if there are classes. A topic has a row for
    /// each time, with frequency 0 where it does not occur.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!(
    ///     "text" => ["a cat sleeps", "the cat purrs", "a fast train", "a slow train"].repeat(10),
    ///     "year" => [2020, 2021, 2021, 2022].repeat(10),
    /// )?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    /// let figure = topics.visualize_topics_over_time(&topics.topics_over_time("year")?);
    /// assert_eq!(figure.frame()?.height(), 2 * 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_topics_over_time(&self, topics_over_time: &TopicsOverTime) -> Figure<OverTimeLines> {
        let over_time = topics_over_time.clone();
        Figure::new(OverTimeLines { model: self.clone(), over_time, normalize_frequency: false })
    }
}

impl Figure<OverTimeLines> {
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
pub struct TopicLines {
    lines: Vec<OverTime>,
    /// The times, ascending, as a column; as numbers; and as text.
    times: Column,
    moments: Vec<f64>,
    shown: Vec<String>,
    /// The values of `Class`, if there are classes, and its place for each line.
    classes: Option<Column>,
    is_normalized: bool,
    left_out: usize,
    lines_left_out: usize,
}

#[derive(Debug)]
struct OverTime {
    topic: i32,
    label: String,
    class: Option<IdxSize>,
    frequencies: Vec<i64>,
    values: Vec<f64>,
    words: Vec<String>,
}

impl Draw for OverTimeLines {
    type Data = TopicLines;

    fn data(&self, settings: &Settings) -> Result<TopicLines> {
        let selection = settings.select(&self.model, TOPICS)?;
        let frame = self.over_time.frame();
        let table = Table::of(&frame)?;
        let classes = frame.column("Class").ok().cloned();
        let class_of = Keys::of(classes.as_ref());
        let mut cells: BTreeMap<(i32, usize), Vec<(usize, usize)>> = BTreeMap::new();
        for (row, (topic, time)) in table.topics.iter().zip(&table.times.of_rows).enumerate() {
            cells.entry((*topic, class_of.of_row(row))).or_default().push((*time, row));
        }
        let mut lines = Vec::new();
        for (&topic, label) in selection.topics.iter().zip(&selection.labels) {
            for (&(_, class), rows) in cells.range((topic, 0)..=(topic, usize::MAX)) {
                let name = match class_of.names.get(class) {
                    Some(name) => format!("{label} · {name}"),
                    None => label.clone(),
                };
                let first = class_of.firsts.get(class).copied();
                lines.push(self.line(topic, name, first, rows, &table));
            }
        }
        let lines_left_out = lines.len().saturating_sub(MOST);
        lines.truncate(MOST);
        let places = IdxCa::from_vec(PlSmallStr::EMPTY, table.times.firsts.clone());
        Ok(TopicLines {
            lines,
            times: table.timestamps.take(&places).map_err(internal)?,
            moments: table.times.firsts.iter().filter_map(|&row| table.moments.get(row as usize).copied()).collect(),
            shown: table.times.names,
            classes,
            is_normalized: self.normalize_frequency,
            left_out: selection.left_out,
            lines_left_out,
        })
    }
}

impl OverTimeLines {
    fn line(
        &self,
        topic: i32,
        label: String,
        class: Option<IdxSize>,
        rows: &[(usize, usize)],
        table: &Table,
    ) -> OverTime {
        let count = table.times.firsts.len();
        let (mut frequencies, mut words) = (vec![0_i64; count], vec![String::new(); count]);
        for &(time, row) in rows {
            if let Some(frequency) = frequencies.get_mut(time) {
                *frequency += table.frequencies.get(row).copied().unwrap_or_default();
            }
            if let (Some(slot), Some(of_row)) = (words.get_mut(time), table.words.get(row)) {
                slot.clone_from(of_row);
            }
        }
        let length = frequencies.iter().map(|&count| (count as f64).powi(2)).sum::<f64>().sqrt();
        let scale = if self.normalize_frequency && length > 0.0 { length } else { 1.0 };
        let values = frequencies.iter().map(|&count| count as f64 / scale).collect();
        OverTime { topic, label, class, frequencies, values, words }
    }
}

/// The columns of the frame of topics over time.
struct Table {
    topics: Vec<i32>,
    frequencies: Vec<i64>,
    words: Vec<String>,
    timestamps: Column,
    /// The times as numbers: seconds, if they are dates.
    moments: Vec<f64>,
    times: Keys,
}

impl Table {
    fn of(frame: &DataFrame) -> Result<Self> {
        let column = |name: &str| frame.column(name).map_err(internal);
        let timestamps = column("Timestamp")?.clone();
        let moments = numbers(&timestamps)?;
        // In the order of time: rows of classes follow each other.
        let mut order: Vec<usize> = (0..moments.len()).collect();
        let moment = |row: usize| moments.get(row).copied().unwrap_or_default();
        order.sort_by(|&a, &b| moment(a).total_cmp(&moment(b)).then(a.cmp(&b)));
        let mut times = Keys { of_rows: vec![0; moments.len()], ..Keys::default() };
        let mut last = None;
        for row in order {
            if last != Some(moment(row).to_bits()) {
                last = Some(moment(row).to_bits());
                times.firsts.push(row as IdxSize);
                times.names.push(plain(&timestamps.get(row).map_err(internal)?, SHOWN));
            }
            if let Some(slot) = times.of_rows.get_mut(row) {
                *slot = times.firsts.len() - 1;
            }
        }
        Ok(Table {
            topics: column("Topic")?.i32().map_err(internal)?.iter().flatten().collect(),
            frequencies: column("Frequency")?.i64().map_err(internal)?.iter().flatten().collect(),
            words: column("Words")?.str().map_err(internal)?.iter().map(|text| text.unwrap_or("").to_owned()).collect(),
            timestamps,
            moments,
            times,
        })
    }
}

/// The distinct values of a column: their first rows, their texts, and that of each row.
#[derive(Debug, Default)]
struct Keys {
    firsts: Vec<IdxSize>,
    names: Vec<String>,
    of_rows: Vec<usize>,
}

impl Keys {
    /// Those of a column of classes, in the order of their first rows; none without a column.
    fn of(column: Option<&Column>) -> Self {
        let mut keys = Keys::default();
        let Some(column) = column else { return keys };
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for row in 0..column.len() {
            let name = column.get(row).map(|value| plain(&value, SHOWN)).unwrap_or_default();
            let next = known.len();
            let key = *known.entry(name.clone()).or_insert(next);
            if key == next {
                keys.firsts.push(row as IdxSize);
                keys.names.push(name);
            }
            keys.of_rows.push(key);
        }
        keys
    }

    fn of_row(&self, row: usize) -> usize {
        self.of_rows.get(row).copied().unwrap_or_default()
    }
}

/// Times as numbers: dates as seconds since 1970, others as they are.
fn numbers(times: &Column) -> Result<Vec<f64>> {
    let per_second = match times.dtype() {
        DataType::Date => 1.0 / SECONDS_A_DAY,
        DataType::Datetime(TimeUnit::Nanoseconds, _) => 1e9,
        DataType::Datetime(TimeUnit::Microseconds, _) => 1e6,
        DataType::Datetime(TimeUnit::Milliseconds, _) => 1e3,
        _ => 1.0,
    };
    let whole = if is_time(times.dtype()) { times.cast(&DataType::Int64).map_err(internal)? } else { times.clone() };
    let values = whole.cast(&DataType::Float64).map_err(internal)?;
    let values = values.f64().map_err(internal)?.iter().map(|value| value.unwrap_or(f64::NAN) / per_second);
    Ok(values.collect())
}

fn is_time(kind: &DataType) -> bool {
    matches!(kind, DataType::Date | DataType::Datetime(..))
}

impl TopicLines {
    /// The lines, with their colors.
    fn chart(&self) -> LineChart {
        let line = |(line, color): (&OverTime, u8)| {
            let note = |((shown, value), words): ((&String, &f64), &String)| match words.is_empty() {
                true => format!("{shown}: {}", super::super::number::short_float(*value)),
                false => format!("{shown}: {} ({words})", super::super::number::short_float(*value)),
            };
            Line {
                label: line.label.clone(),
                color: Some(color),
                points: self.moments.iter().copied().zip(line.values.iter().copied()).collect(),
                notes: self.shown.iter().zip(&line.values).zip(&line.words).map(note).collect(),
                marked: None,
            }
        };
        let x = extent(self.moments.iter().copied()).unwrap_or((0.0, 1.0));
        let (range, ticks) = ((0.0, 1.0), 5);
        let y = Axis::of(self.lines.iter().flat_map(|line| &line.values).copied(), range, ticks);
        let is_whole = |value: f64| value.fract() == 0.0;
        let x_ticks = match is_time(self.times.dtype()) {
            true => time_ticks(x.0, x.1, 7, *self.times.dtype() == DataType::Date),
            false => {
                let ticks = Axis::new(x, range).ticks(7).into_iter();
                ticks.filter(|(value, _)| !self.times.dtype().is_integer() || is_whole(*value)).collect()
            }
        };
        LineChart {
            lines: self.lines.iter().zip(distinct(self.lines.len())).map(line).collect(),
            x,
            y: y.domain(),
            x_ticks,
            y_ticks: y.ticks(ticks),
            x_title: String::new(),
            y_title: if self.is_normalized { "normalized frequency" } else { "rows" }.to_owned(),
        }
    }

    fn cells(&self) -> impl Iterator<Item = (&OverTime, usize)> {
        self.lines.iter().flat_map(|line| (0..self.moments.len()).map(move |time| (line, time)))
    }
}

impl Plot for TopicLines {
    fn title(&self) -> String {
        "Topics over time".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let times: Vec<IdxSize> = self.cells().map(|(_, time)| time as IdxSize).collect();
        let taken = |column: &Column, places: Vec<IdxSize>| {
            column.take(&IdxCa::from_vec(PlSmallStr::EMPTY, places)).map_err(internal)
        };
        let frequency = |(line, time): (&OverTime, usize)| line.frequencies.get(time).copied().unwrap_or_default();
        let value = |(line, time): (&OverTime, usize)| line.values.get(time).copied().unwrap_or_default();
        let words = self.cells().map(|(line, time)| line.words.get(time).map_or("", String::as_str));
        let mut columns = vec![
            Column::new("Topic".into(), self.cells().map(|(line, _)| line.topic).collect::<Vec<i32>>()),
            Column::new("Name".into(), self.cells().map(|(line, _)| line.label.as_str()).collect::<Vec<_>>()),
            taken(&self.times, times)?.with_name("Timestamp".into()),
            Column::new("Frequency".into(), self.cells().map(frequency).collect::<Vec<i64>>()),
            Column::new("Value".into(), self.cells().map(value).collect::<Vec<f64>>()),
            Column::new("Words".into(), words.collect::<Vec<_>>()),
        ];
        if let Some(classes) = &self.classes {
            columns.push(taken(classes, self.cells().map(|(line, _)| line.class.unwrap_or_default()).collect())?);
        }
        DataFrame::new(self.lines.len() * self.moments.len(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        self.chart().size()
    }

    fn draw(&self, canvas: &mut Canvas) {
        self.chart().draw(canvas);
    }

    fn note(&self) -> Option<String> {
        let lines = (self.lines_left_out > 0).then(|| match self.lines_left_out {
            1 => "1 line not shown".to_owned(),
            more => format!("{more} lines not shown"),
        });
        let parts: Vec<String> = lines.into_iter().chain(left_out(self.left_out)).collect();
        (!parts.is_empty()).then(|| parts.join(" · "))
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let trace = |line: &OverTime| {
            let hover = |words: &String| format!("<b>Topic {}</b><br>Words: {}", line.topic, escaped(words));
            json!({
                "type": "scatter", "mode": "lines", "name": escaped(&line.label), "x": self.shown, "y": line.values,
                "hoverinfo": "text", "hovertext": line.words.iter().map(hover).collect::<Vec<_>>(),
            })
        };
        let title = if self.is_normalized { "Normalized Frequency" } else { "Frequency" };
        let kind = if is_time(self.times.dtype()) { "date" } else { "linear" };
        let layout = json!({ "xaxis": { "type": kind }, "yaxis": { "title": { "text": title } } });
        (self.lines.iter().map(trace).collect(), layout)
    }
}
