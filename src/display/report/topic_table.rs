//! The table of all topics.

use super::super::markup::{Markup, grouped};
use super::view::{ReportView, TopicView};
use crate::model::Doubt;

/// The maximum number of words per topic in the table, and of characters per word.
const WORDS: usize = 6;
const WORD_LENGTH: usize = 40;

/// The table, with links from each topic to its section.
pub(super) fn push(html: &mut Markup, view: &ReportView) {
    html.raw(
        "<section id=\"overview\" aria-labelledby=\"overview-heading\"><h2 id=\"overview-heading\">All topics</h2>",
    );
    html.raw("<table class=\"overview\"><thead><tr><th scope=\"col\">Topic</th><th scope=\"col\">Rows</th>");
    html.raw(if view.has_words { "<th scope=\"col\">More words</th>" } else { "" });
    html.raw(if view.has_pictures { "<th scope=\"col\">Images</th>" } else { "" }).raw("</tr></thead><tbody>");
    for topic in view.topics.iter().chain(&view.outliers) {
        push_row(html, view, topic);
    }
    html.raw("</tbody></table></section>");
}

fn push_row(html: &mut Markup, view: &ReportView, topic: &TopicView) {
    html.raw(if topic.id < 0 { "<tr class=\"out\"" } else { "<tr" });
    html.attribute("data-words", topic.filter_words()).raw("><th scope=\"row\"><a");
    html.attribute("href", format_args!("#{}", topic.anchor())).raw("><span class=\"id\">");
    match topic.id {
        -1 => html.raw("–</span> <span class=\"name\">Outliers</span>"),
        id => html.value(id).raw("</span> <span class=\"name\" dir=\"auto\">").cut_text(&topic.name, 80).raw("</span>"),
    };
    let doubts: Vec<&str> = topic.doubts().into_iter().map(Doubt::brief).collect();
    if !doubts.is_empty() {
        html.raw(" <small class=\"weak\">in doubt: ").text(&doubts.join(", ")).raw("</small>");
    }
    html.raw("</a></th>");
    push_count(html, view, topic);
    if view.has_words {
        html.raw("<td class=\"words\">");
        for word in topic.more_words().take(WORDS) {
            html.raw("<span dir=\"auto\">").cut_text(word, WORD_LENGTH).raw("</span> ");
        }
        html.raw("</td>");
    }
    if view.has_pictures {
        push_strip(html, topic);
    }
    html.raw("</tr>");
}

/// The count, and a bar with a length relative to the largest topic.
fn push_count(html: &mut Markup, view: &ReportView, topic: &TopicView) {
    let length = 100.0 * topic.size as f64 / view.largest.max(1) as f64;
    html.raw("<td class=\"count\"><span>").text(&grouped(topic.size)).raw(" <small>").text(&topic.percent());
    html.raw("</small></span><i").attribute("style", format_args!("width:{:.1}%", length.min(100.0))).raw("></i></td>");
}

fn push_strip(html: &mut Markup, topic: &TopicView) {
    html.raw("<td class=\"strip\"><div>");
    for uri in &topic.strip {
        html.raw("<img alt=\"\" decoding=\"async\" width=\"48\" height=\"48\" src=\"").html(uri).raw("\">");
    }
    html.raw("</div></td>");
}
