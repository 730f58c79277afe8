use serde_json::json;

use super::super::outbound;
use super::*;
use crate::protocol::canonical::{
    CacheTtl, Content, Part, Reasoning, ResponseFormat, Role, Thinking, ToolChoice,
};
use crate::protocol::openai;
use crate::protocol::outbound::Flavour;

const MODEL: &str = "claude-sonnet-4-5";

fn parse(body: Value) -> Result<Inbound, BadRequest> {
    match body {
        Value::Object(object) => read(object),
        _ => panic!("a test body is an object"),
    }
}

fn asks(change: &Value) -> Value {
    let mut body = json!({"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in change.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

fn says(role: &str, content: &Value) -> Value {
    asks(&json!({"messages": [{"role": role, "content": content}]}))
}

fn full() -> Value {
    json!({
        "model": MODEL, "max_tokens": 4000, "temperature": 1, "top_k": 40, "stop_sequences": ["a", "b", "c", "d", "e"],
        "metadata": {"user_id": "u"}, "service_tier": "standard_only", "inference_geo": "global", "cache_control": {"type": "ephemeral"},
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
        "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "tools": [
            {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": true},
            {"name": "g", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral", "ttl": "1h"}, "input_examples": [{}]}
        ],
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "t"}],
        "messages": [
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}, "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "what?"}
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "a"},
                {"type": "thinking", "thinking": "", "signature": "sig2"},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
                {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}, "cache_control": {"type": "ephemeral"}}
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "r"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "cache_control": {"type": "ephemeral", "ttl": "1h"}, "content": [
                    {"type": "text", "text": "failed"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
                ]},
                {"type": "text", "text": "go on"}
            ]},
            {"role": "assistant", "content": "well"},
            {"role": "user", "content": "end"}
        ]
    })
}

#[test]
fn what_anthropic_can_say_reaches_anthropic_unchanged() {
    let inbound = parse(full()).expect("valid");
    let sent = outbound::body(&inbound.request, MODEL, 4000);
    let mut expected = full();
    expected["stream"] = json!(true);
    // Both are the model's own defaults.
    expected.as_object_mut().expect("an object").remove("temperature");
    assert_eq!(sent, expected);
}

#[test]
fn the_system_may_speak_between_turns_where_the_model_reads_it_there() {
    let body = asks(&json!({"system": "s", "messages": [
        {"role": "user", "content": "hi"}, {"role": "system", "content": "be brief"}, {"role": "assistant", "content": "ok"}
    ]}));
    let request = parse(body.clone()).expect("valid").request;
    assert_eq!(outbound::body(&request, "claude-opus-4-8", 50)["messages"], body["messages"]);
    let older = outbound::body(&request, MODEL, 50);
    assert_eq!(older["system"], json!([{"type": "text", "text": "s"}, {"type": "text", "text": "be brief"}]));
    assert_eq!(older["messages"].as_array().map(Vec::len), Some(2));
}

#[test]
fn results_of_tools_become_messages_of_their_own() {
    let request = parse(full()).expect("valid").request;
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    use Role::{Assistant, System, Tool, User};
    assert_eq!(roles, [System, User, Assistant, Assistant, Tool, Tool, User, Assistant, User]);
    let failed = &request.messages[5];
    assert_eq!((failed.tool_call_id.as_deref(), failed.tool_failed), (Some("toolu_2"), true));
    assert_eq!(failed.cache, Some(CacheTtl::OneHour));
    assert_eq!(request.messages[2].reasoning.len(), 2);
    assert_eq!(request.messages[3].tool_calls[0].arguments, "{\"a\":1}");
    assert_eq!(request.messages[6].content, Content::Parts(vec![Part::text("go on")]));
}

#[test]
fn another_vendor_is_asked_in_its_own_words() {
    let body = asks(&json!({
        "system": "s", "stop_sequences": ["x"], "thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000,
        "tool_choice": {"type": "any"}, "tools": [{"type": "custom", "name": "f", "input_schema": {"type": "object"}}],
        "output_format": {"type": "json_schema", "schema": {"type": "object"}},
        "messages": [
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}, "caller": {"type": "direct"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}, {"type": "text", "text": "and?", "citations": null}]}
        ]
    }));
    let request = parse(body).expect("valid").request;
    let sent = openai::outbound::body(&request, "gpt-4o", 2000, Flavour::Official);
    let expected = json!({
        "model": "gpt-4o", "stream": true, "stream_options": {"include_usage": true}, "max_completion_tokens": 2000,
        "stop": ["x"], "reasoning_effort": "low", "tool_choice": "required",
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": true}},
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": ""},
            {"role": "user", "content": [{"type": "text", "text": "and?"}]}
        ]
    });
    assert_eq!(sent, expected);
}

