//! The checks, after every step: what the stores hold is compared with what the providers billed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use shared::domain::counter::{Close, Counter, CounterKey, Reserve};
use shared::domain::id::AttemptId;
use shared::domain::idempotency::{Claim, Claimed};
use shared::domain::ledger::{LedgerLine, Outcome, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::price::Price;
use shared::domain::usage::TokenUsage;
use shared::memory::MemoryStore;
use shared::ports::{PutLine, ReserveReply};

use super::queue;
use super::world::{World, lock};

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
    pub counters: Vec<CounterKey>,
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
    /// By counter: what was billed, and what of it no hold could cover.
    billed: BTreeMap<CounterKey, (i64, i64)>,
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

    /// The requests that worked under each idempotency key.
    pub(crate) fn working(&self) -> Vec<BTreeSet<AttemptId>> {
        lock(&self.state).working.values().cloned().collect()
    }

    /// The line that an estimate would be, had its provider been heard.
    pub(crate) fn exact_line(&self, estimated: &LedgerLine) -> Option<LedgerLine> {
        let state = lock(&self.state);
        let bill = state.bills.get(&estimated.id)?;
        let (usage, amount) = (bill.usage, bill.amount);
        Some(LedgerLine { quality: Quality::Exact, usage, amount, ..estimated.clone() })
    }

    /// Conservation: what a counter has spent is the sum of the lines that were closed in it, at
    /// every moment; and nothing is ever below zero.
    fn check(&self, key: &CounterKey) {
        let state = lock(&self.state);
        let lines_of = state.lines_of.get(key);
        let (counter, charged) = self.memory.with_books(|counters, lines| {
            let counter = counters.get(key).cloned();
            let live = |id: &AttemptId| counter.as_ref().is_some_and(|counter| counter.live.contains_key(id));
            let closed = lines_of.into_iter().flatten().filter(|id| !live(id));
            let amounts = closed.filter_map(|id| Some(lines.get(id)?.amount.nano()));
            (counter.clone(), amounts.sum::<i64>())
        });
        drop(state);
        let Some(counter) = counter else { return };
        let spent = counter.spent().nano();
        self.holds_that(spent == charged, "conservation", || {
            format!("{key:?} has spent {spent}, its closed lines say {charged}: {counter:?}")
        });
        let is_whole = counter.held().nano() >= 0 && (self.overruns || counter.remaining.nano() >= 0);
        self.holds_that(is_whole, "admission", || format!("{key:?} is below zero: {counter:?}"));
    }

    /// A bill arrives with its call. No scope may be billed beyond its cap.
    fn bill(&self, bill: Bill, cap: impl Fn(&CounterKey) -> Option<NanoUsd>) -> i64 {
        let mut overspend = 0;
        let uncovered = bill.amount.nano().saturating_sub(bill.held.nano()).max(0);
        if uncovered > 0 && !self.overruns {
            self.violated("bound", || format!("{} cost {} and {} was held", bill.id, bill.amount, bill.held));
        }
        for key in &bill.counters {
            let (billed, excess) = {
                let mut state = lock(&self.state);
                let sums = state.billed.entry(key.clone()).or_default();
                sums.0 += bill.amount.nano();
                sums.1 += uncovered;
                *sums
            };
            let Some(cap) = cap(key) else { continue };
            let beyond = billed.saturating_sub(excess).saturating_sub(cap.nano()).max(0);
            overspend += beyond;
            self.holds_that(beyond == 0, "bound", || {
                format!("{key:?} was billed {billed}, its cap is {}, {excess} were beyond holds", cap.nano())
            });
        }
        let again = lock(&self.state).bills.insert(bill.id, bill);
        self.holds_that(again.is_none(), "exactly once", || format!("dispatched twice: {again:?}"));
        overspend
    }

    fn note_line(&self, line: &LedgerLine) {
        let mut state = lock(&self.state);
        for key in &line.items {
            state.lines_of.entry(key.clone()).or_default().insert(line.id);
        }
        if line.quality == Quality::Exact {
            state.exact.insert(line.id, line.amount);
        }
    }

    /// What is exact stays as it is.
    fn check_final(&self, id: AttemptId) {
        let exact = lock(&self.state).exact.get(&id).copied();
        let stands = self.memory.with_books(|_, lines| lines.get(&id).map(|line| line.amount));
        let is_kept = exact.is_none() || exact == stands;
        self.holds_that(is_kept, "exactly once", || format!("line {id} was {exact:?} and is {stands:?}"));
    }
}

