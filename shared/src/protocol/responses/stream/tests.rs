mod made;

use made::{arguments, call, calls, finish, head, redacted, refusal, report, signed, summary, text, thinks};
use serde_json::{Value, json};

use super::super::sealed::Sealed;
use super::super::{input, render};
use super::*;
use crate::protocol::answer::Answer;
use crate::protocol::canonical::{Chunk, FinishReason, ReasoningBlock, ReasoningDelta, ToolCallDelta};
use crate::protocol::fields::Fields;
use crate::protocol::sse::SseReader;

/// The events in `text`, which are named and numbered as they must be.
fn events(text: &str, first: usize) -> Vec<Value> {
    let read = SseReader::default().feed(text.as_bytes()).expect("short lines");
    let events: Vec<Value> = read.iter().map(|data| serde_json::from_str(data).expect("JSON")).collect();
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(names, kinds);
    for (event, number) in events.iter().zip(first..) {
        assert_eq!(event["sequence_number"], number, "{event}");
    }
    events
}

/// The whole stream of an answer.
fn streamed(deltas: &[Delta]) -> Vec<Value> {
    let mut stream = Stream::default();
    let mut text = stream.start(head());
    text += &deltas.iter().map(|delta| stream.delta(delta)).collect::<String>();
    events(&(text + &stream.end(&summary())), 0)
}

/// The same answer as one reply.
fn whole(deltas: &[Delta]) -> Value {
    let mut answer = Answer::default();
    answer.push(&Chunk { deltas: deltas.to_vec(), ..Chunk::default() });
    serde_json::from_str(&render::whole(&head(), &answer, &summary())).expect("JSON")
}

/// One event in one line: its kind, its place, and what it says.
fn line(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap_or_default();
    let mut words = vec![kind.strip_prefix("response.").unwrap_or(kind).to_owned()];
    let places = ["item_id", "output_index", "content_index", "summary_index"];
    words.extend(places.iter().filter_map(|name| event.get(name)).map(place));
    let says = ["delta", "text", "refusal", "name", "arguments"];
    words.extend(says.iter().filter_map(|name| event.get(name)).map(Value::to_string));
    words.extend(["part", "item"].iter().filter_map(|name| event.get(name)).map(thing));
    words.extend(event.get("response").map(|response| place(&response["status"])));
    words.join(" ")
}

fn place(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn thing(thing: &Value) -> String {
    let members = ["type", "status", "text", "refusal", "arguments"];
    let said = members.iter().filter_map(|name| thing.get(name)).map(place);
    format!("[{}]", said.collect::<Vec<_>>().join("|"))
}

/// The lines between `response.in_progress` and the last event.
fn steps(events: &[Value]) -> Vec<String> {
    let lines: Vec<String> = events.iter().map(line).collect();
    assert_eq!(lines[..2], ["created in_progress", "in_progress in_progress"]);
    lines[2..lines.len() - 1].to_vec()
}

/// The stream ends as `status` with the object that the plain reply is.
fn assert_ends(events: &[Value], deltas: &[Delta], status: &str) {
    let last = events.last().expect("events");
    assert_eq!(line(last), format!("{status} {status}"));
    assert_eq!(last["response"], whole(deltas));
}

#[test]
fn text_is_told_event_by_event() {
    let deltas = [text(""), text("Hel"), text("lo"), finish(FinishReason::Stop)];
    let events = streamed(&deltas);
    let part = |text: &str| json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] });
    let item = |status: &str, content: Value| json!({ "type": "message", "id": "msg_R_0", "role": "assistant", "status": status, "content": content });
    let begun = json!({
        "id": "resp_R", "object": "response", "created_at": 1000, "completed_at": null, "status": "in_progress",
        "error": null, "incomplete_details": null, "model": "gpt-5", "output": [], "usage": null, "store": false, "tools": [],
    });
    let mut ended = begun.clone();
    ended["status"] = json!("completed");
    ended["completed_at"] = json!(1002);
    ended["output"] = json!([item("completed", json!([part("Hello")]))]);
    ended["usage"] = json!({
        "input_tokens": 10, "input_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
        "output_tokens": 5, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 15,
    });
    let at = |event: Value| {
        let mut event = event;
        event["item_id"] = json!("msg_R_0");
        event["output_index"] = json!(0);
        event["content_index"] = json!(0);
        event
    };
    let delta =
        |delta: &str| at(json!({ "type": "response.output_text.delta", "delta": delta, "logprobs": [] }));
    let expected = [
        json!({ "type": "response.created", "response": begun }),
        json!({ "type": "response.in_progress", "response": begun }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": item("in_progress", json!([])) }),
        at(json!({ "type": "response.content_part.added", "part": part("") })),
        delta("Hel"),
        delta("lo"),
        at(json!({ "type": "response.output_text.done", "text": "Hello", "logprobs": [] })),
        at(json!({ "type": "response.content_part.done", "part": part("Hello") })),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": item("completed", json!([part("Hello")])) }),
        json!({ "type": "response.completed", "response": ended }),
    ];
    assert_eq!(events.len(), expected.len());
    for ((event, mut expected), number) in events.iter().zip(expected).zip(0..) {
        expected["sequence_number"] = json!(number);
        assert_eq!(*event, expected);
    }
    assert_ends(&events, &deltas, "completed");
}

