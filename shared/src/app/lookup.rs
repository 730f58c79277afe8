//! The exact tier: which requests it may answer, under which key, and how long.

use serde_json::json;

use super::App;
use super::best_effort::best_effort;
use crate::config::{CacheScope, ModelName};
use crate::domain::cache::CacheKey;
use crate::domain::key::KeyRecord;
use crate::domain::time::Timestamp;
use crate::ports::CachedAnswer;
use crate::protocol::answer::Answer;
use crate::protocol::canonical::{ChatRequest, Role};
use crate::protocol::size::cache_material;

/// The largest entry, in bytes of JSON: a DynamoDB item holds 400 KB.
const ENTRY_BYTES_MAX: usize = 350_000;
/// The version of the entry's form and of the rules; a change starts the cache anew.
const POLICY_VERSION: u32 = 2;

/// Who shares an answer: the owner part of the key.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    pub key_id: &'a str,
    /// Unknown until the key was looked up.
    pub record: Option<&'a KeyRecord>,
    pub user: Option<&'a str>,
}

/// The entry's key, or `None` when this request bypasses the cache. With the scope `tenant`, it is
/// also `None` until the key's record is known.
pub fn cache_key(app: &App, owner: &Owner<'_>, model: &ModelName, request: &ChatRequest) -> Option<CacheKey> {
    if !is_cacheable(app, request) {
        return None;
    }
    let owner = match app.config.cache.scope {
        CacheScope::Key => json!(["key", owner.key_id]),
        CacheScope::Tenant => json!(["tenant", owner.record?.tenant]),
        CacheScope::User => json!(["user", owner.key_id, owner.user?]),
    };
    Some(CacheKey::of(&json!({
        "policy": POLICY_VERSION,
        "owner": owner,
        "version_key": app.config.cache.version_key,
        "model": model.as_str(),
        "request": cache_material(request),
    })))
}

fn is_cacheable(app: &App, request: &ChatRequest) -> bool {
    let limit = app.config.cache.max_temperature;
    let temperature = request.sampling.temperature.as_ref().and_then(serde_json::Value::as_f64);
    let tools_in_play =
        request.messages.iter().any(|message| message.role == Role::Tool || !message.tool_calls.is_empty());
    request.choices == 1 && !tools_in_play && temperature.is_none_or(|temperature| temperature <= limit)
}

/// A fresh entry, or `None`; any error is a miss.
pub async fn find(app: &App, key: Option<&CacheKey>, now: Timestamp) -> Option<CachedAnswer> {
    let key = key?;
    match app.answers.get(key).await {
        Ok(entry) => entry.filter(|entry| now < expiry(app, entry.created_at)),
        Err(error) => {
            tracing::warn!(%error, "exact cache lookup failed; answering as a miss");
            None
        }
    }
}

/// Keeps a complete answer. Best effort: a failure is logged and costs the next caller a miss.
pub async fn keep(app: &App, key: &CacheKey, answer: &Answer, served_by: &ModelName, now: Timestamp) {
    let entry = CachedAnswer {
        answer: answer.clone(),
        served_by: served_by.to_string(),
        created_at: now,
        question: None,
        labels: None,
    };
    let bytes = serde_json::to_vec(&entry).map_or(usize::MAX, |json| json.len());
    if !answer.is_cacheable() || bytes > ENTRY_BYTES_MAX {
        return;
    }
    best_effort(app.tuning.settle, "answer not cached", app.answers.put(key, &entry, expiry(app, now))).await;
}

fn expiry(app: &App, created_at: Timestamp) -> Timestamp {
    created_at + std::time::Duration::from_secs(u64::from(app.config.cache.ttl_hours) * 3600)
}
