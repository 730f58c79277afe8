//! Reads the frames of an OpenAI stream into canonical chunks.

use serde::Deserialize;
use serde_json::Value;

use super::message::seal;
use super::usage::Usage;
use crate::protocol::canonical::{Chunk, Delta, FinishReason, ReasoningDelta, ToolCallDelta};
use crate::protocol::frame::{Decoder, Frame};
use crate::protocol::sse::SseReader;

#[derive(Deserialize)]
struct WireChunk {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    system_fingerprint: Option<String>,
    #[serde(default)]
    choices: Vec<WireChoice>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct WireChoice {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    delta: WireDelta,
    #[serde(default)]
    logprobs: Option<Value>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct WireDelta {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    // Not OpenAI's own, but what DeepSeek, vLLM and llama.cpp call it.
    #[serde(default, alias = "reasoning")]
    reasoning_content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<WireToolCall>>,
}

#[derive(Deserialize)]
struct WireToolCall {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    function: WireFunction,
    #[serde(default)]
    extra_content: Option<Value>,
}

#[derive(Default, Deserialize)]
struct WireFunction {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<String>,
}

/// Reads a chat-completions stream.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    events: SseReader,
}

impl Decoder for StreamDecoder {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Result<Frame, String>> {
        self.events.frames(bytes, read)
    }
}

/// Reads the data of one event.
///
/// # Errors
/// The reason, when it is not a frame of this dialect.
pub fn read(data: &str) -> Result<Frame, String> {
    if data == "[DONE]" {
        return Ok(Frame::Done);
    }
    let wire: WireChunk = serde_json::from_str(data).map_err(|error| format!("unreadable frame: {error}"))?;
    if let Some(error) = wire.error {
        return Ok(error_frame(&error));
    }
    Ok(Frame::Chunk(Chunk {
        model: wire.model,
        fingerprint: wire.system_fingerprint,
        deltas: wire.choices.into_iter().map(delta).collect(),
        usage: wire.usage.map(|usage| usage.partition()),
    }))
}

/// What an error body says, in a stream or as a whole answer: `{"message": ..., "code": ...}`.
pub fn error_frame(error: &Value) -> Frame {
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    let message = text("message")
        .or_else(|| error.as_str().map(str::to_owned))
        .unwrap_or_else(|| "no message".to_owned());
    Frame::Error { message, code: text("code").or_else(|| text("type")) }
}

fn delta(choice: WireChoice) -> Delta {
    let call = |call: WireToolCall| ToolCallDelta {
        index: call.index,
        id: call.id,
        name: call.function.name,
        arguments: call.function.arguments.unwrap_or_default(),
        signature: call.extra_content.as_ref().and_then(seal),
    };
    Delta {
        choice: choice.index,
        content: choice.delta.content,
        refusal: choice.delta.refusal,
        reasoning: choice.delta.reasoning_content.map(ReasoningDelta::text),
        tool_calls: choice.delta.tool_calls.unwrap_or_default().into_iter().map(call).collect(),
        logprobs: choice.logprobs,
        finish: choice.finish_reason.map(|reason| finish(&reason)),
    }
}

/// Reasons that other servers invent are read as a stop: the provider did end by itself.
fn finish(reason: &str) -> FinishReason {
    match reason {
        "length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        _ => FinishReason::Stop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart() {
        assert_eq!(read("[DONE]"), Ok(Frame::Done));
        assert!(read("{not json").is_err());
        let error = read(r#"{"error":{"message":"overloaded","type":"server_error","code":null}}"#);
        assert_eq!(
            error,
            Ok(Frame::Error { message: "overloaded".into(), code: Some("server_error".into()) })
        );
    }

    #[test]
    fn a_chunk_carries_its_increments() {
        let data = r#"{"id":"x","model":"gpt","choices":[{"index":1,"delta":{"content":"hi","tool_calls":[{"index":0,"id":"c",
            "function":{"name":"f","arguments":"{"}}]},"finish_reason":null}],"usage":null}"#;
        let Ok(Frame::Chunk(chunk)) = read(data) else { panic!("a chunk") };
        assert_eq!(chunk.deltas[0].choice, 1);
        assert_eq!(chunk.deltas[0].content.as_deref(), Some("hi"));
        assert_eq!(chunk.deltas[0].tool_calls[0].name.as_deref(), Some("f"));
        assert_eq!(chunk.usage, None);
    }
}
