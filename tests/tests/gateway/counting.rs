//! `POST /v1/messages/count_tokens`: free, admitted by rates.

use http::Method;
use serde_json::{Value, json};
use tests::{Reply, Setup, TestApp, User};

const COUNT: &str = "/v1/messages/count_tokens";

async fn count(gateway: &TestApp, user: &User, body: &Value) -> Reply {
    let headers = [("x-api-key", user.key.as_str()), ("anthropic-version", "2023-06-01")];
    gateway.send(Method::POST, COUNT, &headers, body.to_string()).await
}

fn asks(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "How is the weather in Ghent today?" }] })
}

#[tokio::test]
async fn what_nobody_counts_is_estimated_and_said_to_be() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "1", "rpm": 2 })).await;
    let reply = count(&gateway, &user, &asks("demo/ok")).await;
    assert_eq!((reply.status, reply.header("x-tollgate-tokens")), (200, "estimated"));
    let tokens = reply.json()["input_tokens"].as_u64().expect("a count");
    assert!((8..=20).contains(&tokens), "{tokens}");
    assert_eq!((gateway.lines(&user).len(), gateway.demo().calls("ok")), (0, 0), "nothing is billed");
    assert_eq!(count(&gateway, &user, &asks("demo/ok")).await.status, 200);
    assert_eq!(count(&gateway, &user, &asks("demo/ok")).await.status, 429);
}

#[tokio::test]
async fn a_provider_that_counts_is_asked() {
    let mut setup = Setup::new(json!({}));
    let provider = tests::Provider::start().await;
    setup.config["providers"]["demo"] = provider.entry_of("anthropic");
    setup.provider = Some(provider);
    let gateway = setup.start().await;
    let user = gateway.user(json!({})).await;
    let reply = count(&gateway, &user, &asks("demo/ok")).await;
    assert_eq!((reply.status, reply.header("x-tollgate-tokens")), (200, "counted"), "{}", reply.text());
    assert!(reply.json()["input_tokens"].as_u64().is_some_and(|tokens| tokens > 0));
    assert_eq!(count(&gateway, &user, &asks("demo/503")).await.status, 503);
}

#[tokio::test]
async fn refusals_speak_the_dialect() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let nobody = User { id: String::new(), key: "tg_none".to_owned() };
    let refused = count(&gateway, &nobody, &asks("demo/ok")).await;
    assert_eq!((refused.status, &refused.json()["error"]["type"]), (401, &json!("authentication_error")));
    assert_eq!(refused.header("request-id"), refused.header("x-request-id"));
    let unknown = count(&gateway, &user, &asks("nowhere/none")).await;
    assert_eq!((unknown.status, &unknown.json()["error"]["type"]), (404, &json!("not_found_error")));
    let bad = count(&gateway, &user, &json!({ "model": "demo/ok" })).await;
    assert_eq!((bad.status, &bad.json()["error"]["param"]), (400, &json!("messages")));
}
