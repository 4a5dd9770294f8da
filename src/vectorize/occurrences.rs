//! Where the terms of a vocabulary occur in a text, counted in its words.

use std::ops::Range;

use hashbrown::HashSet;

use super::FittedCountVectorizer;
use super::cleaning::TextCleaning;
use super::count::LONGEST_WORD;
use super::reading::Reading;

/// One occurrence of a term.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Occurrence {
    /// The column of the term.
    pub(crate) term: u32,
    /// The first and the last word of the text that it consists of.
    pub(crate) first: u32,
    pub(crate) last: u32,
}

/// The terms of a text.
#[derive(Debug, Default)]
pub(crate) struct TermsOfText {
    /// The number of words, including stop words.
    pub(crate) words: usize,
    /// The terms of the vocabulary, by their first word.
    pub(crate) found: Vec<Occurrence>,
    buffer: String,
    term: String,
    /// All words, one after the other, if terms may be longer than one of them.
    letters: String,
    /// The position of each word that terms consist of, its place in `letters`, and whether it is a stop word.
    parts: Vec<(u32, Range<usize>, bool)>,
}

/// Finds the terms of a vocabulary in texts, in the same way as they are counted.
pub(crate) struct TermFinder<'a> {
    vectorizer: &'a FittedCountVectorizer,
    reading: Reading,
    stop_words: HashSet<String>,
    /// The shortest and the longest term, in words.
    lengths: (usize, usize),
    phrases: bool,
}

impl<'a> TermFinder<'a> {
    pub(crate) fn new(vectorizer: &'a FittedCountVectorizer) -> Self {
        let settings = vectorizer.settings();
        let reading = settings.reading();
        let plain = Reading { cleaning: TextCleaning::None, ..reading };
        let stop_words = plain.words_of_entries(settings.stop_words.words().into_iter()).into_iter().collect();
        let (lengths, phrases) = (settings.lengths(), settings.counts_phrases());
        TermFinder { vectorizer, reading, stop_words, lengths, phrases }
    }

    /// `text` as it is read, and the places of its words in it, in order; some overlap.
    pub(crate) fn words_in(&self, text: &str) -> (String, Vec<Range<usize>>) {
        self.reading.words_in(text, LONGEST_WORD)
    }

    /// Finds the terms of `text`.
    pub(crate) fn find(&self, text: &str, terms: &mut TermsOfText) {
        let TermsOfText { words, found, buffer, letters, parts, .. } = &mut *terms;
        *words = 0;
        found.clear();
        letters.clear();
        parts.clear();
        let single = self.lengths == (1, 1);
        self.reading.for_each_word(text, buffer, |word| {
            if word.len() > LONGEST_WORD {
                return;
            }
            let at = *words as u32;
            *words += 1;
            let is_stop_word = self.stop_words.contains(word);
            if is_stop_word && !self.phrases {
                return;
            }
            if single {
                found.extend(self.term(word).map(|term| Occurrence { term, first: at, last: at }));
                return;
            }
            let start = letters.len();
            letters.push_str(word);
            parts.push((at, start..letters.len(), is_stop_word));
        });
        if !single {
            self.join(terms);
        }
    }

    /// The terms of consecutive words.
    fn join(&self, terms: &mut TermsOfText) {
        let TermsOfText { found, term, letters, parts, .. } = terms;
        let (shortest, longest) = self.lengths;
        for (start, (first, _, is_stop_word)) in parts.iter().enumerate() {
            if *is_stop_word {
                continue;
            }
            term.clear();
            for (length, (last, place, _)) in (1..=longest).zip(parts.iter().skip(start)) {
                if length > 1 {
                    term.push(' ');
                }
                term.push_str(letters.get(place.clone()).unwrap_or_default());
                if length >= shortest {
                    let occurrence = |term| Occurrence { term, first: *first, last: *last };
                    found.extend(self.term(term).map(occurrence));
                }
            }
        }
    }

    fn term(&self, term: &str) -> Option<u32> {
        self.vectorizer.index_of(term).and_then(|column| u32::try_from(column).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;
    use crate::vectorize::{CountVectorizer, StopWords};

    fn counted_alike(settings: &CountVectorizer, texts: &[&str]) {
        let counted = settings.fit_transform(texts, &Progress::silent()).unwrap();
        let finder = TermFinder::new(&counted.vectorizer);
        let mut terms = TermsOfText::default();
        for (row, text) in texts.iter().enumerate() {
            finder.find(text, &mut terms);
            let mut counts = vec![0; counted.counts.cols()];
            for occurrence in &terms.found {
                counts[occurrence.term as usize] += 1;
                assert!(occurrence.first <= occurrence.last && (occurrence.last as usize) < terms.words);
            }
            let expected: Vec<u32> = (0..counts.len()).map(|term| counted.counts.get(row, term)).collect();
            assert_eq!(counts, expected, "{text}");
            assert!(terms.found.is_sorted_by_key(|occurrence| occurrence.first));
            assert_eq!(finder.words_in(text).1.len(), terms.words, "{text}");
        }
    }

    #[test]
    fn terms_are_found_as_they_are_counted() {
        let texts = [
            "The cat saw the cat and THE point of view, https://example.org/cat",
            "my point of view",
            "a point of view",
            "his point of view",
            "her point of view",
            "no point of view",
            "東京大学の大学図書館でカメラを買った",
            "İstanbul'da ΟΔΟΣ, ﬁnd the oﬃce",
            "my name: ________ and the cat",
            // Longer, and shorter, in lower case.
            &format!("the cat {} saw {} THE cat", "İ".repeat(100), "ẞ".repeat(100)),
            "",
        ];
        let words = CountVectorizer::new().stop_words(StopWords::English);
        counted_alike(&words, &texts);
        counted_alike(&words.clone().ngram_range(1, 3), &texts);
        counted_alike(&words.clone().ngram_range(2, 2), &texts);
        counted_alike(&words.clone().phrases(true), &texts);
        counted_alike(&words.lowercase(false), &texts);
    }
}
