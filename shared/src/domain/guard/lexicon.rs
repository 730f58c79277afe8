//! The word lists, read once.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::stem::{singular, stem};

/// What a word does in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Grammar.
    Function,
    /// Asking, greeting, thanking.
    Light,
    /// It says what is asked.
    Content,
}

/// A list, by its number, and a member of it.
pub(super) type Member = (u16, u16);

pub(super) struct Lexicon {
    roles: HashMap<&'static str, Role>,
    /// By the first word: the further words, and what the phrase is read as.
    phrases: HashMap<&'static str, Vec<Phrase>>,
    classes: Lists,
    names: Vec<&'static str>,
    opposites: Lists,
    synonyms: Lists,
}

struct Phrase {
    rest: Vec<&'static str>,
    read_as: Vec<&'static str>,
}

/// Words and their stems, and the members of lists that they are.
#[derive(Default)]
struct Lists {
    words: HashMap<String, Vec<Member>>,
    stems: HashMap<String, Vec<Member>>,
}

pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon {
    roles: roles(),
    phrases: phrases(include_str!("lists/phrases.txt")),
    classes: Lists::of(lines(include_str!("lists/classes.txt")).map(|line| after_colon(line).1)),
    names: lines(include_str!("lists/classes.txt")).map(|line| after_colon(line).0).collect(),
    opposites: Lists::of(lines(include_str!("lists/opposites.txt"))),
    synonyms: Lists::of(lines(include_str!("lists/synonyms.txt"))),
});

fn lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty())
}

fn after_colon(line: &'static str) -> (&'static str, &'static str) {
    line.split_once(": ").unwrap_or(("", line))
}

fn roles() -> HashMap<&'static str, Role> {
    let light = lines(include_str!("lists/light.txt")).map(|line| (line, Role::Light));
    let function = lines(include_str!("lists/function.txt")).map(|line| (line, Role::Function));
    light.chain(function).flat_map(|(line, role)| line.split(' ').map(move |word| (word, role))).collect()
}

fn phrases(list: &'static str) -> HashMap<&'static str, Vec<Phrase>> {
    let mut found: HashMap<_, Vec<Phrase>> = HashMap::new();
    for (written, read_as) in lines(list).filter_map(|line| line.split_once(" = ")) {
        let mut words = written.split(' ');
        let phrase = |rest| Phrase { rest, read_as: read_as.split(' ').collect() };
        if let Some(first) = words.next() {
            found.entry(first).or_default().push(phrase(words.collect()));
        }
    }
    // The longest first, since a phrase may begin with another.
    found.values_mut().for_each(|phrases| phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.rest.len())));
    found
}

impl Lists {
    fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut lists = Lists::default();
        for (list, line) in (0..).zip(lines) {
            for (member, words) in (0..).zip(line.split(" | ")) {
                for word in words.split(' ') {
                    lists.words.entry(word.to_owned()).or_default().push((list, member));
                    lists.stems.entry(stem(word)).or_default().push((list, member));
                }
            }
        }
        lists
    }

    /// A word that is listed as it stands is no form of another: `evening` is not `even`.
    fn members(&self, word: &str) -> &[Member] {
        let found = self.words.get(word).or_else(|| self.words.get(&singular(word)));
        found.or_else(|| self.stems.get(&stem(word))).map_or(&[], Vec::as_slice)
    }
}

impl Lexicon {
    pub(super) fn role(&self, word: &str) -> Role {
        self.roles.get(word).copied().unwrap_or(Role::Content)
    }

    /// What the words at the start of `words` are read as together, and how many they are.
    pub(super) fn phrase(&'static self, words: &[&str]) -> Option<(usize, &'static [&'static str])> {
        let (first, rest) = words.split_first()?;
        let known = self.phrases.get(*first)?;
        let phrase = known.iter().find(|phrase| rest.starts_with(phrase.rest.as_slice()))?;
        Some((phrase.rest.len() + 1, &phrase.read_as))
    }

    /// Which member of which class a word is.
    pub(super) fn classes(&self, word: &str) -> &[Member] {
        self.classes.members(word)
    }

    pub(super) fn class_name(&self, class: u16) -> &'static str {
        self.names.get(usize::from(class)).copied().unwrap_or_default()
    }

    /// Which side of which pair of opposites a word is.
    pub(super) fn opposites(&self, word: &str) -> &[Member] {
        self.opposites.members(word)
    }

    pub(super) fn synonymous(&self, one: &str, other: &str) -> bool {
        let sets = self.synonyms.members(other);
        self.synonyms.members(one).iter().any(|set| sets.contains(set))
    }
}
