//! Writes replies in the chat-completions dialect.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::message::write_thinking;
use super::options::write_tool_call;
use super::usage::Usage;
use crate::protocol::answer::{Answer, Choice};
use crate::protocol::canonical::{Delta, ReasoningBlock, ToolCall, ToolCallDelta};
use crate::protocol::dialect::{Dialect, Renderer, ReplyHead, Summary, finish_word};
use crate::protocol::error::ErrorReport;
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
    thinking_blocks: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireToolCall<'a>>,
}

#[derive(Serialize)]
struct WireToolCall<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: WireFunction<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<Value>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

/// A stream of chunks.
#[derive(Debug, Default)]
pub struct Stream {
    head: Option<ReplyHead>,
    /// The reasoning of each choice that is open, until its seal is known and it can be told whole.
    thinking: BTreeMap<u32, String>,
    /// The calls that have begun, by choice and index.
    calls: BTreeSet<(u32, u32)>,
}

impl Renderer for Stream {
    /// One chunk that opens every choice with its role.
    fn start(&mut self, head: ReplyHead) -> String {
        let open = |index: u32| WireChoice {
            index,
            delta: WireDelta { role: Some("assistant"), content: Some(""), ..WireDelta::default() },
            logprobs: None,
            finish_reason: None,
        };
        let count = u32::try_from(head.choices).unwrap_or(u32::MAX);
        let text = (0..count).map(|index| chunk(&head, &[open(index)], None)).collect();
        self.head = Some(head);
        text
    }

    fn delta(&mut self, delta: &Delta) -> String {
        let thinking_blocks = self.sealed(delta).iter().map(write_thinking).collect();
        // Choices that nobody asked for are not shown: no chunk has opened them.
        let Some(head) = self.head.as_ref().filter(|head| u64::from(delta.choice) < head.choices) else {
            return String::new();
        };
        let calls = &mut self.calls;
        let tool_calls = delta.tool_calls.iter().map(|call| {
            let begins = calls.insert((delta.choice, call.index));
            let made_up = (begins && call.id.is_none()).then(|| call_id(head, call.index as usize));
            tool_call(call, made_up)
        });
        let tool_calls = tool_calls.collect();
        let choice = WireChoice {
            index: delta.choice,
            delta: WireDelta {
                role: None,
                content: delta.content.as_deref(),
                refusal: delta.refusal.as_deref(),
                reasoning_content: delta.reasoning.as_ref().and_then(|thought| thought.text.as_deref()),
                thinking_blocks,
                tool_calls,
            },
            logprobs: delta.logprobs.as_ref(),
            finish_reason: delta.finish.as_ref().map(finish_word),
        };
        chunk(head, &[choice], None)
    }

    fn end(&mut self, summary: &Summary) -> String {
        let usage = match &self.head {
            Some(head) if head.include_usage => chunk(head, &[], Some(Usage::of(&summary.usage))),
            _ => String::new(),
        };
        usage + &sse::event("[DONE]")
    }

    fn error(&mut self, report: &ErrorReport) -> String {
        sse::event(&report.body(Dialect::OpenAi).to_string())
    }
}

impl Stream {
    /// The block that `delta` completes, if it does: only a sealed one can be sent back.
    fn sealed(&mut self, delta: &Delta) -> Option<ReasoningBlock> {
        let thought = delta.reasoning.as_ref()?;
        if thought.redacted.is_some() {
            return Some(ReasoningBlock { redacted: thought.redacted.clone(), ..ReasoningBlock::default() });
        }
        let text = self.thinking.entry(delta.choice).or_default();
        text.push_str(thought.text.as_deref().unwrap_or_default());
        thought.signature.as_ref()?;
        let text = self.thinking.remove(&delta.choice).unwrap_or_default();
        Some(ReasoningBlock { text, signature: thought.signature.clone(), redacted: None })
    }
}

/// The body of a plain answer.
pub fn completion(head: &ReplyHead, answer: &Answer, summary: &Summary) -> String {
    let asked = usize::try_from(head.choices).unwrap_or(usize::MAX);
    let choices = answer.choices.iter().take(asked).enumerate();
    let choices: Vec<Value> = choices.map(|(index, choice)| whole_choice(head, index, choice)).collect();
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

/// An id for the call of a provider that gave it none: its result must name one.
fn call_id(head: &ReplyHead, index: usize) -> String {
    format!("call_{}_{index}", head.request_id)
}

fn tool_call(call: &ToolCallDelta, made_up: Option<String>) -> WireToolCall<'_> {
    let id = call.id.as_deref().map(Cow::Borrowed).or(made_up.map(Cow::Owned));
    WireToolCall {
        index: call.index,
        kind: id.as_ref().map(|_| "function"),
        id,
        function: WireFunction { name: call.name.as_deref(), arguments: &call.arguments },
        extra_content: call
            .signature
            .as_ref()
            .map(|signature| json!({ "google": { "thought_signature": signature } })),
    }
}

fn whole_choice(head: &ReplyHead, index: usize, choice: &Choice) -> Value {
    let mut message = json!({ "role": "assistant", "content": choice.content, "refusal": choice.refusal });
    if let Some(reasoning) = choice.reasoning_text() {
        message["reasoning_content"] = json!(reasoning);
    }
    let is_sealed = |block: &&ReasoningBlock| block.signature.is_some() || block.redacted.is_some();
    let sealed: Vec<Value> = choice.reasoning.iter().filter(is_sealed).map(write_thinking).collect();
    if !sealed.is_empty() {
        message["thinking_blocks"] = json!(sealed);
    }
    if !choice.tool_calls.is_empty() {
        let calls = choice.tool_calls.iter().enumerate();
        message["tool_calls"] =
            calls.map(|(index, call)| write_tool_call(&named(head, index, call))).collect();
    }
    json!({
        "index": index,
        "message": message,
        "logprobs": choice.logprobs,
        "finish_reason": choice.finish.as_ref().map(finish_word),
    })
}

fn named<'a>(head: &ReplyHead, index: usize, call: &'a ToolCall) -> Cow<'a, ToolCall> {
    match call.id.is_empty() {
        true => Cow::Owned(ToolCall { id: call_id(head, index), ..call.clone() }),
        false => Cow::Borrowed(call),
    }
}
