//! The chat-completions request.

use serde::Deserialize;
use serde_json::Value;

use crate::demo::asked::{Asked, Choice, Format, Last, Tool, any_object, check_limit, check_messages, words};
use crate::demo::error::ApiError;

const MAX_CHOICES: usize = 128;

#[derive(Debug, Deserialize)]
pub(super) struct ChatRequest {
    model: String,
    messages: Vec<Message>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    n: Option<usize>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    tools: Option<Vec<ToolEntry>>,
    tool_choice: Option<Value>,
    response_format: Option<ResponseFormat>,
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
struct ToolEntry {
    function: Option<Function>,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: String,
    parameters: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { json_schema: NamedSchema },
}

#[derive(Debug, Deserialize)]
struct NamedSchema {
    schema: Option<Value>,
}

impl ChatRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let request: Self = serde_json::from_slice(body).map_err(|error| ApiError::malformed(&error))?;
        request.check()?;
        Ok(request)
    }

    pub(super) fn asked(self) -> Asked {
        Asked {
            stream: self.streams(),
            include_usage: self.stream_options.as_ref().and_then(|options| options.include_usage)
                == Some(true),
            choices: self.n.unwrap_or(1),
            max_tokens: self.max_tokens(),
            prompt_tokens: words(self.messages.iter().flat_map(Message::texts)),
            last: self.last(),
            tool: tool(self.tools.unwrap_or_default(), self.tool_choice.as_ref()),
            format: self.response_format.map_or(Format::Text, ResponseFormat::format),
            model: self.model,
        }
    }

    fn streams(&self) -> bool {
        self.stream == Some(true)
    }

    fn max_tokens(&self) -> Option<usize> {
        self.max_tokens.into_iter().chain(self.max_completion_tokens).min()
    }

    fn last(&self) -> Last {
        let said = |message: &Message| message.texts().collect::<Vec<_>>().join(" ");
        if let Some(result) = self.messages.last().filter(|message| message.role == "tool") {
            return Last::ToolResult(said(result));
        }
        let user = self.messages.iter().rfind(|message| message.role == "user");
        user.map_or(Last::Nothing, |message| Last::Said(said(message)))
    }

    fn check(&self) -> Result<(), ApiError> {
        check_messages(&self.messages)?;
        if !(1..=MAX_CHOICES).contains(&self.n.unwrap_or(1)) {
            return Err(ApiError::invalid(Some("n"), "n must be between 1 and 128"));
        }
        check_limit("max_tokens", self.max_tokens())?;
        if self.stream_options.is_some() && !self.streams() {
            let message = "stream_options is only allowed when stream is true";
            return Err(ApiError::invalid(Some("stream_options"), message));
        }
        Ok(())
    }
}

fn tool(tools: Vec<ToolEntry>, choice: Option<&Value>) -> Option<Tool> {
    let named = choice.and_then(|choice| choice.pointer("/function/name")?.as_str());
    let choice = match (choice.and_then(Value::as_str), named) {
        (Some("none"), _) => Choice::None,
        (_, Some(name)) => Choice::Named(name),
        _ => Choice::Any,
    };
    let functions = tools.into_iter().filter_map(|tool| tool.function);
    Tool::choose(functions.map(|function| Tool::new(function.name, function.parameters)), &choice)
}

impl ResponseFormat {
    fn format(self) -> Format {
        match self {
            Self::Text => Format::Text,
            Self::JsonObject => Format::Object,
            Self::JsonSchema { json_schema } => Format::Schema(json_schema.schema.unwrap_or_else(any_object)),
        }
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