#[test]
fn choices_and_reasoning_are_canonical() {
    let read = |change: Value| parse(asks(&change)).expect("valid").request;
    let tools =
        read(json!({"tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": false}}));
    assert_eq!(tools.tool_choice, Some(ToolChoice::Tool("f".into())));
    assert_eq!(tools.parallel_tool_calls, Some(true));
    let adaptive = read(
        json!({"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "max"}}),
    );
    let expected = Reasoning {
        effort: Some("max".into()),
        thinking: Some(Thinking::Adaptive),
        summary: Some("omitted".into()),
    };
    assert_eq!(adaptive.reasoning, Some(expected));
    let disabled = read(json!({"thinking": {"type": "disabled"}})).reasoning.expect("said");
    assert_eq!(disabled.thinking, Some(Thinking::Disabled));
    let between = read(json!({"thinking": {"type": "between_tools"}}));
    assert_eq!(between.extra["thinking"], json!({"type": "between_tools"}));
    assert_eq!(between.reasoning, None);
    let format =
        read(json!({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}));
    assert!(
        matches!(format.response_format, Some(ResponseFormat::JsonSchema(schema)) if schema.strict == Some(true))
    );
    assert_eq!(read(json!({})).reasoning, None);
}

#[test]
fn fields_nobody_listed_are_kept_apart() {
    let body = asks(&json!({
        "flux": 1, "service_tier": "auto", "speed": "standard", "container": null, "betas": null,
        "metadata": {"user_id": "u", "team": "t"}, "output_config": {"task_budget": {"total": 5}},
        "anthropic-beta": ["context-1m-2025-08-07"],
    }));
    let request = parse(body).expect("valid").request;
    let unlisted = json!({
        "flux": 1, "metadata": {"team": "t"}, "output_config": {"task_budget": {"total": 5}},
        "anthropic-beta": ["context-1m-2025-08-07"],
    });
    assert_eq!(Value::Object(request.unlisted.clone()), unlisted);
    assert_eq!(Value::Object(request.extra.clone()), json!({"service_tier": "auto"}));
    let sent = outbound::body(&request, MODEL, 50);
    assert_eq!(sent["metadata"], json!({"user_id": "u", "team": "t"}));
    assert_eq!(sent["flux"], json!(1));
    assert_eq!(sent.get("anthropic-beta"), None);
    assert_eq!(outbound::betas(&request), ["context-1m-2025-08-07"]);
}

#[test]
fn each_fault_of_a_field_names_it() {
    let cases = [
        (json!({"model": ""}), "model"),
        (json!({"max_tokens": null}), "max_tokens"),
        (json!({"max_tokens": 0}), "max_tokens"),
        (json!({"stream": "yes"}), "stream"),
        (json!({"temperature": 1.1}), "temperature"),
        (json!({"top_p": -1}), "top_p"),
        (json!({"top_k": 0.5}), "top_k"),
        (json!({"stop_sequences": "x"}), "stop_sequences"),
        (json!({"stop_sequences": ["x", ""]}), "stop_sequences[1]"),
        (json!({"service_tier": "priority"}), "service_tier"),
        (json!({"inference_geo": "us"}), "inference_geo"),
        (json!({"speed": "fast"}), "speed"),
        (json!({"mcp_servers": []}), "mcp_servers"),
        (json!({"container": "c"}), "container"),
        (json!({"fallbacks": "default"}), "fallbacks"),
        (json!({"thread": {"type": "create"}}), "thread"),
        (json!({"compaction": {}}), "compaction"),
        (json!({"cache_control": {"type": "ephemeral", "ttl": "2h"}}), "cache_control.ttl"),
        (
            json!({"context_management": {"edits": [{"type": "compact_20260112"}]}}),
            "context_management.edits[0].type",
        ),
        (json!({"anthropic-beta": [1]}), "anthropic-beta[0]"),
        (json!({"metadata": {"user_id": 1}}), "metadata.user_id"),
        (json!({"thinking": {"type": "enabled"}}), "thinking.budget_tokens"),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 1023}, "max_tokens": 2000}),
            "thinking.budget_tokens",
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 2000}),
            "thinking.budget_tokens",
        ),
        (json!({"thinking": {"type": "hard"}}), "thinking.type"),
        (json!({"thinking": {"type": "adaptive", "display": "all"}}), "thinking.display"),
        (json!({"thinking": {"type": "adaptive", "depth": 1}}), "thinking.depth"),
        (json!({"output_config": {"effort": "minimal"}}), "output_config.effort"),
        (json!({"output_config": {"format": {"type": "text"}}}), "output_config.format.type"),
        (json!({"output_config": {"format": {"type": "json_schema"}}}), "output_config.format.schema"),
        (
            json!({"output_format": {"type": "json_schema", "schema": {}}, "output_config": {"format": {"type": "json_schema", "schema": {}}}}),
            "output_format",
        ),
        (json!({"tool_choice": {"type": "function"}}), "tool_choice.type"),
        (json!({"tool_choice": {"type": "tool"}}), "tool_choice.name"),
        (json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}), "tools[0].type"),
        (json!({"tools": [{"type": "bash_20250124", "name": "bash"}]}), "tools[0].type"),
        (json!({"tools": [{"name": "f"}]}), "tools[0].input_schema"),
        (json!({"tools": [{"input_schema": {}}]}), "tools[0].name"),
        (json!({"system": 1}), "system"),
        (json!({"system": [{"type": "image"}]}), "system[0].type"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": "hi"}), "messages"),
    ];
    for (change, param) in cases {
        assert_eq!(parse(asks(&change)).expect_err(param).param, param, "{change}");
    }
}

