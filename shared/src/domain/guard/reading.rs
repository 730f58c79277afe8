//! A question as the guards read it. Made once, held against many.

use std::collections::HashSet;

use super::asked::{about_words, is_chatter};
use super::lexicon::{LEXICON, Member, Role};
use super::payload::Payload;
use super::quantity::{self, Quantity};
use super::stem::stem;
use super::tokens::{Token, tokens};

#[derive(Clone, Debug)]
pub(super) struct Word {
    pub text: String,
    pub stem: String,
    pub role: Role,
    /// Written like a name.
    pub capital: bool,
    /// Part of a number or of its unit, which [`quantity`] compares.
    pub counted: bool,
}

/// A question, read.
#[derive(Clone, Debug)]
pub struct Reading {
    pub(super) words: Vec<Word>,
    pub(super) quantities: Vec<Quantity>,
    pub(super) payload: Payload,
    pub(super) texts: HashSet<String>,
    pub(super) stems: HashSet<String>,
}

impl Reading {
    /// Takes time in proportion to the length of the text.
    pub fn of(text: &str) -> Self {
        let tokens = phrased(tokens(text));
        let (quantities, counted) = quantity::read(&tokens);
        // Where all is capitals, none says anything.
        let shouted = tokens.iter().filter(|token| token.capital).count() * 3 > tokens.len() * 2;
        let about_words = about_words(tokens.iter().map(|token| token.text.as_str()));
        let words: Vec<Word> = tokens
            .into_iter()
            .zip(counted)
            .map(|(token, counted)| Word {
                stem: stem(&token.text),
                role: match LEXICON.role(&token.text) {
                    Role::Light if about_words && is_chatter(&token.text) => Role::Content,
                    role => role,
                },
                capital: token.capital && !shouted,
                text: token.text,
                counted,
            })
            .collect();
        Reading {
            quantities,
            payload: Payload::of(text),
            texts: words.iter().map(|word| word.text.clone()).collect(),
            stems: words.iter().map(|word| word.stem.clone()).collect(),
            words,
        }
    }

    /// The words that say what is asked, numbers aside.
    pub(super) fn content(&self) -> impl Iterator<Item = &Word> {
        self.words.iter().filter(|word| word.role == Role::Content && !word.counted)
    }

    pub(super) fn has(&self, word: &Word) -> bool {
        self.texts.contains(&word.text) || self.stems.contains(&word.stem)
    }

    /// Members of classes or sides of opposites that the words are.
    pub(super) fn members(&self, of: impl Fn(&str) -> &'static [Member]) -> HashSet<Member> {
        self.words.iter().flat_map(|word| of(&word.text)).copied().collect()
    }
}

/// Reads phrases as one word.
fn phrased(tokens: Vec<Token>) -> Vec<Token> {
    let texts: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let mut found = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        match LEXICON.phrase(&texts[at..]) {
            Some((length, read_as)) => {
                found.extend(read_as.iter().map(|word| Token { text: (*word).to_owned(), capital: false }));
                at += length;
            }
            None => {
                found.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    found
}
