//! Words that say nothing about a topic.

use serde::{Deserialize, Serialize};

use super::language;

/// Which words a [`CountVectorizer`](super::CountVectorizer) leaves out, before it forms n-grams.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum StopWords {
    /// The English words where the texts are English, else none. The default.
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
    /// These words. They are compared with single words as the texts' are counted: in lower case, unless that is off.
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

    /// The words that are left out; none for [`Auto`](StopWords::Auto), which depends on the texts.
    pub fn words(&self) -> Vec<&str> {
        match self {
            StopWords::Auto | StopWords::None => Vec::new(),
            StopWords::English => english().collect(),
            StopWords::List(words) => words.iter().map(String::as_str).collect(),
        }
    }

    /// What [`Auto`](StopWords::Auto) means for `texts`; everything else is itself.
    pub(super) fn resolve(&self, texts: &[&str]) -> StopWords {
        match self {
            StopWords::Auto if language::is_english(texts) => StopWords::English,
            StopWords::Auto => StopWords::None,
            chosen => chosen.clone(),
        }
    }
}

fn english() -> impl Iterator<Item = &'static str> {
    let kept = |word: &&str| !CONTENT_WORDS.contains(word);
    listed(include_str!("stop_words_sklearn.txt")).filter(kept).chain(listed(include_str!("stop_words_additions.txt")))
}

/// The words of a file in which a line that starts with # is a comment.
fn listed(file: &'static str) -> impl Iterator<Item = &'static str> {
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
