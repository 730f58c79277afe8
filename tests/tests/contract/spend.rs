//! The last minute of keys, and their hours.

use shared::domain::anomaly::{Bucket, History, Hour, Part};
use shared::domain::partition::Partition;

use super::samples::nano;
use super::stores::Stores;

on_every_store!(the_partitions_of_a_key_make_one_minute, the_hours_of_a_key_are_replaced);

fn bucket(slice: i64, requests: u64) -> Bucket {
    Bucket { slice, requests, cost: 1_234_567_890_123, clipped: 7 }
}

async fn the_partitions_of_a_key_make_one_minute(stores: &Stores) {
    let partition = |hour, shard| Partition { tenant: "acme".to_owned(), hour, shard };
    let spend = stores.spend.as_ref();
    for (key, hour, shard, buckets, all) in [
        ("a", 500_000, 0, vec![bucket(1, 1), bucket(2, 2)], vec![1, 2]),
        ("a", 500_000, 3, vec![bucket(2, 4)], vec![1, 2, 4]),
        ("b", 500_000, 0, vec![bucket(2, 8)], vec![8]),
        ("a", 500_000, 0, vec![bucket(2, 3), bucket(3, 5)], vec![3, 4, 5]),
        ("a", 500_001, 0, vec![bucket(4, 9)], vec![3, 4, 5, 9]),
        ("a", 500_002, 0, vec![], vec![4, 9]),
    ] {
        let part = Part { hour, requests: 70, cost: 1_234_567_890_123, buckets };
        let parts = spend.put_part(key, &partition(hour, shard), &part).await.expect("put");
        let minute: Vec<Bucket> = parts.iter().flat_map(|part| &part.buckets).copied().collect();
        let mut requests: Vec<u64> = minute.iter().map(|bucket| bucket.requests).collect();
        requests.sort_unstable();
        assert_eq!(requests, all, "{key} {hour} {shard}");
        assert!(minute.iter().all(|one| *one == bucket(one.slice, one.requests)));
        assert!(parts.contains(&part) && parts.iter().all(|one| (one.requests, one.cost) == (70, part.cost)));
    }
    let rollups = stores.read_rollups.of_key("a", 0..900_000).await;
    assert_eq!(rollups, Ok(Vec::new()), "what is kept beside the rollups is none");
}

async fn the_hours_of_a_key_are_replaced(stores: &Stores) {
    let spend = stores.spend.as_ref();
    assert_eq!(spend.history("a").await, Ok(None));
    let hours: Vec<Hour> = (0..672)
        .map(|n: i64| {
            let requests = u64::try_from(n).unwrap_or(0) + 1;
            Hour { cost: nano(n * 1_000_000_007), requests, busiest: requests / 2 }
        })
        .collect();
    let first = History::default().extended(500_000, &hours);
    for history in [first.clone(), first.extended(500_672, &hours[..3])] {
        spend.put_history("a", &history).await.expect("put");
        assert_eq!(spend.history("a").await, Ok(Some(history)));
    }
    let rollups = stores.read_rollups.of_key("a", 0..900_000).await;
    assert_eq!(rollups, Ok(Vec::new()), "what is kept beside the rollups is none");
}
