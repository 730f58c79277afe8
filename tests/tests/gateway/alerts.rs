//! A budget that is spent down, and the operator who is told.

use std::sync::{Arc, Mutex};

use alerts::Alerts;
use async_trait::async_trait;
use serde_json::json;
use shared::clock::SystemClock;
use shared::domain::alert::{About, Alert, Route, SendError, Severity, Telling};
use shared::ports::SendAlert;
use tests::{TestApp, question, watch};

#[derive(Default)]
struct Told(Mutex<Vec<(Alert, Telling)>>);

#[async_trait]
impl SendAlert for Told {
    async fn send(&self, _: &str, alert: &Alert, telling: Telling) -> Result<(), SendError> {
        self.0.lock().expect("no panic").push((alert.clone(), telling));
        Ok(())
    }
}

impl Told {
    /// The thresholds of what was told, in millionths, ascending.
    fn thresholds(&self) -> Vec<u32> {
        let told = self.0.lock().expect("no panic");
        let mut thresholds: Vec<u32> = told
            .iter()
            .filter_map(|(alert, _)| match &alert.about {
                About::Budget { threshold_ppm, .. } => Some(*threshold_ppm),
                _ => None,
            })
            .collect();
        thresholds.sort_unstable();
        thresholds
    }
}

fn alerts(gateway: &TestApp, told: &Arc<Told>) -> Alerts {
    let (sink, quiet) = ("slack".to_owned(), Vec::new());
    let route = Route { sink, tenants: None, min_severity: Severity::Info, resolves: false, quiet };
    let (store, watch) = (&gateway.store, watch(&gateway.store, told.clone(), vec![route]));
    Alerts::new(store.clone(), store.clone(), store.clone(), Arc::new(SystemClock), watch)
}

#[tokio::test]
async fn a_budget_driven_to_refusal_tells_50_80_and_100_once_each() {
    let gateway = TestApp::start(json!({})).await;
    let user =
        gateway.user(json!({ "name": "ci", "tenant": "acme", "budgetUsd": "0.02", "period": "day" })).await;
    let (told, mut statuses) = (Arc::new(Told::default()), Vec::new());
    while statuses.last() != Some(&402) {
        assert!(statuses.len() < 1000, "the budget never refuses");
        let alerts = alerts(&gateway, &told);
        let mut body = question("demo/tokens-50", false);
        body["messages"][0]["content"] = json!(format!("question {}", statuses.len()));
        statuses.push(gateway.complete(&user, &body).await.status);
        alerts::run(&alerts).await.expect("watched");
    }
    assert!(statuses.len() > 3, "{statuses:?}");
    alerts::run(&alerts(&gateway, &told)).await.expect("watched");
    assert_eq!(told.thresholds(), [500_000, 800_000, 1_000_000]);
    let told = told.0.lock().expect("no panic");
    assert!(told.iter().all(|(alert, _)| alert.tenant.as_deref() == Some("acme")));
}

#[tokio::test]
async fn a_first_request_that_is_too_dear_is_told_as_well() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "name": "ci", "budgetUsd": "0.000001", "period": "day" })).await;
    let told = Arc::new(Told::default());
    for _ in 0..2 {
        assert_eq!(gateway.complete(&user, &question("demo/ok", false)).await.status, 402);
        alerts::run(&alerts(&gateway, &told)).await.expect("watched");
    }
    assert_eq!(told.thresholds(), [500_000, 800_000, 1_000_000]);
}

#[tokio::test]
async fn users_that_a_caller_makes_up_and_that_never_got_an_answer_are_not_told_of() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "tenant": "acme", "budgetUsd": "5" })).await;
    let each = json!({ "budgets": [{ "capUsd": "0.000001", "period": "day" }] });
    let body = json!({ "eachUser": each, "eachSession": each });
    let set = gateway.ask_admin("PUT", "/admin/budgets/tenant/acme", Some(body)).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let before = gateway.store.counters().len();
    for n in 0..5 {
        let mut body = question("demo/ok", false);
        body["user"] = json!(format!("made-up-{n}"));
        assert_eq!(gateway.complete(&user, &body).await.status, 402);
    }
    let told = Arc::new(Told::default());
    alerts::run(&alerts(&gateway, &told)).await.expect("watched");
    assert_eq!(told.thresholds(), [0; 0]);
    let named: Vec<_> =
        gateway.store.counters().into_iter().filter(|(key, _)| key.id.contains("made-up")).collect();
    assert!(named.is_empty() && gateway.store.counters().len() <= before + 2, "{named:?}");
}
