//! The top of the page: a numerical summary of the fit.

use super::super::html::count;
use super::super::markup::{Markup, grouped};
use super::settings::readable;
use super::trust;
use super::view::ReportView;
use crate::model::ClusterOn;

/// The maximum number of bar segments; the smallest topics share the last one.
const SEGMENTS: usize = 80;

/// The maximum number of characters per setting.
const SETTING: usize = 400;

/// Title, tiles, and the bar of shares.
pub(super) fn push(html: &mut Markup, view: &ReportView) {
    html.raw("<header class=\"summary\"><h1 dir=\"auto\">").text(&view.title).raw("</h1>");
    push_lede(html, view);
    push_tiles(html, view);
    push_bar(html, view);
    trust::push_overall(html, view);
    push_notes(html, view);
    html.raw("</header>");
}

fn push_lede(html: &mut Markup, view: &ReportView) {
    let summary = &view.summary;
    html.raw("<p class=\"lede\">").text(&count(summary.topics, "topic")).raw(" in ");
    html.text(&count(summary.rows, "row"));
    if let Some(column) = &summary.text_column {
        html.raw(" of <code dir=\"auto\">").cut_text(column, 60).raw("</code>");
    }
    if let Some(column) = &summary.image_column {
        html.raw(match (&summary.text_column, summary.cluster_on) {
            (None, _) => " of <code dir=\"auto\">",
            (Some(_), ClusterOn::Text) => ", illustrated from <code dir=\"auto\">",
            (Some(_), ClusterOn::Images) => ", by the images of <code dir=\"auto\">",
            (Some(_), _) => " and <code dir=\"auto\">",
        });
        html.cut_text(column, 60).raw("</code>");
    }
    html.raw(".");
    html.raw("</p>");
}

fn push_tiles(html: &mut Markup, view: &ReportView) {
    let summary = &view.summary;
    html.raw("<dl class=\"tiles\">");
    push_tile(html, "Topics", summary.topics, "");
    push_tile(html, "Rows", summary.rows, "");
    push_tile(html, "In a topic", summary.clustered, &view.percent(summary.clustered));
    push_tile(html, "Outliers", summary.outliers, &view.percent(summary.outliers));
    if let Some(images) = summary.images {
        push_tile(html, "With an image", images, &view.percent(images));
    }
    html.raw("</dl>");
}

fn push_tile(html: &mut Markup, name: &'static str, number: usize, share: &str) {
    html.raw("<div><dt>").raw(name).raw("</dt><dd>").text(&grouped(number));
    if !share.is_empty() {
        html.raw(" <small>").text(share).raw("</small>");
    }
    html.raw("</dd></div>");
}

/// All rows as one bar: a segment for each topic, then the outliers. The table contains the same information as text,
/// so it is hidden from screen readers.
fn push_bar(html: &mut Markup, view: &ReportView) {
    html.raw("<div class=\"shares\" aria-hidden=\"true\">");
    let rest: usize = view.topics.iter().skip(SEGMENTS).map(|topic| topic.size).sum();
    for topic in view.topics.iter().take(SEGMENTS) {
        html.raw("<a tabindex=\"-1\"").attribute("href", format_args!("#{}", topic.anchor()));
        html.attribute("style", format_args!("flex-grow:{}", topic.size)).raw(" title=\"").text(&topic.name);
        html.raw(" (").text(&grouped(topic.size)).raw(")\"></a>");
    }
    if rest > 0 {
        html.raw("<i").attribute("style", format_args!("flex-grow:{rest}")).raw(" title=\"smaller topics\"></i>");
    }
    if view.summary.outliers > 0 {
        html.raw("<a tabindex=\"-1\" class=\"out\" href=\"#outliers\"");
        html.attribute("style", format_args!("flex-grow:{}", view.summary.outliers));
        html.raw(" title=\"Outliers (").text(&grouped(view.summary.outliers)).raw(")\"></a>");
    }
    html.raw("</div>");
}

fn push_notes(html: &mut Markup, view: &ReportView) {
    if view.summary.blank > 0 {
        html.raw("<p class=\"note\">").text(&count(view.summary.blank, "row")).raw(" had ");
        html.raw(missing(view.summary.cluster_on)).raw(" (counted as outliers).</p>");
    }
    if view.summary.repeated > 0 {
        html.raw("<p class=\"note\">").text(&count(view.summary.repeated, "row"));
        html.raw(" have the vector of an earlier one; duplicates share a topic.</p>");
    }
    if view.summary.captions > 0 {
        let images = count(view.summary.captions, "image");
        html.raw("<p class=\"note\">");
        match view.summary.text_column {
            None => {
                html.raw("Words are counted in the captions that a model generated for ").text(&images).raw(".</p>")
            }
            Some(_) => html
                .raw("A model generated captions for ")
                .text(&images)
                .raw(" without a text; they are used as texts.</p>"),
        };
    }
    if view.unreadable > 0 {
        html.raw("<p class=\"note\">").text(&count(view.unreadable, "image"));
        html.raw(" could not be read and were skipped.</p>");
    }
    if view.left_out > 0 {
        html.raw("<p class=\"note\">This page shows the ").text(&count(view.topics.len(), "largest topic"));
        html.raw("; ").text(&count(view.left_out, "smaller topic")).raw(" not shown.</p>");
    }
}

/// What rows lack that could not be clustered.
pub(super) fn missing(cluster_on: ClusterOn) -> &'static str {
    match cluster_on {
        ClusterOn::Images => "no readable image or no embedding",
        ClusterOn::Text => "no text, no embedding, or no word known to the embedder",
        _ => "neither a text nor a readable image, or no embedding",
    }
}

/// The settings, at the end of the page, since readers look for them last.
pub(super) fn push_settings(html: &mut Markup, view: &ReportView) {
    let summary = &view.summary;
    let settings = [
        ("Text column", summary.text_column.clone()),
        ("Image column", summary.image_column.clone()),
        ("Clustered on", Some(summary.cluster_on.to_string())),
        ("Embedding", Some(summary.embedder.clone())),
        ("Captions", summary.captioner.clone()),
        ("Dimensions", Some(summary.dimensions.to_string())),
        ("Dimensionality reduction", Some(summary.reducer.clone())),
        ("Clustering", Some(summary.clusterer.clone())),
        ("Seed", Some(summary.seed.to_string())),
    ];
    html.raw("<section class=\"made\" aria-labelledby=\"made\"><h2 id=\"made\">Model settings</h2><dl>");
    for (name, value) in settings {
        if let Some(value) = value {
            push_setting(html, name, &value);
        }
    }
    html.raw("</dl></section>");
}

/// A setting; of a stage, its name with the details in smaller type.
fn push_setting(html: &mut Markup, name: &'static str, value: &str) {
    html.raw("<div><dt>").raw(name).raw("</dt><dd dir=\"auto\">");
    match readable(value) {
        Some((stage, details)) => {
            html.cut_text(&stage, SETTING);
            if !details.is_empty() {
                html.raw(" <small>").cut_text(&details, SETTING).raw("</small>");
            }
        }
        None => {
            html.cut_text(value, SETTING);
        }
    }
    html.raw("</dd></div>");
}
