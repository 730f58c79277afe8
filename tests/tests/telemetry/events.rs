//! One event a request, whatever became of it.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use shared::config::Metric;
use shared::domain::event::{Operation, RequestEvent};
use shared::domain::notes::{CacheStatus, FaultKind};
use shared::domain::trace::Sampler;
use shared::telemetry::names::{DIMENSIONS, FIGURES, GENAI_DIMENSIONS, OPERATION_DURATION, TOKEN_USAGE};
use shared::telemetry::{Switches, emf};
use tests::{CHAT, COMPLETIONS, Setup, TestApp, User, Watching, question};

use super::schema::check;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// In the prompt, and so in the demo's answer as well.
const CANARY: &str = "Ghent";

fn all() -> Switches {
    let metrics =
        vec![Metric::RequestDuration, Metric::TokenCount, Metric::CacheHitRatio, Metric::FallbackTriggerRate];
    Switches { metrics, tokens: true }
}

async fn watched(config: Value, sampler: Option<Sampler>) -> (TestApp, Arc<Watching>, User) {
    let watching = Watching::new(sampler);
    let gateway = Setup { observer: watching.clone(), ..Setup::new(config) }.start().await;
    let user = gateway.user(json!({ "tenant": "acme", "budgetUsd": "1" })).await;
    (gateway, watching, user)
}

fn falls_back() -> Value {
    json!({ "routing": { "primary": "demo/500", "fallbacks": ["demo/tokens-3"] } })
}

/// The event's line, checked against the published rules and for what must not be in it.
fn line(event: &RequestEvent, user: &User) -> Value {
    let document = emf::document(event, &all());
    for (name, set) in check(&document) {
        let own = FIGURES.iter().any(|figure| figure.name == name);
        let sets: Vec<&[&str]> = if own { DIMENSIONS.to_vec() } else { vec![&GENAI_DIMENSIONS] };
        assert!(sets.iter().any(|known| **known == set), "{name} by {set:?}");
        assert!(own || [OPERATION_DURATION, TOKEN_USAGE].contains(&name.as_str()), "{name} is in no table");
    }
    let text = document.to_string();
    assert!(!text.contains(CANARY) && !text.contains(&user.key), "{text}");
    document
}

