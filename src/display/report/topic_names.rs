//! What the topics are called on the page, and links to their sections.

use std::collections::BTreeMap;

use super::super::markup::Markup;
use crate::cluster::OUTLIER;
use crate::model::FittedTopicModel;

/// The number of words that name a topic in lists and headings.
const NAME_WORDS: usize = 4;

/// The names of all topics.
#[derive(Debug, Clone)]
pub(super) struct TopicNames(BTreeMap<i32, TopicName>);

#[derive(Debug, Clone)]
struct TopicName {
    name: String,
    /// What the filter searches.
    filter_words: String,
    /// Whether the topic has a section on the page.
    has_section: bool,
}

impl TopicNames {
    /// The names of the topics of `model`, of which those in `sections` have a section, and words that the filter
    /// searches.
    pub(super) fn of(model: &FittedTopicModel, sections: &BTreeMap<i32, String>) -> Self {
        let one = |id: i32| {
            let name = match id {
                OUTLIER => "Outliers".to_owned(),
                id => name(model, id, &model.get_topic(id).unwrap_or_default()).0,
            };
            let filter_words = sections.get(&id).cloned().unwrap_or_else(|| name.to_lowercase());
            (id, TopicName { name, filter_words, has_section: sections.contains_key(&id) })
        };
        TopicNames(model.topic_ids().into_iter().map(one).collect())
    }

    pub(super) fn name(&self, id: i32) -> &str {
        self.0.get(&id).map_or("", |topic| topic.name.as_str())
    }

    pub(super) fn filter_words(&self, id: i32) -> &str {
        self.0.get(&id).map_or("", |topic| topic.filter_words.as_str())
    }

    /// The number and the name of a topic, and a link to its section, if it has one.
    pub(super) fn push(&self, html: &mut Markup, id: i32, limit: usize) {
        let has_section = self.0.get(&id).is_some_and(|topic| topic.has_section);
        match has_section {
            true => html.raw("<a class=\"topic-name\"").attribute("href", format_args!("#{}", anchor(id))).raw(">"),
            false => html.raw("<span class=\"topic-name\">"),
        };
        html.raw("<span class=\"id\">");
        match id {
            OUTLIER => html.raw("–"),
            id => html.value(id),
        };
        html.raw("</span> <span class=\"name\" dir=\"auto\">").cut_text(self.name(id), limit).raw("</span>");
        html.raw(if has_section { "</a>" } else { "</span>" });
    }
}

/// The anchor of a topic's section.
pub(super) fn anchor(id: i32) -> String {
    match id {
        OUTLIER => "outliers".to_owned(),
        id => format!("topic-{id}"),
    }
}

/// The display name of a topic, and the number of its words in the name. For a default label of ID and words, the name
/// consists of the words; any other label is used unchanged.
pub(super) fn name(model: &FittedTopicModel, id: i32, words: &[(String, f64)]) -> (String, usize) {
    let best: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).take(NAME_WORDS).collect();
    let made = std::iter::once(id.to_string().as_str()).chain(best.iter().copied()).collect::<Vec<_>>().join("_");
    let best: Vec<&str> = best.into_iter().filter(|word| !word.is_empty()).collect();
    match model.topic_label(id) {
        Some(label) if label != made && !label.trim().is_empty() => (label, 0),
        _ if best.is_empty() => (format!("Topic {id}"), 0),
        _ => (best.join(", "), best.len()),
    }
}
