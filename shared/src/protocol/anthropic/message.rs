//! Reads the system prompt and the messages, block by block.

use serde_json::{Value, json};

use super::options::{nothing_else, one_of, present, required_object};
use crate::protocol::canonical::{CacheTtl, Content, Message, Part, ReasoningBlock, Role, ToolCall};
use crate::protocol::data_url::{DataUrl, IMAGE_TYPES};
use crate::protocol::fields::{BadRequest, Fields, kind};
use crate::protocol::openai::message::read_thinking;
use crate::protocol::openai::options::cache_control;

const MESSAGES_MAX: usize = 4096;

/// A block of a message that is being taken apart.
enum Block {
    Thought(ReasoningBlock),
    Said(Part),
    Called(ToolCall, Option<CacheTtl>),
    /// A tool message of its own.
    Returned(Message),
}

/// `system` as the first message.
pub(super) fn read_system(fields: &mut Fields) -> Result<Option<Message>, BadRequest> {
    let Some(system) = fields.value("system") else {
        return Ok(None);
    };
    let content = read_content(system, "system", &["text"])?;
    Ok(Some(Message::new(Role::System, content)))
}

pub(super) fn read_all(fields: &mut Fields) -> Result<Vec<Message>, BadRequest> {
    let path = "messages";
    let Some(items) = fields.array(path)? else {
        return Err(BadRequest::new(path, "messages is required"));
    };
    if items.is_empty() || items.len() > MESSAGES_MAX {
        let text = format!("messages must hold from 1 to {MESSAGES_MAX} entries, got {}", items.len());
        return Err(BadRequest::new(path, text));
    }
    let mut messages = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        messages.extend(read(item, &format!("{path}[{index}]"))?);
    }
    Ok(messages)
}

/// One message of the dialect is several canonical ones when it holds the results of tools, or
/// reasoning after something that was said.
fn read(item: Value, path: &str) -> Result<Vec<Message>, BadRequest> {
    let mut fields = Fields::at(item, path)?;
    let role = match fields.required_string("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => return Err(one_of(&fields.path("role"), &["user", "assistant", "system"], other)),
    };
    let content = fields.required("content")?;
    let content_path = fields.path("content");
    nothing_else(fields)?;
    if role == Role::System {
        return Ok(vec![Message::new(role, read_content(content, &content_path, &["text"])?)]);
    }
    let blocks = match content {
        Value::String(text) => return Ok(vec![Message::text(role, text)]),
        other => blocks(other, &content_path, |block, path| read_block(block, role, path))?,
    };
    Ok(assemble(role, blocks))
}

/// Each element of an array of blocks, read at its path.
fn blocks<T>(
    content: Value,
    path: &str,
    read: impl Fn(Value, &str) -> Result<T, BadRequest>,
) -> Result<Vec<T>, BadRequest> {
    match content {
        Value::Array(items) if items.is_empty() => {
            Err(BadRequest::new(path, format!("{path} must hold at least one block")))
        }
        Value::Array(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| read(item, &format!("{path}[{index}]")))
            .collect(),
        other => {
            let text = format!("{path} must be a string or an array of blocks, got {}", kind(&other));
            Err(BadRequest::new(path, text))
        }
    }
}

fn assemble(role: Role, blocks: Vec<Block>) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for block in blocks {
        match block {
            Block::Thought(thought) => open(&mut messages, role, |m| !speaks(m)).reasoning.push(thought),
            Block::Said(part) => say(open(&mut messages, role, |_| true), part),
            Block::Called(call, cache) => {
                let message = open(&mut messages, role, |_| true);
                message.tool_calls.push(call);
                message.cache = cache.or(message.cache);
            }
            Block::Returned(result) => messages.push(result),
        }
    }
    messages
}

/// The last message, or a new one where the last is another's or does not fit.
fn open(messages: &mut Vec<Message>, role: Role, fits: fn(&Message) -> bool) -> &mut Message {
    if !messages.last().is_some_and(|message| message.role == role && fits(message)) {
        messages.push(Message::new(role, Content::None));
    }
    let last = messages.len() - 1;
    &mut messages[last]
}

fn speaks(message: &Message) -> bool {
    message.content != Content::None || !message.tool_calls.is_empty()
}

fn say(message: &mut Message, part: Part) {
    match &mut message.content {
        Content::Parts(parts) => parts.push(part),
        Content::None | Content::Text(_) => message.content = Content::Parts(vec![part]),
    }
}

/// A string, or blocks of the `known` types, text and image at most.
fn read_content(content: Value, path: &str, known: &[&str]) -> Result<Content, BadRequest> {
    if let Value::String(text) = content {
        return Ok(Content::Text(text));
    }
    let parts = blocks(content, path, |block, path| match block_type(&block, path)?.as_str() {
        "text" => read_text(block, path),
        "image" if known.contains(&"image") => read_image(block, path),
        other => Err(not_spoken(path, other, &known.join(" or "))),
    })?;
    Ok(Content::Parts(parts))
}

fn block_type(block: &Value, path: &str) -> Result<String, BadRequest> {
    match block {
        Value::Object(members) => {
            Fields::at(json!({ "type": members.get("type") }), path)?.required_string("type")
        }
        other => Err(BadRequest::new(path, format!("{path} must be a block, got {}", kind(other)))),
    }
}

