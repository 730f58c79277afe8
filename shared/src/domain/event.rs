//! The wide event of a request: everything that telemetry may know of it. No word of a prompt or an
//! answer is ever in it, and no secret.

use std::time::Duration;

use super::id::AttemptId;
use super::money::NanoUsd;
use super::notes::{CacheStatus, Fault};
use super::time::Timestamp;
use super::trace::{SpanId, TraceContext, TraceId};
use super::usage::TokenUsage;
use crate::config::ModelName;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Chat,
    Embeddings,
}

impl Operation {
    /// As the OpenTelemetry conventions for generative AI name it.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Chat => "chat",
            Operation::Embeddings => "embeddings",
        }
    }
}

/// A model, and the row of the price list that it is told by: rows are few, names under a row that
/// ends in `*` may be any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub name: ModelName,
    row: String,
}

impl Model {
    /// `price` is the id of the row, `provider/model@date`.
    pub fn new(name: ModelName, price: &str) -> Self {
        let row = price.rsplit_once('@').map_or(price, |(row, _)| row);
        let row = row.split_once('/').map_or(row, |(_, model)| model);
        Model { row: row.to_owned(), name }
    }

    pub fn provider(&self) -> &str {
        self.name.provider()
    }

    /// One of few.
    pub fn row(&self) -> &str {
        &self.row
    }
}

/// One request, from its arrival to the end of all that it set in motion.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestEvent {
    pub request: AttemptId,
    pub operation: Operation,
    /// The path as the function names it.
    pub route: &'static str,
    pub at: Timestamp,
    pub streams: bool,
    /// Known once the key is.
    pub tenant: Option<String>,
    pub key: Option<String>,
    /// None where the request did not get as far as the cache.
    pub cache: Option<CacheStatus>,
    /// Why the cache was passed by, or what came of the search for near questions.
    pub cache_detail: Option<String>,
    /// The model that was to answer; none where the caller named one that is not known here.
    pub requested: Option<Model>,
    /// Who answered; of a kept answer, who once did.
    pub served_by: Option<String>,
    pub steps: Vec<Step>,
    pub attempts: Vec<Attempt>,
    /// Calls for the vector of the question, which are no attempts at an answer.
    pub lookups: Vec<Attempt>,
    /// Of the answer, kept ones included.
    pub usage: TokenUsage,
    /// All calls.
    pub cost: NanoUsd,
    /// The HTTP status, or what it would have been had the answer not begun.
    pub status: u16,
    /// The stable code of the error, if it ended in one.
    pub error: Option<&'static str>,
    /// From arrival until the answer was complete.
    pub answered: Option<Duration>,
    /// From arrival until everything was over.
    pub whole: Duration,
    /// Waited for a provider's sake between attempts.
    pub backoff: Duration,
    pub trace: Option<Tracing>,
}

/// A piece of the gateway's own work, in time since arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: &'static str,
    pub from: Duration,
    pub to: Duration,
}

/// One call of a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub model: Model,
    /// Since arrival.
    pub from: Duration,
    pub to: Duration,
    /// From the call to the first content.
    pub first_token: Option<Duration>,
    /// The model's own name for itself.
    pub answered_as: Option<String>,
    pub finish: Vec<&'static str>,
    pub usage: TokenUsage,
    pub fault: Option<Fault>,
    /// The span that the provider was told of.
    pub span: Option<SpanId>,
}

/// The trace that a request belongs to, where it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracing {
    pub trace: TraceId,
    /// Of the request itself.
    pub span: SpanId,
    pub parent: Option<TraceContext>,
    /// Whether it is exported in any case; else only where it failed.
    pub is_sampled: bool,
}

impl RequestEvent {
    /// One of which no more is known than that it came.
    pub fn new(request: AttemptId, operation: Operation, route: &'static str, at: Timestamp) -> Self {
        RequestEvent {
            request,
            operation,
            route,
            at,
            streams: false,
            tenant: None,
            key: None,
            cache: None,
            cache_detail: None,
            requested: None,
            served_by: None,
            steps: Vec::new(),
            attempts: Vec::new(),
            lookups: Vec::new(),
            usage: TokenUsage::NONE,
            cost: NanoUsd::ZERO,
            status: 200,
            error: None,
            answered: None,
            whole: Duration::ZERO,
            backoff: Duration::ZERO,
            trace: None,
        }
    }

    /// The time a caller waited.
    pub fn duration(&self) -> Duration {
        self.answered.unwrap_or(self.whole)
    }

    /// The part of it that was the gateway's own: not the providers', nor waiting for their sake.
    pub fn gateway(&self) -> Duration {
        let calls = self.attempts.iter().chain(&self.lookups);
        let upstream: Duration = calls.map(|one| one.to.saturating_sub(one.from)).sum();
        self.duration().saturating_sub(upstream).saturating_sub(self.backoff)
    }

    /// Whether it was answered from the cache; none where it did not get as far.
    pub fn is_hit(&self) -> Option<bool> {
        self.cache.map(|cache| matches!(cache, CacheStatus::Exact | CacheStatus::Semantic))
    }

    /// Whether another model than the one that was to answer was asked; none where it could not have been.
    pub fn fell_back(&self) -> Option<bool> {
        let requested = self.requested.as_ref().filter(|_| self.cache.is_some())?;
        Some(self.attempts.iter().any(|attempt| attempt.model != *requested))
    }

    /// Whether it got as far as the cache, or to a provider.
    pub fn is_served(&self) -> bool {
        self.cache.is_some() || !self.attempts.is_empty()
    }

    /// The gateway or its providers failed, not the caller.
    pub fn is_failed(&self) -> bool {
        self.status >= 500
    }

    /// The model that the figures are told by: who answered, else who was asked last, else who was to be.
    pub fn model(&self) -> Option<&Model> {
        self.attempts.last().map(|attempt| &attempt.model).or(self.requested.as_ref())
    }
}
