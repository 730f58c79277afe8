use super::super::stream::StreamDecoder;
use super::*;
use crate::domain::money::NanoUsd;
use crate::domain::time::Timestamp;
use crate::protocol::canonical::ReasoningBlock;
use crate::protocol::error::no_route;
use crate::protocol::frame::{Decoder, Frame};

const USAGE: TokenUsage = TokenUsage {
    uncached: 10,
    cache_read: 3,
    cache_write_5m: 2,
    cache_write_1h: 0,
    audio: 0,
    image: 0,
    output: 7,
    reasoning: 4,
};

fn head() -> ReplyHead {
    ReplyHead {
        request_id: "R".to_owned(),
        model: "claude-x".to_owned(),
        served_by: "anthropic/claude-x".to_owned(),
        fingerprint: None,
        created: Timestamp::default(),
        from_cache: false,
        include_usage: false,
        choices: 1,
        usage: TokenUsage { output: 1, reasoning: 0, ..USAGE },
        echo: serde_json::Map::new(),
    }
}

fn summary() -> Summary {
    Summary { usage: USAGE, cost: NanoUsd::ZERO, completed: Timestamp::default(), stopped: false }
}

fn stream(deltas: &[Delta]) -> String {
    let mut stream = Stream::default();
    let mut text = stream.start(head());
    text.extend(deltas.iter().map(|delta| stream.delta(delta)));
    text + &stream.end(&summary())
}

/// The data of each event; every event is named as its data say.
fn events(text: &str) -> Vec<Value> {
    let read = |event: &str| {
        let (name, data) = event.split_once('\n').expect("two lines");
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
        assert_eq!(name, format!("event: {}", data["type"].as_str().expect("a type")));
        data
    };
    text.split_terminator("\n\n").map(read).collect()
}

/// The events between the first and the last two, in short.
fn blocks(deltas: &[Delta]) -> Vec<String> {
    let events = events(&stream(deltas));
    let inner = &events[1..events.len() - 2];
    let short = |event: &Value| {
        let index = &event["index"];
        match event["type"].as_str() {
            Some("content_block_start") => {
                let block = &event["content_block"];
                format!(
                    "{index} + {}{}",
                    block["type"].as_str().unwrap_or(""),
                    block["id"].as_str().map_or(String::new(), |id| format!(
                        " {id} {}",
                        block["name"].as_str().unwrap_or("")
                    ))
                )
            }
            Some("content_block_stop") => format!("{index} -"),
            _ => {
                let delta = event["delta"].as_object().expect("a delta");
                let (_, said) = delta.iter().find(|(name, _)| *name != "type").expect("something");
                format!("{index} {}", said.as_str().unwrap_or(""))
            }
        }
    };
    inner.iter().map(short).collect()
}

fn text(text: &str) -> Delta {
    Delta { content: Some(text.to_owned()), ..Delta::default() }
}

fn thought(reasoning: ReasoningDelta) -> Delta {
    Delta { reasoning: Some(reasoning), ..Delta::default() }
}

fn call(index: u32, id: Option<&str>, name: Option<&str>, arguments: &str) -> Delta {
    let call = ToolCallDelta {
        index,
        id: id.map(str::to_owned),
        name: name.map(str::to_owned),
        arguments: arguments.to_owned(),
        signature: None,
    };
    Delta { tool_calls: vec![call], ..Delta::default() }
}

fn finish(reason: FinishReason) -> Delta {
    Delta { finish: Some(reason), ..Delta::default() }
}

#[test]
fn a_stream_begins_and_ends_as_the_dialect_wants() {
    let written = events(&stream(&[text("Hi"), finish(FinishReason::StopSequence("END".into()))]));
    let expected = [
        json!({"type": "message_start", "message": {
            "id": "msg_R", "type": "message", "role": "assistant", "model": "claude-x", "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": {
                "input_tokens": 10, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3, "output_tokens": 1,
                "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 0}, "output_tokens_details": {"thinking_tokens": 0},
            },
        }}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END"}, "usage": {
            "input_tokens": 10, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3, "output_tokens": 7,
            "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 0}, "output_tokens_details": {"thinking_tokens": 4},
        }}),
        json!({"type": "message_stop"}),
    ];
    assert_eq!(written, expected);
}

#[test]
fn each_kind_has_its_block() {
    let signature = ReasoningDelta { signature: Some("sig".into()), ..ReasoningDelta::default() };
    let hidden = ReasoningDelta { redacted: Some("r".into()), ..ReasoningDelta::default() };
    let said = [
        thought(ReasoningDelta::text("I ")),
        thought(ReasoningDelta::text("think")),
        thought(signature.clone()),
        thought(hidden),
        thought(signature),
        text("Hel"),
        text("lo"),
        call(0, Some("a"), Some("f"), ""),
        call(0, None, None, "{}"),
    ];
    let expected = [
        "0 + thinking",
        "0 I ",
        "0 think",
        "0 sig",
        "0 -",
        "1 + redacted_thinking",
        "1 -",
        "2 + thinking",
        "2 sig",
        "2 -",
        "3 + text",
        "3 Hel",
        "3 lo",
        "3 -",
        "4 + tool_use a f",
        "4 {}",
        "4 -",
    ];
    assert_eq!(blocks(&said), expected);
}

