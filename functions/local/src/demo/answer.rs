//! What to say: the scripted sentence, a document that fits a schema, or a tool call.

use serde_json::{Value, json};

use super::asked::{Asked, Format, Last, Tool};
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
    pub(super) finish: Finish,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    Stop,
    Length,
    ToolCall,
}

pub(super) fn answer(script: &Script, asked: &Asked) -> Answer {
    let mut answer = complete_answer(script, asked);
    let limit = asked.max_tokens.filter(|limit| !script.deaf && *limit < answer.tokens.len());
    if let Some(limit) = limit {
        answer.tokens.truncate(limit);
        answer.finish = Finish::Length;
    }
    answer
}

impl Answer {
    pub(super) fn text(&self) -> String {
        self.tokens.concat()
    }

    fn of(tokens: Vec<String>) -> Self {
        Self { tool: None, tokens, finish: Finish::Stop }
    }
}

fn complete_answer(script: &Script, asked: &Asked) -> Answer {
    let echo = match (&asked.last, &asked.tool) {
        (Last::ToolResult(text), _) => format!("The tool said: {}", start(text)),
        (_, Some(tool)) if script.tool => return tool_call(tool),
        (Last::Said(text), _) => format!("You said: {}", start(text)),
        (Last::Nothing, _) => String::new(),
    };
    if let Some(count) = script.tokens {
        return Answer::of(filler(count));
    }
    let sentence = format!("{GREETING} {echo}");
    match &asked.format {
        Format::Text => Answer::of(words(&sentence)),
        Format::Object => document(&json!({ "answer": sentence.trim_end() })),
        Format::Schema(schema) => document(&schema::example(schema)),
    }
}

fn tool_call(tool: &Tool) -> Answer {
    Answer {
        tool: Some(tool.name.clone()),
        tokens: pieces(&schema::example(&tool.schema).to_string()),
        finish: Finish::ToolCall,
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
