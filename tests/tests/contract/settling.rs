//! Ledger lines, settlement, and late settlement.

use futures_util::future::join_all;
use shared::app::settle::settle;
use shared::domain::counter::WindowForm;
use shared::domain::id::AttemptId;
use shared::domain::ledger::{LedgerLine, Outcome};
use shared::domain::time::Timestamp;
use shared::ports::{PutLine, StoreError};

use super::samples::{NOW, books, counter, estimate, held, line, nano, reserve};
use super::stores::Stores;

on_every_store!(
    a_replayed_settlement_is_a_no_op,
    an_estimate_becomes_the_exact_amount_once,
    eight_concurrent_late_settlements_correct_once,
    a_correction_waits_until_the_hold_is_closed,
    only_the_estimate_that_stands_is_corrected,
    an_abandoned_reserve_that_lands_late_is_closed_at_zero,
    a_line_put_twice_stays_the_first,
    the_lines_of_a_key_come_oldest_first_from_since_on,
);

async fn settled(stores: &Stores, line: &LedgerLine) -> Result<(), StoreError> {
    settle(stores.counters.as_ref(), stores.write_ledger.as_ref(), line).await
}

async fn lines(stores: &Stores) -> Vec<LedgerLine> {
    stores.read_ledger.of_key("key-1", Timestamp::default(), 1_000).await.expect("readable")
}

async fn a_replayed_settlement_is_a_no_op(stores: &Stores) {
    held(stores, &reserve(1, 300, WindowForm::Create)).await;
    for instance in [stores, stores, &stores.elsewhere()] {
        settled(instance, &line(1, 120)).await.expect("settled");
        assert_eq!(books(&counter(stores).await), (120, 0, 880));
        assert_eq!(lines(stores).await, [line(1, 120)]);
    }
    settled(stores, &line(1, 7)).await.expect("another amount for the same id changes nothing");
    assert_eq!(lines(stores).await, [line(1, 120)]);
    assert_eq!(books(&counter(stores).await), (120, 0, 880));
}

async fn an_estimate_becomes_the_exact_amount_once(stores: &Stores) {
    held(stores, &reserve(1, 300, WindowForm::Create)).await;
    settled(stores, &estimate(1)).await.expect("settled");
    assert_eq!(books(&counter(stores).await), (300, 0, 700));
    for instance in [stores, stores, &stores.elsewhere()] {
        settled(instance, &line(1, 120)).await.expect("settled late");
        assert_eq!(books(&counter(stores).await), (120, 0, 880));
        assert_eq!(lines(stores).await, [line(1, 120)]);
    }
    settled(stores, &estimate(1)).await.expect("a late estimate changes nothing");
    assert_eq!(lines(stores).await, [line(1, 120)]);
}

async fn eight_concurrent_late_settlements_correct_once(stores: &Stores) {
    held(stores, &reserve(1, 300, WindowForm::Create)).await;
    let instances: Vec<Stores> = (0..8).map(|_| stores.elsewhere()).collect();
    // The estimate and the exact line race as well.
    let (estimated, exact) = (estimate(1), line(1, 120));
    settled(stores, &estimated).await.expect("settled");
    let settling = instances.iter().map(|instance| settled(instance, &exact));
    for outcome in join_all(settling).await {
        outcome.expect("settled late");
    }
    assert_eq!(books(&counter(stores).await), (120, 0, 880));
    assert_eq!(lines(stores).await, [exact]);
}

async fn a_correction_waits_until_the_hold_is_closed(stores: &Stores) {
    held(stores, &reserve(1, 300, WindowForm::Create)).await;
    let (estimated, exact) = (estimate(1), line(1, 120));
    let correct = || stores.write_ledger.correct(&estimated, &exact);
    assert_eq!(correct().await, Ok(false), "no line yet");
    stores.write_ledger.put(&estimated).await.expect("put");
    assert_eq!(correct().await, Ok(false), "the hold is live");
    assert_eq!(lines(stores).await, std::slice::from_ref(&estimated));
    settled(stores, &estimated).await.expect("settled");
    assert_eq!(correct().await, Ok(true));
    assert_eq!(correct().await, Ok(false), "exact by now");
    assert_eq!(books(&counter(stores).await), (120, 0, 880));
}

