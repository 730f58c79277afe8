//! `POST /v1/messages`.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::demo::answer::{Answer, Finish};
use crate::demo::asked::Asked;
use crate::demo::call::Call;
use crate::demo::dialect::{Api, Dialect, Envelope, Part};
use crate::demo::error::ApiError;

use super::{Anthropic, read};

const BAD_JSON: &[u8] =
    b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\n\n";
const BAD_FRAME: &[u8] = b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
    \"delta\":{\"type\":\"text_delta\",\"text\":\"\xff\xfe\"}}\n\n";

impl Dialect for Anthropic {
    fn read(&self, call: &Call<'_>) -> Result<Asked, ApiError> {
        read(call.headers, call.body)?.asked()
    }

    fn document(&self, envelope: &Envelope<'_>, answer: &Answer, _: usize) -> Value {
        let output = envelope.usage.map_or(0, |usage| usage.completion_tokens);
        let mut message = message(envelope, output);
        message["content"] = json!([match &answer.tool {
            None => json!({ "type": "text", "text": answer.text() }),
            // Arguments that were cut short are no JSON, and an input is always an object.
            Some(name) => tool_use(envelope, name, serde_json::from_str(&answer.text()).unwrap_or(json!({}))),
        }]);
        message["stop_reason"] = json!(reason(answer.finish));
        message
    }

    fn stream_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }

    fn say(&self, envelope: &Envelope<'_>, _: usize, part: &Part<'_>) -> Vec<Bytes> {
        let delta =
            |delta: Value| vec![event(&json!({ "type": "content_block_delta", "index": 0, "delta": delta }))];
        match *part {
            Part::Opening { tool } => opening(envelope, tool),
            Part::Text(text) => delta(json!({ "type": "text_delta", "text": text })),
            Part::ToolHead(name) => {
                let mut frames = vec![block_start(&tool_use(envelope, name, json!({})))];
                frames.extend(delta(input_delta("")));
                frames
            }
            Part::Arguments(piece) => delta(input_delta(piece)),
            Part::Finish(finish) => closing(envelope, finish),
            Part::End => vec![event(&json!({ "type": "message_stop" }))],
            Part::Error(error) => vec![event(&self.error(error, envelope.number))],
            Part::BadJson => vec![Bytes::from_static(BAD_JSON)],
            Part::BadFrame => vec![Bytes::from_static(BAD_FRAME)],
        }
    }
}

/// The input tokens are told here, and a first output token.
fn opening(envelope: &Envelope<'_>, tool: bool) -> Vec<Bytes> {
    let start = event(&json!({ "type": "message_start", "message": message(envelope, 1) }));
    if tool {
        return vec![start];
    }
    let block = block_start(&json!({ "type": "text", "text": "" }));
    vec![start, block, event(&json!({ "type": "ping" }))]
}

/// The output tokens are told here, all of them.
fn closing(envelope: &Envelope<'_>, finish: Finish) -> Vec<Bytes> {
    let delta = json!({ "stop_reason": reason(finish), "stop_sequence": null });
    let mut ending = json!({ "type": "message_delta", "delta": delta });
    if let Some(usage) = envelope.usage {
        ending["usage"] = json!({ "output_tokens": usage.completion_tokens });
    }
    vec![event(&json!({ "type": "content_block_stop", "index": 0 })), event(&ending)]
}

fn message(envelope: &Envelope<'_>, output_tokens: u64) -> Value {
    let mut message = json!({
        "id": format!("msg_demo_{}", envelope.number),
        "type": "message",
        "role": "assistant",
        "model": envelope.full_model(),
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
    });
    if let Some(usage) = envelope.usage {
        message["usage"] = json!({
            "input_tokens": usage.prompt_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
        });
    }
    message
}

fn block_start(block: &Value) -> Bytes {
    event(&json!({ "type": "content_block_start", "index": 0, "content_block": block }))
}

fn tool_use(envelope: &Envelope<'_>, name: &str, input: Value) -> Value {
    json!({ "type": "tool_use", "id": format!("toolu_demo_{}", envelope.number), "name": name, "input": input })
}

fn input_delta(piece: &str) -> Value {
    json!({ "type": "input_json_delta", "partial_json": piece })
}

/// A server-sent event, named by the type of its data.
fn event(data: &Value) -> Bytes {
    let name = data["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCall => "tool_use",
    }
}
