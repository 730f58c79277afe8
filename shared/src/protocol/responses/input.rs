//! Reads input items into messages.

mod content;

use std::collections::BTreeMap;

use serde_json::Value;

use super::field_list::LABELS;
use super::sealed::{Damaged, Sealed};
use crate::protocol::canonical::{Content, Message, ReasoningBlock, Role, ToolCall};
use crate::protocol::fields::{BadRequest, Fields, kind};

const ITEMS_MAX: usize = 16_384;

/// Takes `instructions` and `input`.
pub(super) fn read(fields: &mut Fields) -> Result<Vec<Message>, BadRequest> {
    let wrong = |text: String| BadRequest::new("input", text);
    let instructions = fields.string("instructions")?;
    let mut conversation = Conversation::default();
    match fields.required("input")? {
        Value::String(text) => conversation.messages.push(Message::text(Role::User, text)),
        Value::Array(items) if items.len() > ITEMS_MAX => {
            return Err(wrong(format!("input may hold at most {ITEMS_MAX} items")));
        }
        Value::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                conversation.take(item, &format!("input[{index}]"))?;
            }
        }
        other => {
            return Err(wrong(format!("input must be a string or an array of items, got {}", kind(&other))));
        }
    }
    let said = conversation.finish();
    if said.is_empty() {
        return Err(wrong("input must hold at least one message".to_owned()));
    }
    let instructions = instructions.map(|text| Message::text(Role::System, text));
    Ok(instructions.into_iter().chain(said).collect())
}

/// The messages so far. The items of one assistant turn become one message.
#[derive(Debug, Default)]
struct Conversation {
    messages: Vec<Message>,
    /// The assistant's turn that is not over.
    turn: Option<Message>,
    /// Google's seals on calls, by the id of the call.
    seals: BTreeMap<String, String>,
}

impl Conversation {
    fn take(&mut self, item: Value, path: &str) -> Result<(), BadRequest> {
        let has = |name: &str| item.get(name).is_some_and(|value| !value.is_null());
        let untyped = if has("id") && !has("role") && !has("content") { "item_reference" } else { "message" };
        let mut item = Fields::at(item, path)?;
        match item.string("type")?.as_deref().unwrap_or(untyped) {
            "message" => self.message(item),
            "reasoning" => self.reasoning(item),
            "function_call" => self.call(item),
            "function_call_output" => self.output(item),
            "item_reference" => Err(BadRequest::new(
                path,
                format!(
                    "{path}: items are not stored here; send the item itself, as clients do that ask with store: false"
                ),
            )),
            other => Err(BadRequest::new(
                item.path("type"),
                format!(
                    "{}: {other:?} items are not supported; use message, reasoning, function_call or function_call_output",
                    item.path("type")
                ),
            )),
        }
    }

    fn message(&mut self, mut item: Fields) -> Result<(), BadRequest> {
        let role = role(&mut item)?;
        let content = content::read(&mut item, "content")?;
        labels_only(item)?;
        if role == Role::Assistant {
            self.speaker().content.append(content);
        } else {
            self.end_turn();
            self.messages.push(Message::new(role, content));
        }
        Ok(())
    }

    fn reasoning(&mut self, mut item: Fields) -> Result<(), BadRequest> {
        let summary = content::texts(&mut item, "summary", "summary_text")?;
        let whole = content::texts(&mut item, "content", "reasoning_text")?;
        let path = item.path("encrypted_content");
        let sealed = match item.string("encrypted_content")?.as_deref().map(Sealed::read) {
            None | Some(Ok(None)) => None,
            Some(Ok(Some(sealed))) => Some(sealed),
            Some(Err(Damaged)) => {
                return Err(BadRequest::new(&path, format!("{path} is not what a reply carried")));
            }
        };
        labels_only(item)?;
        let readable = if whole.is_empty() { summary } else { whole };
        let unsealed = |text| ReasoningBlock { text, ..ReasoningBlock::default() };
        let Sealed { blocks, calls } = sealed.unwrap_or_else(|| Sealed {
            blocks: readable.into_iter().map(unsealed).collect(),
            ..Sealed::default()
        });
        self.seals.extend(calls);
        if !blocks.is_empty() {
            self.speaker().reasoning.extend(blocks);
        }
        Ok(())
    }

    fn call(&mut self, mut item: Fields) -> Result<(), BadRequest> {
        let call = ToolCall {
            id: item.required_string("call_id")?,
            name: item.required_string("name")?,
            arguments: item.string("arguments")?.unwrap_or_default(),
            signature: None,
        };
        labels_only(item)?;
        self.turn.get_or_insert_with(silent_turn).tool_calls.push(call);
        Ok(())
    }

    fn output(&mut self, mut item: Fields) -> Result<(), BadRequest> {
        let call_id = item.required_string("call_id")?;
        let content = content::read(&mut item, "output")?;
        labels_only(item)?;
        self.end_turn();
        self.messages.push(Message { tool_call_id: Some(call_id), ..Message::new(Role::Tool, content) });
        Ok(())
    }

    /// The turn that takes what the assistant said or thought next. Whatever follows calls belongs
    /// to the turn that made them, since their results must follow that turn at once.
    fn speaker(&mut self) -> &mut Message {
        let is_over = |turn: &Message| turn.content != Content::None && turn.tool_calls.is_empty();
        if self.turn.as_ref().is_some_and(is_over) {
            self.end_turn();
        }
        self.turn.get_or_insert_with(silent_turn)
    }

    /// A thought that led to nothing is no turn: an answer may have been cut off inside it.
    fn end_turn(&mut self) {
        let speaks = |turn: &Message| turn.content != Content::None || !turn.tool_calls.is_empty();
        self.messages.extend(self.turn.take().filter(speaks));
    }

    fn finish(mut self) -> Vec<Message> {
        self.end_turn();
        for call in self.messages.iter_mut().flat_map(|message| &mut message.tool_calls) {
            call.signature = self.seals.remove(&call.id);
        }
        self.messages
    }
}

fn silent_turn() -> Message {
    Message::new(Role::Assistant, Content::None)
}

fn role(item: &mut Fields) -> Result<Role, BadRequest> {
    match item.required_string("role")?.as_str() {
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "system" => Ok(Role::System),
        "developer" => Ok(Role::Developer),
        other => {
            let path = item.path("role");
            let expected = "user, assistant, system or developer";
            Err(BadRequest::new(&path, format!("{path} must be {expected}, got {other:?}")))
        }
    }
}

/// Refuses members that nobody took and that are no labels.
fn labels_only(mut fields: Fields) -> Result<(), BadRequest> {
    for label in LABELS {
        fields.value(label);
    }
    fields.nothing_else()
}

#[cfg(test)]
mod tests;
