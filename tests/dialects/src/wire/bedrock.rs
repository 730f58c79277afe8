//! A ConverseStream.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::{Value, json};
use shared::domain::usage::TokenUsage;
use shared::protocol::canonical::{FinishReason, ReasoningBlock};

use crate::draw::Dice;
use crate::draw::answer::{Script, Segment};

/// One frame of `payload`, under right checksums.
pub fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut message = Message::new(payload.to_vec());
    for (name, value) in headers {
        let value = HeaderValue::String((*value).to_owned().into());
        message = message.add_header(Header::new((*name).to_owned(), value));
    }
    let mut bytes = Vec::new();
    match write_message_to(&message, &mut bytes) {
        Ok(()) => bytes,
        // Too long for a frame.
        Err(_) => Vec::new(),
    }
}

/// One event of the stream.
pub fn event(kind: &str, payload: &[u8]) -> Vec<u8> {
    frame(
        &[(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")],
        payload,
    )
}

pub(super) fn encode(script: &Script, forced: bool, dice: &mut Dice<'_>) -> Vec<u8> {
    let mut bytes = event("messageStart", br#"{"role":"assistant"}"#);
    let mut push = |kind: &str, payload: Value| bytes.extend(event(kind, payload.to_string().as_bytes()));
    let spoken = &script.choices[0];
    for (index, segment) in spoken.segments.iter().enumerate() {
        let (start, deltas) = block(segment, forced, dice);
        if let Some(start) = start {
            push("contentBlockStart", json!({ "contentBlockIndex": index, "start": start }));
        }
        for delta in deltas {
            push("contentBlockDelta", json!({ "contentBlockIndex": index, "delta": delta, "p": "abcdef" }));
        }
        push("contentBlockStop", json!({ "contentBlockIndex": index }));
    }
    let said = spoken.segments.iter().any(|segment| matches!(segment, Segment::Text(_)));
    push("messageStop", stop(&spoken.finish, forced && said));
    push("metadata", json!({ "usage": usage(&script.usage), "metrics": { "latencyMs": 5 } }));
    bytes
}

/// The start of the block, which only calls have, and what is added to it.
fn block(segment: &Segment, forced: bool, dice: &mut Dice<'_>) -> (Option<Value>, Vec<Value>) {
    let tool = |id: &str, name: &str| Some(json!({ "toolUse": { "toolUseId": id, "name": name } }));
    let input = |piece: &String| json!({ "toolUse": { "input": piece } });
    let text = |piece: &String| json!({ "text": piece });
    match segment {
        Segment::Thought(ReasoningBlock { redacted: Some(data), .. }) => {
            (None, vec![json!({ "reasoningContent": { "redactedContent": data } })])
        }
        Segment::Thought(block) => {
            let pieces = dice.pieces(&block.text);
            let mut deltas: Vec<Value> =
                pieces.iter().map(|piece| json!({ "reasoningContent": { "text": piece } })).collect();
            deltas.extend(
                block.signature.iter().map(|seal| json!({ "reasoningContent": { "signature": seal } })),
            );
            (None, deltas)
        }
        Segment::Text(pieces) if forced => {
            (tool("tooluse_0", "structured_answer"), pieces.iter().map(input).collect())
        }
        Segment::Text(pieces) => (None, pieces.iter().map(text).collect()),
        Segment::Refusal(said) => (None, vec![text(said)]),
        Segment::Call(call) if call.arguments == "{}" => (tool(&call.id, &call.name), Vec::new()),
        Segment::Call(call) => {
            (tool(&call.id, &call.name), dice.pieces(&call.arguments).iter().map(input).collect())
        }
    }
}

fn stop(reason: &FinishReason, called: bool) -> Value {
    let word = match reason {
        FinishReason::Stop if called => "tool_use",
        FinishReason::Stop => "end_turn",
        FinishReason::StopSequence(sequence) => {
            let fields = json!({ "stop_sequence": sequence });
            return json!({ "stopReason": "stop_sequence", "additionalModelResponseFields": fields });
        }
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::ContentFilter => "guardrail_intervened",
    };
    json!({ "stopReason": word })
}

fn usage(usage: &TokenUsage) -> Value {
    let written = usage.cache_write_5m + usage.cache_write_1h;
    json!({
        "inputTokens": usage.uncached, "outputTokens": usage.output, "totalTokens": usage.total(),
        "cacheReadInputTokens": usage.cache_read, "cacheWriteInputTokens": written,
        "cacheDetails": [
            { "ttl": "5m", "inputTokens": usage.cache_write_5m }, { "ttl": "1h", "inputTokens": usage.cache_write_1h },
        ],
    })
}
