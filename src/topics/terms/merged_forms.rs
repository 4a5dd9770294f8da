//! The weights of words: the forms of a word (cat, cats) count as one, and the most frequent of them is shown.

use std::borrow::Cow;
use std::cmp::Reverse;

use rayon::prelude::*;

use super::TopicTerms;
use crate::linalg::sparse::{ClassCounts, CsrMatrix};
use crate::vectorize::{TermFrequencies, TopicCounts};

/// A word of a topic, with the counts of all its forms.
struct Word {
    /// The column of the term that stands for it.
    column: u32,
    /// The column of its most frequent form.
    shown: u32,
    occurrences: u32,
    /// The number of texts with any of its forms.
    texts: u32,
}

/// Counts of words in groups of texts, one row per group. The forms of a word are counted in the column of the term that
/// stands for it.
pub(super) struct WordCounts {
    pub(super) occurrences: CsrMatrix<u32>,
    /// The number of texts with the word, in the same places.
    pub(super) texts: CsrMatrix<u32>,
    /// The column of the most frequent form in the group, in the same places.
    pub(super) shown: CsrMatrix<u32>,
}

impl TopicTerms {
    /// The weights of the topics' words: `c_tf_idf`, but if forms of words are merged, a word has a single entry in each
    /// topic, in the column of its most frequent form there (ties by column), weighted by the counts of all its forms.
    pub(crate) fn word_weights(&self) -> Cow<'_, CsrMatrix<f64>> {
        match &self.documents.words {
            // Weighting counts of the same shape cannot fail; if it did, the forms would be shown apart.
            Some(words) => self.merged(words).map_or(Cow::Borrowed(&self.c_tf_idf), Cow::Owned),
            None => Cow::Borrowed(&self.c_tf_idf),
        }
    }

    fn merged(&self, words: &[u32]) -> Option<CsrMatrix<f64>> {
        let counted = WordCounts::of((&self.counts, &self.document_counts, &self.repeated_forms), words);
        let counts = TopicCounts::of(&counted.occurrences, &counted.texts, &self.topic_documents);
        let column_of = |term: usize| words.get(term).map_or(term, |&word| word as usize);
        let frequencies = TermFrequencies::of(&counts);
        let topics = counted.occurrences.rows();
        let weights = self.weighting.fit_frequencies(&frequencies, topics, &self.vocabulary, column_of);
        let weights = weights.ok()?.transform_topics(&counts).ok()?;
        let shown = |topic: usize| {
            let (columns, weights) = weights.row(topic);
            let words = columns.iter().zip(counted.shown.row(topic).1).zip(weights);
            let (mut shown, moved): (Vec<_>, Vec<_>) = words.partition(|((column, shown), _)| column == shown);
            append_sorted(&mut shown, moved, |((_, shown), _)| **shown);
            let shown = shown.into_iter().map(|((_, &shown), &weight)| (shown, weight));
            shown.unzip()
        };
        let shown: Vec<(Vec<u32>, Vec<f64>)> = (0..topics).into_par_iter().map(shown).collect();
        Some(CsrMatrix::from_rows(
            self.counts.cols(),
            shown.iter().map(|(columns, weights)| (&columns[..], &weights[..])),
        ))
    }
}

impl WordCounts {
    /// The words of counted terms; `words` has the term that stands for each.
    pub(super) fn of_classes(counts: &ClassCounts, words: &[u32]) -> Self {
        WordCounts::of((&counts.occurrences, &counts.rows, &counts.repeated), words)
    }

    /// The words of the occurrences of terms, of the texts with each term, and of the repeated forms.
    pub(super) fn of(counts: (&CsrMatrix<u32>, &CsrMatrix<u32>, &CsrMatrix<u32>), words: &[u32]) -> Self {
        let mut has_forms = vec![false; words.len()];
        for (form, &word) in words.iter().enumerate().filter(|(form, word)| *form != **word as usize) {
            has_forms[form] = true;
            has_forms[word as usize] = true;
        }
        let (rows, columns) = (counts.0.rows(), counts.0.cols());
        let group = |group: usize| words_of_group(group, counts, words, &has_forms);
        let groups: Vec<Vec<Word>> = (0..rows).into_par_iter().with_max_len(1).map(group).collect();
        let matrix = |value: fn(&Word) -> u32| {
            let columns_of = groups.iter().flat_map(|group| group.iter().map(|word| word.column)).collect();
            let values = groups.iter().flat_map(|group| group.iter().map(value)).collect();
            let ends = groups.iter().scan(0, |end, group| {
                *end += group.len();
                Some(*end)
            });
            CsrMatrix::from_sorted(columns, std::iter::once(0).chain(ends).collect(), columns_of, values)
        };
        WordCounts {
            occurrences: matrix(|word| word.occurrences),
            texts: matrix(|word| word.texts),
            shown: matrix(|word| word.shown),
        }
    }
}

/// The words of a group of texts, by ascending column.
fn words_of_group(
    row: usize,
    (occurrences, texts, repeated): (&CsrMatrix<u32>, &CsrMatrix<u32>, &CsrMatrix<u32>),
    words: &[u32],
    has_forms: &[bool],
) -> Vec<Word> {
    let (columns, occurrences) = occurrences.row(row);
    let texts = texts.row(row).1;
    let word_of = |column: u32| words.get(column as usize).copied().unwrap_or(column);
    let forms = columns.iter().zip(occurrences).zip(texts);
    let form = |((&shown, &occurrences), &texts): ((&u32, &u32), &u32)| Word {
        column: word_of(shown),
        shown,
        occurrences,
        texts,
    };
    let alone = |word: &Word| !has_forms.get(word.shown as usize).copied().unwrap_or(false);
    let (mut group, mut forms): (Vec<Word>, Vec<Word>) = forms.map(form).partition(alone);
    // Stable: of equally frequent forms, the first one is shown.
    forms.sort_by_key(|form| (form.column, Reverse(form.occurrences)));
    forms.dedup_by(|form, word| {
        let same = word.column == form.column;
        if same {
            word.occurrences = word.occurrences.saturating_add(form.occurrences);
            word.texts = word.texts.saturating_add(form.texts);
        }
        same
    });
    append_sorted(&mut group, forms, |word| word.column);
    let (repeated, texts) = repeated.row(row);
    for (column, &more) in repeated.iter().zip(texts) {
        if let Some(word) = group.binary_search_by_key(column, |word| word.column).ok().and_then(|at| group.get_mut(at))
        {
            word.texts = word.texts.saturating_sub(more);
        }
    }
    group
}

/// Appends `others` to `sorted`, in ascending order of `key`.
fn append_sorted<T>(sorted: &mut Vec<T>, mut others: Vec<T>, key: impl Fn(&T) -> u32) {
    others.sort_by_key(&key);
    sorted.append(&mut others);
    // Two ascending runs: a stable sort merges them.
    sorted.sort_by_key(&key);
}
