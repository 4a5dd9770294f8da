//! The settings for counting terms.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cleaning::TextCleaning;
use super::phrases::LONGEST_PHRASE;
use super::reading::Reading;
use super::stop_words::StopWords;
use crate::error::{Error, Result, Stage};

/// The maximum n-gram length.
const LONGEST_NGRAM: usize = 10;

/// A minimum or maximum document frequency.
///
/// ```
/// use topicframe::prelude::*;
///
/// let texts = ["apple pie", "apple juice", "apple pie", "plum juice"];
/// // Terms of two or more texts, but of no more than half of them.
/// let counted = CountVectorizer::new().min_df(2).max_df(0.5).fit_transform(&texts, &Progress::silent())?;
/// assert_eq!(counted.vectorizer.vocabulary(), ["juice", "pie"]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum DocumentFrequency {
    /// A number of documents.
    Count(usize),
    /// A share of the documents, 0.0 to 1.0.
    Share(f64),
}

impl DocumentFrequency {
    /// Converts the frequency to a number of documents, out of `documents` in total.
    pub(super) fn documents(self, documents: usize) -> f64 {
        match self {
            DocumentFrequency::Count(count) => count as f64,
            DocumentFrequency::Share(share) => share * documents as f64,
        }
    }

    fn check(self, name: &str) -> Result<()> {
        let (fits, allowed) = match self {
            DocumentFrequency::Count(count) => (count > 0, "1 or more documents, or a share such as 0.5"),
            DocumentFrequency::Share(share) => ((0.0..=1.0).contains(&share), "a share from 0.0 to 1.0"),
        };
        if fits { Ok(()) } else { Err(Error::invalid_parameter(Stage::Vectorize, name, self, allowed)) }
    }
}

impl From<usize> for DocumentFrequency {
    fn from(count: usize) -> Self {
        DocumentFrequency::Count(count)
    }
}

impl From<f64> for DocumentFrequency {
    fn from(share: f64) -> Self {
        DocumentFrequency::Share(share)
    }
}

impl fmt::Display for DocumentFrequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DocumentFrequency::Count(count) => write!(f, "{count}"),
            DocumentFrequency::Share(share) => write!(f, "{share:?}"),
        }
    }
}

/// Counts the words and n-grams of texts with the semantics of scikit-learn's `CountVectorizer`, in any script.
///
/// A word is a run of two or more letters, digits, or underscores. Unlike in Python, combining vowel signs and accents
/// are part of the word; different Unicode forms of a word (composed or decomposed accents, full-width letters,
/// ligatures) are the same word; runs longer than 256 bytes are not words; and addresses, tags, and entities in scraped
/// texts are not words either ([`TextCleaning`]). In scripts without spaces between words, words are found by rules,
/// without a dictionary:
///
/// - Ideographs: a run of up to 3 is a word (猫, 東京, 図書館), a run of 4 is two words (東京大学: 東京, 大学), and in a longer run
///   every bigram is a word.
/// - Katakana: a run of 2 or more is a word (カメラ).
/// - Hiragana: a run directly after another word is an ending or a particle and is skipped; any other run is a word.
/// - Thai, Lao, Khmer, Burmese: a run of up to 10 user-perceived characters is a word; in a longer run, every trigram
///   is. If possible, segment such texts with spaces beforehand.
///
/// The columns are the distinct terms, sorted by code point.
///
/// ```
/// # use topicframe::{progress::Progress, vectorize::CountVectorizer};
/// let texts = ["the cat and the dog", "a dog, two dogs, a bird"];
/// let counted = CountVectorizer::new().ngram_range(1, 2).fit_transform(&texts, &Progress::silent())?;
/// assert_eq!(counted.vectorizer.vocabulary(), ["bird", "cat", "cat dog", "dog", "dog dogs", "dogs", "dogs bird"]);
/// assert_eq!(counted.counts.get(1, 3), 1);
/// # Ok::<(), topicframe::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountVectorizer {
    pub(super) lowercase: bool,
    pub(super) ngram_range: (usize, usize),
    #[serde(default)]
    pub(super) phrases: bool,
    pub(super) stop_words: StopWords,
    // Models fitted before this setting was introduced counted everything.
    #[serde(default = "uncleaned")]
    pub(super) cleaning: TextCleaning,
    pub(super) min_df: DocumentFrequency,
    pub(super) max_df: DocumentFrequency,
    pub(super) max_features: Option<usize>,
}

fn uncleaned() -> TextCleaning {
    TextCleaning::None
}

impl Default for CountVectorizer {
    fn default() -> Self {
        CountVectorizer::new()
    }
}

impl CountVectorizer {
    /// Counts single words in lower case, without the stop words of the language of the texts (if it can be detected)
    /// and without scraping artifacts.
    pub fn new() -> Self {
        CountVectorizer {
            lowercase: true,
            ngram_range: (1, 1),
            phrases: false,
            stop_words: StopWords::Auto,
            cleaning: TextCleaning::Auto,
            min_df: DocumentFrequency::Count(1),
            max_df: DocumentFrequency::Share(1.0),
            max_features: None,
        }
    }

    /// Whether to convert texts to lower case, so that `Cat` counts as `cat`. Default: true.
    #[must_use]
    pub fn lowercase(mut self, lowercase: bool) -> Self {
        self.lowercase = lowercase;
        self
    }

    /// The range of n-gram lengths, 1 to 10 words. Default: 1 to 1 (single words).
    #[must_use]
    pub fn ngram_range(mut self, shortest: usize, longest: usize) -> Self {
        self.ngram_range = (shortest, longest);
        self
    }