fn read_block(block: Value, role: Role, path: &str) -> Result<Block, BadRequest> {
    let kind = block_type(&block, path)?;
    match (kind.as_str(), role) {
        ("text", _) => read_text(block, path).map(Block::Said),
        ("image", Role::User) => read_image(block, path).map(Block::Said),
        ("tool_result", Role::User) => read_result(block, path).map(Block::Returned),
        ("tool_use", Role::Assistant) => read_call(block, path),
        ("thinking" | "redacted_thinking", Role::Assistant) => read_thinking(block, path).map(Block::Thought),
        (_, Role::User) => Err(not_spoken(path, &kind, "text, image or tool_result")),
        _ => Err(not_spoken(path, &kind, "text, thinking, redacted_thinking or tool_use")),
    }
}

fn not_spoken(path: &str, kind: &str, instead: &str) -> BadRequest {
    let path = format!("{path}.type");
    BadRequest::new(&path, format!("{path}: {kind:?} blocks are not supported here; use {instead}"))
}

fn read_text(block: Value, path: &str) -> Result<Part, BadRequest> {
    let mut fields = Fields::at(block, path)?;
    fields.value("type");
    let Some(text) = fields.string("text")? else {
        let path = fields.path("text");
        return Err(BadRequest::new(&path, format!("{path} is required")));
    };
    if !fields.array("citations")?.unwrap_or_default().is_empty() {
        let path = fields.path("citations");
        let text = format!("{path} are of documents, which have no price here; leave them out");
        return Err(BadRequest::new(path, text));
    }
    let cache = cache_control(&mut fields)?;
    Ok(Part::Text { text, cache, extra: present(fields) })
}

fn read_image(block: Value, path: &str) -> Result<Part, BadRequest> {
    let mut fields = Fields::at(block, path)?;
    fields.value("type");
    let source = fields.required("source")?;
    let mut source = Fields::at(source, &fields.path("source"))?;
    let url = match source.required_string("type")?.as_str() {
        "base64" => embedded(&mut source)?,
        "url" => linked(&mut source)?,
        other => return Err(one_of(&source.path("type"), &["base64", "url"], other)),
    };
    nothing_else(source)?;
    let cache = cache_control(&mut fields)?;
    nothing_else(fields)?;
    Ok(Part::Image { url, detail: None, cache })
}

fn embedded(source: &mut Fields) -> Result<String, BadRequest> {
    let media_type = source.required_string("media_type")?;
    if !IMAGE_TYPES.contains(&media_type.as_str()) {
        return Err(one_of(&source.path("media_type"), IMAGE_TYPES, &media_type));
    }
    let url = format!("data:{media_type};base64,{}", source.required_string("data")?);
    match DataUrl::parse(&url) {
        Some(_) => Ok(url),
        None => {
            let path = source.path("data");
            Err(BadRequest::new(&path, format!("{path} must be base64")))
        }
    }
}

fn linked(source: &mut Fields) -> Result<String, BadRequest> {
    let url = source.required_string("url")?;
    match url.starts_with("https://") {
        true => Ok(url),
        false => {
            let path = source.path("url");
            Err(BadRequest::new(&path, format!("{path} must be an https: URL")))
        }
    }
}

fn read_call(block: Value, path: &str) -> Result<Block, BadRequest> {
    let mut fields = Fields::at(block, path)?;
    fields.value("type");
    // What the model called by itself says so; anything else was called by a tool of the provider.
    if fields.value("caller").is_some_and(|caller| caller["type"] != "direct") {
        return Err(one_of(&fields.path("caller.type"), &["direct"], "another"));
    }
    let call = ToolCall {
        id: fields.required_string("id")?,
        name: fields.required_string("name")?,
        arguments: Value::Object(required_object(&mut fields, "input")?).to_string(),
        signature: None,
    };
    let cache = cache_control(&mut fields)?;
    nothing_else(fields)?;
    Ok(Block::Called(call, cache))
}

fn read_result(block: Value, path: &str) -> Result<Message, BadRequest> {
    let mut fields = Fields::at(block, path)?;
    fields.value("type");
    let id = fields.required_string("tool_use_id")?;
    let failed = fields.boolean("is_error")?.unwrap_or(false);
    let content = match fields.value("content") {
        None => Content::Text(String::new()),
        Some(Value::Array(blocks)) if blocks.is_empty() => Content::Text(String::new()),
        Some(content) => read_content(content, &fields.path("content"), &["text", "image"])?,
    };
    let cache = cache_control(&mut fields)?;
    nothing_else(fields)?;
    Ok(Message { tool_call_id: Some(id), tool_failed: failed, cache, ..Message::new(Role::Tool, content) })
}

/// The input of a call as the object that the dialect takes. What a model wrote and is no JSON
/// object is kept as it stands under the one key that Anthropic's documentation uses for it.
/// Source: Anthropic's documentation of fine-grained tool streaming.
pub(super) fn input(call: &ToolCall) -> Value {
    match call.input() {
        Ok(input) => Value::Object(input),
        Err(_) => json!({ "INVALID_JSON": call.arguments }),
    }
}
