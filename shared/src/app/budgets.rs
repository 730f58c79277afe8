//! Budgets and limits of every scope, set and shown to an admin.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::administer::{Admin, TRIES, no_key};
use super::change::{Change, subject};
use super::error::GatewayError;
use super::listing::Piece;
use super::policy_fields::{nested, policy};
use super::scope::{Scope, counters};
use super::seat::{keys, whole};
use super::tenants::tenant_of;
use crate::domain::audit::{Action, Outcome, Who};
use crate::domain::counter::{Allowance, Counter, CounterKey, ScopeKind, ScopeState};
use crate::domain::money::NanoUsd;
use crate::domain::policy::{Policy, ScopeName, ScopePolicy, Throttle};
use crate::domain::time::{Period, Timestamp};
use crate::ports::{Counters, StoreError};
use crate::protocol::fields::{BadRequest, Fields};

/// A period that begins within this time has its counter changed along, since an instance may
/// still have the policy of before when it begins: it is a minute old at most, and by a clock that may be
/// ten minutes ahead.
const AHEAD: Duration = Duration::from_secs(660);

/// A scope's policy, and where its counters stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetView {
    pub scope: ScopeKind,
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    #[serde(flatten)]
    pub policy: PolicyView,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each_user: Option<PolicyView>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each_session: Option<PolicyView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    pub budgets: Vec<PeriodView>,
    pub rpm: Option<i64>,
    pub tpm: Option<i64>,
    pub concurrency: Option<i64>,
    /// As an admin set it.
    pub state: ScopeState,
    /// What the gateway does by itself, until its time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<ThrottleView>,
    /// Counters that a period is spread over, from the next one on.
    pub shards: u8,
}

/// A state that the anomaly throttle gave a key; active spares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleView {
    pub state: ScopeState,
    /// Requests a minute that a throttled key is admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpm: Option<i64>,
    pub since: String,
    pub until: String,
}

/// One cap. The amounts are absent where nothing was spent in this period, or none was looked up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeriodView {
    pub period: Period,
    pub cap_usd: NanoUsd,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent_usd: Option<NanoUsd>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_usd: Option<NanoUsd>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
}

/// Some policies, by the kind and name of their scope.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetList {
    pub budgets: Vec<BudgetView>,
    /// Where the next piece begins; null where this was the last.
    pub next: Option<String>,
}

impl Admin {
    /// Replaces what holds for a scope. It holds from the next reserve on: the counters of the
    /// present period are changed as well, and each instance follows the counter.
    ///
    /// # Errors
    /// [`GatewayError::BadRequest`] naming the field, [`GatewayError::NotFound`] for a key that does
    /// not exist, or [`GatewayError::StoreDown`]; setting it again finishes what was begun.
    pub async fn set_budget(
        &self,
        who: &Who,
        kind: &str,
        id: &str,
        body: Map<String, Value>,
    ) -> Result<BudgetView, GatewayError> {
        let mut fields = Fields::new(body);
        let name = scope_name(kind, id, fields.string("tenant")?)?;
        let wanted = scope_policy(&name, fields)?;
        for _ in 0..TRIES {
            if let Some(view) = self.try_set(who, &name, wanted.clone()).await? {
                return Ok(view);
            }
        }
        Err(GatewayError::StoreDown(StoreError::Rejected("the policy kept changing".to_owned())))
    }

    /// None where somebody else changed the policy since it was read.
    async fn try_set(
        &self,
        who: &Who,
        name: &ScopeName,
        wanted: ScopePolicy,
    ) -> Result<Option<BudgetView>, GatewayError> {
        let now = self.clock.now();
        let standing = self.standing(name).await?;
        // Later than the last one, whatever the clock says.
        let last = standing.as_ref().map(|policy| policy.own.version);
        let known = last.max(self.for_each(name).await?).unwrap_or_default();
        let mut next = wanted.at(now.max(known + Duration::from_millis(1)));
        // A scope of which nobody has heard has no counters yet, and begins with its shards; a user
        // may have been counted by the tenant's policy for each.
        if standing.is_some() || name.kind == ScopeKind::User {
            let before = standing.as_ref().map(|policy| policy.own.shards.clone()).unwrap_or_default();
            next.own.shards = before.change(next.own.shards.count, now);
        }
        if name.kind == ScopeKind::Key && standing.is_none() {
            return Err(no_key(&name.id));
        }
        next.own.throttle = Policy::freed(standing.as_ref().and_then(|policy| policy.own.throttle), now);
        self.may_lower(name, &next.own, now).await?;
        let old = standing.as_ref().map(|policy| bare(name, policy));
        let change = Change::new(Action::SetBudget, subject(name), old.as_ref(), Some(&bare(name, &next)));
        let permit = self.registry.begin(who, now, change).await?;
        let is_set = match (name.kind, last) {
            (ScopeKind::Key, Some(last)) => permit.keys().set_policy(&name.id, &next.own, last).await,
            _ => permit.policies().put_policy(name, &next, last).await,
        };
        if !is_set.map_err(GatewayError::StoreDown)? {
            permit.conclude(Outcome::NotDone).await;
            return Ok(None);
        }
        let before = standing.unwrap_or_default().own;
        apply(permit.counters(), name, (&before, &next.own), now).await.map_err(GatewayError::StoreDown)?;
        permit.conclude(Outcome::Done).await;
        self.view(name, &next, now).await.map(Some)
    }

