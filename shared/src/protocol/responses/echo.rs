//! What the reply repeats of the request, with the API's defaults for what was not said. Where the
//! default is the provider's own and unknown here, null.

use serde_json::{Map, Value, json};

/// Read from a body that need not be good: a bad one is refused elsewhere and gets no reply.
pub(super) fn of(body: &Map<String, Value>) -> Map<String, Value> {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null()).cloned();
    let or = |name: &str, default: Value| given(name).unwrap_or(default);
    let tools = body.get("tools").and_then(Value::as_array);
    let members = [
        // Answered as it was served, not as it was asked.
        ("background", json!(false)),
        ("previous_response_id", Value::Null),
        ("service_tier", json!("default")),
        ("store", json!(false)),
        ("truncation", json!("disabled")),
        ("instructions", or("instructions", Value::Null)),
        ("max_output_tokens", or("max_output_tokens", Value::Null)),
        ("max_tool_calls", or("max_tool_calls", Value::Null)),
        ("metadata", or("metadata", json!({}))),
        ("parallel_tool_calls", or("parallel_tool_calls", json!(true))),
        ("prompt_cache_key", or("prompt_cache_key", Value::Null)),
        ("reasoning", with(&json!({ "effort": null, "summary": null }), body.get("reasoning"))),
        ("safety_identifier", or("safety_identifier", Value::Null)),
        ("temperature", or("temperature", Value::Null)),
        ("text", with(&json!({ "format": { "type": "text" } }), body.get("text"))),
        ("tool_choice", or("tool_choice", json!("auto"))),
        ("tools", tools.into_iter().flatten().map(tool).collect()),
        ("top_logprobs", or("top_logprobs", json!(0))),
        ("top_p", or("top_p", Value::Null)),
        ("user", or("user", Value::Null)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn tool(given: &Value) -> Value {
    with(&json!({ "description": null, "parameters": null, "strict": null }), Some(given))
}

/// The members of `defaults`, overridden by those of `given` that say something.
fn with(defaults: &Value, given: Option<&Value>) -> Value {
    let mut out = defaults.clone();
    for (name, value) in given.and_then(Value::as_object).into_iter().flatten() {
        if !value.is_null() {
            out[name] = value.clone();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(body: Value) -> Value {
        Value::Object(of(body.as_object().expect("an object")))
    }

    #[test]
    fn what_was_not_said_has_its_default() {
        let expected = json!({
            "background": false, "instructions": null, "max_output_tokens": null, "max_tool_calls": null,
            "metadata": {}, "parallel_tool_calls": true, "previous_response_id": null, "prompt_cache_key": null,
            "reasoning": { "effort": null, "summary": null }, "safety_identifier": null, "service_tier": "default",
            "store": false, "temperature": null, "text": { "format": { "type": "text" } }, "tool_choice": "auto",
            "tools": [], "top_logprobs": 0, "top_p": null, "truncation": "disabled", "user": null,
        });
        assert_eq!(echo(json!({ "model": "m", "input": "hi", "metadata": null, "text": {} })), expected);
    }

    #[test]
    fn what_was_said_is_repeated_and_storing_is_not_claimed() {
        let said = json!({
            "instructions": "be brief", "max_output_tokens": 20, "metadata": { "a": "b" }, "temperature": 0.5,
            "parallel_tool_calls": false, "tool_choice": { "type": "function", "name": "f" }, "user": "u",
            "tools": [{ "type": "function", "name": "f", "description": "d", "parameters": {}, "strict": true }],
            "text": { "format": { "type": "json_object" }, "verbosity": "low" },
            "reasoning": { "effort": "low", "summary": "auto" },
        });
        let mut body = said.clone();
        body["store"] = json!(true);
        body["service_tier"] = json!("auto");
        let echo = echo(body);
        for (name, value) in said.as_object().expect("an object") {
            assert_eq!(&echo[name], value, "{name}");
        }
        assert_eq!((&echo["store"], &echo["service_tier"]), (&json!(false), &json!("default")));
    }
}
