//! Why a counter refused, and how it may be asked again.

use super::error::{GatewayError, Quota, RateUnit};
use super::scope::Scope;
use crate::domain::counter::{self, Counter, RateLimits, Reserve, ScopeState, WindowForm};
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;

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

/// The form that fits the counter as it stood. A window ahead of our clock is taken as it is.
pub(super) fn next_form(old: Option<&Counter>, now: Timestamp) -> (i64, WindowForm) {
    match old {
        None => (now.minute(), WindowForm::Create),
        Some(old) if old.is_unopened() => (now.minute(), WindowForm::Create),
        Some(old) if old.window >= now.minute() => (old.window, WindowForm::Same),
        Some(old) => (now.minute(), WindowForm::Roll { from: old.window }),
    }
}

/// Nothing, if a repeat under a fresh id could be admitted. A window that must roll over and a
/// fence are no reasons to refuse the caller.
///
/// # Errors
/// What the caller is told.
pub(super) fn why_refused(
    scope: &Scope,
    write: &Reserve,
    old: Option<&Counter>,
    now: Timestamp,
) -> Result<(), GatewayError> {
    let (window, form) = next_form(old, now);
    // One that only fences is opened by the reserve itself.
    let opened = old.filter(|counter| !counter.is_unopened());
    let later = opened.and_then(|counter| counter::allow(Some(counter), &scope.allowance));
    let old = later.as_ref().or(old);
    let allowance = scope.allowance;
    let retry = Reserve { window, form, allowance, ..write.clone() };
    let unfenced = old.map(|counter| Counter { floor: None, ..counter.clone() });
    if counter::reserve(unfenced.as_ref(), &retry).is_some() {
        return Ok(());
    }
    // One that only fences has no cap of its own yet.
    let old = old.filter(|counter| !counter.is_unopened());
    let remaining = old.map_or(allowance.cap, |counter| counter.remaining);
    let (state, bar) = old.map_or((allowance.state, allowance.bar), |counter| (counter.state, counter.bar));
    if bar.state_in(state, window) == ScopeState::Stopped {
        return Err(GatewayError::ScopeStopped { kind: scope.name.kind, id: scope.name.id.clone() });
    }
    if remaining < write.amount() {
        return Err(GatewayError::QuotaExceeded(Box::new(quota(scope, write, old, now))));
    }
    Err(rates_refused(scope, write, old, now))
}

/// The refusal by a rate, or by the requests that are open at once.
pub(super) fn rates_refused(
    scope: &Scope,
    write: &Reserve,
    old: Option<&Counter>,
    now: Timestamp,
) -> GatewayError {
    let (window, _) = next_form(old, now);
    let counted = old.filter(|counter| counter.window == window);
    let fresh = Counter::fresh(&scope.allowance, window);
    let limits = paced(scope.limits, old.unwrap_or(&fresh), window);
    let request_room = limits.requests.map(|limit| limit.saturating_sub(1));
    let mut rates = RateView {
        limits,
        requests_used: counted.map_or(0, |counter| counter.requests),
        tokens_used: counted.map_or(0, |counter| counter.tokens),
        reset: seconds_left(window, now),
    };
    let open = old.map_or(0, |counter| i64::try_from(counter.live.len()).unwrap_or(i64::MAX));
    let unit = match request_room.is_some_and(|room| rates.requests_used > room) {
        true => RateUnit::Requests,
        false if write.hold_room().is_some_and(|room| open > room) => RateUnit::Concurrency,
        false if limits.tokens.is_some() => RateUnit::Tokens,
        // From here on several counters have room together, and none of those with money has it alone.
        false if write.hold_room().is_some() && open > 0 => RateUnit::Concurrency,
        // What is left of the pace of the others is no use to this request.
        false => {
            rates.requests_used = limits.requests.unwrap_or(rates.requests_used);
            RateUnit::Requests
        }
    };
    GatewayError::RateLimited { unit, rates }
}

fn quota(scope: &Scope, write: &Reserve, old: Option<&Counter>, now: Timestamp) -> Quota {
    let resets_at = scope.period.resets_at(now);
    Quota {
        kind: scope.name.kind,
        id: scope.name.id.clone(),
        cap: old.map_or(scope.allowance.cap, |counter| counter.cap),
        spent: old.map_or(NanoUsd::ZERO, Counter::spent),
        held: old.map_or(NanoUsd::ZERO, Counter::held),
        needed: write.amount(),
        resets_at,
        retry_after: resets_at.map(|at| at.since(now).as_secs() + 1),
    }
}

/// The limits, with the pace of a throttled scope among them.
fn paced(limits: RateLimits, counter: &Counter, window: i64) -> RateLimits {
    let slower = [limits.requests, counter.pace_in(window)].into_iter().flatten().min();
    RateLimits { requests: slower, ..limits }
}

pub(super) fn rate_view(write: &Reserve, counter: &Counter, now: Timestamp) -> RateView {
    RateView {
        limits: paced(write.limits, counter, counter.window),
        requests_used: counter.requests,
        tokens_used: counter.tokens,
        reset: seconds_left(counter.window, now),
    }
}

fn seconds_left(window: i64, now: Timestamp) -> u64 {
    let end = Timestamp::from_millis(window.saturating_add(1).saturating_mul(60_000));
    end.since(now).as_secs() + 1
}
