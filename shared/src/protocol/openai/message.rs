//! Reads messages of the chat-completions dialect.

use serde_json::{Value, json};

use super::options::cache_control;
use crate::protocol::canonical::{Content, Message, Part, ReasoningBlock, Role, ToolCall};
use crate::protocol::fields::{BadRequest, Fields, kind};

const MESSAGES_MAX: usize = 4096;
/// What SDKs keep beside an answer and send back with it; it says nothing more to the model.
const LABELS: &[&str] = &["annotations", "parsed"];

pub(super) fn read_all(fields: &mut Fields) -> Result<Vec<Message>, BadRequest> {
    fields.required("messages").map(|value| (value, "messages")).and_then(|(value, path)| match value {
        Value::Array(items) if items.is_empty() => {
            Err(BadRequest::new(path, "messages must hold at least one message"))
        }
        Value::Array(items) if items.len() > MESSAGES_MAX => {
            Err(BadRequest::new(path, format!("messages may hold at most {MESSAGES_MAX} entries")))
        }
        Value::Array(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| read(item, &format!("{path}[{index}]")))
            .collect(),
        other => Err(BadRequest::new(path, format!("messages must be an array, got {}", kind(&other)))),
    })
}

fn read(item: Value, path: &str) -> Result<Message, BadRequest> {
    let mut fields = Fields::at(item, path)?;
    let role = read_role(&mut fields)?;
    let tool_calls = read_tool_calls(&mut fields)?;
    let mut content = read_content(&mut fields)?;
    let reasoning = read_reasoning(&mut fields)?;
    let refusal = fields.string("refusal")?.filter(|text| !text.is_empty());
    if let (true, Some(text)) = (content.is_empty(), refusal) {
        content = Content::Parts(vec![Part::Refusal { text }]);
    }
    let calls = role == Role::Assistant && !tool_calls.is_empty();
    if content == Content::None && !calls {
        return Err(BadRequest::new(
            fields.path("content"),
            format!("{} is required", fields.path("content")),
        ));
    }
    let tool_call_id = fields.string("tool_call_id")?;
    if role == Role::Tool && tool_call_id.is_none() {
        return Err(BadRequest::new(
            fields.path("tool_call_id"),
            format!("{} is required", fields.path("tool_call_id")),
        ));
    }
    if fields.value("audio").is_some() {
        return Err(BadRequest::new(fields.path("audio"), "audio messages have no price here"));
    }
    let cache = cache_control(&mut fields)?;
    for label in LABELS {
        fields.value(label);
    }
    let extra = fields.rest().into_iter().filter(|(_, value)| !value.is_null()).collect();
    Ok(Message { role, reasoning, content, tool_calls, tool_call_id, tool_failed: false, cache, extra })
}

/// Reasoning as others send it back: `thinking_blocks` with their seals, which win, or the text
/// alone as `reasoning_content`.
fn read_reasoning(fields: &mut Fields) -> Result<Vec<ReasoningBlock>, BadRequest> {
    let text = fields.string("reasoning_content")?.filter(|text| !text.is_empty());
    let path = fields.path("thinking_blocks");
    let Some(blocks) = fields.array("thinking_blocks")? else {
        let block = text.map(|text| ReasoningBlock { text, ..ReasoningBlock::default() });
        return Ok(block.into_iter().collect());
    };
    let read = |(index, block): (usize, Value)| read_thinking(block, &format!("{path}[{index}]"));
    blocks.into_iter().enumerate().map(read).collect()
}

/// One block of thinking as Anthropic writes it.
pub(in crate::protocol) fn read_thinking(block: Value, path: &str) -> Result<ReasoningBlock, BadRequest> {
    let mut block = Fields::at(block, path)?;
    match block.required_string("type")?.as_str() {
        "thinking" => Ok(ReasoningBlock {
            text: block.string("thinking")?.unwrap_or_default(),
            signature: block.string("signature")?.filter(|seal| !seal.is_empty()),
            redacted: None,
        }),
        "redacted_thinking" => {
            Ok(ReasoningBlock { redacted: Some(block.required_string("data")?), ..ReasoningBlock::default() })
        }
        other => Err(BadRequest::new(
            block.path("type"),
            format!("{} must be thinking or redacted_thinking, got {other:?}", block.path("type")),
        )),
    }
}

/// The same written.
pub(in crate::protocol) fn write_thinking(block: &ReasoningBlock) -> Value {
    match &block.redacted {
        Some(data) => json!({ "type": "redacted_thinking", "data": data }),
        None => {
            json!({ "type": "thinking", "thinking": block.text, "signature": block.signature.as_deref().unwrap_or("") })
        }
    }
}

