//! A whole answer, assembled from a stream or replayed as one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical::{Chunk, Delta, FinishReason, ReasoningBlock, ReasoningDelta, ToolCall, ToolCallDelta};
use crate::domain::usage::TokenUsage;

/// Everything a model answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// The model's own name for itself.
    pub model: Option<String>,
    pub fingerprint: Option<String>,
    pub choices: Vec<Choice>,
    pub usage: TokenUsage,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choice {
    pub content: Option<String>,
    pub refusal: Option<String>,
    pub reasoning: Vec<ReasoningBlock>,
    pub tool_calls: Vec<ToolCall>,
    pub logprobs: Option<Value>,
    pub finish: Option<FinishReason>,
}

/// Choices an answer may have; `n` is bounded likewise.
pub const CHOICES_MAX: u32 = 128;
/// Tool calls one choice may hold, against a provider that numbers them absurdly.
const TOOL_CALLS_MAX: u32 = 1024;

impl Answer {
    pub fn push(&mut self, chunk: &Chunk) {
        self.model = self.model.take().or_else(|| chunk.model.clone());
        self.fingerprint = self.fingerprint.take().or_else(|| chunk.fingerprint.clone());
        for delta in chunk.deltas.iter().filter(|delta| delta.choice < CHOICES_MAX) {
            let index = delta.choice as usize;
            if self.choices.len() <= index {
                self.choices.resize_with(index + 1, Choice::default);
            }
            self.choices[index].push(delta);
        }
        if let Some(usage) = chunk.usage {
            self.usage = usage;
        }
    }

    /// Every choice asked for came to its end.
    pub fn is_complete(&self, choices: u64) -> bool {
        self.choices.len() as u64 >= choices && self.choices.iter().all(|choice| choice.finish.is_some())
    }

    /// Fit to be served again: one choice that stopped by itself and calls no tool.
    pub fn is_cacheable(&self) -> bool {
        match self.choices.as_slice() {
            [choice] => {
                choice.finish.as_ref().is_some_and(FinishReason::is_stop)
                    && choice.tool_calls.is_empty()
                    && choice.refusal.is_none()
            }
            _ => false,
        }
    }

    /// The answer as deltas, for a caller who streams.
    pub fn deltas(&self) -> Vec<Delta> {
        let numbered = self.choices.iter().zip(0_u32..);
        numbered.flat_map(|(choice, index)| choice.deltas(index)).collect()
    }
}

impl Choice {
    fn push(&mut self, delta: &Delta) {
        append(&mut self.content, delta.content.as_deref());
        append(&mut self.refusal, delta.refusal.as_deref());
        if let Some(reasoning) = &delta.reasoning {
            push_reasoning(&mut self.reasoning, reasoning);
        }
        delta
            .tool_calls
            .iter()
            .filter(|call| call.index < TOOL_CALLS_MAX)
            .for_each(|call| self.push_tool_call(call));
        if let Some(logprobs) = &delta.logprobs {
            merge_logprobs(self.logprobs.get_or_insert(Value::Null), logprobs);
        }
        if delta.finish.is_some() {
            self.finish.clone_from(&delta.finish);
        }
    }

    fn push_tool_call(&mut self, delta: &ToolCallDelta) {
        let index = delta.index as usize;
        if self.tool_calls.len() <= index {
            self.tool_calls.resize_with(index + 1, ToolCall::default);
        }
        let call = &mut self.tool_calls[index];
        if let Some(id) = &delta.id {
            call.id.clone_from(id);
        }
        if let Some(name) = &delta.name {
            call.name.push_str(name);
        }
        call.arguments.push_str(&delta.arguments);
        if delta.signature.is_some() {
            call.signature.clone_from(&delta.signature);
        }
    }

    /// Everything readable of the reasoning.
    pub fn reasoning_text(&self) -> Option<String> {
        let text: String = self.reasoning.iter().map(|block| block.text.as_str()).collect();
        (!text.is_empty()).then_some(text)
    }

    fn deltas(&self, choice: u32) -> Vec<Delta> {
        let numbered = self.tool_calls.iter().zip(0_u32..);
        let whole = |(call, index): (&ToolCall, u32)| ToolCallDelta {
            index,
            id: Some(call.id.clone()),
            name: Some(call.name.clone()),
            arguments: call.arguments.clone(),
            signature: call.signature.clone(),
        };
        let thought = self.reasoning.iter().map(|block| Delta {
            choice,
            reasoning: Some(block.into()),
            ..Delta::default()
        });
        let content = Delta {
            choice,
            content: self.content.clone(),
            refusal: self.refusal.clone(),
            reasoning: None,
            tool_calls: numbered.map(whole).collect(),
            logprobs: self.logprobs.clone(),
            finish: None,
        };
        let finish = Delta { choice, finish: self.finish.clone(), ..Delta::default() };
        thought.chain([content, finish]).collect()
    }
}

