//! Words that say something and that only one of two questions has.

use super::lexicon::LEXICON;
use super::reading::{Reading, Word};
use super::spelling::misspelt;
use super::{Veto, Wording};

/// With more unlike words than this no like is searched for them.
const MOST: usize = 16;

pub(super) fn veto(one: &Reading, other: &Reading, wording: Wording) -> Option<Veto> {
    if wording == Wording::Free {
        return None;
    }
    let (mine, theirs) = (unlike(one, other), unlike(other, one));
    if wording == Wording::Close {
        let replaced = mine.len() == 1 && theirs.len() == 1 && one.words.len() == other.words.len();
        return replaced.then_some(Veto::Word);
    }
    match (mine.is_empty(), theirs.is_empty()) {
        (true, true) => None,
        (false, false) => Some(Veto::Word),
        _ => Some(Veto::Scope),
    }
}

/// The words that nothing in the other text stands for.
fn unlike<'a>(text: &'a Reading, other: &'a Reading) -> Vec<&'a Word> {
    let missing: Vec<&Word> = text.content().filter(|word| !other.has(word)).collect();
    if missing.len() > MOST {
        return missing;
    }
    let theirs: Vec<&Word> = other.words.iter().take(MOST * 16).collect();
    missing.into_iter().filter(|word| !theirs.iter().any(|other| like(word, other))).collect()
}

fn like(one: &Word, other: &Word) -> bool {
    LEXICON.synonymous(&one.text, &other.text) || misspelt(&one.text, &other.text)
}
