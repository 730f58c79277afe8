//! The counter of a budget and its transitions: the money protocol's rules for one item.
//!
//! A counter holds what a scope may still spend in a period, the open holds, and the rate
//! windows. Every store applies exactly these transitions, each as one conditional write: the
//! memory store by calling them, the DynamoDB adapter as condition expressions that the contract
//! suite compares with them. Source of the rules: the hold protocol, ARCHITECTURE.md.
#![deny(clippy::float_arithmetic)]

mod bar;
mod key;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::AttemptId;
use super::money::NanoUsd;
use super::time::Timestamp;

pub use bar::Bar;
pub use key::{CounterKey, Part, SHARDS_MAX, ScopeKind};

/// Whether a scope may spend, and how fast; tested in the reserve's own condition, so a stop is immediate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeState {
    #[default]
    Active,
    /// Admitted at the pace of its [`Bar`].
    Throttled,
    Stopped,
}

impl fmt::Display for ScopeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ScopeState::Active => "active",
            ScopeState::Throttled => "throttled",
            ScopeState::Stopped => "stopped",
        })
    }
}

/// What a policy says of one counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    pub cap: NanoUsd,
    pub state: ScopeState,
    pub bar: Bar,
    /// When the policy was last changed. A counter follows the latest it has heard of.
    pub version: Timestamp,
}

/// One counter item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    pub cap: NanoUsd,
    /// `cap` less everything billed and everything held.
    pub remaining: NanoUsd,
    pub state: ScopeState,
    pub bar: Bar,
    /// That of the [`Allowance`] that `cap`, `state` and `bar` come from.
    pub version: Timestamp,
    /// The minute that `requests` and `tokens` count, from [`Timestamp::minute`].
    pub window: i64,
    pub requests: i64,
    pub tokens: i64,
    pub live: BTreeMap<AttemptId, Hold>,
    /// Ids up to this one are fenced: they may not enter a hold any more.
    pub floor: Option<AttemptId>,
    /// When a request was first refused because the money did not suffice.
    pub refused_at: Option<Timestamp>,
}

/// An open hold as its counter keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What this counter holds: its part of the whole.
    pub amount: NanoUsd,
    /// Tokens that the rate window was charged, and which window.
    pub tokens: i64,
    pub window: i64,
    /// All counters of this hold.
    pub items: Vec<Part>,
    /// When whoever holds it must have settled; a sweep may post it afterwards.
    pub expires: Timestamp,
    /// What an estimated line needs to know if the holder dies.
    pub facts: HoldFacts,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldFacts {
    pub request: AttemptId,
    pub tenant: String,
    pub key: String,
    pub model: String,
    pub price: String,
    /// [`super::notes::Notes::for_lookup`].
    #[serde(default)]
    pub for_lookup: bool,
}

/// Requests and tokens a minute, and holds open at once; none is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimits {
    pub requests: Option<i64>,
    pub tokens: Option<i64>,
    #[serde(default)]
    pub concurrency: Option<i64>,
}

/// What the reserve expects of the rate window, so that the write stays one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowForm {
    /// No item yet, or one that only fences: create it from the current cap.
    Create,
    /// The item counts the present minute already.
    Same,
    /// The item still counts the minute `from`.
    Roll { from: i64 },
}

/// One conditional write that admits a request to one counter. Sent once, never resent: a copy
/// that arrives late under the same id would charge twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    pub key: CounterKey,
    pub id: AttemptId,
    /// None admits by rates alone: a cache hit spends nothing.
    pub hold: Option<Hold>,
    /// What a new item starts from, and what one that is there must be at.
    pub allowance: Allowance,
    pub limits: RateLimits,
    /// The present minute.
    pub window: i64,
    pub tokens: i64,
    pub form: WindowForm,
}

impl Reserve {
    pub fn amount(&self) -> NanoUsd {
        self.hold.as_ref().map_or(NanoUsd::ZERO, |hold| hold.amount)
    }

