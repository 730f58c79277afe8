//! The checks, after every step: what the stores hold is compared with what the providers billed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use shared::domain::counter::{Counter, CounterKey, Hold, Part};
use shared::domain::id::AttemptId;
use shared::domain::ledger::{LedgerLine, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::price::Price;
use shared::domain::settlement::shares;
use shared::domain::usage::TokenUsage;
use shared::memory::MemoryStore;

use super::world::lock;

/// What a world must never show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// In the words of the invariant's name.
    pub invariant: &'static str,
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.detail)
    }
}

/// What the provider says an attempt cost: the truth.
#[derive(Clone, Debug)]
pub(crate) struct Bill {
    pub id: AttemptId,
    pub request: AttemptId,
    pub price: Price,
    pub usage: TokenUsage,
    pub amount: NanoUsd,
    /// What was held when the call arrived.
    pub held: NanoUsd,
    /// What it cost by the provider's own report; as billed where it reports nothing.
    pub told: NanoUsd,
    pub items: Vec<Part>,
}

pub(crate) struct Books {
    memory: Arc<MemoryStore>,
    /// See [`super::plan::Plan::overruns`].
    overruns: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    violation: Option<Violation>,
    bills: BTreeMap<AttemptId, Bill>,
    /// By scope: what was billed, and what of it no hold could cover.
    billed: BTreeMap<CounterKey, (i64, i64)>,
    /// By scope: the cap under which it last admitted, over all of its counters.
    caps: BTreeMap<CounterKey, NanoUsd>,
    /// By counter: the greatest cap that anything was admitted under.
    greatest: BTreeMap<CounterKey, NanoUsd>,
    /// By scope: whether its period is spread over several counters.
    spread: BTreeMap<CounterKey, bool>,
    /// Lines that are final.
    exact: BTreeMap<AttemptId, NanoUsd>,
    /// The lines that charge each counter.
    lines_of: BTreeMap<CounterKey, BTreeSet<AttemptId>>,
    /// The requests that were admitted to work, by idempotency key.
    working: BTreeMap<String, BTreeSet<AttemptId>>,
}

impl Books {
    pub(crate) fn new(memory: Arc<MemoryStore>, overruns: bool) -> Self {
        Books { memory, overruns, state: Mutex::default() }
    }

    /// The first violation is the one that counts.
    pub(crate) fn violated(&self, invariant: &'static str, detail: impl FnOnce() -> String) {
        let first = &mut lock(&self.state).violation;
        if first.is_none() {
            *first = Some(Violation { invariant, detail: detail() });
        }
    }

    pub(crate) fn holds_that(&self, is_true: bool, invariant: &'static str, detail: impl FnOnce() -> String) {
        if !is_true {
            self.violated(invariant, detail);
        }
    }

    pub(crate) fn violation(&self) -> Option<Violation> {
        lock(&self.state).violation.clone()
    }

    pub(crate) fn bills(&self) -> Vec<Bill> {
        lock(&self.state).bills.values().cloned().collect()
    }

    pub(crate) fn bill_of(&self, attempt: AttemptId) -> Option<Bill> {
        lock(&self.state).bills.get(&attempt).cloned()
    }

    /// The requests that worked under each idempotency key.
    pub(crate) fn working(&self) -> Vec<BTreeSet<AttemptId>> {
        lock(&self.state).working.values().cloned().collect()
    }

    /// The line that an estimate would be, had its provider been heard.
    pub(crate) fn exact_line(&self, estimated: &LedgerLine) -> Option<LedgerLine> {
        let bill = self.bill_of(estimated.id)?;
        let (usage, amount) = (bill.usage, bill.amount);
        Some(LedgerLine { quality: Quality::Exact, usage, amount, ..estimated.clone() })
    }

    /// Conservation: what a counter has spent is the sum of the lines that were closed in it, at
    /// every moment; and nothing is ever below zero.
    pub(crate) fn check(&self, key: &CounterKey) {
        let state = lock(&self.state);
        let lines_of = state.lines_of.get(key);
        let (counter, charged) = self.memory.with_books(|counters, lines| {
            let counter = counters.get(key).cloned();
            let live = |id: &AttemptId| counter.as_ref().is_some_and(|counter| counter.live.contains_key(id));
            let closed = lines_of.into_iter().flatten().filter(|id| !live(id));
            let amounts = closed.filter_map(|id| Some(charged(lines.get(id)?, key).nano()));
            (counter.clone(), amounts.sum::<i64>())
        });
        drop(state);
        let Some(counter) = counter else { return };
        let spent = counter.spent().nano();
        self.holds_that(spent == charged, "conservation", || {
            let live: Vec<String> = counter.live.keys().map(AttemptId::to_string).collect();
            format!("{} has spent {spent}, its closed lines say {charged}, open are {live:?}", name(key))
        });
        // Below zero only by what a cap was lowered beneath what had been admitted.
        let used = counter.cap.nano().saturating_sub(counter.remaining.nano());
        let most = lock(&self.state).greatest.get(key).map_or(0, |cap| cap.nano());
        let is_whole = counter.held().nano() >= 0 && (self.overruns || used <= most);
        self.holds_that(is_whole, "admission", || {
            format!("{} has {used} spent and held, admitted was up to {most}", name(key))
        });
    }

