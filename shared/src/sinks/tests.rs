use serde_json::{Value, json};

use super::*;
use crate::domain::alert::{About, AlertId, BudgetAt};
use crate::domain::counter::ScopeKind;
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;

/// 2026-11-24T12:00:00Z.
const NOON: Timestamp = Timestamp::from_millis(1_795_521_600_000);

fn alert() -> Alert {
    let budget = BudgetAt {
        scope: ScopeKind::Key,
        id: "<k&1>".to_owned(),
        period: "day#2026-11-24".to_owned(),
        cap_usd: NanoUsd::from_nano(10_000_000_000),
        resets_at: Some(NOON),
    };
    let (spent_usd, held_usd) = (NanoUsd::from_nano(8_000_000_000), NanoUsd::ZERO);
    let about = About::Budget { budget, threshold_ppm: 800_000, spent_usd, held_usd, refused: false };
    let (id, tenant) = (AlertId::of(&["budget"]), Some("acme".to_owned()));
    Alert { id, at: NOON, severity: Severity::Warning, tenant, about }
}

fn body(request: &http::Request<String>) -> Value {
    serde_json::from_str(request.body()).expect("JSON")
}

fn url() -> BaseUrl {
    "http://localhost:1/hook".parse().expect("a URL")
}

#[test]
fn slack_gets_blocks_and_a_text_for_notifications() {
    let sent = body(&slack::request(&url(), &alert(), Telling::Raised).expect("a request"));
    assert_eq!(sent["text"], "Warning: Budget of key &lt;k&amp;1&gt; (day 2026-11-24) has come to 80 %");
    let kinds: Vec<&Value> =
        sent["blocks"].as_array().expect("blocks").iter().map(|block| &block["type"]).collect();
    assert_eq!(json!(kinds), json!(["header", "section", "context"]));
    assert_eq!(sent["blocks"][1]["fields"][0], json!({ "type": "mrkdwn", "text": "*Spent*\n$8" }));
}

#[test]
fn pagerduty_opens_and_resolves_one_incident_under_the_id_of_the_alert() {
    let event = |telling| body(&pagerduty::request(&url(), "R0", &alert(), telling).expect("a request"));
    let (opened, resolved) = (event(Telling::Raised), event(Telling::Cleared));
    assert_eq!((&opened["event_action"], &resolved["event_action"]), (&json!("trigger"), &json!("resolve")));
    assert_eq!(opened["dedup_key"], resolved["dedup_key"]);
    assert_eq!(opened["dedup_key"], alert().id.as_str());
    assert_eq!(opened["payload"]["severity"], "warning");
    assert_eq!(opened["payload"]["custom_details"]["Cap"], "$10");
}

#[test]
fn a_webhook_is_signed_over_time_and_body() {
    let sent = webhook::request(&url(), Some("s3cret"), &alert(), Telling::Raised, NOON).expect("a request");
    let header = sent.headers()["x-tollgate-signature"].to_str().expect("ASCII");
    let (at, signature) = header.split_once(',').expect("two parts");
    assert_eq!(at, format!("t={}", NOON.seconds()));
    let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::Mac>::new_from_slice(b"s3cret").expect("a key");
    hmac::Mac::update(&mut mac, format!("{}.{}", NOON.seconds(), sent.body()).as_bytes());
    let expected = hex(&hmac::Mac::finalize(mac).into_bytes());
    assert_eq!(signature, format!("v1={expected}"));
    let told = body(&sent);
    assert_eq!(
        (&told["kind"], &told["event"], &told["thresholdPpm"]),
        (&json!("budget"), &json!("raised"), &json!(800_000))
    );
    assert_eq!(told["at"], "2026-11-24T12:00:00Z");
    let unsigned = webhook::request(&url(), None, &alert(), Telling::Raised, NOON).expect("a request");
    assert!(!unsigned.headers().contains_key("x-tollgate-signature"));
}

#[test]
fn sinks_keep_their_names_when_others_come() {
    let config = |text: &str| crate::config::Config::parse(text).expect("valid").alerts;
    let one = config(r#"{"alerts": {"slack": [{"url": "https://a.example/1"}]}}"#);
    let two = config(
        r#"{"alerts": {"slack": [{"url": "https://b.example/1"}, {"url": "https://a.example/1", "min_severity": "critical"}], "pagerduty": [{"routing_key": "env:PD"}]}}"#,
    );
    let names =
        |alerts: &Alerts| -> Vec<String> { routes(alerts).into_iter().map(|route| route.sink).collect() };
    assert_eq!(names(&one)[0], names(&two)[1]);
    let resolving: Vec<bool> = routes(&two).iter().map(|route| route.resolves).collect();
    assert_eq!(resolving, [false, false, true]);
    assert!(names(&two).iter().all(|name| !name.contains("example")), "an address may be a secret");
}
