//! The page of a map: its skeleton, style and script, with the data in elements that the script reads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::figure::{COLORS, Paint};
use super::super::markup::{Markup, cut};
use super::blocks::{ROWS, deflated, plain};
use super::levels::PER_OCTAVE;
use super::script::SCRIPT;
use super::timeline::{Timeline, UNDATED};
use super::topics::{MapLayer, MapTopic, PlacedLabel};
use super::values::{MISSING, OTHER, Scale, Values};
use super::view::{MapView, Texts};
use super::{atlas, pictures::Pictures};
use crate::error::Result;

/// The length of names and words on the page, in characters.
const NAME: usize = 200;

/// The page.
pub(super) fn page(view: &MapView) -> Result<String> {
    let mut html = Markup::default();
    html.raw("<!DOCTYPE html>\n<html lang=\"en\"").raw(if view.dark { " class=\"dark\">" } else { ">" });
    html.raw("<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">");
    html.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-");
    html.html(&STANDARD.encode(Sha256::digest(SCRIPT)));
    html.raw("'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'\"><title>")
        .text(&view.title);
    html.raw("</title><style>").raw(include_str!("page/map.css")).raw("</style></head><body>");
    html.raw(include_str!("page/body.html"));
    // In a script element, only `<` can have a meaning.
    let data = data(view).to_string().replace('<', "\\u003c");
    html.raw("\n<script type=\"application/json\" id=\"tf-data\">").html(&data).raw("</script>\n");
    push_blocks(&mut html, view)?;
    html.raw("<script>").raw(SCRIPT).raw("</script></body></html>\n");
    Ok(html.finish())
}

fn push_blocks(html: &mut Markup, view: &MapView) -> Result<()> {
    push(html, "places", &view.points.bytes());
    push(html, "groups", &deflated(&little_endian(view.groups.iter().map(|group| group.to_le_bytes())))?);
    if let Some(rows) = &view.rows {
        let mut last = 0;
        let differences = rows.iter().map(|&row| row.wrapping_sub(std::mem::replace(&mut last, row)).to_le_bytes());
        push(html, "rows", &deflated(&little_endian(differences))?);
    }
    if let Some(texts) = &view.texts {
        push(html, "texts", &texts.blocks.bytes);
    }
    if let Some(pictures) = &view.pictures {
        let rows = little_endian(pictures.rows.iter().map(|row| row.to_le_bytes()));
        push(html, "picture-rows", &deflated(&rows)?);
        push(html, "picture-levels", &deflated(&pictures.levels)?);
        for (number, sheet) in pictures.sheets.iter().enumerate() {
            push(html, format_args!("sheet-{number}"), sheet);
        }
    }
    if let Some(time) = &view.timeline {
        push(html, "time", &deflated(&time.of_rows)?);
    }
    for (number, values) in view.values.iter().enumerate() {
        push(html, format_args!("value-{number}"), &deflated(&values.of_rows)?);
    }
    Ok(())
}

fn little_endian<const N: usize>(numbers: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
    numbers.flatten().collect()
}

fn push(html: &mut Markup, name: impl std::fmt::Display, bytes: &[u8]) {
    html.raw("<script type=\"application/octet-stream\" id=\"tf-").value(name).raw("\">");
    html.html(&STANDARD.encode(bytes)).raw("</script>\n");
}

/// What the script reads first: everything but a value for each row.
fn data(view: &MapView) -> Value {
    json!({
        "title": shown(&view.title),
        "rows": view.len(),
        "total": view.total,
        "drawn": view.points.drawn(),
        "colors": { "light": colors(false), "dark": colors(true), "rest": {
            "light": Paint::Rest.hex(false), "dark": Paint::Rest.hex(true),
        }},
        "topics": view.topics.topics.iter().map(topic).collect::<Vec<_>>(),
        "labels": view.topics.labels.iter().map(|placed| label(placed, view.topics.layers.len())).collect::<Vec<_>>(),
        "layers": view.topics.layers.iter().enumerate().map(layer).collect::<Vec<_>>(),
        "texts": view.texts.as_ref().map(texts),
        "pictures": view.pictures.as_ref().map(pictures),
        "time": view.timeline.as_ref().map(timeline),
        "values": view.values.iter().map(values).collect::<Vec<_>>(),
        "rust": { "frame": "frame" },
    })
}

fn colors(dark: bool) -> Vec<String> {
    (0..COLORS as u8).map(|number| Paint::Series(number).hex(dark)).collect()
}

/// Text of the user without control characters, and not longer than anybody reads.
fn shown(text: &str) -> String {
    match cut(text, NAME) {
        None => text.chars().map(plain).collect(),
        Some(head) => head.trim_end().chars().map(plain).chain(['…']).collect(),
    }
}

/// A number with as many digits as matter here.
fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// A scale, never rounded down.
fn scale(from: f64) -> f64 {
    (from * 1e6).ceil() / 1e6
}

fn topic(topic: &MapTopic) -> Value {
    json!({
        "id": topic.id,
        "name": shown(&topic.name),
        "label": shown(&topic.label),
        "count": topic.size,
        "words": topic.words.iter().map(|word| shown(word)).collect::<Vec<_>>(),
        "color": topic.color,
        "at": topic.center.map(|at| at.map(rounded)),
    })
}

fn label(placed: &PlacedLabel, layers: usize) -> Value {
    let label = &placed.label;
    json!({
        "topic": placed.topics.first().filter(|_| placed.layer == layers),
        "lines": label.lines.iter().map(|line| shown(line)).collect::<Vec<_>>(),
        "font": label.font,
        "width": label.width,
        "height": label.height,
        "at": placed.at.map(rounded),
        "from": scale(placed.from),
        "to": placed.to.is_finite().then(|| scale(placed.to)),
        "layer": if placed.layer == layers { 0 } else { placed.layer + 1 },
        "topics": placed.topics,
    })
}

fn layer((number, layer): (usize, &MapLayer)) -> Value {
    let topic = |topic: &MapTopic| json!({ "label": shown(&topic.label), "color": topic.color, "count": topic.size });
    json!({
        "name": format!("Layer {}", number + 1),
        "groups": layer.of_topics,
        "topics": layer.topics.iter().map(topic).collect::<Vec<_>>(),
    })
}

fn texts(texts: &Texts) -> Value {
    json!({
        "column": shown(&texts.column),
        "block": ROWS,
        "lengths": texts.blocks.lengths,
        "limit": texts.limit,
        "cut": texts.blocks.shortened,
    })
}

fn pictures(pictures: &Pictures) -> Value {
    json!({
        "column": shown(&pictures.column),
        "number": pictures.rows.len(),
        "side": pictures.side,
        "across": atlas::across(pictures.side),
        "per_octave": PER_OCTAVE,
        "sheets": pictures.sheets.len(),
        "left_out": pictures.left_out,
        "limit": pictures.limit,
        "unreadable": pictures.unreadable,
    })
}

fn timeline(time: &Timeline) -> Value {
    json!({
        "column": shown(&time.column),
        "period": time.period,
        "bins": time.labels.iter().map(|label| json!({ "label": label })).collect::<Vec<_>>(),
        "undated": counted(&time.of_rows, UNDATED),
    })
}

fn values(values: &Values) -> Value {
    let (column, missing) = (shown(&values.column), counted(&values.of_rows, MISSING));
    match &values.scale {
        Scale::Number { low, high } => {
            json!({ "column": column, "kind": "number", "low": low, "high": high, "missing": missing })
        }
        Scale::Class(classes) => {
            let class = |(name, byte): (&String, u8)| json!({ "name": shown(name), "count": counted(&values.of_rows, byte), "color": byte });
            let classes: Vec<Value> = classes.iter().zip(0..).map(class).collect();
            let other = counted(&values.of_rows, OTHER);
            json!({ "column": column, "kind": "class", "classes": classes, "other": other, "missing": missing })
        }
    }
}

fn counted(bytes: &[u8], byte: u8) -> usize {
    bytes.iter().filter(|&&other| other == byte).count()
}
