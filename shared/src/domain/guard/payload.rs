//! Texts that are worked on rather than asked: quotations, what follows an instruction, and long
//! prompts in which little changes.

use std::collections::HashMap;

use super::reading::Reading;
use super::tokens::{plain, tokens};
use super::{Veto, lexicon::Role};

/// From this many words on, words that differ are taken for what a template was filled with.
const LONG: usize = 40;
/// Share of the words of long prompts that must be common for them to be one template, in percent.
const TEMPLATE: usize = 50;
/// The embedder reads no further than about this many words.
const UNREAD: usize = 150;
/// What an instruction begins with that works on a text.
const WORKING: [&str; 37] = [
    "translate",
    "summarise",
    "summarize",
    "rewrite",
    "rephrase",
    "paraphrase",
    "classify",
    "extract",
    "correct",
    "proofread",
    "calculate",
    "compute",
    "solve",
    "convert",
    "write",
    "generate",
    "compose",
    "continue",
    "complete",
    "implement",
    "refactor",
    "debug",
    "evaluate",
    "simplify",
    "shorten",
    "expand",
    "format",
    "parse",
    "tokenize",
    "transcribe",
    "label",
    "categorize",
    "categorise",
    "define",
    "spell",
    "draft",
    "edit",
];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Payload {
    quotes: Vec<String>,
    /// What follows the first colon or line break.
    body: Option<String>,
}

impl Payload {
    pub(super) fn of(text: &str) -> Self {
        Payload { quotes: quotes(text), body: body(text) }
    }
}

pub(super) fn veto(one: &Reading, other: &Reading) -> Option<Veto> {
    if one.payload.quotes != other.payload.quotes {
        return Some(Veto::Quote);
    }
    let bodies = one.payload.body != other.payload.body;
    (bodies || work(one, other) || template(one, other)).then_some(Veto::Template)
}

/// Quoted strings in their order. An apostrophe inside a word quotes nothing.
fn quotes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(char, String)> = None;
    let mut before = ' ';
    for letter in text.chars() {
        open = match open {
            Some((close, quoted)) if letter == close => {
                found.push(plain(&quoted));
                None
            }
            Some((close, mut quoted)) => {
                quoted.push(letter);
                Some((close, quoted))
            }
            None => closing(letter, before).map(|close| (close, String::new())),
        };
        before = letter;
    }
    found
}

fn closing(letter: char, before: char) -> Option<char> {
    match letter {
        '"' | '`' => Some(letter),
        '\u{201c}' | '\u{201e}' => Some('\u{201d}'),
        '\u{ab}' => Some('\u{bb}'),
        '\'' if before.is_whitespace() => Some('\''),
        _ => None,
    }
}

fn body(text: &str) -> Option<String> {
    let (_, body) = text.trim().split_once([':', '\n']).filter(|(_, body)| {
        // A clock's colon is followed by a digit, an address's by a slash.
        body.starts_with(char::is_whitespace) || body.starts_with(char::is_alphabetic)
    })?;
    let words: Vec<String> = tokens(body).into_iter().map(|token| token.text).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// An instruction to work on something is the same only with the same thing to work on.
fn work(one: &Reading, other: &Reading) -> bool {
    (works(one) || works(other)) && differing(one, other) > 0
}

fn works(text: &Reading) -> bool {
    let first = text.words.iter().find(|word| word.role == Role::Content);
    first.is_some_and(|word| WORKING.contains(&word.text.as_str()))
}

fn template(one: &Reading, other: &Reading) -> bool {
    let longest = one.words.len().max(other.words.len());
    if longest < LONG {
        return false;
    }
    let differing = differing(one, other);
    let all = one.content().count() + other.content().count();
    let common = all.saturating_sub(differing) * 100 >= all * TEMPLATE;
    differing > 0 && (common || longest > UNREAD)
}

/// How many words with content are in one text only, repetitions counted.
fn differing(one: &Reading, other: &Reading) -> usize {
    let mut balance: HashMap<&str, isize> = HashMap::new();
    one.content().for_each(|word| *balance.entry(&word.stem).or_default() += 1);
    other.content().for_each(|word| *balance.entry(&word.stem).or_default() -= 1);
    balance.values().map(|count| count.unsigned_abs()).sum()
}