    /// The largest window counts at which this request still fits.
    pub fn rate_room(&self) -> (Option<i64>, Option<i64>) {
        let requests = self.limits.requests.map(|limit| limit.saturating_sub(1));
        let tokens = self.limits.tokens.map(|limit| limit.saturating_sub(self.tokens));
        (requests, tokens)
    }

    /// The largest number of open holds beside which this one still fits.
    pub fn hold_room(&self) -> Option<i64> {
        let limit = self.limits.concurrency.filter(|_| self.hold.is_some());
        limit.map(|limit| limit.saturating_sub(1))
    }
}

/// Gives a hold back, less what the ledger line charged. Safe to repeat and to reorder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    pub key: CounterKey,
    pub id: AttemptId,
    /// The amount of the ledger line that won.
    pub billed: NanoUsd,
    pub billed_tokens: i64,
    /// The request was never sent, or was one of the gateway's own beside the caller's, so it does
    /// not count against the rate either.
    pub withdrawn: bool,
}

/// RESERVE: the condition and the effect of the write. `None` is a refusal.
pub fn reserve(counter: Option<&Counter>, write: &Reserve) -> Option<Counter> {
    let (request_room, token_room) = write.rate_room();
    let fits = |count: i64, room: Option<i64>| room.is_none_or(|room| count <= room);
    let mut next = match (counter, write.form) {
        (None, WindowForm::Create) => Counter::fresh(&write.allowance, write.window),
        (Some(counter), WindowForm::Create) if counter.is_unopened() => {
            Counter { floor: counter.floor, ..Counter::fresh(&write.allowance, write.window) }
        }
        (Some(counter), WindowForm::Same) if counter.window == write.window => counter.clone(),
        (Some(counter), WindowForm::Roll { from }) if counter.window == from => {
            Counter { window: write.window, requests: 0, tokens: 0, ..counter.clone() }
        }
        _ => return None,
    };
    let fenced = next.floor.is_some_and(|floor| floor >= write.id);
    let spent = next.remaining < write.amount();
    let over_rate = !fits(next.requests, request_room) || !fits(next.tokens, token_room);
    let crowded = !fits(i64::try_from(next.live.len()).unwrap_or(i64::MAX), write.hold_room());
    let barred = next.is_barred() || next.version != write.allowance.version;
    if next.live.contains_key(&write.id) || fenced || spent || over_rate || crowded || barred {
        return None;
    }
    next.requests = next.requests.saturating_add(1);
    next.tokens = next.tokens.saturating_add(write.tokens);
    next.remaining = next.remaining.checked_sub(write.amount()).ok()?;
    if let Some(hold) = &write.hold {
        next.live.insert(write.id, hold.clone());
    }
    Some(next)
}

/// CLOSE: only where the hold is still live. `None` means it was closed before, which is success.
pub fn close(counter: &Counter, write: &Close) -> Option<Counter> {
    let mut next = counter.clone();
    let hold = next.live.remove(&write.id)?;
    let back = hold.amount.checked_sub(write.billed).ok()?;
    next.remaining = next.remaining.checked_add(back).ok()?;
    if hold.window == next.window {
        next.tokens = next.tokens.saturating_sub(hold.tokens.saturating_sub(write.billed_tokens));
        next.requests = next.requests.saturating_sub(i64::from(write.withdrawn));
    }
    Some(next)
}

/// The counter's part of LATE SETTLE, after CLOSE: an estimate is replaced by the exact amount.
/// Refused while the hold is live, since CLOSE would then give back a second time.
pub fn correct(counter: &Counter, id: AttemptId, estimated: NanoUsd, exact: NanoUsd) -> Option<Counter> {
    if counter.live.contains_key(&id) {
        return None;
    }
    let back = estimated.checked_sub(exact).ok()?;
    let remaining = counter.remaining.checked_add(back).ok()?;
    Some(Counter { remaining, ..counter.clone() })
}

