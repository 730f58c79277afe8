//! The acts of an answer, in order. Pure data: `body` performs them.

use std::time::Duration;

use bytes::Bytes;

use super::answer::Answer;
use super::dialect::{Dialect, Envelope, Part};
use super::error::ApiError;
use super::script::{Fault, Script};

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

/// A streamed answer.
pub(super) struct Reply<'a> {
    pub(super) dialect: &'a dyn Dialect,
    pub(super) envelope: &'a Envelope<'a>,
    pub(super) script: &'a Script,
    pub(super) answer: &'a Answer,
    pub(super) choices: usize,
}

impl Reply<'_> {
    pub(super) fn acts(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        push_wait(&mut acts, self.script.delay);
        if let Some(Fault::Error { after: 0, code }) = self.script.fault {
            self.push_error(&mut acts, code);
            return acts;
        }
        for index in 0..self.choices {
            self.push(&mut acts, index, &Part::Opening { tool: self.answer.tool.is_some() });
        }
        for position in 0..self.tokens_sent() {
            self.push_token(&mut acts, position);
        }
        match self.script.fault {
            None => self.push_end(&mut acts),
            Some(Fault::Error { code, .. }) => self.push_error(&mut acts, code),
            Some(Fault::BadJson(_)) => self.push(&mut acts, 0, &Part::BadJson),
            Some(Fault::BadFrame(_)) => self.push(&mut acts, 0, &Part::BadFrame),
            Some(fault) => acts.extend(broken_connection(fault)),
        }
        acts
    }

    fn push_token(&self, acts: &mut Vec<Act>, position: usize) {
        let (token, index) = (position / self.choices, position % self.choices);
        let text = &self.answer.tokens[token];
        if token > 0 && index == 0 {
            push_wait(acts, self.script.pace);
        }
        let part = match &self.answer.tool {
            None => Part::Text(text),
            Some(name) => {
                if token == 0 {
                    self.push(acts, index, &Part::ToolHead(name));
                }
                Part::Arguments(text)
            }
        };
        self.push_charged(acts, index, &part, 1);
    }

    fn push_end(&self, acts: &mut Vec<Act>) {
        for index in 0..self.choices {
            self.push_charged(acts, index, &Part::Finish(self.answer.finish), 0);
        }
        self.push(acts, 0, &Part::End);
    }

    fn push_error(&self, acts: &mut Vec<Act>, code: u16) {
        self.push(acts, 0, &Part::Error(&ApiError::scripted(code, None)));
    }

    fn push(&self, acts: &mut Vec<Act>, index: usize, part: &Part<'_>) {
        acts.extend(self.dialect.say(self.envelope, index, part).into_iter().map(Act::Send));
    }

    /// The first frame carries the charge.
    fn push_charged(&self, acts: &mut Vec<Act>, index: usize, part: &Part<'_>, tokens: u64) {
        let mut frames = self.dialect.say(self.envelope, index, part).into_iter();
        acts.extend(frames.next().map(|first| Act::Charge(first, tokens)));
        acts.extend(frames.map(Act::Send));
    }

    /// All tokens of all choices, or those before the fault.
    fn tokens_sent(&self) -> usize {
        let before_fault = self.script.fault.and_then(Fault::after);
        before_fault.unwrap_or(usize::MAX).min(self.answer.tokens.len() * self.choices)
    }
}

/// Timers round up to a millisecond, so no wait must mean no timer.
fn push_wait(acts: &mut Vec<Act>, duration: Duration) {
    if !duration.is_zero() {
        acts.push(Act::Wait(duration));
    }
}

/// Faults of the connection look the same in every answer; a cut is its clean end.
pub(super) fn broken_connection(fault: Fault) -> Option<Act> {
    match fault {
        Fault::Stall(_) => Some(Act::Hang),
        Fault::Reset(_) => Some(Act::Reset),
        _ => None,
    }
}
