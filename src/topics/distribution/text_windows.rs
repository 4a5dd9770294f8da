//! Comparing windows of words with topics, by embeddings.

use std::ops::Range;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{ApproximateDistribution, TokenDistribution};
use crate::linalg::vectors::{dot, unit};
use crate::vectorize::TermFinder;

/// A document's windows as texts.
#[derive(Debug)]
pub(crate) struct TextWindows {
    row: usize,
    text: String,
    places: Vec<Range<usize>>,
    windows: Vec<Range<usize>>,
}

impl TextWindows {
    pub(crate) fn new(row: usize, text: &str, finder: &TermFinder<'_>, settings: &ApproximateDistribution) -> Self {
        let (text, places) = finder.words_in(text);
        let windows = settings.windows(places.len()).filter(|window| !window.is_empty()).collect();
        TextWindows { row, text, places, windows }
    }

    /// The words of each window, separated by spaces; those that follow each other without anything between them, as in
    /// scripts without spaces, stay together.
    pub(crate) fn texts(&self) -> Vec<String> {
        let of_window = |window: &Range<usize>| {
            let mut text = String::new();
            let mut end = None;
            for place in self.places.iter().skip(window.start).take(window.len()) {
                let start = match end {
                    Some(end) if place.start <= end => end,
                    Some(_) => {
                        text.push(' ');
                        place.start
                    }
                    None => place.start,
                };
                text.push_str(self.text.get(start..place.end).unwrap_or_default());
                end = Some(place.end.max(start));
            }
            text
        };
        self.windows.iter().map(of_window).collect()
    }

    /// What was found of each topic, given the similarities of the windows to the topics.
    pub(crate) fn sums<'s>(&self, similarities: impl Iterator<Item = &'s [f64]>, topics: usize) -> Vec<f64> {
        let mut sums = vec![0.0; topics];
        for similarities in similarities.take(self.windows.len()) {
            sums.iter_mut().zip(similarities).for_each(|(sum, similarity)| *sum += similarity);
        }
        sums
    }

    /// The topics of each word, given the similarities of the windows to the topics.
    pub(crate) fn tokens<'s>(self, similarities: impl Iterator<Item = &'s [f64]>, topics: usize) -> TokenDistribution {
        let mut tokens = TokenDistribution::new(self.row, self.text, self.places, topics);
        for (window, similarities) in self.windows.into_iter().zip(similarities) {
            tokens.add(window, similarities.iter().copied().enumerate());
        }
        tokens
    }
}

/// The similarities of `vectors` to the topics with these mean vectors of unit length, as far as they count.
pub(crate) fn similarities(
    vectors: ArrayView2<'_, f32>,
    means: &[Vec<f64>],
    settings: &ApproximateDistribution,
) -> Vec<Vec<f64>> {
    let of_vector = |row: usize| {
        let vector = unit(vectors.row(row).iter().copied());
        means.iter().map(|mean| settings.counted(dot(&vector, mean))).collect()
    };
    (0..vectors.nrows()).into_par_iter().map(of_vector).collect()
}
