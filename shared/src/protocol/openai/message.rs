//! Messages of the chat-completions dialect, read and written.

use serde_json::{Map, Value, json};

use crate::protocol::canonical::{Content, Message, Part, Role, ToolCall};
use crate::protocol::fields::{BadRequest, Fields, kind};

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
    let extra = fields.rest().into_iter().filter(|(_, value)| !value.is_null()).collect();
    Ok(Message { role, content, tool_calls, tool_call_id, extra })
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
            Some(text) => Ok(Part::Text { text, extra: fields.rest() }),
            None => Err(BadRequest::new(fields.path("text"), format!("{} is required", fields.path("text")))),
        },
        "refusal" => Ok(Part::Refusal { text: fields.required_string("refusal")? }),
        "image_url" => {
            let image = fields.required("image_url")?;
            let mut image = Fields::at(image, &fields.path("image_url"))?;
            let url = image.required_string("url")?;
            if !url.starts_with("data:image/") && !url.starts_with("https://") {
                return Err(BadRequest::new(
                    image.path("url"),
                    format!("{} must be an https: or data:image/ URL", image.path("url")),
                ));
            }
            Ok(Part::Image { url, detail: image.string("detail")? })
        }
        other => Err(BadRequest::new(
            fields.path("type"),
            format!("{}: {other:?} parts are not supported; use text or image_url", fields.path("type")),
        )),
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
    Ok(ToolCall {
        id,
        name: function.required_string("name")?,
        arguments: function.string("arguments")?.unwrap_or_default(),
    })
}

/// The message as the dialect writes it.
pub(super) fn write(message: &Message) -> Value {
    let mut out = message.extra.clone();
    out.insert("role".into(), json!(message.role));
    let content = match &message.content {
        Content::None => Value::Null,
        Content::Text(text) => json!(text),
        Content::Parts(parts) => parts.iter().map(write_part).collect(),
    };
    out.insert("content".into(), content);
    if !message.tool_calls.is_empty() {
        out.insert("tool_calls".into(), message.tool_calls.iter().map(write_tool_call).collect());
    }
    if let Some(id) = &message.tool_call_id {
        out.insert("tool_call_id".into(), json!(id));
    }
    Value::Object(out)
}

fn write_part(part: &Part) -> Value {
    match part {
        Part::Text { text, extra } => {
            let mut out: Map<String, Value> = extra.clone();
            out.insert("type".into(), json!("text"));
            out.insert("text".into(), json!(text));
            Value::Object(out)
        }
        Part::Image { url, detail } => {
            let mut image = json!({ "url": url });
            if let Some(detail) = detail {
                image["detail"] = json!(detail);
            }
            json!({ "type": "image_url", "image_url": image })
        }
        Part::Refusal { text } => json!({ "type": "refusal", "refusal": text }),
    }
}

/// One call in the shape shared by requests and plain answers.
pub(super) fn write_tool_call(call: &ToolCall) -> Value {
    json!({ "id": call.id, "type": "function", "function": { "name": call.name, "arguments": call.arguments } })
}
