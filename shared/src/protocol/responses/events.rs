//! The events of a streamed reply, numbered and written.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::item::{Content, Item, Summary};
use super::render::Response;
use crate::protocol::sse;

/// One event; each kind has some of the members.
#[derive(Debug, Default, Serialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<&'a [Value]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<Part<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<&'a Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<&'a Response<'a>>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Part<'a> {
    Content(&'a Content),
    Summary(&'a Summary),
}

/// Writes events under consecutive numbers, or nothing at all for a reply that is not streamed.
#[derive(Debug, Default)]
pub(super) struct Events {
    text: String,
    next: u64,
    silent: bool,
}

impl Events {
    pub(super) fn silent() -> Self {
        Events { silent: true, ..Events::default() }
    }

    pub(super) fn push(&mut self, event: Event<'_>) {
        if self.silent {
            return;
        }
        let event = Event { sequence_number: self.next, ..event };
        self.next += 1;
        self.text += &sse::named_event(event.kind, &serde_json::to_string(&event).unwrap_or_default());
    }

    /// An `error` event, with what else is known of it.
    pub(super) fn push_error(&mut self, mut facts: Map<String, Value>) {
        facts.insert("type".into(), json!("error"));
        facts.insert("sequence_number".into(), json!(self.next));
        self.next += 1;
        self.text += &sse::named_event("error", &Value::Object(facts).to_string());
    }

    /// What was written since the last time.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}
