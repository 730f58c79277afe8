//! The breaker as a fleet sees it: 50 instances over one store.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::app::breakers::{Breakers, FRESH, Permit};
use shared::config::ModelName;
use shared::domain::breaker::BreakerSettings;
use shared::domain::time::Timestamp;
use shared::memory::MemoryStore;
use tests::{TestApp, unbounded};

const INSTANCES: usize = 50;
const SETTINGS: BreakerSettings = BreakerSettings { threshold: 5, reset: Duration::from_secs(30) };
const FIRST_TOKEN: Duration = Duration::from_secs(3);
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn fleet() -> Vec<Breakers> {
    let store = Arc::new(MemoryStore::default());
    (0..INSTANCES).map(|_| Breakers::new(store.clone(), SETTINGS)).collect()
}

fn primary() -> ModelName {
    "demo/primary".parse().expect("a model")
}

#[tokio::test]
async fn one_by_one_a_failing_primary_is_called_threshold_times_and_by_stale_copies_only() {
    let fleet = fleet();
    let mut calls = 0;
    // Within the life of one copy: every instance asks once, ten milliseconds apart.
    for (index, instance) in fleet.iter().enumerate() {
        let now = START + Duration::from_millis(10 * index as u64);
        if let Permit::Call = instance.permit(&primary(), FIRST_TOKEN, now).await {
            calls += 1;
            instance.failed(&primary(), now).await;
        }
    }
    assert_eq!(
        calls, SETTINGS.threshold as usize,
        "each instance read the shared state before its first call"
    );
    let later = START + FRESH * 2;
    for instance in &fleet {
        assert!(matches!(instance.permit(&primary(), FIRST_TOKEN, later).await, Permit::Wait { .. }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_gateways_over_one_store_leave_a_failed_primary_alone() {
    let config = json!({
        "routing": {
            "primary": "demo/primary", "fallbacks": ["demo/ok"],
            "circuit_breaker": { "threshold": 5, "reset_timeout_ms": 2500 },
        },
    });
    let mut gateways = vec![TestApp::start(config.clone()).await];
    while gateways.len() < INSTANCES {
        gateways.push(gateways[0].beside(config.clone()).start().await);
    }
    let demo = gateways[0].demo();
    demo.set_behaviour("primary", "500").expect("a script");
    let user = gateways[0].user(json!({})).await;
    let mut body = unbounded("demo/primary", false);
    body["temperature"] = json!(2);
    for gateway in &gateways {
        assert_eq!(gateway.complete(&user, &body).await.status, 200, "the fallback answers");
    }
    let until_open = demo.calls("primary");
    assert_eq!(until_open, 5, "one request at a time: nothing is in flight when it opens");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    futures_util::future::join_all(gateways.iter().map(|gateway| gateway.complete(&user, &body))).await;
    assert_eq!(demo.calls("primary"), until_open, "no call until the reset time");
    tokio::time::sleep(Duration::from_millis(2000)).await;
    demo.set_behaviour("primary", "delay-300+ok").expect("a script");
    futures_util::future::join_all(gateways.iter().map(|gateway| gateway.complete(&user, &body))).await;
    assert_eq!(demo.calls("primary"), until_open + 1, "one probe in the whole fleet");
    gateways[0].settled().await;
}
