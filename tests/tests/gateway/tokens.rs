//! Browser-safe tokens: what a key's holder can sign away, and what a page can do with it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tests::{Ahead, COMPLETIONS, Reply, Setup, TestApp, User, question};

const TOKENS: &str = "/v1/tokens";

async fn mint(gateway: &TestApp, user: &User, body: Value) -> Reply {
    gateway.post(TOKENS, user, &body).await
}

/// A token as a caller of its own.
async fn page(gateway: &TestApp, user: &User, body: Value) -> User {
    let minted = mint(gateway, user, body).await;
    assert_eq!(minted.status, 201, "{}", minted.text());
    let key = minted.json()["token"].as_str().expect("a token").to_owned();
    User { id: user.id.clone(), key }
}

#[tokio::test]
async fn a_token_asks_in_the_name_of_its_user() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let page = page(&gateway, &user, json!({ "userId": "ada" })).await;
    let mut body = question("demo/ok", false);
    body["user"] = json!("somebody else");
    assert_eq!(gateway.complete(&page, &body).await.status, 200);
    assert_eq!(gateway.lines(&user)[0].user.as_deref(), Some("ada"));
    gateway.settled().await;
}

#[tokio::test]
async fn a_token_is_limited_to_its_models_and_those_of_its_key() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "models": ["demo/ok", "demo/tokens-3"] })).await;
    let page = page(&gateway, &user, json!({ "userId": "ada", "models": ["demo/ok"] })).await;
    assert_eq!(gateway.complete(&page, &question("demo/ok", false)).await.status, 200);
    let refused = gateway.complete(&page, &question("demo/tokens-3", false)).await;
    assert_eq!((refused.status, refused.json()["error"]["code"].clone()), (403, json!("model_not_allowed")));
    let wide = mint(&gateway, &user, json!({ "userId": "ada", "models": ["demo/429"] })).await;
    assert_eq!((wide.status, wide.json()["error"]["code"].clone()), (403, json!("model_not_allowed")));
}

#[tokio::test]
async fn a_token_spends_no_more_than_its_own_cap() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    let page = page(&gateway, &user, json!({ "userId": "ada", "budgetUsd": "0.001" })).await;
    let mut answered = 0;
    let refused = loop {
        let mut body = question("demo/tokens-50", false);
        body["messages"][0]["content"] = json!(format!("Question {answered}"));
        let reply = gateway.complete(&page, &body).await;
        match reply.status {
            200 => answered += 1,
            _ => break reply,
        }
        assert!(answered < 50, "the cap is never reached");
    };
    assert!(answered > 0);
    let error = refused.json()["error"].clone();
    assert_eq!(
        (refused.status, &error["code"], &error["scope"]),
        (402, &json!("quota_exceeded"), &json!("token"))
    );
    assert_eq!(error["cap"], "0.001");
    let spent: i64 = gateway.lines(&user).iter().map(|line| line.amount.nano()).sum();
    assert!((1..=1_000_000).contains(&spent), "{spent} nano-dollars");
    assert_eq!(
        gateway.complete(&user, &question("demo/tokens-50", false)).await.status,
        200,
        "the key has more"
    );
    gateway.settled().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cap_holds_under_concurrency_and_nothing_stays_held_on_the_key() {
    let gateway = std::sync::Arc::new(TestApp::start(json!({})).await);
    let user = gateway.user(json!({ "budgetUsd": "1" })).await;
    let page = page(&gateway, &user, json!({ "userId": "ada", "budgetUsd": "0.002" })).await;
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let (gateway, page) = (std::sync::Arc::clone(&gateway), page.clone());
            tokio::spawn(async move {
                let mut body = question("demo/tokens-20", n % 2 == 0);
                body["messages"][0]["content"] = json!(format!("Question {n}"));
                gateway.complete(&page, &body).await.status
            })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.expect("no panic"), 200 | 402));
    }
    let spent: i64 = gateway.lines(&user).iter().map(|line| line.amount.nano()).sum();
    assert!((1..=2_000_000).contains(&spent), "{spent} nano-dollars");
    gateway.settled().await;
}

