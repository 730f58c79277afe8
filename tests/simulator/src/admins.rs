//! Admins: they raise and lower caps, stop scopes and let them go on, and spread them over more or
//! fewer counters, while requests come in.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use shared::app::administer::Admin;
use shared::app::change::Registry;
use shared::app::error::GatewayError;
use shared::domain::counter::{RateLimits, ScopeKind, ScopeState};
use shared::domain::money::NanoUsd;
use shared::domain::policy::{Policy, ScopeName, ScopePolicy};
use shared::domain::time::Period;
use tokio::time::sleep;

use super::callers::{Rule, pepper};
use super::desk::Desk;
use super::dice::Dice;
use super::wire::Wire;
use super::world::World;

/// Changes of one world, at most.
const CHANGES_MAX: usize = 8;
/// How often an admin sets what did not get through.
const TRIES: usize = 3;
/// The stream of dice that no request draws from.
const STREAM: u64 = 1 << 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Raise,
    Lower,
    Stop,
    Throttle,
    Activate,
    Reshard,
}

/// Lets changes begin by and by, in half of the worlds.
pub(crate) fn start(world: &Arc<World>) {
    let dice = Dice::new(world.plan.seed, STREAM);
    let names = names(world);
    if !dice.chance(500) || names.is_empty() {
        return;
    }
    let rush = u64::try_from(world.plan.rush.as_millis()).unwrap_or(u64::MAX);
    for _ in 0..=dice.index(CHANGES_MAX) {
        let (after, name) = (dice.millis(0..=rush + 1_000), names[dice.index(names.len())].clone());
        let (world, dice) = (Arc::clone(world), dice.clone());
        tokio::spawn(async move {
            sleep(after).await;
            change(&world, &name, &dice).await;
        });
    }
}

/// The scopes of the callers that an admin can name.
fn names(world: &World) -> Vec<ScopeName> {
    let scopes = world.callers.iter().flat_map(|caller| &caller.scopes);
    let named = scopes.filter_map(|scope| match &scope.rule {
        Rule::Own(name) | Rule::EachUser(name) | Rule::EachSession(name) => Some(name.clone()),
        Rule::Token => None,
    });
    let mut names: Vec<ScopeName> = named.collect();
    names.sort();
    names.dedup();
    names
}

/// One change, by a process of its own; what does not get through is set again.
async fn change(world: &Arc<World>, name: &ScopeName, dice: &Dice) {
    let Some(standing) = world.meant.latest(name) else { return };
    let next = drawn(&standing, name, dice);
    for _ in 0..TRIES {
        let process = world.process();
        let wire = Wire { world: Arc::clone(world), process: Arc::clone(&process) };
        let desk = Arc::new(Desk::new(wire.clone()));
        let (begun, memory) = (desk.now(), &world.stores.memory);
        let admin = Admin {
            registry: Registry::new(
                desk.clone(),
                desk.clone(),
                Arc::new(wire),
                memory.clone(),
                memory.clone(),
            ),
            clock: Arc::new(world.clock.skewed(process.skew)),
            pepper: pepper(),
            admin_key: String::new(),
        };
        let (who, kind) = (admin.who(None, None), name.kind.to_string());
        let set = tokio::select! {
            biased;
            () = process.died() => return,
            set = admin.set_budget(&who, &kind, &name.id, body(name, &next)) => set,
        };
        world.tell(|| format!("{name} was set: {:?}", set.as_ref().map(|view| &view.policy)));
        match set {
            Ok(_) => {
                world.tally().changed += 1;
                world.meant.acknowledge(name, desk.sent(), begun..=desk.now());
                return;
            }
            Err(GatewayError::StoreDown(_)) => sleep(dice.millis(0..=2_000)).await,
            Err(refused) => {
                let is_known = matches!(&refused, GatewayError::BadRequest(_));
                world.books.holds_that(is_known, "admission", || format!("{name} is not set: {refused:?}"));
                world.tally().unchanged += 1;
                return;
            }
        }
    }
    world.tally().unchanged += 1;
}

fn drawn(standing: &ScopePolicy, name: &ScopeName, dice: &Dice) -> ScopePolicy {
    use Change::{Activate, Lower, Raise, Reshard, Stop, Throttle};
    let change = dice.pick(&[Raise, Raise, Lower, Lower, Stop, Throttle, Activate, Activate, Reshard]);
    let mut next = standing.clone();
    let nested = [&mut next.each_user, &mut next.each_session].into_iter().flatten();
    for policy in nested.filter(|_| dice.chance(500)) {
        apply(policy, change, dice, false);
    }
    let is_spread = name.kind != ScopeKind::User;
    apply(&mut next.own, change, dice, is_spread);
    next
}

fn apply(policy: &mut Policy, change: Change, dice: &Dice, may_shard: bool) {
    let factor = i64::from(dice.pick(&[2_u8, 3, 20]));
    let caps = policy.budgets.iter_mut().map(|budget| &mut budget.cap);
    match change {
        Change::Raise => caps.for_each(|cap| *cap = NanoUsd::from_nano(cap.nano().saturating_mul(factor))),
        Change::Lower => caps.for_each(|cap| *cap = NanoUsd::from_nano(cap.nano() / factor)),
        Change::Stop if keeps_its_counters(policy) => policy.state = ScopeState::Stopped,
        Change::Throttle if keeps_its_counters(policy) => policy.state = ScopeState::Throttled,
        Change::Activate => policy.state = ScopeState::Active,
        Change::Reshard if may_shard => policy.shards.count = dice.pick(&[1, 2, 5]),
        Change::Stop | Change::Throttle | Change::Reshard => {}
    }
}

/// A stop gives a scope a counter of a month that has none as long; the callers' scopes are drawn
/// once, so only what has one is stopped.
fn keeps_its_counters(policy: &Policy) -> bool {
    policy.limits != RateLimits::default()
        || policy.budgets.iter().any(|budget| budget.period >= Period::Month)
}

/// As an admin writes it.
fn body(name: &ScopeName, policy: &ScopePolicy) -> Map<String, Value> {
    let mut body = of_policy(&policy.own);
    body.extend(name.owner.iter().map(|owner| ("tenant".to_owned(), json!(owner))));
    let nested = [("eachUser", &policy.each_user), ("eachSession", &policy.each_session)];
    let nested = nested.into_iter().filter_map(|(field, policy)| Some((field, policy.as_ref()?)));
    body.extend(nested.map(|(field, policy)| (field.to_owned(), Value::Object(of_policy(policy)))));
    body
}

fn of_policy(policy: &Policy) -> Map<String, Value> {
    let budget =
        |budget: &shared::domain::policy::Budget| json!({ "capUsd": budget.cap, "period": budget.period });
    let RateLimits { requests, tokens, concurrency } = policy.limits;
    let fields = [
        ("budgets", json!(policy.budgets.iter().map(budget).collect::<Vec<_>>())),
        ("rpm", json!(requests)),
        ("tpm", json!(tokens)),
        ("concurrency", json!(concurrency)),
        ("state", json!(policy.state)),
        ("shards", json!(policy.shards.count)),
    ];
    let given = fields.into_iter().filter(|(_, value)| !value.is_null());
    given.map(|(field, value)| (field.to_owned(), value)).collect()
}
