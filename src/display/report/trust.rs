//! How far to trust a topic, in one line.

use super::super::markup::Markup;
use super::view::{ReportView, TrustView};

/// Below this, most of a topic's rows do not stay together in another run.
const UNSTABLE: f64 = 0.5;

/// The line under a topic's heading.
pub(super) fn push(html: &mut Markup, trust: &TrustView) {
    html.raw("<p class=\"trust\">");
    if trust.is_weak {
        html.raw("<strong>Among the weakest topics").raw(reasons(trust)).raw(".</strong> ");
    }
    let quality = &trust.quality;
    let known = [
        ("coherence", "how well its words belong together, -1 to 1 (NPMI)", quality.coherence),
        ("stability", "how well repeated runs reproduce it, 0 to 1", quality.stability),
        ("margin", "how much more its rows belong to it than to the second best topic, -1 to 1", quality.margin),
        ("separation", "how much closer its images are to each other than to the next topic", quality.separation),
    ];
    for (name, meaning, value) in known {
        if let Some(value) = value {
            html.raw("<span").attribute("title", meaning).raw(">").raw(name).raw(" ");
            html.value(format_args!("{value:.2}")).raw("</span> · ");
        }
    }
    html.raw("reliability: rank ").value(trust.rank).raw(" of ").value(trust.topics).raw("</p>");
}

/// What is wrong with a weak topic, where it can be said.
fn reasons(trust: &TrustView) -> &'static str {
    let quality = &trust.quality;
    let apart = quality.coherence.is_some_and(|coherence| coherence < 0.0);
    let unstable = quality.stability.is_some_and(|stability| stability < UNSTABLE);
    match (apart, unstable) {
        (true, true) => ": its words are rarely used together, and repeated runs divide its rows differently",
        (true, false) => ": its words are rarely used together",
        (false, true) => ": repeated runs divide its rows differently",
        (false, false) => "",
    }
}

/// The weakest topics that the page shows, in one line of the summary.
pub(super) fn push_weakest(html: &mut Markup, view: &ReportView) {
    let weak = view.topics.iter().filter(|topic| topic.trust.is_some_and(|trust| trust.is_weak));
    for (place, topic) in weak.enumerate() {
        html.raw(if place == 0 { "<p class=\"note\">Least reliable topics: " } else { ", " }).raw("<a");
        html.attribute("href", format_args!("#{}", topic.anchor())).raw(" dir=\"auto\">").value(topic.id).raw(" ");
        html.cut_text(&topic.name, 60).raw("</a>");
    }
    if view.topics.iter().any(|topic| topic.trust.is_some_and(|trust| trust.is_weak)) {
        html.raw(".</p>");
    }
}
