//! A document with its words marked by topic.
//!
//! The number of the topic stands behind each marked part: colors only help to find what belongs together.

use std::ops::Range;

use super::super::markup::{Html, Markup, grouped};
use super::layout::framed;
use crate::topics::TokenDistribution;

/// The number of colors; further topics use them again.
const COLORS: [&str; 8] = ["tf-t0", "tf-t1", "tf-t2", "tf-t3", "tf-t4", "tf-t5", "tf-t6", "tf-t7"];

/// The maximum numbers of bytes of text and of topics that are shown.
const TEXT: usize = 20_000;
const TOPICS: usize = 12;

/// The maximum number of characters of a topic's name.
const NAME: usize = 80;

/// A part of the text, and the position of its topic.
struct Part {
    place: Range<usize>,
    topic: Option<usize>,
}

/// The text in parts: words that follow each other and have the same topic, with what is between them, and everything
/// else.
fn parts(tokens: &TokenDistribution) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut end = 0;
    for (token, place) in tokens.places().iter().enumerate() {
        let topic = tokens.best(token).map(|(topic, _)| topic);
        let start = place.start.max(end);
        if place.end <= end {
            continue;
        }
        match parts.last_mut() {
            Some(last) if last.topic == topic => last.place.end = place.end,
            _ => {
                if start > end {
                    push(&mut parts, end..start, None);
                }
                push(&mut parts, start..place.end, topic);
            }
        }
        end = place.end;
    }
    push(&mut parts, end..tokens.text().len(), None);
    parts
}

fn push(parts: &mut Vec<Part>, place: Range<usize>, topic: Option<usize>) {
    match parts.last_mut() {
        Some(last) if last.topic.is_none() && topic.is_none() => last.place.end = place.end,
        _ => parts.push(Part { place, topic }),
    }
}

/// The topics of the document with their shares, largest first.
fn legend(tokens: &TokenDistribution) -> Vec<(usize, f64)> {
    let place = |topic: i32| tokens.topics().iter().position(|&other| other == topic);
    tokens.shares().into_iter().filter_map(|(topic, share)| Some((place(topic)?, share))).collect()
}

fn color(legend: &[(usize, f64)], topic: usize) -> &'static str {
    let rank = legend.iter().position(|&(other, _)| other == topic).unwrap_or_default();
    COLORS.get(rank % COLORS.len()).copied().unwrap_or_default()
}

fn name(tokens: &TokenDistribution, topic: usize) -> &str {
    tokens.names().get(topic).map_or("", String::as_str)
}

fn id(tokens: &TokenDistribution, topic: usize) -> i32 {
    tokens.topics().get(topic).copied().unwrap_or_default()
}

/// The text with its words marked, and the topics.
pub(super) fn html(tokens: &TokenDistribution) -> Html {
    let legend = legend(tokens);
    let mut html = Markup::default();
    html.raw("<p dir=\"auto\" class=\"tf-text tf-tokens\">");
    let mut shown = 0;
    for part in parts(tokens) {
        if shown >= TEXT {
            break;
        }
        let text = tokens.text().get(part.place.clone()).unwrap_or_default();
        let text = super::super::markup::cut(text, TEXT - shown).unwrap_or(text);
        shown = part.place.start + text.len();
        match part.topic {
            None => html.text(text),
            Some(topic) => {
                html.raw("<mark").attribute("class", color(&legend, topic)).hover(name(tokens, topic)).raw(">");
                html.text(text).raw("<sub>").value(id(tokens, topic)).raw("</sub></mark>")
            }
        };
    }
    if shown < tokens.text().len() {
        html.raw("… <small>").text(&grouped(tokens.text().len() - shown)).raw(" more bytes not shown</small>");
    }
    html.raw("</p>");
    push_legend(&mut html, tokens, &legend);
    framed(&html.finish())
}

fn push_legend(html: &mut Markup, tokens: &TokenDistribution, legend: &[(usize, f64)]) {
    if legend.is_empty() {
        html.raw("<p class=\"tf-shape\">No word resembles any topic.</p>");
        return;
    }
    html.raw("<ul class=\"tf-legend\">");
    for &(topic, share) in legend.iter().take(TOPICS) {
        html.raw("<li><mark").attribute("class", color(legend, topic)).raw(">").value(id(tokens, topic));
        html.raw("</mark> <span dir=\"auto\">").cut_text(name(tokens, topic), NAME).raw("</span> <small>");
        html.value(format_args!("{:.0}%", 100.0 * share)).raw("</small></li>");
    }
    html.raw("</ul>");
    if legend.len() > TOPICS {
        html.raw("<p class=\"tf-shape\">").value(legend.len() - TOPICS).raw(" more topics not shown</p>");
    }
}

/// The text, with the topic behind each part that has one.
pub(super) fn text(tokens: &TokenDistribution) -> String {
    let part = |part: Part| {
        let text = tokens.text().get(part.place).unwrap_or_default();
        match part.topic {
            None => text.to_owned(),
            Some(topic) => format!("{text} [{}]", id(tokens, topic)),
        }
    };
    parts(tokens).into_iter().map(part).collect()
}
