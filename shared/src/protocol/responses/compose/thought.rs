//! Reasoning items.

use super::super::events::{Event, Events, Part};
use super::super::item::{Item, Status, Summary};
use super::super::sealed::Sealed;
use super::{Composer, Open};
use crate::protocol::answer::push_reasoning;
use crate::protocol::canonical::ReasoningDelta;

/// A reasoning item that is open.
#[derive(Debug)]
pub(super) struct Thought {
    at: usize,
    sealed: Sealed,
    /// The last summary part goes on; a seal ends it.
    part_is_open: bool,
}

impl Composer {
    pub(super) fn think(&mut self, delta: &ReasoningDelta) {
        let text = delta.text.as_deref().filter(|text| !text.is_empty());
        if text.is_none() && delta.signature.is_none() && delta.redacted.is_none() {
            return;
        }
        let mut thought = self.thought();
        let (item, events) = (&mut self.output[thought.at], &mut self.events);
        if delta.redacted.is_some() {
            thought.close_part(item, events);
        }
        if let Some(text) = text {
            thought.show(text, item, events);
        }
        if delta.signature.is_some() {
            thought.close_part(item, events);
        }
        push_reasoning(&mut thought.sealed.blocks, delta);
        self.open = Some(Open::Thought(thought));
    }

    /// Keeps Google's seal on a call. It may come when no reasoning is open, and after the call
    /// has begun, so its item may stand anywhere.
    pub(super) fn seal(&mut self, call_id: &str, signature: &str) {
        let mut thought = self.thought();
        thought.sealed.calls.insert(call_id.to_owned(), signature.to_owned());
        self.open = Some(Open::Thought(thought));
    }

    /// The open reasoning item, or a fresh one.
    fn thought(&mut self) -> Thought {
        if let Some(Open::Thought(thought)) = self.open.take_if(|open| matches!(open, Open::Thought(_))) {
            return thought;
        }
        self.close_open(Status::Completed);
        let at = self.begin("rs", |id| Item::Reasoning { id, summary: Vec::new(), encrypted_content: None });
        Thought { at, sealed: Sealed::default(), part_is_open: false }
    }

    pub(super) fn close_thought(&mut self, mut thought: Thought) {
        let item = &mut self.output[thought.at];
        thought.close_part(item, &mut self.events);
        if let Item::Reasoning { encrypted_content, .. } = item {
            *encrypted_content = thought.sealed.write();
        }
        self.end(thought.at, Status::Completed);
    }
}

impl Thought {
    fn show(&mut self, more: &str, item: &mut Item, events: &mut Events) {
        let Item::Reasoning { id, summary, .. } = item else {
            return;
        };
        if !self.part_is_open {
            self.part_is_open = true;
            summary.push(Summary::default());
            events.push(Event {
                kind: "response.reasoning_summary_part.added",
                part: summary.last().map(Part::Summary),
                ..self.place(id, summary.len())
            });
        }
        let place = self.place(id, summary.len());
        events.push(Event { kind: "response.reasoning_summary_text.delta", delta: Some(more), ..place });
        if let Some(part) = summary.last_mut() {
            part.text.push_str(more);
        }
    }

    fn close_part(&mut self, item: &Item, events: &mut Events) {
        let Item::Reasoning { id, summary, .. } = item else {
            return;
        };
        if let (true, Some(part)) = (std::mem::take(&mut self.part_is_open), summary.last()) {
            let text = Some(part.text.as_str());
            let place = || self.place(id, summary.len());
            events.push(Event { kind: "response.reasoning_summary_text.done", text, ..place() });
            let part = Some(Part::Summary(part));
            events.push(Event { kind: "response.reasoning_summary_part.done", part, ..place() });
        }
    }

    /// The last of `parts` summary parts.
    fn place<'a>(&self, id: &'a str, parts: usize) -> Event<'a> {
        Event {
            item_id: Some(id),
            output_index: Some(self.at),
            summary_index: Some(parts.saturating_sub(1)),
            ..Event::default()
        }
    }
}
