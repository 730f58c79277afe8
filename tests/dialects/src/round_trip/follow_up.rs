//! The reply goes into the history of the caller's next request, as every client sends it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use shared::protocol::answer::{Answer, Choice};
use shared::protocol::canonical::{Message, ReasoningBlock, Role};
use shared::protocol::dialect::Dialect;
use shared::protocol::inbound::Inbound;
use shared::protocol::outbound::{Flavour, Outbound};
use shared::protocol::responses::references;
use shared::protocol::support;

use super::{Kind, Record, is_empty, read, record, sent};
use crate::exchange::REQUEST_ID;
use crate::outbounds::Target;

/// Asks on. What the model said, called and thought must have survived the caller's hands.
pub(super) fn run(
    dialect: Dialect,
    target: &Target,
    request: &Value,
    whole: &Value,
    answer: &Answer,
) -> Vec<Record> {
    let [choice] = answer.choices.as_slice() else {
        return Vec::new();
    };
    let speaks =
        choice.content.as_ref().is_some_and(|text| !text.is_empty()) || !choice.tool_calls.is_empty();
    if !speaks {
        // Messages have no empty turns.
        return Vec::new();
    }
    if dialect == Dialect::Responses {
        assert_referable(whole, answer);
    }
    let next = match dialect {
        Dialect::Anthropic => after_messages(request, whole, choice),
        Dialect::Responses => after_responses(request, whole, choice),
        Dialect::OpenAi | Dialect::Seed => after_chat(request, whole, choice),
    };
    let inbound = read(dialect, &next);
    assert_remembered(&inbound, choice, dialect);
    let is_broken = choice.tool_calls.iter().any(|call| call.input().is_err());
    match support::check(&inbound.request, target.outbound, target.model) {
        Ok(()) => {
            let sent = sent(target, &inbound);
            assert_seals_are_back(&sent.body, choice, target, dialect);
            vec![record(Kind::Request, next), sent]
        }
        Err(refused) => {
            assert!(is_broken, "{refused:?} in what follows an answer: {next}");
            Vec::new()
        }
    }
}

fn results<T>(choice: &Choice, make: impl Fn(&str) -> T, otherwise: T) -> Vec<T> {
    match choice.tool_calls.is_empty() {
        true => vec![otherwise],
        false => choice.tool_calls.iter().map(|call| make(&call.id)).collect(),
    }
}

fn after_chat(request: &Value, whole: &Value, choice: &Choice) -> Value {
    let mut next = request.clone();
    let result = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": "7 degrees" });
    let more = results(choice, result, json!({ "role": "user", "content": "and then?" }));
    if let Some(messages) = next["messages"].as_array_mut() {
        messages.push(whole["choices"][0]["message"].clone());
        messages.extend(more);
    }
    next
}

fn after_responses(request: &Value, whole: &Value, choice: &Choice) -> Value {
    let mut next = request.clone();
    if let Some(text) = request["input"].as_str() {
        next["input"] = json!([{ "role": "user", "content": text }]);
    }
    let result = |id: &str| json!({ "type": "function_call_output", "call_id": id, "output": "7 degrees" });
    let more = results(choice, result, json!({ "role": "user", "content": "and then?" }));
    if let (Some(items), Some(output)) = (next["input"].as_array_mut(), whole["output"].as_array()) {
        items.extend(output.iter().cloned());
        items.extend(more);
    }
    next
}

fn after_messages(request: &Value, whole: &Value, choice: &Choice) -> Value {
    let mut next = request.clone();
    let result = |id: &str| json!({ "type": "tool_result", "tool_use_id": id, "content": "7 degrees" });
    let more = results(choice, result, json!({ "type": "text", "text": "and then?" }));
    if let Some(messages) = next["messages"].as_array_mut() {
        messages.push(json!({ "role": "assistant", "content": whole["content"] }));
        messages.push(json!({ "role": "user", "content": more }));
    }
    next
}

/// A caller may name the items of a reply instead of sending them back.
fn assert_referable(whole: &Value, answer: &Answer) {
    let items = whole["output"].as_array().cloned().unwrap_or_default();
    let reference = |item: &Value| json!({ "type": "item_reference", "id": item["id"] });
    let references: Vec<Value> = items.iter().map(reference).collect();
    let mut body = Map::from_iter([("input".to_owned(), json!(references))]);
    assert_eq!(references::requests_of(&body), BTreeSet::from([REQUEST_ID.to_owned()]));
    let kept = BTreeMap::from([(REQUEST_ID.to_owned(), answer.clone())]);
    references::restore(&mut body, &kept).unwrap_or_else(|fault| panic!("{fault:?}"));
    assert_eq!(body["input"], json!(items));
}

/// The assistant's last turn is the answer.
fn assert_remembered(inbound: &Inbound, choice: &Choice, dialect: Dialect) {
    let is_assistant = |message: &&Message| message.role == Role::Assistant;
    let turn = inbound.request.messages.iter().rfind(is_assistant).expect("the turn");
    assert_eq!(turn.joined_text(), choice.content.clone().unwrap_or_default());
    assert_eq!(is_empty(&turn.content), turn.joined_text().is_empty());
    assert_eq!(turn.tool_calls.len(), choice.tool_calls.len());
    for (call, made) in turn.tool_calls.iter().zip(&choice.tool_calls) {
        assert_eq!((&call.id, &call.name), (&made.id, &made.name));
        match made.input() {
            Ok(input) => assert_eq!(call.input(), Ok(input)),
            Err(_) => assert!(
                call.arguments.contains(made.arguments.trim_end_matches('\\'))
                    || dialect == Dialect::Anthropic
            ),
        }
        // Messages have no place for Google's seals.
        if dialect != Dialect::Anthropic {
            assert_eq!(call.signature, made.signature);
        }
    }
    let sealed = |blocks: &[ReasoningBlock]| {
        blocks
            .iter()
            .filter(|block| block.signature.is_some() || block.redacted.is_some())
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(sealed(&turn.reasoning), sealed(&choice.reasoning));
    let text: String = turn.reasoning.iter().map(|block| block.text.as_str()).collect();
    assert_eq!(text, choice.reasoning_text().unwrap_or_default());
}

/// A vendor that sealed its thoughts wants them back. Messages have no place for Google's.
fn assert_seals_are_back(sent: &Value, choice: &Choice, target: &Target, dialect: Dialect) {
    let blocks = choice.reasoning.iter().flat_map(|block| [&block.signature, &block.redacted]);
    let calls = choice.tool_calls.iter().map(|call| &call.signature);
    let seals: Vec<&String> = match target.outbound {
        Outbound::Anthropic | Outbound::Bedrock => blocks.flatten().collect(),
        Outbound::OpenAi(Flavour::Google) if dialect != Dialect::Anthropic => calls.flatten().collect(),
        Outbound::OpenAi(_) => Vec::new(),
    };
    let text = sent.to_string();
    for seal in seals {
        assert!(text.contains(seal.as_str()), "{seal} is not sent back: {text}");
    }
}
