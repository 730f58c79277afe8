//! Function-call items.

use super::super::events::Event;
use super::super::item::{Item, Status};
use super::Composer;
use crate::protocol::canonical::{ToolCall, ToolCallDelta};

/// A call by its number at the provider.
#[derive(Debug)]
pub(super) enum Call {
    /// Its name is not known yet, and no event can tell of it without.
    Waiting(ToolCall),
    /// At this output index.
    Open(usize),
}

impl Composer {
    pub(super) fn call(&mut self, delta: &ToolCallDelta) {
        let call = self.calls.entry(delta.index).or_insert_with(|| Call::Waiting(ToolCall::default()));
        match call {
            &mut Call::Open(at) => self.continue_call(at, delta),
            Call::Waiting(early) => {
                if let (true, Some(id)) = (early.id.is_empty(), &delta.id) {
                    early.id.clone_from(id);
                }
                early.name.push_str(delta.name.as_deref().unwrap_or_default());
                early.arguments.push_str(&delta.arguments);
                if delta.signature.is_some() {
                    early.signature.clone_from(&delta.signature);
                }
                if !early.name.is_empty() {
                    let early = std::mem::take(early);
                    let at = self.open_call(delta.index, early);
                    self.calls.insert(delta.index, Call::Open(at));
                }
            }
        }
    }

    /// Begins the call at an output index, which is returned.
    fn open_call(&mut self, number: u32, early: ToolCall) -> usize {
        let call_id = match early.id {
            id if id.is_empty() => format!("call_{}_{number}", self.request_id),
            id => id,
        };
        if let Some(signature) = &early.signature {
            self.seal(&call_id, signature);
        }
        self.close_open(Status::Completed);
        let at = self.begin("fc", |id| Item::FunctionCall {
            id,
            call_id,
            name: early.name,
            arguments: String::new(),
            status: Status::InProgress,
        });
        self.write_arguments(at, &early.arguments);
        at
    }

    fn continue_call(&mut self, at: usize, delta: &ToolCallDelta) {
        if let Item::FunctionCall { name, call_id, .. } = &mut self.output[at] {
            name.push_str(delta.name.as_deref().unwrap_or_default());
            if let Some(signature) = &delta.signature {
                let call_id = call_id.clone();
                self.seal(&call_id, signature);
            }
        }
        self.write_arguments(at, &delta.arguments);
    }

    fn write_arguments(&mut self, at: usize, more: &str) {
        if let (false, Item::FunctionCall { id, arguments, .. }) = (more.is_empty(), &mut self.output[at]) {
            self.events.push(Event {
                kind: "response.function_call_arguments.delta",
                delta: Some(more),
                item_id: Some(id),
                output_index: Some(at),
                ..Event::default()
            });
            arguments.push_str(more);
        }
    }

    /// Ends every call, in the order of the provider's numbers. A call that never got a name is
    /// told with an empty one; a number that was only skipped is no call.
    pub(super) fn close_calls(&mut self, how: Status) {
        let mut ended = Vec::new();
        for (number, call) in std::mem::take(&mut self.calls) {
            match call {
                Call::Waiting(early) if early == ToolCall::default() => {}
                Call::Waiting(early) => ended.push(self.open_call(number, early)),
                Call::Open(at) => ended.push(at),
            }
        }
        ended.into_iter().for_each(|at| self.end_call(at, how));
    }

    fn end_call(&mut self, at: usize, how: Status) {
        if let Item::FunctionCall { id, name, arguments, .. } = &self.output[at] {
            self.events.push(Event {
                kind: "response.function_call_arguments.done",
                name: Some(name),
                arguments: Some(arguments),
                item_id: Some(id),
                output_index: Some(at),
                ..Event::default()
            });
        }
        self.end(at, how);
    }
}