#[test]
fn each_fault_of_a_block_names_it() {
    let image = |source: Value| json!([{"type": "image", "source": source}]);
    let result = |content: Value| json!([{"type": "tool_result", "tool_use_id": "c", "content": content}]);
    let call = json!({"type": "tool_use", "id": "c", "name": "f", "input": {}});
    let cases = [
        ("robot", json!("x"), "messages[0].role"),
        ("user", json!(null), "messages[0].content"),
        ("user", json!(1), "messages[0].content"),
        ("user", json!([]), "messages[0].content"),
        ("user", json!(["x"]), "messages[0].content[0]"),
        ("user", json!([{"text": "x"}]), "messages[0].content[0].type"),
        ("user", json!([{"type": "text"}]), "messages[0].content[0].text"),
        (
            "user",
            json!([{"type": "text", "text": "x", "citations": [{}]}]),
            "messages[0].content[0].citations",
        ),
        ("user", json!([{"type": "document", "source": {}}]), "messages[0].content[0].type"),
        ("user", json!([{"type": "search_result"}]), "messages[0].content[0].type"),
        ("user", json!([call]), "messages[0].content[0].type"),
        ("system", json!([{"type": "image"}]), "messages[0].content[0].type"),
        ("assistant", json!([{"type": "server_tool_use", "id": "c"}]), "messages[0].content[0].type"),
        ("assistant", result(json!("x")), "messages[0].content[0].type"),
        ("assistant", json!([{"type": "tool_use", "name": "f", "input": {}}]), "messages[0].content[0].id"),
        ("assistant", json!([{"type": "tool_use", "id": "c", "name": "f"}]), "messages[0].content[0].input"),
        (
            "assistant",
            json!([{"type": "tool_use", "id": "c", "name": "f", "input": []}]),
            "messages[0].content[0].input",
        ),
        (
            "assistant",
            json!([{"type": "tool_use", "id": "c", "name": "f", "input": {}, "caller": {"type": "code_execution_20250825"}}]),
            "messages[0].content[0].caller.type",
        ),
        ("assistant", json!([{"type": "redacted_thinking"}]), "messages[0].content[0].data"),
        ("user", image(json!({"type": "file", "file_id": "f"})), "messages[0].content[0].source.type"),
        ("user", image(json!({"type": "url", "url": "http://x/y.png"})), "messages[0].content[0].source.url"),
        (
            "user",
            image(json!({"type": "base64", "media_type": "image/tiff", "data": "AA"})),
            "messages[0].content[0].source.media_type",
        ),
        (
            "user",
            image(json!({"type": "base64", "media_type": "image/png", "data": "a b"})),
            "messages[0].content[0].source.data",
        ),
        (
            "user",
            json!([{"type": "image", "source": {"type": "url", "url": "https://x/y.png"}, "transformations": {"oversized_image": "error"}}]),
            "messages[0].content[0].transformations",
        ),
        ("user", json!([{"type": "tool_result", "content": "x"}]), "messages[0].content[0].tool_use_id"),
        ("user", result(json!([{"type": "document"}])), "messages[0].content[0].content[0].type"),
        (
            "user",
            json!([{"type": "tool_result", "tool_use_id": "c", "is_error": "no"}]),
            "messages[0].content[0].is_error",
        ),
        (
            "user",
            json!([{"type": "text", "text": "x", "cache_control": {"type": "forever"}}]),
            "messages[0].content[0].cache_control.type",
        ),
    ];
    for (role, content, param) in cases {
        assert_eq!(parse(says(role, &content)).expect_err(param).param, param, "{role}: {content}");
    }
}
