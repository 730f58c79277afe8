//! What to say: the scripted sentence, a document that fits a schema, or a tool call.

use serde_json::{Value, json};

use super::request::{ChatRequest, Function, ResponseFormat};
use super::schema;
use super::script::Script;

const GREETING: &str = "This is a scripted answer from the demo provider.";
const ECHO_CHARS: usize = 80;
const PIECE_CHARS: usize = 6;

#[derive(Debug)]
pub(super) struct Answer {
    /// The function called, if this is a tool call; its arguments are then the tokens.
    pub(super) tool: Option<String>,
    pub(super) tokens: Vec<String>,
    pub(super) finish_reason: &'static str,
}

pub(super) fn answer(script: &Script, request: &ChatRequest) -> Answer {
    let mut answer = complete_answer(script, request);
    if let Some(limit) = request.max_tokens().filter(|limit| *limit < answer.tokens.len()) {
        answer.tokens.truncate(limit);
        answer.finish_reason = "length";
    }
    answer
}

impl Answer {
    pub(super) fn text(&self) -> String {
        self.tokens.concat()
    }

    fn of(tokens: Vec<String>) -> Self {
        Self { tool: None, tokens, finish_reason: "stop" }
    }
}

fn complete_answer(script: &Script, request: &ChatRequest) -> Answer {
    let tool_result = request.last_said_by("tool");
    if script.tool
        && tool_result.is_none()
        && let Some(function) = request.tool()
    {
        return tool_call(function);
    }
    if let Some(count) = script.tokens {
        return Answer::of(filler(count));
    }
    let echo = match tool_result {
        Some(text) => format!("The tool said: {}", start(&text)),
        None => match request.last_user_text() {
            Some(text) => format!("You said: {}", start(&text)),
            None => String::new(),
        },
    };
    let sentence = format!("{GREETING} {echo}");
    match &request.response_format {
        None | Some(ResponseFormat::Text) => Answer::of(words(&sentence)),
        Some(ResponseFormat::JsonObject) => document(&json!({ "answer": sentence.trim_end() })),
        Some(ResponseFormat::JsonSchema { json_schema }) => {
            document(&json_schema.schema.as_ref().map_or_else(|| json!({}), schema::example))
        }
    }
}

fn tool_call(function: &Function) -> Answer {
    let arguments = function.parameters.as_ref().map_or_else(|| json!({}), schema::example);
    Answer {
        tool: Some(function.name.clone()),
        tokens: pieces(&arguments.to_string()),
        finish_reason: "tool_calls",
    }
}

fn document(value: &Value) -> Answer {
    Answer::of(pieces(&value.to_string()))
}

/// A token is a word with the space before it.
fn words(text: &str) -> Vec<String> {
    let spaced = |(index, word): (usize, &str)| match index {
        0 => word.to_owned(),
        _ => format!(" {word}"),
    };
    text.split_whitespace().enumerate().map(spaced).collect()
}

/// JSON has few spaces, so there a token is a run of characters.
fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(PIECE_CHARS).map(|piece| piece.iter().collect()).collect()
}

fn filler(count: usize) -> Vec<String> {
    let mut tokens = words(GREETING);
    tokens.resize(count, " word".to_owned());
    tokens
}

fn start(text: &str) -> String {
    text.chars().take(ECHO_CHARS).collect()
}
