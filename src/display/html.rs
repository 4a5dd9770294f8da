//! DataFrames as HTML tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;

use super::cell::ColumnStyle;
use super::formatter::{CellFormatter, ImageFormatter};
use super::markup::{Html, Markup, grouped};
use super::number::FloatStyle;
use super::value::{float, number};
use crate::error::Result;

/// The maximum size of a table in bytes; images beyond it are replaced with a placeholder.
const MAX_BYTES: usize = 32 << 20;

/// The maximum number of characters of a column name and type.
const NAME_LENGTH: usize = 60;
const TYPE_LENGTH: usize = 28;

/// The minimum number of bytes of a text that gets a wide column.
const LONG: usize = 40;

/// HTML tables for every [`DataFrame`], with custom formatters and limits; [`Show`](super::Show) renders the default
/// one. The prelude exports both.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("caption" => ["a cat & a dog", "a train"], "likes" => [12, 7])?;
/// assert!(posts.to_html().contains("a cat &amp; a dog"));
/// assert!(posts.html().bars("likes").max_rows(1).to_html().contains("1 row not shown"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait DataFrameHtml {
    /// The frame as an [`HtmlTable`], which accepts formatters and limits.
    fn html(&self) -> HtmlTable;
}

impl DataFrameHtml for DataFrame {
    fn html(&self) -> HtmlTable {
        HtmlTable::new(self)
    }
}

/// A builder for an HTML table of a frame.
///
/// Supports every column type. All text is escaped, including column names; long texts are truncated and shown in full
/// on hover; numbers are right-aligned; lists of strings become chips or lines, and long lists of numbers a summary.
/// Binary cells that contain an image are shown as images. The table includes its own style sheet, which affects
/// nothing else on the page, follows the JupyterLab and VS Code themes and the system's dark mode, and loads no
/// external resources.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("caption" => ["a cat", "a train", "a boat"], "likes" => [12, 7, 3])?;
/// let shout = |value: &topicframe::polars::prelude::AnyValue<'_>| {
///     Some(Html::trusted(escape_html(value.get_str()?).to_uppercase()))
/// };
/// let table = posts.html().max_rows(2).bars("likes").formatter("caption", shout).to_html();
/// assert!(table.contains("A CAT") && table.contains("1 row not shown") && table.contains("tf-bar"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HtmlTable {
    frame: DataFrame,
    max_rows: usize,
    max_columns: usize,
    max_text: usize,
    show_images: bool,
    formatters: BTreeMap<String, Arc<dyn CellFormatter>>,
    bars: BTreeSet<String>,
}

impl fmt::Debug for HtmlTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HtmlTable")
            .field("shape", &self.frame.shape())
            .field("max_rows", &self.max_rows)
            .field("max_columns", &self.max_columns)
            .field("max_text", &self.max_text)
            .field("show_images", &self.show_images)
            .field("formatters", &self.formatters.keys())
            .field("bars", &self.bars)
            .finish()
    }
}

impl HtmlTable {
    /// A table of `frame`. The frame's memory is shared, not copied.
    pub fn new(frame: &DataFrame) -> Self {
        HtmlTable {
            frame: frame.clone(),
            max_rows: 60,
            max_columns: 30,
            max_text: 120,
            show_images: true,
            formatters: BTreeMap::new(),
            bars: BTreeSet::new(),
        }
    }

    /// The maximum number of rows. Longer frames show the first and last rows, with the number of omitted rows in
    /// between. Default: 60; `usize::MAX` shows all.
    #[must_use]
    pub fn max_rows(mut self, max_rows: usize) -> Self {
        self.max_rows = max_rows;
        self
    }

    /// The maximum number of columns, as for rows. Default: 30.
    #[must_use]
    pub fn max_columns(mut self, max_columns: usize) -> Self {
        self.max_columns = max_columns;
        self
    }

    /// The maximum number of characters per text; the first thousand are shown on hover. Default: 120.
    #[must_use]
    pub fn max_text(mut self, max_text: usize) -> Self {
        self.max_text = max_text;
        self
    }