#[test]
fn reasoning_closes_when_the_text_begins() {
    let think = |text: &str| thinks(ReasoningDelta::text(text));
    let deltas = [
        think("fir"),
        think("st"),
        signed("s1"),
        redacted("data"),
        think("second"),
        signed("s2"),
        text("so"),
        finish(FinishReason::Stop),
    ];
    let events = streamed(&deltas);
    let expected = [
        "output_item.added 0 [reasoning]",
        "reasoning_summary_part.added rs_R_0 0 0 [summary_text|]",
        "reasoning_summary_text.delta rs_R_0 0 0 \"fir\"",
        "reasoning_summary_text.delta rs_R_0 0 0 \"st\"",
        "reasoning_summary_text.done rs_R_0 0 0 \"first\"",
        "reasoning_summary_part.done rs_R_0 0 0 [summary_text|first]",
        "reasoning_summary_part.added rs_R_0 0 1 [summary_text|]",
        "reasoning_summary_text.delta rs_R_0 0 1 \"second\"",
        "reasoning_summary_text.done rs_R_0 0 1 \"second\"",
        "reasoning_summary_part.done rs_R_0 0 1 [summary_text|second]",
        "output_item.done 0 [reasoning]",
        "output_item.added 1 [message|in_progress]",
        "content_part.added msg_R_1 1 0 [output_text|]",
        "output_text.delta msg_R_1 1 0 \"so\"",
        "output_text.done msg_R_1 1 0 \"so\"",
        "content_part.done msg_R_1 1 0 [output_text|so]",
        "output_item.done 1 [message|completed]",
    ];
    assert_eq!(steps(&events), expected);
    assert_ends(&events, &deltas, "completed");
    let done = &events[12]["item"];
    assert_eq!(done["summary"][1], json!({ "type": "summary_text", "text": "second" }));
    let sealed = Sealed::read(done["encrypted_content"].as_str().expect("sealed"));
    let block = |text: &str, seal: &str| ReasoningBlock {
        text: text.to_owned(),
        signature: Some(seal.to_owned()),
        redacted: None,
    };
    let hidden = ReasoningBlock { redacted: Some("data".to_owned()), ..ReasoningBlock::default() };
    let blocks = vec![block("first", "s1"), hidden, block("second", "s2")];
    assert_eq!(sealed, Ok(Some(Sealed { blocks, ..Sealed::default() })));
}

#[test]
fn reasoning_without_a_seal_can_be_sent_back_too() {
    let events = streamed(&[thinks(ReasoningDelta::text("hm")), finish(FinishReason::Stop)]);
    let item = &events.last().expect("events")["response"]["output"][0];
    assert_eq!(item["summary"], json!([{ "type": "summary_text", "text": "hm" }]));
    let block = ReasoningBlock { text: "hm".to_owned(), ..ReasoningBlock::default() };
    let sealed = Sealed::read(item["encrypted_content"].as_str().expect("content"));
    assert_eq!(sealed, Ok(Some(Sealed { blocks: vec![block], ..Sealed::default() })));
}

