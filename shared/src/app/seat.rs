//! Where a request takes its places: one counter of each scope, or several of a sharded one.

use futures_util::future::try_join_all;

use super::App;
use super::error::GatewayError;
use super::random;
use super::refusal::{next_form, why_refused};
use super::scope::Scope;
use super::sweep::{self, Stale};
use crate::domain::alert::is_watched;
use crate::domain::counter::{
    self, Allowance, Bar, Counter, CounterKey, Hold, HoldFacts, Part, Reserve, ScopeKind, WindowForm,
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
    /// Tokens that its rate is charged.
    pub tokens: i64,
    pub minute: i64,
    pub form: WindowForm,
    /// Its counter has shown that the policy which this goes by may be too old, so that other counters
    /// may have to be asked.
    pub is_outdated: bool,
}

/// Why a scope has no room, and what stands in the way though nobody settled it in time.
pub(super) struct Full {
    pub error: GatewayError,
    pub stale: Vec<Stale>,
    /// Counters whose first refusal for money this is.
    pub spent: Box<[SpentUp]>,
    /// It rests on a policy that a counter has shown to be too old.
    pub is_outdated: bool,
}

/// A counter that has refused for want of money, and was not known to have done so before.
pub(super) struct SpentUp {
    pub counter: CounterKey,
    /// What it begins with, where nothing was counted in it yet.
    pub opens_at: Option<Allowance>,
}

impl SpentUp {
    /// None where the refusal is of another kind, not the first, or of nobody's concern. A user's is told
    /// from the first answer on: whoever calls may name any number of new ones.
    pub(super) fn first(
        error: &GatewayError,
        counter: &CounterKey,
        old: Option<&Counter>,
        allowance: &Allowance,
    ) -> Option<Self> {
        let opened = old.filter(|counter| !counter.is_unopened());
        let is_first = opened.is_none_or(|counter| counter.refused_at.is_none());
        let is_for_money = matches!(error, GatewayError::QuotaExceeded(_));
        let is_told = is_watched(counter.kind) && (opened.is_some() || counter.kind != ScopeKind::User);
        let opens_at = opened.is_none().then_some(*allowance);
        (is_first && is_for_money && is_told).then(|| SpentUp { counter: counter.clone(), opens_at })
    }
}

impl From<GatewayError> for Full {
    fn from(error: GatewayError) -> Self {
        Full { error, stale: Vec::new(), spent: Box::default(), is_outdated: false }
    }
}

impl Seat {
    /// The first counter to ask for `amount`: of several, any.
    pub(super) fn first(app: &App, scope: &Scope, money: Option<&Money>, now: Timestamp) -> Self {
        let scope = match scope.shards.in_period(scope.period, now) {
            1 => scope.clone(),
            count => {
                let at = u8::try_from(random::below(app, u64::from(count))).unwrap_or(0);
                scope.shard(at, count)
            }
        };
        Seat::at(scope, money.map_or((NanoUsd::ZERO, 0), |money| (money.amount, money.tokens)), now)
    }

    fn at(scope: Scope, (amount, tokens): (NanoUsd, i64), now: Timestamp) -> Self {
        let part = Part { counter: scope.counter(now), amount };
        Seat { scope, part, tokens, minute: now.minute(), form: WindowForm::Same, is_outdated: false }
    }

    pub(super) fn is_sharded(&self) -> bool {
        self.part.counter.shard.is_some()
    }

