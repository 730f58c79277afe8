//! Writes the messages as turns of user and assistant, one after another.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::message::input;
use crate::protocol::canonical::{
    CacheTtl, ChatRequest, Content, Family, Message, Part, ReasoningBlock, Role, ToolCall,
};
use crate::protocol::claude::Claude;
use crate::protocol::data_url::DataUrl;
use crate::protocol::openai::message::write_thinking;
use crate::protocol::tool_id;

/// What was said, in the two places where the dialect wants it.
pub(super) struct Conversation {
    pub system: Option<Value>,
    pub messages: Vec<Value>,
}

/// Blocks of one role.
struct Turn {
    role: &'static str,
    blocks: Vec<Value>,
    /// The blocks are one text that came as a string.
    plain: bool,
}

/// Gathers what the system says and merges neighbours of one role, as the dialect does itself. What
/// a Messages caller had the system say between turns stays there if the model can read it there.
pub(super) fn write_all(request: &ChatRequest, claude: Claude) -> Conversation {
    let own = request.family == Family::Anthropic;
    let mut system: Vec<Turn> = Vec::new();
    let mut turns: Vec<Turn> = Vec::new();
    for message in &request.messages {
        let turn = write(message, own);
        if turn.blocks.is_empty() {
            continue;
        }
        let stays = own && claude.takes_system_turns() && !turns.is_empty();
        let place = if turn.role == "system" && !stays { &mut system } else { &mut turns };
        match place.last_mut() {
            Some(last) if last.role == turn.role => last.merge(turn),
            _ => place.push(turn),
        }
    }
    Conversation {
        system: system.pop().map(Turn::content),
        messages: turns
            .into_iter()
            .map(|turn| json!({ "role": turn.role, "content": turn.content() }))
            .collect(),
    }
}

impl Turn {
    fn merge(&mut self, next: Turn) {
        self.blocks.extend(next.blocks);
        self.plain = false;
    }

    fn content(self) -> Value {
        match self.blocks.as_slice() {
            [only] if self.plain => only["text"].clone(),
            _ => Value::Array(self.blocks),
        }
    }
}

/// `own`: the caller speaks this dialect, so what has no canonical meaning is in its words.
fn write(message: &Message, own: bool) -> Turn {
    let role = match message.role {
        Role::System | Role::Developer => "system",
        Role::User | Role::Tool => "user",
        Role::Assistant => "assistant",
    };
    let said = match &message.content {
        Content::None => Vec::new(),
        Content::Text(text) => write_text(text, None, None).into_iter().collect(),
        Content::Parts(parts) => parts.iter().filter_map(|part| write_part(part, own)).collect(),
    };
    let is_text = matches!(message.content, Content::Text(_));
    let mut blocks = match &message.tool_call_id {
        Some(id) if message.role == Role::Tool => vec![write_result(message, id, said, is_text)],
        _ => message.reasoning.iter().filter_map(write_reasoning).chain(said).collect(),
    };
    blocks.extend(message.tool_calls.iter().map(write_call));
    if let (Some(ttl), Some(last)) = (message.cache, blocks.last_mut()) {
        last["cache_control"] = write_cache(ttl);
    }
    let plain = is_text && blocks.len() == 1 && blocks[0].as_object().is_some_and(|block| block.len() == 2);
    Turn { role, blocks, plain: plain && message.role != Role::Tool }
}

/// A block without the vendor's seal is another's, and the vendor takes none but its own.
fn write_reasoning(block: &ReasoningBlock) -> Option<Value> {
    (block.signature.is_some() || block.redacted.is_some()).then(|| write_thinking(block))
}

/// A text without a visible character says nothing, and the vendor refuses a turn of such texts.
fn write_text(text: &str, cache: Option<CacheTtl>, extra: Option<&Map<String, Value>>) -> Option<Value> {
    if text.trim().is_empty() {
        return None;
    }
    let mut block = extra.cloned().unwrap_or_default();
    block.insert("type".into(), json!("text"));
    block.insert("text".into(), json!(text));
    block.extend(cache.map(|ttl| ("cache_control".to_owned(), write_cache(ttl))));
    Some(Value::Object(block))
}

fn write_part(part: &Part, own: bool) -> Option<Value> {
    match part {
        Part::Text { text, cache, extra } => write_text(text, *cache, own.then_some(extra)),
        Part::Refusal { text } => write_text(text, None, None),
        Part::Image { url, cache, .. } => {
            let source = match DataUrl::parse(url) {
                Some(DataUrl { media_type, base64 }) => {
                    json!({ "type": "base64", "media_type": media_type, "data": base64 })
                }
                None => json!({ "type": "url", "url": url }),
            };
            let mut block = json!({ "type": "image", "source": source });
            if let Some(ttl) = cache {
                block["cache_control"] = write_cache(*ttl);
            }
            Some(block)
        }
    }
}

fn write_call(call: &ToolCall) -> Value {
    json!({ "type": "tool_use", "id": tool_id(&call.id), "name": call.name, "input": input(call) })
}

fn write_result(message: &Message, id: &str, mut said: Vec<Value>, is_text: bool) -> Value {
    let mut block = json!({ "type": "tool_result", "tool_use_id": tool_id(id) });
    if is_text && let Some(text) = said.pop() {
        block["content"] = text["text"].clone();
    } else if !said.is_empty() {
        block["content"] = Value::Array(said);
    }
    if message.tool_failed {
        block["is_error"] = json!(true);
    }
    block
}

pub(super) fn write_cache(ttl: CacheTtl) -> Value {
    match ttl {
        // The vendor's default; older servers of the dialect know no other.
        CacheTtl::FiveMinutes => json!({ "type": "ephemeral" }),
        CacheTtl::OneHour => json!({ "type": "ephemeral", "ttl": ttl.as_str() }),
    }
}

fn tool_id(id: &str) -> Cow<'_, str> {
    tool_id::fit(id, |byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
