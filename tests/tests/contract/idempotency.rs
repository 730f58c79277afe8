//! Claims of idempotency keys.

use std::sync::Arc;
use std::time::Duration;

use shared::domain::idempotency::{Claim, Claimed, KEPT_FOR, State};

use super::samples::{NOW, id};
use super::stores::Stores;

on_every_store!(
    a_key_is_claimed_once,
    fifty_claims_at_once_start_one,
    a_claim_that_is_sent_again_is_the_same_claim,
    an_answer_is_given_back_and_kept_for_a_day,
    a_released_key_is_free_for_anybody,
    a_lapsed_claim_is_taken_over_and_its_holder_changes_nothing,
    another_request_under_the_key_is_told_apart,
    a_reply_too_large_to_keep_is_remembered_as_finished,
);

fn claim(n: u32) -> Claim {
    Claim {
        key: "k".to_owned(),
        fingerprint: "body".to_owned(),
        request: id(n),
        lease: NOW + Duration::from_secs(10),
        expires: NOW + KEPT_FOR,
    }
}

async fn claimed(stores: &Stores, claim: &Claim, after: u64) -> Claimed<String> {
    stores.idempotency.claim(claim, NOW + Duration::from_secs(after)).await.expect("a store")
}

async fn conclude(stores: &Stores, claim: &Claim, outcome: State<String>) {
    stores.idempotency.conclude(claim, &outcome).await.expect("a store");
}

fn finished(text: &str) -> State<String> {
    State::Finished(Some(text.to_owned()))
}

async fn a_key_is_claimed_once(stores: &Stores) {
    assert_eq!(claimed(stores, &claim(1), 0).await, Claimed::Started);
    assert_eq!(claimed(stores, &claim(2), 0).await, Claimed::InFlight);
    let other = Claim { key: "other".to_owned(), ..claim(3) };
    assert_eq!(claimed(stores, &other, 0).await, Claimed::Started);
}

async fn fifty_claims_at_once_start_one(stores: &Stores) {
    let store = Arc::clone(&stores.idempotency);
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.claim(&claim(n), NOW).await.expect("a store") })
        })
        .collect();
    let mut started = 0;
    for task in tasks {
        started += u32::from(task.await.expect("no panic") == Claimed::Started);
    }
    assert_eq!(started, 1);
}

async fn a_claim_that_is_sent_again_is_the_same_claim(stores: &Stores) {
    for _ in 0..2 {
        assert_eq!(claimed(stores, &claim(1), 0).await, Claimed::Started);
    }
    conclude(stores, &claim(1), finished("reply")).await;
    let reply = Claimed::Finished(Some("reply".to_owned()));
    assert_eq!(claimed(stores, &claim(1), 0).await, reply, "what is answered is not worked for again");
}

async fn an_answer_is_given_back_and_kept_for_a_day(stores: &Stores) {
    claimed(stores, &claim(1), 0).await;
    conclude(stores, &claim(1), finished("quote \" and emoji \u{1f980}")).await;
    let reply = Claimed::Finished(Some("quote \" and emoji \u{1f980}".to_owned()));
    assert_eq!(claimed(stores, &claim(2), 3600).await, reply);
    let a_day = KEPT_FOR.as_secs();
    assert_eq!(claimed(stores, &claim(3), a_day - 1).await, reply);
    assert_eq!(claimed(stores, &claim(4), a_day).await, Claimed::Started);
}

async fn a_released_key_is_free_for_anybody(stores: &Stores) {
    claimed(stores, &claim(1), 0).await;
    conclude(stores, &claim(1), State::Released).await;
    let other = Claim { fingerprint: "other body".to_owned(), ..claim(2) };
    assert_eq!(claimed(stores, &other, 0).await, Claimed::Started);
}

async fn a_lapsed_claim_is_taken_over_and_its_holder_changes_nothing(stores: &Stores) {
    claimed(stores, &claim(1), 0).await;
    assert_eq!(claimed(stores, &claim(2), 9).await, Claimed::InFlight);
    let second = Claim { lease: NOW + Duration::from_secs(20), ..claim(2) };
    assert_eq!(claimed(stores, &second, 10).await, Claimed::Started);
    conclude(stores, &claim(1), finished("late")).await;
    assert_eq!(claimed(stores, &claim(3), 11).await, Claimed::InFlight);
    conclude(stores, &second, finished("in time")).await;
    conclude(stores, &second, State::Released).await;
    let reply = Claimed::Finished(Some("in time".to_owned()));
    assert_eq!(claimed(stores, &claim(3), 12).await, reply);
}

async fn another_request_under_the_key_is_told_apart(stores: &Stores) {
    claimed(stores, &claim(1), 0).await;
    let other = Claim { fingerprint: "other body".to_owned(), ..claim(2) };
    assert_eq!(claimed(stores, &other, 0).await, Claimed::OtherRequest);
    conclude(stores, &claim(1), finished("reply")).await;
    assert_eq!(claimed(stores, &other, 0).await, Claimed::OtherRequest);
}

async fn a_reply_too_large_to_keep_is_remembered_as_finished(stores: &Stores) {
    claimed(stores, &claim(1), 0).await;
    conclude(stores, &claim(1), State::Finished(None)).await;
    assert_eq!(claimed(stores, &claim(2), 0).await, Claimed::Finished(None));
}
