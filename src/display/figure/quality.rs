//! How far topics can be trusted: a strip of each measure, one topic a line.

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::number::short_float;
use super::axis::Axis;
use super::canvas::{Anchor, Canvas, FONT, TextStyle};
use super::draw::{Draw, Plot, labeled_axis};
use super::selection::Settings;
use super::theme::Paint;
use super::{Figure, left_out, widest};
use crate::corpus::internal;
use crate::error::Result;
use crate::model::FittedTopicModel;

/// The number of topics, unless others are asked for.
const TOPICS: usize = 20;

/// The quantiles of `Probability` that are drawn.
const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Sizes in pixels.
const WIDEST_LABEL: f64 = 230.0;
const STRIP: f64 = 130.0;
const NUMBER: f64 = 40.0;
const GAP: f64 = 20.0;
const HEADING: f64 = 22.0;
const LINE: f64 = 20.0;
const AXIS: f64 = 18.0;
const WARNING: f64 = 18.0;

/// The quality of topics: see [`visualize_topic_quality`](FittedTopicModel::visualize_topic_quality).
#[derive(Debug, Clone)]
pub struct QualityStrips {
    model: FittedTopicModel,
}

impl FittedTopicModel {
    /// How far topics can be trusted: for each, how sure its rows are of it (the quantiles of their `Probability`), and its
    /// coherence, with that of chance, its stability and its margin, as far as they are known
    /// ([`topic_quality`](Self::topic_quality)). Topics with a caution have an exclamation mark, which says why on hover.
    /// Default: the twenty largest topics.
    ///
    /// Frame: `Topic` (i32), `Name`, `Count` (i64); `Confidence_05`, `Confidence_25`, `Confidence_50`, `Confidence_75`,
    /// `Confidence_95` (f64: quantiles of the rows' `Probability`); `Coherence`, `Coherence_by_chance`, `Stability`,
    /// `Margin` (f64), `Caution`. What is not known is null.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a cat sleeps", "a fast train", "the fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).clusterer(Communities::new().n_neighbors(3));
    /// let figure = model.fit(&posts)?.visualize_topic_quality();
    /// assert!(figure.svg()?.contains("Stability"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_topic_quality(&self) -> Figure<QualityStrips> {
        Figure::new(QualityStrips { model: self.clone() })
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Strips {
    topics: Vec<OfTopic>,
    left_out: usize,
}

#[derive(Debug)]
struct OfTopic {
    topic: i32,
    label: String,
    count: usize,
    /// Those of [`QUANTILES`].
    confidence: Option<[f64; 5]>,
    coherence: Option<f64>,
    chance: Option<f64>,
    stability: Option<f64>,
    margin: Option<f64>,
    caution: Option<String>,
}

impl Draw for QualityStrips {
    type Data = Strips;

    fn data(&self, settings: &Settings) -> Result<Strips> {
        let selection = settings.select(&self.model, TOPICS)?;
        let quality = self.model.topic_quality()?;
        let topics = quality.column("Topic").map_err(internal)?.i32().map_err(internal)?;
        let places: Vec<Option<i32>> = topics.iter().collect();
        let numbers = |name: &str| -> Result<Vec<Option<f64>>> {
            Ok(quality.column(name).map_err(internal)?.f64().map_err(internal)?.to_vec())
        };
        let (coherence, chance) = (numbers("Coherence")?, numbers("Coherence_by_chance")?);
        let (stability, margin) = (numbers("Stability")?, numbers("Margin")?);
        let cautions = quality.column("Caution").map_err(internal)?.str().map_err(internal)?;
        let (labels, probabilities) = (self.model.labels(), self.model.probabilities());
        let of_topic = |(topic, label): (i32, String)| {
            // -1 is not in the table.
            let place = places.iter().position(|&other| other == Some(topic));
            let value = |values: &[Option<f64>]| values.get(place?).copied().flatten();
            let rows = labels.iter().zip(&probabilities).filter(|&(&other, _)| other == topic);
            OfTopic {
                topic,
                label,
                count: self.model.topic_size(topic).unwrap_or(0),
                confidence: quantiles(rows.map(|(_, &probability)| probability).collect()),
                coherence: value(&coherence),
                chance: value(&chance),
                stability: value(&stability),
                margin: value(&margin),
                caution: place.and_then(|place| cautions.get(place)).map(str::to_owned),
            }
        };
        let topics = selection.topics.into_iter().zip(selection.labels).map(of_topic).collect();
        Ok(Strips { topics, left_out: selection.left_out })
    }
}

/// The [`QUANTILES`], interpolated as by NumPy.
fn quantiles(mut values: Vec<f64>) -> Option<[f64; 5]> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let at = |place: usize| values.get(place.min(last)).copied().unwrap_or_default();
    Some(QUANTILES.map(|share| {
        let place = share * last as f64;
        let (below, above) = (at(place.floor() as usize), at(place.ceil() as usize));
        below + (above - below) * place.fract()
    }))
}

/// A column of the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Confidence,
    Coherence,
    Stability,
    Margin,
}

