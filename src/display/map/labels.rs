//! From which zoom to which each label is shown: labels never overlap, and each is shown in one range of scales (active
//! ranges: Been, Daiches and Yap 2006).

use rayon::prelude::*;

use super::super::figure::{BOLD, text_width, wrapped};

/// The number of labels whose ranges are computed: others are not shown.
pub(super) const MOST: usize = 2_000;

/// The width of a line at the smallest font size, in pixels.
const LINE: f64 = 150.0;

/// Font sizes of the smallest and the largest topic, in pixels.
const SMALLEST: f64 = 11.0;
const LARGEST: f64 = 17.0;

/// The height of a line in font sizes, and the space around a label in pixels.
const LEADING: f64 = 1.18;
const SPACE: f64 = 5.0;

/// The lines of a label, and the room that it takes at any zoom.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) lines: Vec<String>,
    /// In pixels.
    pub(super) font: f64,
    /// The room for the lines, in pixels, without the space around.
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Label {
    /// The label of a topic with this share (0 to 1) of the rows of the largest.
    pub(super) fn new(text: &str, share: f64) -> Self {
        let font = (SMALLEST + (LARGEST - SMALLEST) * share.clamp(0.0, 1.0).sqrt()).round();
        let lines = wrapped(text, font * BOLD, LINE * font / SMALLEST);
        let width = lines.iter().map(|line| text_width(line, font * BOLD)).fold(0.0, f64::max).ceil();
        let height = (lines.len() as f64 * font * LEADING).ceil();
        Label { lines, font, width, height }
    }
}

/// A label that wants to be shown at a place of the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wanted {
    /// In steps of a coordinate.
    pub(super) at: [f64; 2],
    /// Width and height in pixels, with the space around.
    pub(super) size: [f64; 2],
    /// The scales, in pixels per step of a coordinate, from which and below which it may be shown.
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Wanted {
    pub(super) fn new(at: [f64; 2], label: &Label, (from, to): (f64, f64)) -> Self {
        Wanted { at, size: [label.width + 2.0 * SPACE, label.height + 2.0 * SPACE], from, to }
    }

    /// The scale from which the two boxes are disjoint.
    fn disjoint_from(&self, other: &Wanted) -> f64 {
        let along = |axis: fn(&[f64; 2]) -> f64| {
            let distance = (axis(&self.at) - axis(&other.at)).abs();
            let room = (axis(&self.size) + axis(&other.size)) / 2.0;
            if distance > 0.0 { room / distance } else { f64::INFINITY }
        };
        along(|pair| pair[0]).min(along(|pair| pair[1]))
    }

    /// The scale from which it may be shown where `other` is shown from `its` on.
    fn beside(&self, other: &Wanted, its: f64) -> f64 {
        let disjoint = self.disjoint_from(other);
        // The two are never shown together, or only where they are disjoint already.
        if its >= other.to || self.to <= its || disjoint <= its { 0.0 } else { disjoint.min(other.to) }
    }
}

/// The scale from which each label is shown, given in the order of their priority: the smallest in its range from which
/// on it overlaps no label of higher priority. A label is not shown at all if that is not below the end of its range.
pub(super) fn starts(labels: &[Wanted]) -> Vec<f64> {
    let mut starts: Vec<f64> = Vec::with_capacity(labels.len());
    for label in labels {
        let before: Vec<(&Wanted, f64)> = labels.iter().zip(starts.iter().copied()).collect();
        let needed = before.par_iter().map(|&(other, its)| label.beside(other, its));
        starts.push(needed.reduce(|| label.from, f64::max));
    }
    starts
}

/// The scale from which on half of the labels are shown if there are no others: where a label for all of them may end.
/// `None` if a single one of them says the same.
pub(super) fn half_shown(parts: &[Wanted]) -> Option<f64> {
    let mut starts = starts(parts);
    starts.sort_by(f64::total_cmp);
    (parts.len() > 1).then(|| starts.get(parts.len() / 2).copied()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::mix::mix64;

    fn random(i: u64, most: u64) -> f64 {
        (mix64(i) % most) as f64
    }

    fn labels(count: u64) -> Vec<Wanted> {
        let label = |i: u64| {
            let (from, to) = [(0.0, f64::INFINITY), (0.0, 0.02), (0.02, 0.5), (0.1, f64::INFINITY)][(i % 4) as usize];
            Wanted {
                at: [random(4 * i, 65_535), random(4 * i + 1, 9_000)],
                size: [40.0 + random(4 * i + 2, 120), 15.0 + random(4 * i + 3, 25)],
                from,
                to,
            }
        };
        (0..count).map(label).collect()
    }

    #[test]
    fn labels_are_disjoint_at_every_scale() {
        let labels = labels(200);
        let starts = starts(&labels);
        assert_eq!(starts[0], 0.0);
        let mut shown_at_all = 0;
        for step in 0..80 {
            let scale = 0.002 * 1.2_f64.powi(step);
            let is_shown = |(label, from): &(&Wanted, &f64)| scale >= **from && scale < label.to;
            let shown: Vec<&Wanted> = labels.iter().zip(&starts).filter(is_shown).map(|(label, _)| label).collect();
            shown_at_all += shown.len();
            for (place, a) in shown.iter().enumerate() {
                for b in &shown[..place] {
                    let overlap = |axis: usize| {
                        scale * (a.at[axis] - b.at[axis]).abs() < (a.size[axis] + b.size[axis]) / 2.0 - 1e-6
                    };
                    assert!(!(overlap(0) && overlap(1)), "{a:?} {b:?} at {scale}");
                }
            }
        }
        assert!(shown_at_all > 2_000, "{shown_at_all}");
        // No label waits longer than one of higher priority makes it.
        for (place, label) in labels.iter().enumerate() {
            let before = labels.iter().zip(&starts).take(place);
            let reasons = before.map(|(other, &its)| label.beside(other, its)).fold(label.from, f64::max);
            assert_eq!(starts[place], reasons);
        }
    }

    #[test]
    fn of_labels_at_one_place_the_first_is_shown() {
        let label = Wanted { at: [7.0, 7.0], size: [10.0, 10.0], from: 0.0, to: f64::INFINITY };
        assert_eq!(starts(&[label, label]), [0.0, f64::INFINITY]);
        let coarse = Wanted { to: 0.5, ..label };
        assert_eq!(starts(&[coarse, label]), [0.0, 0.5]);
    }

    #[test]
    fn a_label_for_several_ends_where_half_of_them_are_shown() {
        let at = |x: f64| Wanted { at: [x, 0.0], size: [10.0, 10.0], from: 0.0, to: f64::INFINITY };
        assert_eq!(half_shown(&[at(0.0)]), None);
        assert_eq!(half_shown(&[at(0.0), at(100.0)]), Some(0.1));
        assert_eq!(half_shown(&[at(0.0), at(1000.0), at(1.0)]), Some(0.01));
    }

    #[test]
    fn labels_have_two_lines_at_most() {
        let label = Label::new("a rather long label of a topic that nobody wants to read as a whole on a map", 0.0);
        assert_eq!(label.lines.len(), 2);
        assert!(label.lines[1].ends_with('…'), "{:?}", label.lines);
        let line = Label::new(&"x".repeat(10_000), 1.0);
        assert!(line.lines.len() == 1 && line.width < 300.0);
    }
}
