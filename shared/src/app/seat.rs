//! Where a request takes its places: one counter of each scope, or several of a sharded one.

use futures_util::future::try_join_all;

use super::App;
use super::error::GatewayError;
use super::random;
use super::refusal::{next_form, why_refused};
use super::scope::Scope;
use super::sweep::{self, Stale};
use crate::domain::counter::{
    self, Allowance, Counter, CounterKey, Hold, HoldFacts, Part, Reserve, WindowForm,
};
use crate::domain::id::AttemptId;
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;

/// What a hold takes and what an estimated line would need to know.
#[derive(Clone, Debug)]
pub(super) struct Money {
    pub amount: NanoUsd,
    pub tokens: i64,
    pub facts: HoldFacts,
    pub expires: Timestamp,
}

/// One counter that is asked, and what is known of its rate window.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    /// The scope, or the share of it that this shard has.
    pub scope: Scope,
    pub part: Part,
    pub minute: i64,
    pub form: WindowForm,
}

/// Why a scope has no room, and what stands in the way though nobody settled it in time.
pub(super) struct Full {
    pub error: GatewayError,
    pub stale: Vec<Stale>,
}

impl From<GatewayError> for Full {
    fn from(error: GatewayError) -> Self {
        Full { error, stale: Vec::new() }
    }
}

impl Seat {
    /// The first counter to ask for `amount`: of several, any.
    pub(super) fn first(scope: &Scope, amount: NanoUsd, now: Timestamp) -> Self {
        let scope = match scope.shards.in_period(scope.period, now) {
            1 => scope.clone(),
            count => {
                let at = u8::try_from(random::below(u64::from(count))).unwrap_or(0);
                scope.shard(at, count)
            }
        };
        let part = Part { counter: scope.counter(now), amount };
        Seat { scope, part, minute: now.minute(), form: WindowForm::Same }
    }

    pub(super) fn is_sharded(&self) -> bool {
        self.part.counter.shard.is_some()
    }

    /// The write that takes this seat, in a hold of all `items`.
    pub(super) fn write(&self, id: AttemptId, items: &[Part], money: Option<&Money>) -> Reserve {
        let tokens = money.map_or(0, |money| money.tokens);
        let hold = money.map(|money| Hold {
            amount: self.part.amount,
            tokens,
            window: self.minute,
            items: items.to_vec(),
            expires: money.expires,
            facts: money.facts.clone(),
        });
        Reserve {
            key: self.part.counter.clone(),
            id,
            hold,
            allowance: self.scope.allowance,
            limits: self.scope.limits,
            window: self.minute,
            tokens,
            form: self.form,
        }
    }

