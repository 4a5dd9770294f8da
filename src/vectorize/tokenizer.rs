//! Splitting text into words.
//!
//! In scripts with spaces between words, a word is a run of two or more letters, digits, or underscores, as in
//! scikit-learn's token pattern `(?u)\b\w\w+\b`. Unlike with Python's `\w`, which splits such words, vowel signs
//! (`हिन्दी`), combining accents (`é` written as two characters), and joiners (`می‌خواهم`) are part of the word, and
//! squared or circled letters (🅰) are symbols, not letters.
//!
//! In scripts without spaces, runs of one script are segmented by rules, without a dictionary:
//!
//! | run | words |
//! |---|---|
//! | ideographs, up to 3 (`猫`, `東京`, `図書館`) | the run |
//! | 4 ideographs (`東京大学`) | its halves: `東京`, `大学` |
//! | 5 ideographs or more (`大学図書館`, a Chinese clause) | its bigrams: `大学`, `学図`, `図書`, `書館` |
//! | katakana, 2 or more (`カメラ`) | the run |
//! | hiragana directly after another word (`食べました`, `猫が`) | none: these are endings and particles |
//! | other hiragana (`りんごを`) | its pieces of 2 or more, split at `を`, which is always a particle: `りんご` |
//! | Thai, Lao, Khmer, Burmese ..., up to 10 user-perceived characters | the run: presegmented text keeps its words |
//! | the same, longer | its trigrams |
//!
//! Most Chinese and Japanese words have two ideographs, so bigrams find them, along with some pairs that straddle two
//! words. Text that was segmented with spaces beforehand yields better words.

use unicode_segmentation::UnicodeSegmentation;

/// The maximum length of a run of ideographs that is a single word.
const LONGEST_HAN_WORD: usize = 3;
/// The maximum length of a run of a Southeast Asian script that is a single word, in user-perceived characters.
const LONGEST_SOUTHEAST_ASIAN_WORD: usize = 10;

/// The segmentation method for a run of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    /// Any script with spaces between words.
    Spaced,
    Han,
    Hiragana,
    Katakana,
    SoutheastAsian,
}

/// A run of characters of one script.
struct Run {
    script: Script,
    end: usize,
    /// The number of letters and digits, not counting marks.
    letters: usize,
}

/// Calls `emit` for each word of `text`, in order. Words are slices of `text`; some overlap (see the module).
pub(super) fn for_each_word<'a>(text: &'a str, mut emit: impl FnMut(&'a str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    // The end of the previous run.
    let mut word_end = usize::MAX;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii() && !is_ascii_word(byte) {
            at += 1;
            continue;
        }
        let Some(run) = run_at(text, at) else {
            at += char_at(text, at).map_or(1, char::len_utf8);
            continue;
        };
        emit_words(&text[at..run.end], &run, word_end == at, &mut emit);
        word_end = run.end;
        at = run.end;
    }
}

fn emit_words<'a>(text: &'a str, run: &Run, follows_word: bool, emit: &mut impl FnMut(&'a str)) {
    match run.script {
        Script::Spaced | Script::Katakana => {
            if run.letters >= 2 {
                emit(text.trim_end_matches(is_joiner));
            }
        }
        Script::Han if run.letters <= LONGEST_HAN_WORD => emit(text),
        Script::Han if run.letters == 4 => neighbors(text, 2, 2, emit),
        Script::Han => neighbors(text, 2, 1, emit),
        Script::Hiragana if follows_word => {}
        Script::Hiragana => {
            text.split('を').filter(|piece| piece.chars().nth(1).is_some()).for_each(emit);
        }
        Script::SoutheastAsian => {
            if text.graphemes(true).nth(LONGEST_SOUTHEAST_ASIAN_WORD).is_some() {
                neighbors(text, 3, 1, emit);
            } else if run.letters >= 2 {
                emit(text.trim_end_matches(is_joiner));
            }
        }
    }
}

/// Emits windows of `width` user-perceived characters, advancing by `step`.
fn neighbors<'a>(text: &'a str, width: usize, step: usize, emit: &mut impl FnMut(&'a str)) {
    let firsts = text.grapheme_indices(true);
    let lasts = text.grapheme_indices(true).skip(width - 1);
    for ((start, _), (last, grapheme)) in firsts.zip(lasts).step_by(step) {
        emit(&text[start..last + grapheme.len()]);
    }
}

/// The run of one script that starts at `start`, if there is a letter or a digit.
fn run_at(text: &str, start: usize) -> Option<Run> {
    let first = char_at(text, start)?;
    let script = script_of(first)?;
    let mut run = Run { script, end: start + first.len_utf8(), letters: 1 };
    let mut last_letter = start;
    loop {
        if script == Script::Spaced {
            let ascii = text.as_bytes()[run.end..].iter().take_while(|&&byte| is_ascii_word(byte)).count();
            if ascii > 0 {
                run.letters += ascii;
                run.end += ascii;
                last_letter = run.end - 1;
            }
        }
        let Some(next) = char_at(text, run.end).filter(|next| !next.is_ascii()) else { return Some(run) };
        if continues(script, next) {
            last_letter = run.end;
            run.letters += 1;
            run.end += next.len_utf8();
        } else if !extend(text, last_letter, next, &mut run) {
            return Some(run);
        }
    }
}

