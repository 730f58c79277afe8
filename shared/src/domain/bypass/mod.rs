//! Questions whose answers are kept for nobody: they hold only now, only for the one who asks, or
//! hold something that must not lie in a cache.

mod identity;
mod numbers;
mod personal;
mod secret;
mod volatile;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::guard::spoken;

/// Why a text is kept out of both tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bypass {
    /// A key, a token, a password.
    Secret,
    /// An address, a telephone, card or account number, the number of a person.
    PersonalData,
    /// The answer changes by the hour.
    Time,
    /// The answer is about what the asker has.
    Personal,
}

impl Bypass {
    /// As it is counted and told.
    pub fn name(self) -> &'static str {
        match self {
            Bypass::Secret => "secret",
            Bypass::PersonalData => "personal_data",
            Bypass::Time => "time",
            Bypass::Personal => "personal",
        }
    }
}

impl fmt::Display for Bypass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The first reason to keep the text out of the cache; takes time in proportion to its length.
pub fn bypass(text: &str) -> Option<Bypass> {
    if secret::holds(text) {
        return Some(Bypass::Secret);
    }
    if identity::holds(text) {
        return Some(Bypass::PersonalData);
    }
    let words = spoken(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if volatile::asks(&words) {
        return Some(Bypass::Time);
    }
    personal::asks(&words).then_some(Bypass::Personal)
}
