//! Idempotency keys on the way of a request: claimed before anything is spent, concluded before the
//! last frame.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::App;
use super::authenticate::Caller;
use super::best_effort::best_effort;
use super::error::GatewayError;
use crate::domain::cache::CacheKey;
use crate::domain::id::AttemptId;
use crate::domain::idempotency::{Claim, Claimed, KEPT_FOR, State};
use crate::domain::time::Timestamp;
use crate::ports::{Idempotency, StoreError};
use crate::protocol::fields::BadRequest;
use crate::protocol::json::unquoted;

/// The name of the header, as errors call it.
const HEADER: &str = "Idempotency-Key";
/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 256;
/// The largest reply that is kept, in bytes of JSON: a DynamoDB item holds 400 KB.
const REPLY_BYTES_MAX: usize = 350_000;

/// The idempotency key of a request, and what makes the request the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    pub key: String,
    /// SHA-256 of the route and the body.
    pub fingerprint: String,
}

/// A claim that must be concluded.
#[must_use]
pub(super) struct Ticket {
    claim: Claim,
    store: Arc<dyn Idempotency>,
    patience: Duration,
}

/// What the key says about this request.
pub(super) enum Entitled<R> {
    /// No key, or the first request under it.
    Work(Option<Ticket>),
    /// The first request was answered; this is its reply.
    Replay(Box<R>),
}

impl IdempotencyKey {
    /// # Errors
    /// When the key is empty, too long or no plain text.
    pub fn new(key: &str, route: &str, body: &[u8]) -> Result<Self, BadRequest> {
        let fits =
            (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            let text = format!("{HEADER} must have 1 to {KEY_BYTES_MAX} visible ASCII characters");
            return Err(BadRequest::new(HEADER, text));
        }
        let body = CacheKey::of_bytes(body);
        let fingerprint = CacheKey::of(&json!([route, body.as_str()])).as_str().to_owned();
        Ok(IdempotencyKey { key: key.to_owned(), fingerprint })
    }
}

/// Claims the key for `request`, which has until `lease`.
///
/// # Errors
/// [`GatewayError::InFlight`], [`GatewayError::ReplyNotKept`], [`GatewayError::BadRequest`] when the
/// key stands for another request, or [`GatewayError::StoreDown`]: without the claim, nothing could
/// keep the request from being paid for twice.
pub(super) async fn claim<R: DeserializeOwned>(
    app: &App,
    caller: &Caller,
    key: Option<&IdempotencyKey>,
    request: AttemptId,
    now: Timestamp,
    lease: Timestamp,
) -> Result<Entitled<R>, GatewayError> {
    let Some(IdempotencyKey { key, fingerprint }) = key else {
        return Ok(Entitled::Work(None));
    };
    let owner = (&caller.record().id, caller.claims().map(|claims| &claims.user));
    let claim = Claim {
        key: CacheKey::of(&json!([owner, key])).as_str().to_owned(),
        fingerprint: fingerprint.clone(),
        request,
        lease,
        expires: now + KEPT_FOR,
    };
    match app.idempotency.claim(&claim, now).await.map_err(GatewayError::StoreDown)? {
        Claimed::Started => {
            let (store, patience) = (Arc::clone(&app.idempotency), app.tuning.settle);
            Ok(Entitled::Work(Some(Ticket { claim, store, patience })))
        }
        Claimed::InFlight => Err(GatewayError::InFlight),
        Claimed::Finished(None) => Err(GatewayError::ReplyNotKept),
        Claimed::Finished(Some(reply)) => {
            serde_json::from_str(&reply).map(Entitled::Replay).map_err(|error| {
                GatewayError::StoreDown(StoreError::Rejected(format!(
                    "a kept reply cannot be read: {}",
                    unquoted(&error)
                )))
            })
        }
        Claimed::OtherRequest => {
            let text = format!("this {HEADER} was used for another request within the last 24 hours");
            Err(BadRequest::new(HEADER, text).into())
        }
    }
}

impl Ticket {
    /// Keeps the reply for whoever asks again.
    pub(super) async fn finish(&self, reply: &impl Serialize) {
        let reply = serde_json::to_string(reply).ok().filter(|reply| reply.len() <= REPLY_BYTES_MAX);
        self.conclude(&State::Finished(reply)).await;
    }

    /// Nothing came of the request, so the key is free again.
    pub(super) async fn release(&self) {
        self.conclude(&State::Released).await;
    }

    /// Best effort: what is not concluded lapses with its lease.
    async fn conclude(&self, outcome: &State<String>) {
        let lost = format!("idempotency key of {} not concluded", self.claim.request);
        best_effort(self.patience, &lost, self.store.conclude(&self.claim, outcome)).await;
    }
}
