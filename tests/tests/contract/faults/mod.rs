//! Reserves whose request or reply is lost: each is sent once, and ends in one hold or none.

mod conflicts;
mod gremlin;
mod rig;

use std::time::{Duration, Instant};

use shared::app::error::GatewayError;
use shared::app::settle::{Settled, settle, settle_in_time};
use shared::domain::ledger::{LedgerLine, Outcome, Quality};
use shared::domain::money::NanoUsd;
use shared::domain::time::Timestamp;
use shared::ports::StoreError;

use self::gremlin::Fault;
use self::rig::{CAP, HOLD, Rig};
use super::samples::books;
use super::stores::Stores;

on_every_store!(
    a_reserve_without_faults_is_sent_once,
    a_reserve_whose_reply_is_lost_is_found_and_counts_as_one_hold,
    a_reserve_whose_request_is_lost_is_abandoned_and_admitted_under_a_fresh_id,
    a_lost_request_that_arrives_late_is_closed_at_zero,
    a_reserve_that_never_gets_through_ends_in_an_error_and_no_hold,
    a_reserve_that_is_throttled_goes_again_twice_and_then_fails_at_once,
);

async fn a_reserve_without_faults_is_sent_once(stores: &Stores) {
    let rig = Rig::over(stores).await;
    let reservation = rig.reserve().await.expect("admitted");
    assert_eq!(rig.gremlin.sent_once(), [reservation.id()]);
    assert_eq!(books(&rig.counter().await), (0, HOLD, CAP - HOLD));
}

async fn a_reserve_whose_reply_is_lost_is_found_and_counts_as_one_hold(stores: &Stores) {
    let rig = Rig::over(stores).await;
    rig.gremlin.arm(Fault::LoseReply);
    let reservation = rig.reserve().await.expect("found by the read");
    assert_eq!(rig.gremlin.sent_once(), [reservation.id()]);
    let counter = rig.counter().await;
    assert_eq!(counter.live.keys().copied().collect::<Vec<_>>(), [reservation.id()]);
    assert_eq!(books(&counter), (0, HOLD, CAP - HOLD));
    assert_eq!(settle_in_time(&rig.app, &rig.line(&reservation, 120)).await, Settled::Now);
    assert_eq!(books(&rig.counter().await), (120, 0, CAP - 120));
    assert_eq!(rig.lines().await.len(), 1);
}

/// The zero line that an abandoned reserve leaves.
fn is_zero_line(line: &LedgerLine) -> bool {
    (line.amount, line.quality, line.outcome) == (NanoUsd::ZERO, Quality::Exact, Outcome::Abandoned)
}

async fn a_reserve_whose_request_is_lost_is_abandoned_and_admitted_under_a_fresh_id(stores: &Stores) {
    let rig = Rig::over(stores).await;
    rig.gremlin.arm(Fault::LoseRequest);
    let reservation = rig.reserve().await.expect("admitted under a fresh id");
    let sent = rig.gremlin.sent_once();
    assert_eq!((sent.len(), sent[1]), (2, reservation.id()));
    let lines = rig.lines().await;
    assert_eq!((lines.len(), lines[0].id), (1, sent[0]));
    assert!(is_zero_line(&lines[0]), "{lines:?}");
    assert_eq!(settle_in_time(&rig.app, &rig.line(&reservation, 120)).await, Settled::Now);
    assert_eq!(books(&rig.counter().await), (120, 0, CAP - 120));
}

async fn a_lost_request_that_arrives_late_is_closed_at_zero(stores: &Stores) {
    let rig = Rig::over(stores).await;
    rig.gremlin.arm(Fault::LoseRequest);
    let reservation = rig.reserve().await.expect("admitted under a fresh id");
    rig.gremlin.deliver_late().await;
    assert_eq!(books(&rig.counter().await), (0, 2 * HOLD, CAP - 2 * HOLD));
    let zero = rig.lines().await.remove(0);
    assert!(is_zero_line(&zero), "{zero:?}");
    let other = rig.stores.elsewhere();
    settle(other.counters.as_ref(), other.write_ledger.as_ref(), &zero).await.expect("closed");
    assert_eq!(settle_in_time(&rig.app, &rig.line(&reservation, 120)).await, Settled::Now);
    assert_eq!(books(&rig.counter().await), (120, 0, CAP - 120));
}

async fn a_reserve_that_never_gets_through_ends_in_an_error_and_no_hold(stores: &Stores) {
    let rig = Rig::over(stores).await;
    for _ in 0..20 {
        rig.gremlin.arm(Fault::LoseRequest);
    }
    rig.reserve().await.expect_err("budgets fail closed");
    let mut sent = rig.gremlin.sent_once();
    // Ids of the same millisecond are in any order.
    sent.sort_unstable();
    let lines =
        rig.stores.read_ledger.of_key(rig.key_id(), Timestamp::default(), 1_000).await.expect("readable");
    assert!(lines.iter().all(is_zero_line), "{lines:?}");
    assert_eq!(lines.iter().map(|line| line.id).collect::<Vec<_>>(), sent);
    assert_eq!(books(&rig.counter().await), (0, 0, CAP));
}

async fn a_reserve_that_is_throttled_goes_again_twice_and_then_fails_at_once(stores: &Stores) {
    let rig = Rig::over(stores).await;
    (0..2).for_each(|_| rig.gremlin.arm(Fault::Throttle));
    let reservation = rig.reserve().await.expect("admitted by the third copy");
    assert_eq!(rig.gremlin.sent_once(), [reservation.id()], "those that were throttled were not applied");
    assert_eq!(books(&rig.counter().await), (0, HOLD, CAP - HOLD));
    (0..3).for_each(|_| rig.gremlin.arm(Fault::Throttle));
    let started = Instant::now();
    let refused = rig.reserve().await.expect_err("budgets fail closed");
    assert!(matches!(refused, GatewayError::StoreDown(StoreError::Rejected(_))), "{refused:?}");
    // Two waits of a tenth of a second at most, and three round trips.
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(rig.gremlin.sent_once(), [reservation.id()]);
    assert_eq!(rig.lines().await, [], "nothing was sent that would have to be abandoned");
    let next = rig.reserve().await.expect("and the next one is admitted");
    assert_eq!(rig.gremlin.sent_once(), [reservation.id(), next.id()]);
}
