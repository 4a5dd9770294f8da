//! Displaying images below a cell.

use super::super::formatter::ImageFormatter;
use super::super::markup::{Html, Markup};
use super::super::picture::{data_uri, smaller};
use super::layout::framed;
use crate::represent::Gallery;
use crate::vision::{ImageSource, data_uri};

/// The maximum number of gallery topics that are shown; the rest are counted.
const TOPICS: usize = 20;

/// The longer side of an image in a strip, in pixels: twice the displayed size, for high-density screens.
const SIDE: u32 = 152;

/// An image from a file or from encoded bytes, at most 300 pixels high. If it cannot be read, a small box shows the
/// reason.
///
/// ```
/// use topicframe::prelude::*;
///
/// let drawing = picture("examples/data/openclipart/images/animals/a_simple_pig_01.webp");
/// assert!(drawing.contains("<img"));
/// ```
pub fn picture<'a>(image: impl Into<ImageSource<'a>>) -> Html {
    let image = image.into();
    let name = match &image {
        ImageSource::File(path) => path.display().to_string(),
        ImageSource::Encoded { bytes, name } => name.map_or_else(|| format!("{} bytes", bytes.len()), str::to_owned),
        ImageSource::DataUri(uri) => data_uri::label(uri),
    };
    framed(&ImageFormatter::new().height(300).image(&image)).with_text(format!("[picture: {name}]"))
}

/// A strip of images for each topic.
pub(super) fn gallery(gallery: &Gallery) -> Html {
    let topics = gallery.topics();
    let mut html = Markup::default();
    html.raw("<dl class=\"tf-facts tf-gallery\">");
    for &topic in topics.iter().take(TOPICS) {
        html.raw("<dt>").value(topic).raw("</dt><dd>");
        push_strip(&mut html, gallery, topic);
        html.raw("</dd>");
    }
    html.raw("</dl>");
    if topics.len() > TOPICS {
        html.raw("<p class=\"tf-shape\">").value(topics.len() - TOPICS).raw(" more topics not shown</p>");
    }
    if !gallery.skipped().is_empty() {
        html.raw("<p class=\"tf-shape\">").value(gallery.skipped().len()).raw(" images could not be read</p>");
    }
    framed(&html.finish())
}

fn push_strip(html: &mut Markup, gallery: &Gallery, topic: i32) {
    if gallery.pictures(topic).is_empty() {
        html.raw("<i class=\"tf-null\">no picture</i>");
    }
    for (picture, thumbnail) in gallery.pictures(topic).iter().zip(gallery.thumbnails(topic)) {
        let name = picture.path.clone().unwrap_or_else(|| format!("row {}", picture.row));
        let uri = smaller(&thumbnail.bytes, SIDE).unwrap_or_else(|_| data_uri(thumbnail.mime(), &thumbnail.bytes));
        html.raw("<img class=\"tf-picture\" src=\"").html(&uri).raw("\"").attribute("alt", &name).hover(&name);
        html.raw(">");
    }
}
