//! How the cells of one column become HTML.

use std::path::PathBuf;

use polars::prelude::AnyValue;

use super::markup::{Html, Markup};
use super::picture::{Picture, from_bytes, from_text, picture_of};
use super::value::{binary, bytes_in_words, image_struct, plain};
use crate::vision::{ImageSource, data_uri};

/// Turns the cells of a column into HTML; plugs into [`HtmlTable::formatter`](super::HtmlTable::formatter).
///
/// What it returns goes into the page as it is: put text from the frame through [`escape_html`](super::escape_html).
/// Functions and closures of this shape are formatters, too:
///
/// ```
/// use polars::prelude::AnyValue;
/// use topicframe::display::{DataFrameHtml, Html, escape_html};
/// # use polars::prelude::*;
/// # let posts = df!("link" => ["a<b"])?;
///
/// let bold = |value: &AnyValue<'_>| Some(Html::trusted(format!("<b>{}</b>", escape_html(value.get_str()?))));
/// let page = posts.html().formatter("link", bold).to_html();
/// assert!(page.contains("<b>a&lt;b</b>"));
/// # Ok::<(), PolarsError>(())
/// ```
pub trait CellFormatter: Send + Sync {
    /// The HTML of one cell; `None` leaves the cell to the table, which shows it as it shows any other.
    fn format(&self, value: &AnyValue<'_>) -> Option<Html>;
}

impl<F> CellFormatter for F
where
    F: Fn(&AnyValue<'_>) -> Option<Html> + Send + Sync,
{
    fn format(&self, value: &AnyValue<'_>) -> Option<Html> {
        self(value)
    }
}

/// The base64 image formatter of BERTopic's multimodal tutorial, as an [`ImageFormatter`] with its defaults.
///
/// ```no_run
/// use topicframe::prelude::*;
/// # fn table(info: DataFrame) {
/// let page = info.html().formatter("Visual_Aspect", image_formatter()).to_html();
/// # }
/// ```
pub fn image_formatter() -> ImageFormatter {
    ImageFormatter::new()
}

/// Shows encoded images (Binary), image files (String paths) and `Struct{bytes, path}` as pictures inside the page.
///
/// PNG, JPEG, WebP, GIF and BMP are known by their content, never by their name, and are decoded before they are
/// embedded: whatever is not an image, SVG included, is shown as escaped text with a note, and a damaged or missing
/// file as a small placeholder that says why. An image of more bytes than [`max_bytes`](Self::max_bytes) is embedded
/// as a thumbnail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFormatter {
    folder: PathBuf,
    height: u32,
    max_bytes: usize,
}

impl Default for ImageFormatter {
    fn default() -> Self {
        Self::new()
    }
}

impl ImageFormatter {
    /// Pictures at most 200 pixels high, from the working folder.
    pub fn new() -> Self {
        ImageFormatter { folder: PathBuf::new(), height: 200, max_bytes: 96 << 10 }
    }

    /// Where relative paths start. A path that climbs out of it is not followed. Default: the working folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// The greatest height in pixels, 16 to 2,048 (what is beyond counts as the nearest of these); the width may be
    /// twice that. Smaller pictures stay as they are. Default: 200.
    #[must_use]
    pub fn height(mut self, height: u32) -> Self {
        self.height = height.clamp(16, 2_048);
        self
    }

    /// The most bytes that an encoded image may have to be embedded as it is. Default: 98,304.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The image as a cell would show it.
    pub(super) fn image(&self, image: &ImageSource<'_>) -> Html {
        match image {
            ImageSource::File(path) => match picture_of(image, self.height, self.max_bytes) {
                Ok(picture) => shown(&picture, Some(&path.display().to_string())),
                Err(reason) => placeholder(&reason, &path.display().to_string()),
            },
            ImageSource::Encoded { bytes, name } => self.of_bytes(bytes, *name),
            ImageSource::DataUri(uri) => self.of_text(uri),
        }
    }

    fn of_bytes(&self, bytes: &[u8], name: Option<&str>) -> Html {
        match from_bytes(bytes, self.height, self.max_bytes) {
            Ok(picture) => shown(&picture, name),
            Err(reason) => placeholder(&reason, name.unwrap_or(&bytes_in_words(bytes))),
        }
    }

    fn of_text(&self, text: &str) -> Html {
        let label = if data_uri::is_data_uri(text) { data_uri::label(text) } else { text.to_owned() };
        match from_text(&self.folder, text, self.height, self.max_bytes) {
            Ok(picture) => shown(&picture, Some(&label)),
            Err(reason) => placeholder(&reason, &label),
        }
    }
}

impl CellFormatter for ImageFormatter {
    fn format(&self, value: &AnyValue<'_>) -> Option<Html> {
        if matches!(value, AnyValue::Null) {
            return None;
        }
        if let Some(bytes) = binary(value) {
            return Some(self.of_bytes(bytes, None));
        }
        if let Some(path) = value.get_str() {
            return Some(self.of_text(path));
        }
        match image_struct(value) {
            Some((Some(bytes), path)) => Some(self.of_bytes(&bytes, path.as_deref())),
            Some((None, Some(path))) => Some(self.of_text(&path)),
            _ => Some(placeholder("not an image", &plain(value, 200))),
        }
    }
}

fn shown(picture: &Picture, name: Option<&str>) -> Html {
    let mut html = Markup::default();
    html.raw("<img class=\"tf-picture\" src=\"").html(&picture.uri).raw("\"");
    html.attribute("width", picture.shown.0).attribute("height", picture.shown.1);
    let size = format!("{} × {}", picture.size.0, picture.size.1);
    match name {
        Some(name) => html.attribute("alt", name).hover(&format!("{name} ({size})")),
        None => html.attribute("alt", format_args!("picture, {size}")),
    };
    html.raw(">");
    Html::trusted(html.finish())
}

/// A small box in place of a picture: what is wrong, and with what.
fn placeholder(reason: &str, what: &str) -> Html {
    let mut html = Markup::default();
    html.raw("<span class=\"tf-missing\"").hover(what).raw("><b>").text(reason).raw("</b> ");
    html.cut_text(what, 60).raw("</span>");
    Html::trusted(html.finish())
}
