//! Reads the keys of one JSON object: each reader returns a usable value and notes what was wrong.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::decimal::{EXACT_DIGITS, scaled, significant_digits};
use super::error::Faults;
use super::names::{Named, unknown};
use super::node::{Node, child};

/// An object of the document, with its path and the keys it may have.
pub(super) struct Section<'a> {
    path: String,
    entries: Option<&'a [(String, Node)]>,
    known: Option<&'static [&'static str]>,
    faults: &'a Faults,
}

impl<'a> Section<'a> {
    /// The object at `path` with only `known` keys; absent reads as empty.
    pub(super) fn open(
        node: Option<&'a Node>,
        path: &str,
        known: &'static [&'static str],
        faults: &'a Faults,
    ) -> Section<'a> {
        let section = Section::map(node, path, faults);
        for (key, _) in section.entries.unwrap_or_default() {
            if !known.contains(&key.as_str()) {
                let message = unknown("key", key, known.iter().copied());
                faults.add(&child(path, key), message);
            }
        }
        Section { known: Some(known), ..section }
    }

    /// The object at `path` whose keys are names the operator chooses.
    pub(super) fn map(node: Option<&'a Node>, path: &str, faults: &'a Faults) -> Section<'a> {
        let entries = match node {
            Some(Node::Object(entries)) => Some(entries.as_slice()),
            Some(other) => {
                faults.add(path, format!("must be an object, is {}", other.kind()));
                None
            }
            None => None,
        };
        Section { path: path.to_owned(), entries, known: None, faults }
    }

    /// The section under `key`.
    pub(super) fn section(&self, key: &str, known: &'static [&'static str]) -> Section<'a> {
        Section::open(self.get(key), &self.at(key), known, self.faults)
    }

    /// The entries under `key`, named by the operator, each with its path.
    pub(super) fn entries(&self, key: &str) -> Vec<(&'a str, String, &'a Node)> {
        let map = Section::map(self.get(key), &self.at(key), self.faults);
        let entries = map.entries.unwrap_or_default().iter();
        entries.map(|(name, node)| (name.as_str(), child(&map.path, name), node)).collect()
    }

    /// The elements of the list under `key`, each with its path; none when the key is absent.
    pub(super) fn list(&self, key: &str) -> Option<Vec<(String, &'a Node)>> {
        match self.get(key)? {
            Node::List(nodes) => {
                let path = |at: usize| format!("{}[{at}]", self.at(key));
                let paths = nodes.iter().enumerate();
                Some(paths.map(|(at, node)| (path(at), node)).collect())
            }
            other => {
                self.refuse(key, format!("must be a list, is {}", other.kind()));
                None
            }
        }
    }

    /// Whether there is an object at all; when there is something else, that was noted already.
    pub(super) fn is_object(&self) -> bool {
        self.entries.is_some()
    }

    /// Notes a fault unless the object has `key`.
    pub(super) fn require(&self, key: &str) {
        if self.is_object() && !self.has(key) {
            self.refuse(key, "is missing");
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn faults(&self) -> &'a Faults {
        self.faults
    }

    /// Notes that the value of `key` is wrong.
    pub(super) fn refuse(&self, key: &str, message: impl Into<String>) {
        self.faults.add(&self.at(key), message);
    }

    /// The path of `key`.
    pub(super) fn at(&self, key: &str) -> String {
        child(&self.path, key)
    }

    pub(super) fn boolean(&self, key: &str, default: bool) -> bool {
        match self.get(key) {
            None => default,
            Some(Node::Bool(value)) => *value,
            Some(other) => {
                self.refuse(key, format!("must be true or false, is {}", other.kind()));
                default
            }
        }
    }

    /// A whole number or a fraction inside `range`.
    pub(super) fn number<T>(&self, key: &str, range: RangeInclusive<T>, default: T) -> T
    where
        T: Copy + PartialOrd + Display + FromStr,
    {
        self.optional_number(key, range).unwrap_or(default)
    }

    pub(super) fn optional_number<T>(&self, key: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: Copy + PartialOrd + Display + FromStr,
    {
        let node = self.get(key)?;
        // The path is worded only for a fault.
        number_of(node, &range).or_else(|| number_in(node, &self.at(key), range, self.faults))
    }

    /// A string that is not empty and has at most 200 characters, none of them a control.
    pub(super) fn text(&self, key: &str, default: &str) -> String {
        self.optional_text(key).unwrap_or_else(|| default.to_owned())
    }

    pub(super) fn optional_text(&self, key: &str) -> Option<String> {
        let text = match self.get(key)? {
            Node::Text(text) => text,
            other => return text_of(other, &self.at(key), self.faults).map(str::to_owned),
        };
        let fits = (1..=200).contains(&text.chars().count());
        if fits && !text.chars().any(char::is_control) {
            return Some(text.clone());
        }
        self.refuse(key, "must have 1 to 200 characters, none of them a control");
        None
    }

    /// A string that `T` can read.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, key: &str) -> Option<T> {
        parsed_from(self.get(key)?, &self.at(key), self.faults)
    }

    /// One of the names of `T`.
    pub(super) fn choice<T: Named>(&self, key: &str, default: T) -> T {
        self.optional_choice(key).unwrap_or(default)
    }

    pub(super) fn optional_choice<T: Named>(&self, key: &str) -> Option<T> {
        choice_from(self.get(key)?, &self.at(key), self.faults)
    }

    /// A decimal given as a number or a string, in units of ten to the minus `places`.
    pub(super) fn decimal(&self, key: &str, places: u32) -> Option<i64> {
        decimal_from(self.get(key)?, &self.at(key), places, self.faults)
    }

    /// # Panics
    /// In debug builds, when `key` is missing from the table of known keys: the table is what the
    /// JSON Schema is compared with.
    fn get(&self, key: &str) -> Option<&'a Node> {
        debug_assert!(self.known.is_none_or(|known| known.contains(&key)), "{key}");
        self.entries?.iter().find(|(known, _)| known == key).map(|(_, node)| node)
    }
}

