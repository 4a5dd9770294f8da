//! BERT's uncased tokenization (Devlin et al. 2019): clean and fold the text, split it at whitespace and punctuation,
//! then split each word into the longest pieces in the vocabulary.
//!
//! Produces the same pieces as Hugging Face's `tokenizers` with `BertNormalizer`, `BertPreTokenizer` and `WordPiece`,
//! only faster: ASCII is folded here byte by byte, anything else by that crate's own rules, once per character. Unlike
//! there, a `[CLS]` or `[MASK]` written in a text is text, not a special token, and a word that cannot be split is
//! dropped rather than replaced by `[UNK]`.

use super::char_folds::{CharFolds, Fold, basic_words};
use crate::error::Result;

/// Longer words, in characters, are unknown, as in BERT.
const MAX_WORD_CHARS: usize = 100;

/// The prefix of a piece that continues a word.
const CONTINUATION: &str = "##";

/// A vocabulary that can be searched for the longest piece at a position in a word.
pub(super) struct WordPiece {
    /// The vocabulary, one piece per line.
    text: &'static str,
    /// Where each piece begins and ends in `text`, and whether it continues a word.
    pieces: Vec<Piece>,
    /// Open addressing with linear probing; a power of two, at most half full.
    slots: Vec<Slot>,
    /// The longest piece, in bytes.
    max_piece_bytes: usize,
    folds: CharFolds,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    start: u32,
    end: u32,
    continues: bool,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The upper half of the piece's hash, so that most mismatches are found without looking at the text.
    tag: u32,
    id: u32,
}

const EMPTY: u32 = u32::MAX;

/// Scratch memory of one thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    folded: String,
    word: Vec<u8>,
    hashes: Vec<u64>,
}

impl WordPiece {
    /// A vocabulary with one piece per line; the id of a piece is its line number, from 0.
    pub(super) fn new(text: &'static str) -> Self {
        let mut pieces = Vec::with_capacity(text.len() / 7);
        for line in text.lines() {
            let offset = line.as_ptr() as usize - text.as_ptr() as usize;
            let continues = line.len() > CONTINUATION.len() && line.starts_with(CONTINUATION);
            let start = offset + if continues { CONTINUATION.len() } else { 0 };
            pieces.push(Piece { start: start as u32, end: (offset + line.len()) as u32, continues });
        }
        let max_piece_bytes = pieces.iter().map(|piece| (piece.end - piece.start) as usize).max().unwrap_or(0);
        let slots = vec![Slot { tag: 0, id: EMPTY }; (2 * pieces.len()).next_power_of_two()];
        let mut vocabulary = WordPiece { text, pieces, slots, max_piece_bytes, folds: CharFolds::new() };
        for id in 0..vocabulary.pieces.len() {
            vocabulary.insert(id);
        }
        vocabulary
    }

    /// The number of pieces.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// A piece as spelled in the vocabulary.
    pub(super) fn token(&self, id: u32) -> Option<&str> {
        let piece = self.pieces.get(id as usize)?;
        let mark = if piece.continues { CONTINUATION.len() } else { 0 };
        self.text.get(piece.start as usize - mark..piece.end as usize)
    }

    /// Appends the ids of the pieces of `text` to `ids`, in order.
    pub(super) fn encode(&self, text: &str, scratch: &mut Scratch, ids: &mut Vec<u32>) -> Result<()> {
        for chunk in text.split([' ', '\t', '\n', '\r']) {
            if chunk.is_ascii() {
                self.encode_ascii(chunk.as_bytes(), scratch, ids);
            } else {
                self.encode_unicode(chunk, scratch, ids)?;
            }
        }
        Ok(())
    }

    /// A stretch of ASCII without whitespace: control characters are dropped, punctuation stands alone.
    fn encode_ascii(&self, chunk: &[u8], scratch: &mut Scratch, ids: &mut Vec<u32>) {
        scratch.word.clear();
        for &byte in chunk {
            if byte.is_ascii_alphanumeric() {
                scratch.word.push(byte.to_ascii_lowercase());
            } else if byte.is_ascii_punctuation() {
                self.split_word(scratch, ids);
                scratch.word.clear();
                scratch.word.push(byte);
                self.split_word(scratch, ids);
                scratch.word.clear();
            }
        }
        self.split_word(scratch, ids);
    }