    /// What holds for a scope and what it has spent.
    ///
    /// # Errors
    /// [`GatewayError::NotFound`] where nobody set anything, or [`GatewayError::StoreDown`].
    pub async fn budget(
        &self,
        kind: &str,
        id: &str,
        tenant: Option<String>,
    ) -> Result<BudgetView, GatewayError> {
        let name = scope_name(kind, id, tenant)?;
        let found = self.standing(&name).await?;
        let text = || GatewayError::NotFound { what: format!("nothing is set for the {kind} {id:?}") };
        self.view(&name, &found.ok_or_else(text)?, self.clock.now()).await
    }

    /// Policies of teams, users and tenants, of one tenant or of all; those of keys are in the list of
    /// keys.
    ///
    /// # Errors
    /// [`GatewayError::StoreDown`].
    pub async fn budgets(&self, tenant: Option<&str>, piece: &Piece) -> Result<BudgetList, GatewayError> {
        let policies = self.registry.policies().await.map_err(GatewayError::StoreDown)?;
        let is_meant = |name: &ScopeName| tenant.is_none_or(|tenant| tenant_of(name) == Some(tenant));
        let policies = policies.iter().filter(|(name, _)| is_meant(name));
        let (policies, next) = piece.of(policies, |(name, _)| name.to_string());
        Ok(BudgetList {
            budgets: policies.into_iter().map(|(name, policy)| bare(name, policy)).collect(),
            next,
        })
    }

    /// Of which version the tenant's policy for each user is, which the counters of a user may follow.
    async fn for_each(&self, name: &ScopeName) -> Result<Option<Timestamp>, GatewayError> {
        match name.owner.as_deref().filter(|_| name.kind == ScopeKind::User) {
            None => Ok(None),
            Some(tenant) => {
                let of_tenant = self.standing(&ScopeName::tenant(tenant)).await?;
                Ok(of_tenant.and_then(|policy| policy.each_user).map(|policy| policy.version))
            }
        }
    }

    async fn standing(&self, name: &ScopeName) -> Result<Option<ScopePolicy>, GatewayError> {
        let found = match name.kind {
            ScopeKind::Key => self.registry.find_key().find(&name.id).await.map(|record| {
                record.map(|record| ScopePolicy { own: record.policy, ..ScopePolicy::default() })
            }),
            _ => self.registry.find_policy().find_policy(name).await,
        };
        found.map_err(GatewayError::StoreDown)
    }

    /// What one shard has spent above its share of a lower cap would be free in the others.
    async fn may_lower(&self, name: &ScopeName, next: &Policy, now: Timestamp) -> Result<(), GatewayError> {
        for scope in counters(name, next, name.kind == ScopeKind::Key) {
            let shards = keys(&scope, now);
            if shards.len() == 1 {
                continue;
            }
            let reads = try_join_all(shards.iter().map(|(key, _)| self.registry.counter(key)));
            let standing = reads.await.map_err(GatewayError::StoreDown)?;
            let is_lower = |(counter, (_, to)): (&Option<Counter>, &(CounterKey, Allowance))| {
                counter.as_ref().is_some_and(|counter| !counter.is_unopened() && counter.cap > to.cap)
            };
            if standing.iter().zip(&shards).any(is_lower) {
                let text = "a cap that is spread over shards can be raised or stopped within its period, not lowered";
                return Err(BadRequest::new("budgets", text).into());
            }
        }
        Ok(())
    }

    pub(super) async fn view(
        &self,
        name: &ScopeName,
        policy: &ScopePolicy,
        now: Timestamp,
    ) -> Result<BudgetView, GatewayError> {
        let scopes = counters(name, &policy.own, false);
        let capped: Vec<&Scope> =
            scopes.iter().filter(|scope| scope.allowance.cap != NanoUsd::UNLIMITED).collect();
        let mut standing = Vec::new();
        for scope in &capped {
            let shards = keys(scope, now);
            let reads = try_join_all(shards.iter().map(|(key, _)| self.registry.counter(key)));
            standing.push(sum(scope, reads.await.map_err(GatewayError::StoreDown)?, now));
        }
        let mut view = bare(name, policy);
        view.policy.budgets = capped
            .iter()
            .zip(&standing)
            .map(|(scope, counter)| period(scope, counter.as_ref(), now))
            .collect();
        Ok(view)
    }
}