fn read_role(fields: &mut Fields) -> Result<Role, BadRequest> {
    let role = fields.required_string("role")?;
    serde_json::from_value(Value::String(role.clone())).map_err(|_| {
        let path = fields.path("role");
        BadRequest::new(
            &path,
            format!("{path} must be system, developer, user, assistant or tool, got {role:?}"),
        )
    })
}

fn read_content(fields: &mut Fields) -> Result<Content, BadRequest> {
    let path = fields.path("content");
    match fields.value("content") {
        None => Ok(Content::None),
        Some(Value::String(text)) => Ok(Content::Text(text)),
        Some(Value::Array(parts)) => {
            let parts: Result<Vec<Part>, BadRequest> = parts
                .into_iter()
                .enumerate()
                .map(|(index, part)| read_part(part, &format!("{path}[{index}]")))
                .collect();
            parts.map(Content::Parts)
        }
        Some(other) => Err(BadRequest::new(
            &path,
            format!("{path} must be a string or an array of parts, got {}", kind(&other)),
        )),
    }
}

fn read_part(part: Value, path: &str) -> Result<Part, BadRequest> {
    let mut fields = Fields::at(part, path)?;
    match fields.required_string("type")?.as_str() {
        "text" => match fields.string("text")? {
            Some(text) => {
                let cache = cache_control(&mut fields)?;
                Ok(Part::Text { text, cache, extra: fields.rest() })
            }
            None => Err(BadRequest::new(fields.path("text"), format!("{} is required", fields.path("text")))),
        },
        "refusal" => Ok(Part::Refusal { text: fields.required_string("refusal")? }),
        "image_url" => {
            let image = fields.required("image_url")?;
            let mut image = Fields::at(image, &fields.path("image_url"))?;
            let url = image_url(&mut image, "url")?;
            Ok(Part::Image { url, detail: image.string("detail")?, cache: cache_control(&mut fields)? })
        }
        other => Err(BadRequest::new(
            fields.path("type"),
            format!("{}: {other:?} parts are not supported; use text or image_url", fields.path("type")),
        )),
    }
}

/// An image the provider fetches, or one sent along.
pub(in crate::protocol) fn image_url(fields: &mut Fields, name: &str) -> Result<String, BadRequest> {
    let url = fields.required_string(name)?;
    match url.starts_with("data:image/") || url.starts_with("https://") {
        true => Ok(url),
        false => {
            let path = fields.path(name);
            Err(BadRequest::new(&path, format!("{path} must be an https: or data:image/ URL")))
        }
    }
}

fn read_tool_calls(fields: &mut Fields) -> Result<Vec<ToolCall>, BadRequest> {
    let path = fields.path("tool_calls");
    let calls = fields.array("tool_calls")?.unwrap_or_default();
    calls
        .into_iter()
        .enumerate()
        .map(|(index, call)| read_tool_call(call, &format!("{path}[{index}]")))
        .collect()
}

fn read_tool_call(call: Value, path: &str) -> Result<ToolCall, BadRequest> {
    let mut call = Fields::at(call, path)?;
    let id = call.required_string("id")?;
    let function = call.required("function")?;
    let mut function = Fields::at(function, &call.path("function"))?;
    let signature = call.value("extra_content").and_then(|extra| seal(&extra));
    Ok(ToolCall {
        id,
        name: function.required_string("name")?,
        arguments: function.string("arguments")?.unwrap_or_default(),
        signature,
    })
}

/// Google's seal on the thought behind a call, where its compatible endpoint puts it.
pub(super) fn seal(extra_content: &Value) -> Option<String> {
    extra_content["google"]["thought_signature"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(message: Value) -> Message {
        read(message, "messages[0]").expect("a message")
    }

    #[test]
    fn a_message_of_the_sdk_comes_back_as_what_it_said() {
        let sent_back = json!({
            "role": "assistant", "content": "Hello!", "refusal": null, "annotations": [], "audio": null,
            "function_call": null, "tool_calls": null, "parsed": { "a": 1 },
        });
        assert_eq!(one(sent_back), Message::text(Role::Assistant, "Hello!"));
    }

    #[test]
    fn a_refusal_is_what_was_said_where_nothing_else_was() {
        let refused = Content::Parts(vec![Part::Refusal { text: "No.".to_owned() }]);
        for content in [json!(null), json!("")] {
            let message = one(json!({ "role": "assistant", "content": content, "refusal": "No." }));
            assert_eq!(message.content, refused, "{content}");
        }
        let both = one(json!({ "role": "assistant", "content": "Well.", "refusal": "No." }));
        assert_eq!(both.content, Content::Text("Well.".to_owned()));
    }
}
