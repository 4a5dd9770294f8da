//! Phrases: runs of two to four words that belong together.

use hashbrown::HashMap;
use rayon::prelude::*;

/// The maximum number of words of a phrase.
pub(super) const LONGEST_PHRASE: usize = 4;
/// The minimum number of occurrences.
const MIN_COUNT: u32 = 5;
/// The minimum normalized pointwise mutual information of the parts of a phrase.
const MIN_NPMI: f64 = 0.5;
/// Separates texts in a sequence of words.
pub(super) const END_OF_TEXT: u32 = u32::MAX;

/// Finds the phrases in `words`, the texts' words in order, each text followed by [`END_OF_TEXT`]. The words are numbers
/// below `distinct`; those below `stop_words` are stop words. Phrases are in ascending order of their words.
///
/// A phrase does not begin or end with a stop word, contains no word twice, and occurs at least five times. Wherever it
/// is split in two, the NPMI of the parts, ln(p(ab) / (p(a) p(b))) / -ln p(ab) with p the number of occurrences per word
/// of the texts, is at least 0.5 (Bouma 2009).
pub(super) fn find(words: &[u32], distinct: usize, stop_words: usize) -> Vec<Vec<u32>> {
    let mut counts = vec![0_u32; distinct];
    for &word in words.iter().filter(|&&word| word != END_OF_TEXT) {
        counts[word as usize] = counts[word as usize].saturating_add(1);
    }
    let total: f64 = counts.iter().map(|&count| f64::from(count)).sum();
    let key = |words: &[u32]| words.iter().fold(0_u128, |key, &word| (key << 32) | u128::from(word));
    let pairs = repeated(words.par_windows(2).filter(|pair| !pair.contains(&END_OF_TEXT)).map(pair_of).collect());
    let known = |pair: &[u32]| pairs.binary_search_by_key(&pair_of(pair), |pair| pair.0).is_ok();
    let begins: Vec<bool> = words.par_windows(2).map(known).collect();
    // Every pair of words in a longer phrase occurs at least as often as the phrase.
    let of_length = |length: usize| {
        let starts =
            begins.par_windows(length - 1).enumerate().filter(|(_, begins)| begins.iter().all(|&begins| begins));
        repeated(starts.map(|(start, _)| key(&words[start..start + length])).collect())
    };
    let (triples, fours) = (of_length(3), of_length(4));
    let count = |words: &[u32]| match words {
        [word] => counts[*word as usize],
        [_, _] => occurrences(&pairs, &pair_of(words)),
        [_, _, _] => occurrences(&triples, &key(words)),
        _ => occurrences(&fours, &key(words)),
    };
    let is_phrase = |words: &[u32]| {
        let is_word = |word: Option<&u32>| word.is_some_and(|&word| word as usize >= stop_words);
        let share = |words: &[u32]| f64::from(count(words)) / total;
        let whole = share(words);
        let npmi = |at: usize| (whole / (share(&words[..at]) * share(&words[at..]))).ln() / -whole.ln();
        let repeats = (1..words.len()).any(|at| words[..at].contains(&words[at]));
        is_word(words.first()) && is_word(words.last()) && !repeats && (1..words.len()).all(|at| npmi(at) >= MIN_NPMI)
    };
    let pairs_words = pairs.iter().map(|&(pair, _)| unpacked(u128::from(pair), 2));
    let longer = |found: &[(u128, u32)], length: usize| -> Vec<Vec<u32>> {
        found.iter().map(|&(key, _)| unpacked(key, length)).collect()
    };
    let mut phrases: Vec<Vec<u32>> = pairs_words.chain(longer(&triples, 3)).chain(longer(&fours, 4)).collect();
    phrases.retain(|words| is_phrase(words));
    phrases.sort_unstable();
    phrases
}

fn pair_of(words: &[u32]) -> u64 {
    words.iter().fold(0, |key, &word| (key << 32) | u64::from(word))
}

fn unpacked(key: u128, length: usize) -> Vec<u32> {
    (0..length).rev().map(|at| (key >> (32 * at)) as u32).collect()
}

/// The keys that occur often enough, ascending, with the number of times.
fn repeated<K: Ord + Copy + Send>(mut keys: Vec<K>) -> Vec<(K, u32)> {
    keys.par_sort_unstable();
    let runs = keys.chunk_by(|a, b| a == b);
    let counted = runs.filter_map(|run| Some((*run.first()?, u32::try_from(run.len()).unwrap_or(u32::MAX))));
    counted.filter(|(_, count)| *count >= MIN_COUNT).collect()
}

fn occurrences<K: Ord>(counted: &[(K, u32)], key: &K) -> u32 {
    let place = counted.binary_search_by(|(other, _)| other.cmp(key));
    place.ok().and_then(|place| counted.get(place)).map_or(0, |(_, count)| *count)
}

/// Phrases as sequences of word numbers, to find them in texts.
#[derive(Default)]
pub(super) struct Phrases {
    /// The node that a word leads to from a node; 0 is the start.
    next: HashMap<(u32, u32), u32>,
    /// Whether a phrase ends at a node.
    ends: Vec<bool>,
}

impl Phrases {
    pub(super) fn new(phrases: impl Iterator<Item = Vec<u32>>) -> Self {
        let mut tree = Phrases { next: HashMap::new(), ends: vec![false] };
        for phrase in phrases {
            let mut node = 0;
            for word in phrase {
                let new = tree.ends.len() as u32;
                node = *tree.next.entry((node, word)).or_insert(new);
                if node == new {
                    tree.ends.push(false);
                }
            }
            if let Some(end) = tree.ends.get_mut(node as usize) {
                *end = true;
            }
        }
        tree
    }

    /// Calls `visit` with the words of every beginning of a phrase at the start of `words`, from two words on, and
    /// whether it is a phrase.
    pub(super) fn at_start(&self, words: &[u32], mut visit: impl FnMut(u32, bool)) {
        let mut node = 0;
        for (at, &word) in words.iter().enumerate() {
            let Some(&next) = self.next.get(&(node, word)) else { return };
            node = next;
            if at > 0 {
                visit(word, self.ends.get(node as usize).copied().unwrap_or(false));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_belong_together_are_phrases() {
        // 0 is a stop word. "1 0 2" six times, "3 4" five times among many others, "5 6" four times.
        let mut words = Vec::new();
        (0..6).for_each(|i| words.extend([7 + i, 1, 0, 2, 8 + i, END_OF_TEXT]));
        (0..5).for_each(|i| words.extend([3, 4, 20 + i, END_OF_TEXT]));
        (0..4).for_each(|i| words.extend([5, 6, 30 + i, END_OF_TEXT]));
        // Across texts, words do not meet; "40 41" occurs as often as chance has it, "42 42" repeats a word.
        (0..6).for_each(|_| words.extend([9, END_OF_TEXT, 10, END_OF_TEXT, 42, 42, END_OF_TEXT]));
        (0..60).for_each(|i| {
            words.extend([if i % 2 == 0 { 40 } else { 41 }, if i % 3 == 0 { 40 } else { 41 }, END_OF_TEXT])
        });
        let found = find(&words, 50, 1);
        assert_eq!(found, [vec![1, 0, 2], vec![3, 4]]);
        let phrases = Phrases::new(found.into_iter());
        let mut seen = Vec::new();
        phrases.at_start(&[1, 0, 2, 3], |word, ends| seen.push((word, ends)));
        assert_eq!(seen, [(0, false), (2, true)]);
    }
}
