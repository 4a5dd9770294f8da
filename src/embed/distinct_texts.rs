//! Distinct texts, so that duplicates are embedded only once.

use std::collections::HashMap;

/// The distinct texts among some texts, in the order of their first occurrence.
#[derive(Debug)]
pub(crate) struct DistinctTexts<'a> {
    texts: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
    inverse: Vec<usize>,
}

impl<'a> DistinctTexts<'a> {
    /// The distinct texts among `texts`.
    pub(crate) fn of(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut distinct = Vec::new();
        let mut places = HashMap::new();
        let place = |text: &'a str| {
            *places.entry(text).or_insert_with(|| {
                distinct.push(text);
                distinct.len() - 1
            })
        };
        let inverse = texts.into_iter().map(place).collect();
        DistinctTexts { texts: distinct, places, inverse }
    }

    /// The texts.
    pub(crate) fn texts(&self) -> &[&'a str] {
        &self.texts
    }

    /// The index of `text`.
    pub(crate) fn place(&self, text: &str) -> Option<usize> {
        self.places.get(text).copied()
    }

    /// For each of the original texts, duplicates included, the index of its distinct text.
    pub(crate) fn inverse(&self) -> &[usize] {
        &self.inverse
    }
}

#[cfg(test)]
mod tests {
    use super::DistinctTexts;

    #[test]
    fn the_original_texts_are_the_distinct_ones_at_their_indices() {
        let texts = ["b", "a", "b", "", "a"];
        let distinct = DistinctTexts::of(texts);
        assert_eq!((distinct.texts(), distinct.inverse()), (&["b", "a", ""][..], &[0, 1, 0, 2, 1][..]));
        assert_eq!((distinct.place("a"), distinct.place("c")), (Some(1), None));
    }
}
