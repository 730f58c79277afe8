//! `POST /v1/messages/count_tokens`: how many tokens a request would put in.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{outbound, request};
use crate::protocol::canonical::ChatRequest;
use crate::protocol::fields::BadRequest;
use crate::protocol::inbound::Inbound;

/// What of a request the provider's own endpoint takes.
const COUNTED: &[&str] = &[
    "cache_control",
    "context_management",
    "messages",
    "model",
    "output_config",
    "system",
    "thinking",
    "tool_choice",
    "tools",
];

/// Reads the body of a request to count: as for an answer, but it need not say how long.
///
/// # Errors
/// [`BadRequest`] naming the field.
pub fn read(body: Map<String, Value>) -> Result<Inbound, BadRequest> {
    request::read_question(body)
}

/// The body of a reply.
pub fn render(tokens: u64) -> Value {
    json!({ "input_tokens": tokens })
}

/// The body of a call of the provider's own endpoint, `POST {base}/messages/count_tokens`.
pub fn body(request: &ChatRequest, model: &str) -> Value {
    let limit = request.max_output_tokens.unwrap_or(u64::MAX);
    let mut body = outbound::body(request, model, limit);
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| COUNTED.contains(&name.as_str()));
    }
    body
}

/// The count in an answer of that endpoint; none when it is something else.
pub fn parse(answer: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Count {
        input_tokens: u64,
    }
    serde_json::from_slice::<Count>(answer).ok().map(|count| count.input_tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks() -> Map<String, Value> {
        let body = json!({
            "model": "claude-sonnet-4-5", "system": "s", "messages": [{"role": "user", "content": "hi"}],
            "temperature": 0.2, "metadata": {"user_id": "u"}, "thinking": {"type": "enabled", "budget_tokens": 2048},
            "tools": [{"name": "f", "input_schema": {"type": "object"}}], "tool_choice": {"type": "auto"},
        });
        body.as_object().cloned().expect("an object")
    }

    #[test]
    fn a_limit_is_not_asked_for() {
        let inbound = read(asks()).expect("valid");
        assert_eq!(inbound.request.max_output_tokens, None);
        assert_eq!(request::read(asks()).expect_err("no limit").param, "max_tokens");
    }

    #[test]
    fn only_what_counts_is_sent() {
        let request = read(asks()).expect("valid").request;
        let mut expected = Value::Object(asks());
        let members = expected.as_object_mut().expect("an object");
        members.retain(|name, _| !["temperature", "metadata"].contains(&name.as_str()));
        assert_eq!(body(&request, "claude-sonnet-4-5"), expected);
    }

    #[test]
    fn counts_are_read_and_written() {
        assert_eq!(parse(render(42).to_string().as_bytes()), Some(42));
        assert_eq!(parse(b"{\"error\": {}}"), None);
    }
}