async fn only_the_estimate_that_stands_is_corrected(stores: &Stores) {
    held(stores, &reserve(1, 300, WindowForm::Create)).await;
    settled(stores, &line(1, 300)).await.expect("settled exactly, at the amount of the estimate");
    assert_eq!(stores.write_ledger.correct(&estimate(1), &line(1, 120)).await, Ok(false));
    held(stores, &reserve(2, 300, WindowForm::Same)).await;
    settled(stores, &estimate(2)).await.expect("settled");
    let other = LedgerLine { amount: nano(200), ..estimate(2) };
    assert_eq!(stores.write_ledger.correct(&other, &line(2, 120)).await, Ok(false));
    assert_eq!(books(&counter(stores).await), (600, 0, 400));
    assert_eq!(lines(stores).await, [line(1, 300), estimate(2)]);
}

async fn an_abandoned_reserve_that_lands_late_is_closed_at_zero(stores: &Stores) {
    held(stores, &reserve(1, 300, WindowForm::Create)).await;
    let abandoned = LedgerLine { outcome: Outcome::Abandoned, ..line(2, 0) };
    settled(stores, &abandoned).await.expect("settled before it landed");
    held(stores, &reserve(2, 300, WindowForm::Same)).await;
    settled(stores, &abandoned).await.expect("settled by whoever meets the hold");
    assert_eq!(books(&counter(stores).await), (0, 300, 700));
}

async fn a_line_put_twice_stays_the_first(stores: &Stores) {
    let put = async |line: &LedgerLine| stores.write_ledger.put(line).await.expect("put");
    assert_eq!(put(&line(1, 120)).await, PutLine::Inserted);
    let existing = PutLine::Existing(Box::new(line(1, 120)));
    assert_eq!(put(&line(1, 120)).await, existing);
    assert_eq!(put(&line(1, 999)).await, existing);
    let puts: Vec<LedgerLine> = (0..20).map(|amount| line(2, amount)).collect();
    let outcomes = join_all(puts.iter().map(|line| stores.write_ledger.put(line))).await;
    let inserted = outcomes.iter().filter(|outcome| **outcome == Ok(PutLine::Inserted)).count();
    assert_eq!(inserted, 1);
}

async fn the_lines_of_a_key_come_oldest_first_from_since_on(stores: &Stores) {
    let at = |second: u64, key: &str| {
        let time = NOW + std::time::Duration::from_secs(second);
        let id = AttemptId::new(time, u128::from(second));
        LedgerLine { id, request: id, key_id: key.to_owned(), at: time, ..line(0, 1) }
    };
    // Hours apart, so that they lie in several partitions.
    for second in [9_000, 0, 4_000, 1, 8_000] {
        stores.write_ledger.put(&at(second, "key-1")).await.expect("put");
        stores.write_ledger.put(&at(second + 10, "key-2")).await.expect("put");
    }
    let of_key = async |since: u64| {
        let since = NOW + std::time::Duration::from_secs(since);
        stores.read_ledger.of_key("key-1", since, 1_000).await.expect("readable")
    };
    let expected = |seconds: &[u64]| seconds.iter().map(|second| at(*second, "key-1")).collect::<Vec<_>>();
    assert_eq!(of_key(0).await, expected(&[0, 1, 4_000, 8_000, 9_000]));
    assert_eq!(of_key(4_000).await, expected(&[4_000, 8_000, 9_000]));
    assert_eq!(of_key(9_001).await, []);
    let two = stores.read_ledger.of_key("key-1", NOW, 2).await;
    assert_eq!(two, Ok(expected(&[0, 1])), "no more than were asked for");
    assert_eq!(stores.read_ledger.of_key("nobody", NOW, 1_000).await, Ok(vec![]));
}
