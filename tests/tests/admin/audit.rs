//! Every change is in the log: who, what, before and after.

use serde_json::{Value, json};
use tests::{Fails, TestApp};

const WITH_NAME: [(&str, &str); 2] =
    [("authorization", "Bearer an admin key for tests"), ("x-tollgate-actor", "ada@acme.example")];

async fn entries(gateway: &TestApp, query: &str) -> Vec<Value> {
    let reply = gateway.ask_admin("GET", &format!("/admin/audit{query}"), None).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["entries"].as_array().cloned().expect("a list")
}

/// Keys and policies.
async fn everything(gateway: &TestApp) -> [Value; 2] {
    let list = async |path: &str| gateway.ask_admin("GET", path, None).await.json();
    [list("/admin/keys").await, list("/admin/budgets").await]
}

/// One change of each kind that there is; the id of the key that was made, and the key.
async fn change_everything(gateway: &TestApp) -> (String, String) {
    let call = async |method: &str, path: String, body: Option<Value>| {
        let reply = gateway.ask_admin_as(method, &path, &WITH_NAME, body).await;
        assert!(reply.status < 300, "{method} {path}: {}", reply.text());
        reply.json()
    };
    let fields = json!({ "name": "ci", "tenant": "acme", "rpm": 5 });
    let made = call("POST", "/admin/keys".to_owned(), Some(fields)).await;
    let text = |name: &str| made[name].as_str().expect("text").to_owned();
    let (id, key) = (text("id"), text("key"));
    call("PATCH", format!("/admin/keys/{id}"), Some(json!({ "team": "search" }))).await;
    call("PUT", format!("/admin/budgets/key/{id}"), Some(json!({ "budgetUsd": "2" }))).await;
    let team = json!({ "tenant": "acme", "budgetUsd": "3", "period": "day" });
    call("PUT", "/admin/budgets/team/search".to_owned(), Some(team)).await;
    call("DELETE", format!("/admin/keys/{id}"), None).await;
    (id, key)
}

#[tokio::test]
async fn each_change_is_told_with_who_what_before_and_after() {
    let gateway = TestApp::start(json!({})).await;
    let (id, key) = change_everything(&gateway).await;
    let mut entries = entries(&gateway, "").await;
    entries.reverse();
    let told = |entry: &Value| (entry["action"].clone(), entry["subject"].clone());
    let of_key = json!(format!("key/{id}"));
    let expected = [
        (json!("key.create"), of_key.clone()),
        (json!("key.update"), of_key.clone()),
        (json!("budget.set"), of_key.clone()),
        (json!("budget.set"), json!("team/acme/search")),
        (json!("key.revoke"), of_key),
    ];
    assert_eq!(entries.iter().map(told).collect::<Vec<_>>(), expected);
    for entry in &entries {
        assert_eq!((&entry["who"]["actor"], &entry["outcome"]), (&json!("ada@acme.example"), &json!("done")));
        assert_eq!(entry["who"]["address"], "192.0.2.7");
        let fingerprint = entry["who"]["key"].as_str().expect("a fingerprint");
        assert!(fingerprint.len() == 16 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()), "{entry}");
    }
    let [created, updated, budgeted, team, revoked] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((&created["before"], &created["after"]["name"]), (&Value::Null, &json!("ci")));
    assert_eq!((&updated["before"]["team"], &updated["after"]["team"]), (&Value::Null, &json!("search")));
    assert_eq!((&budgeted["before"]["rpm"], &budgeted["after"]["rpm"]), (&json!(5), &Value::Null));
    assert_eq!(budgeted["after"]["budgets"], json!([{ "period": "month", "capUsd": "2" }]));
    assert_eq!((&team["before"], &team["after"]["tenant"]), (&Value::Null, &json!("acme")));
    assert!(revoked["before"]["revokedAt"].is_null() && revoked["after"]["revokedAt"].is_string());
    let text = json!(entries).to_string();
    let secret = key.rsplit('_').next().expect("a key has parts");
    assert!(
        !text.contains(secret) && !text.contains(TestApp::ADMIN_KEY) && !text.contains("digest"),
        "{text}"
    );
}

