//! Cached answers.

use std::time::Duration;

use serde_json::json;
use shared::domain::cache::CacheKey;
use shared::domain::usage::TokenUsage;
use shared::ports::CachedAnswer;
use shared::protocol::answer::{Answer, Choice};

use super::samples::NOW;
use super::stores::Stores;

on_every_store!(an_answer_is_kept_under_its_key_alone, a_newer_answer_replaces_the_older);

fn entry(text: &str) -> CachedAnswer {
    let choice = Choice {
        content: Some(text.to_owned()),
        logprobs: Some(json!({"content": [{"token": "a", "logprob": -0.25, "bytes": null}], "empty": {}})),
        ..Choice::default()
    };
    let usage = TokenUsage { uncached: 3, output: 7, ..TokenUsage::default() };
    let answer = Answer { choices: vec![choice], usage, ..Answer::default() };
    CachedAnswer {
        answer,
        served_by: "demo/ok".to_owned(),
        created_at: NOW,
        question: None,
        vector: None,
        labels: None,
    }
}

async fn an_answer_is_kept_under_its_key_alone(stores: &Stores) {
    let (key, other) = (CacheKey::of(&json!({"a": 1})), CacheKey::of(&json!({"a": 2})));
    assert_eq!(stores.answers.get(&key).await, Ok(None));
    let entry = entry("quote \" and emoji \u{1f980}");
    stores.answers.put(&key, &entry, NOW + Duration::from_secs(60)).await.expect("put");
    assert_eq!(stores.answers.get(&key).await, Ok(Some(entry)));
    assert_eq!(stores.answers.get(&other).await, Ok(None));
}

async fn a_newer_answer_replaces_the_older(stores: &Stores) {
    let key = CacheKey::of(&json!({}));
    for text in ["first", "second"] {
        stores.answers.put(&key, &entry(text), NOW + Duration::from_secs(60)).await.expect("put");
        assert_eq!(stores.answers.get(&key).await, Ok(Some(entry(text))));
    }
}
