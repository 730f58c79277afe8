//! Keys shown and changed.

use serde_json::{Value, json};
use tests::{TestApp, question};

async fn patched(gateway: &TestApp, id: &str, body: Value) -> (u16, Value) {
    let reply = gateway.ask_admin("PATCH", &format!("/admin/keys/{id}"), Some(body)).await;
    (reply.status, reply.json())
}

#[tokio::test]
async fn a_key_is_changed_field_by_field_and_shown_as_it_is() {
    let gateway = TestApp::start(json!({})).await;
    let fields = json!({ "team": "search", "models": ["demo/ok"], "rpm": 9, "budgetUsd": "2" });
    let user = gateway.user(fields).await;
    let (status, renamed) = patched(&gateway, &user.id, json!({ "name": "nightly" })).await;
    assert_eq!((status, &renamed["name"], &renamed["team"]), (200, &json!("nightly"), &json!("search")));
    let (_, open) = patched(&gateway, &user.id, json!({ "team": null, "models": null })).await;
    assert_eq!(
        (&open["name"], &open["team"], &open["models"]),
        (&json!("nightly"), &Value::Null, &Value::Null)
    );
    assert_eq!((&open["rpm"], &open["budgetUsd"]), (&json!(9), &json!("2")), "a policy is another matter");
    let shown = gateway.ask_admin("GET", &format!("/admin/keys/{}", user.id), None).await;
    assert_eq!((shown.status, shown.json()), (200, open));
}

#[tokio::test]
async fn a_key_that_lost_a_model_may_not_ask_it_any_more() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    assert_eq!(gateway.complete(&user, &question("demo/ok", false)).await.status, 200);
    patched(&gateway, &user.id, json!({ "models": ["demo/tokens-50"] })).await;
    assert_eq!(gateway.complete(&user, &question("demo/ok", false)).await.status, 403);
    gateway.settled().await;
}

#[tokio::test]
async fn what_cannot_be_changed_is_named() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    for (body, param) in [
        (json!({ "tenant": "acme" }), "tenant"),
        (json!({ "budgetUsd": "1" }), "budgetUsd"),
        (json!({ "name": "" }), "name"),
        (json!({ "name": 7 }), "name"),
        (json!({ "team": "a#b" }), "team"),
        (json!({ "models": ["gpt 4"] }), "models[0]"),
        (json!({ "name": null }), ""),
        (json!({}), ""),
    ] {
        let (status, refused) = patched(&gateway, &user.id, body.clone()).await;
        let named = refused["error"]["param"].as_str().unwrap_or_default().to_owned();
        assert_eq!((status, named.as_str()), (400, param), "{body}: {refused}");
    }
    for (method, body) in [("GET", None), ("PATCH", Some(json!({ "name": "a" }))), ("DELETE", None)] {
        let reply = gateway.ask_admin(method, "/admin/keys/nobody", body).await;
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (404, &json!("not_found")), "{method}");
    }
    assert_eq!(gateway.ask_admin("PUT", "/admin/keys/nobody", None).await.status, 405);
    assert_eq!(
        gateway.ask_admin("GET", "/admin/keys//", None).await.status,
        200,
        "a slash at the end is none"
    );
    assert_eq!(gateway.ask_admin("GET", "/admin/budgets/key//", None).await.status, 404);
}
