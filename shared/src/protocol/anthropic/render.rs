//! Writes replies in the Messages dialect.

use serde::Serialize;
use serde_json::{Value, json};

use super::message::input;
use super::usage;
use crate::domain::usage::TokenUsage;
use crate::protocol::answer::{Answer, Choice};
use crate::protocol::canonical::{Chunk, Delta, FinishReason, ReasoningDelta, ToolCall, ToolCallDelta};
use crate::protocol::dialect::{Dialect, Renderer, ReplyHead, Summary};
use crate::protocol::error::ErrorReport;
use crate::protocol::openai::message::write_thinking;
use crate::protocol::sse;

/// A stream of blocks, one after another and numbered without a gap. The dialect has a single
/// answer, so further choices are not shown.
///
/// A call is written while it arrives. What arrives before it is complete and belongs to another
/// block waits until the end, since a block that was closed cannot be opened again.
#[derive(Debug, Default)]
pub struct Stream {
    head: Option<ReplyHead>,
    /// Blocks that were begun.
    blocks: u32,
    open: Option<Open>,
    /// What waits for the open call.
    waiting: Answer,
    ending: Ending,
}

/// How the answer ended, as far as it is known.
#[derive(Debug, Default)]
struct Ending {
    finish: Option<FinishReason>,
    refused: bool,
    calls: bool,
}

#[derive(Serialize)]
struct BlockDelta<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    index: u32,
    delta: Added<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Added<'a> {
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "input_json_delta")]
    Json { partial_json: &'a str },
}

/// The block that is being written.
#[derive(Debug, PartialEq)]
enum Open {
    Thinking,
    Text,
    /// Its block begins with its first argument, when its name is sure to be whole.
    Call {
        call: ToolCallDelta,
        begun: bool,
    },
}

