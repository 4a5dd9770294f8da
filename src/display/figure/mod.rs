//! Figures of topics: drawn as SVG by this crate, with their data as frames.

use std::fmt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polars::prelude::DataFrame;
use serde_json::Value;

use super::markup::{Html, Markup};
use super::show::Show;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};

mod axis;
mod bar_rows;
mod barchart;
mod canvas;
mod color;
mod dendrogram;
mod distribution;
mod documents;
mod draw;
mod heatmap;
mod hierarchical_documents;
mod label_places;
mod labels;
mod layers;
mod lines;
mod over_time;
mod per_class;
mod plane;
#[cfg(feature = "png")]
mod png;
mod quality;
mod raster;
mod selection;
mod similarity;
mod still;
mod term_rank;
mod text_width;
mod theme;
mod time_axis;
mod token_table;
mod topic_map;
mod topic_sizes;

pub use barchart::Barchart;
pub use dendrogram::{Dendrogram, Orientation};
pub use distribution::DistributionBars;
pub use documents::DocumentMap;
pub use heatmap::Heatmap;
pub use hierarchical_documents::HierarchicalDocuments;
pub use layers::LayersTree;
pub use over_time::OverTimeLines;
pub use per_class::{PerClassTable, TopicsPerClass};
pub use quality::QualityStrips;
pub use selection::Label;
pub use term_rank::TermRank;
pub use token_table::TokenTable;
pub use topic_map::TopicMap;
pub use topic_sizes::TopicSizes;

pub(super) use color::COLORS;
pub(super) use documents::{MappedDocuments, Shown};
pub(super) use plane::Plane;
pub(super) use selection::label_of;
pub(super) use still::{BOLD, wrapped};
pub(super) use text_width::text_width;
pub(super) use theme::{Paint, dark_rules, ground};

use canvas::{Canvas, NAMESPACE, TextStyle};
use draw::{Draw, Plot, plotly_figure};
use selection::Settings;

/// Margins around a drawing, and the heights of its title and note, in pixels.
const MARGIN: f64 = 16.0;
const TITLE: f64 = 34.0;
const NOTE: f64 = 24.0;
const TITLE_SIZE: f64 = 16.0;

/// How far a drawing is made smaller where there is little room, so that its text can still be read. Then it scrolls.
const SMALLEST: f64 = 0.7;

/// A figure of topics, such as [`visualize_barchart`](crate::FittedTopicModel::visualize_barchart) returns.
///
/// It is a value: it can be [shown](Show) in a notebook cell, [written](Self::write) to a file, and its data is a
/// [frame](Self::frame). Nothing is computed before it is asked for, so settings can be chained. The drawing is SVG with
/// presentation attributes only: no script, no style sheet, no external resource. All text in it is escaped.
///
/// ```
/// use topicframe::prelude::*;
/// # let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// # let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// # let topics = model.fit(&posts)?;
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("words.svg");
///
/// let figure = topics.visualize_barchart().top(2).title("What the posts are about");
/// figure.write(&file)?;                                             // or .html, .json (Plotly), .csv, .parquet ...
/// assert!(figure.svg()?.starts_with("<svg") && figure.svg()?.contains("What the posts are about"));
/// assert!(figure.frame()?.column("Word")?.str()?.iter().flatten().any(|word| word == "train"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Figure<D> {
    drawing: D,
    settings: Settings,
}

/// The kinds of figures. It cannot be implemented outside of this crate.
pub trait Drawing: Draw {}

impl<D: Draw> Drawing for D {}

impl<D> fmt::Debug for Figure<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = std::any::type_name::<D>();
        write!(f, "Figure<{}>", kind.rsplit("::").next().unwrap_or(kind))
    }
}

impl<D: Drawing> Figure<D> {
    pub(super) fn new(drawing: D) -> Self {
        Figure { drawing, settings: Settings::default() }
    }

    /// The topics, in this order. Default: the largest.
    #[must_use]
    pub fn topics(mut self, topics: &[i32]) -> Self {
        self.settings.topics = Some(topics.to_vec());
        self
    }

    /// The number of topics, largest first, unless [`topics`](Self::topics) lists them. At least 1. The default depends
    /// on the kind of figure; what is left out is counted below the drawing.
    #[must_use]
    pub fn top(mut self, top: usize) -> Self {
        self.settings.top = Some(top);
        self
    }

