//! Preprocessing texts into words: cleaning, Unicode normalization, and lowercasing.

use std::borrow::Cow;
use std::ops::Range;

use super::cleaning::{LeftOut, TextCleaning};
use super::forms::in_one_form;
use super::tokenizer::for_each_word;

/// `text` as an embedder may read it: cleaned and Unicode-normalized.
pub(crate) fn as_read(text: &str, cleaning: TextCleaning) -> Cow<'_, str> {
    match cleaning.clean(text) {
        Cow::Borrowed(text) => in_one_form(text),
        Cow::Owned(text) => Cow::Owned(in_one_form(&text).into_owned()),
    }
}

/// The preprocessing settings for texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) lowercase: bool,
    pub(super) cleaning: TextCleaning,
}

impl Reading {
    /// Lower case, without cleaning.
    pub(super) fn plain() -> Self {
        Reading { lowercase: true, cleaning: TextCleaning::None }
    }

    /// Calls `emit` for each word of `text`, in order.
    pub(super) fn for_each_word(&self, text: &str, buffer: &mut String, emit: impl FnMut(&str)) {
        self.for_each_word_counting(text, buffer, &mut LeftOut::default(), emit);
    }

    /// Like [`for_each_word`](Self::for_each_word), but counts what is removed.
    pub(super) fn for_each_word_counting(
        &self,
        text: &str,
        buffer: &mut String,
        left_out: &mut LeftOut,
        mut emit: impl FnMut(&str),
    ) {
        let cleaned = self.cleaning.clean_counting(text, left_out);
        let letters = in_one_form(&cleaned);
        let text = if self.lowercase { lowered(&letters, buffer) } else { &letters };
        match self.cleaning {
            TextCleaning::None => for_each_word(text, emit),
            _ => for_each_word(text, |word| {
                if !is_line(word) {
                    emit(word);
                }
            }),
        }
    }

    /// `text` as it is read, and the places of its words in it, in order, but for those that have more than `longest` bytes
    /// when they are read. It is in lower case only if its words would be others otherwise.
    pub(super) fn words_in(&self, text: &str, longest: usize) -> (String, Vec<Range<usize>>) {
        let cleaned = self.cleaning.clean(text);
        let letters = in_one_form(&cleaned);
        let places = self.places_of_words(&letters);
        let (mut buffer, mut as_read) = (String::new(), places.clone());
        if self.lowercase {
            as_read = self.places_of_words(lowered(&letters, &mut buffer));
            if as_read.len() != places.len() {
                as_read.retain(|place| place.len() <= longest);
                return (buffer, as_read);
            }
        }
        // A letter may have more bytes in lower case.
        let short = places.into_iter().zip(as_read).filter(|(_, as_read)| as_read.len() <= longest);
        (letters.into_owned(), short.map(|(place, _)| place).collect())
    }

    /// Where the words of a cleaned `text` are. Some overlap.
    fn places_of_words(&self, text: &str) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        // Words are slices of the text.
        for_each_word(text, |word| {
            if matches!(self.cleaning, TextCleaning::None) || !is_line(word) {
                let start = (word.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
                places.push(start..start + word.len());
            }
        });
        places
    }

    /// The distinct words of a list's entries, sorted: `aujourd'hui` occurs in texts as `aujourd` and `hui`. Entries
    /// with a space are skipped: `New York` must not remove `new` and `york`.
    pub(super) fn words_of_entries<'a>(&self, entries: impl Iterator<Item = &'a str>) -> Vec<String> {
        let (mut words, mut buffer) = (Vec::new(), String::new());
        for entry in entries.map(str::trim).filter(|entry| !entry.contains(char::is_whitespace)) {
            self.for_each_word(entry, &mut buffer, |word| words.push(word.to_owned()));
        }
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// Whether a word is a line to write on, which is none.
fn is_line(word: &str) -> bool {
    word.chars().all(|c| c == '_')
}

/// The first `bytes` bytes of `text`, rounded down to a character boundary.
pub(super) fn beginning(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// `text` in lower case, in `buffer`.
fn lowered<'a>(text: &str, buffer: &'a mut String) -> &'a str {
    if text.is_ascii() {
        buffer.clear();
        buffer.push_str(text);
        buffer.make_ascii_lowercase();
    } else {
        *buffer = text.to_lowercase();
    }
    buffer
}
