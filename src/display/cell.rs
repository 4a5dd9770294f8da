//! Rendering a single table cell.

use polars::prelude::*;

use super::formatter::{CellFormatter, ImageFormatter};
use super::markup::{Markup, grouped};
use super::number::{FloatStyle, short_float};
use super::picture::looks_like_image;
use super::value::{binary, float, image_struct, number, plain};

/// The maximum number and length of list strings that are shown side by side.
const CHIPS: usize = 16;
const CHIP_LENGTH: usize = 32;

/// The maximum number of longer list strings, which are shown one per line.
const LINES: usize = 5;

/// The maximum length of a list of numbers that is shown in full; only the first few numbers of longer lists are shown.
const NUMBERS: usize = 8;
const FIRST_NUMBERS: usize = 4;

/// The style of the cells in one column.
pub(super) struct ColumnStyle<'a> {
    pub(super) formatter: Option<&'a dyn CellFormatter>,
    pub(super) images: Option<&'a ImageFormatter>,
    pub(super) floats: FloatStyle,
    /// The number with the longest bar; 0 if the column has no bars.
    pub(super) longest: f64,
    /// The CSS class of its cells: numbers are right-aligned, long texts need room.
    pub(super) class: &'static str,
    pub(super) max_text: usize,
}

impl ColumnStyle<'_> {
    /// Appends the cell content for `value`.
    pub(super) fn push(&self, html: &mut Markup, value: &AnyValue<'_>, room: usize) {
        let formatted = self.formatter.and_then(|formatter| formatter.format(value));
        match formatted.or_else(|| self.default_image(value)) {
            Some(cell) if cell.len() <= room => html.html(&cell),
            Some(_) => html.raw("<span class=\"tf-missing\"><b>not shown</b> the table is too large</span>"),
            None => self.push_plain(html, value),
        };
        self.push_bar(html, value);
    }

    fn push_bar(&self, html: &mut Markup, value: &AnyValue<'_>) {
        if let Some(number) = number(value).filter(|number| self.longest > 0.0 && number.is_finite()) {
            let share = 100.0 * number.abs() / self.longest;
            html.raw("<i class=\"tf-bar\"").attribute("style", format_args!("width:{share:.0}%")).raw("></i>");
        }
    }

    fn default_image(&self, value: &AnyValue<'_>) -> Option<super::Html> {
        let images = self.images?;
        let is_image = match value {
            AnyValue::Struct(..) | AnyValue::StructOwned(_) => {
                image_struct(value).and_then(|(bytes, _)| bytes).is_some_and(|bytes| looks_like_image(&bytes))
            }
            _ => binary(value).is_some_and(looks_like_image),
        };
        if is_image { images.format(value) } else { None }
    }

    fn push_plain<'m>(&self, html: &'m mut Markup, value: &AnyValue<'_>) -> &'m mut Markup {
        match value {
            AnyValue::Null => html.raw("<i class=\"tf-null\">null</i>"),
            AnyValue::List(items) => self.push_list(html, items, value),
            AnyValue::Array(items, _) => self.push_list(html, items, value),
            _ => match (float(value), value.get_str()) {
                (Some(number), _) => self.push_float(html, number, value),
                (_, Some(text)) => html.cut_text(text, self.max_text),
                _ => self.push_line(html, value),
            },
        }
    }

    /// Appends the number in the column's style, with the exact value on hover if digits were omitted.
    fn push_float<'m>(&self, html: &'m mut Markup, number: f64, value: &AnyValue<'_>) -> &'m mut Markup {
        let written = self.floats.write(number);
        let exact = match value {
            AnyValue::Float32(number) => number.to_string(),
            _ => number.to_string(),
        };
        let lost = number.is_finite() && written.parse::<f64>().ok() != exact.parse::<f64>().ok();
        match lost {
            true => html.raw("<span").hover(&exact).raw(">").text(&written).raw("</span>"),
            false => html.text(&written),
        }
    }

    fn push_line<'m>(&self, html: &'m mut Markup, value: &AnyValue<'_>) -> &'m mut Markup {
        html.cut_text(&plain(value, self.max_text.saturating_mul(8).min(1 << 20)), self.max_text)
    }

    fn push_list<'m>(&self, html: &'m mut Markup, items: &Series, value: &AnyValue<'_>) -> &'m mut Markup {
        match items.dtype() {
            _ if items.is_empty() => html.raw("<i class=\"tf-null\">empty</i>"),
            DataType::String => self.push_strings(html, items),
            dtype if dtype.is_primitive_numeric() && items.len() > NUMBERS => push_numbers(html, items),
            _ => self.push_line(html, value),
        }
    }

    fn push_strings<'m>(&self, html: &'m mut Markup, items: &Series) -> &'m mut Markup {
        let Ok(strings) = items.str() else { return html };
        let chips = strings.iter().flatten().all(|text| text.len() <= CHIP_LENGTH);
        let (class, shown, limit) = match chips {
            true => ("<ul class=\"tf-chips\">", CHIPS, CHIP_LENGTH),
            false => ("<ul class=\"tf-lines\">", LINES, self.max_text),
        };
        html.raw(class);
        for text in strings.iter().take(shown) {
            html.raw("<li dir=\"auto\">");
            match text {
                Some(text) => html.cut_text(text, limit),
                None => html.raw("<i class=\"tf-null\">null</i>"),
            };
            html.raw("</li>");
        }
        if strings.len() > shown {
            html.raw("<li class=\"tf-more\">and ").text(&grouped(strings.len() - shown)).raw(" more</li>");
        }
        html.raw("</ul>")
    }
}

fn push_numbers<'m>(html: &'m mut Markup, items: &Series) -> &'m mut Markup {
    html.raw("<span class=\"tf-vector\"><b>").text(&grouped(items.len())).raw(" numbers</b> ");
    for position in 0..FIRST_NUMBERS {
        let number = items.get(position).ok().map(|value| match float(&value) {
            Some(number) => short_float(number),
            None => plain(&value, 40),
        });
        html.text(number.as_deref().unwrap_or("?")).raw(", ");
    }
    html.raw("…</span>")
}
