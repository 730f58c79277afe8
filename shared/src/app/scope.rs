//! The scopes that a caller's spending is counted in, each with its cap and limits.

use super::authenticate::Caller;
use crate::domain::counter::{CounterKey, RateLimits, ScopeKind};
use crate::domain::money::NanoUsd;
use crate::domain::time::{Period, Timestamp};

/// One scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub kind: ScopeKind,
    pub id: String,
    pub cap: NanoUsd,
    pub period: Period,
    pub limits: RateLimits,
}

impl Scope {
    pub(super) fn counter(&self, now: Timestamp) -> CounterKey {
        CounterKey::new(self.kind, &self.id, self.period, now)
    }
}

/// Every scope of `caller`, the key's own first. One without a budget is held for all the same,
/// against a cap nobody reaches.
pub(super) fn scopes(caller: &Caller) -> Vec<Scope> {
    let record = caller.record();
    let key = Scope {
        kind: ScopeKind::Key,
        id: record.id.clone(),
        cap: record.budget.map_or(NanoUsd::UNLIMITED, |budget| budget.cap),
        period: record.budget.map_or(Period::Month, |budget| budget.period),
        limits: record.limits,
    };
    let token = caller.claims().filter(|claims| claims.budget.is_some() || claims.requests.is_some());
    let token = token.map(|claims| Scope {
        kind: ScopeKind::Token,
        id: claims.id.clone(),
        cap: claims.budget.unwrap_or(NanoUsd::UNLIMITED),
        // A token ends before any period does.
        period: Period::Total,
        limits: RateLimits { requests: claims.requests, tokens: None },
    });
    std::iter::once(key).chain(token).collect()
}
