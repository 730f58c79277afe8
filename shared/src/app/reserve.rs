//! Admission: one conditional write that takes rates and money together, or is refused whole.
//!
//! Source: hold protocol, steps 1 to 3, ARCHITECTURE.md. A reserve is sent once; without a reply
//! it is looked for by a consistent read, and what is not there is abandoned under its id.

use super::App;
use super::authenticate::Caller;
use super::error::{GatewayError, Quota, RateUnit};
use super::random::fresh_id;
use super::route::Target;
use super::settle::settle_in_time;
use crate::domain::bound::Bound;
use crate::domain::counter::{
    self, Counter, CounterKey, Hold, HoldFacts, RateLimits, Reserve, ScopeKind, ScopeState, WindowForm,
};
use crate::domain::id::AttemptId;
use crate::domain::key::KeyBudget;
use crate::domain::ledger::{LINE_VERSION, LedgerLine, Outcome, Quality};
use crate::domain::money::NanoUsd;
use crate::domain::reservation::Reservation;
use crate::domain::time::{Period, Timestamp};
use crate::domain::usage::TokenUsage;
use crate::ports::{ReserveReply, StoreError};

/// Writes before a reserve gives up: each but the last had a definite reason to be repeated under
/// a fresh id.
const TRIES: u32 = 6;
/// A key without a budget is held for all the same, against a cap nobody reaches.
const NO_BUDGET: KeyBudget = KeyBudget { cap: NanoUsd::UNLIMITED, period: Period::Month };

/// What the caller may still do this minute, for the rate headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateView {
    pub limits: RateLimits,
    pub requests_used: i64,
    pub tokens_used: i64,
    /// Seconds until the window ends.
    pub reset: u64,
}

impl RateView {
    /// OpenAI's rate headers, for the limits the key has.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let left = |limit: i64, used: i64| limit.saturating_sub(used).max(0).to_string();
        let reset = format!("{}s", self.reset);
        let mut headers = Vec::new();
        if let Some(limit) = self.limits.requests {
            headers.push(("x-ratelimit-limit-requests", limit.to_string()));
            headers.push(("x-ratelimit-remaining-requests", left(limit, self.requests_used)));
            headers.push(("x-ratelimit-reset-requests", reset.clone()));
        }
        if let Some(limit) = self.limits.tokens {
            headers.push(("x-ratelimit-limit-tokens", limit.to_string()));
            headers.push(("x-ratelimit-remaining-tokens", left(limit, self.tokens_used)));
            headers.push(("x-ratelimit-reset-tokens", reset));
        }
        headers
    }
}

/// What a hold is for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    pub caller: &'a Caller,
    pub request: AttemptId,
    pub target: &'a Target,
    pub bound: Bound,
    /// When the holder must have settled.
    pub expires: Timestamp,
}

/// RESERVE for one attempt.
///
/// # Errors
/// [`GatewayError::QuotaExceeded`], [`GatewayError::RateLimited`], [`GatewayError::ScopeStopped`],
/// or [`GatewayError::StoreDown`]: budgets fail closed.
pub async fn reserve(app: &App, purpose: &Purpose<'_>) -> Result<(Reservation, RateView), GatewayError> {
    let record = purpose.caller.record();
    let facts = HoldFacts {
        request: purpose.request,
        tenant: record.tenant.clone(),
        key: record.id.clone(),
        model: purpose.target.model.to_string(),
        price: purpose.target.price.id.clone(),
    };
    let draft = Draft { caller: purpose.caller, hold: Some((purpose.bound, facts.clone(), purpose.expires)) };
    let (write, view) = enter(app, &draft).await?;
    let target = purpose.target.model.clone();
    let price = purpose.target.price.clone();
    let reservation = Reservation::new(write.id, target, price, purpose.bound, vec![write.key], facts);
    Ok((reservation, view))
}

/// Admits a cache hit: rates only, since it spends nothing.
///
/// # Errors
/// As [`reserve`], apart from the quota.
pub async fn admit_hit(app: &App, caller: &Caller) -> Result<RateView, GatewayError> {
    let (_, view) = enter(app, &Draft { caller, hold: None }).await?;
    Ok(view)
}

struct Draft<'a> {
    caller: &'a Caller,
    hold: Option<(Bound, HoldFacts, Timestamp)>,
}

impl Draft<'_> {
    fn budget(&self) -> KeyBudget {
        self.caller.record().budget.unwrap_or(NO_BUDGET)
    }

    fn write(&self, now: Timestamp, window: i64, form: WindowForm) -> Reserve {
        let record = self.caller.record();
        let budget = self.budget();
        let key = CounterKey::new(ScopeKind::Key, &record.id, budget.period, now);
        let tokens =
            self.hold.as_ref().map_or(0, |(bound, ..)| i64::try_from(bound.tokens).unwrap_or(i64::MAX));
        let hold = self.hold.as_ref().map(|(bound, facts, expires)| Hold {
            amount: bound.amount,
            tokens,
            window,
            items: vec![key.clone()],
            expires: *expires,
            facts: facts.clone(),
        });
        Reserve { key, id: fresh_id(now), hold, cap: budget.cap, limits: record.limits, window, tokens, form }
    }
}

