//! Sweeps, settlements over several counters, and the listing that a pass reads.

use std::time::Duration;

use futures_util::future::join_all;
use shared::app::settle::settle;
use shared::app::sweep::{MARGIN, Stale, Stores as Needs, Swept, Tally, pass, sweep};
use shared::domain::counter::{Counter, CounterKey, Hold, Part, Reserve, ScopeKind, WindowForm};
use shared::domain::ledger::{LedgerLine, Outcome, Quality};
use shared::domain::time::{Period, Timestamp};
use shared::ports::{LineMark, Mark};
use tokio::time::Instant;

use super::samples::{NOW, books, held, hold, id, line, nano, refused, reserve};
use super::stores::Stores;

on_every_store!(
    a_hold_in_every_counter_is_estimated_and_corrected_to_the_nano,
    a_hold_in_some_counters_only_is_voided_and_its_reserve_stays_out,
    a_hold_with_a_line_is_closed_at_the_line,
    twenty_sweeps_and_a_settlement_at_once_leave_one_line,
    a_line_is_found_by_tenant_request_and_id,
    counters_with_open_holds_are_listed_to_the_last,
    a_pass_sweeps_what_is_late_and_nothing_else,
);

/// A key over two shards, and a token that is not sharded.
fn parts() -> Vec<Part> {
    let shard = |shard, amount| {
        let counter =
            CounterKey { shard: Some(shard), ..CounterKey::new(ScopeKind::Key, "key-1", Period::Month, NOW) };
        Part { counter, amount: nano(amount) }
    };
    let token = CounterKey::new(ScopeKind::Token, "token-1", Period::Total, NOW);
    vec![shard(0, 100), shard(63, 200), Part { counter: token, amount: nano(300) }]
}

fn part_hold(part: &Part) -> Hold {
    Hold { items: parts(), ..hold(part.amount.nano(), 10, NOW.minute()) }
}

/// The reserve of attempt `n` in the counter at this place.
fn part_reserve(n: u32, at: usize) -> Reserve {
    let part = &parts()[at];
    let hold = Some(part_hold(part));
    Reserve { key: part.counter.clone(), hold, ..reserve(n, part.amount.nano(), WindowForm::Create) }
}

fn late(n: u32, at: usize) -> Stale {
    let part = &parts()[at];
    Stale { id: id(n), counter: part.counter.clone(), hold: part_hold(part) }
}

async fn swept(stores: &Stores, stale: &Stale) -> Swept {
    let swept = sweep(stores.counters.as_ref(), stores.write_ledger.as_ref(), stale, NOW).await;
    swept.expect("swept")
}

async fn settled(stores: &Stores, amount: i64) {
    let line = LedgerLine { items: parts(), ..line(1, amount) };
    settle(stores.counters.as_ref(), stores.write_ledger.as_ref(), &line).await.expect("settled");
}

async fn part_counter(stores: &Stores, at: usize) -> Counter {
    stores.counters.read(&parts()[at].counter).await.expect("readable").expect("a counter")
}

/// What was spent, held and left of a thousand in each of the counters.
async fn all_books(stores: &Stores) -> [(i64, i64, i64); 3] {
    let counters = [0, 1, 2].map(|at| part_counter(stores, at));
    let counters: Vec<Counter> = join_all(counters).await;
    [0, 1, 2].map(|at| books(&counters[at]))
}

/// The line of attempt `n` of the request of all samples.
fn mark(n: u32) -> LineMark {
    LineMark { request: id(0), id: id(n) }
}

async fn the_line(stores: &Stores) -> LedgerLine {
    stores.write_ledger.find("acme", mark(1)).await.expect("readable").expect("a line")
}

async fn a_hold_in_every_counter_is_estimated_and_corrected_to_the_nano(stores: &Stores) {
    for at in 0..3 {
        held(stores, &part_reserve(1, at)).await;
    }
    for at in [1, 0, 2] {
        let expected = if at == 1 { Swept::Estimated } else { Swept::Settled };
        assert_eq!(swept(stores, &late(1, at)).await, expected);
        assert_eq!(all_books(stores).await, [(100, 0, 900), (200, 0, 800), (300, 0, 700)]);
    }
    let standing = the_line(stores).await;
    let expected = (Quality::Estimated, nano(300), nano(300), Outcome::FailedBilled);
    assert_eq!((standing.quality, standing.amount, standing.reserved, standing.outcome), expected);
    for _ in 0..2 {
        settled(stores, 120).await;
        assert_eq!(all_books(stores).await, [(100, 0, 900), (20, 0, 980), (120, 0, 880)]);
    }
    assert_eq!((the_line(stores).await.quality, the_line(stores).await.amount), (Quality::Exact, nano(120)));
}

async fn a_hold_in_some_counters_only_is_voided_and_its_reserve_stays_out(stores: &Stores) {
    held(stores, &part_reserve(1, 0)).await;
    assert_eq!(swept(stores, &late(1, 0)).await, Swept::Voided);
    let standing = the_line(stores).await;
    assert_eq!((standing.quality, standing.amount), (Quality::Exact, nano(0)));
    assert_eq!(standing.outcome, Outcome::Abandoned);
    let slow = refused(stores, &part_reserve(1, 1)).await.expect("what the fence made");
    assert!(slow.is_unopened());
    assert_eq!(books(&part_counter(stores, 0).await), (0, 0, 1_000));
    // The counter that no fence was needed for may still be entered, and is closed at the line.
    held(stores, &part_reserve(1, 2)).await;
    assert_eq!(swept(stores, &late(1, 2)).await, Swept::Settled);
    assert_eq!(books(&part_counter(stores, 2).await), (0, 0, 1_000));
    held(stores, &part_reserve(2, 1)).await;
}

