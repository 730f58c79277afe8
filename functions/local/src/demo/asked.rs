//! What was asked, in no dialect's words: the part of a request that the demo provider heeds.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;

#[derive(Debug)]
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) stream: bool,
    /// Whether the stream is to report usage.
    pub(super) include_usage: bool,
    /// How many answers.
    pub(super) choices: usize,
    pub(super) max_tokens: Option<usize>,
    pub(super) prompt_tokens: u64,
    pub(super) last: Last,
    /// The tool to call, should the script call one.
    pub(super) tool: Option<Tool>,
    pub(super) format: Format,
}

/// Who speaks, in the dialects that have no role for tools.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    User,
    Assistant,
    System,
}

/// What the answer takes up.
#[derive(Debug)]
pub(super) enum Last {
    Nothing,
    Said(String),
    ToolResult(String),
}

#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    /// The JSON schema of its arguments.
    pub(super) schema: Value,
}

/// Which tool the caller wants called.
pub(super) enum Choice<'a> {
    None,
    Any,
    Named(&'a str),
}

#[derive(Debug)]
pub(super) enum Format {
    Text,
    Object,
    Schema(Value),
}

impl Tool {
    pub(super) fn new(name: String, schema: Option<Value>) -> Self {
        Self { name, schema: schema.unwrap_or_else(any_object) }
    }

    /// The tool to call: the one the caller names, else the first.
    pub(super) fn choose(tools: impl IntoIterator<Item = Self>, choice: &Choice<'_>) -> Option<Self> {
        match choice {
            Choice::None => None,
            Choice::Any => tools.into_iter().next(),
            Choice::Named(name) => tools.into_iter().find(|tool| tool.name == *name),
        }
    }
}

/// The schema of one who gives none.
pub(super) fn any_object() -> Value {
    json!({ "type": "object" })
}

/// The words of all texts: the demo provider's measure of a prompt.
pub(super) fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let total: usize = texts.into_iter().map(|text| text.split_whitespace().count()).sum();
    total.max(1) as u64
}

/// Refuses a conversation in which nobody has said anything.
pub(super) fn check_messages<T>(messages: &[T]) -> Result<(), ApiError> {
    match messages {
        [] => Err(ApiError::invalid(Some("messages"), "messages must not be empty")),
        _ => Ok(()),
    }
}

/// Refuses a limit that leaves no token.
pub(super) fn check_limit(param: &'static str, limit: Option<usize>) -> Result<(), ApiError> {
    match limit {
        Some(0) => Err(ApiError::invalid(Some(param), format!("{param} must be at least 1"))),
        _ => Ok(()),
    }
}
