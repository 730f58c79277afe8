//! The probe: 10,000 identical prompts of callers who may share nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::config::ModelName;
use shared::domain::reservation::Reservation;
use shared::ports::{AttemptError, ChunkStream, Upstream};
use shared::protocol::canonical::{ChatRequest, Chunk, Delta, FinishReason};
use shared::protocol::outbound::{Flavour, Outbound};
use tests::{Setup, TestApp, User};

use super::{ASKED, ask, body};

/// Answers with the number of the call.
#[derive(Default)]
struct Numbering(AtomicU64);

#[async_trait]
impl Upstream for Numbering {
    async fn open(&self, _: &Reservation, _: &ChatRequest) -> Result<ChunkStream, AttemptError> {
        let number = self.0.fetch_add(1, Ordering::SeqCst).to_string();
        let delta = Delta { content: Some(number), finish: Some(FinishReason::Stop), ..Delta::default() };
        let chunk = Chunk { deltas: vec![delta], ..Chunk::default() };
        Ok(Box::pin(futures_util::stream::iter([Ok(chunk)])))
    }

    fn outbound(&self, _: &ModelName) -> Option<Outbound> {
        Some(Outbound::OpenAi(Flavour::Compatible))
    }
}

/// How many of each there are; together 10,000.
const TENANTS: usize = 5;
const KEYS: usize = 2;
const USERS: usize = 5;
const SYSTEMS: usize = 5;
const VERSIONS: usize = 5;
const MODELS: [&str; 2] = ["demo/ok", "demo/tokens-3"];
const TOOLS: usize = 2;
const FORMATS: usize = 2;

/// The `n`th caller's request: no two have the same remainders.
fn request(mut n: usize) -> (usize, String, Value) {
    let mut draw = |of: usize| {
        let drawn = n % of;
        n /= of;
        drawn
    };
    let key = draw(TENANTS * KEYS);
    let mut body = body(ASKED);
    body["user"] = json!(format!("user-{}", draw(USERS)));
    let system = json!({ "role": "system", "content": format!("You are assistant {}.", draw(SYSTEMS)) });
    body["messages"] = json!([system, body["messages"][0]]);
    let prompt = format!("faq@{}", draw(VERSIONS));
    body["model"] = json!(MODELS[draw(MODELS.len())]);
    if draw(TOOLS) == 1 {
        let tool = json!({ "name": "find", "parameters": { "type": "object", "properties": {} } });
        body["tools"] = json!([{ "type": "function", "function": tool }]);
    }
    if draw(FORMATS) == 1 {
        body["response_format"] = json!({ "type": "json_object" });
    }
    (key, prompt, body)
}

async fn send(gateway: &TestApp, users: &[User], n: usize) -> tests::Reply {
    let (key, prompt, body) = request(n);
    ask(gateway, &users[key], &[("x-tollgate-prompt", &prompt)], &body).await
}

#[tokio::test]
async fn of_ten_thousand_identical_prompts_none_is_given_the_answer_of_another() {
    let all = TENANTS * KEYS * USERS * SYSTEMS * VERSIONS * MODELS.len() * TOOLS * FORMATS;
    assert_eq!(all, 10_000);
    let provider = Arc::new(Numbering::default());
    let config = json!({ "cache": { "scope": "user", "verify_share": 0, "lookup_budget_ms": 60_000 } });
    let (mut setup, semantic) = Setup::new(config).semantic();
    setup.upstream = Some(provider.clone());
    let gateway = setup.start().await;
    let mut users = Vec::new();
    for n in 0..TENANTS * KEYS {
        users.push(gateway.user(json!({ "tenant": format!("tenant-{}", n % TENANTS) })).await);
    }
    let mut served = 0;
    for n in 0..all {
        let reply = send(&gateway, &users, n).await;
        served += u64::from(reply.header("x-tollgate-cache") != "miss");
        if n % 100 == 99 {
            semantic.index().await;
        }
    }
    assert_eq!(served, 0, "served across");
    assert_eq!(provider.0.load(Ordering::SeqCst), all as u64, "each has its own answer");
    assert_eq!(semantic.asked.lock().expect("never poisoned").len(), all, "and each was looked up");
    assert_eq!(semantic.vectors.records().len(), all);
    for n in (0..all).step_by(97) {
        let reply = send(&gateway, &users, n).await;
        assert_eq!(reply.header("x-tollgate-cache"), "exact");
        assert_eq!(reply.json()["choices"][0]["message"]["content"], n.to_string(), "its own answer");
    }
}
