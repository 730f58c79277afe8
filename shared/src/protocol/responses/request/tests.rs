use super::*;
use crate::protocol::canonical::{JsonSchema, Message, Role};
use crate::protocol::openai::outbound;
use crate::protocol::outbound::Flavour;

fn parse(body: Value) -> Result<Inbound, BadRequest> {
    match body {
        Value::Object(object) => read(object),
        _ => panic!("a test body is an object"),
    }
}

fn asks(change: &Value) -> Result<Inbound, BadRequest> {
    let mut body = json!({ "model": "m", "input": "hi" });
    for (name, value) in change.as_object().expect("an object") {
        body[name] = value.clone();
    }
    parse(body)
}

fn request(change: &Value) -> ChatRequest {
    asks(change).unwrap_or_else(|fault| panic!("{change}: {fault:?}")).request
}

fn full() -> Value {
    json!({
        "model": "openai/gpt-5", "instructions": "be brief", "input": "hi", "max_output_tokens": 50,
        "temperature": 0.2, "top_p": 1, "user": "u", "safety_identifier": "s", "prompt_cache_key": "k",
        "parallel_tool_calls": false, "tool_choice": { "type": "function", "name": "f" },
        "tools": [{ "type": "function", "name": "f", "description": "d", "parameters": { "type": "object" }, "strict": true }],
        "text": { "format": { "type": "json_schema", "name": "n", "schema": { "type": "object" }, "strict": true }, "verbosity": "low" },
        "reasoning": { "effort": "low", "summary": "auto" }, "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
        "top_logprobs": 3, "metadata": { "a": "b" }, "store": true, "background": false, "truncation": "disabled",
        "service_tier": "auto", "max_tool_calls": 4, "stream": true, "stream_options": { "include_obfuscation": false },
    })
}

#[test]
fn what_chat_completions_can_say_reaches_openai_in_their_words() {
    let inbound = parse(full()).expect("valid");
    let sent = outbound::body(&inbound.request, "gpt-5", 50, Flavour::Official);
    let expected = json!({
        "model": "gpt-5", "stream": true, "stream_options": { "include_usage": true }, "max_completion_tokens": 50,
        "messages": [{ "role": "system", "content": "be brief" }, { "role": "user", "content": "hi" }],
        "temperature": 0.2, "top_p": 1, "user": "u", "safety_identifier": "s", "prompt_cache_key": "k",
        "parallel_tool_calls": false, "tool_choice": { "type": "function", "function": { "name": "f" } },
        "tools": [{ "type": "function", "function": { "name": "f", "description": "d", "parameters": { "type": "object" }, "strict": true } }],
        "response_format": { "type": "json_schema", "json_schema": { "name": "n", "schema": { "type": "object" }, "strict": true } },
        "reasoning_effort": "low", "verbosity": "low", "logprobs": true, "top_logprobs": 3,
    });
    assert_eq!(sent, expected);
    assert_eq!((inbound.model.as_deref(), inbound.stream), (Some("openai/gpt-5"), Some(true)));
    assert_eq!((&inbound.echo["metadata"], &inbound.echo["store"]), (&json!({ "a": "b" }), &json!(false)));
    assert!(inbound.request.unlisted.is_empty());
}