#[test]
fn a_call_is_written_while_it_arrives_and_what_interleaves_with_it_waits() {
    let said = [
        call(0, Some("a"), Some("f"), "{\"x\""),
        call(2, Some("c"), Some("h"), "{"),
        call(1, Some("b"), Some("g"), "{\"y\""),
        call(0, None, None, ":1}"),
        text("by the way"),
        call(1, None, None, ":2}"),
        call(2, None, None, "}"),
    ];
    let expected = [
        "0 + tool_use a f",
        "0 {\"x\"",
        "0 :1}",
        "0 -",
        "1 + text",
        "1 by the way",
        "1 -",
        "2 + tool_use b g",
        "2 {\"y\":2}",
        "2 -",
        "3 + tool_use c h",
        "3 {}",
        "3 -",
    ];
    assert_eq!(blocks(&said), expected);
}

#[test]
fn names_that_come_in_pieces_and_ids_that_never_come_are_completed() {
    let said =
        [call(0, None, Some("get_"), ""), call(0, None, Some("weather"), ""), call(0, None, None, "{}")];
    assert_eq!(blocks(&said), ["0 + tool_use toolu_R_0 get_weather", "0 {}", "0 -"]);
    assert_eq!(blocks(&[call(0, Some("a"), Some("f"), "")]), ["0 + tool_use a f", "0 -"]);
}

#[test]
fn increments_that_say_nothing_and_further_choices_are_not_shown() {
    let other = Delta { choice: 1, ..text("no") };
    assert_eq!(blocks(&[text(""), thought(ReasoningDelta::text("")), other]), Vec::<String>::new());
}

#[test]
fn every_reason_has_its_word() {
    let reason = |deltas: &[Delta]| {
        let events = events(&stream(deltas));
        events[events.len() - 2]["delta"]["stop_reason"].as_str().expect("a reason").to_owned()
    };
    assert_eq!(reason(&[text("a"), finish(FinishReason::Stop)]), "end_turn");
    assert_eq!(reason(&[text("a"), finish(FinishReason::Length)]), "max_tokens");
    assert_eq!(reason(&[text("a"), finish(FinishReason::ContentFilter)]), "refusal");
    let called = call(0, Some("a"), Some("f"), "{}");
    assert_eq!(reason(&[called.clone(), finish(FinishReason::ToolCalls)]), "tool_use");
    assert_eq!(reason(&[called, finish(FinishReason::Stop)]), "tool_use");
    let refusal = Delta { refusal: Some("no".into()), ..Delta::default() };
    assert_eq!(reason(&[refusal.clone(), finish(FinishReason::Stop)]), "refusal");
    assert_eq!(blocks(&[refusal]), ["0 + text", "0 no", "0 -"]);
}

#[test]
fn an_error_is_the_last_event_even_before_the_first() {
    let report = no_route("POST", "/", false);
    let text = Stream::default().error(&report);
    let data = &events(&text)[0];
    assert_eq!((&data["type"], &data["error"]["type"]), (&json!("error"), &json!("not_found_error")));
}

fn told() -> Answer {
    let reasoning = vec![
        ReasoningBlock { text: "hm".into(), signature: Some("s".into()), redacted: None },
        ReasoningBlock { redacted: Some("r".into()), ..ReasoningBlock::default() },
    ];
    let call = |id: &str, arguments: &str| ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: arguments.into(),
        signature: None,
    };
    let choice = Choice {
        content: Some("Hi".into()),
        reasoning,
        tool_calls: vec![call("a", "{\"x\":1}"), call("", "")],
        finish: Some(FinishReason::ToolCalls),
        ..Choice::default()
    };
    Answer { model: Some("claude-x".into()), choices: vec![choice], usage: USAGE, ..Answer::default() }
}

fn written(answer: &Answer) -> Value {
    serde_json::from_str(&whole(&head(), answer, &summary())).expect("JSON")
}

#[test]
fn a_whole_reply_is_one_message() {
    let message = written(&told());
    let expected = json!({
        "id": "msg_R", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "tool_use", "stop_sequence": null,
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "r"},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}, {"type": "tool_use", "id": "toolu_R_1", "name": "f", "input": {}},
        ],
        "usage": usage::write(&USAGE),
    });
    assert_eq!(message, expected);
    assert_eq!(written(&Answer::default())["content"], json!([]));
}

#[test]
fn arguments_that_are_no_object_are_shown_as_they_stand() {
    for arguments in ["{\"x\":", "[1]"] {
        let mut answer = told();
        answer.choices[0].tool_calls[0].arguments = arguments.to_owned();
        assert_eq!(written(&answer)["content"][3]["input"], json!({"INVALID_JSON": arguments}));
    }
}

#[test]
fn what_is_written_reads_as_what_was_told() {
    let mut answer = told();
    answer.choices[0].tool_calls.truncate(1);
    let text = stream(&answer.deltas());
    let mut again = Answer::default();
    for frame in StreamDecoder::new(false).feed(text.as_bytes()) {
        if let Ok(Frame::Chunk(chunk)) = frame {
            again.push(&chunk);
        }
    }
    assert_eq!(again, answer);
}
