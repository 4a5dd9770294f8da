//! The similarity of topics, as a matrix.

use image::{Rgb, RgbImage};
use polars::prelude::*;
use serde_json::{Value, json};

use super::super::picture::data_uri;
use super::axis::{Axis, extent};
use super::canvas::{Anchor, Canvas, TextStyle};
use super::draw::{Draw, Plot, labeled_axis};
use super::selection::Settings;
use super::similarity::{Square, by_vectors, by_words};
use super::theme::{Paint, RAMP};
use super::{Figure, left_out, widest};
use crate::corpus::internal;
use crate::error::{Error, Result, Stage};
use crate::model::FittedTopicModel;
use crate::progress::Progress;
use crate::topics::{Distances, Linkage, dendrogram};
use crate::vision::{Encoding, encode};

/// Up to this number of topics, cells are elements that show their values on hover; of more, pixels of one image.
const CELLS: usize = 40;

/// Sizes in pixels: the matrix, its cells, the labels beside it and below it, and the ramp.
const SIDE: f64 = 620.0;
const LARGEST_CELL: f64 = 44.0;
const WIDEST_LABEL: f64 = 220.0;
const LONGEST_LABEL: f64 = 170.0;
const LABEL: f64 = 11.0;
const GAP: f64 = 6.0;
const RAMP_GAP: f64 = 26.0;
const RAMP_WIDTH: f64 = 14.0;
const RAMP_LABELS: f64 = 40.0;

/// The width of a cell from which on its value is written in it.
const READABLE: f64 = 32.0;

/// The similarity of topics: see [`visualize_heatmap`](FittedTopicModel::visualize_heatmap).
#[derive(Debug, Clone)]
pub struct Heatmap {
    model: FittedTopicModel,
    n_clusters: Option<usize>,
    use_ctfidf: bool,
}

impl FittedTopicModel {
    /// How similar topics are: the cosine similarity of their mean vectors (BERTopic's `visualize_heatmap`), or of their
    /// [c-TF-IDF](Figure::use_ctfidf). All topics but -1, by id; [`n_clusters`](Figure::n_clusters) puts similar ones next
    /// to each other. Of more than 40 topics, the drawing has an image with a pixel for each pair.
    ///
    /// Frame: `Topic_a` (i32), `Topic_b` (i32), `Name_a`, `Name_b`, `Similarity` (f64, -1 to 1): a row for each pair, in
    /// the order of the matrix.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["a cat sleeps", "the cat purrs", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// let figure = model.fit(&posts)?.visualize_heatmap().n_clusters(2);
    /// assert_eq!(figure.frame()?.height(), 9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_heatmap(&self) -> Figure<Heatmap> {
        Figure::new(Heatmap { model: self.clone(), n_clusters: None, use_ctfidf: false })
    }
}

impl Figure<Heatmap> {
    /// Orders topics by this number of clusters of similar ones: at least 1, and less than there are topics. Clusters are
    /// BERTopic's: Ward's linkage of the rows of the matrix. Default: none, by id.
    #[must_use]
    pub fn n_clusters(mut self, n_clusters: usize) -> Self {
        self.drawing.n_clusters = Some(n_clusters);
        self
    }

