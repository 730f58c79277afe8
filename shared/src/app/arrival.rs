//! A request as it arrives at a use case.

use tokio::time::Instant;

use super::error::GatewayError;
use super::idempotent::IdempotencyKey;
use super::observation::Observation;
use crate::domain::cache::PromptVersion;
use crate::domain::id::AttemptId;

/// A request whose body reads as `I`.
#[derive(Debug)]
pub struct Arrival<I> {
    pub request_id: AttemptId,
    /// The key or token as presented, without its scheme.
    pub token: Option<String>,
    /// The body as its dialect read it; a bad body is told only to callers with a good key.
    pub inbound: Result<I, GatewayError>,
    /// The session the request belongs to, if its headers name one.
    pub session: Option<String>,
    pub idempotency: Option<IdempotencyKey>,
    /// The caller wants a fresh answer that is not kept.
    pub no_cache: bool,
    pub told: Told,
    /// When the function's time is over.
    pub deadline: Instant,
    pub observed: Observation,
}

/// What the headers tell the cache of the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub prompt: Option<PromptVersion>,
    pub tags: Vec<String>,
    /// A language tag in lower case.
    pub locale: Option<String>,
}
