//! Inflection: which terms of a vocabulary are forms of one word.
//!
//! Case forms are joined in any language; singular and plural by simple rules of English, each verified against the
//! vocabulary: `cats` is a form of `cat` only if `cat` is a term, too. The rules would rather miss a form than join two
//! words: `news` is not the plural of `new`.

use std::borrow::Cow;

use hashbrown::HashMap;
use rayon::prelude::*;

/// Words that look like the plural of another word, but mean something else; also the names of people.
const NO_PLURALS: &str = "news means thanks regards goods arms customs glasses pants shorts jeans clothes blues odds \
    standings savings earnings contents seconds rights lives leaves series species premises proceeds headquarters \
    besides sometimes always overseas afterwards perhaps mets does canvas chaos cosmos kudos bios ames ethos pathos lens sans \
    mars venus texas kansas wales athens naples james charles jones holmes hughes rogers adams williams roberts \
    richards edwards peters stevens phillips simmons simons brooks parsons collins jenkins myers meyers sanders hawkins \
    abrams andrews daniels matthews michaels owens";

/// Words in -ics that are plurals; others, such as physics and politics, are fields.
const PLURALS_IN_ICS: &str = "academics catholics characteristics clinics comics critics fabrics heuristics mechanics \
    metrics mosaics relics skeptics statistics topics";

/// Plurals without a rule, and their singulars.
const IRREGULAR: [(&str, &str); 20] = [
    ("analyses", "analysis"),
    ("children", "child"),
    ("crises", "crisis"),
    ("criteria", "criterion"),
    ("feet", "foot"),
    ("geese", "goose"),
    ("halves", "half"),
    ("hypotheses", "hypothesis"),
    ("knives", "knife"),
    ("matrices", "matrix"),
    ("men", "man"),
    ("mice", "mouse"),
    ("phenomena", "phenomenon"),
    ("shelves", "shelf"),
    ("teeth", "tooth"),
    ("theses", "thesis"),
    ("vertices", "vertex"),
    ("wives", "wife"),
    ("wolves", "wolf"),
    ("women", "woman"),
];

/// For each term of `vocabulary` (ascending), the term that stands for its word, such as the singular: itself, if no
/// other term is a form of the word. `None` if that applies to all terms. `frequencies` decide between two singulars.
///
/// In an n-gram, only the last word has a plural.
pub(crate) fn words_of_forms(vocabulary: &[String], frequencies: &[f64], english: bool) -> Option<Vec<u32>> {
    let cased = vocabulary.par_iter().any(|term| term.chars().any(char::is_uppercase));
    let mut first = HashMap::<Cow<'_, str>, usize>::new();
    if cased {
        for (column, term) in vocabulary.iter().enumerate() {
            first.entry(lowercase(term)).or_insert(column);
        }
    }
    let find = |term: &str| match cased {
        true => first.get(term).copied(),
        false => vocabulary.binary_search_by(|other| other.as_str().cmp(term)).ok(),
    };
    let frequency = |column: usize| frequencies.get(column).copied().unwrap_or(0.0);
    let base = |(column, term): (usize, &String)| {
        let lower = if cased { lowercase(term) } else { Cow::Borrowed(term.as_str()) };
        let singulars = if english { singulars(&lower) } else { Vec::new() };
        let mut known = singulars.iter().filter_map(|term| find(term));
        // The longer of two singulars (dose, not dos), unless it is a rare slip (boxe), then the more frequent one.
        let longer = known.next().map(|longer| (longer, frequency(longer) >= frequency(column)));
        let singular = match longer {
            Some((longer, true)) => Some(longer),
            longer => known.chain(longer.map(|longer| longer.0)).max_by(|&a, &b| frequency(a).total_cmp(&frequency(b))),
        };
        singular.or_else(|| find(&lower)).unwrap_or(column) as u32
    };
    let mut words: Vec<u32> = vocabulary.par_iter().enumerate().map(base).collect();
    // A base may have one itself; no rule leads back.
    for _ in 0..2 {
        words = words.iter().map(|&base| words.get(base as usize).copied().unwrap_or(base)).collect();
    }
    words.iter().enumerate().any(|(column, &word)| column != word as usize).then_some(words)
}

fn lowercase(term: &str) -> Cow<'_, str> {
    if term.chars().any(char::is_uppercase) { Cow::Owned(term.to_lowercase()) } else { Cow::Borrowed(term) }
}