/// What one increment adds to one block.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Thought(&'a ReasoningDelta),
    Text(&'a str),
    Call(&'a ToolCallDelta),
}

impl Renderer for Stream {
    fn start(&mut self, head: ReplyHead) -> String {
        let message = message(&head, Vec::new(), &head.usage);
        self.head = Some(head);
        event("message_start", json!({ "message": message }))
    }

    fn delta(&mut self, delta: &Delta) -> String {
        if delta.choice > 0 {
            return String::new();
        }
        self.ending.refused |= delta.refusal.as_ref().is_some_and(|text| !text.is_empty());
        if delta.finish.is_some() {
            self.ending.finish.clone_from(&delta.finish);
        }
        let mut text = String::new();
        for piece in pieces(delta) {
            match self.must_wait(piece) {
                true => self.waiting.push(&piece.alone()),
                false => text += &self.write(piece),
            }
        }
        text
    }

    fn end(&mut self, summary: &Summary) -> String {
        let mut text = self.close();
        let waiting = std::mem::take(&mut self.waiting).deltas();
        for piece in waiting.iter().flat_map(pieces) {
            text += &self.write(piece);
        }
        text += &self.close();
        let (reason, sequence) = self.ending.words();
        let delta = json!({ "stop_reason": reason, "stop_sequence": sequence });
        text += &event("message_delta", json!({ "delta": delta, "usage": usage::write(&summary.usage) }));
        text + &event("message_stop", json!({}))
    }

    fn error(&mut self, report: &ErrorReport) -> String {
        sse::named_event("error", &report.body(Dialect::Anthropic).to_string())
    }
}

impl Stream {
    fn must_wait(&self, piece: Piece<'_>) -> bool {
        match (&self.open, piece) {
            (Some(Open::Call { call: open, .. }), Piece::Call(call)) => open.index != call.index,
            (Some(Open::Call { .. }), Piece::Thought(_) | Piece::Text(_)) => true,
            (Some(Open::Thinking | Open::Text) | None, _) => false,
        }
    }

    fn write(&mut self, piece: Piece<'_>) -> String {
        match piece {
            Piece::Thought(ReasoningDelta { redacted: Some(data), .. }) => {
                let before = self.close();
                let block = json!({ "type": "redacted_thinking", "data": data });
                before + &self.begin(block) + &self.finish_block()
            }
            Piece::Thought(thought) => self.think(thought),
            Piece::Text(text) => {
                let before = self.enter(Open::Text, || json!({ "type": "text", "text": "" }));
                before + &self.add(Added::Text { text })
            }
            Piece::Call(call) => self.call(call),
        }
    }

    /// A signature ends the block that it seals.
    fn think(&mut self, thought: &ReasoningDelta) -> String {
        let empty = || json!({ "type": "thinking", "thinking": "", "signature": "" });
        let mut text = self.enter(Open::Thinking, empty);
        if let Some(thinking) = thought.text.as_ref().filter(|thinking| !thinking.is_empty()) {
            text += &self.add(Added::Thinking { thinking });
        }
        if let Some(signature) = &thought.signature {
            text += &self.add(Added::Signature { signature });
            text += &self.close();
        }
        text
    }

    fn call(&mut self, delta: &ToolCallDelta) -> String {
        let mut text = String::new();
        if !matches!(&self.open, Some(Open::Call { call, .. }) if call.index == delta.index) {
            text += &self.close();
            let call = ToolCallDelta { index: delta.index, ..ToolCallDelta::default() };
            self.open = Some(Open::Call { call, begun: false });
            self.ending.calls = true;
        }
        if let Some(Open::Call { call, begun: false }) = &mut self.open {
            call.id = call.id.take().or_else(|| delta.id.clone());
            call.name.get_or_insert_default().push_str(delta.name.as_deref().unwrap_or_default());
        }
        if !delta.arguments.is_empty() {
            text += &self.begin_call();
            text += &self.add(Added::Json { partial_json: &delta.arguments });
        }
        text
    }

    /// Begins the block of the open call, unless it has begun.
    fn begin_call(&mut self) -> String {
        let Some(Open::Call { call, begun }) = &mut self.open else {
            return String::new();
        };
        if std::mem::replace(begun, true) {
            return String::new();
        }
        let id = call_id(self.head.as_ref(), call.id.as_deref().unwrap_or_default(), call.index as usize);
        let block = json!({ "type": "tool_use", "id": id, "name": call.name, "input": {} });
        self.begin(block)
    }

    /// Makes `block` the open one, unless it is.
    fn enter(&mut self, block: Open, empty: impl FnOnce() -> Value) -> String {
        if self.open.as_ref() == Some(&block) {
            return String::new();
        }
        let before = self.close();
        self.open = Some(block);
        before + &self.begin(empty())
    }

    fn begin(&mut self, block: Value) -> String {
        self.blocks += 1;
        event("content_block_start", json!({ "index": self.blocks - 1, "content_block": block }))
    }

    fn add(&self, delta: Added<'_>) -> String {
        let kind = "content_block_delta";
        let wire = BlockDelta { kind, index: self.last(), delta };
        sse::named_event(kind, &serde_json::to_string(&wire).unwrap_or_default())
    }

    fn close(&mut self) -> String {
        let before = self.begin_call();
        match self.open.take() {
            None => String::new(),
            Some(_) => before + &self.finish_block(),
        }
    }

    fn finish_block(&self) -> String {
        event("content_block_stop", json!({ "index": self.last() }))
    }

    /// The number of the block that was begun last.
    fn last(&self) -> u32 {
        self.blocks.saturating_sub(1)
    }
}

/// The pieces of an increment that say something, in the order of the dialect.
fn pieces(delta: &Delta) -> impl Iterator<Item = Piece<'_>> {
    let thought = delta.reasoning.iter().map(Piece::Thought);
    let texts = [&delta.content, &delta.refusal].into_iter().flatten().map(|text| Piece::Text(text));
    let calls = delta.tool_calls.iter().map(Piece::Call);
    thought.chain(texts).chain(calls).filter(|piece| !piece.is_empty())
}