/// Brings the counters to `next`, those of `before` as well: an instance that has not heard yet
/// still asks them.
pub(super) async fn apply(
    store: &dyn Counters,
    name: &ScopeName,
    (before, next): (&Policy, &Policy),
    now: Timestamp,
) -> Result<(), StoreError> {
    let must = name.kind == ScopeKind::Key;
    let mut scopes = counters(name, next, must);
    for mut left in counters(name, before, must) {
        if !scopes.iter().any(|scope| scope.period == left.period) {
            (left.allowance.state, left.allowance.bar) = next.barred();
            left.allowance.version = next.version;
            scopes.push(left);
        }
    }
    let ahead = now + AHEAD;
    let mut changes: Vec<(CounterKey, Allowance)> = Vec::new();
    for scope in &scopes {
        let mut next = Some(now);
        while let Some(at) = next.filter(|at| *at <= ahead) {
            changes.extend(keys(scope, at));
            next = scope.period.resets_at(at);
        }
    }
    try_join_all(changes.iter().map(|(key, to)| store.allow(key, to))).await.map(|_| ())
}

/// The counters of a scope in one period as one; none where nothing was spent.
fn sum(scope: &Scope, mut counters: Vec<Option<Counter>>, now: Timestamp) -> Option<Counter> {
    counters.iter().flatten().next()?;
    match u8::try_from(counters.len()) {
        Ok(1) | Err(_) => counters.pop().flatten(),
        Ok(count) => Some(whole(scope, &counters, count, now)),
    }
}

/// As it is wanted; of which version, what stands decides.
fn scope_policy(name: &ScopeName, mut fields: Fields) -> Result<ScopePolicy, GatewayError> {
    let version = Timestamp::default();
    let mut next = ScopePolicy { own: policy(&mut fields, version)?, ..ScopePolicy::default() };
    if name.kind == ScopeKind::Tenant {
        next.each_user = nested(&mut fields, "eachUser", version)?;
        next.each_session = nested(&mut fields, "eachSession", version)?;
    }
    fields.nothing_else()?;
    Ok(next)
}

fn scope_name(kind: &str, id: &str, tenant: Option<String>) -> Result<ScopeName, GatewayError> {
    let owner = tenant.clone().unwrap_or_else(|| "default".to_owned());
    let name = match ScopeKind::named(kind) {
        Some(ScopeKind::Key) => ScopeName::key(id),
        Some(ScopeKind::Tenant) => ScopeName::tenant(id),
        Some(ScopeKind::Team) => ScopeName::team(&owner, id),
        Some(ScopeKind::User) => ScopeName::user(&owner, id),
        Some(ScopeKind::Session | ScopeKind::Token) | None => {
            let text = "scope must be key, user, team or tenant; sessions have the tenant's eachSession";
            return Err(BadRequest::new("scope", text).into());
        }
    };
    match (tenant, &name.owner) {
        (Some(_), None) => Err(BadRequest::new("tenant", "tenant is for teams and users").into()),
        _ => Ok(name),
    }
}

pub(super) fn bare(name: &ScopeName, policy: &ScopePolicy) -> BudgetView {
    BudgetView {
        scope: name.kind,
        id: name.id.clone(),
        tenant: name.owner.clone(),
        policy: policy_view(&policy.own),
        each_user: policy.each_user.as_ref().map(policy_view),
        each_session: policy.each_session.as_ref().map(policy_view),
    }
}

pub(super) fn policy_view(policy: &Policy) -> PolicyView {
    let bare = |budget: &crate::domain::policy::Budget| PeriodView {
        period: budget.period,
        cap_usd: budget.cap,
        spent_usd: None,
        held_usd: None,
        resets_at: None,
    };
    PolicyView {
        budgets: policy.budgets.iter().map(bare).collect(),
        rpm: policy.limits.requests,
        tpm: policy.limits.tokens,
        concurrency: policy.limits.concurrency,
        state: policy.state,
        throttle: policy.throttle.as_ref().map(throttle_view),
        shards: policy.shards.count,
    }
}

fn throttle_view(throttle: &Throttle) -> ThrottleView {
    ThrottleView {
        state: throttle.state,
        rpm: (throttle.state == ScopeState::Throttled).then_some(throttle.pace),
        since: throttle.since.rfc3339(),
        until: throttle.until.rfc3339(),
    }
}

fn period(scope: &Scope, counter: Option<&Counter>, now: Timestamp) -> PeriodView {
    PeriodView {
        period: scope.period,
        cap_usd: scope.allowance.cap,
        spent_usd: counter.map(Counter::spent),
        held_usd: counter.map(Counter::held),
        resets_at: scope.period.resets_at(now).map(Timestamp::rfc3339),
    }
}
