//! What a caller may ask: the part of the chat-completions request the demo provider heeds.

use serde::Deserialize;
use serde_json::Value;

use super::error::ApiError;

const MAX_CHOICES: usize = 128;

#[derive(Debug, Deserialize)]
pub(super) struct ChatRequest {
    pub(super) model: String,
    messages: Vec<Message>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    n: Option<usize>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    tools: Option<Vec<Tool>>,
    tool_choice: Option<Value>,
    pub(super) response_format: Option<ResponseFormat>,
}

#[derive(Debug, Deserialize)]
struct Message {
    role: String,
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Tool {
    function: Option<Function>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) parameters: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { json_schema: NamedSchema },
}

#[derive(Debug, Deserialize)]
pub(super) struct NamedSchema {
    pub(super) schema: Option<Value>,
}

impl ChatRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let request: Self = serde_json::from_slice(body)
            .map_err(|error| ApiError::invalid(None, format!("invalid request body: {error}")))?;
        request.check()?;
        Ok(request)
    }

    pub(super) fn streams(&self) -> bool {
        self.stream == Some(true)
    }

    pub(super) fn include_usage(&self) -> bool {
        self.stream_options.as_ref().and_then(|options| options.include_usage) == Some(true)
    }

    pub(super) fn choices(&self) -> usize {
        self.n.unwrap_or(1)
    }

    pub(super) fn max_tokens(&self) -> Option<usize> {
        self.max_tokens.into_iter().chain(self.max_completion_tokens).min()
    }

    /// The words of all message texts: the demo provider's measure of a prompt.
    pub(super) fn prompt_tokens(&self) -> u64 {
        let words = |text: &str| text.split_whitespace().count();
        let total: usize = self.messages.iter().flat_map(Message::texts).map(words).sum();
        total.max(1) as u64
    }

    /// The text of the last message, if `role` wrote it.
    pub(super) fn last_said_by(&self, role: &str) -> Option<String> {
        let last = self.messages.last().filter(|message| message.role == role)?;
        Some(last.texts().collect::<Vec<_>>().join(" "))
    }

    pub(super) fn last_user_text(&self) -> Option<String> {
        let last = self.messages.iter().rfind(|message| message.role == "user")?;
        Some(last.texts().collect::<Vec<_>>().join(" "))
    }

    /// The tool to call: the one the caller names, else the first.
    pub(super) fn tool(&self) -> Option<&Function> {
        let choice = self.tool_choice.as_ref();
        if choice.and_then(Value::as_str) == Some("none") {
            return None;
        }
        let mut functions = self.tools.iter().flatten().filter_map(|tool| tool.function.as_ref());
        match choice.and_then(|choice| choice.pointer("/function/name")?.as_str()) {
            Some(name) => functions.find(|function| function.name == name),
            None => functions.next(),
        }
    }

    fn check(&self) -> Result<(), ApiError> {
        if self.messages.is_empty() {
            return Err(ApiError::invalid(Some("messages"), "messages must not be empty"));
        }
        if !(1..=MAX_CHOICES).contains(&self.choices()) {
            return Err(ApiError::invalid(Some("n"), "n must be between 1 and 128"));
        }
        if self.max_tokens() == Some(0) {
            return Err(ApiError::invalid(Some("max_tokens"), "max_tokens must be at least 1"));
        }
        if self.stream_options.is_some() && !self.streams() {
            let message = "stream_options is only allowed when stream is true";
            return Err(ApiError::invalid(Some("stream_options"), message));
        }
        Ok(())
    }
}

impl Message {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let (whole, parts) = match &self.content {
            Some(Content::Text(text)) => (Some(text.as_str()), &[][..]),
            Some(Content::Parts(parts)) => (None, parts.as_slice()),
            None => (None, &[][..]),
        };
        whole.into_iter().chain(parts.iter().filter_map(|part| part.text.as_deref()))
    }
}
