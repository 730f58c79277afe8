//! Messages.

use serde_json::{Value, json};

use super::{Call, Choice, Event, Told, assert_error, index, list, text};

pub(super) fn whole(body: &Value) -> Told {
    assert_message(body);
    let mut choice = Choice { finish: finish(body), ..Choice::default() };
    for block in list(body, "content") {
        add(&mut choice, block, &block["input"].to_string());
    }
    Told { choices: vec![choice], usage: body["usage"].clone(), failed: false }
}

/// A block that is whole; `input` is what a call's deltas came to.
fn add(choice: &mut Choice, block: &Value, input: &str) {
    match text(block, "type") {
        "text" => choice.text += text(block, "text"),
        "thinking" => {
            choice.thought += text(block, "thinking");
            let signature = text(block, "signature");
            if !signature.is_empty() {
                choice.sealed.push(json!({ "signature": signature }));
            }
        }
        "redacted_thinking" => choice.sealed.push(json!({ "data": text(block, "data") })),
        "tool_use" => choice.calls.push(Call {
            id: text(block, "id").to_owned(),
            name: text(block, "name").to_owned(),
            arguments: input.to_owned(),
        }),
        other => panic!("a block of type {other}"),
    }
}

fn assert_message(message: &Value) {
    assert_eq!((&message["type"], &message["role"]), (&json!("message"), &json!("assistant")));
    assert!(text(message, "id").starts_with("msg_") && !text(message, "model").is_empty(), "{message}");
    assert!(message["usage"]["input_tokens"].is_u64(), "{message}");
}

fn finish(facts: &Value) -> String {
    match facts["stop_sequence"].as_str() {
        Some(sequence) => format!("{}:{sequence}", text(facts, "stop_reason")),
        None => text(facts, "stop_reason").to_owned(),
    }
}

/// The block that is being told.
struct Open {
    block: Value,
    input: String,
}

pub(super) fn streamed(events: &[Event]) -> Told {
    let (last, rest) = events.split_last().expect("an event");
    let failed = text(&last.json(), "type") == "error";
    if failed {
        assert_error(&last.json()["error"]);
    } else {
        assert_eq!(text(&last.json(), "type"), "message_stop");
    }
    let mut choice = Choice::default();
    let mut usage = Value::Null;
    let (mut open, mut blocks) = (None, 0);
    for (at, event) in rest.iter().enumerate() {
        let data = event.json();
        let kind = text(&data, "type");
        assert_eq!(event.name.as_deref(), Some(kind));
        assert_eq!(kind == "message_start", at == 0, "event {at} is {kind}");
        assert!(usage.is_null(), "{kind} after message_delta");
        match kind {
            "message_start" => {
                assert_message(&data["message"]);
                assert!(
                    data["message"]["stop_reason"].is_null() && list(&data["message"], "content").is_empty()
                );
            }
            "content_block_start" => {
                assert!(open.is_none() && index(&data, "index") == blocks, "{data}");
                open = Some(Open { block: data["content_block"].clone(), input: String::new() });
                blocks += 1;
            }
            "content_block_delta" => {
                assert_eq!(index(&data, "index") + 1, blocks);
                extend(open.as_mut().expect("a block is open"), &data["delta"]);
            }
            "content_block_stop" => {
                assert_eq!(index(&data, "index") + 1, blocks);
                let Open { block, input } = open.take().expect("a block is open");
                add(&mut choice, &block, if input.is_empty() { "{}" } else { &input });
            }
            "message_delta" => {
                choice.finish = finish(&data["delta"]);
                usage = data["usage"].clone();
            }
            other => panic!("an event {other}"),
        }
    }
    assert!(failed || (open.is_none() && !usage.is_null()), "the message is not ended");
    Told { choices: vec![choice], usage, failed }
}

fn extend(open: &mut Open, delta: &Value) {
    let (kind, member, delta_member) = match text(delta, "type") {
        "text_delta" => ("text", "text", "text"),
        "thinking_delta" => ("thinking", "thinking", "thinking"),
        "signature_delta" => ("thinking", "signature", "signature"),
        "input_json_delta" => {
            assert_eq!(open.block["type"], "tool_use");
            open.input += text(delta, "partial_json");
            return;
        }
        other => panic!("a delta {other}"),
    };
    assert_eq!(open.block["type"], kind, "{delta}");
    let more = text(&open.block, member).to_owned() + text(delta, delta_member);
    open.block[member] = json!(more);
}
