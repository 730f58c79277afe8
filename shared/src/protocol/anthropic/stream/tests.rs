use serde_json::json;

use super::*;
use crate::domain::usage::TokenUsage;
use crate::protocol::answer::Answer;
use crate::protocol::canonical::ReasoningBlock;

fn events(events: &[Value]) -> String {
    let event =
        |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or("x"));
    events.iter().map(event).collect()
}

fn start() -> Value {
    json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": [], "stop_reason": null,
        "usage": {"input_tokens": 10, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 1,
            "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3}},
    }})
}

fn block(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn json_delta(index: u64, partial: &str) -> Value {
    delta(index, json!({"type": "input_json_delta", "partial_json": partial}))
}

fn end(reason: &str) -> [Value; 2] {
    let delta = json!({"stop_reason": reason, "stop_sequence": null});
    [
        json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 89}}),
        json!({"type": "message_stop"}),
    ]
}

/// Everything a stream can say: thinking, hidden thinking, text, two calls.
fn whole() -> String {
    let mut said = vec![
        start(),
        block(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        json!({"type": "ping"}),
        delta(0, json!({"type": "thinking_delta", "thinking": "Hm, é"})),
        delta(0, json!({"type": "signature_delta", "signature": "sig"})),
        stop(0),
        block(1, json!({"type": "redacted_thinking", "data": "hidden"})),
        stop(1),
        block(2, json!({"type": "text", "text": ""})),
        delta(2, json!({"type": "text_delta", "text": "Hel"})),
        delta(2, json!({"type": "text_delta", "text": "lo"})),
        stop(2),
        block(3, json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}})),
        json_delta(3, ""),
        json_delta(3, "{\"a\":"),
        json_delta(3, "1}"),
        stop(3),
        block(4, json!({"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}})),
        stop(4),
        json!({"type": "something_new", "data": 1}),
    ];
    said.extend(end("tool_use"));
    events(&said)
}

fn frames(stream: &str) -> Vec<Result<Frame, String>> {
    StreamDecoder::new(false).feed(stream.as_bytes())
}

fn answer(frames: Vec<Result<Frame, String>>) -> Answer {
    let mut answer = Answer::default();
    for frame in frames {
        if let Frame::Chunk(chunk) = frame.expect("a readable stream") {
            answer.push(&chunk);
        }
    }
    answer
}

#[test]
fn a_stream_reads_as_its_message() {
    let read = frames(&whole());
    assert_eq!(read.last(), Some(&Ok(Frame::Done)));
    let answer = answer(read);
    let choice = &answer.choices[0];
    assert_eq!(answer.model.as_deref(), Some("claude-x"));
    assert_eq!(choice.content.as_deref(), Some("Hello"));
    let reasoning = [
        ReasoningBlock { text: "Hm, é".into(), signature: Some("sig".into()), redacted: None },
        ReasoningBlock { redacted: Some("hidden".into()), ..ReasoningBlock::default() },
    ];
    assert_eq!(choice.reasoning, reasoning);
    let calls: Vec<(&str, &str, &str)> = choice
        .tool_calls
        .iter()
        .map(|call| (call.id.as_str(), call.name.as_str(), call.arguments.as_str()))
        .collect();
    assert_eq!(calls, [("toolu_1", "f", "{\"a\":1}"), ("toolu_2", "g", "{}")]);
    assert_eq!(choice.finish, Some(FinishReason::ToolCalls));
    let usage = TokenUsage {
        uncached: 10,
        cache_read: 3,
        cache_write_5m: 2,
        cache_write_1h: 3,
        output: 89,
        ..TokenUsage::default()
    };
    assert_eq!(answer.usage, usage);
}

#[test]
fn cutting_at_every_byte_changes_nothing() {
    let stream = whole();
    for cut in 0..stream.len() {
        let (head, tail) = stream.as_bytes().split_at(cut);
        let mut decoder = StreamDecoder::new(false);
        let mut read = decoder.feed(head);
        read.extend(decoder.feed(tail));
        assert_eq!(read, frames(&stream), "cut at {cut}");
    }
    let mut decoder = StreamDecoder::new(false);
    let bytewise: Vec<_> = stream.bytes().flat_map(|byte| decoder.feed(&[byte])).collect();
    assert_eq!(bytewise, frames(&stream));
}

#[test]
fn calls_whose_pieces_interleave_are_told_apart() {
    let stream = events(&[
        block(1, json!({"type": "tool_use", "id": "a", "name": "f", "input": {}})),
        block(4, json!({"type": "tool_use", "id": "b", "name": "g", "input": {}})),
        json_delta(4, "{\"x\":"),
        json_delta(1, "{\"y\":"),
        json_delta(4, "1}"),
        json_delta(1, "2}"),
    ]);
    let answer = answer(frames(&stream));
    let arguments: Vec<&str> =
        answer.choices[0].tool_calls.iter().map(|call| call.arguments.as_str()).collect();
    assert_eq!(arguments, ["{\"y\":2}", "{\"x\":1}"]);
}

#[test]
fn an_input_that_comes_with_its_block_is_not_lost() {
    let call = |input: Value| block(0, json!({"type": "tool_use", "id": "a", "name": "f", "input": input}));
    let given = answer(frames(&events(&[call(json!({"a": 1})), stop(0)])));
    assert_eq!(given.choices[0].tool_calls[0].arguments, "{\"a\":1}");
    let streamed = events(&[call(json!({"a": 1})), json_delta(0, "{\"b\":2}"), stop(0)]);
    assert_eq!(answer(frames(&streamed)).choices[0].tool_calls[0].arguments, "{\"b\":2}");
}

#[test]
fn every_reason_to_stop_is_read() {
    let cases = [
        ("end_turn", FinishReason::Stop),
        ("max_tokens", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("pause_turn", FinishReason::Length),
        ("tool_use", FinishReason::ToolCalls),
        ("refusal", FinishReason::ContentFilter),
        ("brand_new", FinishReason::Stop),
    ];
    for (reason, expected) in cases {
        let answer = answer(frames(&events(&end(reason))));
        assert_eq!(answer.choices[0].finish, Some(expected), "{reason}");
    }
    let delta = json!({"stop_reason": "stop_sequence", "stop_sequence": "END"});
    let answer = answer(frames(&events(&[json!({"type": "message_delta", "delta": delta})])));
    assert_eq!(answer.choices[0].finish, Some(FinishReason::StopSequence("END".into())));
}

#[test]
fn an_error_is_told_with_its_class() {
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let expected = Frame::Error { message: "Overloaded".into(), code: Some("overloaded_error".into()) };
    assert_eq!(frames(&events(&[error])), [Ok(expected)]);
    assert!(frames("data: {not json\n\n")[0].is_err());
    assert!(frames("data: {\"type\":\"message_start\"}\n\n")[0].is_err());
}

#[test]
fn a_forced_call_is_the_text_of_the_answer() {
    let mut said = vec![
        start(),
        block(0, json!({"type": "tool_use", "id": "a", "name": forced_tool::NAME, "input": {}})),
        json_delta(0, "{\"a\":1}"),
        stop(0),
    ];
    said.extend(end("tool_use"));
    let answer = answer(StreamDecoder::new(true).feed(events(&said).as_bytes()));
    assert_eq!(answer.choices[0].content.as_deref(), Some("{\"a\":1}"));
    assert_eq!(answer.choices[0].finish, Some(FinishReason::Stop));
    assert!(answer.choices[0].tool_calls.is_empty());
}