    /// Whether binary cells that contain an image are shown as images automatically. Default: `true`.
    #[must_use]
    pub fn show_images(mut self, show_images: bool) -> Self {
        self.show_images = show_images;
        self
    }

    /// Formats the cells of `column` with `formatter`, such as [`image_formatter`](super::image_formatter). Unknown
    /// column names are reported below the table.
    #[must_use]
    pub fn formatter(mut self, column: impl Into<String>, formatter: impl CellFormatter + 'static) -> Self {
        self.formatters.insert(column.into(), Arc::new(formatter));
        self
    }

    /// Draws a bar below each number of `column`, proportional to the largest number shown. Unknown column names and
    /// columns without numbers are reported below the table.
    #[must_use]
    pub fn bars(mut self, column: impl Into<String>) -> Self {
        self.bars.insert(column.into());
        self
    }

    /// The frame.
    pub(super) fn frame(&self) -> &DataFrame {
        &self.frame
    }

    /// The table.
    pub fn to_html(&self) -> Html {
        let rows = Shown::of(self.frame.height(), self.max_rows);
        let columns = Shown::of(self.frame.width(), self.max_columns);
        let mut html = Markup::default();
        html.raw("<div class=\"topicframe\"><style>").raw(include_str!("table.css")).raw("</style>");
        html.raw(
            "<div class=\"tf-scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table class=\"tf-table\">",
        );
        self.push_header(&mut html, &columns);
        self.push_body(&mut html, &rows, &columns);
        html.raw("</table></div>");
        self.push_footer(&mut html, &rows, &columns);
        html.raw("</div>");
        Html::trusted(html.finish())
    }