#[test]
fn two_calls_written_in_turns_both_end_up_whole() {
    let deltas = [
        text("I'll look."),
        calls(call(0, "f")),
        calls(call(1, "g")),
        arguments(0, "{\"a\""),
        arguments(1, "{"),
        arguments(0, ":1}"),
        arguments(1, "}"),
        finish(FinishReason::ToolCalls),
    ];
    let events = streamed(&deltas);
    let expected = [
        "output_text.done msg_R_0 0 0 \"I'll look.\"",
        "content_part.done msg_R_0 0 0 [output_text|I'll look.]",
        "output_item.done 0 [message|completed]",
        "output_item.added 1 [function_call|in_progress|]",
        "output_item.added 2 [function_call|in_progress|]",
        "function_call_arguments.delta fc_R_1 1 \"{\\\"a\\\"\"",
        "function_call_arguments.delta fc_R_2 2 \"{\"",
        "function_call_arguments.delta fc_R_1 1 \":1}\"",
        "function_call_arguments.delta fc_R_2 2 \"}\"",
        "function_call_arguments.done fc_R_1 1 \"f\" \"{\\\"a\\\":1}\"",
        "output_item.done 1 [function_call|completed|{\"a\":1}]",
        "function_call_arguments.done fc_R_2 2 \"g\" \"{}\"",
        "output_item.done 2 [function_call|completed|{}]",
    ];
    assert_eq!(steps(&events)[3..], expected);
    assert_ends(&events, &deltas, "completed");
    let output = &whole(&deltas)["output"];
    assert_eq!((&output[1]["call_id"], &output[2]["call_id"]), (&json!("c0"), &json!("c1")));
}

#[test]
fn a_call_waits_for_its_name_and_gets_an_id_where_it_has_none() {
    let early = ToolCallDelta { index: 2, arguments: "{".to_owned(), ..ToolCallDelta::default() };
    let named = ToolCallDelta { name: Some("f".to_owned()), arguments: "}".to_owned(), ..early.clone() };
    let deltas = [calls(early), calls(named), finish(FinishReason::ToolCalls)];
    let events = streamed(&deltas);
    let expected = [
        "output_item.added 0 [function_call|in_progress|]",
        "function_call_arguments.delta fc_R_0 0 \"{}\"",
        "function_call_arguments.done fc_R_0 0 \"f\" \"{}\"",
        "output_item.done 0 [function_call|completed|{}]",
    ];
    assert_eq!(steps(&events), expected);
    assert_eq!(events[2]["item"]["call_id"], "call_R_2");
    assert_ends(&events, &deltas, "completed");
}

#[test]
fn the_seal_of_a_call_travels_in_a_reasoning_item_and_back() {
    let sealed = ToolCallDelta { signature: Some("seal".to_owned()), ..call(0, "f") };
    let late = ToolCallDelta { index: 0, signature: Some("seal".to_owned()), ..ToolCallDelta::default() };
    let end = || finish(FinishReason::ToolCalls);
    let early = [text("hm"), calls(sealed), arguments(0, "{}"), end()];
    assert_ends(&streamed(&early), &early, "completed");
    for deltas in
        [early.to_vec(), vec![text("hm"), calls(call(0, "f")), arguments(0, "{}"), calls(late), end()]]
    {
        let events = streamed(&deltas);
        let output = events.last().expect("events")["response"]["output"].clone();
        assert_eq!(output.as_array().map(Vec::len), Some(3));
        let body = json!({ "input": output });
        let read = input::read(&mut Fields::new(body.as_object().cloned().expect("an object")));
        let messages = read.expect("an output can be sent back");
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].joined_text(), "hm");
        let call = &messages[0].tool_calls[0];
        assert_eq!((call.id.as_str(), call.signature.as_deref()), ("c0", Some("seal")));
    }
}

