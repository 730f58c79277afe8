//! Each field of the documented configuration changes behaviour, or the capability that will use
//! it is named here.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use shared::config::{Config, LogLevel};
use tests::{Ahead, COMPLETIONS, TestApp, User, unbounded};

/// The document that is promised to be valid as it stands.
const DOCUMENT: &str = include_str!("../../../shared/src/config/documented.json");

/// Fields whose effect a test shows.
const SHOWN: &[&str] = &[
    "gateway.timeout_ms",
    "gateway.stream_enabled",
    // By the tests of the rules by which near matches are judged.
    "cache.semantic_threshold",
    "cache.ttl_hours",
    "cache.version_key",
    "routing.primary",
    "routing.fallbacks",
    // By the breaker's own tests and by the fleet of 50 gateways.
    "routing.circuit_breaker.threshold",
    "routing.circuit_breaker.reset_timeout_ms",
    "billing.hard_limit_per_request_usd",
    "observability.log_level",
    // By the test of the template's parameters.
    "gateway.edge",
];

/// Fields that are read and checked, and the capability that will act on them.
const LATER: &[(&str, &str)] = &[
    ("cache.provider", "semantic cache"),
    ("billing.track_tokens", "token metrics"),
    ("billing.alert_thresholds", "alerts"),
    ("observability.otel_enabled", "OTLP export"),
    ("observability.metrics", "metrics"),
];

fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, inner)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            leaves(inner, &path, found);
        }),
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn every_field_of_the_document_is_accounted_for() {
    Config::parse(DOCUMENT).unwrap_or_else(|faults| panic!("{faults}"));
    let mut fields = Vec::new();
    leaves(&serde_json::from_str(DOCUMENT).expect("JSON"), "", &mut fields);
    for field in &fields {
        let known = SHOWN.contains(&field.as_str()) || LATER.iter().any(|(later, _)| later == field);
        assert!(known, "{field} neither changes behaviour nor waits for a named capability");
    }
    assert_eq!(fields.len(), SHOWN.len() + LATER.len());
}

#[test]
fn the_log_level_is_read() {
    let config = Config::parse(r#"{"observability": {"log_level": "debug"}}"#).expect("valid");
    assert_eq!(config.observability.log_level, LogLevel::Debug);
}

async fn gateway(config: Value) -> (TestApp, User) {
    let gateway = TestApp::start(config).await;
    let user = gateway.user(json!({})).await;
    (gateway, user)
}

#[tokio::test]
async fn timeout_ms_is_how_long_the_first_token_may_take() {
    for (timeout_ms, status) in [(100, 503), (2000, 200)] {
        let routing = json!({ "primary": "demo/delay-500" });
        let (gateway, user) =
            gateway(json!({ "gateway": { "timeout_ms": timeout_ms }, "routing": routing })).await;
        assert_eq!(
            gateway.complete(&user, &unbounded("demo/delay-500", false)).await.status,
            status,
            "{timeout_ms} ms"
        );
    }
    let own = json!({ "gateway": { "timeout_ms": 100 }, "routing": { "primary": "demo/delay-500", "timeouts": { "demo/delay-500": 2000 } } });
    let (gateway, user) = gateway(own).await;
    assert_eq!(gateway.complete(&user, &unbounded("demo/delay-500", false)).await.status, 200);
}

#[tokio::test]
async fn stream_enabled_switches_streaming_off() {
    let (gateway, user) = gateway(json!({ "gateway": { "stream_enabled": false } })).await;
    let refused = gateway.complete(&user, &unbounded("demo/ok", true)).await;
    assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some("stream")));
    let plain = gateway.prompt(&user, &json!({ "prompt": "hi", "model": "demo/ok" })).await;
    assert_eq!((plain.status, plain.json()["source"].as_str()), (200, Some("model")));
}

