//! The scopes that a request's spending is counted in, each with its caps and limits.

use super::authenticate::Caller;
use crate::domain::counter::{Allowance, Bar, CounterKey, RateLimits, ScopeKind, ScopeState};
use crate::domain::money::NanoUsd;
use crate::domain::policy::{Budget, Policy, ScopeName, Shards};
use crate::domain::time::{Period, Timestamp};

/// One scope in one period: what one counter enforces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub name: ScopeName,
    pub period: Period,
    pub limits: RateLimits,
    pub allowance: Allowance,
    pub shards: Shards,
    /// Which of its counters this is a share of.
    pub shard: Option<u8>,
    /// How its policy is known.
    pub known: Known,
}

/// How a policy is known to those who go by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Read from the store for this request, not remembered.
    pub is_fresh: bool,
    /// It is the tenant's for each user, since the user has none.
    pub is_inherited: bool,
}

impl Scope {
    pub(super) fn counter(&self, now: Timestamp) -> CounterKey {
        let key = CounterKey::new(self.name.kind, &self.name.qualified(), self.period, now);
        CounterKey { shard: self.shard, ..key }
    }

    /// What one of `count` counters enforces: its share of the cap and of the limits.
    pub(super) fn shard(&self, at: u8, count: u8) -> Scope {
        let (cap, bar, limits) = (self.allowance.cap, self.allowance.bar, self.limits);
        let share_of = |limit: Option<i64>| limit.map(|limit| share(limit, at, count));
        Scope {
            limits: RateLimits {
                requests: share_of(limits.requests),
                tokens: share_of(limits.tokens),
                concurrency: share_of(limits.concurrency),
            },
            allowance: Allowance {
                cap: NanoUsd::from_nano(share(cap.nano(), at, count)),
                bar: Bar { pace: share(bar.pace, at, count), ..bar },
                ..self.allowance
            },
            shard: Some(at),
            ..self.clone()
        }
    }
}

/// The share of `total` that the one at `at` of `count` has: all shares together are the total.
fn share(total: i64, at: u8, count: u8) -> i64 {
    let count = i64::from(count.max(1));
    let (each, rest) = (total.div_euclid(count), total.rem_euclid(count));
    each + i64::from(i64::from(at) < rest)
}

/// The counters of a policy, the one that counts rates first. A scope whose rates are limited, or
/// that `must` be counted, has a counter of a month at least, against a cap nobody reaches if there
/// is no other: rates and open holds are then counted across the shorter periods.
pub(super) fn counters(name: &ScopeName, policy: &Policy, must: bool) -> Vec<Scope> {
    let mut budgets = policy.budgets.clone();
    budgets.sort_by_key(|budget| std::cmp::Reverse(budget.period));
    let (state, bar) = policy.barred();
    let needs_long = must || policy.limits != RateLimits::default() || state != ScopeState::Active;
    if needs_long && budgets.first().is_none_or(|longest| longest.period < Period::Month) {
        budgets.insert(0, Budget { cap: NanoUsd::UNLIMITED, period: Period::Month });
    }
    let scope = |(index, budget): (usize, Budget)| Scope {
        name: name.clone(),
        period: budget.period,
        limits: if index == 0 { policy.limits } else { RateLimits::default() },
        allowance: Allowance { cap: budget.cap, state, bar, version: policy.version },
        shards: policy.shards.clone(),
        shard: None,
        known: Known::default(),
    };
    budgets.into_iter().enumerate().map(scope).collect()
}

/// The counters of the key that was used, and of the token.
pub(super) fn own(caller: &Caller) -> Vec<Scope> {
    let record = caller.record();
    let mut scopes = counters(&ScopeName::key(&record.id), &record.policy, true);
    if let Some(claims) = caller.claims() {
        // A token ends before any period does.
        let budgets = claims.budget.map(|cap| Budget { cap, period: Period::Total });
        let policy = Policy {
            budgets: budgets.into_iter().collect(),
            limits: RateLimits { requests: claims.requests, ..RateLimits::default() },
            ..Policy::default()
        };
        scopes.extend(counters(&ScopeName::token(&claims.id), &policy, false));
    }
    scopes
}

/// The counters that admit what spends nothing: those that count rates.
pub(super) fn rates(caller: &Caller) -> Vec<Scope> {
    let is_rated = |scope: &Scope| scope.limits != RateLimits::default();
    let scopes = own(caller);
    let first = scopes.first().cloned();
    // The key's own counts every request, limited or not.
    first.into_iter().chain(scopes.into_iter().skip(1).filter(is_rated)).collect()
}

/// Of the other scopes, the counters that may refuse what spends nothing: those of a limited rate, and of
/// a scope that is not active.
pub(super) fn bars(scopes: &[Scope]) -> Vec<Scope> {
    let is_own = |scope: &Scope| matches!(scope.name.kind, ScopeKind::Key | ScopeKind::Token);
    let may_refuse =
        |scope: &Scope| scope.limits != RateLimits::default() || scope.allowance.state != ScopeState::Active;
    let mut bars: Vec<Scope> = Vec::new();
    for scope in scopes.iter().filter(|scope| !is_own(scope) && may_refuse(scope)) {
        // The first of a scope's counters counts its rates, and each knows its state.
        if bars.last().is_none_or(|last| last.name != scope.name) {
            bars.push(scope.clone());
        }
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(cap: i64, period: Period) -> Budget {
        Budget { cap: NanoUsd::from_nano(cap), period }
    }

    fn periods(policy: &Policy, must: bool) -> Vec<(Period, bool)> {
        let scopes = counters(&ScopeName::tenant("acme"), policy, must);
        scopes.iter().map(|scope| (scope.period, scope.limits != RateLimits::default())).collect()
    }

    #[test]
    fn each_budget_has_a_counter_and_rates_are_counted_on_the_longest() {
        let limits = RateLimits { requests: Some(1), ..RateLimits::default() };
        let both = vec![budget(1, Period::Day), budget(2, Period::Month)];
        let policy = Policy { budgets: both, limits, ..Policy::default() };
        assert_eq!(periods(&policy, false), [(Period::Month, true), (Period::Day, false)]);
        let daily = Policy { budgets: vec![budget(1, Period::Day)], limits, ..Policy::default() };
        assert_eq!(periods(&daily, false), [(Period::Month, true), (Period::Day, false)]);
        let total = Policy { budgets: vec![budget(1, Period::Total)], limits, ..Policy::default() };
        assert_eq!(periods(&total, false), [(Period::Total, true)]);
    }

    #[test]
    fn the_shares_of_all_counters_are_the_whole() {
        for (total, count) in [(10, 3), (7, 64), (0, 4), (i64::MAX, 64), (5, 1)] {
            let shares = (0..count).map(|at| share(total, at, count));
            assert_eq!(shares.sum::<i64>(), total, "{total} over {count}");
        }
    }

    #[test]
    fn a_scope_is_counted_only_where_something_holds_for_it() {
        assert_eq!(periods(&Policy::default(), false), []);
        assert_eq!(periods(&Policy::default(), true), [(Period::Month, false)]);
        let stopped = Policy { state: ScopeState::Stopped, ..Policy::default() };
        assert_eq!(periods(&stopped, false), [(Period::Month, false)]);
        let daily = Policy { budgets: vec![budget(1, Period::Day)], ..Policy::default() };
        assert_eq!(periods(&daily, false), [(Period::Day, false)]);
    }
}
