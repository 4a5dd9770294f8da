//! What a kind of figure provides; the rest is the same for all (`mod.rs`).

use polars::prelude::DataFrame;
use serde_json::{Value, json};

use super::canvas::Canvas;
use super::selection::Settings;
use crate::error::Result;

/// A kind of figure, with the settings that only this kind has.
pub trait Draw {
    /// What is drawn: plain values.
    type Data: Plot;

    /// Computes what is drawn.
    fn data(&self, settings: &Settings) -> Result<Self::Data>;
}

/// Values that can be drawn.
pub trait Plot {
    /// The title, unless another one is set.
    fn title(&self) -> String;

    /// The values as a frame.
    fn frame(&self) -> Result<DataFrame>;

    /// Width and height of the drawing, in pixels, without title and note.
    fn size(&self) -> (f64, f64);

    /// Draws the values, from (0, 0) to the [size](Self::size).
    fn draw(&self, canvas: &mut Canvas);

    /// A line below the drawing: what is left out, or what the axes mean.
    fn note(&self) -> Option<String> {
        None
    }

    /// The traces and the layout of Plotly's figure, without the title.
    fn plotly(&self) -> (Vec<Value>, Value);
}

/// Plotly's figure with this title.
pub(super) fn plotly_figure(plot: &impl Plot, title: &str) -> Value {
    let (traces, mut layout) = plot.plotly();
    if let Some(layout) = layout.as_object_mut() {
        layout.insert("title".to_owned(), json!({ "text": escaped(title) }));
    }
    json!({ "data": traces, "layout": layout })
}

/// Plotly reads some HTML in texts: the signs that it begins with are escaped.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An axis of Plotly with `labels` at 0, 1 and so on. As categories, equal labels would be one.
pub(super) fn labeled_axis<'a>(labels: impl Iterator<Item = &'a str>) -> Value {
    let labels: Vec<String> = labels.map(escaped).collect();
    let places: Vec<usize> = (0..labels.len()).collect();
    json!({ "tickmode": "array", "tickvals": places, "ticktext": labels, "automargin": true })
}
