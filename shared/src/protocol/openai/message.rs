//! Messages of the chat-completions dialect, read and written.

use serde_json::{Map, Value, json};

use super::options::{cache_control, write_tool_call};
use crate::protocol::canonical::{Content, Message, Part, ReasoningBlock, Role, ToolCall};
use crate::protocol::fields::{BadRequest, Fields, kind};
use crate::protocol::outbound::Flavour;

const MESSAGES_MAX: usize = 4096;

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
    let content = read_content(&mut fields)?;
    let reasoning = read_reasoning(&mut fields)?;
    let speaks = !tool_calls.is_empty() || fields.value("refusal").is_some();
    if content == Content::None && !(role == Role::Assistant && speaks) {
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

/// The same written back.
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

/// What Google takes where a call was made by another vendor's model, which sealed no thought.
/// Source: ai.google.dev/gemini-api/docs/thought-signatures.
const NO_SEAL: &str = "skip_thought_signature_validator";

/// The messages as the dialect writes them. Tool messages take text only, so the images that tools
/// returned follow in a message of the user.
pub(super) fn write_all(messages: &[Message], flavour: Flavour) -> Vec<Value> {
    let mut out = Vec::with_capacity(messages.len());
    let mut shown: Vec<Value> = Vec::new();
    for message in messages {
        if message.role != Role::Tool && !shown.is_empty() {
            out.push(json!({ "role": "user", "content": std::mem::take(&mut shown) }));
        }
        out.push(write(message, flavour));
        if message.role == Role::Tool {
            shown.extend(message.parts().iter().filter(|part| part.is_image()).map(write_part));
        }
    }
    if !shown.is_empty() {
        out.push(json!({ "role": "user", "content": shown }));
    }
    out
}

fn write(message: &Message, flavour: Flavour) -> Value {
    let mut out = message.extra.clone();
    out.insert("role".into(), json!(message.role));
    let is_said = |part: &&Part| message.role != Role::Tool || !part.is_image();
    let content = match &message.content {
        Content::None => Value::Null,
        Content::Text(text) => json!(text),
        Content::Parts(parts) => match parts.iter().filter(is_said).map(write_part).collect::<Vec<_>>() {
            parts if parts.is_empty() => json!(""),
            parts => json!(parts),
        },
    };
    out.insert("content".into(), content);
    if !message.tool_calls.is_empty() {
        let calls = message.tool_calls.iter().map(|call| write_sealed(call, flavour));
        out.insert("tool_calls".into(), calls.collect());
    }
    if let Some(id) = &message.tool_call_id {
        out.insert("tool_call_id".into(), json!(id));
    }
    let unsealed: String = message.reasoning.iter().map(unsealed_text).collect();
    if flavour == Flavour::Compatible && !unsealed.is_empty() {
        out.insert("reasoning_content".into(), json!(unsealed));
    }
    Value::Object(out)
}

/// Servers that show their reasoning as text want it back as text; a sealed block is another's.
fn unsealed_text(block: &ReasoningBlock) -> &str {
    if block.signature.is_none() { &block.text } else { "" }
}

fn write_sealed(call: &ToolCall, flavour: Flavour) -> Value {
    match (flavour, &call.signature) {
        (Flavour::Google, None) => {
            write_tool_call(&ToolCall { signature: Some(NO_SEAL.to_owned()), ..call.clone() })
        }
        (Flavour::Google, Some(_)) => write_tool_call(call),
        (Flavour::Official | Flavour::Compatible, _) => {
            write_tool_call(&ToolCall { signature: None, ..call.clone() })
        }
    }
}

fn write_part(part: &Part) -> Value {
    match part {
        Part::Text { text, extra, .. } => {
            let mut out: Map<String, Value> = extra.clone();
            out.insert("type".into(), json!("text"));
            out.insert("text".into(), json!(text));
            Value::Object(out)
        }
        Part::Image { url, detail, .. } => {
            let mut image = json!({ "url": url });
            if let Some(detail) = detail {
                image["detail"] = json!(detail);
            }
            json!({ "type": "image_url", "image_url": image })
        }
        Part::Refusal { text } => json!({ "type": "refusal", "refusal": text }),
    }
}
