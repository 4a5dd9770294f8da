//! Interned terms: every distinct word and n-gram is stored once and referred to by an ID.

use std::hash::BuildHasher;

use hashbrown::hash_table::{Entry, HashTable};

/// The hasher for words. The seed differs between runs, but no result depends on it.
pub(super) type Hasher = hashbrown::DefaultHashBuilder;

/// The bit of a term ID that marks n-grams; the other bits number words and n-grams separately, starting at 0.
const NGRAM: u32 = 1 << 31;

/// The maximum number of distinct words, and of distinct n-grams.
pub(super) const MAX_TERMS: usize = NGRAM as usize - 1;

/// The frequencies of a term.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) documents: u32,
    pub(super) occurrences: u64,
}

/// Distinct words, and n-grams of them. An n-gram consists of a prefix (also a term) and its last word.
pub(super) struct Terms {
    hasher: Hasher,
    /// The concatenated words, and the end of each.
    text: String,
    ends: Vec<usize>,
    hashes: Vec<u64>,
    words: HashTable<u32>,
    pairs: Vec<(u32, u32)>,
    ngrams: HashTable<u32>,
    totals: ByTerm<Totals>,
}

/// A value for every term.
pub(super) struct ByTerm<T> {
    words: Vec<T>,
    ngrams: Vec<T>,
}

impl<T: Copy> ByTerm<T> {
    /// `value` for each of `terms`.
    pub(super) fn filled(terms: &Terms, value: T) -> Self {
        ByTerm { words: vec![value; terms.ends.len()], ngrams: vec![value; terms.pairs.len()] }
    }

    pub(super) fn get(&self, term: u32) -> T {
        if term & NGRAM == 0 { self.words[term as usize] } else { self.ngrams[(term ^ NGRAM) as usize] }
    }

    pub(super) fn get_mut(&mut self, term: u32) -> &mut T {
        if term & NGRAM == 0 { &mut self.words[term as usize] } else { &mut self.ngrams[(term ^ NGRAM) as usize] }
    }
}

impl Terms {
    /// A table with only the terms `first`, numbered from 0 in order.
    pub(super) fn new(first: &[String], hasher: Hasher) -> Self {
        let mut terms = Terms {
            hasher,
            text: String::new(),
            ends: Vec::new(),
            hashes: Vec::new(),
            words: HashTable::new(),
            pairs: Vec::new(),
            ngrams: HashTable::new(),
            totals: ByTerm { words: Vec::new(), ngrams: Vec::new() },
        };
        for word in first {
            terms.word(word);
        }
        terms
    }

    pub(super) fn word_count(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn ngram_count(&self) -> usize {
        self.pairs.len()
    }

    /// The ID of `word`.
    pub(super) fn word(&mut self, word: &str) -> u32 {
        self.hashed_word(word, self.hasher.hash_one(word))
    }

    fn hashed_word(&mut self, word: &str, hash: u64) -> u32 {
        let Terms { text, ends, hashes, words, totals, .. } = self;
        let same = |&id: &u32| hashes[id as usize] == hash && word_of(text, ends, id) == word;
        match words.entry(hash, same, |&id| hashes[id as usize]) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let id = ends.len() as u32;
                place.insert(id);
                text.push_str(word);
                ends.push(text.len());
                hashes.push(hash);
                totals.words.push(Totals::default());
                id
            }
        }
    }

    /// The ID of the n-gram that consists of the term `first` followed by the word `last`.
    pub(super) fn ngram(&mut self, first: u32, last: u32) -> u32 {
        let Terms { hasher, pairs, ngrams, totals, .. } = self;
        let hash = |pair: (u32, u32)| hasher.hash_one((u64::from(pair.0) << 32) | u64::from(pair.1));
        let same = |&id: &u32| pairs[id as usize] == (first, last);
        let id = match ngrams.entry(hash((first, last)), same, |&id| hash(pairs[id as usize])) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let id = pairs.len() as u32;
                place.insert(id);
                pairs.push((first, last));
                totals.ngrams.push(Totals::default());
                id
            }
        };
        id | NGRAM
    }

    /// Records one more document with `times` occurrences of `term`.
    pub(super) fn add_document(&mut self, term: u32, times: u32) {
        let totals = self.totals.get_mut(term);
        totals.documents += 1;
        totals.occurrences += u64::from(times);
    }

    /// Adds the terms of `other`, which must use the same hasher, and their frequencies. Returns their IDs in this
    /// table.
    pub(super) fn absorb(&mut self, other: &Terms) -> ByTerm<u32> {
        let mut here = ByTerm { words: Vec::with_capacity(other.word_count()), ngrams: Vec::new() };
        for id in 0..other.word_count() as u32 {
            let term = self.hashed_word(word_of(&other.text, &other.ends, id), other.hashes[id as usize]);
            here.words.push(term);
            self.add(term, other.totals.get(id));
        }
        here.ngrams.reserve_exact(other.ngram_count());
        // An n-gram comes after its prefix.
        for (id, &(first, last)) in other.pairs.iter().enumerate() {
            let term = self.ngram(here.get(first), here.get(last));
            here.ngrams.push(term);
            self.add(term, other.totals.ngrams[id]);
        }
        here
    }

    fn add(&mut self, term: u32, more: Totals) {
        let totals = self.totals.get_mut(term);
        totals.documents += more.documents;
        totals.occurrences += more.occurrences;
    }

    pub(super) fn totals(&self, term: u32) -> Totals {
        self.totals.get(term)
    }

    /// The IDs of all terms.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        (0..self.word_count() as u32).chain((0..self.ngram_count() as u32).map(|id| id | NGRAM))
    }

    /// The word with this ID.
    pub(super) fn text_of_word(&self, word: u32) -> &str {
        word_of(&self.text, &self.ends, word)
    }

    /// Appends the words of `term`, separated by spaces.
    pub(super) fn write(&self, term: u32, out: &mut String) {
        self.for_each_word_of(term, &mut |word| {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(self.text_of_word(word));
        });
    }

    /// Calls `visit` for the words of `term`, first to last.
    pub(super) fn for_each_word_of(&self, term: u32, visit: &mut impl FnMut(u32)) {
        if term & NGRAM == 0 {
            return visit(term);
        }
        let (first, last) = self.pairs[(term ^ NGRAM) as usize];
        self.for_each_word_of(first, visit);
        visit(last);
    }
}

fn word_of<'a>(text: &'a str, ends: &[usize], id: u32) -> &'a str {
    let start = if id == 0 { 0 } else { ends[id as usize - 1] };
    &text[start..ends[id as usize]]
}
