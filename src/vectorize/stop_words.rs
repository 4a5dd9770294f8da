//! Words that say nothing about a topic.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::language::gather;
use super::languages::{Language, known_languages};
use super::reading::Reading;
use super::recognition::languages_of;
use crate::error::{Error, ErrorKind, Hint, Result, Stage, quoted};
use crate::progress::Progress;
use crate::regular_file::{self, Refusal};

/// The largest file of stop words, in bytes.
const LARGEST_FILE: u64 = 16 << 20;

/// Which words a [`CountVectorizer`](super::CountVectorizer) leaves out, before it forms n-grams.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum StopWords {
    /// The words of the languages that the texts are clearly in, or none. The default.
    ///
    /// At most 2,000 texts, evenly spaced, are looked at, and the first 200 words of each. Words that only English
    /// uses to join others ("the", "of", "with") count for English, and words that German, French, Spanish and a dozen
    /// other languages so use ("und", "les", "para") count against. Where one word in a hundred is of either kind, the
    /// texts are English if there are more of the first, and half of all words at least are plain ASCII. With fewer, as
    /// in short captions, they are English if nine words in ten are plain ASCII and the second kind does not prevail.
    #[default]
    Auto,
    /// No words.
    None,
    /// scikit-learn's English list; what the token pattern leaves of contractions (don, didn, isn, ll, ve); and a few
    /// forms that the list lacks (did, does, having). Twelve words on scikit-learn's list that can be what a text is
    /// about are kept: bill, cry, describe, detail, fire, interest, mill, serious, sincere, system, thick, thin.
    English,
    /// The words of these languages together.
    Languages(Vec<Language>),
    /// These words. They are read as texts are: in lower case, unless that is off, and cut at what cuts words (of `don't`
    /// texts hold `don`). One with a space never matches, since stop words are single words.
    List(Vec<String>),
}

/// Words of scikit-learn's list that can be what a text is about.
const CONTENT_WORDS: [&str; 12] =
    ["bill", "cry", "describe", "detail", "fire", "interest", "mill", "serious", "sincere", "system", "thick", "thin"];

impl StopWords {
    /// These words.
    pub fn list<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        StopWords::List(words.into_iter().map(Into::into).collect())
    }

    /// The English words and these.
    pub fn english_and<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(Into::into);
        StopWords::List(english().map(str::to_owned).chain(words).collect())
    }

    /// The words of a UTF-8 file, one a line. What follows a `|`, and a line that starts with `#`, is a comment.
    ///
    /// # Errors
    /// No such file, none that can be read, larger than 16 MiB, not UTF-8, or without a word.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let words: Vec<String> = read(path)?
            .trim_start_matches('\u{feff}')
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split('|').next().unwrap_or_default().trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        match words.is_empty() {
            true => Err(wrong_file(ErrorKind::InvalidData, "there is no stop word in it", path)),
            false => Ok(StopWords::List(words)),
        }
    }

    /// What a user may write: `auto`, `none`, a language or several with commas between (`german`, `de,en`), or the path of
    /// a file as [`from_file`](Self::from_file) takes it.
    ///
    /// # Errors
    /// None of these; whatever the file's reading reports.
    pub fn named(text: &str) -> Result<Self> {
        match text {
            "auto" => return Ok(StopWords::Auto),
            "none" => return Ok(StopWords::None),
            _ => {}
        }
        if let Some(languages) = text.split(',').map(Language::find).collect::<Option<Vec<_>>>() {
            return Ok(StopWords::of(languages));
        }
        if Path::new(text).exists() {
            return StopWords::from_file(text);
        }
        let allowed = format!(
            "`auto`, `none`, a file that exists with one word a line, or languages with commas between, of: {}",
            known_languages()
        );
        Err(Error::parameter(Stage::Vectorize, "stop_words", quoted(text, 80), &allowed))
    }

    /// The words of `languages`.
    fn of(mut languages: Vec<Language>) -> Self {
        languages.sort_unstable();
        languages.dedup();
        match languages.as_slice() {
            [] => StopWords::None,
            [Language::ENGLISH] => StopWords::English,
            _ => StopWords::Languages(languages),
        }
    }

    /// The words that are left out; none for [`Auto`](StopWords::Auto), which depends on the texts.
    pub fn words(&self) -> Vec<&str> {
        match self {
            StopWords::Auto | StopWords::None => Vec::new(),
            StopWords::English => english().collect(),
            StopWords::Languages(languages) => languages.iter().flat_map(|language| language.stop_words()).collect(),
            StopWords::List(words) => words.iter().map(String::as_str).collect(),
        }
    }

    /// What [`Auto`](StopWords::Auto) means for `texts`; everything else is itself.
    pub(super) fn resolve(&self, texts: &[&str], reading: &Reading) -> StopWords {
        if *self != StopWords::Auto {
            return self.clone();
        }
        let evidence = gather(texts, reading);
        if evidence.is_english_alone() {
            return StopWords::English;
        }
        let english = evidence.is_english();
        let mut languages = languages_of(texts, reading, english);
        languages.extend(english.then_some(Language::ENGLISH));
        StopWords::of(languages)
    }

    /// Tells which words are left out, where a user may not expect it; `resolved` is what these came to.
    pub(super) fn tell(&self, resolved: &StopWords, progress: &Progress) {
        match (self, resolved) {
            (StopWords::Auto, StopWords::Languages(languages)) => {
                let names: Vec<&str> = languages.iter().map(|language| language.name()).collect();
                let message = format!("the texts are in {}, whose stop words are left out", names.join(" and "));
                let hint =
                    Hint::new("StopWords::None would keep them").on_command_line("--stop-words none would keep them");
                progress.note_with_hint(Stage::Vectorize, message, hint);
            }
            (StopWords::Auto, StopWords::None) => {
                let message = "no stop words are left out: it is not clear which language the texts are in";
                let hint =
                    Hint::new("StopWords::Languages(..) names it").on_command_line("--stop-words LANGUAGE names it");
                progress.note_with_hint(Stage::Vectorize, message, hint);
            }
            (StopWords::List(words), _) => {
                let several = |word: &&String| word.trim().contains(char::is_whitespace);
                let Some(first) = words.iter().find(several) else { return };
                let count = words.iter().filter(several).count();
                let first = quoted(first, 40);
                let message = format!("{count} of the stop words hold a space and never match, such as `{first}`");
                progress.note(Stage::Vectorize, message);
            }
            _ => {}
        }
    }
}