async fn a_hold_with_a_line_is_closed_at_the_line(stores: &Stores) {
    for at in 0..3 {
        held(stores, &part_reserve(1, at)).await;
    }
    let exact = LedgerLine { items: parts(), ..line(1, 120) };
    stores.write_ledger.put(&exact).await.expect("put");
    assert_eq!(swept(stores, &late(1, 2)).await, Swept::Settled);
    assert_eq!(all_books(stores).await, [(100, 0, 900), (20, 0, 980), (120, 0, 880)]);
    assert_eq!(the_line(stores).await, exact);
}

async fn twenty_sweeps_and_a_settlement_at_once_leave_one_line(stores: &Stores) {
    for at in 0..3 {
        held(stores, &part_reserve(1, at)).await;
    }
    let instances = [stores.elsewhere(), stores.elsewhere()];
    let stale: Vec<Stale> = (0..20).map(|n| late(1, n % 3)).collect();
    let sweeps = stale.iter().enumerate().map(|(n, stale)| swept(&instances[n % 2], stale));
    futures_util::join!(join_all(sweeps), settled(stores, 120));
    assert_eq!(all_books(stores).await, [(100, 0, 900), (20, 0, 980), (120, 0, 880)]);
    assert_eq!((the_line(stores).await.quality, the_line(stores).await.amount), (Quality::Exact, nano(120)));
}

async fn a_line_is_found_by_tenant_request_and_id(stores: &Stores) {
    let found = async |tenant: &str, n| stores.write_ledger.find(tenant, mark(n)).await.expect("readable");
    assert_eq!(found("acme", 1).await, None);
    stores.write_ledger.put(&line(1, 120)).await.expect("put");
    assert_eq!(found("acme", 1).await, Some(line(1, 120)));
    assert_eq!((found("acme", 2).await, found("other", 1).await), (None, None));
}

/// A counter of its own for each `n`, with one hold that had to be settled by `expires`.
async fn counter_of(stores: &Stores, n: u32, expires: Timestamp) -> CounterKey {
    let key = CounterKey::new(ScopeKind::Key, &format!("key-{n}"), Period::Month, NOW);
    let items = vec![Part { counter: key.clone(), amount: nano(300) }];
    let hold = Hold { items, expires, ..hold(300, 10, NOW.minute()) };
    let write = Reserve { key: key.clone(), hold: Some(hold), ..reserve(n, 300, WindowForm::Create) };
    held(stores, &write).await;
    key
}

async fn counters_with_open_holds_are_listed_to_the_last(stores: &Stores) {
    let mut open = Vec::new();
    for n in 0..20 {
        open.push(counter_of(stores, n, NOW).await);
    }
    let closed = open.split_off(10);
    for (n, key) in (10..).zip(closed) {
        let close = shared::domain::counter::Close { key, ..super::samples::close(n, 0) };
        stores.counters.close(&close).await.expect("closed");
    }
    let (mut listed, mut mark): (Vec<CounterKey>, Option<Mark>) = (Vec::new(), None);
    loop {
        let page = stores.counters_in_use.in_use(NOW, mark.as_ref()).await.expect("listed");
        for (key, counter) in page.counters {
            assert_eq!(stores.counters.read(&key).await, Ok(Some(counter)));
            listed.push(key);
        }
        mark = page.next;
        if mark.is_none() {
            break;
        }
    }
    listed.sort();
    open.sort();
    assert_eq!(listed, open);
    let wrong = Mark("elsewhere".to_owned());
    assert!(stores.counters_in_use.in_use(NOW, Some(&wrong)).await.is_err());
}

async fn a_pass_sweeps_what_is_late_and_nothing_else(stores: &Stores) {
    let late: Vec<CounterKey> = join_all((0..7).map(|n| counter_of(stores, n, NOW))).await;
    let now = NOW + MARGIN + Duration::from_millis(1);
    let in_time = counter_of(stores, 8, NOW + Duration::from_millis(1)).await;
    let needs = Needs {
        in_use: stores.counters_in_use.as_ref(),
        counters: stores.counters.as_ref(),
        ledger: stores.write_ledger.as_ref(),
    };
    let begun = Instant::now();
    // One that has no time ends after a batch or a page, and says where to go on.
    let (first, mark) = pass(&needs, None, now, begun, |_, _| {}).await.expect("listed");
    assert!(first.finished || first.estimated <= 3, "{first:?}");
    let (rest, end) =
        pass(&needs, mark, now, begun + Duration::from_secs(60), |_, _| {}).await.expect("listed");
    assert_eq!((first.estimated + rest.estimated, first.failed + rest.failed), (7, 0));
    assert!(rest.finished && end.is_none());
    for key in &late {
        let counter = stores.counters.read(key).await.expect("readable").expect("a counter");
        assert_eq!(books(&counter), (300, 0, 700));
    }
    let counter = stores.counters.read(&in_time).await.expect("readable").expect("a counter");
    assert_eq!(books(&counter), (0, 300, 700));
    let (again, _) =
        pass(&needs, None, now, begun + Duration::from_secs(60), |_, _| {}).await.expect("listed");
    assert_eq!(again, Tally { counters: 1, finished: true, ..Tally::default() });
}
