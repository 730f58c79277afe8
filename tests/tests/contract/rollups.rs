//! Rollups, and the reads of the ledger that they are made of.

use shared::app::rollups::{Stores as Folding, recompute};
use shared::domain::id::AttemptId;
use shared::domain::ledger::LedgerLine;
use shared::domain::rollup::{Fold, Rollup, Summary};
use shared::domain::time::Timestamp;

use super::samples::{NOW, estimate, id, line};
use super::stores::Stores;

on_every_store!(
    a_partition_is_read_page_by_page,
    the_lines_of_a_request_come_by_id,
    a_rollup_replaces_the_older_and_never_the_newer,
    rollups_are_read_by_key_and_hour,
    summaries_are_read_by_day_and_the_newest_stands,
    a_recomputation_equals_a_fold_of_the_lines,
    the_note_of_what_is_folded_only_moves_on,
);

/// Attempt `n` of the request number `request`.
fn attempt(n: u32, request: u32) -> LedgerLine {
    LedgerLine { id: id(n), request: id(request), ..line(0, 7) }
}

async fn put(stores: &Stores, line: &LedgerLine) {
    stores.write_ledger.put(line).await.expect("put");
}

async fn a_partition_is_read_page_by_page(stores: &Stores) {
    // Long enough that a store with pages of a megabyte has two.
    let long = |n: u32| LedgerLine { user: Some("u".repeat(100_000)), ..attempt(n, 0) };
    let lines: Vec<LedgerLine> = (1..=15).map(long).collect();
    for line in lines.iter().rev() {
        put(stores, line).await;
    }
    put(stores, &LedgerLine { tenant: "globex".to_owned(), ..attempt(20, 0) }).await;
    let partition = lines[0].partition();
    let (mut found, mut from, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = stores.read_ledger.page(&partition, from.as_ref()).await.expect("readable");
        found.extend(page.lines);
        pages += 1;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert!(found == lines, "every line once, in order");
    assert!(pages >= 2, "{pages} pages");
}

async fn the_lines_of_a_request_come_by_id(stores: &Stores) {
    for (n, request) in [(3, 1), (1, 1), (2, 2), (4, 1)] {
        put(stores, &attempt(n, request)).await;
    }
    let of_request = async |tenant: &str, request| {
        stores.read_ledger.of_request(tenant, id(request)).await.expect("readable")
    };
    assert_eq!(of_request("acme", 1).await, [attempt(1, 1), attempt(3, 1), attempt(4, 1)]);
    assert_eq!(of_request("acme", 2).await, [attempt(2, 2)]);
    assert_eq!(of_request("acme", 3).await, []);
    assert_eq!(of_request("globex", 1).await, [], "whose it is must be known");
}

fn folded(lines: &[LedgerLine]) -> Vec<Rollup> {
    let mut fold = Fold::default();
    lines.iter().try_for_each(|line| fold.add(line)).expect("sums fit");
    fold.rollups().expect("sums fit")
}

fn one(lines: &[LedgerLine]) -> Rollup {
    let rollups = folded(lines);
    assert_eq!(rollups.len(), 1, "{rollups:?}");
    rollups.into_iter().next().expect("one")
}

async fn read(stores: &Stores, hours: std::ops::Range<i64>) -> Vec<Rollup> {
    stores.read_rollups.of_key("key-1", hours).await.expect("readable")
}

async fn a_rollup_replaces_the_older_and_never_the_newer(stores: &Stores) {
    let hour = NOW.hour();
    let (older, newer) = (one(&[estimate(1)]), one(&[line(1, 120), attempt(2, 0)]));
    for (rollup, standing) in [(&older, &older), (&newer, &newer), (&older, &newer), (&newer, &newer)] {
        stores.write_rollups.put(rollup).await.expect("put");
        assert_eq!(read(stores, hour..hour + 1).await, std::slice::from_ref(standing));
    }
    let other = Rollup { requests: 9, ..newer.clone() };
    stores.elsewhere().write_rollups.put(&other).await.expect("put");
    assert_eq!(read(stores, hour..hour + 1).await, [other], "a fold by newer rules replaces its like");
}

async fn rollups_are_read_by_key_and_hour(stores: &Stores) {
    let sample = one(&[line(1, 120)]);
    let at =
        |key: &str, hour: i64, shard: u8| Rollup { key_id: key.to_owned(), hour, shard, ..sample.clone() };
    for rollup in
        [at("key-1", 99_999, 3), at("key-1", 100_000, 1), at("key-1", 100_000, 0), at("key-2", 100_000, 2)]
    {
        stores.write_rollups.put(&rollup).await.expect("put");
    }
    let all = [at("key-1", 99_999, 3), at("key-1", 100_000, 0), at("key-1", 100_000, 1)];
    assert_eq!(read(stores, 0..i64::MAX).await, all);
    assert_eq!(read(stores, 99_999..100_000).await, all[..1]);
    assert_eq!(read(stores, 100_000..100_001).await, all[1..]);
    assert_eq!(read(stores, 100_000..100_000).await, []);
}

async fn summaries_are_read_by_day_and_the_newest_stands(stores: &Stores) {
    let mut fold = Fold::default();
    fold.add(&line(1, 120)).expect("sums fit");
    let sample = fold.close().expect("sums fit").summaries.remove(0);
    let at = |tenant: &str, hour: i64, shard: u8| Summary {
        tenant: tenant.to_owned(),
        hour,
        shard,
        ..sample.clone()
    };
    let all =
        [at("acme", 47, 3), at("acme", 48, 0), at("globex", 48, 0), at("acme", 71, 1), at("acme", 72, 0)];
    for summary in all.iter().rev() {
        stores.write_rollups.put_summary(summary).await.expect("put");
    }
    for (day, expected) in [(0, &all[..0]), (1, &all[..1]), (2, &all[1..4]), (3, &all[4..])] {
        assert_eq!(stores.read_rollups.of_day(day).await.expect("readable"), expected, "day {day}");
    }
    let newer = Summary { version: sample.version + 1, fallbacks: 7, ..all[0].clone() };
    for summary in [&newer, &all[0]] {
        stores.write_rollups.put_summary(summary).await.expect("put");
        assert_eq!(stores.read_rollups.of_day(1).await.expect("readable"), std::slice::from_ref(&newer));
    }
}

async fn a_recomputation_equals_a_fold_of_the_lines(stores: &Stores) {
    let hour_later = AttemptId::new(NOW + std::time::Duration::from_secs(3_600), 1);
    let lines = [
        line(1, 120),
        estimate(2),
        LedgerLine { user: None, model: "demo/other".to_owned(), ..line(3, 5) },
        LedgerLine { key_id: "key-2".to_owned(), ..line(4, 6) },
        LedgerLine { id: hour_later, request: hour_later, ..line(0, 7) },
    ];
    for line in &lines {
        put(stores, line).await;
    }
    let folding =
        Folding { ledger: stores.read_ledger.as_ref(), rollups: stores.write_rollups.as_ref(), watch: None };
    for _ in 0..2 {
        for line in &lines {
            recompute(&folding, &line.partition()).await.expect("recomputed");
        }
        let mut stored = read(stores, 0..i64::MAX).await;
        stored.extend(stores.read_rollups.of_key("key-2", 0..i64::MAX).await.expect("readable"));
        stored.sort_by(|a, b| (a.hour, a.shard, &a.key_id).cmp(&(b.hour, b.shard, &b.key_id)));
        assert_eq!(stored, folded(&lines));
    }
}

async fn the_note_of_what_is_folded_only_moves_on(stores: &Stores) {
    assert_eq!(stores.read_rollups.folded().await, Ok(None));
    let at = |second: i64| Timestamp::from_millis(1_000 * second);
    for (second, noted) in [(5, 5), (3, 5), (5, 5), (8, 8)] {
        stores.write_rollups.note_folded(at(second)).await.expect("noted");
        assert_eq!(stores.read_rollups.folded().await, Ok(Some(at(noted))));
    }
}
