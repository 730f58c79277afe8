//! Budgets of every scope, several at once, changed while requests run.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::app::administer::Admin;
use shared::app::change::Registry;
use shared::app::error::GatewayError;
use tests::{Ahead, COMPLETIONS, Reply, Setup, TestApp, User, question};

/// Sets what holds for a scope.
async fn set(gateway: &TestApp, scope: (&str, &str), body: Value) {
    let body = body.as_object().cloned().expect("an object");
    gateway
        .office
        .admin
        .set_budget(&gateway.who(), scope.0, scope.1, body)
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
}

fn numbered(model: &str, n: usize) -> Value {
    let mut body = question(model, false);
    body["messages"][0]["content"] = json!(format!("Question {n}"));
    body
}

fn for_user(user: &str, n: usize) -> Value {
    let mut body = numbered("demo/tokens-50", n);
    body["user"] = json!(user);
    body
}

/// The scope and period that refused, and the status.
fn refusal(reply: &Reply) -> (u16, Value, Value) {
    let error = reply.json()["error"].clone();
    (reply.status, error["scope"].clone(), error["scopeId"].clone())
}

/// Asks until somebody refuses; how many were answered, and the refusal.
async fn spend(gateway: &TestApp, user: &User, body: impl Fn(usize) -> Value) -> (usize, Reply) {
    for answered in 0..200 {
        let reply = gateway.complete(user, &body(answered)).await;
        if reply.status != 200 {
            return (answered, reply);
        }
    }
    panic!("no cap was reached");
}

#[tokio::test]
async fn the_narrowest_budget_refuses_and_says_whose_it_is() {
    let cap = json!({ "budgetUsd": "0.002", "period": "day" });
    for (scope, id, owned) in
        [("tenant", "acme", false), ("team", "search", true), ("user", "ada", true), ("key", "", false)]
    {
        let gateway = TestApp::start(json!({})).await;
        let user = gateway.user(json!({ "tenant": "acme", "team": "search", "budgetUsd": "5" })).await;
        let id = if scope == "key" { user.id.as_str() } else { id };
        let mut body = cap.clone();
        if owned {
            body["tenant"] = json!("acme");
        }
        set(&gateway, (scope, id), body).await;
        let (answered, refused) = spend(&gateway, &user, |n| for_user("ada", n)).await;
        assert!(answered > 0, "{scope}");
        assert_eq!(refusal(&refused), (402, json!(scope), json!(id)));
        let error = refused.json()["error"].clone();
        assert_eq!(error["cap"], "0.002");
        assert!(error["resetsAt"].as_str().is_some_and(|at| at.ends_with("T00:00:00Z")), "{error}");
        let spent: i64 = gateway.lines(&user).iter().map(|line| line.amount.nano()).sum();
        assert!((1..=2_000_000).contains(&spent), "{scope}: {spent} nano-dollars");
        gateway.settled().await;
    }
}

#[tokio::test]
async fn an_unseen_user_has_the_tenants_default_and_others_are_not_touched() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "tenant": "acme" })).await;
    let budgets = json!({ "budgets": [{ "capUsd": "0.002", "period": "month" }] });
    set(&gateway, ("tenant", "acme"), json!({ "eachUser": budgets })).await;
    let (_, refused) = spend(&gateway, &user, |n| for_user("ada", n)).await;
    assert_eq!(refusal(&refused), (402, json!("user"), json!("ada")));
    assert_eq!(gateway.complete(&user, &for_user("bob", 0)).await.status, 200, "bob has his own");
    assert_eq!(
        gateway.complete(&user, &numbered("demo/tokens-50", 900)).await.status,
        200,
        "nobody is no user"
    );
    let more = json!({ "tenant": "acme", "budgetUsd": "5" });
    set(&gateway, ("user", "ada"), more).await;
    assert_eq!(gateway.complete(&user, &for_user("ada", 901)).await.status, 200, "ada's own replaces it");
    gateway.settled().await;
}

