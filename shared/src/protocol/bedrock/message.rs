//! Writes the conversation as Converse takes it: the system's texts apart, then turns of two roles
//! that alternate.

use serde_json::{Value, json};

use super::is_claude_or_nova;
use crate::protocol::canonical::{CacheTtl, Content, Message, Part, ReasoningBlock, Role, ToolCall};
use crate::protocol::claude::Claude;
use crate::protocol::data_url::DataUrl;
use crate::protocol::tool_id;

/// Writes messages for one model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer {
    /// Only Claude reads its sealed reasoning again.
    takes_reasoning: bool,
    takes_cache_points: bool,
    takes_status: bool,
}

impl Writer {
    pub(super) fn of(model: &str) -> Self {
        let claude_or_nova = is_claude_or_nova(model);
        Writer {
            takes_reasoning: Claude::named(model).is_claude(),
            takes_cache_points: claude_or_nova,
            takes_status: claude_or_nova,
        }
    }

    /// The blocks of every system and developer message, in order.
    pub(super) fn system(self, messages: &[Message]) -> Vec<Value> {
        let mut blocks = Vec::new();
        for message in messages.iter().filter(|message| role(message).is_none()) {
            self.content(&message.content, &mut blocks);
            self.cache_point(message.cache, &mut blocks);
        }
        blocks
    }

    /// The turns: neighbours of one role become one, since Converse refuses two in a row.
    pub(super) fn turns(self, messages: &[Message]) -> Vec<Value> {
        let mut turns: Vec<(&'static str, Vec<Value>)> = Vec::new();
        for message in messages {
            let Some(role) = role(message) else { continue };
            let blocks = self.blocks(message);
            match turns.last_mut() {
                _ if blocks.is_empty() => {}
                Some((last, earlier)) if *last == role => earlier.extend(blocks),
                _ => turns.push((role, blocks)),
            }
        }
        turns.into_iter().map(|(role, content)| json!({ "role": role, "content": content })).collect()
    }

    fn blocks(self, message: &Message) -> Vec<Value> {
        let mut blocks = Vec::new();
        if message.role == Role::Tool {
            blocks.push(self.tool_result(message));
            // A result holds no cache points, so those inside it stand behind it.
            let inside = message.parts().iter().filter_map(Part::cache).next_back();
            self.cache_point(message.cache.or(inside), &mut blocks);
            return blocks;
        }
        if self.takes_reasoning {
            blocks.extend(message.reasoning.iter().filter_map(reasoning));
        }
        self.content(&message.content, &mut blocks);
        blocks.extend(message.tool_calls.iter().map(tool_use));
        self.cache_point(message.cache, &mut blocks);
        blocks
    }

    fn content(self, content: &Content, blocks: &mut Vec<Value>) {
        match content {
            Content::None => {}
            Content::Text(said) => blocks.extend(text(said)),
            Content::Parts(parts) => {
                for part in parts {
                    blocks.extend(block(part));
                    self.cache_point(part.cache(), blocks);
                }
            }
        }
    }

    /// A cache point needs something before it, other than reasoning or another cache point.
    fn cache_point(self, ttl: Option<CacheTtl>, blocks: &mut Vec<Value>) {
        let stands =
            |block: &Value| ["reasoningContent", "cachePoint"].iter().all(|kind| block.get(kind).is_none());
        if let Some(ttl) = ttl
            && self.takes_cache_points
            && blocks.last().is_some_and(stands)
        {
            blocks.push(cache_point(ttl));
        }
    }

    fn tool_result(self, message: &Message) -> Value {
        let mut content: Vec<Value> = Vec::new();
        match &message.content {
            Content::None => {}
            Content::Text(said) => content.extend(text(said)),
            Content::Parts(parts) => content.extend(parts.iter().filter_map(block)),
        }
        let id = message.tool_call_id.as_deref().unwrap_or_default();
        let mut result = json!({ "toolUseId": fit(id), "content": content });
        if message.tool_failed && self.takes_status {
            result["status"] = json!("error");
        }
        json!({ "toolResult": result })
    }
}

pub(super) fn cache_point(ttl: CacheTtl) -> Value {
    match ttl {
        CacheTtl::FiveMinutes => json!({ "cachePoint": { "type": "default" } }),
        CacheTtl::OneHour => json!({ "cachePoint": { "type": "default", "ttl": ttl.as_str() } }),
    }
}

/// None for what goes to the system.
fn role(message: &Message) -> Option<&'static str> {
    match message.role {
        Role::System | Role::Developer => None,
        Role::User | Role::Tool => Some("user"),
        Role::Assistant => Some("assistant"),
    }
}

fn block(part: &Part) -> Option<Value> {
    match part {
        Part::Text { text: said, .. } | Part::Refusal { text: said } => text(said),
        Part::Image { url, .. } => image(url),
    }
}

/// Bedrock refuses a text without a visible character.
fn text(said: &str) -> Option<Value> {
    (!said.trim().is_empty()).then(|| json!({ "text": said }))
}

fn image(url: &str) -> Option<Value> {
    let image = DataUrl::parse(url)?;
    let format = image.media_type.strip_prefix("image/")?;
    Some(json!({ "image": { "format": format, "source": { "bytes": image.base64 } } }))
}

/// None for reasoning without a seal, which would be refused.
fn reasoning(block: &ReasoningBlock) -> Option<Value> {
    if let Some(redacted) = &block.redacted {
        return Some(json!({ "reasoningContent": { "redactedContent": redacted } }));
    }
    let signature = block.signature.as_ref()?;
    Some(json!({ "reasoningContent": { "reasoningText": { "text": block.text, "signature": signature } } }))
}

fn tool_use(call: &ToolCall) -> Value {
    // Arguments that are no object are refused before a request comes here.
    let input = call.input().unwrap_or_default();
    json!({ "toolUse": { "toolUseId": fit(&call.id), "name": call.name, "input": input } })
}

fn fit(id: &str) -> std::borrow::Cow<'_, str> {
    tool_id::fit(id, |byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
}

#[cfg(test)]
mod tests;
