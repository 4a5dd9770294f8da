//! Stop words: words without information about a topic.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::language::gather;
use super::languages::{Language, known_languages};
use super::reading::Reading;
use super::recognition::languages_of;
use super::stop_word_lists::english;
use crate::error::{Error, ErrorKind, Hint, Result, Stage, quoted};
use crate::progress::Progress;
use crate::regular_file::{self, Refusal};

/// The maximum size of a stop word file, in bytes.
const LARGEST_FILE: u64 = 16 << 20;

/// The words that a [`CountVectorizer`](super::CountVectorizer) removes before it forms n-grams.
///
/// ```
/// use topicframe::prelude::*;
///
/// let texts = ["the drawing of a cat", "the drawing of a train"];
/// let counted = CountVectorizer::new()
///     .stop_words(StopWords::english_and(["drawing"]))
///     .fit_transform(&texts, &Progress::silent())?;
/// assert_eq!(counted.vectorizer.vocabulary(), ["cat", "train"]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum StopWords {
    /// The stop words of the detected languages of the texts, or none. The default.
    ///
    /// Detection uses a sample of at most 2,000 evenly spaced texts, and the first 200 words of each. Function words
    /// that are unique to English ("the", "of", "with") count as evidence for English, and function words of German,
    /// French, Spanish, and a dozen other languages ("und", "les", "para") as evidence against. If at least one word in
    /// a hundred is of either kind, the texts are English if the first kind prevails and at least half of all words are
    /// plain ASCII. With fewer, as in short captions, they are English if nine in ten words are plain ASCII and the
    /// second kind does not prevail.
    #[default]
    Auto,
    /// No words.
    None,
    /// scikit-learn's English list, the remains of contractions under the token pattern (don, didn, isn, ll, ve), and a
    /// few forms missing from the list (did, does, having). Twelve words on scikit-learn's list that can be the subject
    /// of a text are not stop words: bill, cry, describe, detail, fire, interest, mill, serious, sincere, system,
    /// thick, thin.
    English,
    /// The combined stop words of these languages.
    Languages(Vec<Language>),
    /// A custom list. Its words are preprocessed like texts: converted to lower case (unless disabled) and split at
    /// word boundaries (`don't` occurs in texts as `don`). Entries with a space never match, since stop words are
    /// single words.
    List(Vec<String>),
}

impl StopWords {
    /// A custom list.
    pub fn list<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        StopWords::List(words.into_iter().map(Into::into).collect())
    }

    /// The English stop words plus a custom list.
    pub fn english_and<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(Into::into);
        StopWords::List(english().map(str::to_owned).chain(words).collect())
    }

    /// The words of a UTF-8 file, one per line. Text after a `|` and lines that start with `#` are comments.
    ///
    /// # Errors
    /// The file does not exist, cannot be read, is larger than 16 MiB, is not UTF-8, or contains no words.
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
            true => Err(wrong_file(ErrorKind::InvalidData, "the file contains no stop words", path)),
            false => Ok(StopWords::List(words)),
        }
    }

    /// Parses user input: `auto`, `none`, one or more comma-separated languages (`german`, `de,en`), or the path of a
    /// file for [`from_file`](Self::from_file).
    ///
    /// # Errors
    /// The input is none of these, or the file cannot be read.
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
            "`auto`, `none`, an existing file with one word per line, or a comma-separated list of these languages: {}",
            known_languages()
        );
        Err(Error::invalid_parameter(Stage::Vectorize, "stop_words", quoted(text, 80), &allowed))
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

    /// The stop words; none for [`Auto`](StopWords::Auto), which depends on the texts.
    pub fn words(&self) -> Vec<&str> {
        match self {
            StopWords::Auto | StopWords::None => Vec::new(),
            StopWords::English => english().collect(),
            StopWords::Languages(languages) => languages.iter().flat_map(|language| language.stop_words()).collect(),
            StopWords::List(words) => words.iter().map(String::as_str).collect(),
        }
    }

    /// Resolves [`Auto`](StopWords::Auto) for `texts`; other variants are returned unchanged.
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

    /// Whether `texts` are in English, or partly: as these stop words say, or if they say nothing, by detection.
    pub(super) fn says_english(&self, texts: &[&str], reading: &Reading) -> bool {
        match self {
            StopWords::English => true,
            StopWords::Languages(languages) => languages.contains(&Language::ENGLISH),
            StopWords::Auto | StopWords::None | StopWords::List(_) => gather(texts, reading).is_english(),
        }
    }

    /// Reports which stop words are removed, if users may not expect it; `resolved` is the resolved value.
    pub(super) fn report(&self, resolved: &StopWords, progress: &Progress) {
        match (self, resolved) {
            (StopWords::Auto, StopWords::Languages(languages)) => {
                let names: Vec<&str> = languages.iter().map(|language| language.name()).collect();
                let message = format!("the texts are in {}; the matching stop words are removed", names.join(" and "));
                let hint = Hint::new("StopWords::None keeps them").on_command_line("--stop-words none keeps them");
                progress.note_with_hint(Stage::Vectorize, message, hint);
            }
            (StopWords::Auto, StopWords::None) => {
                let message = "no stop words are removed: the language of the texts could not be detected";
                let hint =
                    Hint::new("StopWords::Languages(..) sets it").on_command_line("--stop-words LANGUAGE sets it");
                progress.note_with_hint(Stage::Vectorize, message, hint);
            }
            (StopWords::List(words), _) => {
                let several = |word: &&String| word.trim().contains(char::is_whitespace);
                let Some(first) = words.iter().find(several) else { return };
                let count = words.iter().filter(several).count();
                let first = quoted(first, 40);
                let message = format!("{count} of the stop words contain a space and never match, such as `{first}`");
                progress.note(Stage::Vectorize, message);
            }
            _ => {}
        }
    }
}

/// The text of a file, if it is a regular file within the size limit.
fn read(path: &Path) -> Result<String> {
    let bytes = regular_file::read(path, LARGEST_FILE).map_err(|refusal| {
        let unreadable = wrong_file(ErrorKind::Io, &format!("cannot read the stop words: {refusal}"), path);
        match refusal {
            Refusal::Io(cause) => unreadable.with_cause(cause),
            Refusal::Folder | Refusal::Special => unreadable,
            Refusal::Empty => wrong_file(ErrorKind::InvalidData, "the file is empty: it contains no stop words", path),
            Refusal::TooLarge => {
                wrong_file(ErrorKind::InvalidData, "the file exceeds the limit of 16 MiB for stop words", path)
            }
        }
    })?;
    String::from_utf8(bytes).map_err(|cause| {
        let valid = cause.utf8_error().valid_up_to();
        let line = cause.as_bytes().iter().take(valid).filter(|&&byte| byte == b'\n').count() + 1;
        wrong_file(ErrorKind::InvalidData, &format!("line {line} of the stop words is not valid UTF-8"), path)
            .with_hint("Save the file as UTF-8, with one word per line.")
    })
}

fn wrong_file(kind: ErrorKind, message: &str, path: &Path) -> Error {
    Error::new(kind, Stage::Vectorize, message).with_path(path)
}
