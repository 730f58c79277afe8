//! The JSON shapes of the chat-completions dialect.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::Answer;

pub(super) const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");
pub(super) const FINGERPRINT: &str = "fp_demo";

/// What every object of one answer carries.
#[derive(Debug)]
pub(super) struct Envelope {
    /// Numbers the answer within this provider; the ids derive from it.
    pub(super) number: u64,
    pub(super) id: String,
    pub(super) created: u64,
    pub(super) model: String,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: &'a [ChunkChoice<'a>],
    #[serde(skip_serializing_if = "UsageField::is_absent")]
    usage: UsageField,
}

/// A caller who asks for usage gets `null` in every chunk but the last.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
pub(super) enum UsageField {
    Absent,
    Null,
    Given(Usage),
}

#[derive(Serialize)]
pub(super) struct ChunkChoice<'a> {
    pub(super) index: usize,
    pub(super) delta: Delta<'a>,
    pub(super) logprobs: Option<()>,
    pub(super) finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Delta<'a> {
    Role { role: &'static str, content: Option<&'static str>, refusal: Option<()> },
    Text { content: &'a str },
    Tool { tool_calls: [ToolDelta<'a>; 1] },
    Nothing {},
}

#[derive(Serialize)]
pub(super) struct ToolDelta<'a> {
    index: usize,
    #[serde(flatten)]
    head: Option<ToolHead>,
    function: FunctionDelta<'a>,
}

#[derive(Serialize)]
struct ToolHead {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

impl Envelope {
    pub(super) fn new(number: u64, created: u64, model: &str) -> Self {
        let id = format!("chatcmpl-demo-{number}");
        Self { number, id, created, model: format!("demo/{model}") }
    }

    /// One frame of a streamed answer.
    pub(super) fn chunk(&self, choices: &[ChunkChoice<'_>], usage: UsageField) -> Bytes {
        frame(&Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        })
    }

    /// The document of an answer that is not streamed.
    pub(super) fn completion(&self, answer: &Answer, n: usize, usage: Option<Usage>) -> Value {
        let choices: Vec<Value> = (0..n).map(|index| self.choice(answer, index)).collect();
        let mut document = json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        });
        if let Some(usage) = usage {
            document["usage"] = json!(usage);
        }
        document
    }

    fn choice(&self, answer: &Answer, index: usize) -> Value {
        let mut message = json!({ "role": "assistant", "content": null, "refusal": null });
        match &answer.tool {
            None => message["content"] = Value::String(answer.text()),
            Some(name) => {
                message["tool_calls"] = json!([{
                    "id": self.call_id(index),
                    "type": "function",
                    "function": { "name": name, "arguments": answer.text() },
                }]);
            }
        }
        json!({
            "index": index,
            "message": message,
            "logprobs": null,
            "finish_reason": answer.finish_reason,
        })
    }

    fn call_id(&self, index: usize) -> String {
        format!("call_demo_{}_{index}", self.number)
    }

    /// The delta that opens a tool call: its id and name, no arguments yet.
    pub(super) fn tool_head<'a>(&self, index: usize, name: &'a str) -> Delta<'a> {
        let head = ToolHead { id: self.call_id(index), kind: "function" };
        let function = FunctionDelta { name: Some(name), arguments: "" };
        Delta::Tool { tool_calls: [ToolDelta { index: 0, head: Some(head), function }] }
    }
}

impl Delta<'_> {
    pub(super) fn arguments(piece: &str) -> Delta<'_> {
        let function = FunctionDelta { name: None, arguments: piece };
        Delta::Tool { tool_calls: [ToolDelta { index: 0, head: None, function }] }
    }
}

impl Usage {
    pub(super) fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens + completion_tokens,
            prompt_tokens_details: PromptDetails { cached_tokens: 0 },
            completion_tokens_details: CompletionDetails { reasoning_tokens: 0 },
        }
    }
}

impl UsageField {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// A server-sent event around `value`.
pub(super) fn frame(value: &impl Serialize) -> Bytes {
    let mut event = b"data: ".to_vec();
    serde_json::to_writer(&mut event, value).expect("the shapes serialise");
    event.extend_from_slice(b"\n\n");
    event.into()
}
