//! The page structure: head, index, and order of the parts.

use super::super::html::count;
use super::super::markup::{Markup, grouped};
use super::view::{ReportView, TopicView};
use super::{page_figure, summary, topic_section, topic_table, trust};

/// The content security policy: allows embedded images, inline styles, and the one script below, identified by its
/// SHA-256. Even if a text were not escaped properly, it could not run scripts or make network requests.
const POLICY: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
    style-src 'unsafe-inline'; script-src 'sha256-H0difpPY3AfRF5nbTRPhce1zYAuJIUiIBwsGj8uABh8='; base-uri 'none'; form-action 'none'\">";

/// The topic filter.
const SCRIPT: &str = include_str!("filter.js");

/// The maximum length of a topic name in the index.
const INDEX_LENGTH: usize = 40;

/// The whole page.
pub(super) fn push(html: &mut Markup, view: &ReportView) {
    push_head(html, view);
    html.raw("<body><a class=\"skip\" href=\"#content\">Skip to the topics</a><div class=\"page\">");
    push_index(html, view);
    html.raw("<main id=\"content\">");
    summary::push(html, view);
    topic_table::push(html, view);
    push_parts(html, view);
    html.raw("<section class=\"topics\" aria-label=\"Each topic\">");
    for topic in &view.topics {
        topic_section::push(html, topic);
    }
    if let Some(outliers) = &view.outliers {
        topic_section::push_outliers(html, outliers, &view.summary);
    }
    html.raw("</section>");
    trust::push_meanings(html, view);
    summary::push_settings(html, view);
    html.raw("<footer>Created with topicframe ").raw(env!("CARGO_PKG_VERSION"));
    html.raw(". This page is self-contained and makes no network requests.</footer>");
    html.raw("</main></div><script>").raw(SCRIPT).raw("</script></body></html>\n");
}

fn push_head(html: &mut Markup, view: &ReportView) {
    html.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">").raw(POLICY);
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">");
    html.raw("<meta name=\"generator\" content=\"topicframe\"><link rel=\"icon\" href=\"data:,\"><title>");
    html.text(&view.title).raw("</title><style>").raw(include_str!("report.css"));
    if view.map.is_some() || view.similarity.is_some() {
        html.html(&page_figure::style());
    }
    html.raw("</style></head>");
}

/// All topics together: in the plane, in a tree, and pair by pair; and what was asked for, time and classes.
fn push_parts(html: &mut Markup, view: &ReportView) {
    if let Some(map) = &view.map {
        map.push(html);
    }
    if let Some(tree) = &view.tree {
        tree.push(html, &view.names);
    }
    if let Some(similarity) = &view.similarity {
        similarity.push(html);
    }
    if let Some(curves) = &view.curves {
        curves.push(html, &view.names);
    }
    for (place, classes) in view.classes.iter().enumerate() {
        classes.push(html, &view.names, place);
    }
}

fn push_index(html: &mut Markup, view: &ReportView) {
    html.raw("<nav aria-label=\"Topics\"><a class=\"home\" href=\"#overview\">All topics</a>");
    html.raw(if view.map.is_some() { "<a class=\"to-part\" href=\"#map\">Map</a>" } else { "" });
    html.raw(if view.tree.is_some() { "<a class=\"to-part\" href=\"#tree\">Tree</a>" } else { "" });
    html.raw(if view.similarity.is_some() { "<a class=\"to-part\" href=\"#similarity\">Similarity</a>" } else { "" });
    html.raw(if view.curves.is_some() { "<a class=\"to-part\" href=\"#time\">Over time</a>" } else { "" });
    for (place, classes) in view.classes.iter().enumerate() {
        html.raw("<a class=\"to-part\"")
            .attribute("href", format_args!("#class-{place}"))
            .raw(">By <span dir=\"auto\">");
        html.cut_text(classes.column(), INDEX_LENGTH).raw("</span></a>");
    }
    html.raw("<form role=\"search\" hidden><input id=\"filter\" type=\"search\" autocomplete=\"off\" ");
    html.raw("placeholder=\"Filter by word\" aria-label=\"Filter the topics by word\">");
    html.raw("<output id=\"found\" for=\"filter\"></output></form><ol>");
    for topic in view.topics.iter().chain(&view.outliers) {
        push_index_entry(html, topic);
    }
    html.raw("</ol>");
    if view.left_out > 0 {
        html.raw("<p>").text(&count(view.left_out, "smaller topic")).raw(" not shown</p>");
    }
    html.raw("</nav>");
}

fn push_index_entry(html: &mut Markup, topic: &TopicView) {
    html.raw("<li").attribute("data-words", topic.filter_words()).raw("><a");
    html.attribute("href", format_args!("#{}", topic.anchor())).raw("><span class=\"id\">");
    match topic.id {
        -1 => html.raw("–</span><span class=\"name\">Outliers</span>"),
        id => html
            .value(id)
            .raw("</span><span class=\"name\" dir=\"auto\">")
            .cut_text(&topic.name, INDEX_LENGTH)
            .raw("</span>"),
    };
    html.raw("<span class=\"count\">").text(&grouped(topic.size)).raw("</span></a></li>");
}