    /// Admission: whatever is billed and held in a counter is within its cap, when it admits. The
    /// bound of the whole scope is `most` from here on.
    pub(crate) fn admitted(&self, key: &CounterKey, counter: &Counter, most: NanoUsd) {
        let is_within = self.overruns || counter.remaining.nano() >= 0;
        self.holds_that(is_within, "admission", || format!("{} admitted below zero: {counter:?}", name(key)));
        let mut state = lock(&self.state);
        let scope = CounterKey { shard: None, ..key.clone() };
        let is_spread = *state.spread.entry(scope.clone()).or_insert(key.shard.is_some());
        state.caps.insert(scope, most);
        let greatest = state.greatest.entry(key.clone()).or_default();
        *greatest = counter.cap.max(*greatest);
        drop(state);
        self.holds_that(is_spread == key.shard.is_some(), "admission", || {
            format!("{} has one counter and several in one period", name(key))
        });
    }

    /// A bill arrives with its call. No scope may be billed beyond the cap that it last admitted under.
    pub(crate) fn bill(&self, bill: Bill) -> i64 {
        let mut overspend = 0;
        // Of what is billed and not told, or told beyond the hold, no gateway can know.
        let known = if self.overruns { bill.held.min(bill.told) } else { bill.held };
        let uncovered = bill.amount.nano().saturating_sub(known.nano()).max(0);
        if uncovered > 0 && !self.overruns {
            self.violated("bound", || format!("{} cost {} and {} was held", bill.id, bill.amount, bill.held));
        }
        for key in scopes_of(&bill.items) {
            let (billed, excess) = {
                let mut state = lock(&self.state);
                let sums = state.billed.entry(key.clone()).or_default();
                sums.0 += bill.amount.nano();
                sums.1 += uncovered;
                *sums
            };
            let Some(cap) = lock(&self.state).caps.get(&key).copied() else { continue };
            let beyond = billed.saturating_sub(excess).saturating_sub(cap.nano()).max(0);
            overspend += beyond;
            self.holds_that(beyond == 0, "bound", || {
                let (name, cap) = (name(&key), cap.nano());
                format!("with {}, {name} was billed {billed} of {cap}, {excess} beyond holds", bill.id)
            });
        }
        let again = lock(&self.state).bills.insert(bill.id, bill);
        self.holds_that(again.is_none(), "exactly once", || {
            format!(
                "{} was dispatched twice",
                again.as_ref().map_or_else(String::new, |bill| bill.id.to_string())
            )
        });
        overspend
    }

    /// What is held under `id` in each scope of `items`; none where a counter does not hold.
    pub(crate) fn held(&self, id: AttemptId, items: &[Part]) -> Option<NanoUsd> {
        let live = |part: &Part| {
            self.memory.with_books(|counters, _| Some(counters.get(&part.counter)?.live.get(&id)?.amount))
        };
        let held = scopes_of(items).into_iter().map(|scope| {
            let mut of_scope = items.iter().filter(|part| part.counter.shares_scope(&scope));
            of_scope.try_fold(0, |sum, part| Some(live(part)?.nano() + sum)).map(NanoUsd::from_nano)
        });
        // Nothing is less than any amount.
        held.min().flatten()
    }

    /// The requests that were admitted to the scope of `key` in its period, and are open. Of several counters
    /// the first that a hold names admits it: what it holds in the others alone is given back.
    pub(crate) fn open(&self, key: &CounterKey) -> i64 {
        let is_first = |counter: &CounterKey, hold: &Hold| {
            hold.items
                .iter()
                .find(|part| part.counter.shares_scope(key))
                .is_some_and(|part| part.counter == *counter)
        };
        self.memory.with_books(|counters, _| {
            let of_scope = counters.iter().filter(|(counter, _)| counter.shares_scope(key));
            let admitted = of_scope.map(|(counter, standing)| {
                standing.live.values().filter(|hold| is_first(counter, hold)).count()
            });
            i64::try_from(admitted.sum::<usize>()).unwrap_or(i64::MAX)
        })
    }

    pub(crate) fn note_line(&self, line: &LedgerLine) {
        let mut state = lock(&self.state);
        for part in &line.items {
            state.lines_of.entry(part.counter.clone()).or_default().insert(line.id);
        }
        if line.quality == Quality::Exact {
            state.exact.insert(line.id, line.amount);
        }
    }

    /// What is exact stays as it is.
    pub(crate) fn works(&self, key: &str, request: AttemptId) {
        lock(&self.state).working.entry(key.to_owned()).or_default().insert(request);
    }

    pub(crate) fn check_final(&self, id: AttemptId) {
        let exact = lock(&self.state).exact.get(&id).copied();
        let stands = self.memory.with_books(|_, lines| lines.get(&id).map(|line| line.amount));
        let is_kept = exact.is_none() || exact == stands;
        self.holds_that(is_kept, "exactly once", || format!("line {id} was {exact:?} and is {stands:?}"));
    }
}

/// A counter in a few words.
pub(crate) fn name(key: &CounterKey) -> String {
    format!("{} {} {}", key.kind, key.id, key.period)
}

/// The scopes that `items` lie in, each as the one counter that an unsharded scope has.
pub(crate) fn scopes_of(items: &[Part]) -> BTreeSet<CounterKey> {
    items.iter().map(|part| CounterKey { shard: None, ..part.counter.clone() }).collect()
}

/// What `line` charges the counter `key`: everything, or its share where the scope is sharded.
fn charged(line: &LedgerLine, key: &CounterKey) -> NanoUsd {
    if line.items.iter().filter(|part| part.counter.shares_scope(key)).count() == 1 {
        return line.amount;
    }
    let shares = line.items.iter().zip(shares(&line.items, line.amount));
    shares.filter(|(part, _)| part.counter == *key).map(|(_, share)| share).next().unwrap_or_default()
}
