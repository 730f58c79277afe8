//! What waits in the queues, and in the end among the dead letters: no word of a caller.

use std::sync::atomic::Ordering;

use serde_json::json;
use tests::Setup;

use super::give_back::sticky;

#[tokio::test]
async fn messages_hold_no_prompt_and_no_key() {
    let (setup, semantic) = Setup::new(json!({})).semantic();
    let (gateway, counters) = sticky(setup).await;
    let user = gateway.user(json!({ "tenant": "acme", "budgetUsd": "1" })).await;
    counters.stuck.store(true, Ordering::SeqCst);
    let said = "Which of the canaryword rivers runs through Ghent?";
    for model in ["demo/ok", "demo/500", "demo/cut-2"] {
        let body = json!({
            "model": model, "max_tokens": 50,
            "messages": [{ "role": "system", "content": said }, { "role": "user", "content": said }],
        });
        gateway.complete(&user, &body).await;
    }
    let settlements = std::iter::from_fn(|| gateway.store.take_settlement());
    let mut messages: Vec<String> = settlements.map(|line| json!(line).to_string()).collect();
    assert!(messages.len() >= 3 && messages.iter().all(|message| message.contains("acme")), "{messages:?}");
    let jobs = semantic.jobs.take();
    assert!(!jobs.is_empty(), "the answer was to be indexed");
    messages.extend(jobs.iter().map(|job| json!(job).to_string()));
    for message in messages {
        for secret in ["canaryword", "Ghent", user.key.as_str()] {
            assert!(!message.contains(secret), "{secret} is in {message}");
        }
    }
}
