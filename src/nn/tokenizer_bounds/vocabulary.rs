//! Estimates how much memory a vocabulary will take.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Checked, MAX_TOKEN_BYTES};

/// The maximum number of nodes in Unigram's trie of tokens: a third of a kilobyte each. XLM-R has less than a million.
const MAX_TRIE_NODES: usize = 3_000_000;

/// The maximum number of tokens, and of merges: models have up to half a million of either.
const MAX_TOKENS: usize = 1_000_000;

/// The tokens of a model: as a map to their ids, or (Unigram) as a list with scores.
pub(super) struct Vocabulary {
    tokens: usize,
    longest: usize,
    /// Nodes of the trie, if there will be one.
    trie_nodes: usize,
}

impl Vocabulary {
    pub(super) fn check(&self) -> Checked<()> {
        if self.tokens > MAX_TOKENS {
            return Err(format!("its `model.vocab` has {} tokens; the maximum is {MAX_TOKENS}", self.tokens));
        }
        if self.longest > MAX_TOKEN_BYTES {
            return Err(format!(
                "a token of its `model.vocab` has {} bytes; the maximum is {MAX_TOKEN_BYTES}",
                self.longest
            ));
        }
        match self.trie_nodes > MAX_TRIE_NODES {
            true => Err(format!(
                "its `model.vocab` is a trie of {} nodes; the maximum is {MAX_TRIE_NODES}",
                self.trie_nodes
            )),
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
        let (mut tokens, mut longest) = (0, 0);
        while let Some(Length(length)) = map.next_key()? {
            map.next_value::<IgnoredAny>()?;
            longest = longest.max(length);
            tokens += 1;
        }
        Ok(Vocabulary { tokens, longest, trie_nodes: 0 })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vocabulary, A::Error> {
        let mut tokens: Vec<String> = Vec::new();
        while let Some((token, _)) = list.next_element::<(String, IgnoredAny)>()? {
            tokens.push(token);
        }
        tokens.sort_unstable();
        let longest = tokens.iter().map(String::len).max().unwrap_or(0);
        let (mut trie_nodes, mut before) = (0, "");
        for token in &tokens {
            let shared = token.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count();
            trie_nodes += token.len() - shared;
            before = token;
        }
        Ok(Vocabulary { tokens: tokens.len(), longest, trie_nodes })
    }
}

/// The number of BPE merges.
pub(super) struct Merges(usize);

impl Merges {
    pub(super) fn check(&self) -> Checked<()> {
        match self.0 > MAX_TOKENS {
            true => Err(format!("its `model.merges` has {} entries; the maximum is {MAX_TOKENS}", self.0)),
            false => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Merges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Merges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of merges")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Merges, A::Error> {
                let mut merges = 0;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    merges += 1;
                }
                Ok(Merges(merges))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// The length in bytes of a text that is not kept.
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