#[tokio::test]
async fn without_a_model_the_primary_answers_and_the_fallbacks_stand_behind_it() {
    let routing = json!({ "routing": { "primary": "demo/tokens-4", "fallbacks": ["demo/tokens-5"] } });
    let (gateway, user) = gateway(routing).await;
    let answered = gateway.prompt(&user, &json!({ "prompt": "hi", "stream": false })).await;
    assert_eq!(answered.header("x-tollgate-model"), "demo/tokens-4");
    let failed = gateway.complete(&user, &unbounded("demo/500", false)).await;
    assert_eq!(failed.header("x-tollgate-model"), "demo/tokens-4", "the chain stands behind any model");
    gateway.demo().set_behaviour("tokens-4", "500").expect("a script");
    let answered = gateway.prompt(&user, &json!({ "prompt": "ho", "stream": false })).await;
    assert_eq!(answered.header("x-tollgate-model"), "demo/tokens-5");
}

#[tokio::test]
async fn the_hard_limit_bounds_the_output_and_refuses_what_could_pass_it() {
    let (gateway, user) = gateway(json!({ "billing": { "hard_limit_per_request_usd": "0.0005" } })).await;
    let mut body = unbounded("demo/tokens-900", false);
    let cut = gateway.complete(&user, &body).await.json();
    assert_eq!(cut["choices"][0]["finish_reason"], "length", "{cut}");
    body["max_tokens"] = json!(1000);
    let refused = gateway.complete(&user, &body).await;
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (402, Some("request_cost_limit")));
}

#[tokio::test]
async fn version_key_and_ttl_decide_what_is_served_again() {
    let (first, user) = gateway(json!({ "cache": { "version_key": "a" } })).await;
    assert_eq!(first.complete(&user, &unbounded("demo/ok", false)).await.header("x-tollgate-cache"), "miss");
    assert_eq!(first.complete(&user, &unbounded("demo/ok", true)).await.header("x-tollgate-cache"), "exact");
    let again = |cache: Value| first.beside(json!({ "cache": cache }));
    let same = again(json!({ "version_key": "a" })).start().await;
    assert_eq!(same.complete(&user, &unbounded("demo/ok", false)).await.header("x-tollgate-cache"), "exact");
    let other = again(json!({ "version_key": "b" })).start().await;
    assert_eq!(other.complete(&user, &unbounded("demo/ok", false)).await.header("x-tollgate-cache"), "miss");
    let headers = [("x-api-key", user.key.as_str()), ("cache-control", "no-store")];
    let body = unbounded("demo/ok", false).to_string();
    let bypass = first.send(Method::POST, COMPLETIONS, &headers, body).await;
    assert_eq!(bypass.header("x-tollgate-cache"), "bypass");
    let mut late = again(json!({ "version_key": "a", "ttl_hours": 1 }));
    late.clock = Arc::new(Ahead(Duration::from_secs(3601)));
    let late = late.start().await;
    assert_eq!(late.complete(&user, &unbounded("demo/ok", false)).await.header("x-tollgate-cache"), "miss");
}

#[tokio::test]
async fn answers_are_shared_within_the_scope_and_never_across_keys() {
    let (gateway, user) = gateway(json!({})).await;
    let other = gateway.user(json!({})).await;
    assert_eq!(
        gateway.complete(&user, &unbounded("demo/ok", false)).await.header("x-tollgate-cache"),
        "miss"
    );
    assert_eq!(
        gateway.complete(&other, &unbounded("demo/ok", false)).await.header("x-tollgate-cache"),
        "miss"
    );
    let shared = TestApp::start(json!({ "cache": { "scope": "tenant" } })).await;
    let (a, b) = (shared.user(json!({ "tenant": "t" })).await, shared.user(json!({ "tenant": "t" })).await);
    let stranger = shared.user(json!({ "tenant": "u" })).await;
    assert_eq!(shared.complete(&a, &unbounded("demo/ok", false)).await.header("x-tollgate-cache"), "miss");
    assert_eq!(shared.complete(&b, &unbounded("demo/ok", false)).await.header("x-tollgate-cache"), "exact");
    assert_eq!(
        shared.complete(&stranger, &unbounded("demo/ok", false)).await.header("x-tollgate-cache"),
        "miss"
    );
}
