//! What admins mean their budgets to be, while they change them.
//!
//! A cap bounds what is admitted: whoever is admitted to a counter finds, with all that was billed
//! and is held there, no more than the cap of a policy that an admin did set and that no later one
//! has replaced. So a cap that is lowered below what was spent takes nothing back, and nothing is
//! admitted until there is room again; and the bill of a period stays within the cap that its last
//! admission saw. A change holds for a counter once it was acknowledged, if the counter's period was
//! that of the admin's clock, or the one that follows within the minute. Of two changes that are
//! under way at once the later version holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::time::Duration;

use shared::domain::counter::{Allowance, Counter, CounterKey, ScopeKind, ScopeState};
use shared::domain::money::NanoUsd;
use shared::domain::policy::{Policy, ScopeName, ScopePolicy};
use shared::domain::time::Timestamp;
use shared::memory::MemoryStore;
use shared::ports::{FindKey, FindPolicy, ListKeys, ManagePolicies};

use super::callers::{PERIODS, Rule, Scope};
use super::world::lock;

/// How far an admin changes the counters of periods to come.
const AHEAD: Duration = Duration::from_secs(60);

/// One policy that was set, and for which of its counters it has been acknowledged.
#[derive(Clone, Debug)]
struct Setting {
    policy: ScopePolicy,
    holds_for: Acknowledged,
}

#[derive(Clone, Debug)]
enum Acknowledged {
    Never,
    For(BTreeSet<CounterKey>),
    /// It was there before anything happened.
    Always,
}

/// The policies of every scope, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Meant(Mutex<BTreeMap<ScopeName, Vec<Setting>>>);

impl Meant {
    /// What stands before anything happens.
    pub(crate) async fn read(store: &MemoryStore) -> Self {
        let policies = store.list_policies().await.expect("listed").into_iter();
        let keys = store.list().await.expect("listed").into_iter();
        let of_keys = keys.map(|key| {
            let policy = ScopePolicy { own: key.policy, ..ScopePolicy::default() };
            (ScopeName::key(&key.id), policy)
        });
        let first = |policy| vec![Setting { policy, holds_for: Acknowledged::Always }];
        Meant(Mutex::new(policies.chain(of_keys).map(|(name, policy)| (name, first(policy))).collect()))
    }

    /// A change is sent.
    pub(crate) fn send(&self, name: &ScopeName, policy: &ScopePolicy) {
        let setting = Setting { policy: policy.clone(), holds_for: Acknowledged::Never };
        lock(&self.0).entry(name.clone()).or_default().push(setting);
    }

    /// The change of `version` is acknowledged; by its admin's clock it was made `within` two times.
    pub(crate) fn acknowledge(
        &self,
        name: &ScopeName,
        version: Timestamp,
        within: RangeInclusive<Timestamp>,
    ) {
        let counter = |period, at| CounterKey::new(name.kind, &name.qualified(), period, at);
        let (begun, ended) = within.into_inner();
        let times = [(begun, ended), (begun + AHEAD, ended + AHEAD)];
        let both = PERIODS
            .into_iter()
            .flat_map(|period| times.map(|(a, b)| (counter(period, a), counter(period, b))));
        // A period that ended in between may or may not have been the one that was changed.
        let counters = both.filter(|(first, last)| first == last).map(|(counter, _)| counter).collect();
        let mut settings = lock(&self.0);
        let mut of_scope = settings.get_mut(name).into_iter().flatten();
        if let Some(setting) = of_scope.find(|setting| setting.policy.own.version == version) {
            setting.holds_for = Acknowledged::For(counters);
        }
    }

    /// The policy that was sent last.
    pub(crate) fn latest(&self, name: &ScopeName) -> Option<ScopePolicy> {
        lock(&self.0).get(name)?.last().map(|setting| setting.policy.clone())
    }

