//! Stores that are down: money and keys fail closed, cache and breakers fail open.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use shared::domain::breaker::Breaker;
use shared::domain::cache::CacheKey;
use shared::domain::counter::{Allowance, Close, Counter, CounterKey, Reserve};
use shared::domain::id::AttemptId;
use shared::domain::key::KeyRecord;
use shared::domain::ledger::Quality;
use shared::domain::time::Timestamp;
use shared::ports::{
    AnswerCache, BreakerStore, CachedAnswer, Counters, FindKey, ReserveReply, StoreError, Versioned,
};
use tests::{Ports, Setup, TestApp, question};

/// A store that refuses everything.
struct Down;

fn down<T>() -> Result<T, StoreError> {
    Err(StoreError::Rejected("the table is on fire".to_owned()))
}

#[async_trait]
impl FindKey for Down {
    async fn find(&self, _: &str) -> Result<Option<KeyRecord>, StoreError> {
        down()
    }
}

#[async_trait]
impl Counters for Down {
    async fn reserve(&self, _: &Reserve) -> Result<ReserveReply, StoreError> {
        down()
    }

    async fn allow(&self, _: &CounterKey, _: &Allowance) -> Result<(), StoreError> {
        down()
    }

    async fn read(&self, _: &CounterKey) -> Result<Option<Counter>, StoreError> {
        down()
    }

    async fn close(&self, _: &Close) -> Result<(), StoreError> {
        down()
    }

    async fn fence(&self, _: &CounterKey, _: AttemptId) -> Result<bool, StoreError> {
        down()
    }
}

#[async_trait]
impl AnswerCache for Down {
    async fn get(&self, _: &CacheKey) -> Result<Option<CachedAnswer>, StoreError> {
        down()
    }

    async fn put(&self, _: &CacheKey, _: &CachedAnswer, _: Timestamp) -> Result<(), StoreError> {
        down()
    }
}

#[async_trait]
impl BreakerStore for Down {
    async fn read(&self, _: &str) -> Result<Versioned, StoreError> {
        down()
    }

    async fn swap(&self, _: &str, _: u64, _: &Breaker) -> Result<bool, StoreError> {
        down()
    }
}

async fn with(change: impl FnOnce(&mut Ports)) -> TestApp {
    let mut setup = Setup::new(json!({
        "routing": { "primary": "demo/500", "fallbacks": ["demo/ok"], "circuit_breaker": { "threshold": 2 } },
    }));
    let mut ports = Ports::of(&setup.store);
    change(&mut ports);
    setup.ports = Some(ports);
    setup.start().await
}

#[tokio::test]
async fn without_keys_or_budgets_nothing_is_sent_and_nothing_is_told_of_the_store() {
    let keys = with(|ports| ports.keys = Arc::new(Down)).await;
    let counters = with(|ports| ports.counters = Arc::new(Down)).await;
    for (what, gateway) in [("keys", keys), ("counters", counters)] {
        let user = gateway.user(json!({ "budgetUsd": "1" })).await;
        for stream in [true, false] {
            let reply = gateway.complete(&user, &question("demo/ok", stream)).await;
            let code = reply.json()["error"]["code"].clone();
            assert_eq!((reply.status, code), (503, json!("store_unavailable")), "{what}: {}", reply.text());
            assert!(!reply.header("retry-after").is_empty(), "{what}");
            assert!(!reply.text().contains("fire"), "{what}: {}", reply.text());
        }
        assert_eq!(gateway.demo().calls("ok"), 0, "{what}");
        gateway.settled().await;
    }
}

#[tokio::test]
async fn without_a_cache_every_request_is_a_miss() {
    let gateway = with(|ports| ports.answers = Arc::new(Down)).await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    for _ in 0..2 {
        let reply = gateway.complete(&user, &question("demo/ok", false)).await;
        assert_eq!((reply.status, reply.header("x-tollgate-cache")), (200, "miss"), "{}", reply.text());
    }
    assert_eq!(gateway.demo().calls("ok"), 2);
    gateway.settled().await;
}