#[test]
fn each_fault_names_its_field() {
    let pairs: Map<String, Value> = (0..17).map(|number| (number.to_string(), json!("x"))).collect();
    let cases = [
        (json!({ "model": "" }), "model"),
        (json!({ "input": null }), "input"),
        (json!({ "instructions": 1 }), "instructions"),
        (json!({ "stream": "yes" }), "stream"),
        (json!({ "stream_options": { "include_obfuscation": true } }), "stream_options"),
        (
            json!({ "stream": true, "stream_options": { "include_usage": true } }),
            "stream_options.include_usage",
        ),
        (json!({ "max_output_tokens": 0 }), "max_output_tokens"),
        (json!({ "max_output_tokens": 1.5 }), "max_output_tokens"),
        (json!({ "temperature": 2.1 }), "temperature"),
        (json!({ "top_p": -1 }), "top_p"),
        (json!({ "top_logprobs": 21 }), "top_logprobs"),
        (json!({ "max_tool_calls": 0 }), "max_tool_calls"),
        (json!({ "user": 1 }), "user"),
        (json!({ "store": "no" }), "store"),
        (json!({ "background": true }), "background"),
        (json!({ "previous_response_id": "resp_1" }), "previous_response_id"),
        (json!({ "conversation": { "id": "conv_1" } }), "conversation"),
        (json!({ "prompt": { "id": "pmpt_1" } }), "prompt"),
        (json!({ "truncation": "auto" }), "truncation"),
        (json!({ "service_tier": "flex" }), "service_tier"),
        (json!({ "include": ["reasoning.encrypted_content", "file_search_call.results"] }), "include[1]"),
        (json!({ "metadata": pairs }), "metadata"),
        (json!({ "metadata": { "a": 1 } }), "metadata.a"),
        (json!({ "text": "plain" }), "text"),
        (json!({ "text": { "format": { "type": "xml" } } }), "text.format.type"),
        (json!({ "text": { "format": { "type": "json_schema" } } }), "text.format.name"),
        (json!({ "text": { "verbosity": 1 } }), "text.verbosity"),
        (json!({ "text": { "tone": "warm" } }), "text.tone"),
        (json!({ "reasoning": { "effort": "huge" } }), "reasoning.effort"),
        (json!({ "reasoning": { "summary": "long" } }), "reasoning.summary"),
        (json!({ "reasoning": { "mode": "pro" } }), "reasoning.mode"),
        (json!({ "tool_choice": "any" }), "tool_choice"),
        (json!({ "tool_choice": "required" }), "tool_choice"),
        (json!({ "tool_choice": { "type": "web_search" } }), "tool_choice"),
        (json!({ "tools": [{ "type": "function" }] }), "tools[0].name"),
        (json!({ "tools": [{ "name": "f" }] }), "tools[0].type"),
    ];
    for (change, param) in cases {
        assert_eq!(asks(&change).expect_err(param).param, param, "{change}");
    }
}

#[test]
fn hosted_tools_are_refused_by_their_type() {
    let hosted =
        ["web_search", "file_search", "code_interpreter", "computer", "image_generation", "mcp", "custom"];
    for kind in hosted {
        let function = json!({ "type": "function", "name": "f" });
        let fault = asks(&json!({ "tools": [function, { "type": kind }] })).expect_err(kind);
        assert_eq!(fault.param, "tools[1].type");
        assert!(fault.message.contains(kind), "{}", fault.message);
    }
}

#[test]
fn the_format_is_flat() {
    let format = |format: Value| request(&json!({ "text": { "format": format } })).response_format;
    assert_eq!(format(json!({ "type": "text" })), Some(ResponseFormat::Text));
    assert_eq!(format(json!({ "type": "json_object" })), Some(ResponseFormat::JsonObject));
    let schema =
        json!({ "type": "json_schema", "name": "n", "description": "d", "schema": { "type": "object" } });
    let expected = JsonSchema {
        name: "n".to_owned(),
        description: Some("d".to_owned()),
        schema: json!({ "type": "object" }),
        strict: None,
    };
    assert_eq!(format(schema), Some(ResponseFormat::JsonSchema(expected)));
    assert_eq!(format(Value::Null), None);
}

#[test]
fn tools_may_be_chosen_from_a_list() {
    let tool = |name: &str| json!({ "type": "function", "name": name });
    let choice = json!({ "type": "allowed_tools", "mode": "required", "tools": [tool("f")] });
    let chosen = request(&json!({ "tools": [tool("f"), tool("g")], "tool_choice": choice })).tool_choice;
    assert_eq!(chosen, Some(ToolChoice::Allowed { required: true, names: vec!["f".to_owned()] }));
}

#[test]
fn how_tools_are_called_says_nothing_without_tools() {
    let request = request(&json!({ "tools": [], "tool_choice": "auto", "parallel_tool_calls": false }));
    assert_eq!((request.tool_choice, request.parallel_tool_calls), (None, None));
}

#[test]
fn log_probabilities_are_asked_for_in_either_way() {
    let extra = |change: Value| Value::Object(request(&change).extra);
    assert_eq!(extra(json!({ "include": ["message.output_text.logprobs"] })), json!({ "logprobs": true }));
    assert_eq!(extra(json!({ "top_logprobs": 2 })), json!({ "logprobs": true, "top_logprobs": 2 }));
    assert_eq!(extra(json!({ "top_logprobs": 0 })), json!({}));
}

#[test]
fn fields_nobody_listed_are_kept_apart() {
    let request = request(&json!({ "flux": 1, "reasoning": {}, "text": {} }));
    assert_eq!(Value::Object(request.unlisted), json!({ "flux": 1 }));
    assert_eq!((request.reasoning, request.response_format), (None, None));
    assert_eq!(request.messages, [Message::text(Role::User, "hi")]);
}