pub(super) fn text_of<'a>(node: &'a Node, path: &str, faults: &Faults) -> Option<&'a str> {
    match node {
        Node::Text(text) => Some(text),
        other => {
            faults.add(path, format!("must be a string, is {}", other.kind()));
            None
        }
    }
}

pub(super) fn parsed_from<T: FromStr<Err: Display>>(node: &Node, path: &str, faults: &Faults) -> Option<T> {
    match text_of(node, path, faults)?.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            faults.add(path, error.to_string());
            None
        }
    }
}

pub(super) fn choice_from<T: Named>(node: &Node, path: &str, faults: &Faults) -> Option<T> {
    let text = text_of(node, path, faults)?;
    let value = T::from_name(text);
    if value.is_none() {
        let names: Vec<_> = T::NAMES.iter().map(|(name, _)| *name).collect();
        let near = unknown("value", text, names.iter().copied());
        faults.add(path, format!("{near}; one of {}", names.join(", ")));
    }
    value
}

/// The number that `node` is, if it is one in `range`.
fn number_of<T: PartialOrd + FromStr>(node: &Node, range: &RangeInclusive<T>) -> Option<T> {
    match node {
        Node::Number(text) => text.parse().ok().filter(|value| range.contains(value)),
        _ => None,
    }
}

pub(super) fn number_in<T>(node: &Node, path: &str, range: RangeInclusive<T>, faults: &Faults) -> Option<T>
where
    T: Copy + PartialOrd + Display + FromStr,
{
    if let Some(value) = number_of(node, &range) {
        return Some(value);
    }
    let found = match node {
        Node::Number(text) => text,
        other => other.kind(),
    };
    // A type that cannot read a fraction counts whole things.
    let what = match "0.5".parse::<T>() {
        Ok(_) => "a number",
        Err(_) => "a whole number",
    };
    let (low, high) = range.into_inner();
    faults.add(path, format!("must be {what} from {low} to {high}, is {found}"));
    None
}

pub(super) fn decimal_from(node: &Node, path: &str, places: u32, faults: &Faults) -> Option<i64> {
    let refused = match node {
        // A longer number may already have lost digits when JSON was read.
        Node::Number(text) if significant_digits(text) > EXACT_DIGITS => {
            "has too many digits for a JSON number; write it as a string".to_owned()
        }
        Node::Number(text) | Node::Text(text) => match scaled(text, places) {
            Ok(value) => return Some(value),
            Err(error) => error.to_string(),
        },
        other => format!("must be a decimal number, is {}", other.kind()),
    };
    faults.add(path, refused);
    None
}
