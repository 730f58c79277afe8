//! What a reply must tell of an answer, by the conventions of its dialect.

use serde_json::{Value, json};
use shared::domain::usage::TokenUsage;
use shared::protocol::answer::{Answer, Choice};
use shared::protocol::canonical::{FinishReason, ReasoningBlock};
use shared::protocol::dialect::Dialect;

use crate::told::{Call, Told};

/// # Panics
/// When `told` tells anything else than `answer`.
pub(super) fn assert_told(dialect: Dialect, told: &Told, answer: &Answer) {
    assert_eq!(told.choices.len(), answer.choices.len());
    for (told, answer) in told.choices.iter().zip(&answer.choices) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let refusal = text(&answer.refusal);
        match dialect {
            // The dialect has no refusals beside the text.
            Dialect::Anthropic => assert_eq!(told.text, text(&answer.content) + &refusal),
            _ => assert_eq!((&told.text, &told.refusal), (&text(&answer.content), &refusal)),
        }
        assert_eq!(told.thought, answer.reasoning_text().unwrap_or_default());
        assert_eq!(told.finish, finish(dialect, answer));
        assert_calls(&told.calls, answer);
        assert_seals(dialect, &told.sealed, answer);
        if dialect != Dialect::Anthropic {
            assert_eq!(told.logprobs, logprobs(dialect, answer));
        }
    }
    assert_usage(dialect, &told.usage, &answer.usage);
}

/// Chat completions say null of a token without bytes of its own, Responses have a list.
fn logprobs(dialect: Dialect, answer: &Choice) -> Vec<Value> {
    let given = answer.logprobs.as_ref().map_or(json!([]), |logprobs| logprobs["content"].clone());
    let text = match dialect {
        Dialect::Responses => given.to_string().replace("\"bytes\":null", "\"bytes\":[]"),
        _ => given.to_string(),
    };
    serde_json::from_str(&text).unwrap_or_default()
}

fn assert_calls(told: &[Call], answer: &Choice) {
    assert_eq!(told.len(), answer.tool_calls.len());
    for (told, call) in told.iter().zip(&answer.tool_calls) {
        assert_eq!((&told.id, &told.name), (&call.id, &call.name));
        assert!(is_same(&told.arguments, &call.arguments), "{told:?} for {call:?}");
    }
}

/// The arguments are the same JSON, or the same text where they are none. Messages keep such a text
/// under one key.
fn is_same(told: &str, arguments: &str) -> bool {
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    let kept = json!({ "INVALID_JSON": arguments });
    told == arguments
        || json(told).is_some_and(|told| Some(&told) == json(arguments).as_ref() || told == kept)
}

fn assert_seals(dialect: Dialect, told: &[Value], answer: &Choice) {
    let calls = answer.tool_calls.iter().filter_map(|call| call.signature.as_ref());
    match dialect {
        Dialect::OpenAi => {
            let blocks = answer.reasoning.iter().filter_map(thinking_block);
            let calls = calls.map(|signature| json!({ "thought_signature": signature }));
            assert_eq!(told, blocks.chain(calls).collect::<Vec<_>>());
        }
        Dialect::Anthropic => {
            let blocks =
                answer.reasoning.iter().filter_map(|block| match (&block.redacted, &block.signature) {
                    (Some(data), _) => Some(json!({ "data": data })),
                    (None, Some(signature)) => Some(json!({ "signature": signature })),
                    (None, None) => None,
                });
            assert_eq!(told, blocks.collect::<Vec<_>>());
        }
        // Reasoning without a seal is in it as well. What it holds shows when it is sent back.
        Dialect::Responses => {
            assert_eq!(told.is_empty(), answer.reasoning.is_empty() && calls.count() == 0);
        }
        Dialect::Seed => {}
    }
}

fn thinking_block(block: &ReasoningBlock) -> Option<Value> {
    match (&block.redacted, &block.signature) {
        (Some(data), _) => Some(json!({ "type": "redacted_thinking", "data": data })),
        (None, Some(signature)) => {
            Some(json!({ "type": "thinking", "thinking": block.text, "signature": signature }))
        }
        (None, None) => None,
    }
}

