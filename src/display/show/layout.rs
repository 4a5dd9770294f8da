//! The container of a cell, and its parts stacked.

use crate::display::markup::{Html, Markup};

/// Wraps `content` in the container that the style sheets refer to.
pub(in crate::display) fn framed(content: &str) -> Html {
    let mut html = Markup::default();
    html.raw("<div class=\"topicframe\"><style>").raw(include_str!("../table.css")).raw(include_str!("../show.css"));
    html.raw("</style>").html(content).raw("</div>");
    Html::trusted(html.finish())
}

/// Stacks the parts.
pub(super) fn stacked(parts: &[Html]) -> Html {
    let mut html = Markup::default();
    html.raw("<div class=\"tf-stack\">");
    for part in parts {
        html.raw("<div>").html(part).raw("</div>");
    }
    html.raw("</div>");
    framed(&html.finish())
}

/// The texts of the parts, stacked; `None` if no part has a text.
pub(super) fn texts(parts: &[Option<String>]) -> Option<String> {
    let texts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    if texts.is_empty() { None } else { Some(texts.join("\n\n")) }
}
