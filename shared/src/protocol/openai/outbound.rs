//! Writes the canonical request for a provider that speaks the OpenAI dialect.

use serde_json::{Map, Value, json};

use super::{options, turns};
use crate::protocol::canonical::{ChatRequest, Family, Thinking};
use crate::protocol::outbound::Flavour;

/// The body of the upstream call. It always streams, asks for usage and states the output limit
/// that the hold was computed with.
pub fn body(request: &ChatRequest, model: &str, max_output_tokens: u64, flavour: Flavour) -> Value {
    let mut out = Map::new();
    if request.family == Family::OpenAi {
        out.extend(request.extra.clone());
        out.extend(request.unlisted.clone());
    }
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    put("model", json!(model));
    put("messages", Value::Array(turns::write_all(&request.messages, flavour)));
    put("stream", json!(true));
    put("stream_options", json!({ "include_usage": true }));
    let limit_name = match flavour {
        Flavour::Official => "max_completion_tokens",
        Flavour::Google | Flavour::Compatible => "max_tokens",
    };
    put(limit_name, json!(max_output_tokens));
    if request.choices > 1 {
        put("n", json!(request.choices));
    }
    if !request.tools.is_empty() {
        put("tools", request.tools.iter().map(options::write_tool).collect());
    }
    if !request.stop.is_empty() {
        put("stop", json!(request.stop));
    }
    let sampling = &request.sampling;
    let optional = [
        ("tool_choice", request.tool_choice.as_ref().map(options::write_tool_choice)),
        ("parallel_tool_calls", request.parallel_tool_calls.map(Value::Bool)),
        ("response_format", request.response_format.as_ref().map(options::write_response_format)),
        ("reasoning_effort", effort(request).map(Value::from)),
        ("user", request.user.clone().map(Value::String)),
        ("temperature", sampling.temperature.clone()),
        ("top_p", sampling.top_p.clone()),
        ("presence_penalty", sampling.presence_penalty.clone()),
        ("frequency_penalty", sampling.frequency_penalty.clone()),
        ("seed", sampling.seed.clone()),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            put(name, value);
        }
    }
    Value::Object(out)
}

/// Thinking in the words of another vendor becomes an effort. The steps between the budgets are
/// ours: OpenAI publishes none. Adaptive thinking is the model's own default, so nothing is said.
fn effort(request: &ChatRequest) -> Option<&str> {
    let reasoning = request.reasoning.as_ref()?;
    match (reasoning.effort.as_deref(), reasoning.thinking) {
        // Most models of OpenAI know no more than this; to another's caller the two words mean the same.
        (Some("max"), _) if request.family == Family::Anthropic => Some("xhigh"),
        (Some(effort), _) => Some(effort),
        (None, Some(Thinking::Budget(tokens))) => Some(match tokens {
            0..4096 => "low",
            4096..16_384 => "medium",
            _ => "high",
        }),
        (None, Some(Thinking::Adaptive | Thinking::Disabled) | None) => None,
    }
}
