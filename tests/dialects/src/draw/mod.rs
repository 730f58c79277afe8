//! Requests and answers drawn from bytes: the same bytes draw the same things. Where the bytes end,
//! everything that may be left out is left out.

pub mod answer;
pub mod chat;
pub mod history;
pub mod messages;
pub mod parts;
pub mod responses;

use arbitrary::Unstructured;
use serde_json::{Map, Value, json};

/// Words with what is hard to carry: escapes, several bytes, surrogate pairs, combining marks.
const WORDS: &[&str] = &[
    "rain",
    "in",
    "Oslo",
    "7°",
    "\"quoted\"",
    "back\\slash",
    "line\nbreak",
    "naïve",
    "日本",
    "🌧️",
    "e\u{301}",
    "data:",
    "[DONE]",
    "</s>",
    "{}",
    "\u{2028}",
    "tab\t",
    "\u{7f}",
];

/// A source of choices.
#[derive(Debug)]
pub struct Dice<'a>(Unstructured<'a>);

impl<'a> Dice<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Dice(Unstructured::new(bytes))
    }

    /// From 0 to `count - 1`.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.choose_index(count).unwrap_or(0)
    }

    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        self.0.int_in_range(low..=high).unwrap_or(low)
    }

    pub fn pick<'b, T>(&mut self, choices: &'b [T]) -> &'b T {
        &choices[self.below(choices.len())]
    }

    /// True in `percent` of a hundred throws.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.within(0, 99) >= 100 - percent
    }

    pub fn maybe<T>(&mut self, percent: u64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(percent).then(|| make(self))
    }

    pub fn several<T>(&mut self, low: usize, high: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = low + self.below(high - low + 1);
        (0..count).map(|_| make(self)).collect()
    }

    /// Some words, at least one of them visible.
    pub fn text(&mut self) -> String {
        let words = self.several(1, 5, |dice| *dice.pick(WORDS));
        format!("{} {}", words.join(" "), self.pick(&["so", "then", "why?"]))
    }

    /// An id as `prefix` makes them.
    pub fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}{:08x}", self.within(0, u64::from(u32::MAX)))
    }

    /// A JSON object of a few members.
    pub fn object(&mut self) -> Map<String, Value> {
        let members = self.several(0, 3, |dice| {
            (dice.pick(&["city", "days", "a b", "é", "nested"]).to_string(), dice.value(2))
        });
        members.into_iter().collect()
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => json!(self.text()),
            1 => json!(self.within(0, 1 << 40)),
            2 => json!(self.chance(50)),
            3 => json!(-0.5),
            4 => Value::Array(self.several(0, 3, |dice| dice.value(depth - 1))),
            _ => json!({ "inner": self.value(depth - 1) }),
        }
    }

    /// A JSON Schema of an object, closed as strict modes want it.
    pub fn schema(&mut self) -> Value {
        let names = self.several(0, 3, |dice| *dice.pick(&["city", "days", "unit", "é"]));
        let kinds = [
            json!({ "type": "string" }),
            json!({ "type": "integer" }),
            json!({ "type": "array", "items": { "type": "number" } }),
        ];
        let properties: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), self.pick(&kinds).clone())).collect();
        let required: Vec<&String> = properties.keys().collect();
        json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
    }

    /// Cuts `text` into pieces that are not empty; an empty text has none.
    pub fn pieces(&mut self, text: &str) -> Vec<String> {
        let mut pieces = vec![String::new()];
        for letter in text.chars() {
            let last = pieces.len() - 1;
            if !pieces[last].is_empty() && self.chance(20) {
                pieces.push(String::new());
            }
            let last = pieces.len() - 1;
            pieces[last].push(letter);
        }
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }
}

/// Puts `value` under `name` where there is one.
pub(crate) fn put(body: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}
