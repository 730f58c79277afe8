//! A provider's stream as callers get it: as the gateway forwards it, without the network.

use std::time::Duration;

use serde_json::{Map, json};
use shared::app::error::GatewayError;
use shared::domain::money::NanoUsd;
use shared::domain::time::Timestamp;
use shared::domain::usage::TokenUsage;
use shared::protocol::answer::Answer;
use shared::protocol::canonical::{Chunk, Delta};
use shared::protocol::dialect::{Dialect, ReplyHead, Summary};
use shared::protocol::frame::Frame;

/// What stands for the usage that a provider did not report.
const ESTIMATE: TokenUsage = TokenUsage { uncached: 400, output: 200, ..TokenUsage::NONE };

pub(crate) const CREATED: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// A stream as far as it could be read.
pub(crate) struct Heard {
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) answer: Answer,
    /// Why it was not read to its end.
    pub(crate) fault: Option<String>,
    /// The provider has begun to generate, so it may bill.
    began: bool,
}

impl Heard {
    /// Everything up to the end mark or the first error. What goes wrong after the answer was
    /// complete is of no account.
    pub(crate) fn of(frames: Vec<Result<Frame, String>>) -> Self {
        let mut heard = Heard { chunks: Vec::new(), answer: Answer::default(), fault: None, began: false };
        let mut fault = None;
        for frame in frames {
            match frame {
                Ok(Frame::Chunk(chunk)) => heard.take(chunk),
                Ok(Frame::Done) => break,
                Ok(Frame::Error { message, code }) => {
                    fault = Some(format!("error {}: {message}", code.as_deref().unwrap_or("without a code")));
                    break;
                }
                Err(why) => {
                    fault = Some(why);
                    break;
                }
            }
        }
        if !heard.answer.is_complete(heard.choices()) {
            heard.fault = fault.or_else(|| Some("the stream ended without a finish_reason".to_owned()));
        }
        heard
    }

    fn take(&mut self, chunk: Chunk) {
        self.answer.push(&chunk);
        self.began |= chunk.deltas.iter().any(Delta::has_content);
        self.chunks.push(chunk);
    }

    fn choices(&self) -> u64 {
        self.answer.choices.len().max(1) as u64
    }

    pub(crate) fn usage(&self) -> Option<TokenUsage> {
        self.chunks.iter().rev().find_map(|chunk| chunk.usage)
    }

    fn summary(&self) -> Summary {
        let usage = self.usage().unwrap_or(ESTIMATE);
        Summary {
            usage,
            cost: NanoUsd::from_nano(1_234_500),
            completed: CREATED + Duration::from_secs(2),
            stopped: false,
        }
    }

    /// The streamed reply.
    pub(crate) fn streamed(&self, dialect: Dialect, include_usage: bool) -> String {
        let mut renderer = dialect.renderer();
        let mut so_far = Answer::default();
        let mut held_back: Vec<&Delta> = Vec::new();
        let mut text = String::new();
        for chunk in &self.chunks {
            so_far.push(chunk);
            held_back.extend(chunk.deltas.iter().filter(|delta| delta.has_content()));
            if text.is_empty() && !held_back.is_empty() {
                text += "HTTP 200\n";
                text += &renderer.start(head(&so_far, include_usage, self.choices()));
            }
            text.extend(held_back.drain(..).map(|delta| renderer.delta(delta)));
        }
        match &self.fault {
            None => text + &renderer.end(&self.summary()),
            Some(_) if text.is_empty() => self.refusal(dialect),
            Some(why) => {
                let broken = GatewayError::BrokenStream { detail: why.clone() };
                text + &renderer.error(&broken.report(dialect))
            }
        }
    }

    /// The reply that is not streamed.
    pub(crate) fn whole(&self, dialect: Dialect) -> String {
        match &self.fault {
            None => {
                let head = head(&self.answer, false, self.choices());
                let body = dialect.whole(&head, &self.answer, &self.summary());
                format!("HTTP 200\n{}", super::layout::pretty(&serde_json::from_str(&body).expect("JSON")))
            }
            Some(_) => self.refusal(dialect),
        }
    }

    fn refusal(&self, dialect: Dialect) -> String {
        let billed = self.began;
        let report = GatewayError::Degraded { retry_after: 1, billed, detail: String::new() }.report(dialect);
        format!("HTTP {}\n{}", report.status, super::layout::pretty(&report.body(dialect)))
    }
}

/// What a reply of `answer`, as far as it is known, repeats.
pub(crate) fn head(answer: &Answer, include_usage: bool, choices: u64) -> ReplyHead {
    let served_by = "provider/model".to_owned();
    let echo = json!({ "parallel_tool_calls": true, "tool_choice": "auto", "tools": [] });
    ReplyHead {
        request_id: "01K9ZQ5V2C8R3M7T4B6D0EXFGH".to_owned(),
        model: answer.model.clone().unwrap_or_else(|| served_by.clone()),
        served_by,
        fingerprint: answer.fingerprint.clone(),
        created: CREATED,
        from_cache: false,
        include_usage,
        choices,
        usage: answer.usage,
        echo: echo.as_object().cloned().unwrap_or_else(Map::new),
    }
}
