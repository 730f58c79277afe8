//! `POST /v1/chat/completions`.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::demo::answer::{Answer, Finish};
use crate::demo::asked::Asked;
use crate::demo::call::Call;
use crate::demo::dialect::{Api, Dialect, Envelope, Part};
use crate::demo::error::ApiError;

use super::OpenAi;
use super::chunk::{
    ChunkChoice, DONE, Delta, FINGERPRINT, Usage, UsageField, call_id, chunk, completion_id, frame,
};
use super::request::ChatRequest;

const BAD_JSON: &[u8] = b"data: {\"id\":\"chatcmpl-demo\",\"choices\":[{\"index\":0,\"delta\":{\n\n";
const BAD_FRAME: &[u8] =
    b"data: {\"id\":\"chatcmpl-demo\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n";

impl Dialect for OpenAi {
    fn read(&self, call: &Call<'_>) -> Result<Asked, ApiError> {
        Ok(ChatRequest::parse(call.body)?.asked())
    }

    fn document(&self, envelope: &Envelope<'_>, answer: &Answer, choices: usize) -> Value {
        let choices: Vec<Value> = (0..choices).map(|index| choice(envelope, answer, index)).collect();
        let mut document = json!({
            "id": completion_id(envelope),
            "object": "chat.completion",
            "created": envelope.created,
            "model": envelope.full_model(),
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        });
        if let Some(usage) = envelope.usage {
            document["usage"] = json!(Usage::from(usage));
        }
        document
    }

    fn stream_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }

    fn say(&self, envelope: &Envelope<'_>, index: usize, part: &Part<'_>) -> Vec<Bytes> {
        let of_choice = |delta, finish_reason| {
            let usage = if envelope.usage.is_some() { UsageField::Null } else { UsageField::Absent };
            chunk(envelope, &[ChunkChoice { index, delta, logprobs: None, finish_reason }], usage)
        };
        let delta = match *part {
            Part::Opening { tool } => {
                let content = if tool { None } else { Some("") };
                Delta::Role { role: "assistant", content, refusal: None }
            }
            Part::Text(content) => Delta::Text { content },
            Part::ToolHead(name) => Delta::tool_head(call_id(envelope, index), name),
            Part::Arguments(piece) => Delta::arguments(piece),
            Part::Finish(finish) => return vec![of_choice(Delta::Nothing {}, Some(reason(finish)))],
            Part::End => {
                let usage = envelope.usage.map(|usage| UsageField::Given(usage.into()));
                return usage.map(|usage| chunk(envelope, &[], usage)).into_iter().chain([DONE]).collect();
            }
            Part::Error(error) => return vec![frame(&self.error(error, envelope.number))],
            Part::BadJson => return vec![Bytes::from_static(BAD_JSON)],
            Part::BadFrame => return vec![Bytes::from_static(BAD_FRAME)],
        };
        vec![of_choice(delta, None)]
    }
}

fn choice(envelope: &Envelope<'_>, answer: &Answer, index: usize) -> Value {
    let mut message = json!({ "role": "assistant", "content": null, "refusal": null });
    match &answer.tool {
        None => message["content"] = Value::String(answer.text()),
        Some(name) => {
            message["tool_calls"] = json!([{
                "id": call_id(envelope, index),
                "type": "function",
                "function": { "name": name, "arguments": answer.text() },
            }]);
        }
    }
    json!({
        "index": index,
        "message": message,
        "logprobs": null,
        "finish_reason": reason(answer.finish),
    })
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCall => "tool_calls",
    }
}