/// FENCE: from here on `id` cannot enter a hold any more. `None` where it is live, or where the
/// floor is high enough already. A counter that does not exist yet is fenced as well, since the
/// reserve on its way may be the one that creates it.
pub fn fence(counter: Option<&Counter>, id: AttemptId) -> Option<Counter> {
    let unopened = || Counter::fresh(&Allowance::default(), Counter::UNOPENED);
    let next = counter.cloned().unwrap_or_else(unopened);
    let is_fenced = next.floor.is_some_and(|floor| floor >= id);
    (!is_fenced && !next.live.contains_key(&id)).then_some(Counter { floor: Some(id), ..next })
}

/// ALLOW: brings a counter to a later policy. What was spent and what is held stays so, and
/// `remaining` moves with the cap, below zero where the new cap is passed already. `None` where the
/// counter is at that policy or a later one.
pub fn allow(counter: Option<&Counter>, to: &Allowance) -> Option<Counter> {
    let Some(counter) = counter.filter(|counter| !counter.is_unopened()) else {
        let floor = counter.and_then(|counter| counter.floor);
        return Some(Counter { floor, ..Counter::fresh(to, 0) });
    };
    let change = to.cap.nano().checked_sub(counter.cap.nano())?;
    let remaining = NanoUsd::from_nano(counter.remaining.nano().checked_add(change)?);
    let (cap, state, bar, version) = (to.cap, to.state, to.bar, to.version);
    // A greater budget has refused nothing yet.
    let refused_at = counter.refused_at.filter(|_| to.cap <= counter.cap);
    let next = Counter { cap, remaining, state, bar, version, refused_at, ..counter.clone() };
    (counter.version < to.version).then_some(next)
}

/// NOTE REFUSAL: the first one stays. `None` where there is nothing to note it on, or nothing to add.
pub fn note_refusal(counter: &Counter, at: Timestamp) -> Option<Counter> {
    let is_first = !counter.is_unopened() && counter.refused_at.is_none();
    is_first.then(|| Counter { refused_at: Some(at), ..counter.clone() })
}

impl Hold {
    /// What is held in all, which every scope holds once.
    pub fn total(&self) -> NanoUsd {
        let scope = self.items.first();
        let of_scope = self
            .items
            .iter()
            .filter(|part| scope.is_some_and(|first| first.counter.shares_scope(&part.counter)));
        NanoUsd::from_nano(of_scope.map(|part| part.amount.nano()).fold(0, i64::saturating_add))
    }
}

impl Counter {
    /// The window of an item that a fence made: it has no cap yet, and only [`WindowForm::Create`]
    /// enters it.
    pub const UNOPENED: i64 = i64::MIN;

    pub fn is_unopened(&self) -> bool {
        self.window == Counter::UNOPENED
    }

    /// Whether a listing has it: it has open holds, or something was spent or refused in a period that
    /// `is_recent`.
    pub fn is_in_use(&self, is_recent: bool) -> bool {
        !self.live.is_empty() || is_recent && (self.remaining < self.cap || self.refused_at.is_some())
    }

    /// The policy it follows.
    pub fn allowance(&self) -> Allowance {
        Allowance { cap: self.cap, state: self.state, bar: self.bar, version: self.version }
    }

    /// One that nothing was spent on.
    pub fn fresh(allowance: &Allowance, window: i64) -> Self {
        let live = BTreeMap::new();
        Counter {
            cap: allowance.cap,
            remaining: allowance.cap,
            state: allowance.state,
            bar: allowance.bar,
            version: allowance.version,
            window,
            requests: 0,
            tokens: 0,
            live,
            floor: None,
            refused_at: None,
        }
    }

    /// The sum of the open holds.
    pub fn held(&self) -> NanoUsd {
        let sum = self.live.values().map(|hold| hold.amount.nano()).fold(0, i64::saturating_add);
        NanoUsd::from_nano(sum)
    }

    /// What was billed: the cap less what remains and what is held.
    pub fn spent(&self) -> NanoUsd {
        let spent = self.cap.nano().saturating_sub(self.remaining.nano()).saturating_sub(self.held().nano());
        NanoUsd::from_nano(spent)
    }
}

#[cfg(test)]
mod tests;