    /// Writes the table to a file atomically, as a page of its own.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let head = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
                    content=\"width=device-width\"><title>Table</title></head><body>\n";
        crate::files::write_whole(path.as_ref(), format!("{head}{}\n</body></html>\n", self.to_html().as_str()))
    }

    fn push_header(&self, html: &mut Markup, columns: &Shown) {
        html.raw("<thead><tr>");
        for (position, column) in columns.of_columns(&self.frame) {
            if columns.gap_before(position) {
                html.raw("<th class=\"tf-gap\"").attribute("title", columns.left_out("column")).raw(">⋯</th>");
            }
            html.raw(if is_number(column.dtype()) {
                "<th scope=\"col\" class=\"tf-n\">"
            } else {
                "<th scope=\"col\">"
            });
            html.raw("<span dir=\"auto\">").cut_text(column.name(), NAME_LENGTH).raw("</span><small>");
            html.cut_text(&column.dtype().to_string(), TYPE_LENGTH).raw("</small></th>");
        }
        html.raw("</tr></thead>");
    }

    fn push_body(&self, html: &mut Markup, rows: &Shown, columns: &Shown) {
        let images = ImageFormatter::new();
        let shown: Vec<(usize, &Column, ColumnStyle<'_>)> = columns
            .of_columns(&self.frame)
            .map(|(position, column)| (position, column, self.style(column, rows, &images)))
            .collect();
        html.raw("<tbody>");
        for row in rows.positions() {
            if rows.gap_before(row) {
                let width = shown.len() + usize::from(columns.skipped() > 0);
                html.raw("<tr class=\"tf-gap\"><td").attribute("colspan", width).raw("><span>⋮ ");
                html.text(&rows.left_out("row")).raw("</span></td></tr>");
            }
            html.raw("<tr>");
            for (position, column, style) in &shown {
                html.raw(if columns.gap_before(*position) { "<td class=\"tf-gap\">⋯</td>" } else { "" });
                html.raw("<td dir=\"auto\"").raw(style.class).raw(">");
                let room = MAX_BYTES.saturating_sub(html.len());
                match column.get(row) {
                    Ok(value) => style.push(html, &value, room),
                    Err(error) => style.push(html, &AnyValue::StringOwned(error.to_string().into()), room),
                }
                html.raw("</td>");
            }
            html.raw("</tr>");
        }
        html.raw("</tbody>");
    }

    fn style<'a>(&'a self, column: &Column, rows: &Shown, images: &'a ImageFormatter) -> ColumnStyle<'a> {
        let of = |read: fn(&AnyValue<'_>) -> Option<f64>| -> Vec<f64> {
            rows.positions().filter_map(|row| column.get(row).ok().as_ref().and_then(read)).collect()
        };
        let numbers = if column.dtype().is_float() { of(float) } else { Vec::new() };
        let longest = match self.bars.contains(column.name().as_str()) {
            true => of(number).into_iter().map(f64::abs).filter(|number| number.is_finite()).fold(0.0, f64::max),
            false => 0.0,
        };
        ColumnStyle {
            formatter: self.formatters.get(column.name().as_str()).map(|formatter| &**formatter),
            images: self.show_images.then_some(images),
            floats: FloatStyle::for_column(numbers.into_iter()),
            longest,
            class: class(column, rows),
            max_text: self.max_text,
        }
    }

    fn push_footer(&self, html: &mut Markup, rows: &Shown, columns: &Shown) {
        html.raw("<p class=\"tf-shape\">").text(&count(self.frame.height(), "row"));
        html.raw(" × ").text(&count(self.frame.width(), "column"));
        for (shown, noun) in [(rows, "row"), (columns, "column")] {
            if shown.skipped() > 0 {
                html.raw(" · ").text(&shown.left_out(noun));
            }
        }
        html.raw("</p>");
        for name in self.formatters.keys().filter(|name| self.frame.column(name).is_err()) {
            html.raw("<p class=\"tf-shape\">A formatter was set for the column <code>").cut_text(name, NAME_LENGTH);
            html.raw("</code>, which does not exist in this frame.</p>");
        }
        for name in &self.bars {
            let reason = match self.frame.column(name).map(|column| is_number(column.dtype())) {
                Ok(true) => continue,
                Ok(false) => "</code>, which has no numbers.</p>",
                Err(_) => "</code>, which does not exist in this frame.</p>",
            };
            html.raw("<p class=\"tf-shape\">Bars were requested for the column <code>").cut_text(name, NAME_LENGTH);
            html.raw(reason);
        }
    }
}

/// The rows or columns that are shown: the first and the last, or all.
struct Shown {
    head: usize,
    tail: usize,
    all: usize,
}

impl Shown {
    fn of(all: usize, most: usize) -> Self {
        match all <= most {
            true => Shown { head: all, tail: 0, all },
            false => Shown { head: most.div_ceil(2), tail: most / 2, all },
        }
    }

    fn skipped(&self) -> usize {
        self.all - self.head - self.tail
    }

    fn positions(&self) -> impl Iterator<Item = usize> {
        (0..self.head).chain(self.all - self.tail..self.all)
    }

    fn of_columns<'a>(&self, frame: &'a DataFrame) -> impl Iterator<Item = (usize, &'a Column)> {
        self.positions().filter_map(|position| Some((position, frame.columns().get(position)?)))
    }

    fn gap_before(&self, position: usize) -> bool {
        self.skipped() > 0 && self.tail > 0 && position == self.all - self.tail
    }

    fn left_out(&self, noun: &str) -> String {
        format!("{} not shown", count(self.skipped(), noun))
    }
}

/// The CSS class of the cells in `column`.
fn class(column: &Column, rows: &Shown) -> &'static str {
    let is_long = |row: usize| column.str().is_ok_and(|texts| texts.get(row).is_some_and(|text| text.len() > LONG));
    match column.dtype() {
        dtype if is_number(dtype) => " class=\"tf-n\"",
        DataType::String if rows.positions().any(is_long) => " class=\"tf-t\"",
        _ => "",
    }
}

fn is_number(dtype: &DataType) -> bool {
    dtype.is_primitive_numeric() || dtype.is_decimal()
}

/// `1 row`, `1,234 rows`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}
