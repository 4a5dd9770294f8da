//! Detecting the languages of texts by their stop words.
//!
//! A word that is on the lists of n languages counts for each of them with a weight of 1/n. A text is in the language
//! with the highest weight, if that is unambiguous. A corpus is in the languages of its texts or, if few texts are long
//! enough to be unambiguous, in the language of all their words together.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::languages::Language;
use super::reading::{Reading, beginning};

/// The number of texts in the evenly spaced sample.
const SAMPLE: usize = 500;
/// The number of bytes examined per text.
const BYTES_OF_A_TEXT: usize = 1_000;
/// The minimum share of stop words in a text in a language, and the minimum ratio of its weight to the second highest.
const COVERED: f64 = 0.2;
const CLEARLY: f64 = 1.5;
/// The minimum number of distinct stop words to detect a language.
const ENOUGH: usize = 3;
/// The minimum weight of the language of all words together.
const WEIGHT_OF_ALL: f64 = 0.06;

/// The detected languages of `texts`, sorted by name; English is handled by [`super::language`].
pub(super) fn languages_of(texts: &[&str], reading: &Reading, english: bool) -> Vec<Language> {
    let sampled = texts.len().min(SAMPLE);
    let mut all = Words::default();
    let mut votes: HashMap<Language, usize> = HashMap::new();
    let mut spoken = 0;
    for text in (0..sampled).filter_map(|i| texts.get(i * texts.len() / sampled)) {
        let words = Words::of(beginning(text, BYTES_OF_A_TEXT), reading);
        spoken += usize::from(words.count > 0);
        if let Some(language) = words.language().filter(|&language| words.different(language) >= ENOUGH) {
            *votes.entry(language).or_default() += 1;
        }
        all.add(words);
    }
    let total: usize = votes.values().sum();
    // A handful of foreign texts does not change the stop words of English texts.
    let least = if english { 5 } else { 1 };
    let often = |votes: usize| votes >= least && votes * 10 >= total && votes * 20 >= spoken;
    let mut found: Vec<Language> =
        votes.into_iter().filter(|&(_, votes)| often(votes)).map(|(language, _)| language).collect();
    if !english && found.is_empty() {
        found = all.languages_of_all();
    }
    found.sort_unstable();
    found
}

/// Words and the evidence that they provide about their language.
#[derive(Default)]
struct Words {
    count: usize,
    /// For each language with any of the words on its list: their weight, their number, and the words themselves.
    lists: HashMap<Language, (f64, usize, HashSet<String>)>,
}

impl Words {
    fn of(text: &str, reading: &Reading) -> Self {
        let mut words = Words::default();
        let known = lists();
        reading.for_each_word(text, &mut String::new(), |word| {
            if word.bytes().all(|byte| byte.is_ascii_digit()) {
                return;
            }
            words.count += 1;
            let Some(on) = known.get(word) else { return };
            let weight = 1.0 / f64::from(on.count_ones());
            for language in Language::all().filter(|language| on & (1_u64 << language.place()) != 0) {
                let (sum, count, different) = words.lists.entry(language).or_default();
                *sum += weight;
                *count += 1;
                if !different.contains(word) {
                    different.insert(word.to_owned());
                }
            }
        });
        words
    }

    fn add(&mut self, more: Words) {
        self.count += more.count;
        for (language, (weight, count, different)) in more.lists {
            let sum = self.lists.entry(language).or_default();
            sum.0 += weight;
            sum.1 += count;
            sum.2.extend(different);
        }
    }

    /// Languages with their weight, in descending order; ties are broken by name.
    fn ranked(&self) -> Vec<(Language, f64)> {
        let mut ranked: Vec<(Language, f64)> = self.lists.iter().map(|(&language, list)| (language, list.0)).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked
    }

    /// The share of words that are stop words of `language`.
    fn covered(&self, language: Language) -> f64 {
        self.lists.get(&language).map_or(0.0, |list| list.1 as f64 / self.count.max(1) as f64)
    }

