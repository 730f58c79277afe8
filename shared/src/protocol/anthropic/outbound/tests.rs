use serde_json::json;

use super::*;
use crate::protocol::canonical::{
    CacheTtl, Content, Message, Part, Reasoning, ReasoningBlock, Role, Sampling, ToolCall,
};
use crate::protocol::openai;

const MODEL: &str = "claude-sonnet-4-5";

/// A request as a chat-completions caller makes it.
fn asks(change: &Value) -> ChatRequest {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in change.as_object().expect("an object") {
        body[name] = value.clone();
    }
    openai::request::read(body.as_object().cloned().expect("an object")).expect("valid").request
}

fn sent(change: &Value) -> Value {
    body(&asks(change), MODEL, 50_000)
}

fn function(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}})
}

#[test]
fn a_chat_completion_becomes_a_message() {
    let body = sent(&json!({
        "temperature": 0.2, "top_p": 1, "stop": "x", "user": "u", "metadata": {"a": "b"}, "parallel_tool_calls": false, "tools": [function("f")],
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "developer", "content": [{"type": "text", "text": "d", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
            {"role": "user", "content": "one"},
            {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}]},
            {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "r"},
            {"role": "user", "content": "two"},
        ],
    }));
    let expected = json!({
        "model": MODEL, "max_tokens": 50_000, "stream": true, "temperature": 0.2, "stop_sequences": ["x"], "metadata": {"user_id": "u"},
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "system": [{"type": "text", "text": "s"}, {"type": "text", "text": "d", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "one"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            ]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "r"},
                {"type": "text", "text": "two"},
            ]},
        ],
    });
    assert_eq!(body, expected);
}

#[test]
fn ids_that_the_vendor_refuses_are_replaced_alike_in_calls_and_results() {
    let call =
        |id: &str| ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into(), signature: None };
    let result = |id: &str| Message { tool_call_id: Some(id.into()), ..Message::text(Role::Tool, "r") };
    let ids = ["call_1", "a.b/c", "a.b/d", ""];
    let calls = Message {
        tool_calls: ids.iter().map(|id| call(id)).collect(),
        ..Message::new(Role::Assistant, Content::None)
    };
    let messages = std::iter::once(calls).chain(ids.map(result)).collect();
    let sent = body(&ChatRequest { messages, ..ChatRequest::default() }, MODEL, 10);
    let of = |turn: usize, name: &str| -> Vec<String> {
        let blocks = sent["messages"][turn]["content"].as_array().expect("blocks");
        blocks.iter().map(|block| block[name].as_str().expect("an id").to_owned()).collect()
    };
    let written = of(0, "id");
    assert_eq!(written, of(1, "tool_use_id"));
    assert_eq!(written[0], "call_1");
    let is_taken = |id: &String| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    assert!(written.iter().all(|id| is_taken(id) && !id.is_empty()), "{written:?}");
    let mut distinct = written.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len());
}

#[test]
fn only_sealed_reasoning_goes_back() {
    let unsealed = ReasoningBlock { text: "mine".into(), ..ReasoningBlock::default() };
    let sealed = ReasoningBlock { signature: Some("s".into()), ..unsealed.clone() };
    let redacted = ReasoningBlock { redacted: Some("r".into()), ..ReasoningBlock::default() };
    let message =
        Message { reasoning: vec![unsealed, sealed, redacted], ..Message::text(Role::Assistant, "a") };
    let sent = body(&ChatRequest { messages: vec![message], ..ChatRequest::default() }, MODEL, 10);
    let expected = json!([
        {"type": "thinking", "thinking": "mine", "signature": "s"}, {"type": "redacted_thinking", "data": "r"}, {"type": "text", "text": "a"},
    ]);
    assert_eq!(sent["messages"][0]["content"], expected);
}