    /// A stretch with other characters. Normalization never crosses ASCII whitespace (it neither combines nor
    /// reorders), so stretches can be folded one by one, and almost always character by character.
    fn encode_unicode(&self, chunk: &str, scratch: &mut Scratch, ids: &mut Vec<u32>) -> Result<()> {
        scratch.folded.clear();
        for character in chunk.chars() {
            match self.folds.get(character)? {
                Fold::Text(text) => scratch.folded.push_str(text),
                Fold::Reorders => {
                    scratch.folded = basic_words(chunk)?.join(" ");
                    break;
                }
            }
        }
        let folded = std::mem::take(&mut scratch.folded);
        for word in folded.split(' ') {
            scratch.word.clear();
            scratch.word.extend_from_slice(word.as_bytes());
            self.split_word(scratch, ids);
        }
        scratch.folded = folded;
        Ok(())
    }

    /// Splits the word in `scratch`, longest piece first; a word with an unknown part is dropped entirely.
    fn split_word(&self, scratch: &mut Scratch, ids: &mut Vec<u32>) {
        let word = &scratch.word;
        if word.len() > MAX_WORD_CHARS && word.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() > MAX_WORD_CHARS {
            return;
        }
        let known = ids.len();
        let mut start = 0;
        while start < word.len() {
            match self.longest_piece(&word[start..], start > 0, &mut scratch.hashes) {
                Some((id, length)) => {
                    ids.push(id);
                    start += length;
                }
                None => {
                    ids.truncate(known);
                    return;
                }
            }
        }
    }

    /// The longest piece that `rest` begins with, and its length in bytes.
    ///
    /// Prefixes that end inside a character match nothing, since every piece consists of whole characters.
    fn longest_piece(&self, rest: &[u8], continues: bool, hashes: &mut Vec<u64>) -> Option<(u32, usize)> {
        hashes.clear();
        let mut hash = Hash::new(continues);
        for &byte in rest.iter().take(self.max_piece_bytes) {
            hash.add(byte);
            hashes.push(hash.value());
        }
        hashes.iter().enumerate().rev().find_map(|(last, &hash)| {
            let id = self.find(hash, &rest[..=last], continues)?;
            Some((id, last + 1))
        })
    }

    fn find(&self, hash: u64, bytes: &[u8], continues: bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at].id != EMPTY {
            let Slot { tag, id } = self.slots[at];
            if tag == (hash >> 32) as u32 && self.is_piece(id, bytes, continues) {
                return Some(id);
            }
            at = (at + 1) & mask;
        }
        None
    }

    fn is_piece(&self, id: u32, bytes: &[u8], continues: bool) -> bool {
        let piece = self.pieces[id as usize];
        piece.continues == continues && &self.text.as_bytes()[piece.start as usize..piece.end as usize] == bytes
    }

    /// Adds a piece; of two equal ones, the first is found.
    fn insert(&mut self, id: usize) {
        let Piece { start, end, continues } = self.pieces[id];
        let mut hash = Hash::new(continues);
        for &byte in &self.text.as_bytes()[start as usize..end as usize] {
            hash.add(byte);
        }
        let mask = self.slots.len() - 1;
        let mut at = hash.value() as usize & mask;
        while self.slots[at].id != EMPTY {
            at = (at + 1) & mask;
        }
        self.slots[at] = Slot { tag: (hash.value() >> 32) as u32, id: id as u32 };
    }
}

/// FNV-1a, finalized so that both halves are well mixed; the hash of a prefix is extended byte by byte.
struct Hash(u64);

impl Hash {
    fn new(continues: bool) -> Self {
        Hash(if continues { 0x9E37_79B9_7F4A_7C15 } else { 0xCBF2_9CE4_8422_2325 })
    }

    fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }

    fn value(&self) -> u64 {
        (self.0 ^ (self.0 >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    }
}
