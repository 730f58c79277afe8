//! The commands of an admin.

use serde_json::{Value, json};

use super::gateway::Gateway;

#[test]
fn an_admin_makes_changes_and_finds_them_in_the_log() {
    let gateway = Gateway::start("changes");
    let create =
        ["keys", "create", "--name", "ci", "--tenant", "acme", "--team", "search", "--budget-usd", "2"];
    let made = gateway.document(&create);
    let id = made["id"].as_str().expect("an id");
    let update =
        ["keys", "update", id, "--name", "nightly", "--no-team", "--models", "demo/ok,demo/tokens-9"];
    let updated = gateway.document(&update);
    assert_eq!((&updated["name"], &updated["team"]), (&json!("nightly"), &Value::Null));
    assert_eq!(updated["models"], json!(["demo/ok", "demo/tokens-9"]));
    assert_eq!(gateway.document(&["keys", "show", id]), updated);
    let opened = gateway.document(&["keys", "update", id, "--all-models"]);
    assert_eq!((&opened["name"], &opened["models"]), (&json!("nightly"), &Value::Null));
    gateway.document(&["budgets", "set", "tenant", "acme", "--budget", "5/day"]);
    gateway.document(&["keys", "revoke", id]);

    let tenants = gateway.table(&["tenants", "list"]);
    assert_eq!(tenants[0], ["TENANT", "KEYS", "TEAMS", "USERS", "BUDGETS", "STATE"]);
    assert_eq!(tenants[1], ["acme", "0", "0", "0", "5/day", "active"]);
    let keys = gateway.document(&["keys", "list", "--tenant", "acme"]);
    assert_eq!((keys["keys"].as_array().map(Vec::len), &keys["next"]), (Some(1), &Value::Null));
    assert!(
        gateway.table(&["tenants", "show", "acme"]).iter().any(|row| row.first().is_some_and(|at| at == id))
    );

    let entries = gateway.document(&["audit", "list", "--subject", &format!("key/{id}")]);
    let actions: Vec<&str> = entries["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["action"].as_str())
        .collect();
    assert_eq!(actions, ["key.revoke", "key.update", "key.update", "key.create"]);
    let newest = gateway.table(&["audit", "list", "--limit", "1"]);
    assert_eq!(newest[1][1..], ["ada", "127.0.0.1", "key.revoke", format!("key/{id}").as_str(), "done"]);
    assert_eq!(newest.len(), 2);
}

#[test]
fn a_refusal_says_why_and_wrong_use_is_told_apart_from_it() {
    let gateway = Gateway::start("refusals");
    let (code, why) = gateway.refused(&["keys", "show", "nobody"]);
    assert_eq!((code, why.contains("there is no key \"nobody\"")), (Some(1), true), "{why}");
    let (code, why) = gateway.refused(&["audit", "list", "--since", "yesterday"]);
    assert_eq!((code, why.contains("since must be a time")), (Some(1), true), "{why}");
    let (code, why) = gateway.refused(&["keys", "update", "x"]);
    assert_eq!((code, why.contains("at least one of name, team and models")), (Some(1), true), "{why}");
    for wrong in [&["keys", "update", "x", "--team", "a", "--no-team"][..], &["teams"], &["audit", "show"]] {
        assert_eq!(gateway.refused(wrong).0, Some(2), "{wrong:?}");
    }
}
