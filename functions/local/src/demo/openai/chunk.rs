//! The frames of a streamed chat completion.

use bytes::Bytes;
use serde::Serialize;

use crate::demo::dialect::Envelope;
use crate::demo::state::Charge;

pub(super) const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");
pub(super) const FINGERPRINT: &str = "fp_demo";

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
    id: String,
    object: &'static str,
    created: u64,
    model: String,
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

/// One frame of a streamed answer.
pub(super) fn chunk(envelope: &Envelope<'_>, choices: &[ChunkChoice<'_>], usage: UsageField) -> Bytes {
    frame(&Chunk {
        id: completion_id(envelope),
        object: "chat.completion.chunk",
        created: envelope.created,
        model: envelope.full_model(),
        system_fingerprint: FINGERPRINT,
        choices,
        usage,
    })
}

pub(super) fn completion_id(envelope: &Envelope<'_>) -> String {
    format!("chatcmpl-demo-{}", envelope.number)
}

pub(super) fn call_id(envelope: &Envelope<'_>, index: usize) -> String {
    format!("call_demo_{}_{index}", envelope.number)
}

impl Delta<'_> {
    /// Opens a tool call: its id and name, no arguments yet.
    pub(super) fn tool_head(id: String, name: &str) -> Delta<'_> {
        let head = ToolHead { id, kind: "function" };
        let function = FunctionDelta { name: Some(name), arguments: "" };
        Delta::Tool { tool_calls: [ToolDelta { index: 0, head: Some(head), function }] }
    }

    pub(super) fn arguments(piece: &str) -> Delta<'_> {
        let function = FunctionDelta { name: None, arguments: piece };
        Delta::Tool { tool_calls: [ToolDelta { index: 0, head: None, function }] }
    }
}

impl From<Charge> for Usage {
    fn from(charge: Charge) -> Self {
        Self {
            prompt_tokens: charge.prompt_tokens,
            completion_tokens: charge.completion_tokens,
            total_tokens: charge.prompt_tokens + charge.completion_tokens,
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
