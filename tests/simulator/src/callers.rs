//! Who asks, and what their spending is bounded by: keys and tokens, users, sessions, teams and
//! tenants, each perhaps in several periods or over several counters.

use std::time::Duration;

use shared::domain::counter::{RateLimits, ScopeKind};
use shared::domain::key::{KeyRecord, Pepper, PresentedKey, generate};
use shared::domain::money::NanoUsd;
use shared::domain::policy::{Budget, Policy, ScopeName, ScopePolicy, Shards};
use shared::domain::time::{Period, Timestamp};
use shared::domain::token::Claims;
use shared::memory::MemoryStore;
use shared::ports::{ManageKeys, ManagePolicies, Randomness};

use super::dice::Dice;

pub(crate) const PERIODS: [Period; 5] =
    [Period::Minute, Period::Hour, Period::Day, Period::Month, Period::Total];

/// Somebody with a key or a token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// What is sent as the key.
    pub presents: String,
    pub key_id: String,
    pub tenant: String,
    /// The user that they ask for, or that a token is made for.
    pub user: Option<String>,
    pub session: Option<String>,
    /// What each attempt must be held in.
    pub scopes: Vec<Scope>,
    /// The tightest limit of tokens a minute.
    pub tokens_a_minute: Option<i64>,
}

/// One scope, as its owner meant it.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub kind: ScopeKind,
    pub id: String,
    /// At first; an admin may change it.
    pub cap: NanoUsd,
    pub period: Period,
    /// What is counted on this period of it; no admin changes it.
    pub limits: RateLimits,
    pub rule: Rule,
}

/// Which policy bounds a scope.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    Own(ScopeName),
    /// What the tenant says of each of its users, or of each session.
    EachUser(ScopeName),
    EachSession(ScopeName),
    /// The token's own claims.
    Token,
}

pub(crate) fn pepper() -> Pepper {
    Pepper { version: 1, secret: b"a pepper for simulations".to_vec() }
}

/// What is set for a tenant and its one team.
struct Owner {
    tenant: String,
    of_tenant: ScopePolicy,
    of_team: Option<ScopePolicy>,
}

impl Owner {
    async fn draw(dice: &Dice, store: &MemoryStore, tenant: &str, base: Timestamp) -> Self {
        // What is set for a tenant is set at once, so all of it has one version.
        let nothing = Policy { version: base, ..Policy::default() };
        let of_tenant = ScopePolicy {
            own: if dice.chance(400) { policy(dice, base, true) } else { nothing },
            each_user: dice.chance(400).then(|| policy(dice, base, false)),
            each_session: dice.chance(300).then(|| policy(dice, base, false)),
        };
        let of_team = dice.chance(400).then(|| policy(dice, base, true));
        let of_team = of_team.map(|own| ScopePolicy { own, ..ScopePolicy::default() });
        store.put_policy(&ScopeName::tenant(tenant), &of_tenant, None).await.expect("put");
        if let Some(policy) = &of_team {
            store.put_policy(&ScopeName::team(tenant, TEAM), policy, None).await.expect("put");
        }
        Owner { tenant: tenant.to_owned(), of_tenant, of_team }
    }
}

const TEAM: &str = "search";

/// One to four keys, some with tokens, users or sessions beside them.
pub(crate) async fn draw(dice: &Dice, store: &MemoryStore, base: Timestamp) -> Vec<Caller> {
    let owners =
        [Owner::draw(dice, store, "acme", base).await, Owner::draw(dice, store, "globex", base).await];
    let mut callers = Vec::new();
    for number in 0..=dice.index(4) {
        let owner = &owners[dice.index(owners.len())];
        let (record, presents) = key(dice, number, &owner.tenant, base);
        ManageKeys::create(store, &record).await.expect("a new key");
        let caller = Caller {
            presents,
            key_id: record.id.clone(),
            tenant: owner.tenant.clone(),
            user: None,
            session: None,
            scopes: scopes(
                &ScopeName::key(&record.id),
                &record.policy,
                &Rule::Own(ScopeName::key(&record.id)),
            ),
            tokens_a_minute: record.policy.limits.tokens,
        };
        let bare = caller.clone().within(owner, record.team.is_some());
        let tokens = if dice.chance(400) { dice.index(3) } else { 0 };
        for token in 0..tokens {
            let holder = with_token(dice, &caller, &format!("user-{number}-{token}"), base);
            callers.push(holder.within(owner, record.team.is_some()));
        }
        if dice.chance(500) {
            let user = dice.chance(700).then(|| dice.pick(&["ann", "bob"]).to_owned());
            let session = dice.chance(500).then(|| dice.pick(&["loop", "chat"]).to_owned());
            let on_behalf = Caller { user, session, ..caller };
            callers.push(on_behalf.within(owner, record.team.is_some()));
        }
        callers.push(bare);
    }
    callers
}

