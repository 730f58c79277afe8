//! Why an answer is neither looked for in the cache nor kept there.

use super::lookup::Asked;
use crate::config::Cache;
use crate::domain::bypass::{self, Bypass};
use crate::protocol::canonical::{ChatRequest, Role};

/// The reason's name, as it is told and counted.
pub(super) fn bypass(cache: &Cache, asked: &Asked<'_>) -> Option<&'static str> {
    let request = asked.request;
    if asked.no_cache {
        return Some("opt_out");
    }
    if request.choices != 1 {
        return Some("several_choices");
    }
    let temperature = request.sampling.temperature.as_ref().and_then(serde_json::Value::as_f64);
    if temperature.is_some_and(|temperature| temperature > cache.max_temperature) {
        return Some("temperature");
    }
    if request.messages.iter().any(|message| message.role == Role::Tool || !message.tool_calls.is_empty()) {
        return Some("tools");
    }
    said_last(request).and_then(|text| by_text(&text))
}

/// Everything the user said last.
fn said_last(request: &ChatRequest) -> Option<String> {
    request.messages.iter().rev().find(|message| message.role == Role::User).map(|last| last.joined_text())
}

/// What the text itself says against it.
pub(super) fn by_text(text: &str) -> Option<&'static str> {
    bypass::bypass(text).map(Bypass::name)
}
