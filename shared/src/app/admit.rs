//! Admission of what spends nothing: an answer from the cache, a replay, a count of tokens.

use super::App;
use super::authenticate::Caller;
use super::enter::enter;
use super::error::GatewayError;
use super::refusal::RateView;
use super::scope::{Scope, bars, rates};
use super::spender::Spender;
use crate::domain::counter::{Counter, RateLimits, ScopeState};

/// Admits what spends nothing, such as a cache hit. Who pays is looked up beside the key's own counter, so
/// that only a scope which may refuse costs a trip of its own.
///
/// # Errors
/// As [`reserve`], apart from the quota.
pub(super) async fn admit_free(
    app: &App,
    caller: &Caller,
    spender: impl Future<Output = Result<Spender, GatewayError>>,
) -> Result<RateView, GatewayError> {
    let (rates, spender) = tokio::join!(admit(app, caller), spender);
    let (rates, spender) = (rates?, spender?);
    admit_others(app, &spender).await?;
    Ok(rates)
}

/// Admits it by the rates of the key and the token.
async fn admit(app: &App, caller: &Caller) -> Result<RateView, GatewayError> {
    let scopes = rates(caller);
    if let [own] = scopes.as_slice()
        && is_open(app, own).await?
    {
        return Ok(RateView::default());
    }
    let afresh = async || Ok(rates(&caller.afresh(app).await?));
    enter(app, &scopes, None, afresh).await.map(|(_, view)| view)
}

/// Whether a scope has no rate and is active, so that there is nothing to count. Its state is read, which
/// costs a fifth of a write; a counter that may have to change is left to be entered.
async fn is_open(app: &App, scope: &Scope) -> Result<bool, GatewayError> {
    let now = app.clock.now();
    let is_one = scope.shards.in_period(scope.period, now) == 1;
    if !is_one || scope.limits != RateLimits::default() || scope.allowance.state != ScopeState::Active {
        return Ok(false);
    }
    let counter = app.counters.read(&scope.counter(now)).await.map_err(GatewayError::StoreDown)?;
    let is_active = |counter: Counter| {
        counter.is_unopened()
            || counter.version >= scope.allowance.version
                && counter.bar.state_in(counter.state, now.minute()) == ScopeState::Active
    };
    Ok(counter.is_none_or(is_active))
}

/// Admits it by the rates and the states of session, user, team and tenant, where they have any.
async fn admit_others(app: &App, spender: &Spender) -> Result<(), GatewayError> {
    let afresh = async || Ok(bars(spender.afresh(app).await?.scopes()));
    enter(app, &bars(spender.scopes()), None, afresh).await.map(|_| ())
}