    /// Whether to count phrases as well as words: runs of two to four words that belong together, such as `hard drive` or
    /// `point of view`. Default: false. Needs an [`ngram_range`](Self::ngram_range) of 1 to 1.
    ///
    /// A phrase occurs at least five times, does not begin or end with a stop word, and contains no word twice. Wherever
    /// it is split, the normalized pointwise mutual information (Bouma 2009) of its parts is at least 0.5: together, they
    /// occur much more often than chance has it. The words of a phrase are counted, too; but the words of a topic do not
    /// contain a part of a phrase that is shown.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let texts = ["my point of view", "your view of it", "no point in that"].repeat(5);
    /// let counted = CountVectorizer::new().phrases(true).fit_transform(&texts, &Progress::silent())?;
    /// assert_eq!(counted.vectorizer.vocabulary(), ["point", "point of view", "view"]);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn phrases(mut self, phrases: bool) -> Self {
        self.phrases = phrases;
        self
    }

    /// Whether phrases are counted.
    pub(crate) fn counts_phrases(&self) -> bool {
        self.phrases
    }

    /// The shortest and the longest term, in words.
    pub(crate) fn lengths(&self) -> (usize, usize) {
        (self.ngram_range.0, self.longest_term())
    }

    /// Whether texts are converted to lower case.
    pub(crate) fn is_lowercase(&self) -> bool {
        self.lowercase
    }

    /// The words that are not counted; none for [`StopWords::Auto`], which depends on the texts.
    pub(crate) fn words_left_out(&self) -> Vec<&str> {
        self.stop_words.words()
    }

    /// The maximum number of words of a term.
    pub(super) fn longest_term(&self) -> usize {
        if self.phrases { LONGEST_PHRASE } else { self.ngram_range.1 }
    }

    /// Words to remove before n-grams are formed. Default: [`StopWords::Auto`].
    #[must_use]
    pub fn stop_words(mut self, stop_words: StopWords) -> Self {
        self.stop_words = stop_words;
        self
    }

    /// What to remove from scraped texts: addresses, tags, entities. Default: [`TextCleaning::Auto`]; in a
    /// [`TopicModel`](crate::model::TopicModel), Auto follows the [`cleaning`](crate::model::TopicModel::cleaning)
    /// setting of the model.
    #[must_use]
    pub fn cleaning(mut self, cleaning: TextCleaning) -> Self {
        self.cleaning = cleaning;
        self
    }

    /// The same settings, with [`TextCleaning::Auto`] replaced by `cleaning`.
    pub(crate) fn cleaned_by_default(&self, cleaning: TextCleaning) -> Self {
        let own = self.cleaning != TextCleaning::Auto;
        CountVectorizer { cleaning: if own { self.cleaning } else { cleaning }, ..self.clone() }
    }

    /// Whether `texts` are in English, or partly.
    pub(crate) fn reads_english(&self, texts: &[&str]) -> bool {
        self.stop_words.says_english(texts, &Reading { lowercase: true, cleaning: self.cleaning })
    }

    /// The reading settings for texts.
    pub(super) fn reading(&self) -> Reading {
        Reading { lowercase: self.lowercase, cleaning: self.cleaning }
    }

    /// Ignores terms that occur in fewer documents than this: a count (1 or more) or a share of the documents (0.0 to
    /// 1.0). Default: 1.
    #[must_use]
    pub fn min_df(mut self, min_df: impl Into<DocumentFrequency>) -> Self {
        self.min_df = min_df.into();
        self
    }

    /// Ignores terms that occur in more documents than this: a count (1 or more) or a share of the documents (0.0 to
    /// 1.0). Default: 1.0.
    #[must_use]
    pub fn max_df(mut self, max_df: impl Into<DocumentFrequency>) -> Self {
        self.max_df = max_df.into();
        self
    }

    /// Keeps only this number of terms (1 or more): the most frequent across all texts. Ties are broken by vocabulary
    /// order. Default: all.
    #[must_use]
    pub fn max_features(mut self, max_features: usize) -> Self {
        self.max_features = Some(max_features);
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// The first parameter that is out of range.
    pub fn check(&self) -> Result<()> {
        let (shortest, longest) = self.ngram_range;
        if shortest == 0 || shortest > longest || longest > LONGEST_NGRAM {
            let allowed = "1 or more words, with the first number at most the second, and the second at most 10";
            return Err(Error::invalid_parameter(
                Stage::Vectorize,
                "ngram_range",
                format!("({shortest}, {longest})"),
                allowed,
            ));
        }
        if self.phrases && self.ngram_range != (1, 1) {
            let allowed = "(1, 1) with phrases, which are n-grams already";
            return Err(Error::invalid_parameter(
                Stage::Vectorize,
                "ngram_range",
                format!("({shortest}, {longest})"),
                allowed,
            ));
        }
        self.min_df.check("min_df")?;
        self.max_df.check("max_df")?;
        let crossed = match (self.min_df, self.max_df) {
            (DocumentFrequency::Count(min), DocumentFrequency::Count(max)) => min > max,
            (DocumentFrequency::Share(min), DocumentFrequency::Share(max)) => min > max,
            _ => false,
        };
        if crossed {
            let allowed = format!("at most max_df = {}", self.max_df);
            return Err(Error::invalid_parameter(Stage::Vectorize, "min_df", self.min_df, &allowed));
        }
        if self.max_features == Some(0) {
            return Err(Error::invalid_parameter(Stage::Vectorize, "max_features", 0, "1 or more"));
        }
        Ok(())
    }
}