/// What `term` may be the plural of, in English.
fn singulars(term: &str) -> Vec<String> {
    let (before, word) = match term.rfind(' ') {
        Some(space) => term.split_at(space + 1),
        None => ("", term),
    };
    let with = |singular: String| [before, &singular].concat();
    if let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| *plural == word) {
        return vec![with((*singular).to_owned())];
    }
    if !word.bytes().all(|byte| byte.is_ascii_alphabetic()) || word.len() < 4 {
        return Vec::new();
    }
    if let Some(person) = word.strip_suffix("men").filter(|person| person.len() > 2) {
        return vec![with(format!("{person}man"))];
    }
    let listed = |list: &str| list.split_whitespace().any(|listed| listed == word);
    let Some(stem) = word.strip_suffix('s').filter(|_| !listed(NO_PLURALS)) else { return Vec::new() };
    if ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) {
        return Vec::new();
    }
    if stem.ends_with("ic") && !listed(PLURALS_IN_ICS) {
        return Vec::new();
    }
    let mut found = vec![with(stem.to_owned())];
    if let Some(short) = stem.strip_suffix("ie").filter(|short| short.len() > 1) {
        found.push(with(format!("{short}y")));
    } else if let Some(short) = stem.strip_suffix('e')
        && ["s", "x", "z", "ch", "sh", "o"].iter().any(|ending| short.ends_with(ending))
    {
        found.push(with(short.to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The term under which each of `terms` is counted.
    fn joined<'a>(terms: &[&'a str], english: bool) -> Vec<&'a str> {
        let mut sorted = terms.to_vec();
        sorted.sort_unstable();
        let vocabulary: Vec<String> = sorted.iter().map(|&term| term.to_owned()).collect();
        let words = words_of_forms(&vocabulary, &vec![1.0; terms.len()], english);
        let word = |term: &&str| {
            let column = sorted.binary_search(term).unwrap();
            sorted[words.as_ref().map_or(column, |words| words[column] as usize)]
        };
        terms.iter().map(word).collect()
    }

    #[test]
    fn plurals_are_forms_of_their_singular() {
        for (plural, singular) in [
            ("cats", "cat"),
            ("boxes", "box"),
            ("churches", "church"),
            ("houses", "house"),
            ("caches", "cache"),
            ("movies", "movie"),
            ("cities", "city"),
            ("heroes", "hero"),
            ("buses", "bus"),
            ("gases", "gas"),
            ("women", "woman"),
            ("firemen", "fireman"),
            ("topics", "topic"),
            ("ideas", "idea"),
            ("video games", "video game"),
        ] {
            assert_eq!(joined(&[plural, singular], true), [singular; 2], "{plural}");
            // Not without the singular, nor in another language.
            assert_eq!(joined(&[plural, "zoo"], true), [plural, "zoo"]);
            assert_eq!(joined(&[plural, singular], false), [plural, singular]);
        }
    }

    #[test]
    fn the_frequencies_decide_between_two_singulars() {
        let word = |terms: [&str; 3], frequencies: [f64; 3]| {
            let words = words_of_forms(&terms.map(str::to_owned), &frequencies, true).unwrap();
            terms[words[2] as usize].to_owned()
        };
        assert_eq!(word(["dos", "dose", "doses"], [2000.0, 30.0, 20.0]), "dose");
        assert_eq!(word(["box", "boxe", "boxes"], [200.0, 1.0, 50.0]), "box");
    }

    #[test]
    fn other_words_stay_apart() {
        for (one, other) in [
            ("news", "new"),
            ("glass", "glas"),
            ("gas", "ga"),
            ("bus", "bu"),
            ("analysis", "analysi"),
            ("physics", "physic"),
            ("species", "specie"),
            ("always", "alway"),
            ("thanks", "thank"),
            ("us", "u"),
            ("virus", "viru"),
            ("has", "ha"),
            ("adams", "adam"),
            ("x86s", "x86"),
            ("games video", "game video"),
        ] {
            assert_eq!(joined(&[one, other], true), [one, other], "{one}");
        }
    }

    #[test]
    fn case_forms_are_joined_with_plurals() {
        assert_eq!(joined(&["Cats", "CAT", "cat", "dog"], true), ["CAT", "CAT", "CAT", "dog"]);
        assert_eq!(joined(&["Cats", "CATS"], true), ["CATS", "CATS"]);
        assert_eq!(joined(&["Äpfel", "äpfel"], false), ["Äpfel"; 2]);
        assert_eq!(words_of_forms(&["cat".to_owned(), "dogs".to_owned()], &[1.0; 2], true), None);
    }
}