    /// Whether topics are compared by their c-TF-IDF instead of their mean vectors. Default: `false`.
    #[must_use]
    pub fn use_ctfidf(mut self, use_ctfidf: bool) -> Self {
        self.drawing.use_ctfidf = use_ctfidf;
        self
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Matrix {
    topics: Vec<i32>,
    labels: Vec<String>,
    similarities: Square,
    left_out: usize,
}

impl Draw for Heatmap {
    type Data = Matrix;

    fn data(&self, settings: &Settings) -> Result<Matrix> {
        let selection = settings.select(&self.model, usize::MAX)?;
        let compare = if self.use_ctfidf { by_words } else { by_vectors };
        let similarities = match selection.topics.is_empty() {
            true => Square::of(0, |_, _| 0.0),
            false => compare(&self.model, &selection.topics)?,
        };
        let order = match self.n_clusters {
            None => (0..selection.topics.len()).collect(),
            Some(count) => by_clusters(&similarities, count)?,
        };
        let place = |at: usize| order.get(at).copied().unwrap_or(at);
        Ok(Matrix {
            topics: order.iter().filter_map(|&at| selection.topics.get(at).copied()).collect(),
            labels: order.iter().filter_map(|&at| selection.labels.get(at).cloned()).collect(),
            similarities: Square::of(order.len(), |a, b| similarities.get(place(a), place(b))),
            left_out: selection.left_out,
        })
    }
}

/// The places of the topics, by clusters in the order of their first topics.
fn by_clusters(similarities: &Square, count: usize) -> Result<Vec<usize>> {
    let n = similarities.side;
    if count == 0 || count >= n {
        let allowed = format!("at least 1, and less than the {n} topics");
        return Err(Error::invalid_parameter(Stage::Display, "n_clusters", count, &allowed));
    }
    let distance = |a: usize, b: usize| {
        (0..n).map(|c| (similarities.get(a, c) - similarities.get(b, c)).powi(2)).sum::<f64>().sqrt()
    };
    // A group has the number of its first topic.
    let mut group_of: Vec<usize> = (0..n).collect();
    let mut first: Vec<usize> = (0..n).collect();
    let distances = Distances::of(n, &Progress::silent(), |a, row| {
        row.iter_mut().enumerate().for_each(|(b, cell)| *cell = distance(a, b));
    })?;
    for join in dendrogram(distances, Linkage::Ward).into_iter().take(n - count) {
        let (left, right) = (first.get(join.left).copied(), first.get(join.right).copied());
        let (Some(left), Some(right)) = (left, right) else { continue };
        let (low, high) = (left.min(right), left.max(right));
        group_of.iter_mut().filter(|group| **group == high).for_each(|group| *group = low);
        first.push(low);
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&topic| (group_of.get(topic).copied(), topic));
    Ok(order)
}

impl Matrix {
    /// The smallest and the largest similarity of two topics.
    fn domain(&self) -> (f64, f64) {
        let n = self.topics.len();
        let pairs = (0..n).flat_map(|a| (0..a).map(move |b| (a, b)));
        match extent(pairs.map(|(a, b)| self.similarities.get(a, b))) {
            Some((low, high)) if high > low => (low, high),
            Some((low, _)) => (low.min(0.0), low.max(1.0)),
            None => (0.0, 1.0),
        }
    }

    /// The side of a cell: a whole number of pixels, unless there are very many.
    fn cell(&self) -> f64 {
        let cell = SIDE / self.topics.len().max(1) as f64;
        if cell >= 2.0 { cell.floor().min(LARGEST_CELL) } else { cell }
    }

    fn side(&self) -> f64 {
        // A small matrix leaves room for the ramp beside it.
        (self.cell() * self.topics.len() as f64).max(3.0 * LARGEST_CELL)
    }

    fn label_width(&self) -> f64 {
        widest(self.labels.iter().map(String::as_str), LABEL, WIDEST_LABEL) + GAP
    }

    fn label_height(&self) -> f64 {
        widest(self.labels.iter().map(String::as_str), LABEL, LONGEST_LABEL) + GAP
    }

    /// From one label to the next: so many topics that labels do not overlap.
    fn every(&self) -> usize {
        ((LABEL + 1.0) / self.cell()).ceil().max(1.0) as usize
    }

    fn draw_cells(&self, canvas: &mut Canvas, left: f64) {
        let (n, cell) = (self.topics.len(), self.cell());
        let domain = self.domain();
        let gap = if cell >= 12.0 { 1.0 } else { 0.0 };
        for (row, a) in self.topics.iter().enumerate() {
            for (column, b) in self.topics.iter().enumerate() {
                let value = self.similarities.get(row, column);
                let share = (value - domain.0) / (domain.1 - domain.0);
                let at = (left + cell * column as f64, cell * row as f64);
                let paint = if row == column { Paint::Faint } else { Paint::ramp(share) };
                canvas.begin_group(&format!("{a} – {b}: {value:.3}"));
                canvas.rect(at, (cell - gap, cell - gap), 0.0, paint);
                if cell >= READABLE && n > 1 && row != column {
                    let style = TextStyle { size: 10.0, ..TextStyle::INK.anchored(Anchor::Middle) };
                    let middle = (at.0 + cell / 2.0, at.1 + cell / 2.0 + 3.5);
                    canvas.text(middle, &two_digits(value), style.painted(Paint::on_ramp(share)));
                }
                canvas.end_group();
            }
        }
    }

    /// The matrix as an image, a pixel for each pair.
    fn image(&self, dark: bool) -> Option<String> {
        let side = u32::try_from(self.topics.len()).ok()?;
        let domain = self.domain();
        let colors: Vec<Rgb<u8>> = (0..=RAMP).map(|step| Rgb(Paint::Ramp(step).rgb(dark))).collect();
        let own = Rgb(Paint::Faint.rgb(dark));
        let color = |x: u32, y: u32| {
            let value = self.similarities.get(y as usize, x as usize);
            match Paint::ramp((value - domain.0) / (domain.1 - domain.0)) {
                Paint::Ramp(step) if x != y => colors.get(usize::from(step)).copied().unwrap_or(own),
                _ => own,
            }
        };
        png(&RgbImage::from_fn(side, side, color))
    }

    fn draw_labels(&self, canvas: &mut Canvas, left: f64) {
        let (cell, side) = (self.cell(), self.cell() * self.topics.len() as f64);
        let style = TextStyle { size: LABEL, ..TextStyle::INK.anchored(Anchor::End) };
        for (place, label) in self.labels.iter().enumerate().step_by(self.every()) {
            let middle = cell * (place as f64 + 0.5);
            canvas.fitted_text((left - GAP, middle + 4.0), label, WIDEST_LABEL, style);
            let turned = TextStyle { turned: -90.0, ..style };
            canvas.fitted_text((left + middle + 4.0, side + GAP), label, LONGEST_LABEL, turned);
        }
    }

    /// The ramp with its values, right of the matrix. Of an image, the ramp is an image, too: a page that becomes dark
    /// changes neither.
    fn draw_ramp(&self, canvas: &mut Canvas, left: f64) {
        let height = self.side().min(5.0 * LARGEST_CELL);
        let steps = usize::from(RAMP) + 1;
        match self.topics.len() > CELLS {
            true => {
                let dark = canvas.is_dark();
                let color = |_, y: u32| Rgb(Paint::Ramp(RAMP.saturating_sub(y as u8)).rgb(dark));
                if let Some(uri) = png(&RgbImage::from_fn(1, steps as u32, color)) {
                    canvas.pixels((left, 0.0), (RAMP_WIDTH, height), &uri);
                }
            }
            false => {
                let step = height / steps as f64;
                for place in 0..=RAMP {
                    let top = step * f64::from(RAMP - place);
                    // Steps overlap, so that no line is between them.
                    let high = (step + 0.5).min(height - top);
                    canvas.rect((left, top), (RAMP_WIDTH, high), 0.0, Paint::Ramp(place));
                }
            }
        }
        let axis = Axis::new(self.domain(), (height, 0.0));
        for (value, label) in axis.ticks(5) {
            canvas.text((left + RAMP_WIDTH + GAP, axis.at(value) + 4.0), &label, TextStyle::NOTE);
        }
    }
}

/// `.45` in little room.
fn two_digits(value: f64) -> String {
    let written = format!("{value:.2}").replace('-', "−");
    written.replacen("0.", ".", 1)
}

fn png(image: &RgbImage) -> Option<String> {
    let encoded = encode(image, Encoding::Png).ok()?;
    Some(data_uri("image/png", &encoded.bytes))
}

impl Plot for Matrix {
    fn title(&self) -> String {
        "Similarity of topics".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let n = self.topics.len();
        let pairs = || (0..n).flat_map(|a| (0..n).map(move |b| (a, b)));
        let topic = |at: usize| self.topics.get(at).copied();
        let name = |at: usize| self.labels.get(at).map(String::as_str);
        let columns = vec![
            Column::new("Topic_a".into(), pairs().filter_map(|(a, _)| topic(a)).collect::<Vec<i32>>()),
            Column::new("Topic_b".into(), pairs().filter_map(|(_, b)| topic(b)).collect::<Vec<i32>>()),
            Column::new("Name_a".into(), pairs().map(|(a, _)| name(a)).collect::<Vec<_>>()),
            Column::new("Name_b".into(), pairs().map(|(_, b)| name(b)).collect::<Vec<_>>()),
            Column::new("Similarity".into(), pairs().map(|(a, b)| self.similarities.get(a, b)).collect::<Vec<_>>()),
        ];
        DataFrame::new(n * n, columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        let width = self.label_width() + self.side() + RAMP_GAP + RAMP_WIDTH + RAMP_LABELS;
        (width, (self.cell() * self.topics.len() as f64 + self.label_height()).max(3.0 * LARGEST_CELL))
    }

    fn draw(&self, canvas: &mut Canvas) {
        let left = self.label_width();
        if self.topics.is_empty() {
            return canvas.text((0.0, LABEL), "There are no topics.", TextStyle::NOTE);
        }
        let side = self.cell() * self.topics.len() as f64;
        match self.topics.len() > CELLS {
            false => self.draw_cells(canvas, left),
            true => {
                if let Some(uri) = self.image(canvas.is_dark()) {
                    canvas.pixels((left, 0.0), (side, side), &uri);
                }
            }
        }
        self.draw_labels(canvas, left);
        self.draw_ramp(canvas, left + self.side() + RAMP_GAP);
    }

    fn note(&self) -> Option<String> {
        left_out(self.left_out)
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let n = self.topics.len();
        let rows: Vec<Vec<f64>> = (0..n).map(|a| (0..n).map(|b| self.similarities.get(a, b)).collect()).collect();
        let trace = json!({
            "type": "heatmap", "z": rows, "colorscale": "Blues", "reversescale": true,
            "colorbar": { "title": { "text": "Similarity" } },
        });
        let ticks = labeled_axis(self.labels.iter().map(String::as_str));
        let mut down = ticks.clone();
        if let Some(axis) = down.as_object_mut() {
            axis.insert("autorange".to_owned(), json!("reversed"));
        }
        (vec![trace], json!({ "xaxis": ticks, "yaxis": down, "width": 800, "height": 800 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_next_to_each_other() {
        let kind = |topic: usize| topic % 2;
        let similarities = Square::of(5, |a, b| if kind(a) == kind(b) { 1.0 } else { 0.0 });
        assert_eq!(by_clusters(&similarities, 2).ok(), Some(vec![0, 2, 4, 1, 3]));
        assert_eq!(by_clusters(&similarities, 1).ok(), Some(vec![0, 1, 2, 3, 4]));
        for count in [0, 5, 9] {
            let error = by_clusters(&similarities, count).err();
            assert_eq!(error.as_ref().and_then(Error::parameter), Some("n_clusters"));
        }
        assert_eq!((two_digits(-0.25), two_digits(1.0), two_digits(0.4)), ("−.25".into(), "1.00".into(), ".40".into()));
    }
}
