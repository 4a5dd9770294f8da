//! A drawing as SVG: elements with presentation attributes only, no style, script, class, id or reference, so that it
//! survives notebooks' and GitHub's sanitizers. All text is escaped.

use std::fmt::Write;

use super::super::markup::Markup;
use super::text_width::{fitted, text_width};
use super::theme::Paint;

/// The fonts of the system, as a presentation attribute.
const FONTS: &str = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif";

/// The default font size, in pixels.
pub(super) const FONT: f64 = 12.0;

/// What a file with a drawing says that it is.
pub(super) const NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// The attribute of an image whose pixels are squares.
pub(super) const PIXELATED: &str = " image-rendering=\"pixelated\"";

/// Where a text is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A style of text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TextStyle {
    pub(super) size: f64,
    pub(super) paint: Paint,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
    /// Degrees, clockwise.
    pub(super) turned: f64,
    /// Whether it has a halo in the color of the ground, to be read over points and lines.
    pub(super) halo: bool,
}

impl TextStyle {
    /// Ink of the default size, anchored at its start.
    pub(super) const INK: TextStyle =
        TextStyle { size: FONT, paint: Paint::Ink, anchor: Anchor::Start, bold: false, turned: 0.0, halo: false };

    /// Smaller, and of lower rank.
    pub(super) const NOTE: TextStyle = TextStyle { size: 11.0, paint: Paint::Muted, ..TextStyle::INK };

    pub(super) const fn anchored(self, anchor: Anchor) -> Self {
        TextStyle { anchor, ..self }
    }

    pub(super) const fn painted(self, paint: Paint) -> Self {
        TextStyle { paint, ..self }
    }
}

/// A drawing in progress: its size in pixels, and its elements.
#[derive(Debug)]
pub struct Canvas {
    pub(super) width: f64,
    pub(super) height: f64,
    dark: bool,
    body: Markup,
}

impl Canvas {
    pub(super) fn new(width: f64, height: f64, dark: bool) -> Self {
        Canvas { width, height, dark, body: Markup::default() }
    }

    /// Whether it is painted for a dark ground.
    pub(super) fn is_dark(&self) -> bool {
        self.dark
    }

    /// The finished drawing. `name` is what a screen reader says.
    pub(super) fn finish(self, name: &str) -> String {
        let mut svg = Markup::default();
        svg.raw("<svg").attribute("xmlns", NAMESPACE).raw(" role=\"img\"").attribute("aria-label", name);
        svg.attribute("viewBox", format_args!("0 0 {} {}", short(self.width), short(self.height)));
        svg.attribute("width", short(self.width)).attribute("height", short(self.height));
        svg.attribute("font-family", FONTS).attribute("font-size", short(FONT)).raw(">");
        svg.raw("<rect width=\"100%\" height=\"100%\"").attribute("fill", Paint::Ground.hex(self.dark)).raw("/>");
        svg.html(&self.body.finish()).raw("</svg>");
        svg.finish()
    }

