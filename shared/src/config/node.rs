//! A JSON document as the parser sees it: duplicate keys noticed, numbers kept as text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::error::Faults;

/// One JSON value. `serde_json::Value` would keep the last of two equal keys without a word and
/// turn every decimal into a float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order of the document. Objects are small, so their members are looked for one by one.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Reads `text`; syntax errors and duplicate keys become faults.
    pub(super) fn parse(text: &str, faults: &Faults) -> Option<Node> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let seed = Seed { place: &Place::Root, faults };
        let parsed = seed.deserialize(&mut reader);
        match parsed.and_then(|node| reader.end().map(|()| node)) {
            Ok(node) => Some(node),
            Err(error) => {
                faults.add("$", format!("is not valid JSON: {error}"));
                None
            }
        }
    }

    /// What the value is, for a message: its kind only, since the value itself may be a secret.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Node::Null => "null",
            Node::Bool(_) => "a boolean",
            Node::Number(_) => "a number",
            Node::Text(_) => "a string",
            Node::List(_) => "a list",
            Node::Object(_) => "an object",
        }
    }
}

/// The path of `key` inside `path`: dotted where the key is a plain word, quoted where it is not.
pub(super) fn child(path: &str, key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-$".contains(c);
    match (path, !key.is_empty() && key.chars().all(plain)) {
        ("$", true) => key.to_owned(),
        (path, true) => format!("{path}.{key}"),
        (path, false) => format!("{path}[{key:?}]"),
    }
}

/// Where a value stands. Its path is worded only for a fault: a list of prices has thousands of values,
/// and every cold start reads them all.
enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Element(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn path(&self) -> String {
        match self {
            Place::Root => "$".to_owned(),
            Place::Member(within, key) => child(&within.path(), key),
            Place::Element(within, at) => format!("{}[{at}]", within.path()),
        }
    }
}

struct Seed<'a> {
    place: &'a Place<'a>,
    faults: &'a Faults,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        Ok(Node::Number(number.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        loop {
            let place = &Place::Element(self.place, nodes.len());
            match list.next_element_seed(Seed { place, ..self })? {
                Some(node) => nodes.push(node),
                None => return Ok(Node::List(nodes)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let place = &Place::Member(self.place, &key);
            let node = map.next_value_seed(Seed { place, ..self })?;
            match entries.iter_mut().find(|(known, _)| *known == key) {
                Some((_, earlier)) => {
                    self.faults.add(&place.path(), "is given twice; keep one");
                    *earlier = node;
                }
                None => entries.push((key, node)),
            }
        }
        Ok(Node::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(text: &str) -> String {
        let faults = Faults::default();
        Node::parse(text, &faults);
        faults.or(()).map_or_else(|e| e.to_string(), |()| String::new())
    }

    #[test]
    fn duplicate_keys_are_faults_at_any_depth() {
        let text = r#"{"a": 1, "b": [{"c": 1, "c": 2}], "a": {"d.e": 1, "d.e": 2}}"#;
        let expected = "a: is given twice; keep one\na[\"d.e\"]: is given twice; keep one\nb[0].c: is given twice; keep one";
        assert_eq!(faults_of(text), expected);
    }

    #[test]
    fn what_is_not_json_is_one_fault_with_its_place() {
        for text in ["", "{", "{} {}", "[1,]", "{'a': 1}", "{\"a\": NaN}", "1e999", "\u{feff}{}"] {
            let faults = faults_of(text);
            assert!(faults.starts_with("$: is not valid JSON: "), "{text:?}: {faults}");
            assert!(faults.contains("line"), "{text:?}: {faults}");
        }
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert!(faults_of(&"[".repeat(100_000)).contains("recursion limit"));
    }

    #[test]
    fn numbers_keep_the_digits_they_were_written_with() {
        let node = Node::parse("[0.50, 1e-7, 3, -2]", &Faults::default());
        let digits = ["0.5", "1e-7", "3", "-2"].map(|text| Node::Number(text.to_owned()));
        assert_eq!(node, Some(Node::List(digits.to_vec())));
    }
}