#[tokio::test]
async fn a_token_has_a_rate_of_its_own() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let page = page(&gateway, &user, json!({ "userId": "ada", "rpm": 2 })).await;
    for status in [200, 200, 429] {
        assert_eq!(gateway.complete(&page, &question("demo/ok", false)).await.status, status);
    }
}

#[tokio::test]
async fn a_token_ends_by_itself_and_with_its_key() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let page = page(&gateway, &user, json!({ "userId": "ada", "ttlSeconds": 60 })).await;
    let body = question("demo/ok", false);
    assert_eq!(gateway.complete(&page, &body).await.status, 200);
    let later =
        Setup { clock: std::sync::Arc::new(Ahead(Duration::from_secs(61))), ..gateway.beside(json!({})) };
    assert_eq!(later.start().await.complete(&page, &body).await.status, 401);
    gateway.revoke(&user).await;
    assert_eq!(gateway.complete(&page, &body).await.status, 401);
}

#[tokio::test]
async fn a_token_mints_no_tokens_and_reads_no_usage() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    let page = page(&gateway, &user, json!({ "userId": "ada" })).await;
    let refused = mint(&gateway, &page, json!({ "userId": "eve" })).await;
    assert_eq!((refused.status, refused.json()["error"]["code"].clone()), (403, json!("token_not_allowed")));
}

#[tokio::test]
async fn what_cannot_be_minted_is_named() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    for (body, param) in [
        (json!({}), "userId"),
        (json!({ "userId": "" }), "userId"),
        (json!({ "userId": "a\nb" }), "userId"),
        (json!({ "userId": "a", "ttlSeconds": 3601 }), "ttlSeconds"),
        (json!({ "userId": "a", "ttlSeconds": 0 }), "ttlSeconds"),
        (json!({ "userId": "a", "budgetUsd": "-1" }), "budgetUsd"),
        (json!({ "userId": "a", "models": ["two words"] }), "models[0]"),
        (json!({ "userId": "a", "rpm": 0 }), "rpm"),
        (json!({ "userId": "a", "scope": "all" }), "scope"),
    ] {
        let reply = mint(&gateway, &user, body.clone()).await;
        assert_eq!((reply.status, reply.json()["error"]["param"].clone()), (400, json!(param)), "{body}");
    }
    let nobody = gateway.send(Method::POST, TOKENS, &[], "{").await;
    assert_eq!(nobody.status, 401, "a bad body is told only to callers with a good key");
}

async fn preflight(gateway: &TestApp, origin: &str) -> Reply {
    let headers = [("origin", origin), ("access-control-request-method", "POST")];
    gateway.send(Method::OPTIONS, COMPLETIONS, &headers, "").await
}

#[tokio::test]
async fn only_listed_origins_may_call_from_a_page() {
    let gateway = TestApp::start(json!({ "gateway": { "cors_origins": ["https://app.example.com"] } })).await;
    let user = gateway.user(json!({})).await;
    let page = page(&gateway, &user, json!({ "userId": "ada" })).await;
    let good = preflight(&gateway, "https://app.example.com").await;
    assert_eq!((good.status, good.header("access-control-allow-origin")), (204, "https://app.example.com"));
    assert!(good.header("access-control-allow-headers").contains("authorization"));
    let bad = preflight(&gateway, "https://evil.example.com").await;
    assert_eq!((bad.status, bad.header("access-control-allow-origin")), (204, ""));
    let bearer = page.bearer();
    let headers = [("origin", "https://app.example.com"), ("authorization", bearer.as_str())];
    let reply =
        gateway.send(Method::POST, COMPLETIONS, &headers, question("demo/ok", false).to_string()).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, "https://app.example.com"));
    assert_eq!(reply.header("vary"), "origin");
}

#[tokio::test]
async fn without_an_allowlist_no_page_may_call() {
    let gateway = TestApp::start(json!({})).await;
    let reply = preflight(&gateway, "https://app.example.com").await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (405, ""));
}
