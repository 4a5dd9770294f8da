//! Limits the number of values in a JSON file: once parsed, each takes some hundred bytes, and time as well.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Checked;

/// The maximum number of values in a file. Each token and each merge is two or three; a model with half a million
/// tokens has 2 million.
const MAX_VALUES: usize = 4_000_000;

/// Counts the values of `file` without keeping them.
pub(super) fn check(file: &[u8]) -> Checked<()> {
    let mut left = MAX_VALUES;
    let mut json = serde_json::Deserializer::from_slice(file);
    Count(&mut left).deserialize(&mut json).map_err(|cause| format!("it does not describe a valid tokenizer: {cause}"))
}

/// Takes one from the remaining budget for each value.
struct Count<'a>(&'a mut usize);

impl Count<'_> {
    fn take<E: Error>(&mut self) -> Result<(), E> {
        let left = self.0.checked_sub(1);
        *self.0 = left.ok_or_else(|| E::custom(format!("it has more than {MAX_VALUES} values")))?;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Count<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.take()?;
        while list.next_element_seed(Count(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.take()?;
        while map.next_key::<serde::de::IgnoredAny>()?.is_some() {
            map.next_value_seed(Count(self.0))?;
        }
        Ok(())
    }

    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        self.take()
    }

    fn visit_bool<E: Error>(mut self, _: bool) -> Result<(), E> {
        self.take()
    }

    fn visit_i64<E: Error>(mut self, _: i64) -> Result<(), E> {
        self.take()
    }

    fn visit_u64<E: Error>(mut self, _: u64) -> Result<(), E> {
        self.take()
    }

    fn visit_f64<E: Error>(mut self, _: f64) -> Result<(), E> {
        self.take()
    }

    fn visit_str<E: Error>(mut self, _: &str) -> Result<(), E> {
        self.take()
    }
}
