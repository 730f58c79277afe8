//! A throttled scope's pace, and when a state ends.

use shared::domain::counter::{Allowance, Bar, Reserve, ScopeState, WindowForm};
use shared::domain::time::Timestamp;

use super::samples::{CAP, NOW, counter_key, held, nano, refused, reserve};
use super::stores::Stores;

on_every_store!(a_throttled_scope_is_admitted_at_its_pace, a_state_ends_with_its_minute);

/// A policy of its own version, and a reserve that follows it.
fn barred(version: i64, state: ScopeState, pace: i64, until: Option<i64>) -> Allowance {
    let version = Timestamp::from_millis(version);
    Allowance { cap: nano(CAP), state, bar: Bar { pace, until }, version }
}

fn following(n: u32, allowance: Allowance, form: WindowForm) -> Reserve {
    let window = if let WindowForm::Roll { from } = form { from + 1 } else { NOW.minute() };
    Reserve { allowance, window, ..reserve(n, 10, form) }
}

async fn a_throttled_scope_is_admitted_at_its_pace(stores: &Stores) {
    held(stores, &reserve(1, 10, WindowForm::Create)).await;
    let slow = barred(1, ScopeState::Throttled, 2, None);
    stores.counters.allow(&counter_key(), &slow).await.expect("allowed");
    held(stores, &following(2, slow, WindowForm::Same)).await;
    let full = refused(stores, &following(3, slow, WindowForm::Same)).await.expect("a counter");
    assert_eq!((full.requests, full.state, full.bar), (2, ScopeState::Throttled, slow.bar));
    held(stores, &following(4, slow, WindowForm::Roll { from: NOW.minute() })).await;
    let still = barred(2, ScopeState::Throttled, 0, None);
    stores.counters.allow(&counter_key(), &still).await.expect("allowed");
    refused(stores, &following(5, still, WindowForm::Roll { from: NOW.minute() + 1 })).await;
    let free = barred(3, ScopeState::Active, 0, None);
    stores.counters.allow(&counter_key(), &free).await.expect("allowed");
    let free = held(stores, &following(6, free, WindowForm::Roll { from: NOW.minute() + 1 })).await;
    assert_eq!((free.state, free.bar), (ScopeState::Active, Bar::default()));
}

async fn a_state_ends_with_its_minute(stores: &Stores) {
    held(stores, &reserve(1, 10, WindowForm::Create)).await;
    for (version, state) in [(1, ScopeState::Stopped), (2, ScopeState::Throttled)] {
        let until = |minutes| barred(version * 10 + minutes, state, 0, Some(NOW.minute() + minutes));
        let n = u32::try_from(version).expect("small") * 10;
        stores.counters.allow(&counter_key(), &until(1)).await.expect("allowed");
        refused(stores, &following(n, until(1), WindowForm::Same)).await;
        let over = Allowance { version: Timestamp::from_millis(version * 10 + 2), ..until(0) };
        stores.counters.allow(&counter_key(), &over).await.expect("allowed");
        held(stores, &following(n + 1, over, WindowForm::Same)).await;
    }
}