async fn enter(app: &App, draft: &Draft<'_>) -> Result<(Reserve, RateView), GatewayError> {
    let mut window = app.clock.now().minute();
    let mut form = WindowForm::Same;
    for _ in 0..TRIES {
        let now = app.clock.now();
        let write = draft.write(now, window, form);
        if form == WindowForm::Create {
            // The store's condition cannot compare the amount with a cap that is in no item yet.
            possible(draft, &write, None, now)?;
        }
        let held = match app.counters.reserve(&write).await {
            Ok(ReserveReply::Held(counter)) => Some(counter),
            Ok(ReserveReply::Refused(old)) => {
                possible(draft, &write, old.as_ref(), now)?;
                (window, form) = next_form(old.as_ref(), now);
                None
            }
            Err(StoreError::NoReply(why)) => find_or_abandon(app, &write, &why).await?,
            Err(error) => return Err(GatewayError::StoreDown(error)),
        };
        if let Some(counter) = held {
            let view = rate_view(&write, &counter, now);
            return Ok((write, view));
        }
    }
    Err(GatewayError::StoreDown(StoreError::Rejected("the counter kept changing".to_owned())))
}

/// The form that fits the counter as it stood. A window ahead of our clock is taken as it is.
fn next_form(old: Option<&Counter>, now: Timestamp) -> (i64, WindowForm) {
    match old {
        None => (now.minute(), WindowForm::Create),
        Some(old) if old.window >= now.minute() => (old.window, WindowForm::Same),
        Some(old) => (now.minute(), WindowForm::Roll { from: old.window }),
    }
}

/// Whether a repeat under a fresh id could be admitted; else why not. A window that must roll over
/// and a fence are no reasons to refuse the caller.
fn possible(
    draft: &Draft<'_>,
    write: &Reserve,
    old: Option<&Counter>,
    now: Timestamp,
) -> Result<(), GatewayError> {
    let (window, form) = next_form(old, now);
    let retry = Reserve { window, form, ..write.clone() };
    let unfenced = old.map(|counter| Counter { floor: None, ..counter.clone() });
    if counter::reserve(unfenced.as_ref(), &retry).is_some() {
        return Ok(());
    }
    let record = draft.caller.record();
    let budget = draft.budget();
    let remaining = old.map_or(budget.cap, |counter| counter.remaining);
    if old.is_some_and(|counter| counter.state != ScopeState::Active) {
        return Err(GatewayError::ScopeStopped { kind: ScopeKind::Key, id: record.id.clone() });
    }
    if remaining < write.amount() {
        return Err(GatewayError::QuotaExceeded(Box::new(quota(draft, write, old, now))));
    }
    let (request_room, _) = write.rate_room();
    let counted = old.filter(|counter| counter.window == window);
    let rates = RateView {
        limits: record.limits,
        requests_used: counted.map_or(0, |counter| counter.requests),
        tokens_used: counted.map_or(0, |counter| counter.tokens),
        reset: seconds_left(window, now),
    };
    let unit = match request_room.is_some_and(|room| rates.requests_used > room) {
        true => RateUnit::Requests,
        false => RateUnit::Tokens,
    };
    Err(GatewayError::RateLimited { unit, rates })
}

fn quota(draft: &Draft<'_>, write: &Reserve, old: Option<&Counter>, now: Timestamp) -> Quota {
    let budget = draft.budget();
    let resets_at = budget.period.resets_at(now);
    Quota {
        kind: ScopeKind::Key,
        id: draft.caller.record().id.clone(),
        cap: old.map_or(budget.cap, |counter| counter.cap),
        spent: old.map_or(NanoUsd::ZERO, Counter::spent),
        held: old.map_or(NanoUsd::ZERO, Counter::held),
        needed: write.amount(),
        resets_at,
        retry_after: resets_at.map(|at| at.since(now).as_secs() + 1),
    }
}

/// No reply: the write may have landed. If a consistent read shows it, it counts; if not, the id is
/// given up for ever, so that a copy still on its way can only become a hold that settles at zero.
async fn find_or_abandon(app: &App, write: &Reserve, why: &str) -> Result<Option<Counter>, GatewayError> {
    let Some(hold) = &write.hold else {
        return Err(GatewayError::StoreDown(StoreError::NoReply(why.to_owned())));
    };
    match app.counters.read(&write.key).await {
        Ok(Some(counter)) if counter.live.contains_key(&write.id) => return Ok(Some(counter)),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "a reserve without reply could not be looked for"),
    }
    settle_in_time(app, &abandoned(write, hold, app.clock.now())).await;
    Ok(None)
}

fn abandoned(write: &Reserve, hold: &Hold, now: Timestamp) -> LedgerLine {
    LedgerLine {
        version: LINE_VERSION,
        id: write.id,
        request: hold.facts.request,
        tenant: hold.facts.tenant.clone(),
        key_id: hold.facts.key.clone(),
        user: None,
        model: hold.facts.model.clone(),
        price: hold.facts.price.clone(),
        quality: Quality::Exact,
        amount: NanoUsd::ZERO,
        reserved: hold.amount,
        usage: TokenUsage::default(),
        outcome: Outcome::Abandoned,
        items: hold.items.clone(),
        at: now,
    }
}

fn rate_view(write: &Reserve, counter: &Counter, now: Timestamp) -> RateView {
    RateView {
        limits: write.limits,
        requests_used: counter.requests,
        tokens_used: counter.tokens,
        reset: seconds_left(counter.window, now),
    }
}

fn seconds_left(window: i64, now: Timestamp) -> u64 {
    let end = Timestamp::from_millis(window.saturating_add(1).saturating_mul(60_000));
    end.since(now).as_secs() + 1
}