    /// The write that takes this seat, in a hold of all `items`.
    pub(super) fn write(&self, id: AttemptId, items: &[Part], money: Option<&Money>) -> Reserve {
        let hold = money.map(|money| Hold {
            amount: self.part.amount,
            tokens: self.tokens,
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
            tokens: self.tokens,
            form: self.form,
        }
    }

    /// Counter and request follow the same policy, the later of their two, before anything is
    /// repeated.
    pub(super) async fn follow(&mut self, app: &App, old: Option<&Counter>) -> Result<(), GatewayError> {
        let known = self.scope.known;
        let allowance: &mut Allowance = &mut self.scope.allowance;
        match old.filter(|counter| !counter.is_unopened()) {
            // The counter may follow a policy of the user's own, which was set a moment ago.
            Some(old) if old.version < allowance.version && known.is_inherited && !known.is_fresh => {
                self.is_outdated = true;
                Ok(())
            }
            Some(old) if old.version < allowance.version => {
                app.counters.allow(&self.part.counter, allowance).await.map_err(GatewayError::StoreDown)
            }
            Some(old) => {
                self.is_outdated |= old.version > allowance.version && !known.is_fresh;
                *allowance = old.allowance();
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The seats of `money` over all counters of a sharded scope, since none has room for the whole:
/// the emptiest first, each for as much as it has. A request that takes several is counted in each of
/// them, so that a limit of requests refuses sooner, never later.
///
/// # Errors
/// [`Full`] when all of them together have no room.
pub(super) async fn gather(
    app: &App,
    scope: &Scope,
    money: Option<&Money>,
    now: Timestamp,
) -> Result<Vec<Seat>, Full> {
    let mut left = money.map_or((NanoUsd::ZERO, 0), |money| (money.amount, money.tokens));
    let count = scope.shards.in_period(scope.period, now);
    let mut seats: Vec<Seat> =
        (0..count).map(|at| Seat::at(scope.shard(at, count), (NanoUsd::ZERO, 0), now)).collect();
    let reads = try_join_all(seats.iter().map(|seat| app.counters.read(&seat.part.counter)));
    let mut counters = reads.await.map_err(GatewayError::StoreDown)?;
    for (seat, counter) in seats.iter_mut().zip(&mut counters) {
        seat.follow(app, counter.as_ref()).await?;
        // As it stands now, where it was brought to a later policy.
        let opened = counter.as_ref().filter(|counter| !counter.is_unopened());
        if let Some(later) = opened.and_then(|old| counter::allow(Some(old), &seat.scope.allowance)) {
            *counter = Some(later);
        }
        (seat.minute, seat.form) = next_form(counter.as_ref(), now);
        (seat.part.amount, seat.tokens) = room(seat, counter.as_ref());
    }
    let is_outdated = seats.iter().any(|seat| seat.is_outdated);
    let mut order: Vec<(Seat, &Option<Counter>)> = seats.into_iter().zip(&counters).collect();
    order.sort_by_key(|(seat, _)| std::cmp::Reverse((seat.part.amount, seat.tokens)));
    let mut taken = Vec::new();
    for (mut seat, counter) in order {
        (seat.part.amount, seat.tokens) = (seat.part.amount.min(left.0), seat.tokens.min(left.1));
        if !taken.is_empty() {
            // It is one request, and the first seat has admitted it.
            (seat.scope.limits.requests, seat.scope.limits.concurrency) = (None, None);
        }
        let gives = seat.part.amount > NanoUsd::ZERO || seat.tokens > 0;
        let is_done = left == (NanoUsd::ZERO, 0);
        let write = seat.write(AttemptId::new(now, 0), &[], money);
        let is_wanted = if is_done { taken.is_empty() } else { gives };
        if is_wanted && why_refused(&seat.scope, &write, counter.as_ref(), now).is_ok() {
            left.0 = left.0.checked_sub(seat.part.amount).unwrap_or(NanoUsd::ZERO);
            left.1 -= seat.tokens;
            taken.push(seat);
        }
    }
    match !taken.is_empty() && left == (NanoUsd::ZERO, 0) {
        true => Ok(taken),
        false => Err(Full { is_outdated, ..full(scope, money, &counters, count, now) }),
    }
}

/// The money and the tokens that a counter has left under the policy that it follows.
fn room(seat: &Seat, counter: Option<&Counter>) -> (NanoUsd, i64) {
    let later = counter::allow(counter, &seat.scope.allowance);
    let standing = later.as_ref().or(counter);
    let remaining = standing.map_or(seat.scope.allowance.cap, |counter| counter.remaining);
    let used = standing.filter(|counter| counter.window == seat.minute).map_or(0, |counter| counter.tokens);
    let tokens = seat.scope.limits.tokens.map_or(i64::MAX, |limit| limit.saturating_sub(used).max(0));
    (remaining.max(NanoUsd::ZERO), tokens)
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
    // As every seat did, it follows the latest policy that a counter knows of.
    let scope = &Scope { allowance: whole.allowance(), ..scope.clone() };
    let seat =
        Seat::at(scope.clone(), money.map_or((NanoUsd::ZERO, 0), |money| (money.amount, money.tokens)), now);
    let write = seat.write(AttemptId::new(now, 0), &[], money);
    let refusal = why_refused(scope, &write, Some(&whole), now).err();
    // Together they have room, but no choice of them had money and rates at once.
    let crowded = || super::refusal::rates_refused(scope, &write, Some(&whole), now);
    let error = refusal.unwrap_or_else(crowded);
    let shard = scope.shard(0, count);
    let first = counters.first().and_then(Option::as_ref);
    let spent = SpentUp::first(&error, &shard.counter(now), first, &shard.allowance);
    Full { stale, spent: spent.into_iter().collect(), ..error.into() }
}

/// All counters of a scope as one, in the state of the latest policy that one of them follows. What was
/// never opened has spent nothing.
pub(super) fn whole(scope: &Scope, counters: &[Option<Counter>], count: u8, now: Timestamp) -> Counter {
    // Cap and pace are the sums of their shares.
    let bar = Bar { pace: 0, ..scope.allowance.bar };
    let none = Allowance { cap: NanoUsd::ZERO, bar, ..scope.allowance };
    let add = |a: NanoUsd, b: NanoUsd| NanoUsd::from_nano(a.nano().saturating_add(b.nano()));
    (0..count).zip(counters).fold(Counter::fresh(&none, now.minute()), |mut sum, (at, counter)| {
        let opened = counter.clone().filter(|counter| !counter.is_unopened());
        let counter = opened.unwrap_or_else(|| Counter::fresh(&scope.shard(at, count).allowance, 0));
        sum.cap = add(sum.cap, counter.cap);
        sum.remaining = add(sum.remaining, counter.remaining);
        if counter.version > sum.version {
            (sum.version, sum.state, sum.bar) = (counter.version, counter.state, counter.bar);
        } else if counter.version == sum.version {
            sum.bar.pace = sum.bar.pace.saturating_add(counter.bar.pace);
        }
        // A window ahead of our clock is taken as it is, here as in each of them.
        if counter.window >= now.minute() {
            sum.window = sum.window.max(counter.window);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::error::RateUnit;
    use crate::app::scope::Known;
    use crate::domain::counter::{RateLimits, ScopeKind, ScopeState};
    use crate::domain::policy::{ScopeName, Shards};
    use crate::domain::time::Period;

    fn noon() -> Timestamp {
        Timestamp::from_millis(1_800_014_400_000)
    }

    /// Why a scope with two requests a minute over two counters like `counter` refuses.
    fn refusal(counter: impl Fn(Counter) -> Counter) -> GatewayError {
        let scope = Scope {
            name: ScopeName::key("k"),
            period: Period::Month,
            limits: RateLimits { requests: Some(2), ..RateLimits::default() },
            allowance: Allowance { cap: NanoUsd::from_nano(1_000), ..Allowance::default() },
            shards: Shards { count: 2, ..Shards::default() },
            shard: None,
            known: Known::default(),
        };
        let fresh = |at| Counter::fresh(&scope.shard(at, 2).allowance, noon().minute());
        let counters: Vec<Option<Counter>> = (0..2).map(|at| Some(counter(fresh(at)))).collect();
        full(&scope, None, &counters, 2, noon()).error
    }

    #[test]
    fn a_stop_that_the_counters_know_of_first_is_told_as_one() {
        let version = noon();
        let error = refusal(|counter| Counter { state: ScopeState::Stopped, version, ..counter });
        assert_eq!(error, GatewayError::ScopeStopped { kind: ScopeKind::Key, id: "k".to_owned() });
    }

    #[test]
    fn a_pace_that_the_counters_know_of_first_is_told_as_a_whole() {
        let bar = Bar { pace: 1, until: None };
        let slowed = |counter| Counter { state: ScopeState::Throttled, bar, version: noon(), ..counter };
        let error = refusal(|counter| Counter { requests: 1, ..slowed(counter) });
        let GatewayError::RateLimited { unit, rates } = error else { panic!("{error:?}") };
        assert_eq!((unit, rates.limits.requests, rates.requests_used), (RateUnit::Requests, Some(2), 2));
        let crowded = refusal(slowed);
        let GatewayError::RateLimited { unit, rates } = crowded else { panic!("{crowded:?}") };
        assert_eq!(
            (unit, rates.requests_used),
            (RateUnit::Requests, 2),
            "none of it is left for this request"
        );
    }

    #[test]
    fn a_minute_that_our_clock_has_not_come_to_counts() {
        let window = noon().minute() + 1;
        let error = refusal(|counter| Counter { window, requests: 1, ..counter });
        let GatewayError::RateLimited { unit, rates } = error else { panic!("{error:?}") };
        assert_eq!((unit, rates.requests_used), (RateUnit::Requests, 2));
    }
}
