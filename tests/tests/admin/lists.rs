//! Tenants, teams, keys and budgets, listed piece by piece.

use serde_json::{Value, json};
use tests::TestApp;

async fn shown(gateway: &TestApp, path: &str) -> Value {
    let reply = gateway.ask_admin("GET", path, None).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.json()
}

/// Two tenants with keys, and one that only has a policy.
async fn populated() -> TestApp {
    let gateway = TestApp::start(json!({})).await;
    for (tenant, team) in
        [("acme", Some("search")), ("acme", Some("ads")), ("acme", None), ("beta", Some("search"))]
    {
        gateway.user(json!({ "tenant": tenant, "team": team })).await;
    }
    let gone = gateway.user(json!({ "tenant": "acme", "team": "search" })).await;
    gateway.revoke(&gone).await;
    for (path, body) in [
        ("tenant/gamma", json!({ "budgetUsd": "9", "eachUser": { "rpm": 3 } })),
        ("team/ops", json!({ "tenant": "acme", "state": "stopped" })),
        ("team/search", json!({ "tenant": "acme", "budgetUsd": "5" })),
        ("user/ada", json!({ "tenant": "acme", "budgetUsd": "1" })),
    ] {
        let reply = gateway.ask_admin("PUT", &format!("/admin/budgets/{path}"), Some(body)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    gateway
}

#[tokio::test]
async fn tenants_and_teams_are_those_that_a_key_or_a_policy_names() {
    let gateway = populated().await;
    let tenants = shown(&gateway, "/admin/tenants").await;
    let row = |tenant: &Value| ["id", "keys", "teams", "users"].map(|name| tenant[name].clone());
    let rows: Vec<[Value; 4]> = tenants["tenants"].as_array().expect("a list").iter().map(row).collect();
    let expected = [("acme", 3, 3, 1), ("beta", 1, 1, 0), ("gamma", 0, 0, 0)];
    assert_eq!(
        rows,
        expected.map(|(id, keys, teams, users)| [json!(id), json!(keys), json!(teams), json!(users)])
    );
    assert_eq!(tenants["tenants"][0]["policy"], Value::Null);
    assert_eq!(tenants["tenants"][2]["policy"]["budgets"][0]["capUsd"], "9");
    let teams = shown(&gateway, "/admin/teams?tenant=acme").await["teams"].clone();
    let names: Vec<&str> =
        teams.as_array().expect("a list").iter().filter_map(|team| team["id"].as_str()).collect();
    assert_eq!(names, ["ads", "ops", "search"]);
    assert_eq!((&teams[1]["keys"], &teams[1]["policy"]["state"]), (&json!(0), &json!("stopped")));
    assert_eq!(shown(&gateway, "/admin/teams").await["teams"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn a_tenant_is_shown_with_what_belongs_to_it() {
    let gateway = populated().await;
    let acme = shown(&gateway, "/admin/tenants/acme").await;
    let count = |name: &str| acme[name].as_array().map(Vec::len);
    assert_eq!((count("keys"), count("teams"), count("users")), (Some(4), Some(3), Some(1)));
    assert_eq!((&acme["budget"], &acme["users"][0]["id"]), (&Value::Null, &json!("ada")));
    let gamma = shown(&gateway, "/admin/tenants/gamma").await;
    assert_eq!(gamma["budget"]["budgets"][0]["capUsd"], "9");
    assert_eq!(gamma["budget"]["eachUser"]["rpm"], 3);
    let nobody = gateway.ask_admin("GET", "/admin/tenants/nobody", None).await;
    assert_eq!((nobody.status, &nobody.json()["error"]["code"]), (404, &json!("not_found")));
}

#[tokio::test]
async fn keys_and_budgets_are_listed_for_whom_they_are() {
    let gateway = populated().await;
    let count = async |path: &str, list: &str| shown(&gateway, path).await[list].as_array().map(Vec::len);
    assert_eq!(count("/admin/keys", "keys").await, Some(5));
    assert_eq!(count("/admin/keys?tenant=acme", "keys").await, Some(4));
    assert_eq!(count("/admin/keys?tenant=acme&team=search", "keys").await, Some(2));
    assert_eq!(count("/admin/budgets?tenant=acme", "budgets").await, Some(3));
    assert_eq!(count("/admin/budgets?tenant=gamma", "budgets").await, Some(1));
}

#[tokio::test]
async fn every_list_is_read_whole_in_pieces_of_any_size() {
    let gateway = populated().await;
    for (path, list) in [
        ("/admin/keys", "keys"),
        ("/admin/budgets", "budgets"),
        ("/admin/tenants", "tenants"),
        ("/admin/teams", "teams"),
    ] {
        let whole = shown(&gateway, path).await;
        let whole = whole[list].as_array().cloned().expect("a list");
        for limit in 1..=2 {
            let (mut read, mut after) = (Vec::new(), String::new());
            loop {
                let piece = shown(&gateway, &format!("{path}?limit={limit}{after}")).await;
                read.extend(piece[list].as_array().cloned().expect("a list"));
                let Some(next) = piece["next"].as_str() else { break };
                after = format!("&after={}", next.replace('#', "%23"));
            }
            assert_eq!(read, whole, "{path}, {limit} at once");
        }
        for (query, param) in
            [("limit=0", "limit"), ("limit=1001", "limit"), ("after=", "after"), ("sort=id", "sort")]
        {
            let refused = gateway.ask_admin("GET", &format!("{path}?{query}"), None).await;
            assert_eq!(
                (refused.status, refused.json()["error"]["param"].as_str()),
                (400, Some(param)),
                "{path}?{query}"
            );
        }
    }
    let refused = gateway.ask_admin("GET", "/admin/keys?team=search", None).await;
    assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some("team")));
}
