//! A chat-completions stream.

use serde_json::{Value, json};
use shared::protocol::canonical::{FinishReason, ToolCall};
use shared::protocol::outbound::Flavour;

use super::sse;
use crate::draw::Dice;
use crate::draw::answer::{Script, Segment, Spoken, logprob};

/// A chunk's choice without its index.
struct Step {
    delta: Value,
    logprobs: Option<Value>,
    finish: Option<&'static str>,
}

pub(super) fn encode(script: &Script, flavour: Flavour, dice: &mut Dice<'_>) -> String {
    let mut steps: Vec<Vec<Step>> =
        script.choices.iter().map(|spoken| steps(spoken, flavour, dice)).collect();
    steps.iter_mut().for_each(|steps| steps.reverse());
    let mut text = String::new();
    // Choices come in turns, each in its own order.
    while steps.iter().any(|steps| !steps.is_empty()) {
        let left: Vec<usize> = (0..steps.len()).filter(|index| !steps[*index].is_empty()).collect();
        let index = *dice.pick(&left);
        if let Some(Step { delta, logprobs, finish }) = steps[index].pop() {
            let choice =
                json!({ "index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish });
            text += &sse(None, &chunk(script, &json!([choice]), &Value::Null), dice);
        }
    }
    text += &sse(None, &chunk(script, &json!([]), &usage(script)), dice);
    text + &sse(None, "[DONE]", dice)
}

fn chunk(script: &Script, choices: &Value, usage: &Value) -> String {
    json!({
        "id": "chatcmpl-9", "object": "chat.completion.chunk", "created": 1_800_000_000, "model": script.model,
        "system_fingerprint": script.fingerprint, "service_tier": "default", "choices": choices, "usage": usage,
    })
    .to_string()
}

fn steps(spoken: &Spoken, flavour: Flavour, dice: &mut Dice<'_>) -> Vec<Step> {
    let step = |delta: Value| Step { delta, logprobs: None, finish: None };
    let calls = spoken.segments.iter().any(|segment| matches!(segment, Segment::Call(_)));
    let content = if calls { Value::Null } else { json!("") };
    let mut steps = vec![step(json!({ "role": "assistant", "content": content, "refusal": null }))];
    let mut called = 0;
    for segment in &spoken.segments {
        match segment {
            Segment::Thought(block) => {
                let name = if dice.chance(30) { "reasoning" } else { "reasoning_content" };
                steps.extend(dice.pieces(&block.text).into_iter().map(|piece| step(json!({ name: piece }))));
            }
            Segment::Text(pieces) => steps.extend(pieces.iter().map(|piece| Step {
                delta: json!({ "content": piece }),
                logprobs: spoken.logprobs.then(|| json!({ "content": [logprob(piece)], "refusal": null })),
                finish: None,
            })),
            Segment::Refusal(text) => {
                steps.extend(dice.pieces(text).into_iter().map(|piece| step(json!({ "refusal": piece }))));
            }
            Segment::Call(call) => {
                steps.extend(call_deltas(call, called, flavour, dice).into_iter().map(step));
                called += 1;
            }
        }
    }
    steps.push(Step { delta: json!({}), logprobs: None, finish: Some(finish(&spoken.finish)) });
    steps
}

/// Google sends a call whole.
fn call_deltas(call: &ToolCall, index: u32, flavour: Flavour, dice: &mut Dice<'_>) -> Vec<Value> {
    let is_whole = flavour == Flavour::Google;
    let begun = if is_whole { call.arguments.as_str() } else { "" };
    let mut first = json!({
        "index": index, "id": call.id, "type": "function", "function": { "name": call.name, "arguments": begun },
    });
    if let Some(signature) = &call.signature {
        first["extra_content"] = json!({ "google": { "thought_signature": signature } });
    }
    let rest = if is_whole { Vec::new() } else { dice.pieces(&call.arguments) };
    let more = rest.into_iter().map(|piece| json!({ "index": index, "function": { "arguments": piece } }));
    std::iter::once(first).chain(more).map(|call| json!({ "tool_calls": [call] })).collect()
}

fn finish(reason: &FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence(_) => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
    }
}

fn usage(script: &Script) -> Value {
    let usage = script.usage;
    let input = usage.uncached + usage.cache_read + usage.audio;
    json!({
        "prompt_tokens": input, "completion_tokens": usage.output, "total_tokens": input + usage.output,
        "prompt_tokens_details": { "cached_tokens": usage.cache_read, "audio_tokens": usage.audio },
        "completion_tokens_details": { "reasoning_tokens": usage.reasoning, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0 },
    })
}
