//! The still map: points as one picture, and over it the labels of topics as text.

use super::super::html::count;
use super::canvas::{Anchor, Canvas, TextStyle};
use super::labels::{Area, At, Crowd, Over, Placed, Wanted, around, placed};
use super::plane::View;
use super::raster::{Dot, REST, picture, radius};
use super::text_width::{fitted, text_width};
use super::theme::Paint;

/// Font sizes of the labels of the smallest and the largest topics: of a map, beside a map,
/// and of one of several maps.
pub(super) const OF_MAP: (f64, f64) = (11.0, 15.0);
pub(super) const OF_COLUMN: (f64, f64) = (10.5, 14.0);
pub(super) const OF_PANEL: (f64, f64) = (8.5, 11.0);

/// The width of a line of a label, and the share of it that a label of one line has at most.
const LINE: f64 = 150.0;
const ONE_LINE: f64 = 0.6;

/// The largest distance of a label from the middle of its points, without a line.
const FARTHEST_BESIDE: f64 = 36.0;

/// The height of a line, as a multiple of the font size.
const PITCH: f64 = 1.2;

/// Space left and right of a label.
const SIDE: f64 = 5.0;

/// Bold text is wider.
pub(in crate::display) const BOLD: f64 = 1.07;

/// The opacity of points: where many lie on each other, the map is denser.
const OPACITY: f64 = 0.8;

/// The label of a topic on a map.
#[derive(Debug, Clone)]
pub(super) struct MapLabel {
    /// What is read on hover.
    title: String,
    lines: Vec<String>,
    size: f64,
    color: u8,
    wanted: Wanted,
}

impl MapLabel {
    /// The label of a topic of `size` rows, where the largest topic has `largest`.
    pub(super) fn new(
        (topic, label): (i32, &str),
        at: At,
        color: u8,
        (size, largest): (usize, usize),
        (small, large): (f64, f64),
    ) -> Self {
        let share = (size as f64 / largest.max(1) as f64).clamp(0.0, 1.0).sqrt();
        let font = ((small + (large - small) * share) * 2.0).round() / 2.0;
        let lines = wrapped(&readable(topic, label), font * BOLD, LINE * large / OF_MAP.1);
        let width = lines.iter().map(|line| text_width(line, font * BOLD)).fold(0.0, f64::max) + 2.0 * SIDE;
        let height = lines.len() as f64 * font * PITCH;
        let wanted = Wanted { at, reach: 0.0, width, height, over: Over::First };
        MapLabel { title: format!("{label}: {}", count(size, "document")), lines, size: font, color, wanted }
    }

    /// The same beside a mark of this radius, or inside it if it fits.
    pub(super) fn at_mark(mut self, reach: f64) -> Self {
        let fits = self.wanted.width.hypot(self.wanted.height) < 2.0 * reach;
        self.wanted = Wanted { reach, over: if fits { Over::First } else { Over::Never }, ..self.wanted };
        self
    }

    /// The same beside a cloud of points of this radius, if it would cover most of it.
    pub(super) fn at_cloud(mut self, radius: f64) -> Self {
        let reach = radius.min(FARTHEST_BESIDE);
        if 2.0 * radius < self.wanted.width {
            self.wanted = Wanted { reach, over: Over::Last, ..self.wanted };
        }
        self
    }

    fn draw(&self, canvas: &mut Canvas, area: &Area, anchor: Anchor) {
        let x = match anchor {
            Anchor::Start => area.x + SIDE,
            Anchor::Middle => area.x + area.width / 2.0,
            Anchor::End => area.right() - SIDE,
        };
        let style = TextStyle { size: self.size, bold: true, halo: true, ..TextStyle::INK.anchored(anchor) };
        canvas.begin_group(&self.title);
        for (number, line) in self.lines.iter().enumerate() {
            let baseline = area.y + self.size * (number as f64 * PITCH + 0.95);
            canvas.text((x, baseline), line, style);
        }
        canvas.end_group();
    }
}

/// `3 cat, dog, pet` for the name `3_cat_dog_pet`; other labels as they are.
fn readable(topic: i32, label: &str) -> String {
    match label.strip_prefix(&format!("{topic}_")) {
        Some(words) => format!("{topic} {}", words.replace('_', ", ")),
        None => label.split_whitespace().collect::<Vec<&str>>().join(" "),
    }
}

