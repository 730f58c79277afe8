//! What the requests of the model write, in the product's own types.

use shared::domain::counter::{
    Allowance, Close, Counter, CounterKey, Hold, HoldFacts, Part, RateLimits, Reserve, ScopeKind, WindowForm,
};
use shared::domain::id::AttemptId;
use shared::domain::money::NanoUsd;
use shared::domain::time::Timestamp;

use super::{MILLISECOND, Micros, SECOND, size};

/// What every request holds and costs. The cap is far away: what is refused here would have fit.
const HELD: NanoUsd = NanoUsd::from_nano(12_345_678);
pub(crate) const COST: NanoUsd = NanoUsd::from_nano(2_500_000);
const CAP: NanoUsd = NanoUsd::from_nano(1_000_000_000_000);
const TOKENS: i64 = 2_013;
/// When the simulation begins, in milliseconds since 1970.
const START: i64 = 1_800_000_000_000;

pub(crate) fn at(now: Micros) -> Timestamp {
    Timestamp::from_millis(START + i64::try_from(now / MILLISECOND).unwrap_or(i64::MAX))
}

/// The form that fits the counter as it stood.
pub(crate) fn next_form(old: Option<&Counter>, now: Micros) -> (i64, WindowForm) {
    let minute = at(now).minute();
    match old {
        None => (minute, WindowForm::Create),
        Some(old) if old.window >= minute => (old.window, WindowForm::Same),
        Some(old) => (minute, WindowForm::Roll { from: old.window }),
    }
}

fn key(shard: usize) -> CounterKey {
    CounterKey {
        kind: ScopeKind::Key,
        id: "k7q2m9x4t1zp".to_owned(),
        period: "month#2027-01".to_owned(),
        shard: u8::try_from(shard).ok(),
    }
}

/// RESERVE of one request, into one shard.
pub(crate) fn reserve_of(
    shard: usize,
    id: AttemptId,
    (window, form): (i64, WindowForm),
    now: Micros,
) -> Reserve {
    let facts = HoldFacts {
        request: id,
        tenant: "default".to_owned(),
        key: key(0).id,
        model: "openai/gpt-4o-mini".to_owned(),
        price: "openai/gpt-4o-mini@2024-10-02".to_owned(),
        for_lookup: false,
    };
    let hold = Hold {
        amount: HELD,
        tokens: TOKENS,
        window,
        items: vec![Part { counter: key(shard), amount: HELD }],
        expires: at(now + 900 * SECOND),
        facts,
    };
    Reserve {
        key: key(shard),
        id,
        hold: Some(hold),
        allowance: Allowance { cap: CAP, ..Allowance::default() },
        limits: RateLimits::default(),
        window,
        tokens: TOKENS,
        form,
    }
}

/// CLOSE of one request.
pub(crate) fn close_of(shard: usize, id: AttemptId, billed: NanoUsd) -> Close {
    Close { key: key(shard), id, billed, billed_tokens: TOKENS / 2, withdrawn: false }
}

/// All holds of the model are equally large.
pub(crate) fn bytes(counter: Option<&Counter>) -> u64 {
    let each =
        |counter: &Counter| counter.live.values().next().map_or(0, size::hold) * counter.live.len() as u64;
    size::COUNTER + counter.map_or(0, each)
}
