//! `Idempotency-Key`: one call, one line, one answer, however often a request is sent.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tests::{CHAT, COMPLETIONS, Reply, TestApp, User, question};

async fn send(gateway: &TestApp, user: &User, path: &str, key: &str, body: &Value) -> Reply {
    let bearer = user.bearer();
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
    gateway.send(Method::POST, path, &headers, body.to_string()).await
}

/// As a client with retries does: again while it is told that the request is in flight.
async fn send_until_answered(gateway: &TestApp, user: &User, path: &str, key: &str, body: &Value) -> Reply {
    loop {
        let reply = send(gateway, user, path, key, body).await;
        if reply.status != 409 {
            return reply;
        }
        assert_eq!(reply.json()["error"]["code"], "idempotency_in_flight");
        assert_eq!((reply.header("retry-after"), reply.header("x-should-retry")), ("1", "true"));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_sends_at_once_are_one_call_one_line_and_one_answer() {
    let gateway = Arc::new(TestApp::start(json!({})).await);
    for (stream, model) in [(false, "demo/delay-60"), (true, "demo/delay-60+pace-2")] {
        let user = gateway.user(json!({ "budgetUsd": "1" })).await;
        // Nothing but the key may make the answers equal.
        let mut body = question(model, stream);
        body["temperature"] = json!(1.5);
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (gateway, user, body) = (Arc::clone(&gateway), user.clone(), body.clone());
                tokio::spawn(
                    async move { send_until_answered(&gateway, &user, COMPLETIONS, "once", &body).await },
                )
            })
            .collect();
        let mut texts = Vec::new();
        for task in tasks {
            let reply = task.await.expect("no panic");
            assert_eq!(reply.status, 200, "{}", reply.text());
            texts.push(if stream { reply.streamed_text() } else { reply.text() });
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "identical answers: {texts:?}");
        assert_eq!(gateway.demo().calls(model), 1);
        assert_eq!(gateway.lines(&user).len(), 1);
    }
    gateway.settled().await;
}

#[tokio::test]
async fn a_replay_is_the_first_reply_and_says_so() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let body = json!({ "prompt": "Hello", "stream": false });
    let first = send(&gateway, &user, CHAT, "k", &body).await;
    let again = send(&gateway, &user, CHAT, "k", &body).await;
    assert_eq!((first.text(), first.header("idempotent-replayed")), (again.text(), ""));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("x-tollgate-cache"), "bypass");
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    assert_eq!(gateway.lines(&user).len(), 1);
}

#[tokio::test]
async fn an_answer_from_the_cache_is_kept_as_well() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let body = question("demo/ok", false);
    gateway.complete(&user, &body).await;
    let hit = send(&gateway, &user, COMPLETIONS, "k", &body).await;
    assert_eq!(hit.header("x-tollgate-cache"), "exact");
    let again = send(&gateway, &user, COMPLETIONS, "k", &body).await;
    assert_eq!((again.text(), again.header("idempotent-replayed")), (hit.text(), "true"));
    assert_eq!(gateway.lines(&user).len(), 2, "the answer and the hit");
}

#[tokio::test]
async fn another_body_under_the_key_is_refused() {
    let gateway = TestApp::start(json!({})).await;
    let (user, neighbour) = (gateway.user(json!({})).await, gateway.user(json!({})).await);
    let body = question("demo/ok", false);
    assert_eq!(send(&gateway, &user, COMPLETIONS, "k", &body).await.status, 200);
    let other = send(&gateway, &user, COMPLETIONS, "k", &question("demo/tokens-3", false)).await;
    assert_eq!((other.status, other.json()["error"]["param"].clone()), (400, json!("Idempotency-Key")));
    assert_eq!(send(&gateway, &neighbour, COMPLETIONS, "k", &body).await.header("idempotent-replayed"), "");
}

#[tokio::test]
async fn a_failed_request_frees_its_key() {
    let gateway = TestApp::start(json!({ "routing": { "primary": "demo/fickle" } })).await;
    let user = gateway.user(json!({})).await;
    gateway.demo().set_behaviour("fickle", "503").expect("a script");
    let body = question("demo/fickle", false);
    assert_eq!(send(&gateway, &user, COMPLETIONS, "k", &body).await.status, 503);
    gateway.demo().set_behaviour("fickle", "ok").expect("a script");
    assert_eq!(send(&gateway, &user, COMPLETIONS, "k", &body).await.status, 200);
    let poor = gateway.user(json!({ "budgetUsd": "0.000001" })).await;
    for _ in 0..2 {
        assert_eq!(send(&gateway, &poor, COMPLETIONS, "k", &body).await.status, 402, "and not 409");
    }
}

#[tokio::test]
async fn a_key_must_be_readable() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    for key in ["", "two words", &"k".repeat(257)] {
        let reply = send(&gateway, &user, COMPLETIONS, key, &question("demo/ok", false)).await;
        assert_eq!((reply.status, reply.json()["error"]["param"].clone()), (400, json!("Idempotency-Key")));
    }
    assert!(gateway.lines(&user).is_empty());
}
