//! Ids, holds, writes and lines to test with.

use shared::domain::counter::{
    Allowance, Close, Counter, CounterKey, Hold, HoldFacts, Part, RateLimits, Reserve, ScopeKind, WindowForm,
};
use shared::domain::id::AttemptId;
use shared::domain::ledger::{LINE_VERSION, LedgerLine, Outcome, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::time::{Period, Timestamp};
use shared::domain::usage::TokenUsage;
use shared::ports::ReserveReply;

use super::stores::Stores;

/// 2027-01-15T08:00:00Z.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
pub(super) const CAP: i64 = 1_000;

pub(super) fn nano(amount: i64) -> NanoUsd {
    NanoUsd::from_nano(amount)
}

pub(super) fn id(n: u32) -> AttemptId {
    AttemptId::new(NOW, u128::from(n))
}

pub(super) fn counter_key() -> CounterKey {
    CounterKey::new(ScopeKind::Key, "key-1", Period::Month, NOW)
}

pub(super) fn hold(amount: i64, tokens: i64, window: i64) -> Hold {
    let facts = HoldFacts {
        request: id(0),
        tenant: "acme".to_owned(),
        key: "key-1".to_owned(),
        model: "demo/ok".to_owned(),
        price: "demo/*@2026-01-01".to_owned(),
        for_lookup: false,
    };
    let items = vec![Part { counter: counter_key(), amount: nano(amount) }];
    Hold { amount: nano(amount), tokens, window, items, expires: NOW, facts }
}

/// A reserve of `amount` and ten tokens in the present minute, without rate limits.
pub(super) fn reserve(n: u32, amount: i64, form: WindowForm) -> Reserve {
    Reserve {
        key: counter_key(),
        id: id(n),
        hold: Some(hold(amount, 10, NOW.minute())),
        allowance: Allowance { cap: nano(CAP), ..Allowance::default() },
        limits: RateLimits::default(),
        window: NOW.minute(),
        tokens: 10,
        form,
    }
}

pub(super) fn close(n: u32, billed: i64) -> Close {
    Close { key: counter_key(), id: id(n), billed: nano(billed), billed_tokens: 4, withdrawn: false }
}

/// The exact line of attempt `n`, held at 300.
pub(super) fn line(n: u32, amount: i64) -> LedgerLine {
    LedgerLine {
        version: LINE_VERSION,
        id: id(n),
        request: id(0),
        tenant: "acme".to_owned(),
        key_id: "key-1".to_owned(),
        user: Some("u-1".to_owned()),
        model: "demo/ok".to_owned(),
        price: "demo/*@2026-01-01".to_owned(),
        quality: Quality::Exact,
        amount: nano(amount),
        reserved: nano(300),
        usage: TokenUsage { uncached: 3, output: 1, ..TokenUsage::default() },
        outcome: Outcome::Completed,
        items: vec![Part { counter: counter_key(), amount: nano(300) }],
        at: NOW,
        notes: None,
    }
}

pub(super) fn estimate(n: u32) -> LedgerLine {
    LedgerLine { quality: Quality::Estimated, outcome: Outcome::FailedBilled, ..line(n, 300) }
}

pub(super) async fn held(stores: &Stores, write: &Reserve) -> Counter {
    match stores.counters.reserve(write).await {
        Ok(ReserveReply::Held(counter)) => counter,
        other => panic!("not held: {other:?}"),
    }
}

pub(super) async fn refused(stores: &Stores, write: &Reserve) -> Option<Counter> {
    match stores.counters.reserve(write).await {
        Ok(ReserveReply::Refused(counter)) => counter,
        other => panic!("not refused: {other:?}"),
    }
}

pub(super) async fn counter(stores: &Stores) -> Counter {
    stores.counters.read(&counter_key()).await.expect("readable").expect("a counter")
}

/// What was spent, what is held, what is left.
pub(super) fn books(counter: &Counter) -> (i64, i64, i64) {
    (counter.spent().nano(), counter.held().nano(), counter.remaining.nano())
}
