//! The cache, both of its tiers, through the real handlers: who may be given what, when no more, and
//! what a search for near questions may cost.

mod bought;
mod budget;
mod hits;
mod isolation;
mod kept;
mod measured;
mod shapes;
mod stale;
mod warm;

use serde_json::{Value, json};
use tests::{Reply, Semantic, Setup, TestApp, User};

/// What is asked first.
const ASKED: &str = "Which river flows through the old town of Ghent";
/// The same words, otherwise written: near to the embedder of tests, and another exact key.
const NEAR: &str = "which river flows through the old town of ghent?";

fn body(text: &str) -> Value {
    json!({ "model": "demo/ok", "max_tokens": 200, "messages": [{ "role": "user", "content": text }] })
}

async fn gateway(config: Value) -> (TestApp, Semantic, User) {
    let (setup, semantic) = Setup::new(config).semantic();
    let gateway = setup.start().await;
    let user = gateway.user(json!({ "tenant": "acme", "budgetUsd": "5" })).await;
    (gateway, semantic, user)
}

/// Asks with headers beside the key's.
async fn ask(gateway: &TestApp, user: &User, headers: &[(&str, &str)], body: &Value) -> Reply {
    let bearer = user.bearer();
    let mut all = vec![("authorization", bearer.as_str())];
    all.extend(headers);
    let reply = gateway.send(http::Method::POST, tests::COMPLETIONS, &all, body.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

/// Where the answer to `text` comes from.
async fn source(gateway: &TestApp, user: &User, text: &str) -> String {
    ask(gateway, user, &[], &body(text)).await.header("x-tollgate-cache").to_owned()
}

/// A gateway that was asked once, and has indexed the answer.
async fn asked_once(config: Value) -> (TestApp, Semantic, User) {
    let (gateway, semantic, user) = gateway(config).await;
    assert_eq!(source(&gateway, &user, ASKED).await, "miss");
    assert!(semantic.index().await[0].indexed);
    (gateway, semantic, user)
}
