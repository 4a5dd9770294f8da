//! Unicode normalization: different forms of a word are the same word.
//!
//! Texts are normalized to the composed form (NFC), and letters that differ only in appearance to the compatibility
//! form: full-width and half-width letters and digits, ligatures, mathematical letters, and Arabic presentation forms.
//! Symbols are not changed: full NFKC would turn a trademark sign into `tm`, so that `Java™` and `Java` would be
//! different words.

use std::borrow::Cow;

use unicode_normalization::char::decompose_compatible;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A hyphen that is visible only at a line break.
const SOFT_HYPHEN: char = '\u{ad}';

/// `text` with every letter in a single form. Costs almost nothing if it is already normalized.
pub(super) fn in_one_form(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_in_one_form(text) {
        return Cow::Borrowed(text);
    }
    let mut letters = String::with_capacity(text.len());
    for c in text.chars().filter(|&c| c != SOFT_HYPHEN) {
        match has_other_form(c) {
            true => decompose_compatible(c, |letter| letters.push(letter)),
            false => letters.push(c),
        }
    }
    Cow::Owned(letters.nfc().collect())
}

fn is_in_one_form(text: &str) -> bool {
    !text.chars().any(has_other_form) && is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// Whether `c` is a letter or a digit with a simpler form, or is removed from words.
fn has_other_form(c: char) -> bool {
    match c {
        '\0'..='\x7f' => false,
        SOFT_HYPHEN | 'µ' | 'Ĳ' | 'ĳ' | 'ſ' => true,
        '\u{1c4}'..='\u{1cc}' | '\u{1f1}'..='\u{1f3}' => true,
        // Greek symbols, mathematical letters, Roman numerals.
        '\u{3d0}'..='\u{3d2}' | '\u{3d5}' | '\u{3d6}' | '\u{3f0}'..='\u{3f2}' | '\u{3f4}' | '\u{3f5}' => true,
        '\u{2100}'..='\u{214f}' => c.is_alphabetic(),
        '\u{2160}'..='\u{217f}' | '\u{1d400}'..='\u{1d7ff}' => true,
        // Radicals, which some PDFs contain instead of ideographs.
        '\u{2e80}'..='\u{2fd5}' => true,
        // Ligatures and presentation forms.
        '\u{fb00}'..='\u{fb06}' | '\u{fb13}'..='\u{fb17}' => true,
        '\u{fb50}'..='\u{fdef}' | '\u{fe80}'..='\u{fefc}' => c.is_alphanumeric(),
        // Full-width and half-width forms.
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => true,
        '\u{ff66}'..='\u{ff9f}' | '\u{ffa0}'..='\u{ffdc}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::in_one_form;
    use std::borrow::Cow;

    #[test]
    fn forms_of_a_word_are_one() {
        for (other, one) in [
            ("cafe\u{301}", "café"),
            ("ｃａｆé ２０２４", "café 2024"),
            ("ﬁnd the oﬃce", "find the office"),
            ("𝐇𝐞𝐥𝐥𝐨", "Hello"),
            ("ｶﾞﾗｽ", "ガラス"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            ("ﻛﺘﺎﺏ", "كتاب"),
            ("5 µm", "5 μm"),
            ("Donau\u{ad}dampf", "Donaudampf"),
            ("⽔", "水"),
            ("a\u{323}\u{302}", "ậ"),
        ] {
            assert_eq!(in_one_form(other), in_one_form(one), "{other}");
        }
        assert_eq!(in_one_form("cafe\u{301}"), "café");
    }

    #[test]
    fn what_is_in_one_form_stays() {
        for text in ["plain", "Ärger im Café — “so”", "東京", "हिन्दी", "می\u{200c}خواهم", "Java™ x² ½ № 1º Ⓜ"]
        {
            assert_eq!(in_one_form(text), text);
        }
        assert!(matches!(in_one_form("Ärger im Café"), Cow::Borrowed(_)));
    }
}
