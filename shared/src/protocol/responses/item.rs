//! Output items as the reply shows them.

use serde::Serialize;
use serde_json::Value;

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item {
    Reasoning {
        id: String,
        summary: Vec<Summary>,
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<String>,
    },
    Message {
        id: String,
        role: &'static str,
        status: Status,
        content: Vec<Content>,
    },
    FunctionCall {
        id: String,
        call_id: String,
        name: String,
        arguments: String,
        status: Status,
    },
}

/// One readable piece of the reasoning.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(tag = "type", rename = "summary_text")]
pub(super) struct Summary {
    pub(super) text: String,
}

/// One part of what the model said. There are no annotations: they come from hosted tools.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Content {
    OutputText { text: String, annotations: [(); 0], logprobs: Vec<Value> },
    Refusal { refusal: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
}

impl Item {
    /// Ends the item. Reasoning has no status.
    pub(super) fn end(&mut self, how: Status) {
        if let Item::Message { status, .. } | Item::FunctionCall { status, .. } = self {
            *status = how;
        }
    }

    /// Marks an item that was never ended.
    pub(super) fn abandon(&mut self) {
        if let Item::Message { status, .. } | Item::FunctionCall { status, .. } = self
            && *status == Status::InProgress
        {
            *status = Status::Incomplete;
        }
    }
}

impl Content {
    pub(super) fn text() -> Self {
        Content::OutputText { text: String::new(), annotations: [], logprobs: Vec::new() }
    }

    pub(super) fn refusal() -> Self {
        Content::Refusal { refusal: String::new() }
    }
}
