//! Where budgets and breakers stand at this moment.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;

use super::view::{BreakerRow, BudgetRow};
use crate::app::administer::Admin;
use crate::app::budgets::{BudgetView, PeriodView};
use crate::app::error::GatewayError;
use crate::domain::breaker::{Breaker, Verdict};
use crate::domain::key::KeyRecord;
use crate::domain::money::NanoUsd;
use crate::domain::policy::{ScopeName, ScopePolicy};
use crate::domain::rollup::KeyUse;
use crate::domain::time::Timestamp;
use crate::ports::{BreakerStore, StoreError};

/// Scopes whose counters are read, since each costs a read.
const SCOPES_MAX: usize = 60;
/// Breakers that are read.
const TARGETS_MAX: usize = 20;
/// Reads that are under way at once.
const AT_ONCE: usize = 16;

/// The budgets of tenants, teams and users, and of the keys that spent most, nearest to the cap first;
/// and how many are not among them.
pub(super) async fn budgets(
    admin: &Admin,
    records: &[KeyRecord],
    spent: &BTreeMap<String, KeyUse>,
    now: Timestamp,
) -> Result<(Vec<BudgetRow>, usize), GatewayError> {
    let policies = admin.registry.policies().await.map_err(GatewayError::StoreDown)?;
    let mut scopes: Vec<(Option<String>, ScopeName, ScopePolicy)> =
        policies.into_iter().map(|(name, policy)| (None, name, policy)).collect();
    let mut keys: Vec<&KeyRecord> = records.iter().filter(|one| one.revoked_at.is_none()).collect();
    keys.sort_by_key(|one| (Reverse(spent.get(&one.id).map(|used| used.cost)), one.created_at));
    scopes.extend(keys.into_iter().map(|one| {
        let policy = ScopePolicy { own: one.policy.clone(), ..ScopePolicy::default() };
        (Some(one.name.clone()), ScopeName::key(&one.id), policy)
    }));
    scopes.retain(|(_, _, policy)| !policy.own.budgets.is_empty());
    let more = scopes.len().saturating_sub(SCOPES_MAX);
    scopes.truncate(SCOPES_MAX);
    let mut rows = Vec::new();
    for some in scopes.chunks(AT_ONCE) {
        let views = some.iter().map(|(_, name, policy)| admin.view(name, policy, now));
        let named = some.iter().map(|(name, ..)| name.clone()).zip(try_join_all(views).await?);
        rows.extend(named.map(|(name, budget)| BudgetRow { name, budget }));
    }
    rows.sort_by_cached_key(|row| Reverse(share(&row.budget)));
    Ok((rows, more))
}

/// How much of its fullest budget a scope has spent, in millionths.
fn share(view: &BudgetView) -> i128 {
    let of = |budget: &PeriodView| {
        let spent = i128::from(budget.spent_usd.unwrap_or(NanoUsd::ZERO).nano());
        spent * 1_000_000 / i128::from(budget.cap_usd.nano().max(1))
    };
    view.policy.budgets.iter().map(of).max().unwrap_or_default()
}

/// The breakers of these targets, those that are open first.
pub(super) async fn breakers(
    store: &dyn BreakerStore,
    targets: BTreeSet<String>,
    now: Timestamp,
) -> Result<Vec<BreakerRow>, StoreError> {
    let targets: Vec<String> = targets.into_iter().take(TARGETS_MAX).collect();
    let read = try_join_all(targets.iter().map(|target| store.read(target))).await?;
    let mut rows: Vec<BreakerRow> =
        targets.into_iter().zip(read).map(|(model, seen)| row(model, &seen.breaker, now)).collect();
    rows.sort_by(|a, b| (a.state == "closed", &a.model).cmp(&(b.state == "closed", &b.model)));
    Ok(rows)
}

fn row(model: String, breaker: &Breaker, now: Timestamp) -> BreakerRow {
    let (state, until) = match breaker.verdict(now) {
        Verdict::Allow => ("closed", None),
        Verdict::MayProbe => ("probing", None),
        Verdict::Refuse { until } => ("open", Some(until.rfc3339())),
    };
    BreakerRow { model, state, failures: breaker.failures, until }
}
