//! Languages and their stop words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::stop_word_lists::{english, listed};
use crate::error::{Error, Stage};

/// Codes (ISO 639-1) and English names, sorted by name.
const LANGUAGES: &[(&str, &str)] = &[
    ("af", "Afrikaans"),
    ("ar", "Arabic"),
    ("hy", "Armenian"),
    ("eu", "Basque"),
    ("bn", "Bengali"),
    ("br", "Breton"),
    ("bg", "Bulgarian"),
    ("ca", "Catalan"),
    ("zh", "Chinese"),
    ("hr", "Croatian"),
    ("cs", "Czech"),
    ("da", "Danish"),
    ("nl", "Dutch"),
    ("en", "English"),
    ("eo", "Esperanto"),
    ("et", "Estonian"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("gl", "Galician"),
    ("de", "German"),
    ("el", "Greek"),
    ("gu", "Gujarati"),
    ("ha", "Hausa"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hu", "Hungarian"),
    ("id", "Indonesian"),
    ("ga", "Irish"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ko", "Korean"),
    ("ku", "Kurdish"),
    ("la", "Latin"),
    ("lv", "Latvian"),
    ("lt", "Lithuanian"),
    ("ms", "Malay"),
    ("mr", "Marathi"),
    ("no", "Norwegian"),
    ("fa", "Persian"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("sk", "Slovak"),
    ("sl", "Slovenian"),
    ("so", "Somali"),
    ("st", "Sotho"),
    ("es", "Spanish"),
    ("sw", "Swahili"),
    ("sv", "Swedish"),
    ("tl", "Tagalog"),
    ("th", "Thai"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("vi", "Vietnamese"),
    ("yo", "Yoruba"),
    ("zu", "Zulu"),
];

/// Alternative names.
const ALIASES: &[(&str, &str)] = &[
    ("castilian", "es"),
    ("deutsch", "de"),
    ("español", "es"),
    ("farsi", "fa"),
    ("filipino", "tl"),
    ("français", "fr"),
    ("italiano", "it"),
    ("nb", "no"),
    ("nn", "no"),
    ("português", "pt"),
    ("slovene", "sl"),
];

/// A language with a list of stop words: that of [stopwords-iso](https://github.com/stopwords-iso/stopwords-iso),
/// except for some nouns that can be the subject of a text; for English,
/// [`StopWords::English`](super::StopWords::English).
///
/// Parsed from its English name or its ISO 639-1 code, case-insensitively: `"German".parse()`, `"de".parse()`.
///
/// ```
/// use topicframe::prelude::*;
///
/// let german: Language = "German".parse()?;
/// assert_eq!(german, "de".parse()?);
/// let counted = CountVectorizer::new()
///     .stop_words(StopWords::Languages(vec![german]))
///     .fit_transform(&["der Zug und die Katze"], &Progress::silent())?;
/// assert_eq!(counted.vectorizer.vocabulary(), ["katze", "zug"]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(u8);

impl Language {
    /// English.
    pub(super) const ENGLISH: Language = Language(13);

    /// All languages, sorted by name.
    pub fn all() -> impl Iterator<Item = Language> {
        (0..LANGUAGES.len()).map(|place| Language(place as u8))
    }

    /// The English name.
    pub fn name(self) -> &'static str {
        LANGUAGES.get(usize::from(self.0)).map_or("", |language| language.1)
    }

    /// The ISO 639-1 code.
    pub fn code(self) -> &'static str {
        LANGUAGES.get(usize::from(self.0)).map_or("", |language| language.0)
    }

    /// The stop words. Chinese, Japanese, and Thai texts are segmented by rules, so many of their stop words never
    /// occur.
    pub fn stop_words(self) -> Vec<&'static str> {
        if self == Language::ENGLISH {
            return english().collect();
        }
        let kept: Vec<&str> = include_str!("stop_words_kept.txt")
            .lines()
            .filter_map(|line| line.strip_prefix(self.code())?.strip_prefix(' '))
            .flat_map(listed)
            .collect();
        let all = stop_words::lookup(self.code()).unwrap_or_default();
        all.iter().copied().filter(|word| !kept.contains(word)).collect()
    }

    /// Whether the language separates words with spaces, so that its stop words can be found in a text.
    pub(super) fn has_spaces(self) -> bool {
        !matches!(self.code(), "ja" | "th" | "zh")
    }

    /// A unique index below 64.
    pub(super) fn place(self) -> usize {
        usize::from(self.0)
    }

    /// Like `FromStr`, but without listing the known languages.
    pub(super) fn find(text: &str) -> Option<Language> {
        let text = text.trim().to_lowercase();
        let region = text.split(['-', '_']).next().unwrap_or_default();
        let code = |text: &str| {
            let alias = ALIASES.iter().find(|alias| alias.0 == text).map_or(text, |alias| alias.1);
            let same = |known: &(&str, &str)| known.0 == alias || known.1.eq_ignore_ascii_case(alias);
            LANGUAGES.iter().position(same).map(|place| Language(place as u8))
        };
        code(&text).or_else(|| if region.len() == 2 { code(region) } else { None })
    }
}

/// The names of all languages, for messages.
pub(super) fn known_languages() -> String {
    LANGUAGES.iter().map(|language| language.1).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let allowed = || format!("the name or the ISO 639-1 code of one of these: {}", known_languages());
        Language::find(text).ok_or_else(|| Error::invalid_parameter(Stage::Vectorize, "language", text, &allowed()))
    }
}

impl TryFrom<String> for Language {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.code().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_list_a_place_and_a_name() {
        assert!(LANGUAGES.len() < 64 && LANGUAGES.is_sorted_by_key(|language| language.1));
        assert_eq!(Language::ENGLISH.name(), "English");
        for language in Language::all() {
            assert!(language.stop_words().len() > 25, "{language}");
            assert_eq!(Language::find(language.code()), Some(language));
            assert_eq!(Language::find(&language.name().to_uppercase()), Some(language));
        }
        assert_eq!(stop_words::available_languages().len(), LANGUAGES.len());
    }

    #[test]
    fn kept_words_are_on_the_lists() {
        for line in include_str!("stop_words_kept.txt").lines().filter(|line| !line.starts_with('#')) {
            let (code, words) = line.split_once(' ').unwrap();
            let list = stop_words::lookup(code).unwrap();
            for word in words.split_whitespace() {
                assert!(list.contains(&word), "{code} {word}");
                assert!(!Language::find(code).unwrap().stop_words().contains(&word));
            }
        }
    }
}
