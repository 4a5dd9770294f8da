//! Selecting and ordering the terms that become columns.

use rayon::prelude::*;

use super::count_vectorizer::CountVectorizer;
use super::terms::{ByTerm, Terms};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};

/// Marks a term without a column.
pub(super) const NO_COLUMN: u32 = u32::MAX;

/// The selected terms.
pub(super) struct Selection {
    /// In the order of their columns.
    pub(super) vocabulary: Vec<String>,
    /// [`NO_COLUMN`] for the others.
    pub(super) columns: ByTerm<u32>,
}

/// Keeps the terms that satisfy min_df, max_df, and max_features, sorted by code point.
pub(super) fn select(terms: &Terms, settings: &CountVectorizer, documents: usize) -> Result<Selection> {
    let found = terms.numbers().filter(|&term| terms.totals(term).documents > 0);
    let (low, high) = (settings.min_df.documents(documents), settings.max_df.documents(documents));
    let (mut kept, mut rare, mut frequent) = (Vec::new(), 0_usize, 0_usize);
    for term in found {
        let holders = f64::from(terms.totals(term).documents);
        match (holders < low, holders > high) {
            (true, _) => rare += 1,
            (_, true) => frequent += 1,
            _ => kept.push(term),
        }
    }
    if kept.is_empty() {
        return Err(none_left(settings, documents, rare, frequent));
    }
    sort(terms, &mut kept, settings.longest_term());
    if let Some(most) = settings.max_features {
        keep_most_frequent(terms, &mut kept, most);
    }
    let mut columns = ByTerm::filled(terms, NO_COLUMN);
    for (column, &term) in kept.iter().enumerate() {
        *columns.get_mut(term) = column as u32;
    }
    let text = |&term: &u32| {
        let mut text = String::new();
        terms.write(term, &mut text);
        text
    };
    Ok(Selection { vocabulary: kept.par_iter().map(text).collect(), columns })
}

/// Sorts `kept` by text without building the texts: the space between two words sorts before every character of a word,
/// so n-grams sort like the sequences of their words.
fn sort(terms: &Terms, kept: &mut [u32], longest: usize) {
    let rank = ranks_of_words(terms);
    let tail = longest.saturating_sub(2);
    let mut tails = vec![0; kept.len() * tail];
    // The ranks of the first two words in one number; those of the others in `tails`. 0 if there is no word.
    let mut keys: Vec<(u64, u32, u32)> = Vec::with_capacity(kept.len());
    for (i, &term) in kept.iter().enumerate() {
        let (mut head, mut at) = (0, 0);
        terms.for_each_word_of(term, &mut |word| {
            match at {
                0 => head = u64::from(rank[word as usize]) << 32,
                1 => head |= u64::from(rank[word as usize]),
                _ => tails[i * tail + at - 2] = rank[word as usize],
            }
            at += 1;
        });
        keys.push((head, i as u32, term));
    }
    let rest = |i: u32| &tails[i as usize * tail..(i as usize + 1) * tail];
    keys.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| rest(a.1).cmp(rest(b.1))));
    for (place, (_, _, term)) in kept.iter_mut().zip(keys) {
        *place = term;
    }
}

/// The rank of each word among all sorted words, starting at 1.
fn ranks_of_words(terms: &Terms) -> Vec<u32> {
    let mut words: Vec<(&str, u32)> =
        (0..terms.word_count() as u32).map(|word| (terms.text_of_word(word), word)).collect();
    words.par_sort_unstable();
    let mut ranks = vec![0; words.len()];
    for (rank, (_, word)) in words.into_iter().enumerate() {
        ranks[word as usize] = rank as u32 + 1;
    }
    ranks
}

/// Keeps the `most` most frequent terms in their order; the first ones win ties.
fn keep_most_frequent(terms: &Terms, kept: &mut Vec<u32>, most: usize) {
    if kept.len() <= most {
        return;
    }
    let mut places: Vec<usize> = (0..kept.len()).collect();
    places.sort_by_key(|&place| std::cmp::Reverse(terms.totals(kept[place]).occurrences));
    places.truncate(most);
    places.sort_unstable();
    *kept = places.into_iter().map(|place| kept[place]).collect();
}

fn none_left(settings: &CountVectorizer, documents: usize, rare: usize, frequent: usize) -> Error {
    let (shortest, longest) = settings.ngram_range;
    let texts = if documents == 1 { "the only text".to_owned() } else { format!("{documents} texts") };
    if rare + frequent > 0 {
        let message = format!(
            "no terms remain: of {} distinct terms in {texts}, {rare} occur in fewer texts than min_df = {} allows \
             and {frequent} in more than max_df = {} allows",
            rare + frequent,
            settings.min_df,
            settings.max_df,
        );
        return Error::new(ErrorKind::InvalidData, Stage::Vectorize, message)
            .with_hint("Lower min_df or raise max_df.");
    }
    let message = format!("no terms: nothing to count in {texts}");
    let a_word = "Words have two or more letters or digits; single letters and stop words are not counted.";
    let hint = if shortest > 1 {
        Hint::new(format!(
            "Apart from stop words, no text has the {shortest} words of an n-gram ({shortest} to {longest}): allow \
             shorter n-grams."
        ))
    } else {
        Hint::new(format!(
            "{a_word} If all words are stop words, use .stop_words(StopWords::None) or a custom list; if the texts \
             contain only addresses or tags, use .cleaning(TextCleaning::None)."
        ))
        .on_command_line(format!(
            "{a_word} If all words are stop words, use --stop-words none or a custom file; if the texts contain only \
             addresses or tags, use --clean none."
        ))
    };
    Error::new(ErrorKind::InvalidData, Stage::Vectorize, message).with_hint(hint)
}
