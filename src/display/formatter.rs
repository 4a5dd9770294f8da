//! Formatting the cells of a column as HTML.

use std::path::PathBuf;

use polars::prelude::AnyValue;

use super::markup::{Html, Markup};
use super::picture::{Picture, from_bytes, from_text, picture_of};
use super::value::{binary, bytes_in_words, image_struct, plain};
use crate::vision::{ImageSource, data_uri};

/// Converts the cells of a column to HTML; used with [`HtmlTable::formatter`](super::HtmlTable::formatter).
///
/// The returned HTML is inserted into the page unchanged: escape text from the frame with
/// [`escape_html`](super::escape_html). Functions and closures with this signature are formatters, too:
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
    /// The HTML of one cell; `None` falls back to the default formatting.
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

/// The base64 image formatter of BERTopic's multimodal tutorial: an [`ImageFormatter`] with its defaults.
///
/// ```
/// use topicframe::prelude::*;
///
/// let pig = std::fs::read("examples/data/openclipart/images/animals/a_simple_pig_01.webp")?;
/// let info = df!("Visual_Aspect" => [pig.as_slice()])?;             // as in get_topic_info()
/// let page = info.html().formatter("Visual_Aspect", image_formatter()).to_html();
/// assert!(page.contains("<img"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn image_formatter() -> ImageFormatter {
    ImageFormatter::new()
}

/// Shows encoded images (Binary), image files (String paths), and `Struct{bytes, path}` as images embedded in the page.
///
/// PNG, JPEG, WebP, GIF, and BMP are recognized by their content, never by their name, and are decoded before they are
/// embedded. Anything that is not an image, including SVG, is shown as escaped text with a note, and a corrupt or
/// missing file as a small placeholder with the reason. An image larger than [`max_bytes`](Self::max_bytes) is embedded
/// as a thumbnail.
///
/// ```
/// use topicframe::prelude::*;
///
/// let drawings = df!("drawing" => ["a_simple_pig_01.webp", "missing.png"])?;
/// let formatter = ImageFormatter::new().folder("examples/data/openclipart/images/animals").height(80);
/// let table = drawings.html().formatter("drawing", formatter).to_html();
/// assert_eq!(table.matches("<img").count(), 1);                     // the second cell has the reason for its absence
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// Images at most 200 pixels high, from the working directory.
    pub fn new() -> Self {
        ImageFormatter { folder: PathBuf::new(), height: 200, max_bytes: 96 << 10 }
    }

    /// The folder that relative paths are resolved against. Paths that lead out of it are not followed. Default: the
    /// working directory.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// The maximum height in pixels, from 16 to 2,048; values outside are taken as the nearest bound, since a table has
    /// no way to report an error. The maximum width is twice the height. Smaller images are not scaled. Default: 200.
    #[must_use]
    pub fn height(mut self, height: u32) -> Self {
        self.height = height.clamp(16, 2_048);
        self
    }

    /// The maximum size in bytes of an encoded image that is embedded unchanged. Default: 98,304.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The HTML of the image in a cell.
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

/// A small box in place of an image, with the reason and what it applies to.
fn placeholder(reason: &str, what: &str) -> Html {
    let mut html = Markup::default();
    html.raw("<span class=\"tf-missing\"").hover(what).raw("><b>").text(reason).raw("</b> ");
    html.cut_text(what, 60).raw("</span>");
    Html::trusted(html.finish())
}
