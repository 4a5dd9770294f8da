//! The weights of words: the forms of a word (cat, cats) count as one, and the most frequent of them is shown.

use std::borrow::Cow;
use std::cmp::Reverse;

use rayon::prelude::*;

use super::TopicTerms;
use crate::linalg::sparse::CsrMatrix;
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
        let mut has_forms = vec![false; words.len()];
        for (form, &word) in words.iter().enumerate().filter(|(form, word)| *form != **word as usize) {
            has_forms[form] = true;
            has_forms[word as usize] = true;
        }
        let topic = |topic: usize| self.topic(topic, words, &has_forms);
        let topics: Vec<Vec<Word>> = (0..self.counts.rows()).into_par_iter().with_max_len(1).map(topic).collect();
        let matrix = |counts: fn(&Word) -> u32| {
            let columns = topics.iter().flat_map(|topic| topic.iter().map(|word| word.column)).collect();
            let counts = topics.iter().flat_map(|topic| topic.iter().map(counts)).collect();
            let ends = topics.iter().scan(0, |end, topic| {
                *end += topic.len();
                Some(*end)
            });
            CsrMatrix::from_sorted(self.counts.cols(), std::iter::once(0).chain(ends).collect(), columns, counts)
        };
        let (occurrences, texts) = (matrix(|word| word.occurrences), matrix(|word| word.texts));
        let counts = TopicCounts::of(&occurrences, &texts, &self.topic_documents);
        let column_of = |term: usize| words.get(term).map_or(term, |&word| word as usize);
        let frequencies = TermFrequencies::of(&counts);
        let weights = self.weighting.fit_frequencies(&frequencies, occurrences.rows(), &self.vocabulary, column_of);
        let weights = weights.ok()?.transform_topics(&counts).ok()?;
        let shown = |(topic, words): (usize, &Vec<Word>)| {
            let weights = words.iter().zip(weights.row(topic).1);
            let (mut shown, moved): (Vec<_>, Vec<_>) = weights.partition(|(word, _)| word.shown == word.column);
            append_sorted(&mut shown, moved, |(word, _)| word.shown);
            let shown = shown.into_iter().map(|(word, &weight)| (word.shown, weight));
            shown.unzip()
        };
        let shown: Vec<(Vec<u32>, Vec<f64>)> = topics.par_iter().enumerate().map(shown).collect();
        Some(CsrMatrix::from_rows(
            self.counts.cols(),
            shown.iter().map(|(columns, weights)| (&columns[..], &weights[..])),
        ))
    }

    /// The words of a topic, by ascending column.
    fn topic(&self, row: usize, words: &[u32], has_forms: &[bool]) -> Vec<Word> {
        let (columns, occurrences) = self.counts.row(row);
        let texts = self.document_counts.row(row).1;
        let word_of = |column: u32| words.get(column as usize).copied().unwrap_or(column);
        let forms = columns.iter().zip(occurrences).zip(texts);
        let form = |((&shown, &occurrences), &texts): ((&u32, &u32), &u32)| Word {
            column: word_of(shown),
            shown,
            occurrences,
            texts,
        };
        let alone = |word: &Word| !has_forms.get(word.shown as usize).copied().unwrap_or(false);
        let (mut topic, mut forms): (Vec<Word>, Vec<Word>) = forms.map(form).partition(alone);
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
        append_sorted(&mut topic, forms, |word| word.column);
        let (repeated, texts) = self.repeated_forms.row(row);
        for (column, &more) in repeated.iter().zip(texts) {
            if let Some(word) =
                topic.binary_search_by_key(column, |word| word.column).ok().and_then(|at| topic.get_mut(at))
            {
                word.texts = word.texts.saturating_sub(more);
            }
        }
        topic
    }
}

/// Appends `others` to `sorted`, in ascending order of `key`.
fn append_sorted<T>(sorted: &mut Vec<T>, mut others: Vec<T>, key: impl Fn(&T) -> u32) {
    others.sort_by_key(&key);
    sorted.append(&mut others);
    // Two ascending runs: a stable sort merges them.
    sorted.sort_by_key(&key);
}
