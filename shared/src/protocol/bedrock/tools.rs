//! Writes the tools of a request.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::is_claude_or_nova;
use super::message::cache_point;
use crate::protocol::canonical::{ChatRequest, Message, Tool, ToolChoice};
use crate::protocol::forced_tool::{self, ForcedTool};
use crate::protocol::schema::parameters;

/// `toolConfig`. Bedrock demands it as soon as the history has tool calls or results, and at least
/// one tool in it: where the request offers none, those that were called are described again.
pub(super) fn config(request: &ChatRequest, model: &str, forced: Option<&ForcedTool>) -> Option<Value> {
    if let Some(tool) = forced {
        let spec = json!({ "name": forced_tool::NAME, "description": tool.description, "inputSchema": { "json": parameters(Some(&tool.schema)) } });
        let choice = json!({ "tool": { "name": forced_tool::NAME } });
        return Some(json!({ "tools": [{ "toolSpec": spec }], "toolChoice": choice }));
    }
    let tools: Vec<Value> = match &request.tool_choice {
        Some(ToolChoice::None) => return None,
        choice => request
            .tools
            .iter()
            .filter(|tool| is_offered(tool, choice.as_ref()))
            .flat_map(|tool| write(tool, model))
            .collect(),
    };
    if tools.is_empty() {
        let called = called(&request.messages);
        return (!called.is_empty()).then(|| json!({ "tools": called }));
    }
    Some(match request.tool_choice.as_ref().and_then(choice) {
        Some(choice) => json!({ "tools": tools, "toolChoice": choice }),
        None => json!({ "tools": tools }),
    })
}

fn is_offered(tool: &Tool, choice: Option<&ToolChoice>) -> bool {
    match choice {
        Some(ToolChoice::Allowed { names, .. }) => names.contains(&tool.name),
        _ => true,
    }
}

fn choice(choice: &ToolChoice) -> Option<Value> {
    match choice {
        ToolChoice::None => None,
        ToolChoice::Auto | ToolChoice::Allowed { required: false, .. } => Some(json!({ "auto": {} })),
        ToolChoice::Required | ToolChoice::Allowed { required: true, .. } => Some(json!({ "any": {} })),
        ToolChoice::Tool(name) => Some(json!({ "tool": { "name": name } })),
    }
}

/// The tool, and the cache point behind it.
fn write(tool: &Tool, model: &str) -> Vec<Value> {
    let mut spec =
        json!({ "name": tool.name, "inputSchema": { "json": parameters(tool.parameters.as_ref()) } });
    if let Some(description) = tool.description.as_deref().filter(|text| !text.is_empty()) {
        spec["description"] = json!(description);
    }
    if tool.strict == Some(true) {
        spec["strict"] = json!(true);
    }
    let cache = tool.cache.filter(|_| is_claude_or_nova(model)).map(cache_point);
    std::iter::once(json!({ "toolSpec": spec })).chain(cache).collect()
}

/// What was called before, once each. Their schemas are not known any more.
fn called(messages: &[Message]) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let calls = messages.iter().flat_map(|message| &message.tool_calls);
    let names = calls.map(|call| call.name.as_str()).filter(|name| seen.insert(*name));
    names.map(|name| json!({ "toolSpec": { "name": name, "description": GONE, "inputSchema": { "json": parameters(None) } } })).collect()
}

/// Converse cannot say that no tool may be called, so the model is told.
const GONE: &str = "No longer offered; do not call it.";

#[cfg(test)]
mod tests;
