//! One entry of the catalogue: its keys, each with the text of its value.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::decimal::scaled;

/// Decimal places of a price in dollars a token: a micro-dollar per million tokens is 10⁻¹² dollars
/// a token.
const PLACES: u32 = 12;

/// The members of a JSON object in their order, doubles included, values as they were written.
pub(super) struct Pairs(pub(super) Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<String, Box<RawValue>>()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// The members of one entry.
pub(super) struct Entry(Vec<(String, Box<RawValue>)>);

impl Entry {
    /// # Errors
    /// When `text` is no object, or an object with one key twice.
    pub(super) fn read(text: &str) -> Result<Entry, String> {
        let Pairs(mut pairs) = serde_json::from_str(text).map_err(|_| "is no object".to_owned())?;
        pairs.retain(|(_, value)| value.get() != "null");
        let mut keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("gives {:?} twice", pair[0])),
            None => Ok(Entry(pairs)),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.raw(key).is_some()
    }

    /// The text under `key`, where it is one.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.raw(key)?).ok()
    }

    pub(super) fn is_true(&self, key: &str) -> bool {
        self.raw(key) == Some("true")
    }

    /// A count of tokens, none where there is no positive whole number.
    pub(super) fn tokens(&self, key: &str, max: u64) -> Option<u64> {
        let tokens = scaled(self.raw(key)?, 0).ok()?;
        u64::try_from(tokens).ok().filter(|tokens| (1..=max).contains(tokens))
    }

    /// A price in dollars a token, in micro-dollars per million tokens; none where the entry has
    /// no such key.
    ///
    /// # Errors
    /// When the value is no number, negative, above `max`, or too fine to be kept exactly.
    pub(super) fn rate(&self, key: &str, max: i64) -> Result<Option<i64>, String> {
        let Some(raw) = self.raw(key) else {
            return Ok(None);
        };
        let rate = scaled(raw, PLACES).map_err(|error| format!("{key}: {error}"))?;
        match rate <= max {
            true => Ok(Some(rate)),
            false => Err(format!("{key}: is too large")),
        }
    }

    fn raw(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.get())
    }
}