#[tokio::test]
async fn a_stream_that_fell_back_is_told_with_its_steps_and_attempts() {
    let (gateway, watching, user) = watched(falls_back(), None).await;
    let reply = gateway.complete(&user, &question("demo/500", true)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let event = watching.one();
    assert_eq!((event.status, event.streams, event.cache), (200, true, Some(CacheStatus::Miss)));
    assert_eq!(
        (event.route, event.tenant.as_deref(), event.key.as_deref()),
        (COMPLETIONS, Some("acme"), Some(&*user.id))
    );
    let steps: Vec<&str> = event.steps.iter().map(|step| step.name).collect();
    assert_eq!(steps.iter().filter(|step| **step == "reserve").count(), 2, "{steps:?}");
    assert_eq!(steps.iter().filter(|step| **step == "settle").count(), 2, "{steps:?}");
    assert!(steps.contains(&"auth") && steps.contains(&"cache"), "{steps:?}");
    let [failed, answered] = event.attempts.as_slice() else { panic!("{event:?}") };
    assert_eq!(failed.fault.map(|fault| (fault.kind, fault.status)), Some((FaultKind::Status, Some(500))));
    assert_eq!((answered.fault, answered.finish.as_slice()), (None, &["stop"][..]));
    assert!(answered.first_token.is_some() && answered.usage.output > 0);
    assert!(event.gateway() < event.duration() && event.duration() <= event.whole);
    let line = line(&event, &user);
    assert_eq!((&line["fallback.trigger_rate"], &line["cache.hit_ratio"]), (&json!(1.0), &json!(0.0)));
    assert_eq!((&line["provider"], &line["served_by"]), (&json!("demo"), &json!("demo/tokens-3")));
    assert_eq!(line["llm.token.count"].as_f64(), Some(event.usage.total() as f64));
    assert_eq!(line["cost_usd"], json!(gateway.lines(&user)[1].amount.to_string()));
}

#[tokio::test]
async fn every_kind_of_request_has_one_event_whose_line_keeps_the_rules() {
    let (gateway, watching, user) = watched(json!({}), None).await;
    let body = question("demo/tokens-3", false);
    gateway.complete(&user, &body).await;
    assert_eq!(line(&watching.one(), &user)["cache"], json!("miss"));
    gateway.complete(&user, &body).await;
    let hit = watching.one();
    assert_eq!(
        (hit.is_hit(), hit.attempts.len(), hit.served_by.as_deref()),
        (Some(true), 0, Some("demo/tokens-3"))
    );
    assert_eq!(line(&hit, &user)["cache.hit_ratio"], json!(1.0));

    gateway
        .prompt(&user, &json!({ "prompt": "Which river runs through Ghent?", "model": "demo/tokens-3" }))
        .await;
    assert_eq!(line(&watching.one(), &user)["route"], json!(CHAT));
    let message = json!({ "model": "demo/tokens-3", "max_tokens": 9, "messages": [{ "role": "user", "content": CANARY }] });
    gateway.post("/v1/messages", &user, &message).await;
    assert_eq!(line(&watching.one(), &user)["status"], json!(200));
    gateway.post("/v1/responses", &user, &json!({ "model": "demo/tokens-3", "input": CANARY })).await;
    assert_eq!(line(&watching.one(), &user)["status"], json!(200));
    gateway.post("/v1/embeddings", &user, &json!({ "model": "demo/embed", "input": CANARY })).await;
    let embedded = watching.one();
    assert_eq!(
        (embedded.operation, embedded.attempts.len(), embedded.is_hit()),
        (Operation::Embeddings, 1, None)
    );
    assert_eq!(line(&embedded, &user)["gen_ai.operation.name"], json!("embeddings"));
}

#[tokio::test]
async fn refusals_and_failures_are_told_as_well() {
    let alone = json!({ "routing": { "primary": "demo/500" } });
    let (gateway, watching, user) = watched(alone, None).await;
    let broke = gateway.user(json!({ "budgetUsd": "0" })).await;
    let stranger = User { id: "nobody".to_owned(), key: "tg_no_key_at_all".to_owned() };
    let failing = question("demo/cut-1", true);
    for (who, body, status, code) in [
        (&stranger, question("demo/ok", false), 401, "invalid_api_key"),
        (&user, json!({ "messages": CANARY }), 400, "invalid_request"),
        (&user, question("nowhere/ok", false), 404, "model_not_found"),
        (&broke, question("demo/ok", false), 402, "quota_exceeded"),
        (&user, question("demo/500", false), 503, "degraded"),
        (&user, failing, 502, "stream_broken"),
    ] {
        gateway.complete(who, &body).await;
        let event = watching.one();
        let line = line(&event, who);
        assert_eq!(event.status / 100, status / 100, "{line}");
        assert!(event.error.is_some(), "{line} wants {code}");
        assert_eq!(line["tollgate.error.rate"].as_f64(), Some(f64::from(u8::from(status >= 500))), "{line}");
    }
}

#[tokio::test]
async fn what_is_switched_off_is_not_told() {
    let (gateway, watching, user) = watched(json!({}), None).await;
    gateway.complete(&user, &question("demo/tokens-3", false)).await;
    let event = watching.one();
    let told =
        |switches: &Switches| check(&emf::document(&event, switches)).into_iter().map(|(name, _)| name);
    let none = Switches { metrics: Vec::new(), tokens: true };
    let left: Vec<String> = told(&none).collect();
    assert!(left.iter().all(|name| name.starts_with("tollgate.")), "{left:?}");
    let hidden = Switches { tokens: false, ..all() };
    let text = emf::document(&event, &hidden).to_string();
    assert!(!text.replace("demo/tokens-3", "").contains("token"), "{text}");
}

#[tokio::test]
async fn the_time_of_a_slow_provider_is_not_the_gateways() {
    let (gateway, watching, user) = watched(json!({}), None).await;
    gateway.complete(&user, &question("demo/delay-300", false)).await;
    let event = watching.one();
    assert!(event.duration() >= Duration::from_millis(300), "{event:?}");
    assert!(event.duration() - event.gateway() >= Duration::from_millis(300), "{event:?}");
}

#[tokio::test]
async fn a_trace_is_continued_where_it_is_recorded() {
    let (gateway, watching, user) = watched(falls_back(), Some(Sampler::ALL)).await;
    let bearer = user.bearer();
    let headers = [("authorization", bearer.as_str()), ("traceparent", PARENT)];
    let body = question("demo/500", true).to_string();
    gateway.send(Method::POST, COMPLETIONS, &headers, body).await;
    let event = watching.one();
    let tracing = event.trace.clone().expect("a trace");
    assert_eq!((tracing.trace.to_string().as_str(), tracing.is_sampled), (&PARENT[3..35], true));
    assert_eq!(tracing.parent.map(|parent| parent.parent.to_string()).as_deref(), Some(&PARENT[36..52]));
    let spans: Vec<_> = event.attempts.iter().map(|attempt| attempt.span.expect("a span")).collect();
    assert!(spans[0] != spans[1] && !spans.contains(&tracing.span));

    let unsampled = PARENT.replace("-01", "-00");
    let headers = [("authorization", bearer.as_str()), ("traceparent", unsampled.as_str())];
    gateway.send(Method::POST, COMPLETIONS, &headers, question("demo/ok", false).to_string()).await;
    assert_eq!(watching.one().trace, None);
}
