//! What is kept, and in whose partition.

use std::collections::BTreeSet;

use fastrand::Rng;
use shared::ports::VectorRecord;

use super::records::{axis, ids, later, random, record};
use super::stores::Tested;

on_every_vector_store!(
    a_record_is_found_with_all_that_it_carries,
    a_record_takes_the_place_of_its_elder,
    of_two_in_one_batch_the_later_stands,
    no_partition_ever_shows_the_record_of_another,
    payloads_of_100_kilobytes_come_back_whole,
    concurrent_writers_lose_nothing_and_double_nothing,
);

/// What breaks quoting, escaping, patterns, key separators and lengths.
const HOSTILE: [&str; 20] = [
    "a",
    "A",
    "a b",
    "a,b",
    "a|b",
    "a\"b",
    "a'b",
    "a' OR '1'='1",
    "a\\",
    "{a}",
    "@a:{*}",
    "*",
    "a*",
    "%",
    "_",
    "a-b",
    "vector#a",
    "a\u{0}b",
    "\u{fc}\u{1f980}\u{202e}",
    "u\u{308}\u{1f980}\u{202e}",
];

async fn a_record_is_found_with_all_that_it_carries(tested: &Tested) {
    tested.set_up().await;
    let payload = "quotes \" ' \\, braces {}[], \u{1f980}, tab \t, line\nbreak, `$1` %s null \u{1}";
    for (n, id) in HOSTILE.iter().enumerate() {
        let vector = axis(n);
        let kept = VectorRecord { payload: format!("{payload} {n}"), ..record("carries", id, &vector) };
        tested.upsert(std::slice::from_ref(&kept)).await;
        let found = tested.sees("carries", &vector, 1, |found| ids(found) == [*id]).await;
        let found = &found[0];
        assert_eq!((found.id.as_str(), &found.payload), (*id, &kept.payload));
        assert_eq!(found.expires, kept.expires, "to the millisecond");
        assert!((found.similarity - 1.0).abs() < 1e-3 && found.similarity <= 1.0, "{}", found.similarity);
    }
}

async fn a_record_takes_the_place_of_its_elder(tested: &Tested) {
    tested.set_up().await;
    let elder = record("elder", "one", &axis(0));
    let younger = VectorRecord { payload: "younger".to_owned(), ..record("elder", "one", &axis(1)) };
    tested.upsert(&[elder, record("elder", "other", &axis(0))]).await;
    tested.settles("elder", &axis(0), 2).await;
    tested.upsert(std::slice::from_ref(&younger)).await;
    let found = tested
        .sees("elder", &axis(1), 10, |found| found.first().is_some_and(|first| first.payload == "younger"))
        .await;
    assert_eq!(ids(&found), ["one", "other"]);
    assert_eq!(found[0].expires, younger.expires);
    let around_the_elder = tested.nearest("elder", &axis(0), 10).await;
    assert_eq!(ids(&around_the_elder), ["other", "one"], "nothing of the elder is left");
}

async fn of_two_in_one_batch_the_later_stands(tested: &Tested) {
    tested.set_up().await;
    let versions = ["first", "second"]
        .map(|payload| VectorRecord { payload: payload.to_owned(), ..record("batch", "same", &axis(0)) });
    tested.upsert(&versions).await;
    tested.settles("batch", &axis(0), 1).await;
    let found = tested.nearest("batch", &axis(0), 10).await;
    assert_eq!(found[0].payload, "second");
    tested.upsert(&[]).await;
}

async fn no_partition_ever_shows_the_record_of_another(tested: &Tested) {
    tested.set_up().await;
    let vector = random(&mut Rng::with_seed(1));
    let records: Vec<_> = HOSTILE
        .iter()
        .flat_map(|partition| [record(partition, "same", &vector), record(partition, "second", &vector)])
        .collect();
    tested.upsert(&records).await;
    for partition in HOSTILE {
        tested.settles(partition, &vector, 2).await;
        let found = tested.nearest(partition, &vector, 100).await;
        for neighbour in &found {
            let own = record(partition, &neighbour.id, &vector).payload;
            assert_eq!(neighbour.payload, own, "found in {partition:?}");
        }
    }
    for stranger in ["b", "a:", "a,", "", "a b c", "carries"] {
        // The empty name is no partition; a store may refuse it.
        let found = tested.store.nearest(stranger, &vector, 100).await.unwrap_or_default();
        assert!(found.is_empty(), "found in {stranger:?}: {:?}", ids(&found));
    }
}

async fn payloads_of_100_kilobytes_come_back_whole(tested: &Tested) {
    tested.set_up().await;
    let large = |n: usize| VectorRecord {
        payload: format!("{n}").repeat(100 * 1024),
        ..record("large", &n.to_string(), &axis(n))
    };
    let records: Vec<_> = (0..8).map(large).collect();
    tested.upsert(&records).await;
    let found = tested.sees("large", &axis(0), 8, |found| found.len() == 8).await;
    for neighbour in found {
        let n: usize = neighbour.id.parse().expect("a number");
        assert!(neighbour.payload == records[n].payload, "payload {n} was changed");
    }
}

async fn concurrent_writers_lose_nothing_and_double_nothing(tested: &Tested) {
    tested.set_up().await;
    let writers = (0..8).map(|writer| {
        let store = tested.store.clone();
        tokio::spawn(async move {
            for n in 0..10 {
                // One id is everybody's, the others are each writer's own.
                let own = record("writers", &format!("{writer}-{n}"), &axis(writer * 10 + n));
                let shared = VectorRecord { expires: later(), ..record("writers", "all", &axis(200)) };
                store.upsert(&[own, shared]).await.expect("written");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no panic");
    }
    tested.settles("writers", &axis(200), 81).await;
    let found = tested.nearest("writers", &axis(200), 100).await;
    assert_eq!(found[0].id, "all");
    assert_eq!(ids(&found).into_iter().collect::<BTreeSet<_>>().len(), 81, "none twice");
}
