//! Two instances over one store, each with its own warm copies: how soon both hear of a change.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::app::warm_keys::WarmKeys;
use shared::domain::time::Timestamp;
use shared::memory::MemoryStore;
use shared::ports::Clock;
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
        let mut answers = Vec::new();
        for (gateway, name) in [(&self.first, "first"), (&self.second, "second")] {
            let mut body = question("demo/ok", false);
            body["messages"][0]["content"] = json!(format!("Question {n} to the {name}"));
            let reply = gateway.complete(user, &body).await;
            answers.push((reply.status, reply.json()["error"]["code"].clone()));
        }
        answers.try_into().expect("two answers")
    }
}

/// The ports of one instance as its wiring makes them.
fn warm(store: &Arc<MemoryStore>, clock: &Arc<Set>) -> Ports {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Ports { keys: Arc::new(WarmKeys::new(Arc::clone(store), clock)), ..Ports::of(store) }
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
