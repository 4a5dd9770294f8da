//! Distinct texts, so that duplicates are embedded only once.

use std::collections::HashMap;

/// The distinct texts among some texts, in the order of their first occurrence.
#[derive(Debug)]
pub(crate) struct DistinctTexts<'a> {
    texts: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
}

impl<'a> DistinctTexts<'a> {
    /// The distinct texts among `texts`.
    pub(crate) fn of(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut distinct = DistinctTexts { texts: Vec::new(), places: HashMap::new() };
        for text in texts {
            distinct.places.entry(text).or_insert_with(|| {
                distinct.texts.push(text);
                distinct.texts.len() - 1
            });
        }
        distinct
    }

    /// The texts.
    pub(crate) fn texts(&self) -> &[&'a str] {
        &self.texts
    }

    /// The index of `text`.
    pub(crate) fn place(&self, text: &str) -> Option<usize> {
        self.places.get(text).copied()
    }
}
