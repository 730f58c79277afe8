//! The canonical request and stream that every dialect is translated through.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::usage::TokenUsage;

/// One request for a chat answer, whatever the dialect it came in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatRequest {
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<Value>,
    pub parallel_tool_calls: Option<bool>,
    pub response_format: Option<Value>,
    pub sampling: Sampling,
    pub stop: Vec<String>,
    pub choices: u64,
    /// The caller's output limit in tokens.
    pub max_output_tokens: Option<u64>,
    pub reasoning_effort: Option<String>,
    /// The caller's end user.
    pub user: Option<String>,
    /// Fields that shape nothing the gateway acts on; passed to a provider of the same dialect.
    pub extra: Map<String, Value>,
    /// Fields nobody listed: only keys without a budget may send them.
    pub unlisted: Map<String, Value>,
}

/// Sampling parameters, numbers kept as the caller wrote them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sampling {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub role: Role,
    pub content: Content,
    pub tool_calls: Vec<ToolCall>,
    /// Which call a tool message answers.
    pub tool_call_id: Option<String>,
    /// Fields of the message that have no canonical meaning, `name` among them.
    pub extra: Map<String, Value>,
}

/// What a message says. A string and a list of parts stay apart, since some providers take only
/// one of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    None,
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text {
        text: String,
        extra: Map<String, Value>,
    },
    /// A `data:` or `https:` URL; the gateway never fetches it.
    Image {
        url: String,
        detail: Option<String>,
    },
    Refusal {
        text: String,
    },
}

/// A function the model may call. `parameters` is a JSON Schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    pub name: String,
    pub description: Option<String>,
    pub parameters: Option<Value>,
    pub extra: Map<String, Value>,
}

/// A call the model made. `arguments` is JSON text, as models write it: it may be invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    pub arguments: String,
}

/// What one upstream frame said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunk {
    pub model: Option<String>,
    pub fingerprint: Option<String>,
    pub deltas: Vec<Delta>,
    pub usage: Option<TokenUsage>,
}

/// An increment of one choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    pub choice: u32,
    pub content: Option<String>,
    pub refusal: Option<String>,
    pub reasoning: Option<String>,
    pub tool_calls: Vec<ToolCallDelta>,
    pub logprobs: Option<Value>,
    pub finish: Option<FinishReason>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCallDelta {
    pub index: u32,
    pub id: Option<String>,
    pub name: Option<String>,
    pub arguments: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    Stop,
    Length,
    ToolCalls,
    ContentFilter,
}

impl Delta {
    /// Whether a caller would see anything of it: the first such delta commits to this provider.
    pub fn has_content(&self) -> bool {
        let text = |part: &Option<String>| part.as_ref().is_some_and(|text| !text.is_empty());
        text(&self.content)
            || text(&self.refusal)
            || text(&self.reasoning)
            || !self.tool_calls.is_empty()
            || self.finish.is_some()
    }

    /// UTF-8 bytes of everything the model wrote in it.
    pub fn output_bytes(&self) -> u64 {
        let text = |part: &Option<String>| part.as_ref().map_or(0, String::len);
        let calls: usize = self.tool_calls.iter().map(|call| call.arguments.len() + text(&call.name)).sum();
        let all = text(&self.content) + text(&self.refusal) + text(&self.reasoning) + calls;
        u64::try_from(all).unwrap_or(u64::MAX)
    }
}

impl Message {
    /// A plain message of one text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Message {
            role,
            content: Content::Text(text.into()),
            tool_calls: Vec::new(),
            tool_call_id: None,
            extra: Map::new(),
        }
    }
}
