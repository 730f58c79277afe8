//! A structured answer from a model whose API has no format for it: the model is made to call one
//! tool whose arguments are the answer, and the call is turned back into text.

use serde_json::{Value, json};

use super::canonical::{ChatRequest, Chunk, Delta, FinishReason, ResponseFormat};
use super::claude::Claude;

/// The tool's name, which no caller sees.
pub const NAME: &str = "structured_answer";

/// The tool that a format asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ForcedTool {
    pub description: String,
    /// A JSON Schema of the arguments.
    pub schema: Value,
}

/// Whether a Claude must be made to call a tool for the format that is asked for.
pub fn is_needed(request: &ChatRequest, model: &str) -> bool {
    match request.response_format {
        None | Some(ResponseFormat::Text) => false,
        Some(ResponseFormat::JsonObject) => true,
        Some(ResponseFormat::JsonSchema(_)) => !Claude::named(model).takes_format(),
    }
}

impl ForcedTool {
    /// None for a format that needs no tool.
    pub fn of(format: &ResponseFormat) -> Option<Self> {
        const PURPOSE: &str = "Give the whole answer as the arguments of this tool.";
        match format {
            ResponseFormat::Text => None,
            ResponseFormat::JsonObject => {
                Some(ForcedTool { description: PURPOSE.to_owned(), schema: json!({ "type": "object" }) })
            }
            ResponseFormat::JsonSchema(schema) => Some(ForcedTool {
                description: match &schema.description {
                    Some(text) => format!("{PURPOSE} {text}"),
                    None => PURPOSE.to_owned(),
                },
                schema: schema.schema.clone(),
            }),
        }
    }
}

/// Turns calls of the forced tool into text: its arguments are the answer, and calling it was the
/// end of it.
pub fn unwrap(chunk: Chunk) -> Chunk {
    Chunk { deltas: chunk.deltas.into_iter().map(unwrap_delta).collect(), ..chunk }
}

fn unwrap_delta(delta: Delta) -> Delta {
    let arguments: String = delta.tool_calls.iter().map(|call| call.arguments.as_str()).collect();
    let content = match (delta.content, arguments.is_empty()) {
        (Some(text), _) => Some(text + &arguments),
        (None, false) => Some(arguments),
        (None, true) => None,
    };
    let finish = match delta.finish {
        Some(FinishReason::ToolCalls) => Some(FinishReason::Stop),
        finish => finish,
    };
    Delta { content, finish, tool_calls: Vec::new(), ..delta }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::canonical::ToolCallDelta;

    #[test]
    fn the_arguments_of_the_call_are_the_text_of_the_answer() {
        let call =
            |arguments: &str| ToolCallDelta { arguments: arguments.to_owned(), ..ToolCallDelta::default() };
        let delta = Delta {
            tool_calls: vec![call("{\"a\":1}")],
            finish: Some(FinishReason::ToolCalls),
            ..Delta::default()
        };
        let chunk = unwrap(Chunk { deltas: vec![delta], ..Chunk::default() });
        assert_eq!(chunk.deltas[0].content.as_deref(), Some("{\"a\":1}"));
        assert_eq!(chunk.deltas[0].finish, Some(FinishReason::Stop));
        assert!(chunk.deltas[0].tool_calls.is_empty());
    }
}
