//! What a client makes of an answer, in no dialect's words.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use bytes::Bytes;
use serde_json::Value;

use super::client::Received;
use super::dialect::Dialect;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// An answer has begun.
    pub(super) begun: bool,
    pub(super) text: String,
    /// The tool called.
    pub(super) tool: Option<String>,
    pub(super) arguments: String,
    /// `stop`, `length` or `tool`.
    pub(super) reason: Option<&'static str>,
    /// Prompt and completion tokens.
    pub(super) usage: Option<(u64, u64)>,
    /// The type of an error.
    pub(super) error: Option<String>,
    /// The end of the stream, as the dialect has it.
    pub(super) ended: bool,
    /// Frames that could not be read.
    pub(super) broken: usize,
}

impl Dialect {
    pub(super) fn read_plain(self, received: &Received) -> Said {
        let document = received.json();
        let mut said = Said { begun: true, error: self.error(received), ended: true, ..Said::default() };
        match self {
            Self::Chat => {
                let choice = &document["choices"][0];
                said.text = string(&choice["message"]["content"]);
                let function = &choice["message"]["tool_calls"][0]["function"];
                said.tool = function["name"].as_str().map(str::to_owned);
                said.arguments = string(&function["arguments"]);
                said.reason = reason(&choice["finish_reason"]);
                said.usage = usage(&document["usage"], ["prompt_tokens", "completion_tokens"]);
            }
            Self::Messages => {
                let block = &document["content"][0];
                said.text = string(&block["text"]);
                said.tool = block["name"].as_str().map(str::to_owned);
                said.arguments = block.get("input").map(Value::to_string).unwrap_or_default();
                said.reason = reason(&document["stop_reason"]);
                said.usage = usage(&document["usage"], ["input_tokens", "output_tokens"]);
            }
            Self::Converse => {
                let block = &document["output"]["message"]["content"][0];
                said.text = string(&block["text"]);
                said.tool = block["toolUse"]["name"].as_str().map(str::to_owned);
                said.arguments = block.pointer("/toolUse/input").map(Value::to_string).unwrap_or_default();
                said.reason = reason(&document["stopReason"]);
                said.usage = usage(&document["usage"], ["inputTokens", "outputTokens"]);
            }
        }
        said
    }

    pub(super) fn read_stream(self, received: &Received) -> Said {
        let mut said = Said::default();
        match self {
            Self::Chat | Self::Messages => {
                for event in received.events() {
                    match serde_json::from_str(&event) {
                        _ if event == "[DONE]" => said.ended = true,
                        Ok(data) if self == Self::Chat => said.take_chunk(&data),
                        Ok(data) => said.take_event(&data),
                        Err(_) => said.broken += 1,
                    }
                }
            }
            Self::Converse => said.take_messages(&received.body),
        }
        said
    }

    /// The type of the error in a document, or beside it.
    pub(super) fn error(self, received: &Received) -> Option<String> {
        match self {
            Self::Chat | Self::Messages => received.json()["error"]["type"].as_str().map(str::to_owned),
            Self::Converse => received.header("x-amzn-errortype").map(str::to_owned),
        }
    }
}

impl Said {
    fn take_chunk(&mut self, chunk: &Value) {
        let choice = &chunk["choices"][0];
        self.begun |= choice["delta"]["role"] == "assistant";
        self.text += &string(&choice["delta"]["content"]);
        let function = &choice["delta"]["tool_calls"][0]["function"];
        self.tool = self.tool.take().or_else(|| function["name"].as_str().map(str::to_owned));
        self.arguments += &string(&function["arguments"]);
        self.reason = self.reason.or(reason(&choice["finish_reason"]));
        self.usage = self.usage.or(usage(&chunk["usage"], ["prompt_tokens", "completion_tokens"]));
        self.error = self.error.take().or_else(|| chunk["error"]["type"].as_str().map(str::to_owned));
    }

    /// Usage comes in two halves; it is complete with the second.
    fn take_event(&mut self, event: &Value) {
        match event["type"].as_str().unwrap() {
            "message_start" => {
                self.begun = true;
                let input = event["message"]["usage"]["input_tokens"].as_u64();
                self.usage = input.map(|input| (input, 0));
            }
            "content_block_start" => {
                self.tool = event["content_block"]["name"].as_str().map(str::to_owned);
            }
            "content_block_delta" => {
                self.text += &string(&event["delta"]["text"]);
                self.arguments += &string(&event["delta"]["partial_json"]);
            }
            "message_delta" => {
                self.reason = reason(&event["delta"]["stop_reason"]);
                if let Some((_, output)) = &mut self.usage {
                    *output = event["usage"]["output_tokens"].as_u64().unwrap();
                }
            }
            "error" => self.error = Some(string(&event["error"]["type"])),
            "message_stop" => self.ended = true,
            "content_block_stop" | "ping" => {}
            other => panic!("unknown event {other}"),
        }
    }

    fn take_messages(&mut self, body: &[u8]) {
        let (mut decoder, mut bytes) = (MessageFrameDecoder::new(), Bytes::copy_from_slice(body));
        loop {
            match decoder.decode_frame(&mut bytes) {
                Ok(DecodedFrame::Complete(message)) => self.take_message(&message),
                Ok(DecodedFrame::Incomplete) => return assert!(bytes.is_empty()),
                Err(_) => return self.broken += 1,
            }
        }
    }

    fn take_message(&mut self, message: &Message) {
        let Ok(payload) = serde_json::from_slice::<Value>(message.payload()) else {
            self.broken += 1;
            return;
        };
        if let Some(exception) = header(message, ":exception-type") {
            self.error = Some(exception);
            return;
        }
        match header(message, ":event-type").unwrap().as_str() {
            "messageStart" => self.begun = payload["role"] == "assistant",
            "contentBlockStart" => self.tool = Some(string(&payload["start"]["toolUse"]["name"])),
            "contentBlockDelta" => {
                self.text += &string(&payload["delta"]["text"]);
                self.arguments += &string(&payload["delta"]["toolUse"]["input"]);
            }
            "contentBlockStop" => {}
            "messageStop" => self.reason = reason(&payload["stopReason"]),
            "metadata" => {
                self.usage = usage(&payload["usage"], ["inputTokens", "outputTokens"]);
                self.ended = true;
            }
            other => panic!("unknown event {other}"),
        }
    }
}

pub(super) fn header(message: &Message, name: &str) -> Option<String> {
    let header = message.headers().iter().find(|header| header.name().as_str() == name)?;
    Some(header.value().as_string().unwrap().as_str().to_owned())
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn usage(usage: &Value, names: [&str; 2]) -> Option<(u64, u64)> {
    let [prompt, completion] = names.map(|name| usage[name].as_u64());
    prompt.zip(completion)
}

fn reason(value: &Value) -> Option<&'static str> {
    Some(match value.as_str()? {
        "stop" | "end_turn" => "stop",
        "length" | "max_tokens" => "length",
        "tool_calls" | "tool_use" => "tool",
        other => panic!("unknown reason {other}"),
    })
}