    /// What a counter of `scope` may follow at this moment.
    pub(crate) fn allowed(&self, scope: &Scope, key: &CounterKey) -> Vec<Allowance> {
        let of_scope = CounterKey { shard: None, ..key.clone() };
        let settings = lock(&self.0);
        let sent = scope.rule.name().and_then(|name| settings.get(name));
        let Some(sent) = sent else { return vec![scope.fixed()] };
        let holds = |setting: &&Setting| match &setting.holds_for {
            Acknowledged::Never => false,
            // What holds for the members of a tenant is written to no counter.
            Acknowledged::For(counters) => counters.contains(&of_scope),
            Acknowledged::Always => true,
        };
        let least = sent.iter().filter(holds).map(|setting| setting.policy.own.version).max();
        let later = sent.iter().filter(|setting| Some(setting.policy.own.version) >= least);
        later.filter_map(|setting| Some(allowance(scope, scope.rule.of(&setting.policy)?))).collect()
    }

    /// Whether the counter, as a reserve left it, follows one of the policies that it may follow.
    pub(crate) fn is_obeyed(&self, scope: &Scope, key: &CounterKey, counter: &Counter) -> bool {
        self.allowed(scope, key).iter().any(|allowed| {
            let is_its = allowed.version == counter.version && admits(allowed, counter);
            is_its && (key.shard.is_some() || allowed.cap == counter.cap)
        })
    }

    /// The greatest cap that was ever sent for `scope`.
    pub(crate) fn greatest(&self, scope: &Scope) -> NanoUsd {
        let settings = lock(&self.0);
        let sent = scope.rule.name().and_then(|name| settings.get(name)).into_iter().flatten();
        let policies = sent.filter_map(|setting| scope.rule.of(&setting.policy));
        policies.map(|policy| allowance(scope, policy).cap).max().unwrap_or(scope.cap)
    }
}

/// Whether a counter that has just admitted a request was let by its state. A shard's pace is a part of the
/// scope's.
fn admits(allowed: &Allowance, counter: &Counter) -> bool {
    match allowed.state {
        ScopeState::Active => true,
        ScopeState::Throttled => counter.requests <= allowed.bar.pace,
        ScopeState::Stopped => false,
    }
}

fn allowance(scope: &Scope, policy: &Policy) -> Allowance {
    let budget = policy.budgets.iter().find(|budget| budget.period == scope.period);
    let cap = budget.map_or(NanoUsd::UNLIMITED, |budget| budget.cap);
    let (state, bar) = policy.barred();
    Allowance { cap, state, bar, version: policy.version }
}

impl Rule {
    fn name(&self) -> Option<&ScopeName> {
        match self {
            Rule::Own(name) | Rule::EachUser(name) | Rule::EachSession(name) => Some(name),
            Rule::Token => None,
        }
    }

    fn of<'a>(&self, policy: &'a ScopePolicy) -> Option<&'a Policy> {
        match self {
            Rule::Own(_) => Some(&policy.own),
            Rule::EachUser(_) => policy.each_user.as_ref(),
            Rule::EachSession(_) => policy.each_session.as_ref(),
            Rule::Token => None,
        }
    }
}

impl Scope {
    /// What holds for it, as the store has it.
    pub(crate) async fn stands(&self, store: &MemoryStore) -> Allowance {
        let found = match self.rule.name() {
            Some(name) if name.kind == ScopeKind::Key => store.find(&name.id).await.map(|record| {
                record.map(|record| ScopePolicy { own: record.policy, ..ScopePolicy::default() })
            }),
            Some(name) => store.find_policy(name).await,
            None => Ok(None),
        };
        let policy = found.expect("readable");
        let policy = policy.as_ref().and_then(|policy| self.rule.of(policy));
        policy.map_or_else(|| self.fixed(), |policy| allowance(self, policy))
    }

    /// What a token says holds as long as it lives.
    fn fixed(&self) -> Allowance {
        Allowance { cap: self.cap, ..Allowance::default() }
    }
}
