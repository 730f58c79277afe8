//! The acts of an answer, in order. Pure data: `body` performs them.

use std::time::Duration;

use bytes::Bytes;

use super::answer::Answer;
use super::error::ApiError;
use super::script::{Fault, Script};
use super::wire::{ChunkChoice, DONE, Delta, Envelope, Usage, UsageField, frame};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Act {
    Wait(Duration),
    /// Bytes nobody pays for.
    Send(Bytes),
    /// Bytes that carry this many completion tokens; the first also charges the prompt.
    Charge(Bytes, u64),
    /// Sends nothing more and keeps the connection open.
    Hang,
    /// Resets the connection.
    Reset,
}

pub(super) struct Reply<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) script: &'a Script,
    pub(super) answer: &'a Answer,
    pub(super) choices: usize,
    pub(super) prompt_tokens: u64,
    pub(super) include_usage: bool,
}

impl Reply<'_> {
    /// The body of a streamed answer.
    pub(super) fn streamed(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        push_wait(&mut acts, self.script.delay);
        if self.script.fault == Some(Fault::Error(0)) {
            acts.push(Act::Send(frame(&ApiError::in_stream().body())));
            return acts;
        }
        let content = if self.answer.tool.is_some() { None } else { Some("") };
        for index in 0..self.choices {
            let role = Delta::Role { role: "assistant", content, refusal: None };
            acts.push(Act::Send(self.chunk(index, role, None)));
        }
        for position in 0..self.tokens_sent() as usize {
            self.push_token(&mut acts, position);
        }
        match self.script.fault {
            None => self.push_end(&mut acts),
            Some(fault) => acts.extend(streamed_fault(fault)),
        }
        acts
    }

    /// The body of an answer that is not streamed.
    pub(super) fn document(&self) -> Bytes {
        let usage = self.script.usage.then(|| self.usage());
        self.envelope.completion(self.answer, self.choices, usage).to_string().into()
    }

    /// The same with a fault after N tokens: as much of the document goes out as N tokens are of
    /// the answer, and never all of it.
    pub(super) fn broken_document(&self, fault: Fault) -> Vec<Act> {
        if let Fault::Error(_) = fault {
            return vec![Act::Send(ApiError::in_stream().body().to_string().into())];
        }
        let (document, sent) = (self.document(), self.tokens_sent());
        let mut acts = Vec::new();
        if sent > 0 {
            let end = document.len() as u64 * sent / (self.total_tokens() + 1);
            acts.push(Act::Charge(document.slice(..end as usize), sent));
        }
        acts.extend(match fault {
            Fault::BadJson(_) => Some(Act::Send(Bytes::from_static(b"}{ not JSON"))),
            other => broken_connection(other),
        });
        acts
    }

    /// How long an answer that is not streamed takes.
    pub(super) fn duration(&self) -> Duration {
        let pauses = u32::try_from(self.answer.tokens.len().saturating_sub(1)).unwrap_or(u32::MAX);
        self.script.delay.saturating_add(self.script.pace.saturating_mul(pauses))
    }

    fn push_token(&self, acts: &mut Vec<Act>, position: usize) {
        let (token, index) = (position / self.choices, position % self.choices);
        let text = &self.answer.tokens[token];
        if token > 0 && index == 0 {
            push_wait(acts, self.script.pace);
        }
        let delta = match &self.answer.tool {
            None => Delta::Text { content: text },
            Some(name) => {
                if token == 0 {
                    let head = self.envelope.tool_head(index, name);
                    acts.push(Act::Send(self.chunk(index, head, None)));
                }
                Delta::arguments(text)
            }
        };
        acts.push(Act::Charge(self.chunk(index, delta, None), 1));
    }

    fn push_end(&self, acts: &mut Vec<Act>) {
        for index in 0..self.choices {
            let reason = Some(self.answer.finish_reason);
            acts.push(Act::Charge(self.chunk(index, Delta::Nothing {}, reason), 0));
        }
        if self.reports_usage() {
            let usage = UsageField::Given(self.usage());
            acts.push(Act::Send(self.envelope.chunk(&[], usage)));
        }
        acts.push(Act::Send(DONE));
    }

    fn chunk(&self, index: usize, delta: Delta<'_>, finish_reason: Option<&'static str>) -> Bytes {
        let usage = if self.reports_usage() { UsageField::Null } else { UsageField::Absent };
        self.envelope.chunk(&[ChunkChoice { index, delta, logprobs: None, finish_reason }], usage)
    }

    fn reports_usage(&self) -> bool {
        self.include_usage && self.script.usage
    }

    fn usage(&self) -> Usage {
        Usage::new(self.prompt_tokens, self.total_tokens())
    }

    /// Content tokens of all choices.
    pub(super) fn total_tokens(&self) -> u64 {
        (self.answer.tokens.len() * self.choices) as u64
    }

    /// All tokens, or those before the fault.
    fn tokens_sent(&self) -> u64 {
        let before_fault = self.script.fault.and_then(Fault::after);
        before_fault.map_or(u64::MAX, |count| count as u64).min(self.total_tokens())
    }
}

/// Timers round up to a millisecond, so no wait must mean no timer.
fn push_wait(acts: &mut Vec<Act>, duration: Duration) {
    if !duration.is_zero() {
        acts.push(Act::Wait(duration));
    }
}

fn streamed_fault(fault: Fault) -> Option<Act> {
    match fault {
        Fault::BadJson(_) => Some(Act::Send(Bytes::from_static(
            b"data: {\"id\":\"chatcmpl-demo\",\"choices\":[{\"index\":0,\"delta\":{\n\n",
        ))),
        Fault::Error(_) => Some(Act::Send(frame(&ApiError::in_stream().body()))),
        other => broken_connection(other),
    }
}

/// Faults of the connection look the same in both kinds of answer; a cut is its clean end.
fn broken_connection(fault: Fault) -> Option<Act> {
    match fault {
        Fault::Stall(_) => Some(Act::Hang),
        Fault::Reset(_) => Some(Act::Reset),
        _ => None,
    }
}
