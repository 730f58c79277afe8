//! A near question is given the answer, at no cost and without a provider.

use serde_json::json;
use shared::domain::ledger::Outcome;

use super::{ASKED, NEAR, ask, asked_once, body, source};

#[tokio::test]
async fn a_near_question_is_answered_without_a_provider_a_hold_or_a_cost() {
    let (gateway, semantic, user) = asked_once(json!({ "cache": { "verify_share": 0 } })).await;
    let calls = gateway.demo().calls("ok");
    let first = ask(&gateway, &user, &[], &body(ASKED)).await;
    let near = ask(&gateway, &user, &[], &body(NEAR)).await;
    assert_eq!(near.header("x-tollgate-cache"), "semantic");
    assert_eq!(near.header("cache-status"), "tollgate; hit; detail=semantic");
    assert_eq!(near.header("x-tollgate-similarity"), "1.0000");
    assert!(near.header("server-timing").contains("lookup;dur="), "{}", near.header("server-timing"));
    assert_eq!(near.json()["choices"], first.json()["choices"]);
    assert_eq!(gateway.demo().calls("ok"), calls, "nobody was called");
    assert_eq!(semantic.jobs.take(), [], "and nothing is to be indexed");
    gateway.settled().await;
    let line = gateway.lines(&user).pop().expect("a line");
    assert_eq!((line.outcome, line.amount.nano(), line.items.len()), (Outcome::CacheHit, 0, 0));
    let receipt = gateway
        .ask_usage("GET", &format!("/v1/requests/{}", near.header("x-request-id")), &user.key, None)
        .await
        .json();
    assert_eq!((&receipt["cache"], &receipt["settledUsd"]), (&json!("semantic"), &json!("0")), "{receipt}");
}

#[tokio::test]
async fn a_hit_streams_to_those_who_stream() {
    let (gateway, _, user) = asked_once(json!({ "cache": { "verify_share": 0 } })).await;
    let plain = ask(&gateway, &user, &[], &body(NEAR)).await.json();
    let mut streaming = body(NEAR);
    streaming["stream"] = json!(true);
    let streamed = ask(&gateway, &user, &[], &streaming).await;
    assert_eq!(streamed.header("x-tollgate-cache"), "semantic");
    assert!(streamed.header("content-type").starts_with("text/event-stream"));
    assert_eq!(json!(streamed.streamed_text()), plain["choices"][0]["message"]["content"]);
    assert_eq!(streamed.finishes(), ["stop"]);
}

#[tokio::test]
async fn how_politely_somebody_asks_is_nothing_to_the_search() {
    let (gateway, _, user) = asked_once(json!({})).await;
    let polite = format!("Hello! {ASKED}, please? Thanks");
    let reply = ask(&gateway, &user, &[], &body(&polite)).await;
    assert_eq!(
        (reply.header("x-tollgate-cache"), reply.header("x-tollgate-similarity")),
        ("semantic", "1.0000")
    );
}

#[tokio::test]
async fn a_question_that_is_not_near_is_a_miss_and_says_why() {
    let (gateway, _, user) = asked_once(json!({ "cache": { "verify_share": 0 } })).await;
    let other = ask(&gateway, &user, &[], &body("Name three kinds of bread")).await;
    assert_eq!(other.header("x-tollgate-cache"), "miss");
    assert_eq!(other.header("cache-status"), "tollgate; fwd=miss; detail=below_threshold");
    let negated = "Which river does not flow through the old town of Ghent";
    assert_eq!(source(&gateway, &user, negated).await, "miss");
}

#[tokio::test]
async fn a_route_may_have_no_search_for_near_questions() {
    let routes = json!({ "demo/ok": { "semantic": "off" } });
    let (gateway, semantic, user) = super::gateway(json!({ "cache": { "routes": routes } })).await;
    assert_eq!(source(&gateway, &user, ASKED).await, "miss");
    assert_eq!(semantic.jobs.take(), []);
    assert_eq!(source(&gateway, &user, NEAR).await, "miss");
    assert_eq!(source(&gateway, &user, ASKED).await, "exact");
    assert!(semantic.asked.lock().expect("never poisoned").is_empty());
}

#[tokio::test]
async fn long_and_composed_questions_are_answered_by_the_exact_tier_alone() {
    let (gateway, semantic, user) = super::gateway(json!({})).await;
    let long = format!("{ASKED} {}", "and on ".repeat(100));
    let parts = json!([{ "type": "text", "text": "one" }, { "type": "text", "text": "two" }]);
    let mut composed = body("");
    composed["messages"][0]["content"] = parts;
    for body in [body(&long), composed] {
        assert_eq!(ask(&gateway, &user, &[], &body).await.header("x-tollgate-cache"), "miss");
        assert_eq!(ask(&gateway, &user, &[], &body).await.header("x-tollgate-cache"), "exact");
    }
    assert!(semantic.asked.lock().expect("never poisoned").is_empty());
    assert_eq!(semantic.jobs.take(), []);
}