#[tokio::test]
async fn a_users_first_policy_replaces_the_tenants_though_a_clock_that_is_ahead_set_that() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "tenant": "acme" })).await;
    let store = &gateway.store;
    let early = Admin {
        registry: Registry::new(store.clone(), store.clone(), store.clone(), store.clone(), store.clone()),
        clock: Arc::new(Ahead(Duration::from_secs(300))),
        pepper: gateway.office.admin.pepper.clone(),
        admin_key: String::new(),
    };
    let cap = |usd: &str| json!({ "budgets": [{ "capUsd": usd, "period": "total" }] });
    let each = json!({ "eachUser": cap("0.002") }).as_object().cloned().expect("an object");
    early.set_budget(&gateway.who(), "tenant", "acme", each).await.expect("it is set");
    let (_, refused) = spend(&gateway, &user, |n| for_user("ada", n)).await;
    assert_eq!(refusal(&refused), (402, json!("user"), json!("ada")));
    let own = |usd: &str| json!({ "tenant": "acme", "budgetUsd": usd, "period": "total" });
    set(&gateway, ("user", "ada"), own("5")).await;
    assert_eq!(gateway.complete(&user, &for_user("ada", 901)).await.status, 200, "ada's own holds");
    set(&gateway, ("user", "ada"), own("0.000001")).await;
    let refused = gateway.complete(&user, &for_user("ada", 902)).await;
    assert_eq!(refusal(&refused), (402, json!("user"), json!("ada")), "and the next of ada's own");
    gateway.settled().await;
}

#[tokio::test]
async fn a_session_is_capped_across_the_requests_that_name_it() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "tenant": "acme" })).await;
    let each = json!({ "budgets": [{ "capUsd": "0.002", "period": "total" }] });
    set(&gateway, ("tenant", "acme"), json!({ "eachSession": each })).await;
    let ask = async |session: &str, n: usize| {
        let headers = [("x-api-key", user.key.as_str()), ("x-tollgate-session", session)];
        let body = numbered("demo/tokens-50", n).to_string();
        gateway.send(http::Method::POST, COMPLETIONS, &headers, body).await
    };
    let mut answered = 0;
    let refused = loop {
        let reply = ask("loop-1", answered).await;
        if reply.status != 200 {
            break reply;
        }
        answered += 1;
    };
    assert!(answered > 0);
    assert_eq!(refusal(&refused), (402, json!("session"), json!("loop-1")));
    assert_eq!(ask("loop-2", answered).await.status, 200);
    let prompt = json!({ "prompt": "hi", "model": "demo/tokens-50", "sessionId": "loop-1", "stream": false });
    assert_eq!(gateway.prompt(&user, &prompt).await.status, 429, "the prompt form has a field for it");
    gateway.settled().await;
}