    /// The title. Default: what the figure shows. An empty title leaves it out.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.settings.title = Some(title.into());
        self
    }

    /// What topics are called. Default: [`Label::Custom`].
    #[must_use]
    pub fn label(mut self, label: Label) -> Self {
        self.settings.label = label;
        self
    }

    /// Whether the ground is dark. Default: `false`. In a cell, a page or a report, a light figure becomes dark by itself
    /// where the reader prefers it.
    #[must_use]
    pub fn dark(mut self, dark: bool) -> Self {
        self.settings.dark = dark;
        self
    }

    /// The data of the figure.
    ///
    /// # Errors
    /// A topic or representation does not exist, or a setting is out of range.
    pub fn frame(&self) -> Result<DataFrame> {
        self.data()?.frame()
    }

    /// The drawing.
    ///
    /// # Errors
    /// Same as [`frame`](Self::frame).
    pub fn svg(&self) -> Result<String> {
        Ok(self.drawn()?.svg)
    }

    /// A page of its own with the drawing, without a script.
    ///
    /// # Errors
    /// Same as [`frame`](Self::frame).
    pub fn html(&self) -> Result<Html> {
        let drawn = self.drawn()?;
        Ok(Html::trusted(page(&drawn, "")))
    }

    /// The same data as a figure of Plotly: `data` and `layout`.
    ///
    /// # Errors
    /// Same as [`frame`](Self::frame).
    pub fn plotly_json(&self) -> Result<Value> {
        let data = self.data()?;
        Ok(plotly_figure(&data, &self.title_of(&data)))
    }

    /// The drawing as PNG, with two pixels for each of the drawing (of drawings with more than 8 million, fewer), and the
    /// fonts of the system. Requires the feature `png`.
    ///
    /// # Errors
    /// The system has no fonts; same as [`frame`](Self::frame).
    #[cfg(feature = "png")]
    pub fn png(&self) -> Result<Vec<u8>> {
        let drawn = self.drawn()?;
        png::png(&drawn.svg, (drawn.width, drawn.height))
    }

    /// Writes the figure atomically, in the format of the extension: `.svg`, `.html`, `.png` (which requires the feature
    /// `png`), or `.json` (Plotly), and with the extension of a table (such as `.csv` or `.parquet`) its data.
    ///
    /// # Errors
    /// The extension is unknown, or requires a feature that is missing, or the file cannot be written; same as
    /// [`frame`](Self::frame).
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "svg" => crate::files::write_whole(path, self.svg()?),
            #[cfg(feature = "png")]
            "png" => crate::files::write_whole(path, self.png()?),
            #[cfg(not(feature = "png"))]
            "png" => Err(Error::new(
                ErrorKind::InvalidParameter,
                Stage::Output,
                "figures are written as .png only if topicframe is built with the feature `png`",
            )
            .with_path(path)
            .with_hint(Hint::new("Enable it: cargo add topicframe --features png. Or write .svg."))),
            "html" | "htm" => crate::files::write_whole(path, self.html()?.as_str()),
            "json" => crate::files::write_whole(path, self.plotly_json()?.to_string()),
            "csv" | "tsv" | "ndjson" | "jsonl" | "parquet" | "arrow" | "ipc" | "feather" => {
                crate::files::write_frame(&self.frame()?, path)
            }
            _ => Err(Error::new(
                ErrorKind::InvalidParameter,
                Stage::Output,
                "a figure has no format with this extension",
            )
            .with_path(path)
            .with_hint(Hint::new(
                "Supported: .svg, .html, .png, .json (Plotly); .csv, .parquet, .arrow for its data.",
            ))),
        }
    }

    /// The drawing as a part of a page, whose style makes it dark with [`dark_rules`]. There, it needs no namespace.
    pub(in crate::display) fn part(&self) -> Result<Part> {
        let drawn = self.drawn()?;
        let svg = drawn.svg.replacen(&format!(" xmlns=\"{NAMESPACE}\""), "", 1);
        Ok(Part { width: drawn.width, least_width: drawn.least_width(), svg })
    }

    fn data(&self) -> Result<D::Data> {
        self.settings.check()?;
        self.drawing.data(&self.settings)
    }

    fn title_of(&self, data: &D::Data) -> String {
        self.settings.title.clone().unwrap_or_else(|| data.title())
    }

    fn drawn(&self) -> Result<Drawn> {
        let data = self.data()?;
        let title = self.title_of(&data);
        Ok(drawn(&data, &title, self.settings.dark))
    }
}

impl<D: Drawing> Show for Figure<D> {
    /// The drawing; where scripts and frames are not allowed, such as in notebooks on GitHub, as an image.
    fn to_html(&self) -> Html {
        match self.drawn() {
            Ok(drawn) => Html::trusted(cell(&drawn)),
            Err(error) => error.to_html(),
        }
    }

    fn to_text(&self) -> Option<String> {
        match self.data() {
            Ok(data) => Some(format!("{}\n{}", self.title_of(&data), data.frame().ok()?)),
            Err(error) => error.to_text(),
        }
    }
}

impl<D: Drawing> Figure<D> {
    /// Displays the figure below a notebook cell: evcxr calls this on the last expression of a cell.
    pub fn evcxr_display(&self) {
        Show::evcxr_display(self);
    }
}

