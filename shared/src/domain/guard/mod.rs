//! What tells two near questions apart that an embedding does not: numbers, negation, opposites,
//! names, the order of words, and words that only one of them has.
//!
//! A guard reads the two questions and nothing else. It never says that they ask the same, only
//! why they may not; what it cannot read it takes for a difference.

mod asked;
mod lexicon;
mod names;
mod negation;
mod opposites;
mod order;
mod payload;
mod quantity;
mod reading;
mod spelling;
mod stem;
mod tokens;
mod wording;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use asked::asked;
pub use quantity::figures;
pub use reading::Reading;
pub use tokens::{plain, spoken};

/// Why the answer to one question may not be given to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Veto {
    Number,
    /// The same number of something else.
    Unit,
    /// Other days, months, seasons or times of day.
    Date,
    Negation,
    Opposite,
    /// One of a kind in the place of another: a colour, a currency, a kind of ticket.
    Kind,
    Name,
    Quote,
    /// A fixed instruction with another text to work on.
    Template,
    /// The same words with their parts exchanged.
    Order,
    /// Each has a word that nothing in the other stands for.
    Word,
    /// Only one has a word that may narrow what is asked.
    Scope,
}

/// How much alike the words of two questions must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wording {
    /// Other words are no reason to doubt.
    Free,
    /// One word in the place of another, all others being the same, is.
    Close,
    /// Every word that means something must have its like in the other.
    Same,
}

/// The first reason not to take one question for the other; the order of the two is indifferent.
pub fn veto(one: &Reading, other: &Reading, wording: Wording) -> Option<Veto> {
    quantity::veto(one, other)
        .or_else(|| negation::veto(one, other))
        .or_else(|| opposites::veto(one, other))
        .or_else(|| names::veto(one, other))
        .or_else(|| payload::veto(one, other))
        .or_else(|| order::veto(one, other))
        .or_else(|| wording::veto(one, other, wording))
}
