//! A conversation that comes before the question, drawn once and worded by each dialect.

use serde_json::{Map, Value};

use super::Dice;
use super::parts::DrawnTool;

/// Anything that was said.
#[derive(Clone, Debug)]
pub enum Turn {
    User(Vec<Said>),
    Assistant(AssistantTurn),
    /// What tools returned, in the order of the calls.
    Results(Vec<ToolResult>),
}

#[derive(Clone, Debug)]
pub enum Said {
    Text {
        text: String,
        cached: bool,
    },
    /// As [`Dice::image`] draws it.
    Image(Result<(&'static str, &'static str), &'static str>),
}

#[derive(Clone, Debug, Default)]
pub struct AssistantTurn {
    pub thought: Option<Thought>,
    pub text: Option<String>,
    pub calls: Vec<Call>,
}

#[derive(Clone, Debug)]
pub enum Thought {
    Sealed { text: String, signature: String },
    Redacted(String),
    Open(String),
}

#[derive(Clone, Debug)]
pub struct Call {
    pub id: String,
    pub name: &'static str,
    pub input: Map<String, Value>,
}

#[derive(Clone, Debug)]
pub struct ToolResult {
    pub id: String,
    pub said: Vec<Said>,
    pub failed: bool,
}

impl Dice<'_> {
    /// Turns that alternate and end with the user's question or with what tools returned.
    pub fn history(&mut self, tools: &[DrawnTool]) -> Vec<Turn> {
        let mut turns = vec![Turn::User(self.said())];
        for _ in 0..self.below(3) {
            let turn = self.assistant(tools);
            let results: Vec<ToolResult> = turn.calls.iter().map(|call| self.result(call)).collect();
            turns.push(Turn::Assistant(turn));
            match results.is_empty() {
                true => turns.push(Turn::User(self.said())),
                false => turns.push(Turn::Results(results)),
            }
        }
        turns
    }

    fn said(&mut self) -> Vec<Said> {
        let text = |dice: &mut Self| Said::Text { text: dice.text(), cached: dice.chance(6) };
        let mut said = self.several(1, 2, text);
        if self.chance(12) {
            said.push(Said::Image(self.image()));
        }
        said
    }

    fn assistant(&mut self, tools: &[DrawnTool]) -> AssistantTurn {
        let calls = match tools.is_empty() || !self.chance(60) {
            true => Vec::new(),
            false => self.several(1, 2, |dice| Call {
                id: dice.id("call_"),
                name: dice.pick(tools).name,
                input: dice.object(),
            }),
        };
        let text = if calls.is_empty() { Some(self.text()) } else { self.maybe(50, Dice::text) };
        AssistantTurn { thought: self.maybe(20, Dice::thought), text, calls }
    }

    fn thought(&mut self) -> Thought {
        match self.below(4) {
            0 | 1 => Thought::Sealed { text: self.text(), signature: self.id("c2ln") },
            2 => Thought::Redacted(self.id("cmVk")),
            _ => Thought::Open(self.text()),
        }
    }

    fn result(&mut self, call: &Call) -> ToolResult {
        let mut said = vec![Said::Text { text: self.text(), cached: false }];
        if self.chance(8) {
            said.push(Said::Image(self.image()));
        }
        ToolResult { id: call.id.clone(), said, failed: self.chance(10) }
    }
}