impl Measure {
    const ALL: [Measure; 4] = [Measure::Confidence, Measure::Coherence, Measure::Stability, Measure::Margin];

    fn name(self) -> &'static str {
        match self {
            Measure::Confidence => "Confidence of rows",
            Measure::Coherence => "Coherence of words",
            Measure::Stability => "Stability",
            Measure::Margin => "Margin",
        }
    }

    /// The value that is written: of the confidence, the median.
    fn of(self, topic: &OfTopic) -> Option<f64> {
        match self {
            Measure::Confidence => topic.confidence.map(|[_, _, median, _, _]| median),
            Measure::Coherence => topic.coherence,
            Measure::Stability => topic.stability,
            Measure::Margin => topic.margin,
        }
    }
}

impl Strips {
    /// The measures that are known.
    fn measures(&self) -> Vec<Measure> {
        let is_known = |measure: &Measure| self.topics.iter().any(|topic| measure.of(topic).is_some());
        Measure::ALL.into_iter().filter(is_known).collect()
    }

    fn label_width(&self) -> f64 {
        WARNING + widest(self.topics.iter().map(|topic| topic.label.as_str()), FONT, WIDEST_LABEL)
    }

    /// The axis of a measure: from 0 to 1, unless coherence or margin are negative or small.
    fn axis(&self, measure: Measure) -> Axis {
        let values = self.topics.iter().filter_map(|topic| measure.of(topic));
        let chances = self.topics.iter().filter_map(|topic| topic.chance.filter(|_| measure == Measure::Coherence));
        match measure {
            Measure::Confidence | Measure::Stability => Axis::new((0.0, 1.0), (0.0, STRIP)),
            Measure::Coherence | Measure::Margin => Axis::of(values.chain(chances), (0.0, STRIP), 2),
        }
    }

    fn draw_measure(&self, canvas: &mut Canvas, measure: Measure, left: f64) {
        let (axis, height) = (self.axis(measure), LINE * self.topics.len() as f64);
        canvas.begin_part((left, 0.0));
        canvas.text((0.0, 12.0), measure.name(), TextStyle { bold: true, ..TextStyle::INK });
        for (value, label) in axis.ticks(2) {
            let x = axis.at(value);
            canvas.line((x, HEADING), (x, HEADING + height), Paint::Faint, 1.0);
            canvas.text((x, HEADING + height + 13.0), &label, TextStyle::NOTE.anchored(Anchor::Middle));
        }
        for (place, topic) in self.topics.iter().enumerate() {
            let middle = HEADING + LINE * (place as f64 + 0.5);
            let Some(value) = measure.of(topic) else { continue };
            canvas.begin_group(&hover(measure, topic, value));
            draw_value(canvas, measure, topic, value, axis, middle);
            let written = format!("{value:.2}").replace('-', "−");
            canvas.text((STRIP + 8.0, middle + 4.0), &written, TextStyle::NOTE);
            canvas.end_group();
        }
        canvas.end_group();
    }
}

/// The mark of a measure: quantiles of confidence; otherwise, a bar from 0.
fn draw_value(canvas: &mut Canvas, measure: Measure, topic: &OfTopic, value: f64, axis: Axis, middle: f64) {
    if let (Measure::Confidence, Some([low, quarter, median, three, high])) = (measure, topic.confidence) {
        canvas.line((axis.at(low), middle), (axis.at(high), middle), Paint::Rest, 1.5);
        let width = (axis.at(three) - axis.at(quarter)).max(1.0);
        canvas.rect((axis.at(quarter), middle - 4.0), (width, 8.0), 2.0, Paint::Accent);
        canvas.line((axis.at(median), middle - 6.0), (axis.at(median), middle + 6.0), Paint::Ink, 2.0);
        return;
    }
    let (from, to) = (axis.at(value.min(0.0)), axis.at(value.max(0.0)));
    canvas.rect((from, middle - 4.0), ((to - from).max(1.0), 8.0), 2.0, Paint::Accent);
    if let Some(chance) = topic.chance.filter(|_| measure == Measure::Coherence) {
        canvas.line((axis.at(chance), middle - 6.0), (axis.at(chance), middle + 6.0), Paint::Ink, 1.5);
    }
}

/// With two decimals: more would be noise.
fn round(value: f64) -> f64 {
    (100.0 * value).round() / 100.0
}

fn hover(measure: Measure, topic: &OfTopic, value: f64) -> String {
    let (label, name) = (&topic.label, measure.name());
    match (measure, topic.confidence, topic.chance) {
        (Measure::Confidence, Some([low, quarter, median, three, high]), _) => {
            let [low, quarter, median, three, high] = [low, quarter, median, three, high].map(round).map(short_float);
            format!("{label} · {name}: median {median}, half from {quarter} to {three}, 90 % from {low} to {high}")
        }
        (Measure::Coherence, _, Some(chance)) => {
            format!("{label} · {name}: {}, by chance {}", short_float(value), short_float(chance))
        }
        _ => format!("{label} · {name}: {}", short_float(value)),
    }
}

