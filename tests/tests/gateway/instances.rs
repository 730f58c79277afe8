//! Two instances over one store, each with its own warm copies: how soon both hear of a change.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::app::warm_keys::WarmKeys;
use shared::app::warm_policies::WarmPolicies;
use shared::domain::policy::{ScopeName, ScopePolicy};
use shared::domain::time::Timestamp;
use shared::memory::MemoryStore;
use shared::ports::{Clock, FindPolicy, StoreError};
use tests::{Ports, Set, Setup, TestApp, User, question};

struct Two {
    clock: Arc<Set>,
    first: TestApp,
    second: TestApp,
}

impl Two {
    async fn start() -> Self {
        let clock = Arc::new(Set::at(Timestamp::from_millis(1_800_000_000_000)));
        let setup = |setup: Setup| Setup {
            ports: Some(warm(&setup.store, &clock)),
            clock: clock.clone() as Arc<dyn Clock>,
            ..setup
        };
        let first = setup(Setup::new(json!({}))).start().await;
        let second = setup(first.beside(json!({}))).start().await;
        Two { clock, first, second }
    }

    /// What both answer to a question that neither has in its cache.
    async fn ask(&self, user: &User, n: usize) -> [(u16, Value); 2] {
        self.ask_for(user, "", n).await
    }

    /// The same for somebody.
    async fn ask_for(&self, user: &User, whom: &str, n: usize) -> [(u16, Value); 2] {
        let mut answers = Vec::new();
        for (gateway, name) in [(&self.first, "first"), (&self.second, "second")] {
            let mut body = question("demo/ok", false);
            body["messages"][0]["content"] = json!(format!("Question {n} to the {name}"));
            if !whom.is_empty() {
                body["user"] = json!(whom);
            }
            let reply = gateway.complete(user, &body).await;
            answers.push((reply.status, reply.json()["error"]["code"].clone()));
        }
        answers.try_into().expect("two answers")
    }
}

struct Shared(Arc<MemoryStore>);

#[async_trait]
impl FindPolicy for Shared {
    async fn find_policy(&self, scope: &ScopeName) -> Result<Option<ScopePolicy>, StoreError> {
        self.0.find_policy(scope).await
    }
}

/// The ports of one instance as its wiring makes them.
fn warm(store: &Arc<MemoryStore>, clock: &Arc<Set>) -> Ports {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let policies = Arc::new(WarmPolicies::new(Shared(Arc::clone(store)), Arc::clone(&clock)));
    Ports { keys: Arc::new(WarmKeys::new(Arc::clone(store), clock)), policies, ..Ports::of(store) }
}

fn both(status: u16, code: Value) -> [(u16, Value); 2] {
    [(status, code.clone()), (status, code)]
}

#[tokio::test]
async fn a_stopped_key_is_refused_by_the_next_reserve_of_every_instance() {
    let two = Two::start().await;
    let user = two.first.user(json!({ "tenant": "acme" })).await;
    assert_eq!(two.ask(&user, 1).await, both(200, Value::Null));
    for (state, answer) in
        [("stopped", both(403, json!("scope_stopped"))), ("active", both(200, Value::Null))]
    {
        let body = json!({ "state": state }).as_object().cloned().expect("an object");
        two.first.office.admin.set_budget(&two.first.who(), "key", &user.id, body).await.expect("set");
        assert_eq!(two.ask(&user, 2).await, answer, "{state}: no time has passed");
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_every_instance_within_a_minute() {
    let two = Two::start().await;
    let user = two.first.user(json!({ "tenant": "acme" })).await;
    assert_eq!(two.ask(&user, 1).await, both(200, Value::Null));
    two.clock.forward(Duration::from_secs(20));
    two.first.revoke(&user).await;
    two.clock.forward(Duration::from_secs(39));
    assert_eq!(two.ask(&user, 2).await, both(200, Value::Null), "their copies are 59 s old");
    two.clock.forward(Duration::from_secs(2));
    assert_eq!(two.ask(&user, 3).await.map(|(status, _)| status), [401, 401], "41 s after the revocation");
}

async fn set(two: &Two, (kind, id): (&str, &str), body: Value) {
    let body = body.as_object().cloned().expect("an object");
    two.first.office.admin.set_budget(&two.first.who(), kind, id, body).await.expect("set");
    two.clock.forward(Duration::from_millis(10));
}

#[tokio::test]
async fn a_budget_of_another_period_holds_for_every_instance_from_the_next_reserve_on() {
    let two = Two::start().await;
    let user = two.first.user(json!({ "tenant": "acme", "budgetUsd": "10", "period": "month" })).await;
    assert_eq!(two.ask(&user, 1).await, both(200, Value::Null));
    set(&two, ("key", &user.id), json!({ "budgetUsd": "0.000001", "period": "day" })).await;
    let refused = two.ask(&user, 2).await.map(|(status, _)| status);
    assert_eq!(refused, [402, 402], "the copies know of the month alone");
}

#[tokio::test]
async fn what_was_set_for_a_user_is_not_undone_by_a_later_change_of_the_tenant() {
    let two = Two::start().await;
    let user = two.first.user(json!({ "tenant": "acme" })).await;
    let each = |usd: &str| json!({ "eachUser": { "budgets": [{ "capUsd": usd, "period": "month" }] } });
    set(&two, ("tenant", "acme"), each("5")).await;
    two.clock.forward(Duration::from_secs(11));
    assert_eq!(two.ask_for(&user, "ada", 1).await, both(200, Value::Null));
    set(&two, ("user", "ada"), json!({ "tenant": "acme", "state": "stopped" })).await;
    set(&two, ("tenant", "acme"), each("6")).await;
    for n in 2..4 {
        let refused = two.ask_for(&user, "ada", n).await;
        assert_eq!(refused, both(403, json!("scope_stopped")), "copies say that ada has no policy");
        two.clock.forward(Duration::from_secs(11));
    }
    assert_eq!(two.ask_for(&user, "bob", 9).await, both(200, Value::Null));
}

#[tokio::test]
async fn a_kept_answer_is_refused_where_its_tenant_is_stopped_or_its_rate_is_used_up() {
    let two = Two::start().await;
    let user = two.first.user(json!({ "tenant": "acme" })).await;
    let ask = async || two.first.complete(&user, &question("demo/ok", false)).await;
    assert_eq!(ask().await.status, 200);
    assert_eq!(ask().await.header("x-tollgate-cache"), "exact");
    set(&two, ("tenant", "acme"), json!({ "rpm": 2 })).await;
    two.clock.forward(Duration::from_secs(11));
    let statuses = [ask().await.status, ask().await.status, ask().await.status];
    assert_eq!(statuses, [200, 200, 429]);
    set(&two, ("tenant", "acme"), json!({ "state": "stopped" })).await;
    two.clock.forward(Duration::from_secs(61));
    assert_eq!(ask().await.status, 403);
    assert_eq!(two.first.demo().calls("ok"), 1);
}
