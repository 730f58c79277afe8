//! Chat completions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Call, Choice, Event, Told, assert_error, index, list, text};

pub(super) fn whole(body: &Value) -> Told {
    assert_eq!(body["object"], "chat.completion");
    assert_head(body);
    let choices = list(body, "choices").iter().enumerate().map(|(at, choice)| {
        assert_eq!(index(choice, "index"), at);
        whole_choice(choice)
    });
    Told { choices: choices.collect(), usage: body["usage"].clone(), failed: false }
}

fn whole_choice(choice: &Value) -> Choice {
    let message = &choice["message"];
    assert_eq!(message["role"], "assistant");
    let calls = message["tool_calls"].as_array().into_iter().flatten().map(|call| {
        assert_eq!(call["type"], "function");
        let (id, name) = (text(call, "id").to_owned(), text(&call["function"], "name").to_owned());
        Call { id, name, arguments: text(&call["function"], "arguments").to_owned() }
    });
    let calls_sealed = message["tool_calls"].as_array().into_iter().flatten().filter_map(seal);
    Choice {
        text: or_nothing(&message["content"]),
        refusal: or_nothing(&message["refusal"]),
        thought: or_nothing(&message["reasoning_content"]),
        sealed: message["thinking_blocks"]
            .as_array()
            .into_iter()
            .flatten()
            .cloned()
            .chain(calls_sealed)
            .collect(),
        calls: calls.collect(),
        logprobs: choice["logprobs"]["content"].as_array().cloned().unwrap_or_default(),
        finish: or_nothing(&choice["finish_reason"]),
    }
}

fn seal(call: &Value) -> Option<Value> {
    let signature = call["extra_content"]["google"]["thought_signature"].as_str()?;
    Some(json!({ "thought_signature": signature }))
}

pub(super) fn streamed(events: &[Event]) -> Told {
    let mut told = Told::default();
    let (last, rest) = events.split_last().expect("an event");
    assert!(events.iter().all(|event| event.name.is_none()), "the dialect names no events");
    if last.data != "[DONE]" {
        assert_error(&last.json()["error"]);
        told.failed = true;
    }
    let chunks: Vec<Value> = rest.iter().map(Event::json).collect();
    for (at, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_head(chunk);
        for name in ["id", "created", "model", "system_fingerprint"] {
            assert_eq!(chunk[name], chunks[0][name], "{name} changes");
        }
        if !chunk["usage"].is_null() {
            assert_eq!(at, chunks.len() - 1, "usage comes last");
            assert!(list(chunk, "choices").is_empty(), "{chunk}");
            told.usage = chunk["usage"].clone();
        }
        list(chunk, "choices").iter().for_each(|choice| add(&mut told.choices, choice));
    }
    told
}

fn add(choices: &mut Vec<Choice>, choice: &Value) {
    let at = index(choice, "index");
    let is_new = choices.len() <= at;
    assert!(at <= choices.len(), "choice {at} begins out of order");
    if is_new {
        choices.push(Choice::default());
    }
    let (told, delta) = (&mut choices[at], &choice["delta"]);
    assert_eq!(delta.get("role").is_some(), is_new, "the role stands in the first chunk: {choice}");
    told.text += &or_nothing(&delta["content"]);
    told.refusal += &or_nothing(&delta["refusal"]);
    told.thought += &or_nothing(&delta["reasoning_content"]);
    told.sealed.extend(delta["thinking_blocks"].as_array().into_iter().flatten().cloned());
    for call in delta["tool_calls"].as_array().into_iter().flatten() {
        add_call(&mut told.calls, call);
        told.sealed.extend(seal(call));
    }
    told.logprobs.extend(choice["logprobs"]["content"].as_array().into_iter().flatten().cloned());
    if let Some(finish) = choice["finish_reason"].as_str() {
        finish.clone_into(&mut told.finish);
    }
}

fn add_call(calls: &mut Vec<Call>, call: &Value) {
    let at = index(call, "index");
    if calls.len() <= at {
        calls.resize_with(at + 1, Call::default);
    }
    if let Some(id) = call["id"].as_str() {
        assert_eq!(call["type"], "function");
        id.clone_into(&mut calls[at].id);
    }
    calls[at].name += call["function"]["name"].as_str().unwrap_or_default();
    calls[at].arguments += text(&call["function"], "arguments");
}

fn assert_head(body: &Value) {
    assert!(text(body, "id").starts_with("chatcmpl-") && body["created"].is_i64(), "{body}");
    assert!(!text(body, "model").is_empty(), "{body}");
}

fn or_nothing(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        other => other.as_str().unwrap_or_else(|| panic!("{other} is no text")).to_owned(),
    }
}

/// What holds of a chat stream only where the provider kept to the dialect, which is passed on as
/// it comes.
///
/// # Panics
/// When it does not hold.
pub fn assert_in_order(stream: &str) {
    let mut over = BTreeSet::new();
    for event in super::events(stream).iter().filter(|event| event.data != "[DONE]") {
        for choice in list(&event.json(), "choices") {
            let at = index(choice, "index");
            assert!(!over.contains(&at), "choice {at} goes on after its end: {choice}");
            if choice["finish_reason"].is_string() {
                over.insert(at);
            }
        }
    }
}
