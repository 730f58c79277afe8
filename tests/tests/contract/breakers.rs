//! The fleet's breakers.

use futures_util::future::join_all;
use shared::domain::breaker::Breaker;
use shared::ports::Versioned;

use super::samples::NOW;
use super::stores::Stores;

on_every_store!(
    a_breaker_nobody_wrote_is_closed_at_version_zero,
    a_swap_from_a_stale_version_changes_nothing,
    of_fifty_concurrent_swaps_from_one_version_exactly_one_wins,
);

const TARGET: &str = "openai/gpt-4o";

fn breaker(failures: u32) -> Breaker {
    Breaker {
        failures,
        open_until: Some(NOW),
        probe_until: None,
        cool_until: Some(NOW),
        ..Breaker::default()
    }
}

async fn a_breaker_nobody_wrote_is_closed_at_version_zero(stores: &Stores) {
    assert_eq!(stores.breakers.read(TARGET).await, Ok(Versioned::default()));
    assert_eq!(stores.breakers.swap(TARGET, 0, &breaker(3)).await, Ok(true));
    assert_eq!(stores.breakers.read(TARGET).await, Ok(Versioned { breaker: breaker(3), version: 1 }));
    assert_eq!(stores.breakers.read("openai/gpt-4o-mini").await, Ok(Versioned::default()));
}

async fn a_swap_from_a_stale_version_changes_nothing(stores: &Stores) {
    let swap = async |version, failures| {
        stores.breakers.swap(TARGET, version, &breaker(failures)).await.expect("a definite answer")
    };
    assert!(!swap(1, 9).await, "there is no version 1 yet");
    assert!(swap(0, 1).await);
    assert!(!swap(0, 9).await);
    assert!(swap(1, 2).await);
    assert!(!swap(1, 9).await);
    assert_eq!(stores.breakers.read(TARGET).await, Ok(Versioned { breaker: breaker(2), version: 2 }));
}

async fn of_fifty_concurrent_swaps_from_one_version_exactly_one_wins(stores: &Stores) {
    for version in [0, 1] {
        let breakers: Vec<Breaker> = (0..50).map(breaker).collect();
        let swaps = breakers.iter().map(|next| stores.breakers.swap(TARGET, version, next));
        let outcomes = join_all(swaps).await;
        let winners: Vec<usize> = (0..50).filter(|n| outcomes[*n] == Ok(true)).collect();
        assert_eq!((winners.len(), outcomes.iter().filter(|outcome| outcome.is_err()).count()), (1, 0));
        let standing = Versioned { breaker: breakers[winners[0]].clone(), version: version + 1 };
        assert_eq!(stores.breakers.read(TARGET).await, Ok(standing));
    }
}
