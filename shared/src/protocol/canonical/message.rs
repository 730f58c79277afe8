//! What was said so far.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

/// One message. The result of each tool call is a message of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub role: Role,
    /// What the assistant thought before it spoke; only its own vendor can read it again.
    pub reasoning: Vec<ReasoningBlock>,
    pub content: Content,
    /// Calls the assistant made after what it said.
    pub tool_calls: Vec<ToolCall>,
    /// Which call a tool message answers.
    pub tool_call_id: Option<String>,
    /// The tool failed, and its message says how.
    pub tool_failed: bool,
    /// A cache point behind the tool calls or the tool's result.
    pub cache: Option<CacheTtl>,
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
        cache: Option<CacheTtl>,
        extra: Map<String, Value>,
    },
    /// A `data:` or `https:` URL; the gateway never fetches it.
    Image {
        url: String,
        detail: Option<String>,
        cache: Option<CacheTtl>,
    },
    Refusal {
        text: String,
    },
}

/// One block of reasoning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReasoningBlock {
    pub text: String,
    /// The vendor's seal on `text`; a block is sent back only under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// What the vendor keeps from being read; `text` is empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<String>,
}

/// A call the model made. `arguments` is JSON text, as models write it: it may be invalid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    pub arguments: String,
    /// Google's seal on the thought behind the call; the call is sent back with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// How long the provider keeps a prompt up to a cache point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheTtl {
    FiveMinutes,
    OneHour,
}

impl Message {
    /// A message of `role` that says `content` and nothing else.
    pub fn new(role: Role, content: Content) -> Self {
        Message {
            role,
            reasoning: Vec::new(),
            content,
            tool_calls: Vec::new(),
            tool_call_id: None,
            tool_failed: false,
            cache: None,
            extra: Map::new(),
        }
    }

    /// A plain message of one text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Message::new(role, Content::Text(text.into()))
    }

    /// The parts; a string counts as none.
    pub fn parts(&self) -> &[Part] {
        match &self.content {
            Content::Parts(parts) => parts,
            Content::None | Content::Text(_) => &[],
        }
    }

    /// Every text of the message, joined.
    pub fn joined_text(&self) -> String {
        match &self.content {
            Content::None => String::new(),
            Content::Text(text) => text.clone(),
            Content::Parts(parts) => parts.iter().filter_map(Part::as_text).collect(),
        }
    }

    /// Takes in what the same speaker said next. What was said comes before what was called, as it
    /// does in every message.
    pub fn append(&mut self, next: Message) {
        self.reasoning.extend(next.reasoning);
        self.content.append(next.content);
        self.tool_calls.extend(next.tool_calls);
        self.cache = next.cache.or(self.cache);
        self.extra.extend(next.extra);
    }

    /// A thought that led to nothing: an answer may have been cut off inside it.
    pub fn is_silent(&self) -> bool {
        self.role == Role::Assistant && self.content == Content::None && self.tool_calls.is_empty()
    }

    /// Whether there is anything in it that a model reads as a turn of the conversation.
    pub fn takes_a_turn(&self) -> bool {
        let is_visible = |text: &str| !text.trim().is_empty();
        let says = match &self.content {
            Content::None => false,
            Content::Text(text) => is_visible(text),
            Content::Parts(parts) => parts.iter().any(|part| part.as_text().is_none_or(is_visible)),
        };
        match self.role {
            Role::System | Role::Developer => false,
            Role::Tool => true,
            Role::User | Role::Assistant => says || !self.tool_calls.is_empty(),
        }
    }

    pub(super) fn has_cache_point(&self) -> bool {
        self.cache.is_some() || self.parts().iter().any(|part| part.cache().is_some())
    }
}

impl Content {
    /// Nothing, or a string without a character.
    pub fn is_empty(&self) -> bool {
        match self {
            Content::None => true,
            Content::Text(text) => text.is_empty(),
            Content::Parts(_) => false,
        }
    }

    /// Adds what was said next.
    pub fn append(&mut self, next: Content) {
        *self = match (std::mem::replace(self, Content::None), next) {
            (Content::None, next) => next,
            (said, Content::None) => said,
            (said, next) => Content::Parts(said.into_parts().into_iter().chain(next.into_parts()).collect()),
        };
    }

    fn into_parts(self) -> Vec<Part> {
        match self {
            Content::None => Vec::new(),
            Content::Text(text) => vec![Part::text(text)],
            Content::Parts(parts) => parts,
        }
    }
}

impl Part {
    /// A text without anything beside it.
    pub fn text(text: impl Into<String>) -> Self {
        Part::Text { text: text.into(), cache: None, extra: Map::new() }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Part::Text { text, .. } | Part::Refusal { text } => Some(text),
            Part::Image { .. } => None,
        }
    }

    pub fn cache(&self) -> Option<CacheTtl> {
        match self {
            Part::Text { cache, .. } | Part::Image { cache, .. } => *cache,
            Part::Refusal { .. } => None,
        }
    }

    pub fn is_image(&self) -> bool {
        matches!(self, Part::Image { .. })
    }
}

impl ToolCall {
    /// The arguments as the object that vendors other than OpenAI take; none are an empty one.
    ///
    /// # Errors
    /// When the model or the caller wrote something else.
    pub fn input(&self) -> Result<Map<String, Value>, NotAnObject> {
        if self.arguments.trim().is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_str(&self.arguments) {
            Ok(Value::Object(input)) => Ok(input),
            Ok(_) | Err(_) => Err(NotAnObject),
        }
    }
}

/// The arguments of a call are no JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnObject;

impl CacheTtl {
    /// In the words of Anthropic and Bedrock.
    pub fn as_str(self) -> &'static str {
        match self {
            CacheTtl::FiveMinutes => "5m",
            CacheTtl::OneHour => "1h",
        }
    }
}
