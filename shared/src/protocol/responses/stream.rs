//! The streamed reply: one event for each step of the response object's making. There is no end
//! mark; the last event carries the whole object.

use serde_json::json;

use super::compose::Composer;
use super::events::{Event, Events};
use super::render::Response;
use crate::protocol::canonical::Delta;
use crate::protocol::dialect::{Dialect, Renderer, ReplyHead, Summary};
use crate::protocol::error::ErrorReport;

#[derive(Debug, Default)]
pub(in crate::protocol) struct Stream {
    head: Option<ReplyHead>,
    composer: Composer,
}

impl Renderer for Stream {
    fn start(&mut self, head: ReplyHead) -> String {
        self.composer = Composer::new(&head.request_id, Events::default());
        let response = Response::begun(&head);
        for kind in ["response.created", "response.in_progress"] {
            self.composer.events.push(Event { kind, response: Some(&response), ..Event::default() });
        }
        self.head = Some(head);
        self.composer.events.take()
    }

    fn delta(&mut self, delta: &Delta) -> String {
        self.composer.push(delta);
        self.composer.events.take()
    }

    fn end(&mut self, summary: &Summary) -> String {
        self.composer.close();
        let mut events = std::mem::take(&mut self.composer.events);
        if let Some(head) = &self.head {
            let response = Response::ended(head, &self.composer, summary);
            let kind = if response.is_complete() { "response.completed" } else { "response.incomplete" };
            events.push(Event { kind, response: Some(&response), ..Event::default() });
        }
        events.take()
    }

    /// Published is the error's facts beside `type`; what OpenAI's SDKs raise is an `error` object.
    /// The event has both. A response that has not begun cannot fail.
    fn error(&mut self, report: &ErrorReport) -> String {
        self.composer.abandon();
        let mut events = std::mem::take(&mut self.composer.events);
        let mut facts = report.body(Dialect::Responses).as_object().cloned().unwrap_or_default();
        facts.insert("code".into(), json!(report.code));
        facts.insert("message".into(), json!(report.message));
        facts.insert("param".into(), json!(report.param));
        events.push_error(facts);
        if let Some(head) = &self.head {
            let response = Response::failed(head, &self.composer, report);
            events.push(Event { kind: "response.failed", response: Some(&response), ..Event::default() });
        }
        events.take()
    }
}

#[cfg(test)]
mod tests;
