//! The still map: points as one picture, and over it the labels of topics as text.

use super::super::html::count;
use super::canvas::{Anchor, Canvas, TextStyle};
use super::labels::{Area, At, Crowd, Placed, Wanted, around, placed};
use super::plane::View;
use super::raster::{Dot, REST, picture, radius};
use super::text_width::{fitted, text_width};
use super::theme::Paint;

/// Font sizes of the labels of the smallest and the largest topics: of a map, and of one of several.
pub(super) const OF_MAP: (f64, f64) = (11.0, 15.0);
pub(super) const OF_PANEL: (f64, f64) = (9.5, 12.0);

/// The width of a line of a label, and the most lines.
const LINE: f64 = 150.0;
const LINES: usize = 2;

/// The height of a line, as a multiple of the font size.
const PITCH: f64 = 1.2;

/// Bold text is wider.
const BOLD: f64 = 1.07;

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
        let width = lines.iter().map(|line| text_width(line, font * BOLD)).fold(0.0, f64::max);
        let height = lines.len() as f64 * font * PITCH;
        let wanted = Wanted { at, reach: 0.0, width, height, over: true };
        MapLabel { title: format!("{label}: {}", count(size, "document")), lines, size: font, color, wanted }
    }

    /// The same beside a mark of this radius, or inside it if it fits.
    pub(super) fn at_mark(mut self, reach: f64) -> Self {
        let over = self.wanted.width.hypot(self.wanted.height) < 2.0 * reach;
        self.wanted = Wanted { reach, over, ..self.wanted };
        self
    }

    fn draw(&self, canvas: &mut Canvas, area: &Area, anchor: Anchor) {
        let x = match anchor {
            Anchor::Start => area.x,
            Anchor::Middle => area.x + area.width / 2.0,
            Anchor::End => area.right(),
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

/// The beginning of a text in lines of this width.
fn wrapped(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut words = text.split(' ').peekable();
    while lines.len() + 1 < LINES && words.peek().is_some() {
        let mut line = String::new();
        while let Some(word) = words.peek() {
            let longer = if line.is_empty() { (*word).to_owned() } else { format!("{line} {word}") };
            if text_width(&longer, size) > width {
                break;
            }
            line = longer;
            words.next();
        }
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let rest: Vec<&str> = words.collect();
    if !rest.is_empty() || lines.is_empty() {
        lines.push(fitted(&rest.join(" "), size, width));
    }
    lines
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
    if points <= 6_000 { 2.0 } else { 1.0 }
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
        let is_left = area.x < 0.0;
        canvas.line(*from, *to, Paint::Series(label.color), 1.0);
        canvas.disc(*from, 2.5, Paint::Series(label.color), 1.0);
        let area = Area { x: area.x + if is_left { -GAP } else { GAP }, ..*area };
        label.draw(canvas, &area, if is_left { Anchor::End } else { Anchor::Start });
    }
}

/// Space between the points and the columns of labels, and between a line and its label.
const APART: f64 = 24.0;
const GAP: f64 = 5.0;

/// The width of a column of labels, with the space beside it.
pub(super) fn beside(width: f64) -> f64 {
    width + APART + GAP
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
