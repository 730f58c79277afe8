//! A Messages stream.

use serde_json::{Value, json};
use shared::domain::usage::TokenUsage;
use shared::protocol::canonical::{FinishReason, ReasoningBlock};

use super::named;
use crate::draw::Dice;
use crate::draw::answer::{Script, Segment};

pub(super) fn encode(script: &Script, forced: bool, dice: &mut Dice<'_>) -> String {
    let message = json!({
        "id": "msg_01", "type": "message", "role": "assistant", "model": script.model, "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage(&TokenUsage { output: 1, reasoning: 0, ..script.usage }),
    });
    let mut text = named(json!({ "message": message }), "message_start", dice);
    text += &named(json!({}), "ping", dice);
    let spoken = &script.choices[0];
    for (index, segment) in spoken.segments.iter().enumerate() {
        let (start, deltas) = block(segment, forced, dice);
        text += &named(json!({ "index": index, "content_block": start }), "content_block_start", dice);
        for delta in deltas {
            text += &named(json!({ "index": index, "delta": delta }), "content_block_delta", dice);
        }
        text += &named(json!({ "index": index }), "content_block_stop", dice);
    }
    let said = spoken.segments.iter().any(|segment| matches!(segment, Segment::Text(_)));
    let (reason, sequence) = stop(&spoken.finish, forced && said);
    let delta = json!({ "stop_reason": reason, "stop_sequence": sequence });
    text += &named(json!({ "delta": delta, "usage": usage(&script.usage) }), "message_delta", dice);
    text + &named(json!({}), "message_stop", dice)
}

/// The block as it starts, and what is added to it.
fn block(segment: &Segment, forced: bool, dice: &mut Dice<'_>) -> (Value, Vec<Value>) {
    let json_deltas = |pieces: Vec<String>| {
        let all = std::iter::once(String::new()).chain(pieces);
        all.map(|piece| json!({ "type": "input_json_delta", "partial_json": piece })).collect()
    };
    let tool = |id: &str, name: &str| json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
    match segment {
        Segment::Thought(ReasoningBlock { redacted: Some(data), .. }) => {
            (json!({ "type": "redacted_thinking", "data": data }), Vec::new())
        }
        Segment::Thought(block) => {
            let mut deltas: Vec<Value> = dice
                .pieces(&block.text)
                .iter()
                .map(|piece| json!({ "type": "thinking_delta", "thinking": piece }))
                .collect();
            let signature = block.signature.clone().unwrap_or_default();
            deltas.push(json!({ "type": "signature_delta", "signature": signature }));
            (json!({ "type": "thinking", "thinking": "", "signature": "" }), deltas)
        }
        Segment::Text(pieces) if forced => {
            (tool("toolu_0", "structured_answer"), json_deltas(pieces.clone()))
        }
        Segment::Text(pieces) => {
            let deltas = pieces.iter().map(|piece| json!({ "type": "text_delta", "text": piece })).collect();
            (json!({ "type": "text", "text": "" }), deltas)
        }
        Segment::Refusal(text) => (json!({ "type": "text", "text": text }), Vec::new()),
        // The vendor streams no text for an empty input.
        Segment::Call(call) if call.arguments == "{}" => {
            (tool(&call.id, &call.name), json_deltas(Vec::new()))
        }
        Segment::Call(call) => (tool(&call.id, &call.name), json_deltas(dice.pieces(&call.arguments))),
    }
}

fn stop(reason: &FinishReason, called: bool) -> (&'static str, Option<&str>) {
    match reason {
        FinishReason::Stop if called => ("tool_use", None),
        FinishReason::Stop => ("end_turn", None),
        FinishReason::StopSequence(sequence) => ("stop_sequence", Some(sequence)),
        FinishReason::Length => ("max_tokens", None),
        FinishReason::ToolCalls => ("tool_use", None),
        FinishReason::ContentFilter => ("refusal", None),
    }
}

fn usage(usage: &TokenUsage) -> Value {
    json!({
        "input_tokens": usage.uncached, "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_creation": { "ephemeral_5m_input_tokens": usage.cache_write_5m, "ephemeral_1h_input_tokens": usage.cache_write_1h },
        "output_tokens": usage.output, "output_tokens_details": { "thinking_tokens": usage.reasoning },
        "service_tier": "standard",
    })
}