impl Caller {
    /// The same, in all scopes that hold for them.
    fn within(self, owner: &Owner, in_team: bool) -> Self {
        let ScopePolicy { own, each_user, each_session } = &owner.of_tenant;
        let of_tenant = ScopeName::tenant(&self.tenant);
        let team = in_team.then(|| ScopeName::team(&self.tenant, TEAM));
        let named = [
            self.session.as_ref().zip(each_session.as_ref()).map(|(id, policy)| {
                (ScopeName::session(&self.key_id, id), policy, Rule::EachSession(of_tenant.clone()))
            }),
            self.user.as_ref().zip(each_user.as_ref()).map(|(id, policy)| {
                (ScopeName::user(&self.tenant, id), policy, Rule::EachUser(of_tenant.clone()))
            }),
            team.zip(owner.of_team.as_ref())
                .map(|(team, policy)| (team.clone(), &policy.own, Rule::Own(team))),
            Some((of_tenant.clone(), own, Rule::Own(of_tenant.clone()))),
        ];
        let mut caller = self;
        for (name, policy, rule) in named.into_iter().flatten() {
            caller.scopes.extend(scopes(&name, policy, &rule));
            let limits = [caller.tokens_a_minute, policy.limits.tokens];
            caller.tokens_a_minute = limits.into_iter().flatten().min();
        }
        caller
    }
}

fn key(dice: &Dice, number: usize, tenant: &str, base: Timestamp) -> (KeyRecord, String) {
    let mut random = [0_u8; 52];
    dice.fill(&mut random);
    let (id, whole) = generate(&random);
    let digest = PresentedKey::parse(&whole).expect("a generated key").digest(&pepper());
    let record = KeyRecord {
        id,
        digest,
        pepper_version: 1,
        name: format!("key {number}"),
        tenant: tenant.to_owned(),
        team: dice.chance(400).then(|| TEAM.to_owned()),
        policy: policy(dice, base, true),
        models: None,
        created_at: base,
        revoked_at: None,
    };
    (record, whole)
}

fn policy(dice: &Dice, base: Timestamp, may_shard: bool) -> Policy {
    let limit =
        |per_mille, most| dice.chance(per_mille).then(|| i64::try_from(dice.within(1..=most)).unwrap_or(1));
    let mut budgets: Vec<Budget> = Vec::new();
    for _ in 0..dice.pick(&[0, 1, 1, 1, 1, 1, 1, 2]) {
        let period = dice.pick(&PERIODS);
        if budgets.iter().all(|budget| budget.period != period) {
            budgets.push(Budget { cap: cap(dice), period });
        }
    }
    let shards = if may_shard && dice.chance(250) { dice.pick(&[2, 3, 7]) } else { 1 };
    // Each shard must have a share of every limit.
    let shared = |limit: Option<i64>| limit.map(|limit| limit.max(i64::from(shards)));
    Policy {
        budgets,
        limits: RateLimits {
            requests: shared(limit(120, 40)),
            tokens: shared(limit(120, 20_000)),
            concurrency: shared(limit(80, 8)),
        },
        shards: Shards { count: shards, ..Shards::default() },
        version: base,
        ..Policy::default()
    }
}

/// The counters that a policy asks for. Rates, and holds of a key, need one of a month at least.
fn scopes(name: &ScopeName, policy: &Policy, rule: &Rule) -> Vec<Scope> {
    let must = name.kind == ScopeKind::Key;
    let limits = RateLimits::default();
    let scope = |cap, period| Scope {
        kind: name.kind,
        id: name.qualified(),
        cap,
        period,
        limits,
        rule: rule.clone(),
    };
    let mut scopes: Vec<Scope> =
        policy.budgets.iter().map(|budget| scope(budget.cap, budget.period)).collect();
    let is_long = scopes.iter().any(|scope| scope.period >= Period::Month);
    if !is_long && (must || policy.limits != RateLimits::default()) {
        scopes.push(scope(NanoUsd::UNLIMITED, Period::Month));
    }
    if let Some(longest) = scopes.iter_mut().max_by_key(|scope| scope.period) {
        longest.limits = policy.limits;
    }
    scopes
}

/// From less than one request to many.
fn cap(dice: &Dice) -> NanoUsd {
    NanoUsd::from_nano(i64::try_from(dice.magnitude(100_000, 4_000_000_000)).unwrap_or(i64::MAX))
}

/// The same caller through a browser-safe token.
fn with_token(dice: &Dice, caller: &Caller, user: &str, base: Timestamp) -> Caller {
    let claims = Claims {
        id: format!("token-of-{user}"),
        key_id: caller.key_id.clone(),
        pepper_version: 1,
        user: user.to_owned(),
        // Longer than any world lasts.
        expires: base + Duration::from_secs(24 * 3_600),
        models: None,
        budget: dice.chance(800).then(|| cap(dice)),
        requests: dice.chance(150).then(|| i64::try_from(dice.within(1..=20)).unwrap_or(1)),
    };
    let bounds = claims.budget.is_some() || claims.requests.is_some();
    let scope = bounds.then(|| Scope {
        kind: ScopeKind::Token,
        id: claims.id.clone(),
        cap: claims.budget.unwrap_or(NanoUsd::UNLIMITED),
        period: if claims.budget.is_some() { Period::Total } else { Period::Month },
        limits: RateLimits { requests: claims.requests, ..RateLimits::default() },
        rule: Rule::Token,
    });
    Caller {
        presents: claims.sign(&pepper()),
        user: Some(user.to_owned()),
        scopes: caller.scopes.iter().cloned().chain(scope).collect(),
        ..caller.clone()
    }
}
