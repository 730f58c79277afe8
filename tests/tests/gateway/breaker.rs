//! The breaker as a fleet sees it: 50 instances over one store.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::app::breakers::{Breakers, FRESH, Permit};
use shared::config::ModelName;
use shared::domain::breaker::BreakerSettings;
use shared::domain::time::Timestamp;
use shared::memory::MemoryStore;

use super::harness::{TestGateway, app, question, start_demo, with_demo};

const INSTANCES: usize = 50;
const SETTINGS: BreakerSettings = BreakerSettings { threshold: 5, reset: Duration::from_secs(30) };
const LEASE: Duration = Duration::from_secs(8);
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn fleet() -> Vec<Breakers> {
    let store = Arc::new(MemoryStore::default());
    (0..INSTANCES).map(|_| Breakers::new(store.clone(), SETTINGS)).collect()
}

fn primary() -> ModelName {
    "demo/primary".parse().expect("a model")
}

/// One request per instance at `now`, all begun before any ends; returns how many were let through.
async fn wave(fleet: &[Breakers], now: Timestamp, succeeds: bool) -> usize {
    let mut called = Vec::new();
    for instance in fleet {
        if let Permit::Call | Permit::Probe = instance.permit(&primary(), LEASE, now).await {
            called.push(instance);
        }
    }
    for instance in &called {
        match succeeds {
            true => instance.succeeded(&primary(), now).await,
            false => instance.failed(&primary(), now).await,
        }
    }
    called.len()
}

#[tokio::test]
async fn one_by_one_a_failing_primary_is_called_threshold_times_and_by_stale_copies_only() {
    let fleet = fleet();
    let mut calls = 0;
    // Within the life of one copy: every instance asks once, ten milliseconds apart.
    for (index, instance) in fleet.iter().enumerate() {
        let now = START + Duration::from_millis(10 * index as u64);
        if let Permit::Call = instance.permit(&primary(), LEASE, now).await {
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
        assert!(matches!(instance.permit(&primary(), LEASE, later).await, Permit::Wait { .. }));
    }
}

#[tokio::test]
async fn after_the_reset_time_the_fleet_sends_exactly_one_probe() {
    let fleet = fleet();
    for instance in &fleet {
        assert_eq!(instance.permit(&primary(), LEASE, START).await, Permit::Call, "all in flight at once");
    }
    for instance in &fleet {
        instance.failed(&primary(), START).await;
    }
    let probing = START + SETTINGS.reset + FRESH;
    let mut probes = Vec::new();
    for instance in &fleet {
        match instance.permit(&primary(), LEASE, probing).await {
            Permit::Probe => probes.push(instance),
            Permit::Wait { .. } => {}
            Permit::Call => panic!("a call while open"),
        }
    }
    assert_eq!(probes.len(), 1);
    probes[0].failed(&primary(), probing).await;
    let early = probing + SETTINGS.reset + FRESH;
    assert_eq!(wave(&fleet, early, false).await, 0, "a failed probe doubles the open time");
    let again = probing + SETTINGS.reset * 2 + FRESH * 2;
    assert_eq!(wave(&fleet, again, true).await, 1, "one probe, which succeeds");
    assert_eq!(
        wave(&fleet, again + FRESH, true).await,
        INSTANCES,
        "closed for everyone within a copy's life"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_gateways_over_one_store_leave_a_failed_primary_alone() {
    let (demo, url) = start_demo().await;
    demo.set_behaviour("primary", "500").expect("a script");
    let config = json!({
        "routing": {
            "primary": "demo/primary", "fallbacks": ["demo/ok"],
            "circuit_breaker": { "threshold": 5, "reset_timeout_ms": 2500 },
        },
    });
    let store = Arc::new(MemoryStore::default());
    let gateways: Vec<TestGateway> = (0..INSTANCES)
        .map(|_| {
            TestGateway::over(
                Arc::new(app(with_demo(config.clone(), &url), &store)),
                store.clone(),
                demo.clone(),
            )
        })
        .collect();
    let key = gateways[0].key(json!({})).await;
    let mut body = question("demo/primary", false);
    body["temperature"] = json!(2);
    for gateway in &gateways {
        assert_eq!(gateway.ask(&key, &body).await.status, 200, "the fallback answers");
    }
    let until_open = demo.calls("primary");
    assert_eq!(until_open, 5, "one request at a time: nothing is in flight when it opens");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    futures_util::future::join_all(gateways.iter().map(|gateway| gateway.ask(&key, &body))).await;
    assert_eq!(demo.calls("primary"), until_open, "no call until the reset time");
    tokio::time::sleep(Duration::from_millis(2000)).await;
    demo.set_behaviour("primary", "delay-300+ok").expect("a script");
    futures_util::future::join_all(gateways.iter().map(|gateway| gateway.ask(&key, &body))).await;
    assert_eq!(demo.calls("primary"), until_open + 1, "one probe in the whole fleet");
    gateways[0].assert_settled("breaker");
}
