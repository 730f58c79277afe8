//! Who asks, and what their spending is bounded by. A further kind of scope comes in by one more
//! entry in [`Caller::scopes`], drawn beside the key's.

use std::time::Duration;

use shared::domain::counter::{RateLimits, ScopeKind};
use shared::domain::key::{KeyBudget, KeyRecord, Pepper, PresentedKey, generate};
use shared::domain::money::NanoUsd;
use shared::domain::time::{Period, Timestamp};
use shared::domain::token::Claims;
use shared::memory::MemoryStore;
use shared::ports::{ManageKeys, Randomness};

use super::dice::Dice;

/// Somebody with a key or a token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// What is sent as the key.
    pub presents: String,
    pub key_id: String,
    pub tenant: String,
    /// The user that a token is made for.
    pub user: Option<String>,
    pub has_budget: bool,
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
    pub cap: NanoUsd,
    pub period: Period,
}

pub(crate) fn pepper() -> Pepper {
    Pepper { version: 1, secret: b"a pepper for simulations".to_vec() }
}

/// One to four keys, some with tokens beside them.
pub(crate) async fn draw(dice: &Dice, store: &MemoryStore, base: Timestamp) -> Vec<Caller> {
    let mut callers = Vec::new();
    for number in 0..=dice.index(4) {
        let tenant = dice.pick(&["acme", "globex"]);
        let (record, presents) = key(dice, number, tenant, base);
        ManageKeys::create(store, &record).await.expect("a new key");
        let scope = key_scope(&record);
        let caller = Caller {
            presents,
            key_id: record.id.clone(),
            tenant: tenant.to_owned(),
            user: None,
            has_budget: record.budget.is_some(),
            scopes: vec![scope],
            tokens_a_minute: record.limits.tokens,
        };
        let tokens = if dice.chance(400) { dice.index(3) } else { 0 };
        for token in 0..tokens {
            callers.push(with_token(dice, &caller, &format!("user-{number}-{token}"), base));
        }
        callers.push(caller);
    }
    callers
}

fn key(dice: &Dice, number: usize, tenant: &str, base: Timestamp) -> (KeyRecord, String) {
    let mut random = [0_u8; 52];
    dice.fill(&mut random);
    let (id, whole) = generate(&random);
    let digest = PresentedKey::parse(&whole).expect("a generated key").digest(&pepper());
    let period = dice.pick(&[Period::Minute, Period::Hour, Period::Day, Period::Month, Period::Total]);
    let limit = |most| dice.chance(150).then(|| i64::try_from(dice.within(1..=most)).unwrap_or(i64::MAX));
    let record = KeyRecord {
        id,
        digest,
        pepper_version: 1,
        name: format!("key {number}"),
        tenant: tenant.to_owned(),
        team: None,
        budget: dice.chance(900).then(|| KeyBudget { cap: cap(dice), period }),
        limits: RateLimits { requests: limit(40), tokens: limit(20_000) },
        models: None,
        created_at: base,
        revoked_at: None,
    };
    (record, whole)
}

/// From less than one request to many.
fn cap(dice: &Dice) -> NanoUsd {
    NanoUsd::from_nano(i64::try_from(dice.magnitude(100_000, 4_000_000_000)).unwrap_or(i64::MAX))
}

/// A key without a budget is held for against a cap nobody reaches.
fn key_scope(record: &KeyRecord) -> Scope {
    let (cap, period) =
        record.budget.map_or((NanoUsd::UNLIMITED, Period::Month), |budget| (budget.cap, budget.period));
    Scope { kind: ScopeKind::Key, id: record.id.clone(), cap, period }
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
        period: Period::Total,
    });
    Caller {
        presents: claims.sign(&pepper()),
        user: Some(user.to_owned()),
        has_budget: caller.has_budget || claims.budget.is_some(),
        scopes: caller.scopes.iter().cloned().chain(scope).collect(),
        ..caller.clone()
    }
}
