//! Responses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Call, Choice, Event, Told, assert_error, index, list, text};

pub(super) fn whole(body: &Value) -> Told {
    assert_eq!(body["object"], "response");
    assert!(["completed", "incomplete", "failed"].contains(&text(body, "status")), "{body}");
    assert_eq!(body["completed_at"].is_i64(), body["status"] == "completed", "{body}");
    assert_eq!(body["incomplete_details"].is_object(), body["status"] == "incomplete", "{body}");
    let finish = match body["incomplete_details"]["reason"].as_str() {
        Some(reason) => format!("incomplete:{reason}"),
        None => text(body, "status").to_owned(),
    };
    let mut choice = Choice { finish, ..Choice::default() };
    let mut ids = BTreeSet::new();
    for item in list(body, "output") {
        assert!(ids.insert(text(item, "id")), "an id stands twice: {body}");
        assert_ne!(item["status"], "in_progress", "{item}");
        add(&mut choice, item);
    }
    Told { choices: vec![choice], usage: body["usage"].clone(), failed: body["status"] == "failed" }
}

fn add(choice: &mut Choice, item: &Value) {
    match text(item, "type") {
        "reasoning" => {
            list(item, "summary").iter().for_each(|part| choice.thought += text(part, "text"));
            choice.sealed.extend(item["encrypted_content"].as_str().map(|sealed| json!(sealed)));
        }
        "message" => {
            for part in list(item, "content") {
                match text(part, "type") {
                    "output_text" => {
                        choice.text += text(part, "text");
                        choice.logprobs.extend(list(part, "logprobs").iter().cloned());
                    }
                    "refusal" => choice.refusal += text(part, "refusal"),
                    other => panic!("a part of type {other}"),
                }
            }
        }
        "function_call" => choice.calls.push(Call {
            id: text(item, "call_id").to_owned(),
            name: text(item, "name").to_owned(),
            arguments: text(item, "arguments").to_owned(),
        }),
        other => panic!("an item of type {other}"),
    }
}

/// An item as its events have told it so far.
struct Growing {
    item: Value,
    parts: Vec<Value>,
    /// The part that goes on.
    open_part: Option<usize>,
    arguments: String,
    done: bool,
}

pub(super) fn streamed(events: &[Event]) -> Told {
    let data: Vec<Value> = events.iter().map(Event::json).collect();
    for (at, (event, data)) in events.iter().zip(&data).enumerate() {
        assert_eq!(event.name.as_deref(), Some(text(data, "type")));
        assert_eq!(index(data, "sequence_number"), at, "{data}");
    }
    let error = data.iter().position(|data| data["type"] == "error");
    if error == Some(0) {
        // Nothing had begun.
        assert_error(&data[0]);
        assert_eq!(data.len(), 1);
        return Told { failed: true, ..Told::default() };
    }
    let last = data.last().expect("an event");
    let expected = format!("response.{}", text(&last["response"], "status"));
    assert_eq!(text(last, "type"), expected);
    assert_eq!(error, (expected == "response.failed").then(|| data.len() - 2), "an error, then the failure");
    assert_eq!(
        (&data[0]["type"], &data[1]["type"]),
        (&json!("response.created"), &json!("response.in_progress"))
    );
    let mut items: BTreeMap<usize, Growing> = BTreeMap::new();
    for data in &data[2..error.unwrap_or(data.len() - 1)] {
        step(&mut items, data);
    }
    let output = list(&last["response"], "output");
    assert_eq!(output.len(), items.len());
    for (at, growing) in &items {
        assert!(growing.done || error.is_some(), "item {at} never ends");
        assert!(!growing.done || output[*at] == growing.item, "item {at} ended as something else: {last}");
    }
    whole(&last["response"])
}

fn step(items: &mut BTreeMap<usize, Growing>, data: &Value) {
    let (kind, at) = (text(data, "type"), index(data, "output_index"));
    if kind == "response.output_item.added" {
        assert_eq!(at, items.len(), "{data}");
        let item = data["item"].clone();
        let growing =
            Growing { item, parts: Vec::new(), open_part: None, arguments: String::new(), done: false };
        items.insert(at, growing);
        return;
    }
    let growing = items.get_mut(&at).unwrap_or_else(|| panic!("no item: {data}"));
    assert!(!growing.done, "the item is done: {data}");
    if kind == "response.output_item.done" {
        end(growing, &data["item"]);
        return;
    }
    assert_eq!(data["item_id"], growing.item["id"], "{data}");
    match kind {
        "response.function_call_arguments.delta" => growing.arguments += text(data, "delta"),
        "response.function_call_arguments.done" => assert_eq!(text(data, "arguments"), growing.arguments),
        _ => part_step(growing, kind, data),
    }
}

fn part_step(growing: &mut Growing, kind: &str, data: &Value) {
    let is_summary = growing.item["type"] == "reasoning";
    let at = index(data, if is_summary { "summary_index" } else { "content_index" });
    let member =
        if data["type"].as_str().is_some_and(|kind| kind.contains("refusal")) { "refusal" } else { "text" };
    match kind {
        "response.content_part.added" | "response.reasoning_summary_part.added" => {
            assert!(growing.open_part.is_none() && at == growing.parts.len(), "{data}");
            growing.open_part = Some(at);
            growing.parts.push(data["part"].clone());
            return;
        }
        _ => assert_eq!(growing.open_part, Some(at), "{data}"),
    }
    match kind {
        "response.output_text.delta" | "response.refusal.delta" | "response.reasoning_summary_text.delta" => {
            let more = text(&growing.parts[at], member).to_owned() + text(data, "delta");
            growing.parts[at][member] = json!(more);
            let have = growing.parts[at].get_mut("logprobs").and_then(Value::as_array_mut);
            if let (Some(have), Some(more)) = (have, data["logprobs"].as_array()) {
                have.extend(more.iter().cloned());
            }
        }
        "response.output_text.done" | "response.refusal.done" | "response.reasoning_summary_text.done" => {
            assert_eq!(data[member], growing.parts[at][member], "{data}");
        }
        "response.content_part.done" | "response.reasoning_summary_part.done" => {
            assert_eq!(data["part"], growing.parts[at]);
            growing.open_part = None;
        }
        other => panic!("an event {other}"),
    }
}

fn end(growing: &mut Growing, item: &Value) {
    assert!(growing.open_part.is_none(), "a part is open: {item}");
    for name in ["id", "type", "call_id"] {
        assert_eq!(item[name], growing.item[name]);
    }
    match text(item, "type") {
        "reasoning" => assert_eq!(list(item, "summary"), growing.parts),
        "message" => assert_eq!(list(item, "content"), growing.parts),
        _ => assert_eq!(text(item, "arguments"), growing.arguments),
    }
    growing.item = item.clone();
    growing.done = true;
}
