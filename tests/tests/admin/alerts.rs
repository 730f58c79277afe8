//! Alerts listed, shown and acknowledged.

use std::time::Duration;

use serde_json::{Value, json};
use shared::domain::alert::{About, Alert, AlertId, Entry, Severity};
use shared::domain::time::Timestamp;
use shared::ports::{Outbox, RaiseAlert, ReadAlerts};
use tests::TestApp;

async fn raised(gateway: &TestApp, n: u64) -> AlertId {
    let at = gateway.office.admin.clock.now() - Duration::from_secs(100 - n);
    let (id, severity) = (AlertId::of(&["sweeps", &n.to_string()]), Severity::Warning);
    let about = About::Sweeps { estimated: n, failed: 0 };
    let alert = Alert { id: id.clone(), at, severity, tenant: None, about };
    gateway.store.raise(&alert).await.expect("memory never fails");
    id
}

async fn ask(gateway: &TestApp, method: &str, path: &str) -> (u16, Value) {
    let reply = gateway.ask_admin(method, &format!("/admin/alerts{path}"), None).await;
    (reply.status, reply.json())
}

#[tokio::test]
async fn pages_join_to_the_whole_list_newest_first() {
    let gateway = TestApp::start(json!({})).await;
    for n in 1..=5 {
        raised(&gateway, n).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let (status, page) = ask(&gateway, "GET", &format!("?limit=2{after}")).await;
        assert_eq!(status, 200, "{page}");
        let alerts = page["alerts"].as_array().expect("a list");
        seen.extend(alerts.iter().map(|alert| alert["estimated"].as_u64().expect("a count")));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let since = (gateway.office.admin.clock.now() - Duration::from_secs(97)).rfc3339();
    let (_, recent) = ask(&gateway, "GET", &format!("?since={since}")).await;
    assert_eq!(recent["alerts"].as_array().map(Vec::len), Some(3), "{recent}");
}

#[tokio::test]
async fn an_alert_is_acknowledged_once_and_the_log_says_by_whom() {
    let gateway = TestApp::start(json!({})).await;
    let id = raised(&gateway, 1).await;
    let path = format!("/{}", id.as_str());
    let (status, before) = ask(&gateway, "GET", &path).await;
    assert_eq!((status, &before["acknowledgedAt"]), (200, &Value::Null));
    assert_eq!(before["title"], "The sweep ended 1 holds that nobody had settled, 0 failed");
    let (status, done) = ask(&gateway, "POST", &format!("{path}/acknowledge")).await;
    assert_eq!(status, 200);
    assert!(done["acknowledgedAt"].is_string() || done["acknowledgedAt"].is_number(), "{done}");
    let again = ask(&gateway, "POST", &format!("{path}/acknowledge")).await;
    assert_eq!(again, (200, done.clone()), "the first time stays");
    let log = gateway.ask_admin("GET", "/admin/audit", None).await.json();
    let entries = log["entries"].as_array().expect("a list");
    assert_eq!(entries.len(), 1, "{log}");
    let subject = format!("alert/{}", id.as_str());
    assert_eq!(
        (&entries[0]["action"], &entries[0]["subject"]),
        (&json!("alert.acknowledge"), &json!(subject))
    );
    assert_eq!((&entries[0]["before"], &entries[0]["after"]), (&before, &done));
}

#[tokio::test]
async fn acknowledging_keeps_what_sinks_were_told() {
    let gateway = TestApp::start(json!({})).await;
    let id = raised(&gateway, 1).await;
    let mut entry = gateway.store.find_alert(&id).await.expect("memory never fails").expect("raised");
    entry.claim("slack", Timestamp::default());
    assert_eq!(gateway.store.swap_alert(&entry).await, Ok(true));
    ask(&gateway, "POST", &format!("/{}/acknowledge", id.as_str())).await;
    let standing: Entry = gateway.store.find_alert(&id).await.expect("memory never fails").expect("raised");
    assert_eq!((standing.deliveries, standing.version), (entry.deliveries, 2));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let gateway = TestApp::start(json!({})).await;
    let nowhere = AlertId::of(&["nowhere"]);
    for (method, path, expected) in [
        ("GET", format!("/{}", nowhere.as_str()), 404),
        ("POST", "/nonsense/acknowledge".to_owned(), 404),
        ("POST", format!("/{}", nowhere.as_str()), 405),
        ("GET", "?since=yesterday".to_owned(), 400),
        ("GET", "?after=5".to_owned(), 400),
        ("GET", "?limit=501".to_owned(), 400),
        ("GET", "?kind=sweeps".to_owned(), 400),
    ] {
        let (status, said) = ask(&gateway, method, &path).await;
        assert_eq!(status, expected, "{method} {path}: {said}");
    }
}
