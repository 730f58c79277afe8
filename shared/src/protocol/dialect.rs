//! Inbound dialects: how a request is read and how a reply is written for the caller who asked.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::canonical::{Delta, FinishReason};
use super::error::ErrorReport;
use super::fields::BadRequest;
use super::inbound::Inbound;
use super::{anthropic, openai, responses, seed};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::domain::usage::TokenUsage;

/// A dialect that callers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `POST /v1/chat/completions`.
    OpenAi,
    /// `POST /v1/responses`.
    Responses,
    /// `POST /v1/messages`.
    Anthropic,
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
    /// Choices asked for (`n`).
    pub choices: u64,
    /// Usage as far as it is known when the reply begins.
    pub usage: TokenUsage,
    /// Members of the request that the reply repeats.
    pub echo: Map<String, Value>,
}

/// What is known when the answer is complete and settled.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    pub usage: TokenUsage,
    pub cost: NanoUsd,
    /// When the answer was complete.
    pub completed: Timestamp,
    /// The gateway cut the answer off, because it had cost what was held for it.
    pub stopped: bool,
}

/// Writes one streamed reply, event by event. Each method returns whole events, or nothing.
pub trait Renderer: Send {
    /// The first events, before any content.
    fn start(&mut self, head: ReplyHead) -> String;
    fn delta(&mut self, delta: &Delta) -> String;
    /// The last events of a complete answer.
    fn end(&mut self, summary: &Summary) -> String;
    /// The last event of a stream that failed; there is no made-up end after it. It may come
    /// before [`Renderer::start`].
    fn error(&mut self, report: &ErrorReport) -> String;
}

impl Dialect {
    /// The dialect that errors of `path` are told in.
    pub fn of_path(path: &str) -> Dialect {
        match path.trim_end_matches('/') {
            "/v1/chat" => Dialect::Seed,
            "/v1/responses" => Dialect::Responses,
            path if path == "/v1/messages" || path.starts_with("/v1/messages/") => Dialect::Anthropic,
            _ => Dialect::OpenAi,
        }
    }

    /// Reads the body of a request for an answer.
    ///
    /// # Errors
    /// [`BadRequest`] naming the field.
    pub fn read(self, body: Map<String, Value>) -> Result<Inbound, BadRequest> {
        match self {
            Dialect::OpenAi => openai::request::read(body),
            Dialect::Responses => responses::request::read(body),
            Dialect::Anthropic => anthropic::request::read(body),
            Dialect::Seed => seed::read(body),
        }
    }

    /// The writer of one streamed reply.
    pub fn renderer(self) -> Box<dyn Renderer> {
        match self {
            Dialect::OpenAi => Box::new(openai::render::Stream::default()),
            Dialect::Responses => Box::new(responses::stream::Stream::default()),
            Dialect::Anthropic => Box::new(anthropic::render::Stream::default()),
            Dialect::Seed => Box::new(seed::Stream::default()),
        }
    }

    /// The body of a reply that is not streamed.
    pub fn whole(self, head: &ReplyHead, answer: &Answer, summary: &Summary) -> String {
        match self {
            Dialect::OpenAi => openai::render::completion(head, answer, summary),
            Dialect::Responses => responses::render::whole(head, answer, summary),
            Dialect::Anthropic => anthropic::render::whole(head, answer, summary),
            Dialect::Seed => seed::whole(head, answer, summary),
        }
    }
}

/// The finish reason in OpenAI's words.
pub fn finish_word(reason: &FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence(_) => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
    }
}