#[tokio::test]
async fn without_the_fleets_breakers_an_instance_keeps_its_own() {
    let gateway = with(|ports| ports.breakers = Arc::new(Down)).await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    for _ in 0..5 {
        let reply = gateway.complete(&user, &question("demo/500", false)).await;
        assert_eq!((reply.status, reply.header("x-tollgate-model")), (200, "demo/ok"), "{}", reply.text());
    }
    assert_eq!(gateway.demo().calls("500"), 2, "the threshold, and then no more");
    gateway.settled().await;
}

#[tokio::test]
async fn a_fallback_that_cannot_be_afforded_is_refused_and_the_first_attempt_is_settled() {
    let mut setup = Setup::new(json!({
        "routing": { "primary": "demo/cut-3", "fallbacks": ["demo/ok"] },
    }));
    let rows = setup.prices["prices"].as_array_mut().expect("rows");
    let mut dear = rows.iter().find(|row| row["model"] == "demo/*").expect("the demo's row").clone();
    for (name, value) in
        [("id", json!("demo/ok@dear")), ("model", json!("demo/ok")), ("output", json!(900_000_000))]
    {
        dear[name] = value;
    }
    rows.push(dear);
    let gateway = setup.start().await;
    let user = gateway.user(json!({ "budgetUsd": "0.01" })).await;
    let reply = gateway.complete(&user, &question("demo/cut-3", false)).await;
    let code = reply.json()["error"]["code"].clone();
    assert_eq!((reply.status, code), (402, json!("quota_exceeded")), "{}", reply.text());
    assert_eq!((gateway.demo().calls("cut-3"), gateway.demo().calls("ok")), (1, 0));
    gateway.settled().await;
}

#[tokio::test]
async fn images_for_a_model_without_an_image_bound_are_refused_before_dispatch() {
    let mut setup = Setup::new(json!({}));
    let rows = setup.prices["prices"].as_array_mut().expect("rows");
    let row = rows.iter_mut().find(|row| row["model"] == "demo/*").expect("the demo's row");
    let row = row.as_object_mut().expect("an object");
    row.remove("image_tokens_max");
    row.remove("image_tokens_basis");
    let gateway = setup.start().await;
    let user = gateway.user(json!({})).await;
    let mut body = question("demo/ok", false);
    body["messages"][0]["content"] =
        json!([{ "type": "image_url", "image_url": { "url": "https://example.com/cat.png" } }]);
    let reply = gateway.complete(&user, &body).await;
    assert_eq!((reply.status, reply.json()["error"]["param"].clone()), (400, json!("messages")));
    assert!(gateway.store.lines().is_empty() && gateway.store.counters().is_empty());
    assert_eq!(gateway.demo().calls("ok"), 0);
}

#[tokio::test]
async fn what_nobody_counted_is_charged_with_its_images_and_at_the_rates_of_its_length() {
    let mut setup = Setup::new(json!({}));
    let rows = setup.prices["prices"].as_array_mut().expect("rows");
    let row = rows.iter_mut().find(|row| row["model"] == "demo/*").expect("the demo's row");
    row["long_context"] = json!({ "above_tokens": 1_445, "input": 7_000_000, "output": 9_000_000 });
    let gateway = setup.start().await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    let mut body = question("demo/nousage", false);
    body["messages"][0]["content"] = json!([
        { "type": "text", "text": "What is this?" },
        { "type": "image_url", "image_url": { "url": "https://example.com/cat.png" } },
    ]);
    let reply = gateway.complete(&user, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let lines = gateway.lines(&user);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    // The image alone may be 1,445 tokens, and with the text the input is long.
    let least =
        i64::try_from((1_445 + line.usage.uncached) * 7_000 + line.usage.output * 9_000).expect("small");
    assert_eq!((line.quality, line.amount.nano()), (Quality::Estimated, least));
    assert!(line.amount <= line.reserved, "{line:?}");
}
