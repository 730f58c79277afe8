//! Inbound dialects: how a reply is written for the caller who asked in one of them.

use super::answer::Answer;
use super::canonical::{Delta, FinishReason};
use super::error::ErrorReport;
use super::{openai, seed};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::domain::usage::TokenUsage;

/// A dialect that callers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `POST /v1/chat/completions`.
    OpenAi,
    /// `POST /v1/chat`: the prompt form.
    Seed,
}

/// What every part of one reply repeats.
#[derive(Clone, Debug)]
pub struct ReplyHead {
    pub request_id: String,
    /// The model's own name, or the route's where the provider did not say.
    pub model: String,
    /// `provider/model` that served.
    pub served_by: String,
    pub fingerprint: Option<String>,
    pub created: Timestamp,
    pub from_cache: bool,
    /// The caller asked for the usage frame.
    pub include_usage: bool,
}

/// What is known when the answer is complete and settled.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    pub usage: TokenUsage,
    pub cost: NanoUsd,
}

impl Dialect {
    /// The first event of a stream, before any content.
    pub fn stream_start(self, head: &ReplyHead, choices: u64) -> String {
        match self {
            Dialect::OpenAi => openai::render::stream_start(head, choices),
            Dialect::Seed => String::new(),
        }
    }

    pub fn stream_delta(self, head: &ReplyHead, delta: &Delta) -> String {
        match self {
            Dialect::OpenAi => openai::render::stream_delta(head, delta),
            Dialect::Seed => seed::stream_delta(delta),
        }
    }

    /// The last events of a complete stream.
    pub fn stream_end(self, head: &ReplyHead, summary: &Summary) -> String {
        match self {
            Dialect::OpenAi => openai::render::stream_end(head, summary),
            Dialect::Seed => seed::stream_end(head, summary),
        }
    }

    /// The last event of a stream that failed; there is no made-up end after it.
    pub fn stream_error(self, report: &ErrorReport) -> String {
        let body = report.body(self).to_string();
        match self {
            Dialect::OpenAi => super::sse::event(&body),
            Dialect::Seed => super::sse::named_event("error", &body),
        }
    }

    /// The body of a reply that is not streamed.
    pub fn whole(self, head: &ReplyHead, answer: &Answer, summary: &Summary) -> String {
        match self {
            Dialect::OpenAi => openai::render::completion(head, answer, summary),
            Dialect::Seed => seed::whole(head, answer, summary),
        }
    }
}

/// The finish reason in OpenAI's words.
pub fn finish_word(reason: &FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
    }
}
