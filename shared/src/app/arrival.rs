//! A request as it arrives at a use case.

use tokio::time::Instant;

use super::App;
use super::error::GatewayError;
use super::idempotent::IdempotencyKey;
use super::observation::Observation;
use crate::domain::cache::PromptVersion;
use crate::domain::id::AttemptId;
use crate::domain::time::Timestamp;

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

impl<I> Arrival<I> {
    /// Until when anything may be asked of a provider, since an honest end needs some time as well; and when
    /// whoever serves it must have settled.
    pub(super) fn times(&self, app: &App, now: Timestamp) -> (Instant, Timestamp) {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let asked_until = self.deadline.checked_sub(app.tuning.closing).unwrap_or(self.deadline);
        (asked_until, now + left + app.tuning.closing)
    }
}

/// What the headers tell the cache of the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub prompt: Option<PromptVersion>,
    pub tags: Vec<String>,
    /// A language tag in lower case.
    pub locale: Option<String>,
}
