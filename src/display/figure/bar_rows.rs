//! Horizontal bars, one a line, with their names before them and their values behind.

use super::canvas::{Anchor, Canvas, FONT, TextStyle};
use super::theme::Paint;
use super::widest;

/// Sizes in pixels.
const WIDEST_LABEL: f64 = 280.0;
const BARS: f64 = 320.0;
const LINE: f64 = 22.0;
const GAP: f64 = 10.0;
const WIDEST_VALUE: f64 = 140.0;

/// A bar.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    /// What is written behind the bar.
    pub(super) text: String,
    pub(super) paint: Paint,
}

/// Bars of one scale, which begins at 0.
#[derive(Debug)]
pub(super) struct BarRows {
    pub(super) bars: Vec<Bar>,
    /// The value of the longest bar.
    pub(super) most: f64,
    /// What is written if there are no bars.
    pub(super) if_none: String,
}

impl BarRows {
    fn label_width(&self) -> f64 {
        widest(self.bars.iter().map(|bar| bar.label.as_str()), FONT, WIDEST_LABEL)
    }

    fn value_width(&self) -> f64 {
        widest(self.bars.iter().map(|bar| bar.text.as_str()), TextStyle::NOTE.size, WIDEST_VALUE)
    }

    pub(super) fn size(&self) -> (f64, f64) {
        (self.label_width() + GAP + BARS + 6.0 + self.value_width(), LINE * self.bars.len().max(1) as f64)
    }

    pub(super) fn draw(&self, canvas: &mut Canvas) {
        if self.bars.is_empty() {
            return canvas.text((0.0, FONT + 2.0), &self.if_none, TextStyle::NOTE);
        }
        let start = self.label_width() + GAP;
        for (place, bar) in self.bars.iter().enumerate() {
            let y = LINE * place as f64;
            let share = if self.most > 0.0 { (bar.value / self.most).clamp(0.0, 1.0) } else { 0.0 };
            let style = TextStyle::INK.anchored(Anchor::End);
            canvas.fitted_text((start - GAP, y + 15.0), &bar.label, self.label_width(), style);
            canvas.begin_group(&format!("{}: {}", bar.label, bar.text));
            canvas.rect((start, y + 4.0), ((BARS * share).max(1.0), LINE - 8.0), 2.0, bar.paint);
            canvas.end_group();
            canvas.text((start + (BARS * share).max(1.0) + 6.0, y + 15.0), &bar.text, TextStyle::NOTE);
        }
        let height = LINE * self.bars.len() as f64;
        canvas.line((start, 0.0), (start, height), Paint::Rest, 1.0);
    }
}
