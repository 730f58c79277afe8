//! The messages request.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::demo::asked::{Asked, Choice, Format, Last, Role, Tool, check_messages, words};
use crate::demo::error::ApiError;

/// The API version that has no sampling parameters any more.
pub(super) const UNSAMPLED_SINCE: &str = "2026-10-21";

#[derive(Deserialize)]
pub(super) struct MessagesRequest {
    pub(super) model: String,
    messages: Vec<Message>,
    system: Option<Content>,
    max_tokens: Option<usize>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    tools: Vec<ToolEntry>,
    tool_choice: Option<ToolChoice>,
    output_config: Option<OutputConfig>,
    temperature: Option<IgnoredAny>,
    top_p: Option<IgnoredAny>,
    top_k: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Message {
    role: Role,
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Blocks(Vec<Block>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    ToolResult {
        #[serde(rename = "tool_use_id")]
        _tool_use_id: String,
        content: Option<Content>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct ToolEntry {
    name: String,
    input_schema: Option<Value>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToolChoice {
    Auto,
    Any,
    Tool { name: String },
    None,
}

#[derive(Deserialize)]
struct OutputConfig {
    format: Option<OutputFormat>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum OutputFormat {
    JsonSchema { schema: Value },
}

impl MessagesRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let request: Self = serde_json::from_slice(body).map_err(|error| ApiError::malformed(&error))?;
        check_messages(&request.messages)?;
        Ok(request)
    }

    /// Refuses how to sample, as the API does from this version on, even where it is the default.
    pub(super) fn check_sampling(&self) -> Result<(), ApiError> {
        let fields = [("temperature", &self.temperature), ("top_p", &self.top_p), ("top_k", &self.top_k)];
        match fields.into_iter().find(|(_, value)| value.is_some()) {
            None => Ok(()),
            Some((name, _)) => {
                let message = format!("{name}: not permitted from {UNSAMPLED_SINCE} on");
                Err(ApiError::invalid(Some(name), message))
            }
        }
    }

    /// Whoever asks for an answer has to bound it; a bound of nothing is allowed.
    pub(super) fn asked(self) -> Result<Asked, ApiError> {
        if self.max_tokens.is_none() {
            return Err(ApiError::invalid(Some("max_tokens"), "max_tokens: Field required"));
        }
        let choice = match &self.tool_choice {
            Some(ToolChoice::None) => Choice::None,
            Some(ToolChoice::Tool { name }) => Choice::Named(name),
            Some(ToolChoice::Auto | ToolChoice::Any) | None => Choice::Any,
        };
        let format = self.output_config.as_ref().and_then(|config| config.format.as_ref());
        Ok(Asked {
            stream: self.stream,
            include_usage: true,
            choices: 1,
            max_tokens: self.max_tokens,
            prompt_tokens: self.prompt_tokens(),
            last: self.last(),
            format: format
                .map_or(Format::Text, |OutputFormat::JsonSchema { schema }| Format::Schema(schema.clone())),
            tool: Tool::choose(
                self.tools.into_iter().map(|tool| Tool::new(tool.name, tool.input_schema)),
                &choice,
            ),
            model: self.model,
        })
    }

    pub(super) fn prompt_tokens(&self) -> u64 {
        let messages = self.messages.iter().map(|message| &message.content);
        words(self.system.iter().chain(messages).flat_map(Content::texts))
    }

    fn last(&self) -> Last {
        let result = self.messages.last().filter(|message| message.role == Role::User);
        if let Some(texts) = result.and_then(|message| message.content.tool_results()) {
            return Last::ToolResult(texts.join(" "));
        }
        let user = self.messages.iter().rfind(|message| message.role == Role::User);
        user.map_or(Last::Nothing, |message| Last::Said(message.content.texts().join(" ")))
    }
}

impl Content {
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::Blocks(blocks) => blocks.iter().flat_map(Block::texts).collect(),
        }
    }

    /// The texts of the tool results, if there are such.
    fn tool_results(&self) -> Option<Vec<&str>> {
        let Self::Blocks(blocks) = self else {
            return None;
        };
        let results = || blocks.iter().filter(|block| matches!(block, Block::ToolResult { .. }));
        results().next().map(|_| results().flat_map(Block::texts).collect())
    }
}

impl Block {
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text { text } => vec![text],
            Self::ToolResult { content, .. } => content.iter().flat_map(Content::texts).collect(),
            Self::Other => Vec::new(),
        }
    }
}
