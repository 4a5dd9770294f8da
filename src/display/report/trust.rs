//! How far to trust the topics: in one line for each and for all of them, and what the measures mean.

use super::super::html::count;
use super::super::markup::Markup;
use super::view::{ReportView, TrustView};

/// A measure as the page shows it.
struct Shown {
    name: &'static str,
    meaning: &'static str,
    value: Option<f64>,
}

/// The measures of a topic.
fn measures(trust: &TrustView) -> [Shown; 4] {
    let quality = &trust.quality;
    [
        Shown {
            name: "coherence",
            meaning: "How well the words of a topic belong together (NPMI): from -1, never used together, to 1, always. In \
                      brackets, what words that are as frequent as these would have by chance.",
            value: quality.coherence,
        },
        Shown {
            name: "stability",
            meaning: "How well repeated runs of the clustering reproduce a topic: 1 if all of them do; below 0.5, its rows \
                      are as much parts of something else.",
            value: quality.stability,
        },
        Shown {
            name: "margin",
            meaning: "How much more the rows of a topic belong to it than to the next best topic, from -1 to 1.",
            value: quality.margin.map(|margin| margin.mean),
        },
        Shown {
            name: "separation",
            meaning: "How much closer the images of a topic are to each other than to the images of the nearest other \
                      topic, by the cosine of their vectors.",
            value: quality.separation,
        },
    ]
}

/// The lines under a topic's heading.
pub(super) fn push(html: &mut Markup, trust: &TrustView) {
    if let Some(caution) = trust.quality.caution() {
        html.raw("<p class=\"trust\"><strong>In doubt: ").text(&caution).raw(".</strong></p>");
    }
    html.raw("<p class=\"trust\">");
    for Shown { name, value, .. } in measures(trust) {
        let Some(value) = value else { continue };
        html.raw("<span>").raw(name).raw(" ").value(format_args!("{value:.2}"));
        if let ("coherence", Some(chance)) = (name, trust.quality.chance) {
            html.raw(" (by chance ").value(format_args!("{:.2}", chance.mean)).raw(")");
        }
        html.raw("</span> · ");
    }
    html.raw("reliability: rank ").value(trust.rank).raw(" of ").value(trust.topics).raw("</p>");
}

/// How far to trust the topics as a whole, in the summary.
pub(super) fn push_overall(html: &mut Markup, view: &ReportView) {
    let quality = &view.quality;
    if let Some(caution) = quality.caution {
        html.raw("<p class=\"note\"><strong>Caution: ").text(caution).raw(".</strong></p>");
    }
    let number = |value: f64| format!("{value:.2}");
    let by_chance = |coherence| match quality.chance {
        Some(chance) => format!("{} (by chance {})", number(coherence), number(chance)),
        None => number(coherence),
    };
    let known = [
        quality.npmi.map(|npmi| format!("coherence of the words {}", by_chance(npmi))),
        quality.diversity.map(|share| format!("{:.0}% of the topics' words are distinct", 100.0 * share)),
        quality.agreement.map(|agreement| format!("agreement of {} runs {}", quality.runs, number(agreement))),
        quality.confidence.map(|confidence| format!("mean probability {}", number(confidence))),
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    if !known.is_empty() {
        html.raw("<p class=\"note quality\">Quality: ").text(&known.join(" · "));
        html.raw(if has_meanings(view) { ". <a href=\"#measures\">What this means</a></p>" } else { ".</p>" });
    }
    let (doubted, shown): (usize, Vec<_>) = (
        quality.topics.iter().filter(|topic| !topic.doubts().is_empty()).count(),
        view.topics.iter().filter(|topic| topic.is_doubted()).collect(),
    );
    for (place, topic) in shown.iter().enumerate() {
        match place {
            0 => html.raw("<p class=\"note\">").text(&count(doubted, "topic")).raw(" in doubt: <a"),
            _ => html.raw(", <a"),
        };
        html.attribute("href", format_args!("#{}", topic.anchor())).raw(" dir=\"auto\">").value(topic.id).raw(" ");
        html.cut_text(&topic.name, 60).raw("</a>");
    }
    if let Some(more) = doubted.checked_sub(shown.len()).filter(|_| !shown.is_empty()) {
        html.raw(if more > 0 { ", and smaller ones" } else { "" }).raw(".</p>");
    }
}

/// Whether topics have documents or images with a score.
fn has_scores(view: &ReportView) -> bool {
    view.topics.iter().any(|topic| !topic.documents.is_empty() || !topic.galleries.is_empty())
}

/// Whether topics are compared over time or between classes.
fn has_tests(view: &ReportView) -> bool {
    view.curves.is_some() || !view.classes.is_empty()
}

/// Whether there are numbers to explain.
fn has_meanings(view: &ReportView) -> bool {
    let quality = &view.quality;
    let is_known = quality.agreement.is_some() || quality.confidence.is_some();
    is_known
        || has_scores(view)
        || has_tests(view)
        || view.tree.is_some()
        || view.topics.iter().any(|topic| topic.trust.is_some())
}

/// What the numbers on the page mean.
pub(super) fn push_meanings(html: &mut Markup, view: &ReportView) {
    let trusts: Vec<&TrustView> = view.topics.iter().filter_map(|topic| topic.trust.as_ref()).collect();
    if !has_meanings(view) {
        return;
    }
    html.raw("<section class=\"made\" id=\"measures\" aria-labelledby=\"measures-heading\">");
    html.raw("<h2 id=\"measures-heading\">What the numbers mean</h2><dl>");
    let mut push = |name: &str, meaning: &str| {
        html.raw("<div><dt>").text(name).raw("</dt><dd>").text(meaning).raw("</dd></div>");
    };
    for at in 0..trusts.first().map_or(0, |trust| measures(trust).len()) {
        let known = trusts.iter().filter_map(|trust| measures(trust).into_iter().nth(at));
        if let Some(Shown { name, meaning, .. }) = known.into_iter().find(|shown| shown.value.is_some()) {
            push(name, meaning);
        }
    }
    if !trusts.is_empty() {
        push(
            "reliability",
            "The order of the topics by the mean of their ranks in these measures; those in doubt come last.",
        );
    }
    if view.quality.agreement.is_some() {
        push(
            "agreement",
            "How far several runs of the clustering agree (adjusted Rand index): 1 if they are the same, 0 by chance.",
        );
    }
    if view.quality.confidence.is_some() {
        push("probability", "How firmly a row belongs to its topic, from 0 to 1.");
    }
    if has_scores(view) {
        push("score", "How representative a document or an image is of its topic, from 0 to 1.");
    }
    if view.tree.is_some() {
        push(
            "distance",
            "How far apart the two parts of a branch are: by the cosine distance of the topics' words (or of vectors, if no \
             words are counted), and Ward's linkage.",
        );
    }
    if has_tests(view) {
        push(
            "corrected p-value",
            "How probable such a difference is if there is none, corrected for the number of comparisons (Benjamini and \
             Hochberg): of those below 0.05, at most 5% are expected to be wrong.",
        );
    }
    html.raw("</dl></section>");
}
