//! Names of people, places, products: words with a capital letter where none is due.

use std::collections::HashSet;

use super::reading::{Reading, Word};
use super::spelling::misspelt;
use super::{Veto, lexicon::Role};

/// A name must be in both, however it is written there.
pub(super) fn veto(one: &Reading, other: &Reading) -> Option<Veto> {
    (unknown(one, other) || unknown(other, one)).then_some(Veto::Name)
}

fn unknown(text: &Reading, other: &Reading) -> bool {
    let mut seen = HashSet::new();
    text.words
        .iter()
        .filter(|word| word.capital && word.role == Role::Content && !word.counted)
        .filter(|word| seen.insert(word.text.as_str()))
        .take(MOST)
        .any(|name| !known(name, other))
}

/// A text with more names than this is judged by the first.
const MOST: usize = 64;

fn known(name: &Word, other: &Reading) -> bool {
    other.has(name) || other.words.iter().take(MOST * 4).any(|word| misspelt(&name.text, &word.text))
}
