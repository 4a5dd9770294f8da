//! Names and values, one pair per line: the parts of a model, the results of a step.

use std::collections::BTreeMap;

use super::super::markup::{Html, Markup, grouped};
use super::layout::framed;
use crate::cluster::{Clustering, OUTLIER};
use crate::model::Summary;
use crate::reduce::Reduction;

/// The maximum number of characters per value.
const VALUE: usize = 300;

pub(super) fn html(facts: &[(String, String)]) -> Html {
    let mut html = Markup::default();
    html.raw("<dl class=\"tf-facts\">");
    for (name, value) in facts {
        html.raw("<dt>").text(name).raw("</dt><dd dir=\"auto\">").cut_text(value, VALUE).raw("</dd>");
    }
    html.raw("</dl>");
    framed(&html.finish())
}

pub(super) fn text(facts: &[(String, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    facts.iter().map(|(name, value)| format!("{name:<width$}  {value}")).collect::<Vec<_>>().join("\n")
}

fn fact(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

pub(super) fn of_summary(summary: &Summary) -> Vec<(String, String)> {
    let mut facts = vec![
        fact("topics", grouped(summary.topics)),
        fact("rows", grouped(summary.rows)),
        fact("in a topic", grouped(summary.clustered)),
        fact("outliers", grouped(summary.outliers)),
        fact("could not be clustered", grouped(summary.blank)),
    ];
    let columns = [("text column", &summary.text_column), ("image column", &summary.image_column)];
    facts.extend(columns.into_iter().filter_map(|(name, column)| Some(fact(name, column.as_ref()?))));
    facts.extend(summary.images.map(|images| fact("rows with an image", grouped(images))));
    facts.extend(summary.captioner.as_ref().map(|captioner| fact("captioner", captioner)));
    facts.push(fact("clustered", summary.cluster_on));
    facts.push(fact("embedder", &summary.embedder));
    facts.push(fact("dimensions", summary.dimensions));
    facts.push(fact("reducer", &summary.reducer));
    facts.push(fact("clusterer", &summary.clusterer));
    facts.push(fact("seed", summary.seed));
    facts
}

pub(super) fn of_reduction(reduction: &Reduction) -> Vec<(String, String)> {
    let (rows, dimensions) = reduction.embedding.dim();
    vec![fact("points", grouped(rows)), fact("dimensions", dimensions), fact("model", brief(&reduction.model))]
}

pub(super) fn of_clustering(clustering: &Clustering) -> Vec<(String, String)> {
    let mut sizes: BTreeMap<i32, usize> = BTreeMap::new();
    for &label in &clustering.labels {
        *sizes.entry(label).or_default() += 1;
    }
    let outliers = sizes.remove(&OUTLIER).unwrap_or(0);
    let mut largest: Vec<usize> = sizes.values().copied().collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    let shown: Vec<String> = largest.iter().take(10).map(|&size| grouped(size)).collect();
    vec![
        fact("clusters", grouped(largest.len())),
        fact("largest", shown.join(", ")),
        fact("points", grouped(clustering.labels.len())),
        fact("outliers", grouped(outliers)),
    ]
}

/// The name of a type whose `Debug` may print all of its data.
fn brief(model: &impl std::fmt::Debug) -> String {
    let mut name = Prefix { text: String::new() };
    // Stops with an error when enough has been written.
    let _ = std::fmt::Write::write_fmt(&mut name, format_args!("{model:?}"));
    name.text
}

struct Prefix {
    text: String,
}

impl std::fmt::Write for Prefix {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = text.find([' ', '(', '{']).unwrap_or(text.len());
        self.text.push_str(text.get(..end).unwrap_or_default());
        if end < text.len() || self.text.len() > 80 { Err(std::fmt::Error) } else { Ok(()) }
    }
}