impl From<&ReasoningBlock> for ReasoningDelta {
    fn from(block: &ReasoningBlock) -> Self {
        ReasoningDelta {
            text: block.redacted.is_none().then(|| block.text.clone()),
            signature: block.signature.clone(),
            redacted: block.redacted.clone(),
        }
    }
}

/// Adds an increment to the blocks so far.
pub(super) fn push_reasoning(blocks: &mut Vec<ReasoningBlock>, delta: &ReasoningDelta) {
    if let Some(redacted) = &delta.redacted {
        blocks.push(ReasoningBlock { redacted: Some(redacted.clone()), ..ReasoningBlock::default() });
    }
    if delta.text.is_none() && delta.signature.is_none() {
        return;
    }
    let is_open = |block: &ReasoningBlock| block.signature.is_none() && block.redacted.is_none();
    if !blocks.last().is_some_and(is_open) {
        blocks.push(ReasoningBlock::default());
    }
    if let Some(block) = blocks.last_mut() {
        block.text.push_str(delta.text.as_deref().unwrap_or_default());
        block.signature.clone_from(&delta.signature);
    }
}

fn append(text: &mut Option<String>, more: Option<&str>) {
    if let Some(more) = more {
        text.get_or_insert_default().push_str(more);
    }
}

/// Streams carry log probabilities piecewise: `{"content": [..]}`. The lists are joined.
fn merge_logprobs(whole: &mut Value, part: &Value) {
    let (Value::Object(whole), Value::Object(part)) = (&mut *whole, part) else {
        if whole.is_null() {
            *whole = part.clone();
        }
        return;
    };
    for (name, value) in part {
        match (whole.get_mut(name), value) {
            (Some(Value::Array(have)), Value::Array(more)) => have.extend(more.iter().cloned()),
            (None | Some(Value::Null), value) => {
                whole.insert(name.clone(), value.clone());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Chunk {
        let delta = Delta { content: Some(text.to_owned()), ..Delta::default() };
        Chunk { deltas: vec![delta], ..Chunk::default() }
    }

    #[test]
    fn an_answer_replayed_as_deltas_assembles_to_itself() {
        let mut answer = Answer::default();
        let thought = |reasoning| Chunk {
            deltas: vec![Delta { reasoning: Some(reasoning), ..Delta::default() }],
            ..Chunk::default()
        };
        answer.push(&thought(ReasoningDelta::text("I think")));
        answer.push(&thought(ReasoningDelta { signature: Some("s".into()), ..ReasoningDelta::default() }));
        answer.push(&thought(ReasoningDelta { redacted: Some("r".into()), ..ReasoningDelta::default() }));
        answer.push(&thought(ReasoningDelta::text("again")));
        answer.push(&content("Hel"));
        answer.push(&content("lo"));
        let call = |id: Option<&str>, arguments: &str| Chunk {
            deltas: vec![Delta {
                tool_calls: vec![ToolCallDelta {
                    index: 0,
                    id: id.map(str::to_owned),
                    name: id.map(|_| "f".to_owned()),
                    arguments: arguments.to_owned(),
                    signature: None,
                }],
                ..Delta::default()
            }],
            ..Chunk::default()
        };
        answer.push(&call(Some("c1"), "{\"a\""));
        answer.push(&call(None, ":1}"));
        answer.push(&Chunk {
            deltas: vec![Delta { finish: Some(FinishReason::ToolCalls), ..Delta::default() }],
            ..Chunk::default()
        });
        assert_eq!(answer.choices[0].content.as_deref(), Some("Hello"));
        assert_eq!(answer.choices[0].reasoning_text().as_deref(), Some("I thinkagain"));
        assert_eq!(answer.choices[0].reasoning.len(), 3);
        assert_eq!(answer.choices[0].tool_calls[0].arguments, "{\"a\":1}");
        assert!(answer.is_complete(1) && !answer.is_complete(2) && !answer.is_cacheable());

        let mut again = Answer::default();
        again.push(&Chunk { deltas: answer.deltas(), ..Chunk::default() });
        assert_eq!(again, answer);
    }

    #[test]
    fn absurd_indices_are_not_believed() {
        let mut answer = Answer::default();
        let delta = Delta { choice: u32::MAX, content: Some("x".into()), ..Delta::default() };
        answer.push(&Chunk { deltas: vec![delta], ..Chunk::default() });
        assert!(answer.choices.is_empty());
    }
}