    /// Counter and request follow the same policy, the later of their two, before anything is
    /// repeated.
    pub(super) async fn follow(&mut self, app: &App, old: Option<&Counter>) -> Result<(), GatewayError> {
        let allowance: &mut Allowance = &mut self.scope.allowance;
        match old.filter(|counter| !counter.is_unopened()) {
            Some(old) if old.version < allowance.version => {
                app.counters.allow(&self.part.counter, allowance).await.map_err(GatewayError::StoreDown)
            }
            Some(old) => {
                *allowance = old.allowance();
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The seats of `money` over all counters of a sharded scope, since none has room for the whole:
/// the emptiest first, each for as much as it has. A request that takes several counts against the
/// rates of each, which refuses near the cap sooner, never later.
///
/// # Errors
/// [`Full`] when all of them together have no room.
pub(super) async fn gather(
    app: &App,
    scope: &Scope,
    money: Option<&Money>,
    now: Timestamp,
) -> Result<Vec<Seat>, Full> {
    let amount = money.map_or(NanoUsd::ZERO, |money| money.amount);
    let count = scope.shards.in_period(scope.period, now);
    let mut seats: Vec<Seat> = (0..count).map(|at| seat_of(scope.shard(at, count), now)).collect();
    let reads = try_join_all(seats.iter().map(|seat| app.counters.read(&seat.part.counter)));
    let counters = reads.await.map_err(GatewayError::StoreDown)?;
    for (seat, counter) in seats.iter_mut().zip(&counters) {
        seat.follow(app, counter.as_ref()).await?;
        (seat.minute, seat.form) = next_form(counter.as_ref(), now);
        seat.part.amount = room(seat, counter.as_ref());
    }
    let mut order: Vec<(Seat, Option<Counter>)> = seats.into_iter().zip(counters.iter().cloned()).collect();
    order.sort_by_key(|(seat, _)| std::cmp::Reverse(seat.part.amount));
    let mut left = amount;
    let mut taken = Vec::new();
    for (mut seat, counter) in order {
        seat.part.amount = seat.part.amount.min(left);
        let write = seat.write(AttemptId::new(now, 0), &[], money);
        let is_needed = taken.is_empty() || left > NanoUsd::ZERO;
        let has_worth = seat.part.amount > NanoUsd::ZERO || amount == NanoUsd::ZERO;
        if is_needed && has_worth && why_refused(&seat.scope, &write, counter.as_ref(), now).is_ok() {
            left = left.checked_sub(seat.part.amount).unwrap_or(NanoUsd::ZERO);
            taken.push(seat);
        }
    }
    match !taken.is_empty() && left == NanoUsd::ZERO {
        true => Ok(taken),
        false => Err(full(scope, money, &counters, count, now)),
    }
}

fn seat_of(scope: Scope, now: Timestamp) -> Seat {
    let part = Part { counter: scope.counter(now), amount: NanoUsd::ZERO };
    Seat { scope, part, minute: now.minute(), form: WindowForm::Same }
}

/// What a counter has left under the policy that it follows.
fn room(seat: &Seat, counter: Option<&Counter>) -> NanoUsd {
    let later = counter::allow(counter, &seat.scope.allowance);
    let standing = later.as_ref().or(counter);
    standing.map_or(seat.scope.allowance.cap, |counter| counter.remaining).max(NanoUsd::ZERO)
}

/// The refusal of a scope by all of its counters, told as if they were one.
fn full(
    scope: &Scope,
    money: Option<&Money>,
    counters: &[Option<Counter>],
    count: u8,
    now: Timestamp,
) -> Full {
    let keyed = (0..count).map(|at| scope.shard(at, count).counter(now)).zip(counters);
    let stale = keyed.filter_map(|(key, counter)| Some(sweep::stale(&key, counter.as_ref()?, now)));
    let stale = stale.flatten().collect();
    let whole = whole(scope, counters, count, now);
    let mut seat = seat_of(scope.clone(), now);
    seat.part.amount = money.map_or(NanoUsd::ZERO, |money| money.amount);
    let write = seat.write(AttemptId::new(now, 0), &[], money);
    let refusal = why_refused(scope, &write, Some(&whole), now).err();
    // Together they have room, but no choice of them had money and rates at once.
    let crowded = || super::refusal::rates_refused(scope, &write, Some(&whole), now);
    Full { error: refusal.unwrap_or_else(crowded), stale }
}

/// All counters of a scope as one. What was never opened has spent nothing.
pub(super) fn whole(scope: &Scope, counters: &[Option<Counter>], count: u8, now: Timestamp) -> Counter {
    let none = Allowance { cap: NanoUsd::ZERO, ..scope.allowance };
    let add = |a: NanoUsd, b: NanoUsd| NanoUsd::from_nano(a.nano().saturating_add(b.nano()));
    (0..count).zip(counters).fold(Counter::fresh(&none, now.minute()), |mut sum, (at, counter)| {
        let opened = counter.clone().filter(|counter| !counter.is_unopened());
        let counter = opened.unwrap_or_else(|| Counter::fresh(&scope.shard(at, count).allowance, 0));
        sum.cap = add(sum.cap, counter.cap);
        sum.remaining = add(sum.remaining, counter.remaining);
        if counter.window == sum.window {
            sum.requests = sum.requests.saturating_add(counter.requests);
            sum.tokens = sum.tokens.saturating_add(counter.tokens);
        }
        for (id, hold) in counter.live {
            let before = sum.live.get(&id).map_or(NanoUsd::ZERO, |part| part.amount);
            sum.live.insert(id, Hold { amount: add(before, hold.amount), ..hold });
        }
        sum
    })
}

/// The key of each counter of a scope in the period `now` lies in.
pub(super) fn keys(scope: &Scope, now: Timestamp) -> Vec<(CounterKey, Allowance)> {
    match scope.shards.in_period(scope.period, now) {
        1 => vec![(scope.counter(now), scope.allowance)],
        count => (0..count)
            .map(|at| scope.shard(at, count))
            .map(|shard| (shard.counter(now), shard.allowance))
            .collect(),
    }
}