/// A drawing as a part of a page.
#[derive(Debug, Clone)]
pub(in crate::display) struct Part {
    pub(in crate::display) svg: String,
    pub(in crate::display) width: f64,
    /// The width in pixels below which its text is hard to read.
    pub(in crate::display) least_width: f64,
}

/// A finished drawing.
pub(super) struct Drawn {
    pub(super) svg: String,
    pub(super) title: String,
    width: f64,
    height: f64,
    dark: bool,
}

impl Drawn {
    /// The width in pixels below which it is not made smaller.
    fn least_width(&self) -> f64 {
        SMALLEST * self.width
    }
}

/// Draws `plot` with its title above and its note below.
pub(super) fn drawn(plot: &impl Plot, title: &str, dark: bool) -> Drawn {
    let (width, height) = plot.size();
    let note = plot.note();
    let above = if title.is_empty() { MARGIN } else { MARGIN + TITLE };
    let below = if note.is_some() { NOTE + MARGIN } else { MARGIN };
    let mut canvas = Canvas::new(width + 2.0 * MARGIN, above + height + below, dark);
    let heading = TextStyle { size: TITLE_SIZE, bold: true, ..TextStyle::INK };
    if !title.is_empty() {
        canvas.fitted_text((MARGIN, MARGIN + TITLE_SIZE), title, width, heading);
    }
    canvas.begin_part((MARGIN, above));
    plot.draw(&mut canvas);
    canvas.end_group();
    if let Some(note) = &note {
        let y = above + height + NOTE - 4.0;
        canvas.fitted_text((MARGIN, y), note, width, TextStyle::NOTE);
    }
    let (width, height) = (canvas.width, canvas.height);
    let name = if title.is_empty() { plot.title() } else { title.to_owned() };
    Drawn { svg: canvas.finish(&name), title: name, width, height, dark }
}

/// The style of a page with a figure: as wide as the window and readable text allow, and dark where the reader prefers it.
fn style(drawn: &Drawn) -> String {
    let mut style = "body{margin:0}svg{display:block;margin:0 auto;max-width:100%;height:auto;".to_owned();
    style.push_str(&format!("min-width:{:.0}px}}", drawn.least_width()));
    style.push_str(&match drawn.dark {
        true => format!("body{{background:{}}}", ground(true)),
        false => {
            format!("@media(prefers-color-scheme:dark){{body{{background:{}}}{}}}", ground(true), dark_rules("svg"))
        }
    });
    style
}

/// The page; `more` are style rules.
fn page(drawn: &Drawn, more: &str) -> String {
    let mut html = Markup::default();
    html.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" ");
    html.raw(
        "content=\"width=device-width\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ",
    );
    html.raw("style-src 'unsafe-inline'; img-src data:\"><title>").text(&drawn.title).raw("</title><style>");
    html.html(&style(drawn)).html(more).raw("</style></head><body>").html(&drawn.svg).raw("</body></html>\n");
    html.finish()
}

/// The figure in a cell, whose page scrolls as a whole.
fn cell(drawn: &Drawn) -> String {
    let (width, height, least) = (drawn.width, drawn.height, drawn.least_width());
    let size = format!("min-width:{least:.0}px;max-width:{width:.0}px;aspect-ratio:{width:.0}/{height:.0}");
    framed(&page(drawn, "html{overflow:hidden}"), drawn, "", &size)
}

/// A page in a cell: a frame of this size with what the sandbox allows. Viewers that remove frames and styles, such as
/// GitHub's, show the drawing as an image, which the style hides from all others.
pub(super) fn framed(page: &str, drawn: &Drawn, sandbox: &'static str, size: &str) -> String {
    let mut html = Markup::default();
    html.raw("<div class=\"topicframe\" style=\"overflow-x:auto\"><style>.tf-still{display:none}</style><iframe");
    html.attribute("sandbox", sandbox).attribute("title", &drawn.title);
    html.attribute("style", format_args!("border:0;display:block;width:100%;{size}"));
    html.attribute("srcdoc", page).raw("></iframe><img class=\"tf-still\"");
    html.attribute("alt", &drawn.title).attribute("width", format_args!("{:.0}", drawn.width));
    html.raw(" src=\"data:image/svg+xml;base64,").html(&STANDARD.encode(&drawn.svg)).raw("\"></div>");
    html.finish()
}

/// `2 topics not shown`, or nothing.
fn left_out(topics: usize) -> Option<String> {
    match topics {
        0 => None,
        _ => Some(format!("{} not shown", super::html::count(topics, "topic"))),
    }
}

/// The width that the widest of the texts needs, at most `most`.
fn widest<'a>(texts: impl Iterator<Item = &'a str>, size: f64, most: f64) -> f64 {
    texts.map(|text| text_width(text, size)).fold(0.0, f64::max).min(most)
}
