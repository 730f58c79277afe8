//! Message items: text and refusals.

use serde_json::{Value, json};

use super::super::events::{Event, Part};
use super::super::item::{Content, Item, Status};
use super::{Composer, Open};
use crate::protocol::canonical::Delta;

/// The log probabilities of the text in `delta`.
pub(super) fn logprobs(delta: &Delta) -> Vec<Value> {
    let content = delta.logprobs.as_ref().and_then(|logprobs| logprobs["content"].as_array());
    content.into_iter().flatten().map(logprob).collect()
}

/// Chat completions say null of a token without bytes of its own, where this dialect has a list.
fn logprob(entry: &Value) -> Value {
    let mut entry = entry.clone();
    let list_bytes = |token: &mut Value| {
        if let Some(bytes) = token.get_mut("bytes").filter(|bytes| bytes.is_null()) {
            *bytes = json!([]);
        }
    };
    list_bytes(&mut entry);
    entry.get_mut("top_logprobs").and_then(Value::as_array_mut).into_iter().flatten().for_each(list_bytes);
    entry
}

impl Composer {
    pub(super) fn say(&mut self, more: &str, probable: &[Value]) {
        let at = self.part(Content::text);
        let Item::Message { id, content, .. } = &mut self.output[at] else {
            return;
        };
        let index = content.len().saturating_sub(1);
        self.events.push(Event {
            kind: "response.output_text.delta",
            delta: Some(more),
            logprobs: Some(probable),
            ..place(at, id, index)
        });
        if let Some(Content::OutputText { text, logprobs, .. }) = content.last_mut() {
            text.push_str(more);
            logprobs.extend_from_slice(probable);
        }
    }

    pub(super) fn refuse(&mut self, more: &str) {
        let at = self.part(Content::refusal);
        let Item::Message { id, content, .. } = &mut self.output[at] else {
            return;
        };
        let index = content.len().saturating_sub(1);
        self.events.push(Event { kind: "response.refusal.delta", delta: Some(more), ..place(at, id, index) });
        if let Some(Content::Refusal { refusal }) = content.last_mut() {
            refusal.push_str(more);
        }
    }

    /// The output index of the open message, whose last part is of the kind that `make` makes.
    fn part(&mut self, make: fn() -> Content) -> usize {
        let at = match self.open {
            Some(Open::Message(at)) => at,
            _ => {
                self.close_open(Status::Completed);
                let message = |id| Item::Message {
                    id,
                    role: "assistant",
                    status: Status::InProgress,
                    content: Vec::new(),
                };
                let at = self.begin("msg", message);
                self.open = Some(Open::Message(at));
                at
            }
        };
        let fresh = make();
        let same = |part: &Content| std::mem::discriminant(part) == std::mem::discriminant(&fresh);
        let Item::Message { content, .. } = &self.output[at] else {
            return at;
        };
        if !content.last().is_some_and(same) {
            self.close_part(at);
            self.open_part(at, fresh);
        }
        at
    }

    fn open_part(&mut self, at: usize, part: Content) {
        if let Item::Message { id, content, .. } = &mut self.output[at] {
            self.events.push(Event {
                kind: "response.content_part.added",
                part: Some(Part::Content(&part)),
                ..place(at, id, content.len())
            });
            content.push(part);
        }
    }

    /// Ends the last part, if there is any.
    fn close_part(&mut self, at: usize) {
        let Item::Message { id, content, .. } = &self.output[at] else {
            return;
        };
        let Some(part) = content.last() else {
            return;
        };
        let place = || place(at, id, content.len().saturating_sub(1));
        self.events.push(match part {
            Content::OutputText { text, logprobs, .. } => Event {
                kind: "response.output_text.done",
                text: Some(text),
                logprobs: Some(logprobs),
                ..place()
            },
            Content::Refusal { refusal } => {
                Event { kind: "response.refusal.done", refusal: Some(refusal), ..place() }
            }
        });
        let part = Some(Part::Content(part));
        self.events.push(Event { kind: "response.content_part.done", part, ..place() });
    }

    pub(super) fn close_message(&mut self, at: usize, how: Status) {
        self.close_part(at);
        self.end(at, how);
    }
}

fn place(at: usize, id: &str, index: usize) -> Event<'_> {
    Event { item_id: Some(id), output_index: Some(at), content_index: Some(index), ..Event::default() }
}
