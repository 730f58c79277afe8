//! `POST /model/{modelId}/converse` and `/converse-stream`.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::demo::answer::{Answer, Finish};
use crate::demo::asked::Asked;
use crate::demo::call::Call;
use crate::demo::dialect::{Api, Dialect, Envelope, Part};
use crate::demo::error::ApiError;

use super::frame::{bad_checksum, bad_json, event, exception};
use super::request::ConverseRequest;
use super::{Action, Bedrock, target};

impl Dialect for Bedrock {
    fn read(&self, call: &Call<'_>) -> Result<Asked, ApiError> {
        let target = target(call.path).expect("the route has read the path");
        let stream = target.action == Action::Converse { stream: true };
        ConverseRequest::parse(call.body)?.asked(target.model, stream)
    }

    fn document(&self, envelope: &Envelope<'_>, answer: &Answer, _: usize) -> Value {
        let content = match &answer.tool {
            None => json!({ "text": answer.text() }),
            Some(name) => {
                let mut call = tool_use(envelope, name);
                // Arguments that were cut short are no JSON, and an input is always an object.
                call["input"] = serde_json::from_str(&answer.text()).unwrap_or(json!({}));
                json!({ "toolUse": call })
            }
        };
        let mut document = metadata(envelope);
        document["output"] = json!({ "message": { "role": "assistant", "content": [content] } });
        document["stopReason"] = json!(reason(answer.finish));
        document
    }

    fn stream_type(&self) -> &'static str {
        "application/vnd.amazon.eventstream"
    }

    fn say(&self, envelope: &Envelope<'_>, _: usize, part: &Part<'_>) -> Vec<Bytes> {
        vec![match *part {
            Part::Opening { .. } => event("messageStart", json!({ "role": "assistant" })),
            // A block of text begins with its first delta.
            Part::Text(text) => delta(json!({ "text": text })),
            Part::ToolHead(name) => {
                let start = json!({ "toolUse": tool_use(envelope, name) });
                event("contentBlockStart", json!({ "contentBlockIndex": 0, "start": start }))
            }
            Part::Arguments(piece) => delta(json!({ "toolUse": { "input": piece } })),
            Part::Finish(finish) => {
                let stop = event("contentBlockStop", json!({ "contentBlockIndex": 0 }));
                return vec![stop, event("messageStop", json!({ "stopReason": reason(finish) }))];
            }
            Part::End => event("metadata", metadata(envelope)),
            Part::Error(error) => exception(in_stream(error.status), &self.error(error, envelope.number)),
            Part::BadJson => bad_json(),
            Part::BadFrame => bad_checksum(&delta(json!({ "text": " broken" }))),
        }]
    }
}

fn delta(delta: Value) -> Bytes {
    event("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": delta }))
}

fn tool_use(envelope: &Envelope<'_>, name: &str) -> Value {
    json!({ "toolUseId": format!("tooluse_demo_{}", envelope.number), "name": name })
}

/// What an answer costs, in time and tokens.
fn metadata(envelope: &Envelope<'_>) -> Value {
    let latency = u64::try_from(envelope.duration.as_millis()).unwrap_or(u64::MAX);
    let mut metadata = json!({ "metrics": { "latencyMs": latency } });
    if let Some(usage) = envelope.usage {
        metadata["usage"] = json!({
            "inputTokens": usage.prompt_tokens,
            "outputTokens": usage.completion_tokens,
            "totalTokens": usage.prompt_tokens + usage.completion_tokens,
        });
    }
    metadata
}

/// The exception of a status inside a stream.
fn in_stream(status: StatusCode) -> &'static str {
    match status.as_u16() {
        424 => "modelStreamErrorException",
        429 => "throttlingException",
        503 | 529 => "serviceUnavailableException",
        _ => "internalServerException",
    }
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCall => "tool_use",
    }
}