#[tokio::test]
async fn nothing_is_changed_whose_entry_cannot_be_written() {
    let gateway = TestApp::start(json!({})).await;
    let (id, _) = change_everything(&gateway).await;
    let user = gateway.user(json!({ "tenant": "acme" })).await;
    let before = (everything(&gateway).await, entries(&gateway, "").await);
    let gateway = gateway.with_log(Fails::Entries);
    let budget = json!({ "budgetUsd": "9" });
    for (method, path, body) in [
        ("POST", "/admin/keys".to_owned(), json!({ "name": "another" })),
        ("PATCH", format!("/admin/keys/{id}"), json!({ "name": "another" })),
        ("DELETE", format!("/admin/keys/{}", user.id), json!({})),
        ("PUT", format!("/admin/budgets/key/{id}"), budget.clone()),
        ("PUT", "/admin/budgets/tenant/acme".to_owned(), budget),
    ] {
        let reply = gateway.ask_admin(method, &path, Some(body)).await;
        assert_eq!(
            (reply.status, &reply.json()["error"]["code"]),
            (503, &json!("store_unavailable")),
            "{path}"
        );
    }
    let after = (everything(&gateway).await, entries(&gateway, "").await);
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_change_whose_end_cannot_be_noted_stands_and_so_does_its_entry() {
    let gateway = TestApp::start(json!({})).await.with_log(Fails::Outcomes);
    let user = gateway.user(json!({ "name": "ci" })).await;
    let entries = entries(&gateway, "").await;
    assert_eq!(entries.len(), 1);
    assert_eq!((&entries[0]["after"]["id"], &entries[0]["outcome"]), (&json!(user.id), &Value::Null));
}

#[tokio::test]
async fn a_refused_change_and_one_that_changes_nothing_are_in_no_entry() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({})).await;
    gateway.revoke(&user).await;
    gateway.revoke(&user).await;
    for (method, path) in
        [("PATCH", format!("/admin/keys/{}", user.id)), ("PUT", "/admin/budgets/key/nobody".to_owned())]
    {
        assert!(gateway.ask_admin(method, &path, Some(json!({}))).await.status >= 400, "{path}");
    }
    let actions: Vec<Value> =
        entries(&gateway, "").await.iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["key.revoke", "key.create"]);
}

#[tokio::test]
async fn the_log_is_asked_by_subject_and_time_and_in_pages() {
    let gateway = TestApp::start(json!({})).await;
    let (id, _) = change_everything(&gateway).await;
    assert_eq!(entries(&gateway, &format!("?subject=key%2F{id}")).await.len(), 4);
    assert_eq!(entries(&gateway, "?subject=team/acme/search").await.len(), 1);
    assert!(entries(&gateway, "?until=2026-01-01").await.is_empty());
    let page = gateway.ask_admin("GET", "/admin/audit?limit=3", None).await.json();
    assert_eq!(page["entries"].as_array().map(Vec::len), Some(3));
    let next = page["next"].as_str().expect("there is more");
    let rest = gateway.ask_admin("GET", &format!("/admin/audit?limit=3&after={next}"), None).await.json();
    assert_eq!((rest["entries"].as_array().map(Vec::len), &rest["next"]), (Some(2), &Value::Null));
    for (query, param) in [
        ("since=yesterday", "since"),
        ("since=2026-11-24&until=2026-11-24", "until"),
        ("after=x", "after"),
        ("limit=501", "limit"),
        ("actor=ada", "actor"),
    ] {
        let refused = gateway.ask_admin("GET", &format!("/admin/audit?{query}"), None).await;
        assert_eq!(
            (refused.status, refused.json()["error"]["param"].as_str()),
            (400, Some(param)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn an_actor_that_is_no_name_is_refused_before_anything_changes() {
    let gateway = TestApp::start(json!({})).await;
    let long = "a".repeat(129);
    for actor in ["", "a\tb", &long] {
        let headers = [WITH_NAME[0], ("x-tollgate-actor", actor)];
        let reply = gateway.ask_admin_as("POST", "/admin/keys", &headers, Some(json!({ "name": "a" }))).await;
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!("x-tollgate-actor")));
    }
    assert_eq!(gateway.ask_admin("GET", "/admin/keys", None).await.json()["keys"], json!([]));
}
