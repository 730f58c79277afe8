//! The ledger line of an attempt, and what its outcome tells the breaker.

use std::time::Duration;

use super::App;
use super::charge::{Billed, Verdict};
use super::settle::settle_in_time;
use crate::config::ModelName;
use crate::domain::ledger::{LINE_VERSION, LedgerLine, Outcome};
use crate::domain::notes::{Fault, FaultKind, Notes};
use crate::domain::reservation::Reservation;
use crate::domain::time::Timestamp;
use crate::ports::AttemptError;

/// How long a throttled target rests when it does not say.
const COOL_DOWN: Duration = Duration::from_secs(1);

/// The line that settles `paid`.
pub(super) fn entry(
    paid: &Reservation,
    user: Option<String>,
    billed: Billed,
    outcome: Outcome,
    now: Timestamp,
    notes: Notes,
) -> LedgerLine {
    let facts = paid.facts();
    if billed.amount > paid.bound().amount {
        tracing::error!(attempt = %paid.id(), amount = %billed.amount, held = %paid.bound().amount, "hold_underestimate");
    }
    LedgerLine {
        version: LINE_VERSION,
        id: paid.id(),
        request: facts.request,
        tenant: facts.tenant.clone(),
        key_id: facts.key.clone(),
        user,
        model: facts.model.clone(),
        price: facts.price.clone(),
        quality: billed.quality,
        amount: billed.amount,
        reserved: paid.bound().amount,
        usage: billed.usage,
        outcome,
        items: paid.items().to_vec(),
        at: now,
        notes: Some(notes),
    }
}

/// An error of a provider as the receipt tells it: none of the provider's own words.
pub(super) fn fault(error: &AttemptError) -> Fault {
    let (kind, status) = match error {
        AttemptError::Connect(_) => (FaultKind::Connect, None),
        AttemptError::Status { status, .. } => (FaultKind::Status, Some(*status)),
        AttemptError::InStream { .. } => (FaultKind::InStream, None),
        AttemptError::Timeout(_) => (FaultKind::Timeout, None),
        AttemptError::Broken(_) => (FaultKind::BrokenOff, None),
    };
    Fault { kind, status }
}

/// What was held too late to be used: nothing was sent, and the money goes back.
pub(super) async fn give_up(app: &App, paid: &Reservation, user: Option<String>, notes: Notes) {
    let now = app.clock.now();
    let line = entry(paid, user, Billed::NOTHING, Outcome::Abandoned, now, notes);
    settle_in_time(app, &line).await;
}

/// A throttled target rests; a refused request says nothing against its provider.
pub(super) async fn tell_breaker(app: &App, target: &ModelName, error: &AttemptError, now: Timestamp) {
    match error {
        AttemptError::Status { status: 429, retry_after, .. } => {
            app.breakers.throttled(target, now + retry_after.unwrap_or(COOL_DOWN), now).await;
        }
        error if Verdict::of(error).callers_fault => app.breakers.succeeded(target, now).await,
        _ => app.breakers.failed(target, now).await,
    }
}
