//! Denial, by words of their own.

use super::{Reading, Veto};

const DENIALS: [&str; 11] =
    ["not", "no", "never", "none", "neither", "nor", "nobody", "nothing", "nowhere", "without", "non"];

/// A text with an even number of denials is taken to affirm.
pub(super) fn veto(one: &Reading, other: &Reading) -> Option<Veto> {
    (denies(one) != denies(other)).then_some(Veto::Negation)
}

fn denies(text: &Reading) -> bool {
    text.words.iter().filter(|word| DENIALS.contains(&word.text.as_str())).count() % 2 == 1
}
