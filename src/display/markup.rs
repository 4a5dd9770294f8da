//! Building markup: literals are inserted unchanged, everything else is escaped.

use std::fmt::{self, Write};
use std::ops::Deref;

use unicode_segmentation::UnicodeSegmentation;

/// Finished HTML, which is displayed if it is the last expression of a notebook cell.
///
/// It dereferences to `str`, and `to_string` or [`into_string`](Self::into_string) converts it to a `String`;
/// `std::fs::write("table.html", html)` works as well.
///
/// ```
/// use topicframe::prelude::*;
///
/// let frame = df!("caption" => ["a cat"])?;
/// let page = Html::trusted(format!("<h1>{}</h1>{}", escape_html("Cats & dogs"), frame.to_html()));
/// assert!(page.starts_with("<h1>Cats &amp; dogs</h1>") && page.contains("<table"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html {
    html: String,
    /// The plain-text fallback for viewers without HTML support.
    text: Option<String>,
}

impl Html {
    /// HTML that the caller trusts: nothing in it is escaped. See [`escape_html`].
    pub fn trusted(html: impl Into<String>) -> Self {
        Html { html: html.into(), text: None }
    }

    /// Adds a plain-text fallback for viewers without HTML support.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The plain-text fallback for viewers without HTML support, if there is one.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The HTML as a `str`.
    pub fn as_str(&self) -> &str {
        &self.html
    }

    /// The HTML as a `String`.
    pub fn into_string(self) -> String {
        self.html
    }
}

impl Deref for Html {
    type Target = str;

    fn deref(&self) -> &str {
        &self.html
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.html)
    }
}

impl From<Html> for String {
    fn from(html: Html) -> String {
        html.html
    }
}

impl AsRef<str> for Html {
    fn as_ref(&self) -> &str {
        &self.html
    }
}

impl AsRef<[u8]> for Html {
    fn as_ref(&self) -> &[u8] {
        self.html.as_bytes()
    }
}

/// Escapes `text` for use in an element or in a quoted attribute: `&`, `<`, `>`, and both quotes become character
/// references. Characters that HTML forbids and the two directional overrides (U+202D and U+202E, which can disguise a
/// text) become U+FFFD.
///
/// ```
/// use topicframe::display::escape_html;
///
/// assert_eq!(escape_html("<b>R&D</b>"), "&lt;b&gt;R&amp;D&lt;/b&gt;");
/// ```
pub fn escape_html(text: &str) -> String {
    let mut markup = Markup::default();
    markup.text(text);
    markup.0
}

/// A buffer for building HTML.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Appends a literal of this crate unchanged. Text from elsewhere is rejected by the compiler, since it is not
    /// `'static`.
    pub(super) fn raw(&mut self, literal: &'static str) -> &mut Self {
        self.0.push_str(literal);
        self
    }

    /// Appends HTML produced by a [`CellFormatter`](super::CellFormatter) or another function of this module.
    pub(super) fn html(&mut self, html: &str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    /// Appends any other text, escaped.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.0.reserve(text.len());
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(character),
                '\r' => self.0.push_str("&#13;"),
                '\u{202D}' | '\u{202E}' => self.0.push('\u{FFFD}'),
                _ if character.is_control() => self.0.push('\u{FFFD}'),
                _ => self.0.push(character),
            }
        }
        self
    }

    /// Appends a number or another value with its `Display`, escaped.
    pub(super) fn value(&mut self, value: impl fmt::Display) -> &mut Self {
        let _ = write!(Escaping(self), "{value}");
        self
    }

    /// Appends ` name="value"`, escaped.
    pub(super) fn attribute(&mut self, name: &'static str, value: impl fmt::Display) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").value(value).raw("\"")
    }

    /// Appends `text`, truncated to `limit` characters. If truncated, it ends in an ellipsis and is shown on hover.
    pub(super) fn cut_text(&mut self, text: &str, limit: usize) -> &mut Self {
        match cut(text, limit) {
            None => self.text(text),
            Some(head) => self.raw("<span").hover(text).raw(">").text(head.trim_end()).raw("…</span>"),
        }
    }

    /// Appends a `title` attribute with `text`, truncated if it is very long.
    pub(super) fn hover(&mut self, text: &str) -> &mut Self {
        self.raw(" title=\"");
        match cut(text, HOVER) {
            None => self.text(text),
            Some(head) => self.text(head).raw("… (").value(text.chars().count()).raw(" characters)"),
        };
        self.raw("\"")
    }

    /// The number of bytes so far.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The finished HTML.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// The maximum number of characters shown on hover.
const HOVER: usize = 1_000;

struct Escaping<'a>(&'a mut Markup);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.text(text);
        Ok(())
    }
}

/// The first `limit` user-perceived characters, if there are more. A sequence of combining marks counts as one
/// character, but at most 32 bytes per character are kept.
pub(super) fn cut(text: &str, limit: usize) -> Option<&str> {
    if text.len() <= limit {
        return None;
    }
    let end = text.grapheme_indices(true).nth(limit).map_or(text.len(), |(start, _)| start);
    let most = floor_char_boundary(text, limit.saturating_mul(32).max(32));
    let end = end.min(most);
    if end == text.len() { None } else { text.get(..end) }
}

fn floor_char_boundary(text: &str, index: usize) -> usize {
    match index < text.len() {
        true => (0..=index).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0),
        false => text.len(),
    }
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