fn finish(dialect: Dialect, answer: &Choice) -> String {
    let reason = answer.finish.clone().unwrap_or(FinishReason::Stop);
    let word = match (dialect, &reason) {
        (Dialect::Responses, FinishReason::Length) => "incomplete:max_output_tokens",
        (Dialect::Responses, FinishReason::ContentFilter) => "incomplete:content_filter",
        (Dialect::Responses, _) => "completed",
        (Dialect::Anthropic, FinishReason::Length) => "max_tokens",
        (Dialect::Anthropic, FinishReason::ContentFilter) => "refusal",
        (Dialect::Anthropic, FinishReason::ToolCalls) => "tool_use",
        (Dialect::Anthropic, FinishReason::StopSequence(sequence)) => {
            return format!("stop_sequence:{sequence}");
        }
        (Dialect::Anthropic, FinishReason::Stop) if answer.refusal.is_some() => "refusal",
        (Dialect::Anthropic, FinishReason::Stop) => "end_turn",
        (_, FinishReason::Length) => "length",
        (_, FinishReason::ContentFilter) => "content_filter",
        (_, FinishReason::ToolCalls) => "tool_calls",
        (_, FinishReason::Stop | FinishReason::StopSequence(_)) => "stop",
    };
    word.to_owned()
}

/// OpenAI counts what was cached inside the input, Anthropic beside it.
fn assert_usage(dialect: Dialect, told: &Value, usage: &TokenUsage) {
    let count = |path: &str| {
        told.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {path} in {told}"))
    };
    let written = usage.cache_write_5m + usage.cache_write_1h;
    let input = usage.uncached + usage.cache_read + written + usage.audio;
    let expected: Vec<(&str, u64)> = match dialect {
        Dialect::OpenAi => vec![
            ("/prompt_tokens", input),
            ("/prompt_tokens_details/cached_tokens", usage.cache_read),
            ("/prompt_tokens_details/audio_tokens", usage.audio),
            ("/completion_tokens", usage.output),
            ("/completion_tokens_details/reasoning_tokens", usage.reasoning),
            ("/total_tokens", input + usage.output),
        ],
        Dialect::Responses => vec![
            ("/input_tokens", input),
            ("/input_tokens_details/cached_tokens", usage.cache_read),
            ("/input_tokens_details/cache_write_tokens", written),
            ("/output_tokens", usage.output),
            ("/output_tokens_details/reasoning_tokens", usage.reasoning),
            ("/total_tokens", input + usage.output),
        ],
        Dialect::Anthropic => vec![
            ("/input_tokens", usage.uncached + usage.audio),
            ("/cache_read_input_tokens", usage.cache_read),
            ("/cache_creation_input_tokens", written),
            ("/cache_creation/ephemeral_5m_input_tokens", usage.cache_write_5m),
            ("/cache_creation/ephemeral_1h_input_tokens", usage.cache_write_1h),
            ("/output_tokens", usage.output),
        ],
        Dialect::Seed => vec![("/inputTokens", input), ("/outputTokens", usage.output)],
    };
    for (path, tokens) in expected {
        assert_eq!(count(path), tokens, "{path} of {told}");
    }
}

/// # Panics
/// When the streamed reply tells something else than the other one. Messages stream the arguments
/// of a call as the model wrote them and show them as an object otherwise.
pub(super) fn assert_same(dialect: Dialect, streamed: &Told, plain: &Told) {
    let mut streamed = streamed.clone();
    if dialect == Dialect::Anthropic {
        for (choice, plainly) in streamed.choices.iter_mut().zip(&plain.choices) {
            for (call, plainly) in choice.calls.iter_mut().zip(&plainly.calls) {
                assert!(is_same(&plainly.arguments, &call.arguments), "{call:?} or {plainly:?}");
                call.arguments.clone_from(&plainly.arguments);
            }
        }
    }
    assert_eq!(&streamed, plain, "the streamed reply and the plain one differ");
}
