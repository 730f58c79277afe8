//! The same words in another order: exchanged parts.

use std::collections::HashSet;

use super::reading::{Reading, Word};
use super::{Veto, lexicon::Role};

/// Words after which stands what something goes to, comes from or is measured by.
const DIRECTIONS: [&[&str]; 4] = [&["from"], &["to", "into", "onto"], &["than"], &["by"]];
/// Words that join equals, whose order says nothing.
const JOINING: [&str; 6] = ["and", "or", "vs", "versus", "between", "difference"];
/// How many words a direction governs at most.
const REACH: usize = 3;
/// Texts with more words than this are not searched for moved parts.
const LONG: usize = 200;

pub(super) fn veto(one: &Reading, other: &Reading) -> Option<Veto> {
    let long = one.words.len().max(other.words.len()) > LONG;
    let swapped = DIRECTIONS.iter().any(|direction| exchanged(one, other, direction));
    let moved = || !long && shuffled(one, other);
    (swapped || moved()).then_some(Veto::Order)
}

/// Each text has something there that in the other is elsewhere.
fn exchanged(one: &Reading, other: &Reading, direction: &[&str]) -> bool {
    let (mine, theirs) = (governed(one, direction), governed(other, direction));
    if mine.is_empty() || theirs.is_empty() {
        return false;
    }
    let astray = |here: &HashSet<&str>, there: &HashSet<&str>, text: &Reading| {
        here.iter().any(|stem| !there.contains(stem) && text.stems.contains(*stem))
    };
    astray(&mine, &theirs, other) && astray(&theirs, &mine, one)
}

fn governed<'a>(text: &'a Reading, direction: &[&str]) -> HashSet<&'a str> {
    let mut found = HashSet::new();
    for (at, word) in text.words.iter().enumerate() {
        if direction.contains(&word.text.as_str()) {
            let object = text.words[at + 1..].iter().take_while(|word| !ends_object(word)).take(REACH);
            found.extend(object.filter(|word| word.role == Role::Content).map(|word| word.stem.as_str()));
        }
    }
    found
}

fn ends_object(word: &Word) -> bool {
    word.role == Role::Function
        && !matches!(word.text.as_str(), "a" | "an" | "the" | "my" | "your" | "our" | "their")
}

/// The same words with content, in an order that is not reached by moving one part.
fn shuffled(one: &Reading, other: &Reading) -> bool {
    let stems = |text: &Reading| -> Vec<String> {
        text.words.iter().filter(|word| word.role == Role::Content).map(|word| word.stem.clone()).collect()
    };
    let (mine, theirs) = (stems(one), stems(other));
    let (mut sorted, mut others) = (mine.clone(), theirs.clone());
    sorted.sort_unstable();
    others.sort_unstable();
    sorted == others && !joined(one, other) && !one_part_moved(&mine, &theirs)
}

fn joined(one: &Reading, other: &Reading) -> bool {
    JOINING.iter().any(|word| one.texts.contains(*word))
        && JOINING.iter().any(|word| other.texts.contains(*word))
}

fn one_part_moved(mine: &[String], theirs: &[String]) -> bool {
    let start = mine.iter().zip(theirs).take_while(|(one, other)| one == other).count();
    let (mine, theirs) = (&mine[start..], &theirs[start..]);
    let end = mine.iter().rev().zip(theirs.iter().rev()).take_while(|(one, other)| one == other).count();
    let (mine, theirs) = (&mine[..mine.len() - end], &theirs[..theirs.len() - end]);
    (0..=mine.len())
        .any(|cut| mine[cut..] == theirs[..mine.len() - cut] && mine[..cut] == theirs[mine.len() - cut..])
}