#[tokio::test]
async fn several_periods_hold_at_once_and_the_next_day_is_free_within_the_month() {
    let gateway = TestApp::start(json!({})).await;
    let budgets = json!([{ "capUsd": "0.002", "period": "day" }, { "capUsd": "0.003", "period": "month" }]);
    let user = gateway.user(json!({ "budgets": budgets })).await;
    let (today, refused) = spend(&gateway, &user, |n| numbered("demo/tokens-50", n)).await;
    assert_eq!(refused.json()["error"]["cap"], "0.002");
    let tomorrow = Setup { clock: Arc::new(Ahead(Duration::from_secs(86_400))), ..gateway.beside(json!({})) };
    let tomorrow = tomorrow.start().await;
    let (more, refused) = spend(&tomorrow, &user, |n| numbered("demo/tokens-50", 500 + n)).await;
    let cap = refused.json()["error"]["cap"].clone();
    // On the last of a month, tomorrow is another month.
    assert!(more > 0 && (cap == "0.003" || more == today), "{more} of {today}, then {cap}");
    gateway.settled().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_scope_is_passed_when_its_members_spend_at_once() {
    let gateway = TestApp::start(json!({})).await;
    let mut users = Vec::new();
    for team in ["search", "ads"] {
        for _ in 0..4 {
            users.push(gateway.user(json!({ "tenant": "acme", "team": team, "budgetUsd": "1" })).await);
        }
    }
    set(&gateway, ("tenant", "acme"), json!({ "budgetUsd": "0.02" })).await;
    for team in ["search", "ads"] {
        set(&gateway, ("team", team), json!({ "tenant": "acme", "budgetUsd": "0.012" })).await;
    }
    let asks = users.iter().enumerate().flat_map(|(at, user)| {
        let gateway = &gateway;
        (0..12)
            .map(move |n| async move { gateway.complete(user, &for_user("ada", 100 * at + n)).await.status })
    });
    let statuses = join_all(asks).await;
    assert!(statuses.iter().all(|status| [200, 402].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&200) && statuses.contains(&402), "{statuses:?}");
    gateway.settled().await;
    let spent: i64 = gateway.store.lines().iter().map(|line| line.amount.nano()).sum();
    assert!(spent <= 20_000_000, "{spent} nano-dollars");
}

#[tokio::test]
async fn a_cap_is_changed_with_what_remains_and_a_stop_is_immediate_on_every_instance() {
    let gateway = TestApp::start(json!({})).await;
    let other = gateway.beside(json!({})).start().await;
    let user = gateway.user(json!({ "budgetUsd": "0.002" })).await;
    let (_, refused) = spend(&gateway, &user, |n| numbered("demo/tokens-50", n)).await;
    assert_eq!(refused.json()["error"]["cap"], "0.002");
    assert_eq!(other.complete(&user, &numbered("demo/tokens-50", 300)).await.status, 402);
    set(&gateway, ("key", &user.id), json!({ "budgetUsd": "1" })).await;
    assert_eq!(other.complete(&user, &numbered("demo/tokens-50", 301)).await.status, 200);
    set(&gateway, ("key", &user.id), json!({ "budgetUsd": "0.001" })).await;
    let passed = other.complete(&user, &numbered("demo/tokens-50", 302)).await;
    assert_eq!(refusal(&passed), (402, json!("key"), json!(user.id)));
    set(&gateway, ("key", &user.id), json!({ "budgetUsd": "1", "state": "stopped" })).await;
    let stopped = other.complete(&user, &numbered("demo/tokens-50", 303)).await;
    assert_eq!((stopped.status, stopped.json()["error"]["code"].clone()), (403, json!("scope_stopped")));
    set(&gateway, ("key", &user.id), json!({ "budgetUsd": "1" })).await;
    assert_eq!(other.complete(&user, &numbered("demo/tokens-50", 304)).await.status, 200);
    gateway.settled().await;
}

#[tokio::test]
async fn requests_at_once_are_limited_by_the_admitting_write() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "concurrency": 2, "budgetUsd": "1" })).await;
    let asks = (0..6).map(|n| {
        let body = numbered("demo/delay-200", n);
        let (gateway, user) = (&gateway, &user);
        async move { gateway.complete(user, &body).await }
    });
    let replies = join_all(asks).await;
    let answered = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(answered, 2);
    for refused in replies.iter().filter(|reply| reply.status != 200) {
        assert_eq!((refused.status, refused.header("retry-after")), (429, "1"), "{}", refused.text());
        assert_eq!(refused.json()["error"]["code"], "rate_limited");
    }
    assert_eq!(
        gateway.complete(&user, &numbered("demo/ok", 7)).await.status,
        200,
        "their places are free again"
    );
    gateway.settled().await;
}

#[tokio::test]
async fn what_cannot_be_set_is_named() {
    let gateway = TestApp::start(json!({})).await;
    let set = async |scope: &str, id: &str, body: Value| {
        let body = body.as_object().cloned().expect("an object");
        gateway.office.admin.set_budget(&gateway.who(), scope, id, body).await
    };
    for (scope, body, param) in [
        ("session", json!({}), "scope"),
        ("planet", json!({}), "scope"),
        ("tenant", json!({ "tenant": "acme" }), "tenant"),
        ("user", json!({ "eachUser": {} }), "eachUser"),
        (
            "tenant",
            json!({ "eachUser": { "budgets": [{ "capUsd": "x", "period": "day" }] } }),
            "eachUser.budgets[0].capUsd",
        ),
    ] {
        let refused = set(scope, "a", body).await;
        let Err(GatewayError::BadRequest(fault)) = refused else { panic!("{refused:?}") };
        assert_eq!(fault.param, param);
    }
    assert!(matches!(set("key", "nobody", json!({})).await, Err(GatewayError::NotFound { .. })));
    let unset = gateway.office.admin.budget("user", "ada", None).await;
    assert!(matches!(unset, Err(GatewayError::NotFound { .. })), "{unset:?}");
}