    /// A rectangle, with round corners if `round` is above 0.
    pub(super) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), round: f64, paint: Paint) {
        self.body.raw("<rect");
        self.numbers(&[("x", x), ("y", y), ("width", width.max(0.0)), ("height", height.max(0.0))]);
        if round > 0.0 {
            self.numbers(&[("rx", round)]);
        }
        self.fill(paint);
        self.body.raw("/>");
    }

    /// A disc. With `opacity` below 1, what it covers shows through.
    pub(super) fn disc(&mut self, (x, y): (f64, f64), radius: f64, paint: Paint, opacity: f64) {
        self.body.raw("<circle");
        self.numbers(&[("cx", x), ("cy", y), ("r", radius)]);
        self.fill(paint);
        if opacity < 1.0 {
            self.numbers(&[("fill-opacity", opacity)]);
        }
        self.body.raw("/>");
    }

    /// A circle that is not filled.
    pub(super) fn circle(&mut self, (x, y): (f64, f64), radius: f64, paint: Paint, width: f64) {
        self.body.raw("<circle");
        self.numbers(&[("cx", x), ("cy", y), ("r", radius)]);
        self.stroke(paint, width);
        self.body.raw("/>");
    }

    /// A straight line.
    pub(super) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), paint: Paint, width: f64) {
        self.body.raw("<line");
        self.numbers(&[("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)]);
        self.stroke(paint, width);
        self.body.raw("/>");
    }

    /// A line through points; points that are not finite interrupt it.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)], paint: Paint, width: f64) {
        let mut path = String::new();
        let mut draws = false;
        for &(x, y) in points {
            let finite = x.is_finite() && y.is_finite();
            if finite {
                let _ = write!(path, "{}{} {}", if draws { 'L' } else { 'M' }, short(x), short(y));
            }
            draws = finite;
        }
        self.path(&path, paint, width);
    }

    /// A path that is not filled; `path` is SVG's path data, made of numbers by [`short`].
    pub(super) fn path(&mut self, path: &str, paint: Paint, width: f64) {
        self.body.raw("<path").attribute("d", path);
        self.stroke(paint, width);
        self.body.raw(" stroke-linejoin=\"round\" stroke-linecap=\"round\"/>");
    }

    /// A filled area, given as SVG's path data.
    pub(super) fn area(&mut self, path: &str, paint: Paint, opacity: f64) {
        self.body.raw("<path").attribute("d", path);
        self.fill(paint);
        self.numbers(&[("fill-opacity", opacity)]);
        self.body.raw("/>");
    }

    /// A line of text; `y` is its baseline.
    pub(super) fn text(&mut self, (x, y): (f64, f64), text: &str, style: TextStyle) {
        self.body.raw("<text");
        self.numbers(&[("x", x), ("y", y)]);
        if style.size != FONT {
            self.numbers(&[("font-size", style.size)]);
        }
        match style.anchor {
            Anchor::Start => &mut self.body,
            Anchor::Middle => self.body.raw(" text-anchor=\"middle\""),
            Anchor::End => self.body.raw(" text-anchor=\"end\""),
        };
        if style.bold {
            self.body.raw(" font-weight=\"600\"");
        }
        if style.turned != 0.0 {
            let turn = format!("rotate({} {} {})", short(style.turned), short(x), short(y));
            self.body.attribute("transform", turn);
        }
        if style.halo {
            self.body.attribute("stroke", Paint::Ground.hex(self.dark));
            self.body.raw(" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\"");
        }
        self.fill(style.paint);
        self.body.raw(">").text(text).raw("</text>");
    }

    /// A line of text that is cut to `width` pixels; what is left out is shown on hover.
    pub(super) fn fitted_text(&mut self, at: (f64, f64), text: &str, width: f64, style: TextStyle) {
        let size = if style.bold { style.size * 1.06 } else { style.size };
        match text_width(text, size) <= width {
            true => self.text(at, text, style),
            false => {
                self.begin_group(text);
                self.text(at, &fitted(text, size, width), style);
                self.end_group();
            }
        }
    }

    /// An image of this crate's own as a data URI, scaled to fit, without distortion.
    pub(super) fn image(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), uri: &str, name: &str) {
        self.body.raw("<image");
        self.numbers(&[("x", x), ("y", y), ("width", width), ("height", height)]);
        self.body.attribute("aria-label", name).attribute("href", uri).raw("/>");
    }

    /// An image whose pixels are values: each is drawn as a square without smoothing.
    pub(super) fn pixels(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), uri: &str) {
        self.body.raw("<image");
        self.numbers(&[("x", x), ("y", y), ("width", width), ("height", height)]);
        self.body.raw(" preserveAspectRatio=\"none\"").raw(PIXELATED).attribute("href", uri).raw("/>");
    }

    /// Begins a group of elements that show `title` on hover.
    pub(super) fn begin_group(&mut self, title: &str) {
        self.body.raw("<g><title>").text(title).raw("</title>");
    }

    /// Begins a part whose (0, 0) is at `(x, y)`.
    pub(super) fn begin_part(&mut self, (x, y): (f64, f64)) {
        self.body.raw("<g").attribute("transform", format_args!("translate({} {})", short(x), short(y))).raw(">");
    }

    /// Ends the group or part.
    pub(super) fn end_group(&mut self) {
        self.body.raw("</g>");
    }

    fn numbers(&mut self, attributes: &[(&'static str, f64)]) {
        for &(name, value) in attributes {
            self.body.attribute(name, short(value));
        }
    }

    fn fill(&mut self, paint: Paint) {
        self.body.attribute("fill", paint.hex(self.dark));
    }

    fn stroke(&mut self, paint: Paint, width: f64) {
        self.body.raw(" fill=\"none\"").attribute("stroke", paint.hex(self.dark));
        self.numbers(&[("stroke-width", width)]);
    }
}

/// A coordinate with at most two decimals.
pub(super) fn short(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let written = format!("{value:.2}");
    let written = written.trim_end_matches('0').trim_end_matches('.');
    if written == "-0" { "0".to_owned() } else { written.to_owned() }
}
