//! The canonical request and stream that every dialect is translated through.

mod chunk;
mod message;
mod options;

use serde_json::{Map, Value};

pub use chunk::{Chunk, Delta, FinishReason, ReasoningDelta, ToolCallDelta};
pub use message::{CacheTtl, Content, Message, Part, ReasoningBlock, Role, ToolCall};
pub use options::{JsonSchema, Reasoning, ResponseFormat, Sampling, Thinking, Tool, ToolChoice};

/// One request for a chat answer, whatever the dialect it came in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatRequest {
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tool_calls: Option<bool>,
    pub response_format: Option<ResponseFormat>,
    pub sampling: Sampling,
    pub stop: Vec<String>,
    pub choices: u64,
    /// The caller's output limit in tokens.
    pub max_output_tokens: Option<u64>,
    pub reasoning: Option<Reasoning>,
    /// The caller's end user.
    pub user: Option<String>,
    /// The vendor whose names `extra` and `unlisted` are.
    pub family: Family,
    /// Listed fields without a canonical meaning; passed to a provider of the same family.
    pub extra: Map<String, Value>,
    /// Fields nobody listed: only keys without a budget may send them.
    pub unlisted: Map<String, Value>,
}

/// Whose API a request was written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Chat completions, Responses and the prompt form.
    #[default]
    OpenAi,
    /// Messages.
    Anthropic,
}

impl ChatRequest {
    /// Whether the model is to think. To a Messages caller an effort alone is no wish for it.
    pub fn wants_thinking(&self) -> bool {
        let Some(reasoning) = &self.reasoning else { return false };
        match reasoning.thinking {
            Some(Thinking::Disabled) => false,
            Some(Thinking::Budget(_) | Thinking::Adaptive) => true,
            None => {
                let effort = reasoning.effort.as_deref().is_some_and(|effort| effort != "none");
                effort && self.family == Family::OpenAi
            }
        }
    }

    /// Whether the caller asked the provider to keep any part of the prompt in its cache.
    pub fn has_cache_points(&self) -> bool {
        self.tools.iter().any(|tool| tool.cache.is_some())
            || self.messages.iter().any(Message::has_cache_point)
    }
}
