//! `POST /v1/embeddings`: vectors, and the money for them.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Reply, TestApp, User, question};
use tokio::time::Instant;

const EMBEDDINGS: &str = "/v1/embeddings";

async fn embed(gateway: &TestApp, user: &User, body: Value) -> Reply {
    gateway.post(EMBEDDINGS, user, &body).await
}

fn vector(reply: &Reply, index: usize) -> Value {
    reply.json()["data"][index]["embedding"].clone()
}

#[tokio::test]
async fn each_text_gets_its_vector_and_the_tokens_are_paid_for() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    let reply = embed(&gateway, &user, json!({ "model": "demo/embed", "input": ["one", "two words"] })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let document = reply.json();
    assert_eq!((&document["object"], &document["data"][1]["index"]), (&json!("list"), &json!(1)));
    assert_ne!(vector(&reply, 0), vector(&reply, 1));
    let tokens = document["usage"]["prompt_tokens"].as_u64().expect("a count");
    let line = &gateway.lines(&user)[0];
    assert_eq!((line.usage.input(), line.usage.output), (tokens, 0));
    // 100,000 micro-dollars per million tokens are 100 nano-dollars a token.
    assert_eq!(line.amount.nano(), i64::try_from(tokens).expect("few") * 100);
    assert_eq!(reply.header("x-tollgate-cost-usd"), line.amount.to_string());
    assert_eq!(reply.header("x-tollgate-cache"), "bypass");
    gateway.settled().await;
}

#[tokio::test]
async fn base64_and_numbers_are_the_same_vector() {
    use base64::Engine;
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let ask = |format: &str| json!({ "model": "demo/embed", "input": "one", "encoding_format": format, "dimensions": 16 });
    let (float, base64) =
        (embed(&gateway, &user, ask("float")).await, embed(&gateway, &user, ask("base64")).await);
    let numbers: Vec<f32> = serde_json::from_value(vector(&float, 0)).expect("numbers");
    let text = vector(&base64, 0).as_str().expect("text").to_owned();
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
    let read: Vec<f32> = bytes.chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    assert_eq!((numbers.len(), numbers), (16, read));
}

#[tokio::test]
async fn models_are_for_what_they_do() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let chat = embed(&gateway, &user, json!({ "model": "demo/ok", "input": "one" })).await;
    assert_eq!((chat.status, chat.json()["error"]["param"].clone()), (400, json!("model")));
    let embedding = gateway.complete(&user, &question("demo/embed", false)).await;
    assert_eq!((embedding.status, embedding.json()["error"]["param"].clone()), (400, json!("model")));
    let none = embed(&gateway, &user, json!({ "model": "nowhere/embed", "input": "one" })).await;
    assert_eq!(none.status, 404);
    assert!(gateway.lines(&user).is_empty());
}

#[tokio::test]
async fn faults_are_settled_and_retried_where_nothing_was_billed() {
    for (script, status, calls, estimated) in [
        ("503", 503, 2, false),
        ("429-retry-2", 503, 1, false),
        ("hang", 503, 1, true),
        ("reset-0", 503, 1, true),
        ("badjson-0", 503, 1, true),
        ("nousage", 200, 1, true),
    ] {
        let gateway = TestApp::start(json!({ "gateway": { "timeout_ms": 400 } })).await;
        let user = gateway.user(json!({ "budgetUsd": "1" })).await;
        gateway.demo().set_behaviour("embed", script).expect("a script");
        let reply = embed(&gateway, &user, json!({ "model": "demo/embed", "input": "one" })).await;
        assert_eq!((reply.status, gateway.demo().calls("embed")), (status, calls), "{script}");
        let spent: i64 = gateway.lines(&user).iter().map(|line| line.amount.nano()).sum();
        assert_eq!(spent > 0, estimated, "{script}");
        gateway.settled().await;
    }
}

#[tokio::test]
async fn a_budget_that_is_too_small_refuses_before_the_call() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "0.000000001" })).await;
    let reply = embed(&gateway, &user, json!({ "model": "demo/embed", "input": "one" })).await;
    assert_eq!((reply.status, gateway.demo().calls("embed")), (402, 0));
}

#[tokio::test]
async fn bad_input_is_named_and_costs_nothing() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    for (change, param) in [
        (json!({ "input": "" }), "input"),
        (json!({ "input": [] }), "input"),
        (json!({ "input": ["a", 1] }), "input[1]"),
        (json!({ "encoding_format": "hex" }), "encoding_format"),
        (json!({ "dimensions": -1 }), "dimensions"),
        (json!({ "input_type": "search_query" }), "input_type"),
        (json!({ "flux": 1 }), "flux"),
        (json!({ "model": null }), "model"),
    ] {
        let mut body = json!({ "model": "demo/embed", "input": "one" });
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let reply = embed(&gateway, &user, body).await;
        assert_eq!((reply.status, reply.json()["error"]["param"].clone()), (400, json!(param)), "{change}");
    }
    assert!(gateway.lines(&user).is_empty());
}

#[tokio::test]
async fn an_idempotency_key_brings_the_same_vectors_back() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let bearer = user.bearer();
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
    let body = json!({ "model": "demo/embed", "input": "one" }).to_string();
    let first = gateway.send(http::Method::POST, EMBEDDINGS, &headers, body.clone()).await;
    let again = gateway.send(http::Method::POST, EMBEDDINGS, &headers, body).await;
    assert_eq!((first.text(), again.header("idempotent-replayed")), (again.text(), "true"));
    assert_eq!((gateway.lines(&user).len(), gateway.demo().calls("embed")), (1, 1));
}

#[tokio::test]
async fn nothing_is_held_or_asked_for_when_the_time_is_over() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    let body = json!({ "model": "demo/embed", "input": "one" }).to_string();
    let request = http::Request::post(EMBEDDINGS).header("x-api-key", &user.key);
    let request = request.body(bytes::Bytes::from(body)).expect("a request");
    // Less than an honest end takes.
    let deadline = Instant::now() + Duration::from_millis(1);
    let reply = Reply::read(chat::handle(&gateway.app, request, deadline).await).await;
    assert_eq!((reply.status, gateway.demo().calls("embed")), (503, 0), "{}", reply.text());
    assert!(gateway.lines(&user).is_empty());
    gateway.settled().await;
}
