//! What must be true once everything has landed and everybody is still.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shared::app::meter::{Question, Sources, usage};
use shared::app::report::Grouping;
use shared::app::settle::settle;
use shared::domain::bound::bound;
use shared::domain::counter::{CounterKey, ScopeState};
use shared::domain::id::AttemptId;
use shared::domain::ledger::{LedgerLine, Outcome, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::time::Timestamp;
use shared::protocol::size::measure;
use tokio::time::sleep;

use super::books::{Bill, name};
use super::callers::Scope;
use super::client::{self, End};
use super::requests::{Ask, Body};
use super::sweepers;
use super::wire::Wire;
use super::world::{World, lock};

/// Longer than the longest way of a message: a request of fifteen minutes, its settlement half an
/// hour late in the queue, five deliveries, a write that is half an hour late; the same again for
/// the invoice.
pub(crate) const EVERYTHING_LANDS: Duration = Duration::from_secs(4 * 3_600);
/// Longer than a rate window and what a reader of the queue takes.
const A_WHILE: Duration = Duration::from_secs(250);

/// Judges a calm world.
pub(crate) async fn judge(world: &Arc<World>) {
    redrive(world).await;
    if world.plan.faults.are_outside() && world.tally().crashes == 0 {
        // Where nothing failed, there is nothing to sweep.
        check_holds(world);
    }
    for _ in 0..2 {
        sweepers::pass(world, Duration::ZERO).await;
    }
    check_holds(world);
    check_attempts(world);
    check_work(world);
    check_reports(world).await;
    probe(world).await;
    sleep(A_WHILE).await;
    check_attempts(world);
}

/// The dead letters are sent in again, and none fails.
async fn redrive(world: &Arc<World>) {
    let dead = std::mem::take(&mut *lock(&world.dead_letters));
    let wire = Wire { world: Arc::clone(world), process: world.process() };
    for line in dead {
        let settled = settle(&wire, &wire, &line).await;
        world.books.holds_that(settled.is_ok(), "exactly once", || format!("{} stays dead", line.id));
    }
}

/// No leak: once deadlines are over and two sweeps have passed, nothing is held.
fn check_holds(world: &World) {
    for (key, counter) in world.stores.memory.counters() {
        world.books.holds_that(counter.live.is_empty(), "no leak", || {
            let ids: Vec<String> = counter.live.keys().map(AttemptId::to_string).collect();
            format!("{} still holds {ids:?}", name(&key))
        });
    }
}

/// Each attempt that was billed has its one line, and nothing else is charged.
fn check_attempts(world: &World) {
    let lines: BTreeMap<AttemptId, LedgerLine> =
        world.stores.memory.lines().into_iter().map(|line| (line.id, line)).collect();
    let bills: BTreeMap<AttemptId, Bill> =
        world.books.bills().into_iter().map(|bill| (bill.id, bill)).collect();
    for (id, bill) in &bills {
        match lines.get(id) {
            Some(line) => check_line(world, bill, line),
            None => world
                .books
                .violated("exactly once", || format!("{id} was billed {} and has no line", bill.amount)),
        }
    }
    for line in lines.values().filter(|line| !bills.contains_key(&line.id)) {
        // What was held and never sent is charged only where nobody could say so: whoever held it was
        // killed, or neither the store nor the queue took its line of zero.
        let is_unknown = world.tally().crashes > 0 || world.unsent.load(Ordering::Relaxed) > 0;
        let is_free = line.amount == NanoUsd::ZERO || (is_unknown && line.quality == Quality::Estimated);
        world.books.holds_that(is_free, "exactly once", || {
            format!("{} charges {} and has no bill", line.id, line.amount)
        });
        let is_hit = line.outcome != Outcome::CacheHit || line.items.is_empty();
        world.books.holds_that(is_hit, "isolation", || format!("the cache hit {} was held for", line.id));
    }
}

/// Attempt completeness: the line is what its own attempt cost, at the price it names.
fn check_line(world: &World, bill: &Bill, line: &LedgerLine) {
    let is_its = (line.request, &line.price, &line.items) == (bill.request, &bill.price.id, &bill.items);
    let is_enough = match line.quality {
        Quality::Exact => line.amount == bill.amount && line.usage.total() == bill.usage.total(),
        Quality::Estimated => line.amount >= bill.amount,
    };
    let is_right = is_its && (is_enough || world.plan.overruns);
    world.books.holds_that(is_right, "attempt completeness", || {
        let Bill { id, amount, usage, held, .. } = bill;
        format!(
            "{id} was billed {amount} for {usage:?}, {held} was held; its line says {} for {:?}, {:?}, {:?}",
            line.amount, line.usage, line.quality, line.outcome
        )
    });
}

/// An idempotency key stands for one answer. Clocks that are off may end a lease too early, and
/// where its conclusion is lost, a lease ends with nothing known; then the work may be done again.
fn check_work(world: &World) {
    if !world.plan.faults.are_outside() || world.plan.skew > 0 {
        return;
    }
    let completed: BTreeSet<AttemptId> = world
        .stores
        .memory
        .lines()
        .iter()
        .filter(|line| line.outcome == Outcome::Completed)
        .map(|line| line.request)
        .collect();
    for requests in world.books.working() {
        let answered: Vec<_> = requests.intersection(&completed).collect();
        world.books.holds_that(answered.len() <= 1, "exactly once", || {
            let ids: Vec<String> = answered.iter().map(|id| id.to_string()).collect();
            format!("one idempotency key, several answers paid for: {ids:?}")
        });
    }
}

/// What a key is told it has used is the fold of its lines.
async fn check_reports(world: &World) {
    let lines = world.stores.memory.lines();
    for caller in &world.callers {
        let own = || lines.iter().filter(|line| line.key_id == caller.key_id);
        let (cost, requests) = (
            own().map(|line| line.amount.nano()).sum::<i64>(),
            // What was never sent is no request that anybody made use of.
            own()
                .filter(|line| line.outcome != Outcome::Abandoned)
                .map(|line| line.request)
                .collect::<BTreeSet<_>>()
                .len() as u64,
        );
        let question = Question {
            keys: vec![caller.key_id.clone()],
            since: Timestamp::default(),
            until: None,
            grouping: Grouping::default(),
        };
        let store = world.stores.memory.as_ref();
        let report = usage(&Sources { ledger: store, rollups: store }, &question, world.now()).await;
        let total = report.map(|report| (report.total.cost_usd.nano(), report.total.requests));
        world.books.holds_that(total == Ok((cost, requests)), "pipeline", || {
            format!("{} is told {total:?}, its lines say {cost} in {requests}", caller.key_id)
        });
    }
}

/// Liveness: whoever can afford the least request is served.
async fn probe(world: &Arc<World>) {
    for caller in 0..world.callers.len() {
        sleep(A_WHILE).await;
        let ask = Ask::least(caller, &world.callers);
        if !affords(world, &ask).await {
            continue;
        }
        let end = client::ask(world, ask).await;
        world.tally().probes += u64::from(end == End::Served);
        world.books.holds_that(end == End::Served, "no leak", || {
            format!("{:?} could afford a request that ended {end:?}", world.callers[caller])
        });
    }
}

async fn affords(world: &World, ask: &Ask) -> bool {
    let caller = &world.callers[ask.caller];
    let Body::Chat(inbound) = &ask.body else { return false };
    let model = inbound.model.as_deref().unwrap_or_default().parse().expect("a model's name");
    let price = world.tariff.book().price(&model, world.now()).expect("it has a price");
    let limit = world.plan.config.billing.hard_limit_per_request_nano.map(NanoUsd::from_nano);
    let Ok(bound) = bound(&price, &measure(&inbound.request), limit) else { return false };
    let tokens = i64::try_from(bound.tokens).unwrap_or(i64::MAX);
    if caller.tokens_a_minute.is_some_and(|limit| tokens > limit) {
        return false;
    }
    for scope in &caller.scopes {
        let stands = scope.stands(&world.stores.memory).await;
        let room = stands.cap.nano().saturating_sub(spent(world, scope));
        if stands.state != ScopeState::Active || bound.amount.nano() > room {
            return false;
        }
    }
    true
}

/// Over all counters of the present period.
fn spent(world: &World, scope: &Scope) -> i64 {
    let key = CounterKey::new(scope.kind, &scope.id, scope.period, world.now());
    world.stores.memory.with_books(|counters, _| {
        let of_scope = counters.iter().filter(|(counter, _)| counter.shares_scope(&key));
        let opened = of_scope.filter(|(_, counter)| !counter.is_unopened());
        opened.map(|(_, counter)| counter.spent().nano()).sum()
    })
}

/// Stands for everything that the stores hold.
pub(crate) fn fingerprint(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.stores.memory.with_books(|counters, lines| {
        for (key, counter) in counters.iter() {
            (key, counter.remaining, counter.requests, counter.tokens, counter.live.len()).hash(&mut hasher);
        }
        for line in lines.values() {
            (line.id, line.amount, line.at, line.usage.total(), &line.price).hash(&mut hasher);
        }
    });
    hasher.finish()
}
