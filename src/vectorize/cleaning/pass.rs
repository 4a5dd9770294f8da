//! One pass over a text, from left to right. Every byte is examined a bounded number of times, regardless of the text.

use std::borrow::Cow;

use super::addresses::{address_at, domain_path_at, handle_at, mail_at, www_at};
use super::html::{Missing, entity_at, tag_at};
use super::piece::{Kind, LeftOut, Piece};

/// The minimum number of digits of a number that is not a word.
const LONG_NUMBER: usize = 8;

/// `text` without content that is not words; borrowed if unchanged. Also whether an entity stood for `<` or `&`, in
/// which case another pass may find more.
pub(super) fn pass<'t>(text: &'t str, names_and_numbers: bool, left_out: &mut LeftOut) -> (Cow<'t, str>, bool) {
    let bytes = text.as_bytes();
    let looked_for = if names_and_numbers { 3 } else { 1 };
    let mut missing = Missing::default();
    let (mut out, mut kept, mut at, mut escaped) = (String::new(), 0, 0, false);
    while let Some(skipped) =
        bytes.get(at..).and_then(|rest| rest.iter().position(|&b| BEGINS[usize::from(b)] & looked_for != 0))
    {
        at += skipped;
        let piece = piece_at(text, at, kept, names_and_numbers, &mut missing);
        let Some((before, piece)) = piece.and_then(|piece| Some((text.get(kept..piece.start)?, piece))) else {
            at += 1;
            continue;
        };
        out.push_str(before);
        out.push_str(&piece.with);
        escaped |= piece.kind == Kind::Entity && piece.with.contains(['<', '&']);
        left_out.note(piece.kind);
        (kept, at) = (piece.end, piece.end);
    }
    if kept == 0 {
        return (Cow::Borrowed(text), false);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    (Cow::Owned(out), escaped)
}

/// For each byte, whether it may begin or be part of markup (1) or a number (2).
static BEGINS: [u8; 256] = begins();

const fn begins() -> [u8; 256] {
    let mut begins = [0; 256];
    let markup = b"<&@/.";
    let mut i = 0;
    while i < markup.len() {
        begins[markup[i] as usize] = 1;
        i += 1;
    }
    let mut digit = b'0';
    while digit <= b'9' {
        begins[digit as usize] = 2;
        digit += 1;
    }
    begins
}

/// The piece to replace around the byte at `at`, not before `kept`.
fn piece_at(text: &str, at: usize, kept: usize, names_and_numbers: bool, missing: &mut Missing) -> Option<Piece> {
    match text.as_bytes().get(at)? {
        b'<' => tag_at(text, at, missing),
        b'&' => entity_at(text, at),
        b'/' => address_at(text, at, kept).or_else(|| domain_path_at(text, at, kept)),
        b'.' => www_at(text, at, kept),
        b'@' => mail_at(text, at, kept).or_else(|| names_and_numbers.then(|| handle_at(text, at)).flatten()),
        _ => number_at(text, at),
    }
}

/// A word that consists of many digits.
fn number_at(text: &str, at: usize) -> Option<Piece> {
    let rest = text.get(at..)?;
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if word(text.get(..at)?.chars().next_back()) {
        return None;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits < LONG_NUMBER || word(rest.get(digits..)?.chars().next()) {
        return None;
    }
    Some(Piece::parting(at, at + digits, Kind::Number))
}
