//! `GET /v1/usage` beside a running gateway.

use serde_json::json;
use shared::domain::partition::Partition;
use tests::{TestApp, UsageParts, question};

const ADMIN: &str = UsageParts::ADMIN_KEY;

/// A gateway at which a user of each of two tenants asked: twice the same, once another.
async fn asked() -> (TestApp, tests::User, tests::User) {
    let gateway = TestApp::start(json!({})).await;
    let ann = gateway.user(json!({ "name": "ann", "tenant": "acme" })).await;
    let bob = gateway.user(json!({ "name": "bob", "tenant": "globex" })).await;
    for (user, model) in [(&ann, "demo/ok"), (&ann, "demo/ok"), (&bob, "demo/ok"), (&bob, "demo/words-3")] {
        let mut body = question(model, false);
        body["user"] = json!("=u");
        assert_eq!(gateway.complete(user, &body).await.status, 200);
    }
    gateway.settled().await;
    (gateway, ann, bob)
}

async fn fold(gateway: &TestApp) {
    let dirty = gateway.store.lines().iter().map(|line| line.partition()).collect();
    assert!(usage::recompute(&gateway.usage(), &dirty).await.is_empty());
    let newest = gateway.store.lines().iter().map(|line| line.request.at()).max().expect("lines");
    gateway.usage().write_rollups.note_folded(newest).await.expect("memory");
}

#[tokio::test]
async fn a_key_sees_what_it_used_at_once_and_the_same_after_it_was_folded() {
    let (gateway, ann, _) = asked().await;
    let before = gateway.ask_usage("GET", "/v1/usage?group=model", &ann.key, None).await.json();
    assert_eq!(before["total"]["requests"], 2);
    assert_eq!(before["total"]["cacheHits"], 1);
    assert_eq!(before["total"]["attempts"], 1);
    assert_eq!(before["groups"][0]["model"], "demo/ok");
    let cost: i64 = gateway.lines(&ann).iter().map(|line| line.amount.nano()).sum();
    assert_eq!(before["total"]["costUsd"], shared::domain::money::NanoUsd::from_nano(cost).to_string());
    fold(&gateway).await;
    let after = gateway.ask_usage("GET", "/v1/usage?group=model", &ann.key, None).await.json();
    assert_eq!((&before["total"], &before["groups"]), (&after["total"], &after["groups"]));
}

#[tokio::test]
async fn a_key_sees_nobody_elses_usage() {
    let (gateway, ann, bob) = asked().await;
    for path in ["/v1/usage?tenant=globex".to_owned(), format!("/v1/usage?key={}", bob.id)] {
        let refused = gateway.ask_usage("GET", &path, &ann.key, None).await;
        assert_eq!((refused.status, refused.text().contains("only the admin key")), (400, true), "{path}");
    }
    assert_eq!(gateway.ask_usage("GET", "/v1/usage", "tg_nobody", None).await.status, 401);
    assert_eq!(gateway.ask_usage("POST", "/admin/usage/rebuild", &ann.key, None).await.status, 401);
    assert_eq!(gateway.ask_usage("POST", "/v1/usage", &ann.key, None).await.status, 405);
}

#[tokio::test]
async fn an_admin_sees_all_a_tenant_or_a_key() {
    let (gateway, ann, bob) = asked().await;
    let total = async |query: &str| {
        let reply = gateway.ask_usage("GET", &format!("/v1/usage?{query}"), ADMIN, None).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["total"]["requests"].as_u64()
    };
    assert_eq!(total("").await, Some(4));
    assert_eq!(total("tenant=acme").await, Some(2));
    assert_eq!(total(&format!("key={}", bob.id)).await, Some(2));
    assert_eq!(total(&format!("key={}&period=month", ann.id)).await, Some(2));
    assert_eq!(total("to=2026-01-01").await, Some(0));
    let nobody = gateway.ask_usage("GET", "/v1/usage?tenant=initech", ADMIN, None).await;
    assert_eq!((nobody.status, nobody.json()["error"]["param"].as_str()), (400, Some("tenant")));
}

#[tokio::test]
async fn a_report_comes_as_csv() {
    let (gateway, ann, _) = asked().await;
    let reply = gateway.ask_usage("GET", "/v1/usage?format=csv&group=user,model", &ann.key, None).await;
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    let text = reply.text();
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert!(lines[0].starts_with("user,model,requests,"), "{text}");
    assert!(lines[1].starts_with("'=u,demo/ok,2,1,1,"), "{text}");
    assert_eq!(lines.len(), 2, "{text}");
}

#[tokio::test]
async fn a_rebuild_folds_what_no_stream_told_of() {
    let (gateway, _, _) = asked().await;
    assert!(gateway.store.rollups().is_empty());
    let done = gateway.ask_usage("POST", "/admin/usage/rebuild", ADMIN, None).await;
    assert_eq!((done.status, &done.json()["next"]), (200, &json!(null)), "{}", done.text());
    assert_eq!(gateway.store.rollups().iter().map(|rollup| rollup.requests).sum::<u64>(), 4);
    let before = gateway.store.rollups();
    assert_eq!(gateway.ask_usage("POST", "/admin/usage/rebuild", ADMIN, None).await.status, 200);
    assert_eq!(gateway.store.rollups(), before);
    for body in [json!({ "from": "now" }), json!({ "to": "2020-01-01" }), json!({ "tenant": "acme" })] {
        let refused = gateway.ask_usage("POST", "/admin/usage/rebuild", ADMIN, Some(body.clone())).await;
        assert_eq!(refused.status, 400, "{body}");
    }
}

#[tokio::test]
async fn lines_lie_in_the_partition_of_their_request() {
    let (gateway, ann, _) = asked().await;
    for line in gateway.lines(&ann) {
        let partition = Partition::of("acme", line.request);
        let page = gateway.usage().lines.page(&partition, None).await.expect("memory");
        assert!(page.lines.contains(&line));
    }
}
