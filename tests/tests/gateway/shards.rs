//! A scope spread over several counters: each has a share of the cap, and together they are the cap.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::app::error::GatewayError;
use shared::domain::counter::{CounterKey, ScopeKind};
use tests::{Ahead, Setup, TestApp, User, question};

fn numbered(n: usize) -> Value {
    let mut body = question("demo/tokens-50", false);
    body["messages"][0]["content"] = json!(format!("Question {n}"));
    body
}

/// The counters of the key, by their shard.
fn shards(gateway: &TestApp, user: &User) -> Vec<Option<u8>> {
    let of_key = |key: &CounterKey| key.kind == ScopeKind::Key && key.id == user.id;
    gateway.store.counters().into_iter().filter(|(key, _)| of_key(key)).map(|(key, _)| key.shard).collect()
}

async fn sharded(shards: u8, budget_usd: &str) -> (TestApp, User) {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": budget_usd, "shards": shards })).await;
    (gateway, user)
}

fn spent(gateway: &TestApp) -> i64 {
    gateway.store.lines().iter().map(|line| line.amount.nano()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_shards_together_never_pass_the_cap() {
    let (gateway, user) = sharded(8, "0.02").await;
    let asks = (0..300).map(|n| {
        let (gateway, user) = (&gateway, &user);
        async move { gateway.complete(user, &numbered(n)).await.status }
    });
    let statuses = join_all(asks).await;
    assert!(statuses.iter().all(|status| [200, 402].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&402), "the cap was reached");
    gateway.settled().await;
    assert!(spent(&gateway) <= 20_000_000, "{} nano-dollars", spent(&gateway));
    assert_eq!(shards(&gateway, &user), (0..8).map(Some).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_no_shard_has_alone_is_gathered_from_several() {
    // A hold is some 460 micro-dollars, a share of the cap 312.
    let (gateway, user) = sharded(16, "0.005").await;
    let mut answered = 0;
    let refused = loop {
        let reply = gateway.complete(&user, &numbered(answered)).await;
        match reply.status {
            200 => answered += 1,
            _ => break reply,
        }
    };
    gateway.settled().await;
    let error = refused.json()["error"].clone();
    let amount =
        |name: &str| error[name].as_str().and_then(|text| text.parse::<f64>().ok()).expect("an amount");
    assert_eq!((refused.status, error["cap"].as_str()), (402, Some("0.005")), "{error}");
    let hold = gateway.lines(&user)[0].reserved.nano();
    assert!(gateway.lines(&user).iter().any(|line| line.items.len() > 1), "some hold lay in several shards");
    assert!(5_000_000 - spent(&gateway) < hold, "{answered} answers, yet a whole hold was left");
    assert_eq!((amount("spent") * 1e9).round(), spent(&gateway) as f64, "the refusal tells of all shards");
}

#[tokio::test]
async fn rates_are_split_over_the_shards_and_never_passed() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "rpm": 12, "shards": 4 })).await;
    let mut answered = 0;
    let refused = loop {
        let reply = gateway.complete(&user, &numbered(answered)).await;
        match reply.status {
            200 => answered += 1,
            _ => break reply,
        }
    };
    assert_eq!((refused.status, answered), (429, 12), "{}", refused.text());
    gateway.settled().await;
}

#[tokio::test]
async fn a_period_keeps_its_counters_and_the_next_one_has_the_new_number() {
    let gateway = TestApp::start(json!({})).await;
    let user = gateway.user(json!({ "budgetUsd": "1", "period": "day" })).await;
    let set = async |body: Value| {
        let body = body.as_object().cloned().expect("an object");
        gateway.office.admin.set_budget(&gateway.who(), "key", &user.id, body).await
    };
    set(json!({ "budgetUsd": "1", "period": "day", "shards": 3 })).await.expect("set");
    assert_eq!(gateway.complete(&user, &numbered(0)).await.status, 200);
    assert!(shards(&gateway, &user).iter().all(Option::is_none));
    let later =
        Setup { clock: Arc::new(Ahead(Duration::from_secs(2 * 86_400))), ..gateway.beside(json!({})) };
    let later = later.start().await;
    for n in 1..30 {
        assert_eq!(later.complete(&user, &numbered(n)).await.status, 200);
    }
    // Two days may begin a month as well, whose counter is another one.
    let of_days = gateway.store.counters().into_iter().filter(|(key, _)| key.period.starts_with("day#"));
    let mut used: Vec<u8> = of_days.filter_map(|(key, _)| key.shard).collect();
    used.sort_unstable();
    assert_eq!(used, [0, 1, 2]);
    gateway.settled().await;
}

#[tokio::test]
async fn a_cap_over_shards_is_raised_and_stopped_at_once_but_not_lowered_within_its_period() {
    let (gateway, user) = sharded(4, "0.01").await;
    let set = async |body: Value| {
        let body = body.as_object().cloned().expect("an object");
        gateway.office.admin.set_budget(&gateway.who(), "key", &user.id, body).await
    };
    assert_eq!(gateway.complete(&user, &numbered(0)).await.status, 200);
    let raised = set(json!({ "budgetUsd": "0.02", "shards": 4 })).await.expect("raised");
    let period = &raised.policy.budgets[0];
    assert_eq!(
        (period.cap_usd.to_string(), period.spent_usd.map(|spent| spent.nano())),
        ("0.02".to_owned(), Some(spent(&gateway)))
    );
    let lowered = set(json!({ "budgetUsd": "0.005", "shards": 4 })).await;
    assert!(
        matches!(lowered, Err(GatewayError::BadRequest(ref fault)) if fault.param == "budgets"),
        "{lowered:?}"
    );
    set(json!({ "budgetUsd": "0.02", "shards": 4, "state": "stopped" })).await.expect("stopped");
    assert_eq!(gateway.complete(&user, &numbered(1)).await.status, 403);
    gateway.settled().await;
}
