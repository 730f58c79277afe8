//! Reads the frames of an OpenAI stream into canonical chunks.

use serde::Deserialize;
use serde_json::Value;

use super::calls::Calls;
use super::message::seal;
use super::usage::Usage;
use crate::protocol::canonical::{Chunk, Delta, FinishReason, ReasoningDelta, ToolCallDelta};
use crate::protocol::frame::{Decoder, Frame};
use crate::protocol::json::unquoted;
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
    content: Option<WireContent>,
    #[serde(default)]
    refusal: Option<String>,
    // Not OpenAI's own, but what DeepSeek and llama.cpp call it. Others say `reasoning`, and vLLM
    // says the same under both names.
    #[serde(default)]
    reasoning_content: Option<String>,
    #[serde(default)]
    reasoning: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<WireToolCall>>,
}

/// Mistral's models that reason write parts instead of a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum WireContent {
    Text(String),
    Parts(Vec<WirePart>),
}

#[derive(Deserialize)]
struct WirePart {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    thinking: Vec<WirePart>,
}

#[derive(Deserialize)]
struct WireToolCall {
    #[serde(default)]
    index: Option<u32>,
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
    calls: Calls,
}

impl Decoder for StreamDecoder {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Result<Frame, String>> {
        self.events.frames(bytes, |data| read(data, &mut self.calls))
    }
}

fn read(data: &str, calls: &mut Calls) -> Result<Frame, String> {
    if data == "[DONE]" {
        return Ok(Frame::Done);
    }
    let wire: WireChunk =
        serde_json::from_str(data).map_err(|error| format!("unreadable frame: {}", unquoted(&error)))?;
    if let Some(error) = wire.error {
        return Ok(error_frame(&error));
    }
    Ok(Frame::Chunk(Chunk {
        // Azure opens with a chunk about the prompt that names no model.
        model: said(wire.model),
        fingerprint: said(wire.system_fingerprint),
        deltas: wire.choices.into_iter().map(|choice| delta(choice, calls)).collect(),
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

fn delta(choice: WireChoice, calls: &mut Calls) -> Delta {
    let mut call = |call: WireToolCall| {
        let (id, name) = (said(call.id), said(call.function.name));
        ToolCallDelta {
            index: calls.number(choice.index, call.index, id.as_deref(), name.as_deref()),
            id,
            name,
            arguments: call.function.arguments.unwrap_or_default(),
            signature: call.extra_content.as_ref().and_then(seal),
        }
    };
    let wire = choice.delta;
    let (content, thought) = wire.content.map(WireContent::split).unwrap_or_default();
    let reasoning = wire.reasoning_content.or(wire.reasoning).or(thought);
    Delta {
        choice: choice.index,
        content,
        refusal: wire.refusal,
        reasoning: reasoning.map(ReasoningDelta::text),
        tool_calls: wire.tool_calls.unwrap_or_default().into_iter().map(&mut call).collect(),
        logprobs: choice.logprobs,
        finish: choice.finish_reason.map(|reason| finish(&reason)),
    }
}

/// Some servers repeat what they said before as an empty string.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

impl WireContent {
    /// What is said, and what is thought.
    fn split(self) -> (Option<String>, Option<String>) {
        let parts = match self {
            WireContent::Text(text) => return (Some(text), None),
            WireContent::Parts(parts) => parts,
        };
        let thought = joined(parts.iter().flat_map(|part| &part.thinking));
        (joined(parts.iter()), thought)
    }
}

fn joined<'a>(parts: impl Iterator<Item = &'a WirePart>) -> Option<String> {
    let texts: Vec<&str> = parts.filter_map(|part| part.text.as_deref()).collect();
    (!texts.is_empty()).then(|| texts.concat())
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

    fn read(data: &str) -> Result<Frame, String> {
        super::read(data, &mut Calls::default())
    }

    fn delta_of(delta: &str) -> Delta {
        let data = format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#);
        let Ok(Frame::Chunk(mut chunk)) = read(&data) else { panic!("{delta} is a chunk") };
        chunk.deltas.remove(0)
    }

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

    #[test]
    fn reasoning_goes_by_several_names() {
        let thought = Some(ReasoningDelta::text("Hm."));
        for delta in [
            r#"{"reasoning_content":"Hm."}"#,
            r#"{"reasoning":"Hm."}"#,
            r#"{"reasoning":"Hm.","reasoning_content":"Hm."}"#,
            r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]}]}"#,
        ] {
            assert_eq!(delta_of(delta), Delta { reasoning: thought.clone(), ..Delta::default() }, "{delta}");
        }
        let parts = r#"{"content":[{"type":"text","text":"It is "},{"type":"text","text":"four."}]}"#;
        assert_eq!(delta_of(parts).content.as_deref(), Some("It is four."));
    }

    #[test]
    fn empty_names_are_none() {
        let Ok(Frame::Chunk(chunk)) = read(r#"{"model":"","choices":[]}"#) else { panic!("a chunk") };
        assert_eq!(chunk.model, None);
        let call =
            delta_of(r#"{"tool_calls":[{"index":0,"id":"","function":{"name":"","arguments":"{}"}}]}"#);
        assert_eq!((call.tool_calls[0].id.as_ref(), call.tool_calls[0].name.as_ref()), (None, None));
    }
}
