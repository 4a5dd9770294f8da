//! The width of texts, estimated: a figure is laid out without knowing which font shows it.

use unicode_normalization::UnicodeNormalization;

/// Widths of the characters from U+0020 to U+007E in thousandths of the font size: those of Helvetica.
const ASCII: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];

/// Fonts of other systems are wider than Helvetica.
const ALLOWANCE: f64 = 1.12;

/// Letters of scripts other than the Latin one, such as Greek and Cyrillic.
const LETTER: u16 = 640;

/// Ideographs, syllables of Korean, kana, and pictographs are as wide as the font is high.
const FULL: u16 = 1000;

/// The width of `text` in pixels at a font size of `size` pixels; fonts in use are rarely wider.
pub(in crate::display) fn text_width(text: &str, size: f64) -> f64 {
    let thousandths: u64 = text.nfd().map(|character| u64::from(advance(character))).sum();
    thousandths as f64 / 1000.0 * size * ALLOWANCE
}

/// The beginning of `text` that is at most `width` pixels wide, with an ellipsis if anything is left out.
pub(in crate::display) fn fitted(text: &str, size: f64, width: f64) -> String {
    let text = text.trim();
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let room = width - text_width("…", size);
    let (mut used, mut kept) = (0.0, String::new());
    for character in text.chars() {
        used += text_width(character.encode_utf8(&mut [0; 4]), size);
        if used > room {
            break;
        }
        kept.push(character);
    }
    format!("{}…", kept.trim_end())
}

fn advance(character: char) -> u16 {
    let code = character as u32;
    match code {
        0x20..=0x7E => ASCII.get(code as usize - 0x20).copied().unwrap_or(LETTER),
        _ if is_mark(code) || character.is_control() => 0,
        _ if is_full(code) => FULL,
        // Typographic signs: dashes, quotes, the ellipsis.
        0x2026 | 0x2014 => FULL,
        0x2010..=0x2027 => 556,
        _ => LETTER,
    }
}

/// Combining marks of the blocks that are made of them, joiners, and variation selectors.
fn is_mark(code: u32) -> bool {
    matches!(
        code,
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05C7 | 0x0610..=0x061A | 0x064B..=0x065F | 0x0E34..=0x0E3A
            | 0x0E47..=0x0E4E | 0x1160..=0x11FF | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F
            | 0x20D0..=0x20FF | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F | 0xFEFF | 0xE0100..=0xE01EF
    )
}

/// Canonical decomposition makes up to three letters of a Korean syllable; the second and third have no width.
fn is_full(code: u32) -> bool {
    matches!(
        code,
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFF60
            | 0xFFE0..=0xFFE6 | 0x1F000..=0x1FAFF | 0x20000..=0x3FFFD
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_have_no_width_and_ideographs_are_wide() {
        assert_eq!(text_width("e\u{301}", 10.0), text_width("e", 10.0));
        assert_eq!(text_width("é", 10.0), text_width("e", 10.0));
        assert!((text_width("漢字", 10.0) - 20.0 * ALLOWANCE).abs() < 1e-9);
        assert!((text_width("한", 10.0) - 10.0 * ALLOWANCE).abs() < 1e-9);
        assert!(text_width("iiii", 10.0) < text_width("mmmm", 10.0) / 3.0);
    }

    #[test]
    fn a_fitted_text_is_no_wider_than_its_room() {
        for text in ["topic modeling of photographs", "写真のトピックモデル", "наука и жизнь", "a"]
        {
            for room in [20.0, 60.0, 200.0] {
                assert!(text_width(&fitted(text, 12.0, room), 12.0) <= room + 1e-9, "{text} {room}");
            }
        }
        assert_eq!(fitted("short", 12.0, 100.0), "short");
    }
}
