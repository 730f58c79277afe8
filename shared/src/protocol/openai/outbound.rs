//! Writes the canonical request for a provider that speaks the OpenAI dialect.

use serde_json::{Map, Value, json};

use super::message;
use crate::protocol::canonical::{ChatRequest, Tool};

/// Which field the provider takes the output limit in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitField {
    /// OpenAI itself.
    MaxCompletionTokens,
    /// Everybody who copied the dialect before it was renamed.
    MaxTokens,
}

/// The body of the upstream call. It always streams, asks for usage and states the output limit
/// that the hold was computed with.
pub fn body(request: &ChatRequest, model: &str, max_output_tokens: u64, limit: LimitField) -> Value {
    let mut out: Map<String, Value> = request.extra.clone();
    out.extend(request.unlisted.clone());
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    put("model", json!(model));
    put("messages", request.messages.iter().map(message::write).collect());
    put("stream", json!(true));
    put("stream_options", json!({ "include_usage": true }));
    let limit_name = match limit {
        LimitField::MaxCompletionTokens => "max_completion_tokens",
        LimitField::MaxTokens => "max_tokens",
    };
    put(limit_name, json!(max_output_tokens));
    if request.choices > 1 {
        put("n", json!(request.choices));
    }
    if !request.tools.is_empty() {
        put("tools", request.tools.iter().map(write_tool).collect());
    }
    if !request.stop.is_empty() {
        put("stop", json!(request.stop));
    }
    let sampling = &request.sampling;
    let optional = [
        ("tool_choice", request.tool_choice.clone()),
        ("parallel_tool_calls", request.parallel_tool_calls.map(Value::Bool)),
        ("response_format", request.response_format.clone()),
        ("reasoning_effort", request.reasoning_effort.clone().map(Value::String)),
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

/// A tool as the dialect writes it.
pub fn write_tool(tool: &Tool) -> Value {
    let mut function = tool.extra.clone();
    function.insert("name".into(), json!(tool.name));
    if let Some(description) = &tool.description {
        function.insert("description".into(), json!(description));
    }
    if let Some(parameters) = &tool.parameters {
        function.insert("parameters".into(), parameters.clone());
    }
    json!({ "type": "function", "function": function })
}
