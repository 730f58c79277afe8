//! Measures a request: what bounds its hold.

use serde_json::{Value, json};

use super::canonical::{ChatRequest, Content, Message, Part, ReasoningBlock, ResponseFormat, ToolChoice};
use super::openai::options;
use crate::domain::bound::RequestSize;

/// Tokens that a provider's template may add around the whole request, each message and each tool.
/// OpenAI documents 3 a message and 3 for the reply; tool declarations are wrapped in about a
/// dozen. The figures leave a wide margin.
const REQUEST_OVERHEAD: u64 = 64;
const MESSAGE_OVERHEAD: u64 = 16;
const TOOL_OVERHEAD: u64 = 64;
/// What describes a tool of which only the name is known, and wraps it.
const CALLED_OVERHEAD: u64 = 128 + TOOL_OVERHEAD;
/// Tokens that vendors write into the system prompt themselves, once for tools and once for a
/// format. The most that Anthropic publishes is 530, for the tools of Claude 3 Opus.
const INJECTED_OVERHEAD: u64 = 1024;

/// The size of `request` for its hold. Image bytes are not text and are counted as images.
pub fn measure(request: &ChatRequest) -> RequestSize {
    let messages: u64 = request.messages.iter().map(message_bytes).sum();
    let tools: u64 =
        request.tools.iter().map(|tool| json_bytes(&options::write_tool(tool)) + TOOL_OVERHEAD).sum();
    let format = match &request.response_format {
        None | Some(ResponseFormat::Text) => 0,
        Some(format) => json_bytes(&json!(format)) + INJECTED_OVERHEAD,
    };
    let called = called_bytes(request);
    let tool_prompt = if request.tools.is_empty() && called == 0 { 0 } else { INJECTED_OVERHEAD };
    let extra: u64 = request
        .extra
        .iter()
        .chain(&request.unlisted)
        .map(|(name, value)| length(name) + json_bytes(value))
        .sum();
    RequestSize {
        input_bytes: messages + tools + called + tool_prompt + format + extra + REQUEST_OVERHEAD,
        images: request.messages.iter().map(images).sum(),
        choices: request.choices,
        max_output_tokens: request.max_output_tokens,
        cache_points: request.has_cache_points() || request.extra.contains_key("cache_control"),
    }
}

/// A rule of thumb for the tokens of a request whose provider does not count them: four bytes are a
/// token, and each message, tool and image has its share around it. It is no bound.
pub fn estimated_tokens(request: &ChatRequest) -> u64 {
    const AROUND_A_MESSAGE: u64 = 4;
    const AROUND_A_TOOL: u64 = 12;
    const IMAGE: u64 = 1_000;
    let said: u64 = request.messages.iter().map(message_bytes).sum();
    let around = u64::try_from(request.messages.len()).unwrap_or(u64::MAX).saturating_mul(MESSAGE_OVERHEAD);
    let tools: u64 = request.tools.iter().map(|tool| json_bytes(&options::write_tool(tool))).sum();
    let pictures: u64 = request.messages.iter().map(images).sum();
    let count = |items: usize| u64::try_from(items).unwrap_or(u64::MAX);
    (said.saturating_sub(around) + tools).div_ceil(4)
        + count(request.messages.len()) * AROUND_A_MESSAGE
        + count(request.tools.len()) * AROUND_A_TOOL
        + pictures * IMAGE
}

/// Bedrock must be told of every tool that was called, also where the request offers none.
fn called_bytes(request: &ChatRequest) -> u64 {
    // Those that are allowed may be none of those that are offered.
    let may_offer_none =
        request.tools.is_empty() || matches!(request.tool_choice, Some(ToolChoice::Allowed { .. }));
    if !may_offer_none {
        return 0;
    }
    let calls = request.messages.iter().flat_map(|message| &message.tool_calls);
    calls.map(|call| length(&call.name) + CALLED_OVERHEAD).sum()
}

fn message_bytes(message: &Message) -> u64 {
    let content = match &message.content {
        Content::None => 0,
        Content::Text(text) => length(text),
        Content::Parts(parts) => parts.iter().map(part_bytes).sum(),
    };
    let calls: u64 = message
        .tool_calls
        .iter()
        .map(|call| length(&call.id) + length(&call.name) + length(&call.arguments) + MESSAGE_OVERHEAD)
        .sum();
    let thought: u64 = message.reasoning.iter().map(reasoning_bytes).sum();
    let extra: u64 = message.extra.iter().map(|(name, value)| length(name) + json_bytes(value)).sum();
    content + calls + thought + extra + message.tool_call_id.as_deref().map_or(0, length) + MESSAGE_OVERHEAD
}

fn reasoning_bytes(block: &ReasoningBlock) -> u64 {
    let hidden = |part: &Option<String>| part.as_deref().map_or(0, length);
    length(&block.text) + hidden(&block.signature) + hidden(&block.redacted) + MESSAGE_OVERHEAD
}

fn part_bytes(part: &Part) -> u64 {
    match part {
        Part::Text { text, extra, .. } => length(text) + extra.values().map(json_bytes).sum::<u64>(),
        Part::Image { .. } => MESSAGE_OVERHEAD,
        Part::Refusal { text } => length(text),
    }
}

fn images(message: &Message) -> u64 {
    match &message.content {
        Content::Parts(parts) => parts.iter().map(|part| u64::from(matches!(part, Part::Image { .. }))).sum(),
        Content::None | Content::Text(_) => 0,
    }
}

fn json_bytes(value: &Value) -> u64 {
    length(&value.to_string())
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::canonical::Role;
    use super::*;

    fn asks(text: &str) -> ChatRequest {
        ChatRequest {
            messages: vec![Message::text(Role::System, " s "), Message::text(Role::User, text)],
            choices: 1,
            ..ChatRequest::default()
        }
    }

    #[test]
    fn images_are_counted_and_their_bytes_are_not() {
        let image = Part::Image {
            url: format!("data:image/png;base64,{}", "A".repeat(100_000)),
            detail: None,
            cache: None,
        };
        let mut request = asks("hi");
        request.messages[1].content = Content::Parts(vec![image]);
        let size = measure(&request);
        assert_eq!(size.images, 1);
        assert!(size.input_bytes < 1000);
    }
}