/// A file's text, if it is a regular file of a size that stop words may have.
fn read(path: &Path) -> Result<String> {
    let bytes = regular_file::read(path, LARGEST_FILE).map_err(|refusal| {
        let unreadable = wrong_file(ErrorKind::Io, &format!("the stop words cannot be read: {refusal}"), path);
        match refusal {
            Refusal::Io(cause) => unreadable.cause(cause),
            Refusal::Folder | Refusal::Special => unreadable,
            Refusal::Empty => {
                wrong_file(ErrorKind::InvalidData, "the file is empty: there is no stop word in it", path)
            }
            Refusal::TooLarge => wrong_file(ErrorKind::InvalidData, "a file of stop words has at most 16 MiB", path),
        }
    })?;
    String::from_utf8(bytes).map_err(|cause| {
        let valid = cause.utf8_error().valid_up_to();
        let line = cause.as_bytes().iter().take(valid).filter(|&&byte| byte == b'\n').count() + 1;
        wrong_file(ErrorKind::InvalidData, &format!("the stop words are not UTF-8 in line {line}"), path)
            .hint("Save the file as UTF-8, one word a line.")
    })
}

fn wrong_file(kind: ErrorKind, message: &str, path: &Path) -> Error {
    Error::new(kind, Stage::Vectorize, message).path(path)
}

pub(super) fn english() -> impl Iterator<Item = &'static str> {
    let kept = |word: &&str| !CONTENT_WORDS.contains(word);
    listed(include_str!("stop_words_sklearn.txt")).filter(kept).chain(listed(include_str!("stop_words_additions.txt")))
}

/// The words of a file in which a line that starts with # is a comment.
pub(super) fn listed(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_lists_are_whole_and_do_not_overlap() {
        let sklearn: HashSet<&str> = listed(include_str!("stop_words_sklearn.txt")).collect();
        let additions: HashSet<&str> = listed(include_str!("stop_words_additions.txt")).collect();
        assert_eq!(sklearn.len(), 318);
        assert!(sklearn.is_disjoint(&additions));
        assert!(CONTENT_WORDS.iter().all(|word| sklearn.contains(word)));
        assert_eq!(english().count(), 318 - 12 + additions.len());
    }
}