#[test]
fn a_refusal_is_a_part_of_the_message() {
    let deltas = [text("Well"), refusal("I "), refusal("won't."), finish(FinishReason::Stop)];
    let events = streamed(&deltas);
    let expected = [
        "output_item.added 0 [message|in_progress]",
        "content_part.added msg_R_0 0 0 [output_text|]",
        "output_text.delta msg_R_0 0 0 \"Well\"",
        "output_text.done msg_R_0 0 0 \"Well\"",
        "content_part.done msg_R_0 0 0 [output_text|Well]",
        "content_part.added msg_R_0 0 1 [refusal|]",
        "refusal.delta msg_R_0 0 1 \"I \"",
        "refusal.delta msg_R_0 0 1 \"won't.\"",
        "refusal.done msg_R_0 0 1 \"I won't.\"",
        "content_part.done msg_R_0 0 1 [refusal|I won't.]",
        "output_item.done 0 [message|completed]",
    ];
    assert_eq!(steps(&events), expected);
    assert_ends(&events, &deltas, "completed");
}

#[test]
fn an_answer_that_was_cut_off_says_why() {
    let reasons =
        [(FinishReason::Length, "max_output_tokens"), (FinishReason::ContentFilter, "content_filter")];
    for (finished, reason) in reasons {
        let deltas = [thinks(ReasoningDelta::text("hm")), text("so"), finish(finished)];
        let events = streamed(&deltas);
        assert_eq!(steps(&events).last().expect("steps"), "output_item.done 1 [message|incomplete]");
        assert_ends(&events, &deltas, "incomplete");
        let response = &events.last().expect("events")["response"];
        assert_eq!(response["incomplete_details"], json!({ "reason": reason }));
        assert_eq!(
            (&response["completed_at"], &response["usage"]["total_tokens"]),
            (&Value::Null, &json!(15))
        );
    }
}

#[test]
fn log_probabilities_come_with_their_text() {
    let token = |token: &str| {
        let likely = json!({ "token": token, "logprob": -0.5, "bytes": [] });
        json!({ "token": token, "logprob": -0.5, "bytes": [], "top_logprobs": [likely] })
    };
    // As chat completions write it of a token that has no bytes of its own.
    let sent = |part: &str| token(part).to_string().replace("[]", "null");
    let said = |part: &str| Delta {
        logprobs: Some(
            json!({ "content": [serde_json::from_str::<Value>(&sent(part)).expect("JSON")], "refusal": null }),
        ),
        ..text(part)
    };
    let deltas = [said("a"), said("b"), finish(FinishReason::Stop)];
    let events = streamed(&deltas);
    assert_eq!(events[4]["logprobs"], json!([token("a")]));
    assert_eq!(events[6]["logprobs"], json!([token("a"), token("b")]));
    assert_eq!(events[7]["part"]["logprobs"], events[6]["logprobs"]);
    assert_ends(&events, &deltas, "completed");
}

#[test]
fn an_answer_of_nothing_has_no_items() {
    let deltas = [text(""), finish(FinishReason::Stop)];
    let events = streamed(&deltas);
    assert_eq!(events.len(), 3);
    assert_ends(&events, &deltas, "completed");
}

#[test]
fn a_stream_that_breaks_off_fails_and_completes_nothing() {
    let mut stream = Stream::default();
    let sent = stream.start(head()) + &stream.delta(&text("Hel"));
    let sent = events(&sent, 0);
    let last = events(&stream.error(&report()), sent.len());
    let error =
        json!({ "message": "It broke off.", "type": "api_error", "param": null, "code": "upstream_failed" });
    let expected = json!({
        "type": "error", "sequence_number": 5, "code": "upstream_failed", "message": "It broke off.", "param": null, "error": error,
    });
    assert_eq!((last.len(), &last[0]), (2, &expected));
    assert_eq!(line(&last[1]), "failed failed");
    let response = &last[1]["response"];
    assert_eq!(response["error"], json!({ "code": "server_error", "message": "It broke off." }));
    assert_eq!(response["output"][0]["status"], "incomplete");
    assert_eq!((&response["usage"], &response["completed_at"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_stream_may_fail_before_it_began() {
    let last = events(&Stream::default().error(&report()), 0);
    assert_eq!(last.len(), 1);
    assert_eq!((&last[0]["type"], &last[0]["message"]), (&json!("error"), &json!("It broke off.")));
}

#[test]
fn other_choices_are_not_heard() {
    let other = Delta { choice: 1, ..text("no") };
    assert_eq!(
        streamed(&[other, text("yes"), finish(FinishReason::Stop)]),
        streamed(&[text("yes"), finish(FinishReason::Stop)])
    );
}
