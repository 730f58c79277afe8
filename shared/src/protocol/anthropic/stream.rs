//! Reads the events of a Messages stream into canonical chunks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::usage::Usage;
use crate::protocol::canonical::{Chunk, Delta, FinishReason, ReasoningDelta, ToolCallDelta};
use crate::protocol::forced_tool;
use crate::protocol::frame::{Decoder, Frame};
use crate::protocol::json::unquoted;
use crate::protocol::openai::stream::error_frame;
use crate::protocol::sse::SseReader;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockStart {
        #[serde(default)]
        index: u64,
        content_block: Block,
    },
    ContentBlockDelta {
        #[serde(default)]
        index: u64,
        delta: BlockDelta,
    },
    ContentBlockStop {
        #[serde(default)]
        index: u64,
    },
    MessageDelta {
        #[serde(default)]
        delta: End,
        #[serde(default)]
        usage: Option<Usage>,
    },
    MessageStop,
    Error {
        #[serde(default)]
        error: Value,
    },
    /// `ping`, and whatever is added to the API.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Start {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    Thinking {
        #[serde(default)]
        thinking: String,
    },
    RedactedThinking {
        data: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockDelta {
    TextDelta {
        text: String,
    },
    ThinkingDelta {
        thinking: String,
    },
    SignatureDelta {
        signature: String,
    },
    InputJsonDelta {
        partial_json: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Default, Deserialize)]
struct End {
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    stop_sequence: Option<String>,
}

/// Reads a Messages stream.
#[derive(Debug)]
pub struct StreamDecoder {
    events: SseReader,
    message: Message,
    forced_tool: bool,
}

/// What of the message so far is needed to read on.
#[derive(Debug, Default)]
struct Message {
    usage: Usage,
    /// The calls that are open, by the index of their block.
    calls: BTreeMap<u64, OpenCall>,
    calls_seen: u32,
}

#[derive(Debug)]
struct OpenCall {
    index: u32,
    /// The input as it stood at the block's start; most servers stream it instead, unless it is empty.
    /// None once any of it was told.
    at_start: Option<Map<String, Value>>,
}

impl StreamDecoder {
    /// `forced_tool`: the model is made to call the tool whose arguments are the answer.
    pub fn new(forced_tool: bool) -> Self {
        StreamDecoder { events: SseReader::default(), message: Message::default(), forced_tool }
    }
}

impl Decoder for StreamDecoder {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Result<Frame, String>> {
        let frames = self.events.frames(bytes, |data| self.message.read(data));
        let said = frames.into_iter().filter_map(Result::transpose);
        said.map(|frame| match frame {
            Ok(Frame::Chunk(chunk)) if self.forced_tool => Ok(Frame::Chunk(forced_tool::unwrap(chunk))),
            frame => frame,
        })
        .collect()
    }
}

impl Message {
    /// Reads the data of one event; many of them say nothing to a caller.
    fn read(&mut self, data: &str) -> Result<Option<Frame>, String> {
        let event =
            serde_json::from_str(data).map_err(|error| format!("unreadable event: {}", unquoted(&error)))?;
        Ok(match event {
            Event::MessageStart { message } => Some(Frame::Chunk(Chunk {
                model: message.model,
                usage: self.report(message.usage),
                ..Chunk::default()
            })),
            Event::ContentBlockStart { index, content_block } => self.start(index, content_block).map(frame),
            Event::ContentBlockDelta { index, delta } => self.delta(index, delta).map(frame),
            Event::ContentBlockStop { index } => self.stop(index).map(frame),
            Event::MessageDelta { delta, usage } => {
                let finish = delta.stop_reason.map(|reason| finish(&reason, delta.stop_sequence));
                let deltas = finish.map(|finish| Delta { finish: Some(finish), ..Delta::default() });
                Some(Frame::Chunk(Chunk {
                    deltas: deltas.into_iter().collect(),
                    usage: self.report(usage),
                    ..Chunk::default()
                }))
            }
            Event::MessageStop => Some(Frame::Done),
            Event::Error { error } => Some(error_frame(&error)),
            Event::Other => None,
        })
    }

    fn report(&mut self, usage: Option<Usage>) -> Option<crate::domain::usage::TokenUsage> {
        self.usage.update(&usage?);
        Some(self.usage.partition())
    }

    fn start(&mut self, block: u64, content: Block) -> Option<Delta> {
        match content {
            Block::Text { text } => text_delta(text),
            Block::Thinking { thinking } => thought(ReasoningDelta::text(thinking)),
            Block::RedactedThinking { data } => {
                thought(ReasoningDelta { redacted: Some(data), ..ReasoningDelta::default() })
            }
            Block::ToolUse { id, name, input } => {
                let index = self.calls_seen;
                self.calls_seen += 1;
                let at_start = Some(input.as_object().cloned().unwrap_or_default());
                self.calls.insert(block, OpenCall { index, at_start });
                Some(call(ToolCallDelta {
                    index,
                    id: Some(id),
                    name: Some(name),
                    ..ToolCallDelta::default()
                }))
            }
            Block::Other => None,
        }
    }

    fn delta(&mut self, block: u64, delta: BlockDelta) -> Option<Delta> {
        match delta {
            BlockDelta::TextDelta { text } => text_delta(text),
            BlockDelta::ThinkingDelta { thinking } => thought(ReasoningDelta::text(thinking)),
            BlockDelta::SignatureDelta { signature } => {
                thought(ReasoningDelta { signature: Some(signature), ..ReasoningDelta::default() })
            }
            BlockDelta::InputJsonDelta { partial_json } => {
                let open = self.calls.get_mut(&block).filter(|_| !partial_json.is_empty())?;
                open.at_start = None;
                Some(arguments(open.index, partial_json))
            }
            BlockDelta::Other => None,
        }
    }

    fn stop(&mut self, block: u64) -> Option<Delta> {
        let open = self.calls.remove(&block)?;
        Some(arguments(open.index, Value::Object(open.at_start?).to_string()))
    }
}

fn frame(delta: Delta) -> Frame {
    Frame::Chunk(Chunk { deltas: vec![delta], ..Chunk::default() })
}

fn text_delta(text: String) -> Option<Delta> {
    (!text.is_empty()).then(|| Delta { content: Some(text), ..Delta::default() })
}

fn thought(reasoning: ReasoningDelta) -> Option<Delta> {
    let delta = Delta { reasoning: Some(reasoning), ..Delta::default() };
    delta.has_content().then_some(delta)
}

fn call(call: ToolCallDelta) -> Delta {
    Delta { tool_calls: vec![call], ..Delta::default() }
}

fn arguments(index: u32, arguments: String) -> Delta {
    call(ToolCallDelta { index, arguments, ..ToolCallDelta::default() })
}

/// A reason that is added to the API is read as a stop: the model did end by itself. A turn that
/// is paused is not over, and neither is an answer that met the end of the context window.
fn finish(reason: &str, sequence: Option<String>) -> FinishReason {
    match reason {
        "stop_sequence" => FinishReason::StopSequence(sequence.unwrap_or_default()),
        "max_tokens" | "model_context_window_exceeded" | "pause_turn" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        _ => FinishReason::Stop,
    }
}

#[cfg(test)]
mod tests;