impl Plot for Strips {
    fn title(&self) -> String {
        "Reliability of topics".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let topics = || self.topics.iter();
        let numbers = |name: &str, value: &dyn Fn(&OfTopic) -> Option<f64>| {
            Column::new(name.into(), topics().map(value).collect::<Vec<Option<f64>>>())
        };
        let mut columns = vec![
            Column::new("Topic".into(), topics().map(|topic| topic.topic).collect::<Vec<i32>>()),
            Column::new("Name".into(), topics().map(|topic| topic.label.as_str()).collect::<Vec<_>>()),
            Column::new("Count".into(), topics().map(|topic| topic.count as i64).collect::<Vec<_>>()),
        ];
        for (place, share) in QUANTILES.iter().enumerate() {
            let name = format!("Confidence_{:02.0}", 100.0 * share);
            columns.push(numbers(&name, &|topic| topic.confidence?.get(place).copied()));
        }
        columns.push(numbers("Coherence", &|topic| topic.coherence));
        columns.push(numbers("Coherence_by_chance", &|topic| topic.chance));
        columns.push(numbers("Stability", &|topic| topic.stability));
        columns.push(numbers("Margin", &|topic| topic.margin));
        columns.push(Column::new("Caution".into(), topics().map(|topic| topic.caution.as_deref()).collect::<Vec<_>>()));
        DataFrame::new(self.topics.len(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        let columns = self.measures().len().max(1) as f64;
        let width = self.label_width() + columns * (GAP + STRIP + NUMBER);
        (width, HEADING + LINE * self.topics.len().max(1) as f64 + AXIS)
    }

    fn draw(&self, canvas: &mut Canvas) {
        if self.topics.is_empty() {
            return canvas.text((0.0, FONT), "There are no topics.", TextStyle::NOTE);
        }
        for (place, topic) in self.topics.iter().enumerate() {
            let y = HEADING + LINE * (place as f64 + 0.5) + 4.0;
            if let Some(caution) = &topic.caution {
                canvas.begin_group(caution);
                canvas.text((2.0, y), "!", TextStyle { bold: true, ..TextStyle::INK });
                canvas.end_group();
            }
            canvas.fitted_text((WARNING, y), &topic.label, self.label_width() - WARNING, TextStyle::INK);
        }
        for (place, measure) in self.measures().into_iter().enumerate() {
            let left = self.label_width() + GAP + place as f64 * (GAP + STRIP + NUMBER);
            self.draw_measure(canvas, measure, left);
        }
    }

    fn note(&self) -> Option<String> {
        let has_cautions = self.topics.iter().any(|topic| topic.caution.is_some());
        let has = |measure: Measure| self.measures().contains(&measure);
        let cautions = has_cautions.then(|| "! a caution".to_owned());
        let strips = has(Measure::Confidence).then(|| "line: 90 % of rows, bar: half of them".to_owned());
        let chance = self.topics.iter().any(|topic| topic.chance.is_some());
        let chance = chance.then(|| "mark in coherence: by chance".to_owned());
        let parts: Vec<String> =
            cautions.into_iter().chain(strips).chain(chance).chain(left_out(self.left_out)).collect();
        (!parts.is_empty()).then(|| parts.join(" · "))
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let places: Vec<usize> = (0..self.topics.len()).collect();
        let trace = |(number, measure): (usize, Measure)| {
            let axis = if number == 0 { "x".to_owned() } else { format!("x{}", number + 1) };
            json!({
                "type": "bar", "orientation": "h", "name": measure.name(), "xaxis": axis, "yaxis": "y", "y": places,
                "x": self.topics.iter().map(|topic| measure.of(topic)).collect::<Vec<_>>(),
            })
        };
        let measures = self.measures();
        let mut labels = labeled_axis(self.topics.iter().map(|topic| topic.label.as_str()));
        if let Some(axis) = labels.as_object_mut() {
            axis.insert("autorange".to_owned(), json!("reversed"));
        }
        let mut layout = json!({ "yaxis": labels, "showlegend": false });
        if let Some(layout) = layout.as_object_mut() {
            let width = 1.0 / measures.len().max(1) as f64;
            for (number, measure) in measures.iter().enumerate() {
                let axis = if number == 0 { "xaxis".to_owned() } else { format!("xaxis{}", number + 1) };
                let left = width * number as f64;
                let domain = [left, left + 0.9 * width];
                layout.insert(axis, json!({ "domain": domain, "title": { "text": measure.name() } }));
            }
        }
        (measures.into_iter().enumerate().map(trace).collect(), layout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        // numpy.quantile([0, 1, 2, 3, 10], [.05, .25, .5, .75, .95])
        let found = quantiles(vec![10.0, 0.0, 3.0, 1.0, 2.0]).unwrap_or_default();
        assert!(found.iter().zip([0.2, 1.0, 2.0, 3.0, 8.6]).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        assert_eq!((quantiles(vec![0.5]), quantiles(Vec::new())), (Some([0.5; 5]), None));
    }
}
