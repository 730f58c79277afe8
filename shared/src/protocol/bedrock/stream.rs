//! Reads the events of a ConverseStream into canonical chunks.

use std::collections::BTreeMap;

use aws_smithy_types::event_stream::Message;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::frames::{FrameReader, header};
use super::usage::Usage;
use crate::protocol::canonical::{Chunk, Delta, FinishReason, ReasoningDelta, ToolCallDelta};
use crate::protocol::forced_tool;
use crate::protocol::frame::{Decoder, Frame};
use crate::protocol::json::unquoted;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockStart {
    content_block_index: u64,
    #[serde(default)]
    start: Start,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    #[serde(default)]
    tool_use: Option<ToolUse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse {
    tool_use_id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockDelta {
    content_block_index: u64,
    #[serde(default)]
    delta: WireDelta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDelta {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    tool_use: Option<ToolInput>,
    #[serde(default)]
    reasoning_content: Option<WireReasoning>,
}

#[derive(Deserialize)]
struct ToolInput {
    #[serde(default)]
    input: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireReasoning {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    redacted_content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockStop {
    content_block_index: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop {
    stop_reason: String,
    #[serde(default)]
    additional_model_response_fields: Option<Value>,
}

#[derive(Deserialize)]
struct Metadata {
    usage: Usage,
}

/// A call of a tool whose block is open.
#[derive(Debug)]
struct OpenCall {
    /// Among the calls, not among the blocks.
    index: u32,
    has_arguments: bool,
}

/// Reads a ConverseStream. It has no end mark: what follows the stop is the usage, and the stream is
/// over with the body.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    frames: FrameReader,
    open_calls: BTreeMap<u64, OpenCall>,
    calls: u32,
    /// The model was made to call a tool in place of an answer.
    is_forced: bool,
    /// Nothing follows an error.
    over: bool,
}

impl StreamDecoder {
    /// `is_forced` when the request had a [`forced_tool`].
    pub fn new(is_forced: bool) -> Self {
        StreamDecoder { is_forced, ..StreamDecoder::default() }
    }

    fn read(&mut self, message: &Message) -> Result<Option<Frame>, String> {
        match header(message, ":message-type") {
            Some("event") => {
                self.event(header(message, ":event-type").unwrap_or_default(), message.payload())
            }
            Some("exception") => Ok(Some(exception(message))),
            Some("error") => {
                Ok(Some(error(header(message, ":error-code"), header(message, ":error-message"))))
            }
            _ => Ok(None),
        }
    }

    fn event(&mut self, kind: &str, payload: &[u8]) -> Result<Option<Frame>, String> {
        let delta = match kind {
            "contentBlockStart" => self.start(parse(payload)?),
            "contentBlockDelta" => Some(self.delta(parse(payload)?)?),
            "contentBlockStop" => self.stop(&parse(payload)?),
            "messageStop" => match finish(parse(payload)?) {
                Ok(finish) => Some(Delta { finish: Some(finish), ..Delta::default() }),
                Err(reason) => {
                    return Ok(Some(error(Some(&reason), Some("the model wrote what cannot be read"))));
                }
            },
            "metadata" => {
                let usage = Some(parse::<Metadata>(payload)?.usage.partition());
                return Ok(Some(Frame::Chunk(Chunk { usage, ..Chunk::default() })));
            }
            _ => None,
        };
        Ok(delta.map(|delta| self.chunk(delta)))
    }

    fn chunk(&self, delta: Delta) -> Frame {
        let chunk = Chunk { deltas: vec![delta], ..Chunk::default() };
        Frame::Chunk(if self.is_forced { forced_tool::unwrap(chunk) } else { chunk })
    }

    fn start(&mut self, block: BlockStart) -> Option<Delta> {
        let tool = block.start.tool_use?;
        let index = self.calls;
        self.calls = self.calls.saturating_add(1);
        self.open_calls.insert(block.content_block_index, OpenCall { index, has_arguments: false });
        let (id, name) = (Some(tool.tool_use_id), Some(tool.name));
        Some(call(ToolCallDelta { index, id, name, ..ToolCallDelta::default() }))
    }

    fn delta(&mut self, block: BlockDelta) -> Result<Delta, String> {
        let BlockDelta { content_block_index, delta } = block;
        if let Some(ToolInput { input: arguments }) = delta.tool_use {
            let open = self.open_calls.get_mut(&content_block_index);
            let open =
                open.ok_or_else(|| format!("block {content_block_index} calls a tool without a name"))?;
            open.has_arguments |= !arguments.is_empty();
            return Ok(call(ToolCallDelta { index: open.index, arguments, ..ToolCallDelta::default() }));
        }
        let reasoning = delta.reasoning_content.map(|thought| ReasoningDelta {
            text: thought.text,
            signature: thought.signature.filter(|seal| !seal.is_empty()),
            redacted: thought.redacted_content,
        });
        Ok(Delta { content: delta.text, reasoning, ..Delta::default() })
    }

    /// A call without arguments gets the empty object that callers expect to read.
    fn stop(&mut self, block: &BlockStop) -> Option<Delta> {
        let open = self.open_calls.remove(&block.content_block_index).filter(|open| !open.has_arguments)?;
        let (index, arguments) = (open.index, "{}".to_owned());
        Some(call(ToolCallDelta { index, arguments, ..ToolCallDelta::default() }))
    }
}

impl Decoder for StreamDecoder {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Result<Frame, String>> {
        let mut frames = Vec::new();
        if !self.over {
            self.frames.extend(bytes);
        }
        while !self.over {
            let read = match self.frames.next_frame() {
                Ok(None) => break,
                Ok(Some(message)) => self.read(&message).transpose(),
                Err(why) => Some(Err(why)),
            };
            self.over = matches!(read, Some(Err(_) | Ok(Frame::Error { .. })));
            frames.extend(read);
        }
        frames
    }
}

fn parse<T: DeserializeOwned>(payload: &[u8]) -> Result<T, String> {
    serde_json::from_slice(payload).map_err(|error| format!("unreadable event: {}", unquoted(&error)))
}

fn call(call: ToolCallDelta) -> Delta {
    Delta { tool_calls: vec![call], ..Delta::default() }
}

/// # Errors
/// The reason itself, when what the model wrote could not be read by Bedrock either.
fn finish(stop: MessageStop) -> Result<FinishReason, String> {
    let fields = stop.additional_model_response_fields;
    let sequence = fields.as_ref().and_then(|fields| fields.get("stop_sequence")?.as_str());
    match (stop.stop_reason.as_str(), sequence) {
        ("stop_sequence", Some(sequence)) => Ok(FinishReason::StopSequence(sequence.to_owned())),
        ("max_tokens" | "model_context_window_exceeded", _) => Ok(FinishReason::Length),
        ("tool_use", _) => Ok(FinishReason::ToolCalls),
        ("guardrail_intervened" | "content_filtered", _) => Ok(FinishReason::ContentFilter),
        (reason, _) if reason.starts_with("malformed_") => Err(stop.stop_reason),
        // A reason that is not known yet: the model did end by itself.
        _ => Ok(FinishReason::Stop),
    }
}

/// An exception names itself in a header and says why in its payload.
fn exception(message: &Message) -> Frame {
    let payload: Value = serde_json::from_slice(message.payload()).unwrap_or(Value::Null);
    error(header(message, ":exception-type"), payload.get("message").and_then(Value::as_str))
}

fn error(code: Option<&str>, message: Option<&str>) -> Frame {
    Frame::Error { message: message.unwrap_or("no message").to_owned(), code: code.map(str::to_owned) }
}

#[cfg(test)]
mod tests;