/// What is checked of a step, the moment it is done.
impl World {
    pub(crate) fn reserved(&self, write: &Reserve, reply: &ReserveReply) {
        let what = if matches!(reply, ReserveReply::Held(_)) { "held" } else { "refused" };
        self.tell(|| format!("reserve {} of {} in {}: {what}", write.id, write.amount(), name(&write.key)));
        if let ReserveReply::Held(counter) = reply {
            self.check_admission(write, counter);
        }
        self.books.check(&write.key);
    }

    fn check_admission(&self, write: &Reserve, counter: &Counter) {
        let fits = |count: i64, limit: Option<i64>| limit.is_none_or(|limit| count <= limit);
        let in_rate =
            fits(counter.requests, write.limits.requests) && fits(counter.tokens, write.limits.tokens);
        self.books.holds_that(in_rate, "admission", || format!("{} beyond its rate: {counter:?}", write.id));
        let cap = self.cap_of(&write.key);
        self.books.holds_that(cap == Some(counter.cap), "admission", || {
            format!("{:?} has the cap {}, its owner meant {cap:?}", write.key, counter.cap)
        });
    }

    /// What the owner of a scope meant it to be bounded by.
    pub(crate) fn cap_of(&self, key: &CounterKey) -> Option<NanoUsd> {
        let mut scopes = self.callers.iter().flat_map(|caller| &caller.scopes);
        scopes.find(|scope| (scope.kind, &scope.id) == (key.kind, &key.id)).map(|scope| scope.cap)
    }

    pub(crate) fn closed(&self, write: &Close) {
        self.tell(|| format!("close {} at {} in {}", write.id, write.billed, name(&write.key)));
        self.books.check(&write.key);
    }

    pub(crate) fn put(self: &std::sync::Arc<Self>, line: &LedgerLine, put: &PutLine) {
        self.tell(|| {
            let stood = if *put == PutLine::Inserted { "" } else { ", which stood" };
            format!("line {} {:?} of {}, {:?}{stood}", line.id, line.quality, line.amount, line.outcome)
        });
        if *put == PutLine::Inserted {
            self.books.note_line(line);
            self.tally().estimated += u64::from(line.quality == Quality::Estimated);
            self.tally().abandoned += u64::from(line.outcome == Outcome::Abandoned);
            if line.quality == Quality::Estimated {
                queue::invoice(self, line);
            }
        }
        self.books.check_final(line.id);
        self.check_counters(line);
    }

    pub(crate) fn corrected(&self, exact: &LedgerLine, corrected: bool) {
        self.tell(|| format!("correct {} to {}: {corrected}", exact.id, exact.amount));
        if corrected {
            self.tally().corrected += 1;
            self.books.note_line(exact);
        }
        self.books.check_final(exact.id);
        self.check_counters(exact);
    }

    fn check_counters(&self, line: &LedgerLine) {
        for key in &line.items {
            self.books.check(key);
        }
    }

    pub(crate) fn claimed(&self, claim: &Claim, claimed: &Claimed<String>) {
        if *claimed == Claimed::Started {
            let mut state = lock(&self.books.state);
            state.working.entry(claim.key.clone()).or_default().insert(claim.request);
        }
    }

    pub(crate) fn billed(&self, bill: Bill) {
        self.tell(|| format!("the provider is called for {} and bills {}", bill.id, bill.amount));
        let amount = bill.amount.nano();
        let overspend = self.books.bill(bill, |key| self.cap_of(key));
        let mut tally = self.tally();
        tally.attempts += 1;
        tally.billed += i128::from(amount);
        tally.overspend += overspend;
    }
}

/// A counter in a few words.
pub(crate) fn name(key: &CounterKey) -> String {
    format!("{} {} {}", key.kind, key.id, key.period)
}