impl Ending {
    /// `stop_reason` and `stop_sequence`. Some vendors call a stop what ended with a call of a tool
    /// or with a refusal.
    fn words(&self) -> (&'static str, Option<&str>) {
        match &self.finish {
            Some(FinishReason::StopSequence(sequence)) => ("stop_sequence", Some(sequence)),
            Some(FinishReason::Length) => ("max_tokens", None),
            Some(FinishReason::ContentFilter) => ("refusal", None),
            Some(FinishReason::ToolCalls) => ("tool_use", None),
            Some(FinishReason::Stop) | None if self.calls => ("tool_use", None),
            Some(FinishReason::Stop) | None if self.refused => ("refusal", None),
            Some(FinishReason::Stop) | None => ("end_turn", None),
        }
    }
}

impl Piece<'_> {
    fn is_empty(self) -> bool {
        let nothing = |part: &Option<String>| part.as_ref().is_none_or(String::is_empty);
        match self {
            Piece::Thought(thought) => {
                nothing(&thought.text) && nothing(&thought.signature) && nothing(&thought.redacted)
            }
            Piece::Text(text) => text.is_empty(),
            Piece::Call(call) => nothing(&call.id) && nothing(&call.name) && call.arguments.is_empty(),
        }
    }

    /// The piece as a chunk of its own.
    fn alone(self) -> Chunk {
        let delta = match self {
            Piece::Thought(thought) => Delta { reasoning: Some(thought.clone()), ..Delta::default() },
            Piece::Text(text) => Delta { content: Some(text.to_owned()), ..Delta::default() },
            Piece::Call(call) => Delta { tool_calls: vec![call.clone()], ..Delta::default() },
        };
        Chunk { deltas: vec![delta], ..Chunk::default() }
    }
}

/// The body of a plain answer.
pub fn whole(head: &ReplyHead, answer: &Answer, summary: &Summary) -> String {
    let nothing = Choice::default();
    let choice = answer.choices.first().unwrap_or(&nothing);
    let texts = [&choice.content, &choice.refusal].into_iter().flatten().filter(|text| !text.is_empty());
    let text = |text: &String| json!({ "type": "text", "text": text });
    let call = |(index, call): (usize, &ToolCall)| {
        let id = call_id(Some(head), &call.id, index);
        json!({ "type": "tool_use", "id": id, "name": call.name, "input": input(call) })
    };
    let content: Vec<Value> = choice
        .reasoning
        .iter()
        .map(write_thinking)
        .chain(texts.map(text))
        .chain(choice.tool_calls.iter().enumerate().map(call))
        .collect();
    let ending = Ending {
        finish: choice.finish.clone(),
        refused: choice.refusal.is_some(),
        calls: !choice.tool_calls.is_empty(),
    };
    let (reason, sequence) = ending.words();
    let mut message = message(head, content, &summary.usage);
    message["stop_reason"] = json!(reason);
    message["stop_sequence"] = json!(sequence);
    message.to_string()
}

fn message(head: &ReplyHead, content: Vec<Value>, usage: &TokenUsage) -> Value {
    json!({
        "id": format!("msg_{}", head.request_id),
        "type": "message",
        "role": "assistant",
        "model": head.model,
        "content": content,
        "stop_reason": null,
        "stop_sequence": null,
        "usage": usage::write(usage),
    })
}

/// The call's own id, or one made up for a vendor that gave none: results must name it.
fn call_id(head: Option<&ReplyHead>, own: &str, index: usize) -> String {
    match own {
        "" => format!("toolu_{}_{index}", head.map_or("", |head| &head.request_id)),
        own => own.to_owned(),
    }
}

/// One event; its data repeat its name.
fn event(name: &str, mut data: Value) -> String {
    data["type"] = json!(name);
    sse::named_event(name, &data.to_string())
}

#[cfg(test)]
mod tests;
