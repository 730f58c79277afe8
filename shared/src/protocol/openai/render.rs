//! Writes replies in the chat-completions dialect.

use serde::Serialize;
use serde_json::{Value, json};

use super::message::write_tool_call;
use super::usage::Usage;
use crate::protocol::answer::{Answer, Choice};
use crate::protocol::canonical::{Delta, ToolCallDelta};
use crate::protocol::dialect::{ReplyHead, Summary, finish_word};
use crate::protocol::sse;

#[derive(Serialize)]
struct WireChunk<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    system_fingerprint: Option<&'a str>,
    choices: &'a [WireChoice<'a>],
    // Absent unless the caller asked for usage, and then null in every chunk but the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
}

#[derive(Serialize)]
struct WireChoice<'a> {
    index: u32,
    delta: WireDelta<'a>,
    logprobs: Option<&'a Value>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct WireDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireToolCall<'a>>,
}

#[derive(Serialize)]
struct WireToolCall<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

/// One chunk that opens every choice with its role.
pub fn stream_start(head: &ReplyHead, choices: u64) -> String {
    let open = |index: u32| WireChoice {
        index,
        delta: WireDelta { role: Some("assistant"), content: Some(""), ..WireDelta::default() },
        logprobs: None,
        finish_reason: None,
    };
    let count = u32::try_from(choices).unwrap_or(u32::MAX);
    (0..count).map(|index| chunk(head, &[open(index)], None)).collect()
}

pub fn stream_delta(head: &ReplyHead, delta: &Delta) -> String {
    let choice = WireChoice {
        index: delta.choice,
        delta: WireDelta {
            role: None,
            content: delta.content.as_deref(),
            refusal: delta.refusal.as_deref(),
            reasoning_content: delta.reasoning.as_deref(),
            tool_calls: delta.tool_calls.iter().map(tool_call).collect(),
        },
        logprobs: delta.logprobs.as_ref(),
        finish_reason: delta.finish.as_ref().map(finish_word),
    };
    chunk(head, &[choice], None)
}

pub fn stream_end(head: &ReplyHead, summary: &Summary) -> String {
    let usage = match head.include_usage {
        true => chunk(head, &[], Some(Usage::of(&summary.usage))),
        false => String::new(),
    };
    usage + &sse::event("[DONE]")
}

/// The body of a plain answer.
pub fn completion(head: &ReplyHead, answer: &Answer, summary: &Summary) -> String {
    let choices: Vec<Value> =
        answer.choices.iter().enumerate().map(|(index, choice)| whole_choice(index, choice)).collect();
    json!({
        "id": completion_id(head),
        "object": "chat.completion",
        "created": head.created.seconds(),
        "model": head.model,
        "system_fingerprint": head.fingerprint,
        "choices": choices,
        "usage": Usage::of(&summary.usage),
    })
    .to_string()
}

fn chunk(head: &ReplyHead, choices: &[WireChoice<'_>], usage: Option<Usage>) -> String {
    let wire = WireChunk {
        id: &completion_id(head),
        object: "chat.completion.chunk",
        created: head.created.seconds(),
        model: &head.model,
        system_fingerprint: head.fingerprint.as_deref(),
        choices,
        usage: head.include_usage.then_some(usage),
    };
    sse::event(&serde_json::to_string(&wire).unwrap_or_default())
}

fn completion_id(head: &ReplyHead) -> String {
    format!("chatcmpl-{}", head.request_id)
}

fn tool_call(call: &ToolCallDelta) -> WireToolCall<'_> {
    WireToolCall {
        index: call.index,
        id: call.id.as_deref(),
        kind: call.id.as_ref().map(|_| "function"),
        function: WireFunction { name: call.name.as_deref(), arguments: &call.arguments },
    }
}

fn whole_choice(index: usize, choice: &Choice) -> Value {
    let mut message = json!({ "role": "assistant", "content": choice.content, "refusal": choice.refusal });
    if let Some(reasoning) = &choice.reasoning {
        message["reasoning_content"] = json!(reasoning);
    }
    if !choice.tool_calls.is_empty() {
        message["tool_calls"] = choice.tool_calls.iter().map(write_tool_call).collect();
    }
    json!({
        "index": index,
        "message": message,
        "logprobs": choice.logprobs,
        "finish_reason": choice.finish.as_ref().map(finish_word),
    })
}
