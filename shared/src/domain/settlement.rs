//! The money protocol's decisions over all counters of one hold: what becomes of its reserves,
//! what each counter is charged of a ledger line, and what a sweep posts.
//!
//! Pure, so that the use cases and the exhaustive checker decide by the same code. Source of the
//! rules: the hold protocol, ARCHITECTURE.md.
#![deny(clippy::float_arithmetic)]

use super::counter::{Close, Counter, CounterKey, Hold, Part};
use super::id::AttemptId;
use super::ledger::{LINE_VERSION, LedgerLine, Outcome, Quality};
use super::money::NanoUsd;
use super::notes::Notes;
use super::time::Timestamp;
use super::usage::TokenUsage;

/// What a gateway knows of one of its reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// It answered, or a consistent read showed its hold.
    Held,
    /// It did not happen and never will.
    Refused,
    /// It may still arrive.
    Unheard,
}

/// What a gateway does once it knows something of every reserve of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Every counter holds: the provider may be called.
    Dispatch,
    /// Nothing is on its way: what is held is given back, without a line.
    GiveBack,
    /// The id is given up for ever by a line of zero, so that whatever still arrives closes at zero.
    Abandon,
}

/// The end of RESERVE.
pub fn conclude(entered: &[Entered]) -> Conclusion {
    match entered {
        all if all.contains(&Entered::Unheard) => Conclusion::Abandon,
        all if all.contains(&Entered::Refused) => Conclusion::GiveBack,
        _ => Conclusion::Dispatch,
    }
}

/// What each of `items` is charged of `billed`, in their order. Every scope is charged all of it,
/// a sharded one counter by counter: each at most its part, the last of them what is left.
pub fn shares(items: &[Part], billed: NanoUsd) -> Vec<NanoUsd> {
    let mut charged: Vec<NanoUsd> = Vec::with_capacity(items.len());
    for (at, part) in items.iter().enumerate() {
        let of_scope = |other: &&Part| other.counter.shares_scope(&part.counter);
        let before = items.iter().zip(&charged).filter(|(other, _)| of_scope(other));
        let before = before.map(|(_, share)| share.nano()).fold(0, i64::saturating_add);
        let left = billed.nano().saturating_sub(before);
        let is_last = !items.iter().skip(at + 1).any(|other| of_scope(&other));
        let share = if is_last { left } else { left.min(part.amount.nano()) };
        charged.push(NanoUsd::from_nano(share));
    }
    charged
}

/// Whether the part at `at` is the first of its scope: of several, it counts the tokens of all.
fn is_first(items: &[Part], at: usize) -> bool {
    let (before, rest) = items.split_at(at.min(items.len()));
    rest.first().is_some_and(|part| !before.iter().any(|other| other.counter.shares_scope(&part.counter)))
}

/// CLOSE for every counter of `line`.
pub fn closes(line: &LedgerLine) -> Vec<Close> {
    let billed_tokens = i64::try_from(line.usage.total()).unwrap_or(i64::MAX);
    let for_lookup = line.notes.as_ref().is_some_and(|notes| notes.for_lookup);
    let charged = line.items.iter().zip(shares(&line.items, line.amount));
    charged
        .enumerate()
        .map(|(at, (part, billed))| Close {
            key: part.counter.clone(),
            id: line.id,
            billed,
            billed_tokens: if is_first(&line.items, at) { billed_tokens } else { 0 },
            withdrawn: for_lookup || line.outcome == Outcome::Abandoned,
        })
        .collect()
}

/// What LATE SETTLE changes in one counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    pub key: CounterKey,
    /// What the counter was charged.
    pub estimated: NanoUsd,
    /// What it should have been charged.
    pub exact: NanoUsd,
}

/// LATE SETTLE for every counter that the estimate closed.
pub fn corrections(estimated: &LedgerLine, exact: &LedgerLine) -> Vec<Correction> {
    let items = &estimated.items;
    let amounts = shares(items, estimated.amount).into_iter().zip(shares(items, exact.amount));
    let changes = items.iter().zip(amounts);
    changes
        .map(|(part, (estimated, exact))| Correction { key: part.counter.clone(), estimated, exact })
        .collect()
}

/// Whether whoever settles with `line` finds an estimate in its place that it must correct.
pub fn is_late(standing: &LedgerLine, line: &LedgerLine) -> bool {
    standing.quality == Quality::Estimated && line.quality == Quality::Exact
}

/// What a sweep knows of one counter of the hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    Live,
    /// No hold there, but it may still be on its way.
    Absent,
    /// No hold there, and none can enter any more.
    Fenced,
}

/// What a read of a counter says of `id`.
pub fn view(counter: Option<&Counter>, id: AttemptId) -> View {
    match counter {
        Some(counter) if counter.live.contains_key(&id) => View::Live,
        Some(counter) if counter.floor.is_some_and(|floor| floor >= id) => View::Fenced,
        _ => View::Absent,
    }
}

/// What a sweep does next about a hold without a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// FENCE the counter at this place, whose view then is another.
    Fence(usize),
    /// It was never dispatched and cannot be: a line of zero.
    Void,
    /// It may have been dispatched: a line of the whole amount.
    Estimate,
}

/// SWEEP's decision. Fencing what is absent until nothing is leads to one of the two lines.
pub fn verdict(views: &[View]) -> Verdict {
    match views.iter().position(|view| *view == View::Absent) {
        _ if views.contains(&View::Fenced) => Verdict::Void,
        Some(at) => Verdict::Fence(at),
        None => Verdict::Estimate,
    }
}

/// The exact line of zero: of an attempt that was never dispatched.
pub fn void(id: AttemptId, hold: &Hold, now: Timestamp) -> LedgerLine {
    let total = hold.total();
    LedgerLine {
        version: LINE_VERSION,
        id,
        request: hold.facts.request,
        tenant: hold.facts.tenant.clone(),
        key_id: hold.facts.key.clone(),
        user: None,
        model: hold.facts.model.clone(),
        price: hold.facts.price.clone(),
        quality: Quality::Exact,
        amount: NanoUsd::ZERO,
        reserved: total,
        usage: TokenUsage::default(),
        outcome: Outcome::Abandoned,
        items: hold.items.clone(),
        at: now,
        notes: hold.facts.for_lookup.then(|| Notes { for_lookup: true, ..Notes::default() }),
    }
}

/// The line of the whole amount, for a hold that nobody settled in time.
pub fn estimate(id: AttemptId, hold: &Hold, now: Timestamp) -> LedgerLine {
    let outcome = Outcome::FailedBilled;
    LedgerLine { quality: Quality::Estimated, amount: hold.total(), outcome, ..void(id, hold, now) }
}

#[cfg(test)]
mod tests;
