//! What one scope held for a request that another refused comes back, also where the store does not
//! take it back at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::Method;
use serde_json::json;
use shared::app::settle::settle;
use shared::domain::counter::{Allowance, Close, Counter, CounterKey, Reserve};
use shared::domain::id::AttemptId;
use shared::domain::ledger::Outcome;
use shared::memory::MemoryStore;
use shared::ports::{Counters, ReserveReply, StoreError};
use tests::{Ports, Setup, TestApp, User, question};

/// Counters that close nothing while `stuck`.
pub(super) struct Sticky {
    store: Arc<MemoryStore>,
    pub(super) stuck: AtomicBool,
}

#[async_trait]
impl Counters for Sticky {
    async fn reserve(&self, write: &Reserve) -> Result<ReserveReply, StoreError> {
        self.store.reserve(write).await
    }

    async fn allow(&self, key: &CounterKey, to: &Allowance) -> Result<(), StoreError> {
        self.store.allow(key, to).await
    }

    async fn read(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        Counters::read(self.store.as_ref(), key).await
    }

    async fn close(&self, write: &Close) -> Result<(), StoreError> {
        match self.stuck.load(Ordering::SeqCst) {
            true => Err(StoreError::Rejected("throttled".to_owned())),
            false => self.store.close(write).await,
        }
    }

    async fn fence(&self, key: &CounterKey, id: AttemptId) -> Result<bool, StoreError> {
        self.store.fence(key, id).await
    }
}

pub(super) async fn sticky(mut setup: Setup) -> (TestApp, Arc<Sticky>) {
    let counters = Arc::new(Sticky { store: Arc::clone(&setup.store), stuck: AtomicBool::new(false) });
    setup.ports = Some(Ports { counters: counters.clone(), ..Ports::of(&setup.store) });
    (setup.start().await, counters)
}

#[tokio::test]
async fn a_hold_that_cannot_be_given_back_at_once_goes_to_the_queue() {
    let (gateway, counters) = sticky(Setup::new(json!({}))).await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    let body = json!({ "userId": "ada", "budgetUsd": "0.001" }).to_string();
    let bearer = user.bearer();
    let minted = gateway.send(Method::POST, "/v1/tokens", &[("authorization", &bearer)], body).await;
    let page =
        User { id: user.id.clone(), key: minted.json()["token"].as_str().expect("a token").to_owned() };
    // So that the token's counter is there, and refuses by its own condition.
    assert_eq!(gateway.complete(&page, &question("demo/ok", false)).await.status, 200);

    counters.stuck.store(true, Ordering::SeqCst);
    let mut dear = question("demo/tokens-50", false);
    dear["max_tokens"] = json!(4_000);
    assert_eq!(gateway.complete(&page, &dear).await.status, 402);
    counters.stuck.store(false, Ordering::SeqCst);

    let line = gateway.store.take_settlement().expect("a settle command in the queue");
    assert_eq!((line.amount.nano(), line.outcome), (0, Outcome::Abandoned));
    settle(counters.as_ref(), gateway.store.as_ref(), &line).await.expect("memory");
    gateway.settled().await;
}
