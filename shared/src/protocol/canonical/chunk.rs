//! The answer as it comes in.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::usage::TokenUsage;

/// What one upstream frame said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunk {
    pub model: Option<String>,
    pub fingerprint: Option<String>,
    pub deltas: Vec<Delta>,
    /// All tokens so far; a later report replaces an earlier one.
    pub usage: Option<TokenUsage>,
}

/// An increment of one choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    pub choice: u32,
    pub content: Option<String>,
    pub refusal: Option<String>,
    pub reasoning: Option<ReasoningDelta>,
    pub tool_calls: Vec<ToolCallDelta>,
    pub logprobs: Option<Value>,
    pub finish: Option<FinishReason>,
}

/// An increment of the model's reasoning. A signature ends the block it seals, and a redacted
/// block is whole by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReasoningDelta {
    pub text: Option<String>,
    pub signature: Option<String>,
    pub redacted: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCallDelta {
    pub index: u32,
    pub id: Option<String>,
    pub name: Option<String>,
    pub arguments: String,
    pub signature: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    Stop,
    /// One of the caller's stop sequences; only some vendors tell it from a stop.
    StopSequence(String),
    Length,
    ToolCalls,
    /// The vendor or its filter refused to go on.
    ContentFilter,
}

impl FinishReason {
    /// As OpenAI and the OpenTelemetry conventions name it.
    pub fn name(&self) -> &'static str {
        match self {
            FinishReason::Stop | FinishReason::StopSequence(_) => "stop",
            FinishReason::Length => "length",
            FinishReason::ToolCalls => "tool_calls",
            FinishReason::ContentFilter => "content_filter",
        }
    }

    /// The model said all it had to say.
    pub fn is_stop(&self) -> bool {
        matches!(self, FinishReason::Stop | FinishReason::StopSequence(_))
    }
}

impl Delta {
    /// Whether a caller would see anything of it: the first such delta commits to this provider.
    pub fn has_content(&self) -> bool {
        is_some_text(self.content.as_ref())
            || is_some_text(self.refusal.as_ref())
            || self.reasoning.as_ref().is_some_and(ReasoningDelta::has_content)
            || !self.tool_calls.is_empty()
            || self.finish.is_some()
    }

    /// UTF-8 bytes of everything the model wrote in it.
    pub fn output_bytes(&self) -> u64 {
        let calls: usize =
            self.tool_calls.iter().map(|call| call.arguments.len() + length(call.name.as_ref())).sum();
        let reasoning = self.reasoning.as_ref().map_or(0, ReasoningDelta::bytes);
        let all = length(self.content.as_ref()) + length(self.refusal.as_ref()) + reasoning + calls;
        u64::try_from(all).unwrap_or(u64::MAX)
    }
}

impl ReasoningDelta {
    /// Readable reasoning.
    pub fn text(text: impl Into<String>) -> Self {
        ReasoningDelta { text: Some(text.into()), ..ReasoningDelta::default() }
    }

    fn has_content(&self) -> bool {
        [&self.text, &self.signature, &self.redacted].into_iter().any(|part| is_some_text(part.as_ref()))
    }

    fn bytes(&self) -> usize {
        length(self.text.as_ref()) + length(self.redacted.as_ref())
    }
}

fn is_some_text(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

fn length(text: Option<&String>) -> usize {
    text.map_or(0, String::len)
}
