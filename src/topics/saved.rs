//! Saving the descriptions of topics, but for their pictures, and the history.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Description, Regrouping};
use crate::error::Result;
use crate::represent::{Aspect, TopicWords};
use crate::state::State;

/// The part of an aspect.
fn aspect(number: usize) -> String {
    format!("aspect_{number}")
}

impl Description {
    /// The state of the description; of aspects of pictures, it has the names.
    pub(crate) fn state(&self) -> State<'static> {
        let names: Vec<&String> = self.aspects.keys().collect();
        let mut state = State::new("description")
            .with_setting("aspects", names)
            .with_setting("order", &self.order)
            .with_part("words", words_state(&self.words))
            .with_part("representatives", representatives_state(&self.representatives));
        for (number, described) in self.aspects.values().enumerate() {
            if let Aspect::Words(words) = described {
                state = state.with_part(&aspect(number), words_state(words));
            }
        }
        state
    }

    /// The description of a state, of this number of rows; `pictures` returns aspects that are no words, by their number.
    pub(crate) fn from_state(
        mut state: State<'_>,
        rows: usize,
        mut pictures: impl FnMut(usize) -> Result<Option<Aspect>>,
    ) -> Result<Self> {
        let mut aspects = BTreeMap::new();
        for (number, name) in state.setting::<Vec<String>>("aspects")?.into_iter().enumerate() {
            let described = match state.has_part(&aspect(number)) {
                true => Some(Aspect::Words(words_from(state.take_part(&aspect(number))?)?)),
                false => pictures(number)?,
            };
            aspects.extend(described.map(|described| (name, described)));
        }
        let words = words_from(state.take_part("words")?)?;
        let representatives = representatives_from(state.take_part("representatives")?, rows)?;
        Ok(Description { words, aspects, order: state.setting("order")?, representatives })
    }
}

fn words_state(words: &TopicWords) -> State<'static> {
    let all = || words.values().flatten();
    State::new("words")
        .with_values("topics", words.keys().copied().collect::<Vec<i32>>())
        .with_numbers("counts", &words.values().map(Vec::len).collect::<Vec<usize>>())
        .with_texts("words", all().map(|(word, _)| word.as_str()))
        .with_values("weights", all().map(|&(_, weight)| weight).collect::<Vec<f64>>())
}

fn words_from(mut state: State<'_>) -> Result<TopicWords> {
    let words = state.take_texts("words")?;
    let weights = state.take_exactly::<f64>("weights", words.len())?;
    by_topic(&mut state, words.into_iter().zip(weights).collect())
}

fn representatives_state(representatives: &BTreeMap<i32, Vec<(usize, f64)>>) -> State<'static> {
    let (rows, scores): (Vec<usize>, Vec<f64>) = representatives.values().flatten().copied().unzip();
    State::new("representatives")
        .with_values("topics", representatives.keys().copied().collect::<Vec<i32>>())
        .with_numbers("counts", &representatives.values().map(Vec::len).collect::<Vec<usize>>())
        .with_numbers("rows", &rows)
        .with_values("scores", scores)
}

fn representatives_from(mut state: State<'_>, rows: usize) -> Result<BTreeMap<i32, Vec<(usize, f64)>>> {
    let rows = state.take_numbers("rows", rows)?;
    let scores = state.take_exactly::<f64>("scores", rows.len())?;
    by_topic(&mut state, rows.into_iter().zip(scores).collect())
}

/// `all`, of which each topic has its count.
fn by_topic<T>(state: &mut State<'_>, all: Vec<T>) -> Result<BTreeMap<i32, Vec<T>>> {
    let topics = state.take_values::<i32>("topics")?;
    let counts = state.take_numbers("counts", all.len().saturating_add(1))?;
    let sum = counts.iter().try_fold(0_usize, |sum, &count| sum.checked_add(count));
    if counts.len() != topics.len() || sum != Some(all.len()) {
        return Err(state.out_of_range("counts"));
    }
    let mut all = all.into_iter();
    Ok(topics.into_iter().zip(counts).map(|(topic, count)| (topic, all.by_ref().take(count).collect())).collect())
}

/// The history as JSON, oldest edit first.
pub(crate) fn history_to_json(history: &[Regrouping]) -> Value {
    history.iter().map(|edit| json!({ "edit": edit.edit, "destinations": edit.destinations })).collect()
}

/// The history from JSON; `None` if that is something else.
pub(crate) fn history_from_json(history: &Value) -> Option<Vec<Regrouping>> {
    let edit = |edit: &Value| {
        let destinations = serde_json::from_value(edit.get("destinations")?.clone()).ok()?;
        Some(Regrouping { edit: edit.get("edit")?.as_str()?.to_owned(), destinations })
    };
    history.as_array()?.iter().map(edit).collect()
}
