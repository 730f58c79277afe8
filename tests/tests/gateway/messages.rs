//! Callers who speak Anthropic's Messages, and what a provider that speaks it tells early.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};
use shared::config::ModelName;
use shared::domain::ledger::Quality;
use shared::domain::reservation::Reservation;
use shared::domain::usage::TokenUsage;
use shared::ports::{AttemptError, ChunkStream, Upstream};
use shared::protocol::canonical::{ChatRequest, Chunk, Delta};
use shared::protocol::outbound::Outbound;
use tests::{Reply, Setup, TestApp, User};

const MESSAGES: &str = "/v1/messages";

fn question(stream: bool) -> Value {
    json!({
        "model": "demo/tokens-3", "max_tokens": 100, "stream": stream,
        "messages": [{ "role": "user", "content": "Which of the rivers runs through Ghent?" }],
    })
}

/// A question with the header `anthropic-beta`.
async fn ask_with_beta(gateway: &TestApp, user: &User, beta: &str) -> Reply {
    let headers = [("x-api-key", user.key.as_str()), ("anthropic-beta", beta)];
    gateway.send(Method::POST, MESSAGES, &headers, question(false).to_string()).await
}

fn error(reply: &Reply) -> (u16, Value, Value) {
    let body = reply.json();
    assert_eq!(body["type"], "error");
    assert!(!reply.header("request-id").is_empty());
    (reply.status, body["error"]["type"].clone(), body["error"]["param"].clone())
}

#[tokio::test]
async fn a_message_is_answered_by_any_provider() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let plain = gateway.post(MESSAGES, &user, &question(false)).await;
    let message = plain.json();
    assert_eq!(
        (plain.status, &message["type"], &message["stop_reason"]),
        (200, &json!("message"), &json!("end_turn"))
    );
    assert_eq!(message["id"], json!(format!("msg_{}", plain.header("request-id"))));
    assert_eq!(plain.header("request-id"), plain.header("x-request-id"));
    let text = message["content"][0]["text"].as_str().expect("a text").to_owned();

    let streamed = gateway.post(MESSAGES, &user, &question(true)).await;
    let events: Vec<Value> =
        streamed.events().iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
    let said: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(said, text);
    assert_eq!(events.last().map(|event| &event["type"]), Some(&json!("message_stop")));
    assert_eq!(streamed.header("request-id"), streamed.header("x-request-id"));
}

#[tokio::test]
async fn refusals_are_told_in_anthropics_words() {
    let gateway = TestApp::start(json!({})).await;
    let poor = gateway.user(json!({ "budgetUsd": "0.000001" })).await;
    let refused = gateway.post(MESSAGES, &poor, &question(false)).await;
    assert_eq!(error(&refused), (402, json!("billing_error"), json!(null)));
    assert_eq!(refused.header("x-should-retry"), "false");
    let mut hot = question(false);
    hot["temperature"] = json!(1.5);
    let refused = gateway.post(MESSAGES, &poor, &hot).await;
    assert_eq!(error(&refused), (400, json!("invalid_request_error"), json!("temperature")));
    let nobody = gateway.send(Method::POST, MESSAGES, &[], question(false).to_string()).await;
    assert_eq!(error(&nobody), (401, json!("authentication_error"), json!(null)));
    let nowhere = gateway.send(Method::GET, "/v1/messages/batches", &[], "").await;
    let body = nowhere.json();
    assert_eq!((nowhere.status, &body["error"]["type"]), (404, &json!("not_found_error")));
}

#[tokio::test]
async fn betas_that_may_change_a_price_are_refused_to_keys_with_a_budget() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    let known = ask_with_beta(&gateway, &user, "interleaved-thinking-2025-05-14").await;
    assert_eq!(known.status, 200, "{}", known.text());
    let unknown = ask_with_beta(&gateway, &user, "token-counting-2024-11-01,context-1m-2025-08-07").await;
    assert_eq!(error(&unknown), (400, json!("invalid_request_error"), json!("anthropic-beta")));
}

#[tokio::test]
async fn models_are_listed_in_the_shape_that_the_caller_knows() {
    let gateway = TestApp::start(json!({ "routing": { "primary": "demo/ok" } })).await;
    let user = gateway.user(json!({})).await;
    let bearer = user.bearer();
    let list = async |headers: &[(&str, &str)]| gateway.send(Method::GET, "/v1/models", headers, "").await;
    let anthropic = list(&[("authorization", &bearer), ("anthropic-version", "2023-06-01")]).await;
    let body = anthropic.json();
    assert_eq!(body["data"][0]["type"], "model");
    assert_eq!((&body["first_id"], &body["last_id"]), (&json!("demo/embed"), &json!("demo/ok")));
    assert_eq!(body["has_more"], json!(false));
    assert!(!anthropic.header("request-id").is_empty());
    let openai = list(&[("authorization", &bearer)]).await;
    assert_eq!((&openai.json()["object"], openai.header("request-id")), (&json!("list"), ""));
    assert_eq!(list(&[("anthropic-version", "2023-06-01")]).await.json()["type"], "error");
}

/// Tells the input tokens, says a word and breaks off, as a stream of Messages may.
struct BreaksOff;

#[async_trait]
impl Upstream for BreaksOff {
    async fn open(&self, _: &Reservation, _: &ChatRequest) -> Result<ChunkStream, AttemptError> {
        let usage = TokenUsage { uncached: 10, output: 1, ..TokenUsage::default() };
        let start = Chunk { usage: Some(usage), ..Chunk::default() };
        let word = Delta { content: Some("Well".to_owned()), ..Delta::default() };
        let word = Chunk { deltas: vec![word], ..Chunk::default() };
        let cut = AttemptError::Broken("cut".to_owned());
        Ok(Box::pin(futures_util::stream::iter([Ok(start), Ok(word), Err(cut)])))
    }

    fn outbound(&self, _: &ModelName) -> Option<Outbound> {
        Some(Outbound::Anthropic)
    }
}

#[tokio::test]
async fn usage_told_before_the_end_is_not_what_a_broken_answer_costs() {
    let setup = Setup { upstream: Some(Arc::new(BreaksOff)), ..Setup::new(json!({})) };
    let gateway = setup.start().await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    let broken = gateway.post(MESSAGES, &user, &question(true)).await;
    assert!(broken.text().ends_with("\n\n") && broken.text().contains("event: error\n"), "{}", broken.text());
    let lines = gateway.lines(&user);
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].quality, lines[0].amount), (Quality::Estimated, lines[0].reserved));
}