/// A text in at most two lines of this width, of about the same length; what does not fit is left out.
pub(in crate::display) fn wrapped(text: &str, size: f64, width: f64) -> Vec<String> {
    let wide = |text: &str| text_width(text, size);
    let spaces = text.match_indices(' ').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
    let halves = spaces.map(|(first, second)| (wide(first).max(wide(second)), first, second));
    let best = halves.min_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        _ if wide(text) <= ONE_LINE * width => vec![text.to_owned()],
        Some((longer, first, second)) if longer <= width => vec![first.to_owned(), second.to_owned()],
        _ => {
            // The first line as full as possible, and the beginning of the rest.
            let ends = text.match_indices(' ').map(|(at, _)| at);
            let end = ends.rev().find(|&at| text.get(..at).is_some_and(|first| wide(first) <= width));
            let split = end.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
            match split {
                Some((first, rest)) => vec![first.to_owned(), fitted(rest, size, width)],
                None => vec![fitted(text, size, width)],
            }
        }
    }
}

/// Draws points; each has a place in the layout and the number of a color. Those without a topic are first, and the others
/// in an order that no topic has to itself.
pub(super) fn draw_points(canvas: &mut Canvas, view: &View, points: &[(At, u8)], scale: f64) {
    let size = ((view.width * scale) as u32, (view.height * scale) as u32);
    let dot = |&(at, color): &(At, u8)| {
        let (x, y) = view.at(at);
        Dot { x: x * scale, y: y * scale, color }
    };
    let rest = points.iter().filter(|(_, color)| *color == REST);
    let topics = points.iter().filter(|(_, color)| *color != REST);
    let radius = radius((view.width, view.height), points.len());
    let image = picture(size, rest.chain(topics).map(dot), radius * scale, OPACITY, canvas.is_dark());
    if let Some(uri) = image {
        canvas.image((0.0, 0.0), (view.width, view.height), &uri, &count(points.len(), "point"));
    }
}

/// Pixels of the picture for each pixel of the drawing: more for few points, which take little space in a file.
pub(super) fn resolution(points: usize) -> f64 {
    match points {
        0..=6_000 => 2.0,
        6_001..=12_000 => 1.5,
        12_001..=25_000 => 1.25,
        _ => 1.0,
    }
}

/// The places of labels over points, which are at `marks`.
pub(super) fn places_over(view: &View, labels: &[MapLabel], marks: impl Iterator<Item = At>) -> Vec<Option<Placed>> {
    let area = Area { x: 0.0, y: 0.0, width: view.width, height: view.height };
    placed(&wanted(labels), area, &Crowd::of(marks, view.width, view.height))
}

/// The places of labels in columns of this `width` left and right of the points.
pub(super) fn places_beside(view: &View, labels: &[MapLabel], width: f64) -> Vec<Option<Placed>> {
    let left = Area { x: -APART - width, y: 0.0, width, height: view.height };
    around(&wanted(labels), left, Area { x: view.width + APART, ..left })
}

/// Draws labels at their places over the points.
pub(super) fn draw_labels(canvas: &mut Canvas, labels: &[MapLabel], places: &[Option<Placed>]) {
    for (label, place) in labels.iter().zip(places) {
        if let Some(Placed { leader: Some((from, to)), .. }) = place {
            canvas.line(*from, *to, Paint::Series(label.color), 1.0);
        }
    }
    for (label, place) in labels.iter().zip(places) {
        if let Some(Placed { area, .. }) = place {
            label.draw(canvas, area, Anchor::Middle);
        }
    }
}

/// Draws labels at their places beside the points.
pub(super) fn draw_labels_beside(canvas: &mut Canvas, labels: &[MapLabel], places: &[Option<Placed>]) {
    for (label, place) in labels.iter().zip(places) {
        let Some(Placed { area, leader: Some((from, to)) }) = place else { continue };
        let anchor = if area.x < 0.0 { Anchor::End } else { Anchor::Start };
        canvas.line(*from, *to, Paint::Series(label.color), 1.0);
        canvas.disc(*from, 2.5, Paint::Series(label.color), 1.0);
        label.draw(canvas, area, anchor);
    }
}

/// Space between the points and the columns of labels.
const APART: f64 = 24.0;

/// The height of a map in which this many labels have room beside it.
pub(super) fn height_for(labels: usize) -> f64 {
    labels.div_ceil(2) as f64 * 34.0
}

/// The width of a column of labels, with the space beside it.
pub(super) fn beside(width: f64) -> f64 {
    width + APART
}

fn wanted(labels: &[MapLabel]) -> Vec<Wanted> {
    labels.iter().map(|label| label.wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_wrapped() {
        assert_eq!(readable(3, "3_cat_dog_pet"), "3 cat, dog, pet");
        assert_eq!(readable(3, " Pets \n and people"), "Pets and people");
        let lines = wrapped("3 government, president, people, congress, law", 12.0, 150.0);
        assert_eq!(lines.len(), 2);
        for line in wrapped("写真のトピックモデルについての長い説明がここにあります", 12.0, 150.0)
        {
            assert!(text_width(&line, 12.0) <= 150.0);
        }
        assert_eq!(wrapped("", 12.0, 150.0), [""]);
    }
}
