//! The section of a topic: words, images, and documents.

use super::super::html::count;
use super::super::markup::{Markup, cut, grouped};
use super::super::number::short_float;
use super::summary::missing;
use super::trust;
use super::view::{DocumentView, PictureView, TopicView};
use crate::model::Summary;

/// The maximum number of words with bars, and of characters per word.
const WORDS: usize = 10;
const WORD_LENGTH: usize = 60;

/// The maximum number of characters in a caption and in a document.
const CAPTION: usize = 110;
const DOCUMENT: usize = 600;

/// The section of a topic.
pub(super) fn push(html: &mut Markup, topic: &TopicView) {
    html.raw("<article class=\"topic\"").attribute("id", topic.anchor());
    html.attribute("data-words", topic.filter_words());
    html.attribute("aria-labelledby", format_args!("heading-{}", topic.id)).raw("><header><div>");
    // A topic without words is already named by its number.
    if topic.has_words() {
        html.raw("<p class=\"kicker\">Topic ").value(topic.id).raw("</p>");
    }
    html.raw("<h2").attribute("id", format_args!("heading-{}", topic.id)).raw(" dir=\"auto\">");
    html.cut_text(&topic.name, 120).raw("</h2>");
    if let Some(trust) = &topic.trust {
        trust::push(html, trust);
    }
    html.raw("</div><p class=\"size\"><b>").text(&grouped(topic.size)).raw("</b> ");
    html.raw(if topic.size == 1 { "row" } else { "rows" }).raw(" <span>").text(&topic.percent()).raw("</span></p>");
    html.raw("</header>");
    push_body(html, topic);
    html.raw("</article>");
}

/// The outliers, collapsed: they belong to no topic, and what they have in common is not informative.
pub(super) fn push_outliers(html: &mut Markup, topic: &TopicView, of_fit: &Summary) {
    html.raw("<details class=\"outliers\"><summary>Outliers <span>").text(&count(topic.size, "row"));
    html.raw(" (").text(&topic.percent()).raw(") in no topic</span></summary>");
    html.raw("<article class=\"topic\" id=\"outliers\" aria-label=\"Outliers\"");
    html.attribute("data-words", topic.filter_words()).raw("><p class=\"note\">");
    let (blank, missing) = (of_fit.blank.min(topic.size), missing(of_fit.cluster_on));
    match topic.size - blank {
        0 => html.raw("These rows had ").raw(missing).raw(", so they could not be clustered."),
        _ if blank == 0 => html.raw("These rows are not close to any topic. "),
        others => html
            .text(&count(others, "row"))
            .raw(if others == 1 { " is" } else { " are" })
            .raw(" not close to any topic; ")
            .text(&count(blank, "row"))
            .raw(" had ")
            .raw(missing)
            .raw(". "),
    };
    html.raw(if topic.size > blank { "Their words and examples are shown for inspection only.</p>" } else { "</p>" });
    push_body(html, topic);
    html.raw("</article></details>");
}

fn push_body(html: &mut Markup, topic: &TopicView) {
    html.raw("<div class=\"body\"><div class=\"side\">");
    push_words(html, topic);
    for (name, words) in &topic.aspects {
        push_aspect(html, name, words);
    }
    html.raw("</div><div class=\"shown\">");
    for (name, pictures) in &topic.galleries {
        push_gallery(html, if topic.galleries.len() > 1 { name } else { "Pictures" }, pictures);
    }
    push_documents(html, &topic.documents);
    html.raw("</div></div>");
}

fn push_words(html: &mut Markup, topic: &TopicView) {
    let words: Vec<&(String, f64)> = topic.words.iter().filter(|(word, _)| !word.is_empty()).take(WORDS).collect();
    let best = words.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
    html.raw("<h3>Words</h3>");
    if words.is_empty() {
        html.raw("<p class=\"note\">None.</p>");
        return;
    }
    html.raw("<ol class=\"words\">");
    for (word, weight) in words {
        let length = if best > 0.0 { (100.0 * weight / best).clamp(0.0, 100.0) } else { 0.0 };
        html.raw("<li").attribute("style", format_args!("--w:{length:.1}%")).raw("><span dir=\"auto\">");
        html.cut_text(word, WORD_LENGTH).raw("</span><small>").text(&short_float(*weight)).raw("</small></li>");
    }
    html.raw("</ol>");
}

fn push_aspect(html: &mut Markup, name: &str, words: &[String]) {
    html.raw("<h3 dir=\"auto\">").cut_text(name, WORD_LENGTH).raw("</h3><p class=\"chips\">");
    for word in words.iter().filter(|word| !word.is_empty()).take(WORDS) {
        html.raw("<span dir=\"auto\">").cut_text(word, CAPTION).raw("</span> ");
    }
    html.raw("</p>");
}

fn push_gallery(html: &mut Markup, name: &str, pictures: &[PictureView]) {
    html.raw("<h3 dir=\"auto\">").cut_text(name, WORD_LENGTH).raw("</h3><ul class=\"gallery\">");
    for picture in pictures {
        push_picture(html, picture);
    }
    html.raw("</ul>");
}

fn push_picture(html: &mut Markup, picture: &PictureView) {
    html.raw("<li><figure><div class=\"").raw(if picture.on_white { "card" } else { "card photo" }).raw("\"");
    html.hover(picture.path.as_deref().unwrap_or("embedded in the frame")).raw("><img decoding=\"async\"");
    html.attribute("width", picture.width).attribute("height", picture.height).raw(" alt=\"");
    push_alt(html, picture);
    html.raw("\" src=\"").html(&picture.uri).raw("\"></div><figcaption>");
    if let Some(caption) = &picture.caption {
        html.raw("<span class=\"caption\" dir=\"auto\">").cut_text(caption, CAPTION).raw("</span>");
    }
    push_place(html, picture.row, picture.score);
    html.raw("</figcaption></figure></li>");
}

/// The content of the image, if known: the text of its row, otherwise its file name.
fn push_alt(html: &mut Markup, picture: &PictureView) {
    match picture.caption.as_ref().or(picture.path.as_ref()) {
        Some(text) => html.text(cut(text, CAPTION).unwrap_or(text)),
        None => html.raw("Image of row ").value(picture.row),
    };
}

fn push_documents(html: &mut Markup, documents: &[DocumentView]) {
    if documents.is_empty() {
        return;
    }
    html.raw("<h3>Representative documents</h3><ol class=\"documents\">");
    for document in documents {
        html.raw("<li><blockquote dir=\"auto\">").cut_text(&document.text, DOCUMENT).raw("</blockquote>");
        push_place(html, document.row, document.score);
        html.raw("</li>");
    }
    html.raw("</ol>");
}

fn push_place(html: &mut Markup, row: usize, score: f64) {
    html.raw("<small class=\"place\">row ").value(row).raw(" <span>score ");
    html.value(format_args!("{score:.2}")).raw("</span></small>");
}
