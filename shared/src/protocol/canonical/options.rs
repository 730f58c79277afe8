//! What the caller asks of the answer.

use serde::Serialize;
use serde_json::{Map, Value};

use super::message::CacheTtl;

/// Sampling parameters, numbers kept as the caller wrote them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sampling {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<Value>,
}

/// A function the model may call. `parameters` is a JSON Schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tool {
    pub name: String,
    pub description: Option<String>,
    pub parameters: Option<Value>,
    /// The arguments must fit the schema exactly.
    pub strict: Option<bool>,
    /// A cache point behind this tool.
    pub cache: Option<CacheTtl>,
    pub extra: Map<String, Value>,
}

/// Whether the model must, may or may not call a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    Auto,
    None,
    /// Some tool, whichever.
    Required,
    /// The one of this name.
    Tool(String),
    /// Only these of the tools that are described.
    Allowed {
        required: bool,
        names: Vec<String>,
    },
}

/// The form the answer must have.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseFormat {
    Text,
    /// Any JSON object.
    JsonObject,
    JsonSchema(JsonSchema),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JsonSchema {
    pub name: String,
    pub description: Option<String>,
    pub schema: Value,
    pub strict: Option<bool>,
}

/// How much the model may think before it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reasoning {
    /// `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`; vendors know some of them.
    pub effort: Option<String>,
    /// What Anthropic's callers say instead, or besides.
    pub thinking: Option<Thinking>,
    /// How much of it is shown: `auto`, `concise`, `detailed`; `summarized`, `omitted`.
    pub summary: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    Disabled,
    /// Tokens, inside the output limit.
    Budget(u64),
    /// As the model sees fit.
    Adaptive,
}
