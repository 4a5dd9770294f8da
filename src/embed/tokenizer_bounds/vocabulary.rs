//! How much a vocabulary will be in memory.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Checked, MAX_TOKEN};

/// The most places of a tree of tokens, as Unigram has it: a third of a kilobyte each. XLM-R has 600,000.
const MAX_PLACES: usize = 4 << 20;

/// The tokens of a model: as a map to their numbers, or (Unigram) as a list with scores.
pub(super) struct Vocabulary {
    longest: usize,
    /// Places of the tree, where there will be one.
    places: usize,
}

impl Vocabulary {
    pub(super) fn check(&self) -> Checked<()> {
        if self.longest > MAX_TOKEN {
            return Err(format!("a token of its `model.vocab` has {} bytes, and may have {MAX_TOKEN}", self.longest));
        }
        match self.places > MAX_PLACES {
            true => Err(format!("its `model.vocab` is a tree of {} places, and may have {MAX_PLACES}", self.places)),
            false => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tokens)
    }
}

struct Tokens;

impl<'de> Visitor<'de> for Tokens {
    type Value = Vocabulary;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vocabulary")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocabulary, A::Error> {
        let mut longest = 0;
        while let Some(Length(length)) = map.next_key()? {
            map.next_value::<IgnoredAny>()?;
            longest = longest.max(length);
        }
        Ok(Vocabulary { longest, places: 0 })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vocabulary, A::Error> {
        let mut tokens: Vec<String> = Vec::new();
        while let Some((token, _)) = list.next_element::<(String, IgnoredAny)>()? {
            tokens.push(token);
        }
        tokens.sort_unstable();
        let longest = tokens.iter().map(String::len).max().unwrap_or(0);
        let (mut places, mut before) = (0, "");
        for token in &tokens {
            let shared = token.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count();
            places += token.len() - shared;
            before = token;
        }
        Ok(Vocabulary { longest, places })
    }
}

/// The bytes of a text that is not kept.
struct Length(usize);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Length;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a token")
            }

            fn visit_str<E>(self, text: &str) -> Result<Length, E> {
                Ok(Length(text.len()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
