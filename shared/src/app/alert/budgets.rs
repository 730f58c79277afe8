//! Budgets as a listing of the counters shows them.

use std::collections::BTreeMap;

use super::Watch;
use crate::app::scope::counters;
use crate::app::seat::whole;
use crate::domain::alert::{Alert, BudgetAt, Standing, is_watched, period_of};
use crate::domain::counter::{Counter, CounterKey, ScopeKind};
use crate::domain::policy::{Policy, ScopeName};
use crate::domain::time::Timestamp;
use crate::ports::StoreError;

/// The counters of a pass, those of a sharded scope together.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<(ScopeKind, String, String), Vec<(CounterKey, Counter)>>);

impl Seen {
    pub fn add(&mut self, key: &CounterKey, counter: &Counter) {
        if is_watched(key.kind) && !counter.is_unopened() {
            let scope = (key.kind, key.id.clone(), key.period.clone());
            self.0.entry(scope).or_default().push((key.clone(), counter.clone()));
        }
    }

    /// The budgets that have come to the first threshold or may end early, with their tenants.
    pub(super) async fn standings(&self, watch: &Watch, now: Timestamp) -> Result<Vec<Standing>, StoreError> {
        let mut standings = Vec::new();
        for shards in self.0.values() {
            if let Some(standing) = standing(watch, shards, now).await? {
                standings.push(standing);
            }
        }
        Ok(standings)
    }

    /// The budget that `alert` is about as it stands; none where not all of it was seen.
    pub(super) async fn standing_of(
        &self,
        watch: &Watch,
        alert: &Alert,
        budget: &BudgetAt,
        now: Timestamp,
    ) -> Result<Option<Standing>, StoreError> {
        let scope = (budget.scope, budget.counter_id(alert.tenant.as_deref()), budget.period.clone());
        let Some(shards) = self.0.get(&scope) else { return Ok(None) };
        let Some((key, counter)) = shards.first() else { return Ok(None) };
        if key.shard.is_none() {
            return Ok(Standing::of(key, counter, alert.tenant.clone(), now));
        }
        let (tenant, policy) = owner(watch, key).await?;
        let whole = policy.and_then(|(name, policy)| sum(&name, &policy, shards, now));
        let whole = whole.filter(|whole| whole.is_complete);
        Ok(whole.and_then(|whole| Standing::of(&whole.key, &whole.counter, tenant, now)))
    }
}

async fn standing(
    watch: &Watch,
    shards: &[(CounterKey, Counter)],
    now: Timestamp,
) -> Result<Option<Standing>, StoreError> {
    let Some((key, counter)) = shards.first() else { return Ok(None) };
    let is_interesting = |standing: &Standing| {
        let first = watch.limits.thresholds_ppm.first().copied().unwrap_or(u32::MAX);
        standing.is_at(first) || standing.forecast(now).is_some()
    };
    let one = Standing::of(key, counter, None, now);
    match key.shard {
        None => {
            let Some(standing) = one.filter(is_interesting) else { return Ok(None) };
            let (tenant, _) = owner(watch, key).await?;
            Ok(Some(Standing { tenant, ..standing }))
        }
        // One that is spent to a threshold has a counter that is.
        Some(_) => {
            let each = shards.iter().filter_map(|(key, counter)| Standing::of(key, counter, None, now));
            if !each.into_iter().any(|standing| is_interesting(&standing)) {
                return Ok(None);
            }
            let (tenant, policy) = owner(watch, key).await?;
            let whole = policy.and_then(|(name, policy)| sum(&name, &policy, shards, now));
            let standing = whole.and_then(|whole| Standing::of(&whole.key, &whole.counter, tenant, now));
            Ok(standing.filter(is_interesting))
        }
    }
}

/// The counters of a sharded scope as one.
struct Whole {
    key: CounterKey,
    counter: Counter,
    /// None of them is missing.
    is_complete: bool,
}

/// What is not listed has spent nothing.
fn sum(name: &ScopeName, policy: &Policy, shards: &[(CounterKey, Counter)], now: Timestamp) -> Option<Whole> {
    let key = CounterKey { shard: None, ..shards.first()?.0.clone() };
    let (period, within) = period_of(&key, now)?;
    let scope = counters(name, policy, true).into_iter().find(|scope| scope.period == period)?;
    let count = scope.shards.in_period(period, within);
    let listed =
        |at: u8| shards.iter().find(|(key, _)| key.shard == Some(at)).map(|(_, counter)| counter.clone());
    let counters: Vec<Option<Counter>> = (0..count).map(listed).collect();
    let refused_at = counters.iter().flatten().filter_map(|counter| counter.refused_at).min();
    let is_complete = counters.iter().all(Option::is_some);
    Some(Whole {
        key,
        counter: Counter { refused_at, ..whole(&scope, &counters, count, within) },
        is_complete,
    })
}

/// Whose a counter is, and what was set for its scope.
async fn owner(
    watch: &Watch,
    key: &CounterKey,
) -> Result<(Option<String>, Option<(ScopeName, Policy)>), StoreError> {
    let owned = key.id.split_once('#');
    let name = match (key.kind, owned) {
        (ScopeKind::Key, _) => {
            let record = watch.keys.find(&key.id).await?;
            let tenant = record.as_ref().map(|record| record.tenant.clone());
            return Ok((tenant, record.map(|record| (ScopeName::key(&key.id), record.policy))));
        }
        (ScopeKind::Tenant, _) => ScopeName::tenant(&key.id),
        (ScopeKind::Team, Some((tenant, id))) => ScopeName::team(tenant, id),
        (ScopeKind::User, Some((tenant, id))) => ScopeName::user(tenant, id),
        _ => return Ok((None, None)),
    };
    let tenant = name.owner.clone().unwrap_or_else(|| key.id.clone());
    let policy = match key.shard {
        Some(_) => watch.policies.find_policy(&name).await?.map(|policy| policy.own),
        None => None,
    };
    Ok((Some(tenant), policy.map(|policy| (name, policy))))
}
