//! Puts the output items of one answer together, increment by increment, and tells each step as an
//! event. A reply that is not streamed is put together the same way, so both come to one object.
//!
//! Reasoning and messages follow each other: one closes when another item begins. Calls stay open
//! until the answer ends, because providers may write several of them in turns.

mod call;
mod message;
mod thought;

use std::collections::BTreeMap;

use super::events::{Event, Events};
use super::item::{Item, Status};
use crate::protocol::canonical::{Delta, FinishReason};

/// The answer as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Composer {
    request_id: String,
    output: Vec<Item>,
    open: Option<Open>,
    calls: BTreeMap<u32, call::Call>,
    finish: Option<FinishReason>,
    pub(super) events: Events,
}

/// The item that goes on until another begins.
#[derive(Debug)]
enum Open {
    Thought(thought::Thought),
    /// At this output index.
    Message(usize),
}

impl Composer {
    pub(super) fn new(request_id: &str, events: Events) -> Self {
        Composer { request_id: request_id.to_owned(), events, ..Composer::default() }
    }

    pub(super) fn push(&mut self, delta: &Delta) {
        // One choice is all the dialect knows.
        if delta.choice != 0 {
            return;
        }
        if let Some(reasoning) = &delta.reasoning {
            self.think(reasoning);
        }
        let logprobs = message::logprobs(delta);
        if !logprobs.is_empty() || delta.content.as_ref().is_some_and(|text| !text.is_empty()) {
            self.say(delta.content.as_deref().unwrap_or_default(), &logprobs);
        }
        if let Some(refusal) = delta.refusal.as_deref().filter(|text| !text.is_empty()) {
            self.refuse(refusal);
        }
        for call in &delta.tool_calls {
            self.call(call);
        }
        if let Some(reason) = &delta.finish {
            self.finish = Some(reason.clone());
            self.close();
        }
    }

    /// Ends whatever is open. An answer that was cut off leaves what was open incomplete.
    pub(super) fn close(&mut self) {
        let how = match self.finish {
            Some(FinishReason::Length | FinishReason::ContentFilter) => Status::Incomplete,
            _ => Status::Completed,
        };
        self.close_calls(how);
        self.close_open(how);
    }

    /// Marks what will never be ended.
    pub(super) fn abandon(&mut self) {
        self.output.iter_mut().for_each(Item::abandon);
    }

    pub(super) fn output(&self) -> &[Item] {
        &self.output
    }

    pub(super) fn finish(&self) -> Option<&FinishReason> {
        self.finish.as_ref()
    }

    /// Begins an item and returns its output index. `make` is given the item's id.
    fn begin(&mut self, prefix: &str, make: impl FnOnce(String) -> Item) -> usize {
        let at = self.output.len();
        let item = make(format!("{prefix}_{}_{at}", self.request_id));
        self.events.push(Event {
            kind: "response.output_item.added",
            output_index: Some(at),
            item: Some(&item),
            ..Event::default()
        });
        self.output.push(item);
        at
    }

    fn end(&mut self, at: usize, how: Status) {
        let item = &mut self.output[at];
        item.end(how);
        self.events.push(Event {
            kind: "response.output_item.done",
            output_index: Some(at),
            item: Some(item),
            ..Event::default()
        });
    }

    fn close_open(&mut self, how: Status) {
        match self.open.take() {
            Some(Open::Thought(thought)) => self.close_thought(thought),
            Some(Open::Message(at)) => self.close_message(at, how),
            None => {}
        }
    }
}