#[test]
fn cache_points_stand_behind_what_they_were_put_on() {
    let part =
        Part::Image { url: "https://x/y.png".into(), detail: None, cache: Some(CacheTtl::FiveMinutes) };
    let mut request = ChatRequest {
        messages: vec![Message {
            cache: Some(CacheTtl::OneHour),
            ..Message::new(Role::User, Content::Parts(vec![part, Part::text("t")]))
        }],
        ..ChatRequest::default()
    };
    request.tools = vec![Tool { name: "f".into(), cache: Some(CacheTtl::OneHour), ..Tool::default() }];
    let sent = body(&request, MODEL, 10);
    let (short, long) = (json!({"type": "ephemeral"}), json!({"type": "ephemeral", "ttl": "1h"}));
    let content = &sent["messages"][0]["content"];
    assert_eq!((&content[0]["cache_control"], &content[1]["cache_control"]), (&short, &long));
    assert_eq!(sent["tools"][0]["cache_control"], long);
    assert_eq!(sent["tools"][0]["input_schema"], json!({"type": "object"}));
}

#[test]
fn a_choice_of_tools_is_told_in_the_vendors_words() {
    let both = json!([function("f"), function("g")]);
    let allowed = |mode: &str| json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [function("g")]}});
    let cases = [
        (json!("auto"), json!({"type": "auto"}), 2),
        (json!("none"), json!({"type": "none"}), 2),
        (json!("required"), json!({"type": "any"}), 2),
        (function("f"), json!({"type": "tool", "name": "f"}), 2),
        (allowed("auto"), json!({"type": "auto"}), 1),
        (allowed("required"), json!({"type": "any"}), 1),
    ];
    for (choice, expected, tools) in cases {
        let body = sent(&json!({"tools": both, "tool_choice": choice}));
        assert_eq!(body["tool_choice"], expected, "{choice}");
        assert_eq!(body["tools"].as_array().map(Vec::len), Some(tools), "{choice}");
    }
    assert_eq!(sent(&json!({"tools": both})).get("tool_choice"), None);
    assert_eq!(sent(&json!({"tool_choice": "auto", "parallel_tool_calls": false})).get("tool_choice"), None);
}

#[test]
fn a_format_is_stated_where_the_model_takes_it() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "object"}, "b": {"enum": [{"type": "object"}]}}});
    let format =
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}});
    let closed = json!({
        "type": "object", "additionalProperties": false,
        "properties": {"a": {"type": "object", "additionalProperties": false}, "b": {"enum": [{"type": "object"}]}},
    });
    assert_eq!(sent(&format)["output_config"], json!({"format": {"type": "json_schema", "schema": closed}}));
    let older = body(&asks(&format), "claude-3-5-sonnet", 10);
    assert_eq!(older.get("output_config"), None);
    let choice = json!({"type": "tool", "name": forced_tool::NAME, "disable_parallel_tool_use": true});
    assert_eq!(older["tool_choice"], choice);
    assert_eq!(older["tools"][0]["input_schema"], schema);
    let any = sent(&json!({"response_format": {"type": "json_object"}}));
    assert_eq!(any["tool_choice"], choice);
}

#[test]
fn what_another_family_says_beside_the_canonical_stays_there() {
    let body = sent(
        &json!({"store": true, "messages": [{"role": "user", "content": [{"type": "text", "text": "t", "flux": 1}]}]}),
    );
    let expected = json!({
        "model": MODEL, "max_tokens": 50_000, "stream": true,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "t"}]}],
    });
    assert_eq!(body, expected);
    assert!(betas(&asks(&json!({"anthropic-beta": ["x"]}))).is_empty());
}

#[test]
fn sampling_at_the_default_is_told_only_to_others() {
    let sampling = Sampling { temperature: Some(json!(1)), top_p: Some(json!(1.0)), ..Sampling::default() };
    let request = ChatRequest { sampling, reasoning: Some(Reasoning::default()), ..asks(&json!({})) };
    assert_eq!(body(&request, "claude-opus-4-8", 10).get("temperature"), None);
    assert_eq!(body(&request, "deepseek-chat", 10)["top_p"], json!(1.0));
}
