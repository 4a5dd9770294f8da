//! Words with their weights.

use super::super::markup::{Html, Markup};
use super::super::number::short_float;
use super::layout::framed;
use crate::represent::TopicWords;

/// The maximum numbers of words, topics, and lines that are shown; the rest are counted.
const WORDS: usize = 40;
const TOPICS: usize = 100;
const LINES: usize = 50;

/// The maximum number of characters per word and per line.
const WORD: usize = 60;
const LINE: usize = 300;

/// A bar for each word.
pub(super) fn bars(words: &[(String, f64)]) -> Html {
    let mut html = Markup::default();
    push_bars(&mut html, words);
    framed(&html.finish())
}

fn push_bars(html: &mut Markup, words: &[(String, f64)]) {
    let most = words.iter().map(|(_, weight)| *weight).filter(|weight| weight.is_finite()).fold(0.0, f64::max);
    html.raw("<ol class=\"tf-words\">");
    for (word, weight) in words.iter().take(WORDS) {
        let share = 100.0 * weight / most;
        let share = if share.is_finite() { share.clamp(0.0, 100.0) } else { 0.0 };
        html.raw("<li><span dir=\"auto\">").cut_text(word, WORD).raw("</span><i");
        html.attribute("style", format_args!("--tf-share:{share:.0}%")).raw("></i><small>");
        html.text(&short_float(*weight)).raw("</small></li>");
    }
    html.raw("</ol>");
    push_rest(html, words.len(), WORDS, "words");
}

fn push_rest(html: &mut Markup, all: usize, shown: usize, noun: &'static str) {
    if all > shown {
        html.raw("<p class=\"tf-shape\">").value(all - shown).raw(" more ").raw(noun).raw(" not shown</p>");
    }
}

/// The words of each topic, one topic per line.
pub(super) fn topics(topics: &TopicWords) -> Html {
    let mut html = Markup::default();
    html.raw("<dl class=\"tf-facts\">");
    for (topic, words) in topics.iter().take(TOPICS) {
        html.raw("<dt>").value(topic).raw("</dt><dd dir=\"auto\">").cut_text(&names(words), LINE).raw("</dd>");
    }
    html.raw("</dl>");
    push_rest(&mut html, topics.len(), TOPICS, "topics");
    framed(&html.finish())
}

fn names(words: &[(String, f64)]) -> String {
    words.iter().take(WORDS).map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(", ")
}

/// Words and weights on one line of text.
pub(super) fn line(words: &[(String, f64)]) -> String {
    let word = |(word, weight): &(String, f64)| format!("{word} {}", short_float(*weight));
    words.iter().take(WORDS).map(word).collect::<Vec<_>>().join(", ")
}

/// Texts, one per line.
pub(super) fn list(texts: &[String]) -> Html {
    let mut html = Markup::default();
    html.raw("<ul class=\"tf-list\">");
    for text in texts.iter().take(LINES) {
        html.raw("<li dir=\"auto\">").cut_text(text, LINE).raw("</li>");
    }
    html.raw("</ul>");
    push_rest(&mut html, texts.len(), LINES, "texts");
    framed(&html.finish())
}

/// Numbers on one line, truncated with a count of the rest.
pub(super) fn numbers<T: std::fmt::Display>(numbers: &[T]) -> String {
    let shown: Vec<String> = numbers.iter().take(WORDS).map(T::to_string).collect();
    match numbers.len().saturating_sub(WORDS) {
        0 => format!("[{}]", shown.join(", ")),
        more => format!("[{}, ... and {more} more]", shown.join(", ")),
    }
}
