//! Cleaning scraped text.

mod addresses;
mod html;
mod pass;
mod piece;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Stage};
use pass::pass;
pub(super) use piece::LeftOut;

/// The number of texts in the evenly spaced sample.
const SAMPLE: usize = 2_000;
/// The maximum number of passes over a text: doubly escaped markup (`&amp;lt;p&amp;gt;`) takes three.
const PASSES: usize = 3;

/// Which parts of scraped texts are not counted as words. The texts themselves are not modified.
///
/// Markup includes only unambiguous cases: web addresses (with a scheme, with `www.`, or a domain with a path), email
/// addresses, HTML tags, comments, scripts, and styles, and entities, which are decoded: `&nbsp;` separates words,
/// `caf&eacute;` is `café`. `1 < 2`, `<3`, `Vec<String>`, `R&D`, and `AT&T` are not markup. Underscores without a letter or
/// a digit (`____`, a line to write on) are not counted as a word either.
///
/// Spelled `auto`, `none`, `markup`, `all`.
///
/// ```
/// use topicframe::prelude::*;
///
/// let texts = ["<p>a cat</p> https://example.org/cat", "a train &amp; a bus"];
/// let counted = CountVectorizer::new().cleaning(TextCleaning::Markup).fit_transform(&texts, &Progress::silent())?;
/// assert_eq!(counted.vectorizer.vocabulary(), ["bus", "cat", "train"]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum TextCleaning {
    /// [`All`](TextCleaning::All) if the texts appear to be scraped (at least one in ten contains a web address, a tag,
    /// or an entity), [`None`](TextCleaning::None) if cleaning would leave half of the texts empty (such as a column of
    /// addresses), and [`Markup`](TextCleaning::Markup) otherwise. Based on a sample of at most 2,000 evenly spaced
    /// texts. The default.
    #[default]
    Auto,
    /// No cleaning: every run of letters, digits and underscores is a word, as in scikit-learn.
    None,
    /// Removes markup.
    Markup,
    /// Removes markup, `@names`, and numbers with eight or more digits.
    All,
}

impl TextCleaning {
    /// Resolves [`Auto`](TextCleaning::Auto) for `texts`; other variants are returned unchanged.
    #[must_use]
    pub fn resolve(self, texts: &[&str]) -> TextCleaning {
        if self != TextCleaning::Auto {
            return self;
        }
        let sampled = texts.len().min(SAMPLE);
        let (mut scraped, mut emptied) = (0, 0);
        for text in (0..sampled).filter_map(|i| texts.get(i * texts.len() / sampled)) {
            let mut left_out = LeftOut::default();
            let rest = TextCleaning::Markup.clean_counting(text, &mut left_out);
            scraped += usize::from(left_out.is_scraped());
            emptied += usize::from(left_out.texts > 0 && !rest.chars().any(char::is_alphanumeric));
        }
        match (scraped, emptied) {
            (_, emptied) if emptied * 2 > sampled => TextCleaning::None,
            (scraped, _) if scraped > 0 && scraped * 10 >= sampled => TextCleaning::All,
            _ => TextCleaning::Markup,
        }
    }

    /// `text` after cleaning. [`Auto`](TextCleaning::Auto), which depends on all texts, is treated as
    /// [`Markup`](TextCleaning::Markup).
    ///
    /// ```
    /// # use topicframe::vectorize::TextCleaning;
    /// let text = "New York&nbsp;City <b>caf&eacute;s</b>: https://example.org/a?b=1";
    /// assert_eq!(TextCleaning::Markup.clean(text).trim_end(), "New York\u{a0}City cafés:");
    /// ```
    #[must_use]
    pub fn clean<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.clean_counting(text, &mut LeftOut::default())
    }

    /// Like [`clean`](Self::clean), but counts what is removed.
    pub(super) fn clean_counting<'a>(self, text: &'a str, left_out: &mut LeftOut) -> Cow<'a, str> {
        let names_and_numbers = self == TextCleaning::All;
        if self == TextCleaning::None {
            return Cow::Borrowed(text);
        }
        let mut here = LeftOut::default();
        let mut cleaned = Cow::Borrowed(text);
        for _ in 0..PASSES {
            let (Cow::Owned(next), escaped) = pass(&cleaned, names_and_numbers, &mut here) else { break };
            cleaned = Cow::Owned(next);
            if !escaped {
                break;
            }
        }
        here.texts = usize::from(matches!(cleaned, Cow::Owned(_)));
        left_out.add(&here);
        cleaned
    }
}

impl fmt::Display for TextCleaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TextCleaning::Auto => "auto",
            TextCleaning::None => "none",
            TextCleaning::Markup => "markup",
            TextCleaning::All => "all",
        })
    }
}

impl FromStr for TextCleaning {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(TextCleaning::Auto),
            "none" => Ok(TextCleaning::None),
            "markup" => Ok(TextCleaning::Markup),
            "all" => Ok(TextCleaning::All),
            _ => Err(Error::invalid_parameter(Stage::Vectorize, "clean", text, "auto, none, markup, or all")),
        }
    }
}