    fn different(&self, language: Language) -> usize {
        self.lists.get(&language).map_or(0, |list| list.2.len())
    }

    /// The language, if it is unambiguous.
    fn language(&self) -> Option<Language> {
        let ranked = self.ranked();
        let &(first, weight) = ranked.first()?;
        let second = ranked.get(1).map_or(0.0, |second| second.1);
        (self.covered(first) >= COVERED && weight >= CLEARLY * second).then_some(first)
    }

    /// The language of all words of a corpus, if it is unambiguous; two for closely related languages that cannot be
    /// distinguished because they share most of their stop words, such as Danish and Norwegian.
    fn languages_of_all(&self) -> Vec<Language> {
        let ranked = self.ranked();
        let Some(&(first, weight)) = ranked.first() else { return Vec::new() };
        let enough = |language| self.covered(language) >= COVERED && self.different(language) >= ENOUGH;
        if !enough(first) || weight < WEIGHT_OF_ALL * self.count as f64 {
            return Vec::new();
        }
        match (self.language(), ranked.get(1)) {
            (Some(language), _) => vec![language],
            (None, Some(&(second, _))) if self.covered(second) >= 0.8 * self.covered(first) && enough(second) => {
                vec![first, second]
            }
            _ => Vec::new(),
        }
    }
}

/// Stop words of languages with spaces, and a bit set of the languages that each belongs to.
fn lists() -> &'static HashMap<String, u64> {
    static LISTS: OnceLock<HashMap<String, u64>> = OnceLock::new();
    LISTS.get_or_init(|| {
        let mut lists = HashMap::new();
        for language in Language::all().filter(|language| language.has_spaces()) {
            // For English, the longer list: its words must not count for another language.
            let mut words = language.stop_words();
            words.extend(stop_words::lookup(language.code()).unwrap_or_default());
            for word in Reading::plain().words_of_entries(words.into_iter()) {
                *lists.entry(word).or_default() |= 1_u64 << language.place();
            }
        }
        lists
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<&'static str> {
        languages_of(texts, &Reading::plain(), false).into_iter().map(Language::name).collect()
    }

    #[test]
    fn clear_languages() {
        let cases = [
            (
                "German",
                "Alle Menschen sind frei und gleich an Würde und Rechten geboren, weil es auf der Strecke so ist.",
            ),
            (
                "French",
                "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison.",
            ),
            (
                "Spanish",
                "Todos los seres humanos nacen libres e iguales, dotados como están de razón, los unos con los otros.",
            ),
            ("Italian", "Tutti gli esseri umani nascono liberi ed eguali. Essi sono dotati di ragione e devono agire."),
            (
                "Dutch",
                "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met verstand.",
            ),
            ("Polish", "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności. Są oni obdarzeni rozumem."),
            ("Greek", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα."),
            (
                "Persian",
                "تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند. همه دارای عقل \
              هستند",
            ),
            ("Hindi", "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।"),
            ("Vietnamese", "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền."),
        ];
        for (language, text) in cases {
            assert_eq!(names(&[text]), [language]);
        }
        let captions = ["roter Apfel auf grünem Tisch", "alte Brücke in der Stadt", "Hund mit Ball", "Bäume im Nebel"];
        assert_eq!(names(&captions), ["German"]);
    }

    #[test]
    fn what_is_not_clear_is_none() {
        for texts in
            [&["Të gjithë njerëzit lindin të lirë dhe të barabartë në dinjitet dhe në të drejta."][..], &["x"], &[]]
        {
            assert_eq!(names(texts), [""; 0]);
        }
        assert_eq!(names(&["sunset", "cat", "clip art 12", "Rio de Janeiro"]), [""; 0]);
    }

    #[test]
    fn two_languages_are_two() {
        let german = "Der Zug nach Berlin ist heute nicht pünktlich, weil es auf der Strecke einen Unfall gab.";
        let french = "Le train pour Paris n'est pas à l'heure parce qu'il y a eu un accident sur la ligne.";
        assert_eq!(names(&[german, french, german, german]), ["French", "German"]);
    }
}