/// Whether `next`, which is not a letter, belongs to the user-perceived character that starts at `letter`: an accent, a
/// virama, a joiner. If so, the run continues after that character.
fn extend(text: &str, letter: usize, next: char, run: &mut Run) -> bool {
    // A variation selector turns a digit or a letter into an emoji.
    if script_of(next).is_some() || next == '\u{fe0f}' {
        return false;
    }
    let end = text[letter..].graphemes(true).next().map_or(letter, |grapheme| letter + grapheme.len());
    if end <= run.end {
        return false;
    }
    run.letters += text[run.end..end].chars().filter(|c| c.is_alphanumeric()).count();
    run.end = end;
    true
}

fn continues(script: Script, next: char) -> bool {
    match script_of(next) {
        // The long vowel mark is used in both kana.
        Some(Script::Katakana) if script == Script::Hiragana => next == 'ー',
        of_next => of_next == Some(script),
    }
}

/// The script of a letter, a digit, or an underscore; `None` for everything else.
fn script_of(c: char) -> Option<Script> {
    match c {
        '\0'..='\x7f' => return is_ascii_word(c as u8).then_some(Script::Spaced),
        // Circled and squared letters.
        '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f189}' => return None,
        _ if !c.is_alphanumeric() => return None,
        _ => {}
    }
    Some(match c {
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{1950}'..='\u{19df}'
        | '\u{1a20}'..='\u{1aaf}'
        | '\u{a9e0}'..='\u{a9ff}'
        | '\u{aa60}'..='\u{aadf}'
            if !c.is_numeric() =>
        {
            Script::SoutheastAsian
        }
        '\u{3005}' | '\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3038}'..='\u{303b}' => Script::Han,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' => Script::Han,
        '\u{20000}'..='\u{3ffff}' => Script::Han,
        '\u{3041}'..='\u{309f}' => Script::Hiragana,
        '\u{30a1}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => Script::Katakana,
        _ => Script::Spaced,
    })
}

fn is_ascii_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

fn char_at(text: &str, at: usize) -> Option<char> {
    text.get(at..)?.chars().next()
}

#[cfg(test)]
mod tests {
    use super::for_each_word;

    fn words(text: &str) -> Vec<&str> {
        let mut words = Vec::new();
        for_each_word(text, |word| words.push(word));
        words
    }

    #[test]
    fn words_of_spaced_scripts() {
        assert_eq!(words("a bc, d_e f-gh 12 3 don't x2"), ["bc", "d_e", "gh", "12", "don", "x2"]);
        assert_eq!(
            words("Ärger in Łódź; Ελλάδα, Москва. 한국어 배우기"),
            ["Ärger", "in", "Łódź", "Ελλάδα", "Москва", "한국어", "배우기"]
        );
        assert_eq!(words(""), [""; 0]);
        assert_eq!(words("“quoted”—and… 5€"), ["quoted", "and"]);
    }

    #[test]
    fn marks_stay_in_their_word() {
        assert_eq!(
            words("cafe\u{301} e\u{301} re\u{323}\u{301}sume\u{301}"),
            ["cafe\u{301}", "re\u{323}\u{301}sume\u{301}"]
        );
        assert_eq!(words("हिन्दी में क्षत्रिय"), ["हिन्दी", "में", "क्षत्रिय"]);
        assert_eq!(words("می\u{200c}خواهم کتاب\u{200c} ها"), ["می\u{200c}خواهم", "کتاب", "ها"]);
    }

    #[test]
    fn pictures_are_no_words() {
        assert_eq!(words("👩‍🔬 🎉🎉 1️⃣2️⃣ 🅰️🅱️ Ⓜ️ 🇩🇪 👍🏽"), [""; 0]);
        assert_eq!(words("cat🐱dog"), ["cat", "dog"]);
    }

    #[test]
    fn japanese() {
        assert_eq!(words("黒い猫が庭で寝ています。"), ["黒", "猫", "庭", "寝"]);
        assert_eq!(words("東京駅でカメラを買った"), ["東京駅", "カメラ", "買"]);
        assert_eq!(words("東京大学の大学図書館"), ["東京", "大学", "大学", "学図", "図書", "書館"]);
        assert_eq!(words("りんごを食べる。らーめん、ア、の"), ["りんご", "食", "らーめん"]);
        assert_eq!(words("2024年のiPhoneケース 人々"), ["2024", "年", "iPhone", "ケース", "人々"]);
    }

    #[test]
    fn chinese_and_southeast_asian() {
        assert_eq!(words("我喜欢吃苹果，猫"), ["我喜", "喜欢", "欢吃", "吃苹", "苹果", "猫"]);
        assert_eq!(words("แมว รถไฟ"), ["แมว", "รถไฟ"]);
        let clause = words("ประเทศไทยมีอาหารอร่อย");
        assert!(clause.len() > 5 && clause.iter().all(|word| word.chars().count() >= 3), "{clause:?}");
        assert_eq!(words("១២ កម្ពុជា"), ["១២", "កម្ពុជា"]);
    }
}
