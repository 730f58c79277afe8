//! The figures of the dashboard.

use serde_json::{Value, json};
use tests::{TestApp, question};

const ADMIN: &str = "an admin key for tests";

async fn shown(gateway: &TestApp, days: u32) -> Value {
    let reply = gateway.ask_admin("GET", &format!("/admin/overview?days={days}"), None).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn folded(gateway: &TestApp) {
    let done = gateway.ask_usage("POST", "/admin/usage/rebuild", ADMIN, None).await;
    assert_eq!(done.status, 200, "{}", done.text());
}

#[tokio::test]
async fn what_was_used_is_summed_over_all_keys() {
    let gateway = TestApp::start(json!({})).await;
    let ada = gateway.user(json!({ "name": "ada", "budgetUsd": "1", "period": "day" })).await;
    let bob = gateway.user(json!({ "name": "bob" })).await;
    for user in [&ada, &ada, &bob] {
        let reply = gateway.complete(user, &question("demo/ok", false)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    folded(&gateway).await;
    let view = shown(&gateway, 1).await;
    let usage = gateway.ask_usage("GET", "/v1/usage", ADMIN, None).await.json();
    for total in [&view["today"], &view["total"]] {
        assert_eq!((&total["requests"], &total["costUsd"]), (&json!(3), &usage["total"]["costUsd"]));
    }
    let series = &view["series"];
    let sum = |name: &str| -> u64 {
        series[name].as_array().expect("a list").iter().filter_map(Value::as_u64).sum()
    };
    assert_eq!((&series["unit"], sum("requests")), (&json!("hour"), 3));
    let names: Vec<&str> =
        view["keys"].as_array().expect("a list").iter().filter_map(|key| key["name"].as_str()).collect();
    assert_eq!((names.len(), names.contains(&"ada"), names.contains(&"bob")), (2, true, true));
    assert_eq!(view["models"][0]["model"], "demo/ok");
    assert_eq!(view["budgets"].as_array().map(Vec::len), Some(1));
    assert_eq!(view["budgets"][0]["name"], "ada");
    assert_eq!(view["breakers"][0], json!({ "model": "demo/ok", "state": "closed", "failures": 0 }));
    assert!(view["latency"]["gateway"]["p95"].as_u64().is_some());
    assert_eq!(view["alerts"], json!([]));
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let gateway = TestApp::start(json!({})).await;
    let first = gateway.ask_admin("GET", "/admin/overview", None).await;
    let headers =
        [("authorization", "Bearer an admin key for tests"), ("if-none-match", first.header("etag"))];
    let again = gateway.ask_admin_as("GET", "/admin/overview", &headers, None).await;
    assert_eq!((again.status, again.text().as_str()), (304, ""));
}

#[tokio::test]
async fn ninety_days_are_shown_by_the_day_and_no_more_may_be_asked_for() {
    let gateway = TestApp::start(json!({})).await;
    let view = shown(&gateway, 90).await;
    assert_eq!((&view["days"], &view["daysRead"]), (&json!(90), &json!(90)));
    assert_eq!(
        (&view["series"]["unit"], view["series"]["at"].as_array().map(Vec::len)),
        (&json!("day"), Some(90))
    );
    for wrong in ["0", "91", "-1", "week", ""] {
        let reply = gateway.ask_admin("GET", &format!("/admin/overview?days={wrong}"), None).await;
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!("days")), "{wrong}");
    }
}
