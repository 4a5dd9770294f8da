//! Lines over a common axis, with their names at the right end.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, FONT, TextStyle};
use super::label_places::label_places;
use super::text_width::text_width;
use super::theme::Paint;
use super::widest;

/// Sizes in pixels.
const WIDTH: f64 = 620.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 22.0;
const TITLE: f64 = 18.0;
const LEADER: f64 = 22.0;
const WIDEST_LABEL: f64 = 230.0;
const LABEL_LINE: f64 = 15.0;
const POINT: f64 = 2.5;

/// With more points than these, only whole lines show something on hover.
const HOVERED: usize = 800;

/// A line. Lines without a color are in the background, and have no label beside them.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) label: String,
    pub(super) color: Option<u8>,
    pub(super) points: Vec<(f64, f64)>,
    /// What each point shows on hover, after the label.
    pub(super) notes: Vec<String>,
    /// A point to mark.
    pub(super) marked: Option<usize>,
}

/// Lines with their axes.
#[derive(Debug)]
pub(super) struct LineChart {
    pub(super) lines: Vec<Line>,
    /// The smallest and the largest value.
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    pub(super) x_ticks: Vec<(f64, String)>,
    pub(super) y_ticks: Vec<(f64, String)>,
    pub(super) x_title: String,
    pub(super) y_title: String,
}

impl LineChart {
    fn colored(&self) -> impl Iterator<Item = (&Line, u8)> {
        self.lines.iter().filter_map(|line| Some((line, line.color?)))
    }

    fn labels(&self) -> f64 {
        let labels = self.colored().map(|(line, _)| line.label.as_str());
        let most = widest(labels, FONT, WIDEST_LABEL);
        if most > 0.0 { LEADER + most + 4.0 } else { 8.0 }
    }

    /// High enough for all labels.
    fn height(&self) -> f64 {
        HEIGHT.max(LABEL_LINE * (self.colored().count() as f64 + 1.0))
    }

    pub(super) fn size(&self) -> (f64, f64) {
        let title = if self.x_title.is_empty() { 0.0 } else { TITLE };
        (LEFT + WIDTH + self.labels(), TOP + self.height() + BOTTOM + title)
    }

    pub(super) fn draw(&self, canvas: &mut Canvas) {
        canvas.text((0.0, 11.0), &self.y_title, TextStyle::NOTE);
        canvas.begin_part((LEFT, TOP));
        let x = Axis::new(self.x, (0.0, WIDTH));
        let y = Axis::new(self.y, (self.height(), 0.0));
        self.draw_axes(canvas, x, y);
        for line in self.lines.iter().filter(|line| line.color.is_none()) {
            self.draw_line(canvas, line, Paint::Rest, 0.6, (x, y));
        }
        for (line, color) in self.colored() {
            self.draw_line(canvas, line, Paint::Series(color), 2.0, (x, y));
        }
        self.draw_labels(canvas, (x, y));
        canvas.end_group();
    }

    fn draw_axes(&self, canvas: &mut Canvas, x: Axis, y: Axis) {
        let height = self.height();
        for (value, label) in &self.y_ticks {
            let at = y.at(*value);
            canvas.line((0.0, at), (WIDTH, at), Paint::Faint, 1.0);
            canvas.text((-8.0, at + 4.0), label, TextStyle::NOTE.anchored(Anchor::End));
        }
        canvas.line((0.0, height), (WIDTH, height), Paint::Rest, 1.0);
        // Labels that would touch the one before are left out.
        let mut free = f64::NEG_INFINITY;
        for (value, label) in &self.x_ticks {
            let (at, half) = (x.at(*value), text_width(label, TextStyle::NOTE.size) / 2.0);
            canvas.line((at, height), (at, height + 4.0), Paint::Rest, 1.0);
            if at - half > free {
                canvas.text((at, height + 17.0), label, TextStyle::NOTE.anchored(Anchor::Middle));
                free = at + half + 6.0;
            }
        }
        if !self.x_title.is_empty() {
            let style = TextStyle::NOTE.anchored(Anchor::Middle);
            canvas.text((WIDTH / 2.0, height + 34.0), &self.x_title, style);
        }
    }

    fn draw_line(&self, canvas: &mut Canvas, line: &Line, paint: Paint, width: f64, (x, y): (Axis, Axis)) {
        let place = |&(at, value): &(f64, f64)| match at.is_finite() && value.is_finite() {
            true => (x.at(at), y.at(value)),
            false => (f64::NAN, f64::NAN),
        };
        let points: Vec<(f64, f64)> = line.points.iter().map(place).collect();
        canvas.begin_group(&line.label);
        canvas.polyline(&points, paint, width);
        canvas.end_group();
        let is_hovered = self.lines.iter().map(|line| line.points.len()).sum::<usize>() <= HOVERED;
        for (number, &at) in points.iter().enumerate().filter(|(_, point)| point.1.is_finite()) {
            // A value between two gaps is not on a line.
            let alone = |other: Option<usize>| other.and_then(|at| points.get(at)).is_none_or(|at| at.1.is_nan());
            let is_alone = alone(number.checked_sub(1)) && alone(number.checked_add(1));
            let is_marked = line.marked == Some(number);
            if (is_hovered && line.color.is_some()) || is_alone || is_marked {
                let note = line.notes.get(number).map_or("", String::as_str);
                canvas.begin_group(&format!("{} · {note}", line.label));
                canvas.disc(at, POINT, paint, 1.0);
                if is_marked {
                    canvas.circle(at, 2.0 * POINT, paint, 1.5);
                }
                canvas.end_group();
            }
        }
    }

    /// The names of the lines with a color, beside their last points.
    fn draw_labels(&self, canvas: &mut Canvas, (x, y): (Axis, Axis)) {
        let end =
            |line: &Line| line.points.iter().rev().find(|(at, value)| at.is_finite() && value.is_finite()).copied();
        let labeled: Vec<(&Line, u8, (f64, f64))> =
            self.colored().filter_map(|(line, color)| Some((line, color, end(line)?))).collect();
        let wanted: Vec<f64> = labeled.iter().map(|(_, _, (_, value))| y.at(*value)).collect();
        let places = label_places(&wanted, LABEL_LINE, (0.0, self.height()));
        for ((line, color, (at, value)), place) in labeled.iter().zip(&places) {
            let paint = Paint::Series(*color);
            let (from, to) = ((x.at(*at) + POINT, y.at(*value)), (WIDTH + LEADER - 4.0, *place));
            canvas.polyline(&[from, to], paint, 0.75);
            canvas.fitted_text((WIDTH + LEADER, place + 4.0), &line.label, WIDEST_LABEL, TextStyle::INK);
        }
    }
}
