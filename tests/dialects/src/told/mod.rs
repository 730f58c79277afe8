//! What a caller is told, read back out of a reply by the rules of its dialect. A reply that breaks
//! them is a panic that says how.

pub mod chat;
pub mod messages;
pub mod prompt;
pub mod responses;

use serde_json::Value;
use shared::protocol::dialect::Dialect;

/// One reply, in words that do not depend on how it was carried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    pub choices: Vec<Choice>,
    /// As the dialect writes it.
    pub usage: Value,
    /// The stream ended with an error.
    pub failed: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    pub text: String,
    pub refusal: String,
    pub thought: String,
    /// Seals and what is kept from being read, as the dialect writes them.
    pub sealed: Vec<Value>,
    pub calls: Vec<Call>,
    pub logprobs: Vec<Value>,
    pub finish: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    pub id: String,
    pub name: String,
    /// JSON text, or what a model wrote instead.
    pub arguments: String,
}

/// One server-sent event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: Option<String>,
    pub data: String,
}

impl Event {
    /// # Panics
    /// When the data are no JSON object.
    pub fn json(&self) -> Value {
        let value: Value =
            serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {}", self.data));
        assert!(value.is_object(), "no object: {}", self.data);
        value
    }
}

/// Reads a reply to a caller who streams.
///
/// # Panics
/// When it breaks the rules of its dialect.
pub fn streamed(dialect: Dialect, text: &str) -> Told {
    let events = events(text);
    match dialect {
        Dialect::OpenAi => chat::streamed(&events),
        Dialect::Responses => responses::streamed(&events),
        Dialect::Anthropic => messages::streamed(&events),
        Dialect::Seed => prompt::streamed(&events),
    }
}

/// Reads a reply to a caller who does not.
///
/// # Panics
/// As [`streamed`].
pub fn whole(dialect: Dialect, text: &str) -> Told {
    let body: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    match dialect {
        Dialect::OpenAi => chat::whole(&body),
        Dialect::Responses => responses::whole(&body),
        Dialect::Anthropic => messages::whole(&body),
        Dialect::Seed => prompt::whole(&body),
    }
}

/// The events of a stream, each of one line of data under at most one name.
///
/// # Panics
/// When there is anything else in it.
pub fn events(text: &str) -> Vec<Event> {
    assert!(text.is_empty() || text.ends_with("\n\n"), "the last event is not ended");
    text.split_terminator("\n\n").filter(|event| !event.starts_with(':')).map(event).collect()
}

fn event(text: &str) -> Event {
    let (name, rest) = match text.strip_prefix("event: ").map(|rest| rest.split_once('\n')) {
        Some(Some((name, rest))) => (Some(name.to_owned()), rest),
        Some(None) => panic!("an event without data: {text}"),
        None => (None, text),
    };
    let data = rest.strip_prefix("data: ").unwrap_or_else(|| panic!("no data: {text}"));
    assert!(!data.contains(['\n', '\r']), "more than one line: {text}");
    Event { name, data: data.to_owned() }
}

/// A member that must be a string.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is no string in {value}"))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is no list in {value}"))
}

fn index(value: &Value, name: &str) -> usize {
    let index = value[name].as_u64().and_then(|index| usize::try_from(index).ok());
    index.unwrap_or_else(|| panic!("{name} is no index in {value}"))
}

/// Whether `value` is an error as `report` tells it, with a message and the code that programs test.
fn assert_error(error: &Value) {
    assert!(!text(error, "message").is_empty() && !text(error, "code").is_empty(), "{error}");
}
