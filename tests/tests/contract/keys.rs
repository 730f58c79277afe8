//! Keys.

use shared::domain::counter::{RateLimits, ScopeState};
use shared::domain::key::{KeyDetails, KeyRecord};
use shared::domain::policy::{Budget, Policy, Shards};
use shared::domain::time::{Period, Timestamp};
use shared::ports::StoreError;

use super::samples::{NOW, nano};
use super::stores::Stores;

on_every_store!(
    a_key_is_found_as_it_was_made,
    a_key_is_made_once,
    a_keys_policy_is_replaced,
    a_keys_details_are_replaced_where_they_are_those_that_were_read,
    a_revoked_key_keeps_the_first_time,
);

fn record(id: &str) -> KeyRecord {
    KeyRecord {
        id: id.to_owned(),
        digest: "d1".repeat(32),
        pepper_version: 3,
        name: "CI, nightly".to_owned(),
        tenant: "acme".to_owned(),
        team: Some("search".to_owned()),
        policy: Policy {
            budgets: vec![
                Budget { cap: nano(1_500_000_001), period: Period::Month },
                Budget { cap: nano(1), period: Period::Day },
            ],
            limits: RateLimits { requests: Some(60), tokens: None, ..RateLimits::default() },
            state: ScopeState::Throttled,
            shards: Shards::default().change(8, NOW).change(16, NOW),
            version: NOW,
        },
        models: Some(vec!["openai/gpt-4o".to_owned(), "demo/ok".to_owned()]),
        created_at: NOW,
        revoked_at: None,
    }
}

fn plain(id: &str) -> KeyRecord {
    KeyRecord { team: None, policy: Policy::default(), models: None, ..record(id) }
}

async fn a_key_is_found_as_it_was_made(stores: &Stores) {
    assert_eq!(stores.find_key.find("a").await, Ok(None));
    assert_eq!(stores.manage_keys.list().await, Ok(vec![]));
    for key in [record("b"), plain("a")] {
        stores.manage_keys.create(&key).await.expect("made");
        assert_eq!(stores.find_key.find(&key.id).await, Ok(Some(key)));
    }
    assert_eq!(stores.manage_keys.list().await, Ok(vec![plain("a"), record("b")]));
}

async fn a_key_is_made_once(stores: &Stores) {
    stores.manage_keys.create(&record("a")).await.expect("made");
    let again = stores.manage_keys.create(&plain("a")).await;
    assert!(matches!(again, Err(StoreError::Rejected(_))), "{again:?}");
    assert_eq!(stores.find_key.find("a").await, Ok(Some(record("a"))));
}

async fn a_keys_policy_is_replaced(stores: &Stores) {
    let policy = record("a").policy;
    let set = async |policy: &Policy, before| stores.manage_keys.set_policy("a", policy, before).await;
    let none = Timestamp::default();
    assert_eq!(set(&policy, none).await, Ok(false));
    assert_eq!(stores.find_key.find("a").await, Ok(None));
    stores.manage_keys.create(&plain("a")).await.expect("made");
    assert_eq!(set(&policy, none).await, Ok(true));
    assert_eq!(set(&policy, none).await, Ok(true), "the same, sent twice");
    let late = Policy { state: ScopeState::Active, ..policy.clone() };
    assert_eq!(set(&late, none).await, Ok(false), "another stands there");
    let changed = KeyRecord { policy, ..plain("a") };
    assert_eq!(stores.find_key.find("a").await, Ok(Some(changed)));
}

async fn a_keys_details_are_replaced_where_they_are_those_that_were_read(stores: &Stores) {
    let (full, bare) = (record("a").details(), plain("a").details());
    let other = KeyDetails { name: "other".to_owned(), ..bare.clone() };
    let set = async |next: &KeyDetails, before: &KeyDetails| {
        stores.manage_keys.set_details("a", next, before).await
    };
    assert_eq!(set(&bare, &full).await, Ok(false), "there is no such key");
    stores.manage_keys.create(&record("a")).await.expect("made");
    assert_eq!(set(&other, &bare).await, Ok(false), "it has a team");
    assert_eq!(set(&bare, &full).await, Ok(true));
    assert_eq!(set(&bare, &full).await, Ok(true), "the same, sent twice");
    assert_eq!(set(&other, &full).await, Ok(false), "it has none any more");
    assert_eq!(stores.find_key.find("a").await, Ok(Some(record("a").with(bare.clone()))));
    let fewer = KeyDetails { models: Some(vec!["demo/ok".to_owned()]), ..full.clone() };
    for (next, before) in [(&full, &bare), (&fewer, &full), (&other, &fewer)] {
        assert_eq!(set(next, before).await, Ok(true), "{next:?}");
        assert_eq!(stores.find_key.find("a").await, Ok(Some(record("a").with(next.clone()))));
    }
}

async fn a_revoked_key_keeps_the_first_time(stores: &Stores) {
    let revoke = |id: &'static str, at: i64| stores.manage_keys.revoke(id, Timestamp::from_millis(at));
    assert_eq!(revoke("a", 5).await, Ok(false));
    assert_eq!(stores.find_key.find("a").await, Ok(None));
    stores.manage_keys.create(&record("a")).await.expect("made");
    assert_eq!(revoke("a", 7).await, Ok(true));
    assert_eq!(revoke("a", 9).await, Ok(true));
    let revoked = KeyRecord { revoked_at: Some(Timestamp::from_millis(7)), ..record("a") };
    assert_eq!(stores.find_key.find("a").await, Ok(Some(revoked)));
}
