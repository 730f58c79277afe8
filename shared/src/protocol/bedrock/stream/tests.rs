use proptest::prelude::*;
use serde_json::json;

use super::super::frames::tests::{event, frame};
use super::*;
use crate::domain::usage::TokenUsage;
use crate::protocol::answer::Answer;
use crate::protocol::canonical::{ReasoningBlock, ToolCall};

type Frames = Vec<Result<Frame, String>>;

fn read(bytes: &[u8]) -> Frames {
    StreamDecoder::default().feed(bytes)
}

fn delta(index: u64, delta: Value) -> Vec<u8> {
    event("contentBlockDelta", &json!({ "contentBlockIndex": index, "delta": delta, "p": "abc" }))
}

fn start(index: u64, id: &str, name: &str) -> Vec<u8> {
    let tool = json!({ "toolUse": { "toolUseId": id, "name": name } });
    event("contentBlockStart", &json!({ "contentBlockIndex": index, "start": tool }))
}

fn block_stop(index: u64) -> Vec<u8> {
    event("contentBlockStop", &json!({ "contentBlockIndex": index }))
}

fn stop(reason: &str) -> Vec<u8> {
    event("messageStop", &json!({ "stopReason": reason }))
}

fn metadata() -> Vec<u8> {
    let usage = json!({ "inputTokens": 7, "outputTokens": 9, "totalTokens": 19, "cacheReadInputTokens": 3 });
    event("metadata", &json!({ "usage": usage, "metrics": { "latencyMs": 12 } }))
}

/// A thought, a text, two calls and the usage.
fn stream() -> Vec<u8> {
    [
        event("messageStart", &json!({ "role": "assistant" })),
        delta(0, json!({ "reasoningContent": { "text": "I thi" } })),
        delta(0, json!({ "reasoningContent": { "text": "nk" } })),
        delta(0, json!({ "reasoningContent": { "signature": "c2ln" } })),
        block_stop(0),
        delta(1, json!({ "reasoningContent": { "redactedContent": "cmVk" } })),
        block_stop(1),
        delta(2, json!({ "text": "Grüße" })),
        block_stop(2),
        start(3, "t1", "find"),
        delta(3, json!({ "toolUse": { "input": "{\"q\"" } })),
        delta(3, json!({ "toolUse": { "input": ":1}" } })),
        block_stop(3),
        start(4, "t2", "look"),
        delta(4, json!({ "toolUse": { "input": "" } })),
        block_stop(4),
        stop("tool_use"),
        metadata(),
    ]
    .concat()
}

fn answer(frames: Frames) -> Answer {
    let mut answer = Answer::default();
    for frame in frames {
        match frame.expect("readable") {
            Frame::Chunk(chunk) => answer.push(&chunk),
            other => panic!("{other:?} is no chunk"),
        }
    }
    answer
}

fn finish_of(bytes: &[u8]) -> Option<FinishReason> {
    answer(read(bytes)).choices.first().and_then(|choice| choice.finish.clone())
}

#[test]
fn a_whole_stream_becomes_the_answer() {
    let answer = answer(read(&stream()));
    let [choice] = answer.choices.as_slice() else { panic!("one choice") };
    let sealed = ReasoningBlock { text: "I think".into(), signature: Some("c2ln".into()), redacted: None };
    let redacted = ReasoningBlock { redacted: Some("cmVk".into()), ..ReasoningBlock::default() };
    assert_eq!(choice.reasoning, [sealed, redacted]);
    assert_eq!(choice.content.as_deref(), Some("Grüße"));
    let call = |id: &str, name: &str, arguments: &str| ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        signature: None,
    };
    assert_eq!(choice.tool_calls, [call("t1", "find", "{\"q\":1}"), call("t2", "look", "{}")]);
    assert_eq!(choice.finish, Some(FinishReason::ToolCalls));
    let usage = TokenUsage { uncached: 7, cache_read: 3, output: 9, ..TokenUsage::default() };
    assert_eq!(answer.usage, usage);
}

#[test]
fn cutting_at_every_byte_changes_nothing() {
    let bytes = stream();
    let whole = read(&bytes);
    for cut in 0..=bytes.len() {
        let mut decoder = StreamDecoder::default();
        let mut frames = decoder.feed(&bytes[..cut]);
        frames.extend(decoder.feed(&bytes[cut..]));
        assert_eq!(frames, whole, "cut at {cut}");
    }
    let mut decoder = StreamDecoder::default();
    let frames: Frames = bytes.chunks(1).flat_map(|byte| decoder.feed(byte)).collect();
    assert_eq!(frames, whole, "byte by byte");
}

#[test]
fn the_end_is_never_made_up() {
    assert!(!read(&stream()).contains(&Ok(Frame::Done)));
}

#[test]
fn each_stop_reason_is_told() {
    let cases = [
        ("end_turn", FinishReason::Stop),
        ("stop_sequence", FinishReason::Stop),
        ("max_tokens", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("tool_use", FinishReason::ToolCalls),
        ("guardrail_intervened", FinishReason::ContentFilter),
        ("content_filtered", FinishReason::ContentFilter),
        ("of a later version", FinishReason::Stop),
    ];
    for (reason, finish) in cases {
        assert_eq!(finish_of(&stop(reason)), Some(finish), "{reason}");
    }
    let named =
        json!({ "stopReason": "stop_sequence", "additionalModelResponseFields": { "stop_sequence": "END" } });
    assert_eq!(finish_of(&event("messageStop", &named)), Some(FinishReason::StopSequence("END".into())));
    let unnamed =
        json!({ "stopReason": "end_turn", "additionalModelResponseFields": { "stop_sequence": null } });
    assert_eq!(finish_of(&event("messageStop", &unnamed)), Some(FinishReason::Stop));
}

#[test]
fn what_could_not_be_read_is_an_error() {
    for reason in ["malformed_model_output", "malformed_tool_use"] {
        let [Ok(Frame::Error { code, .. })] = &read(&stop(reason))[..] else { panic!("an error") };
        assert_eq!(code.as_deref(), Some(reason));
    }
}

#[test]
fn exceptions_and_errors_end_the_stream_under_their_names() {
    let exception = frame(
        &[(":message-type", "exception"), (":exception-type", "throttlingException")],
        r#"{"message":"too many"}"#,
    );
    let error = frame(
        &[(":message-type", "error"), (":error-code", "InternalFailure"), (":error-message", "oh")],
        "",
    );
    let told =
        |code: &str, message: &str| Ok(Frame::Error { message: message.into(), code: Some(code.into()) });
    for (bytes, told) in
        [(exception, told("throttlingException", "too many")), (error, told("InternalFailure", "oh"))]
    {
        let mut decoder = StreamDecoder::default();
        assert_eq!(decoder.feed(&[bytes, stop("end_turn")].concat()), [told]);
        assert_eq!(decoder.feed(&stop("end_turn")), []);
    }
}

#[test]
fn what_is_not_known_is_passed_over() {
    let unknown = [
        event("initialResponse", &json!({})),
        event(
            "contentBlockStart",
            &json!({ "contentBlockIndex": 0, "start": { "image": { "format": "png" } } }),
        ),
        frame(&[(":message-type", "weather")], "rain"),
        frame(&[], ""),
        stop("end_turn"),
    ];
    assert_eq!(read(&unknown.concat()).len(), 1);
}

#[test]
fn a_stream_that_cannot_be_read_ends_with_the_reason() {
    let mut corrupt = stop("end_turn");
    corrupt[20] ^= 1;
    let orphan = delta(3, json!({ "toolUse": { "input": "{}" } }));
    let no_json = frame(&[(":message-type", "event"), (":event-type", "messageStop")], "{");
    let too_long = vec![0xff; 16];
    for bytes in [corrupt, orphan, no_json, too_long] {
        let mut decoder = StreamDecoder::default();
        let frames = decoder.feed(&[bytes, stop("end_turn")].concat());
        assert!(matches!(frames[..], [Err(_)]), "{frames:?}");
        assert_eq!(decoder.feed(&stop("end_turn")), []);
    }
}

#[test]
fn a_forced_call_is_read_as_text() {
    let mut decoder = StreamDecoder::new(true);
    let bytes = [
        start(0, "t", forced_tool::NAME),
        delta(0, json!({ "toolUse": { "input": "{\"a\"" } })),
        delta(0, json!({ "toolUse": { "input": ":1}" } })),
        block_stop(0),
        stop("tool_use"),
    ];
    let answer = answer(decoder.feed(&bytes.concat()));
    assert_eq!(answer.choices[0].content.as_deref(), Some("{\"a\":1}"));
    assert_eq!(answer.choices[0].finish, Some(FinishReason::Stop));
    assert!(answer.choices[0].tool_calls.is_empty());
}

fn any_event() -> impl Strategy<Value = Vec<u8>> {
    const KINDS: &[&str] =
        &["contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"];
    let payload = r#"\{"(contentBlockIndex|stopReason|usage)":([0-9]{1,22}|"[a-z_]{0,9}"|null|\{\})(,"(delta|start)":\{("(text|toolUse|reasoningContent)":("x"|\{\}|null|\{"input":"y"\}))?\})?\}"#;
    (proptest::sample::select(KINDS), payload)
        .prop_map(|(kind, payload)| frame(&[(":message-type", "event"), (":event-type", kind)], &payload))
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..4000)) {
        let frames = read(&bytes);
        prop_assert!(frames.len() <= bytes.len() / 16 + 1);
    }

    #[test]
    fn any_events_cut_anywhere_read_as_the_whole(
        events in proptest::collection::vec(any_event(), 0..8), cut in any::<proptest::sample::Index>(),
    ) {
        let bytes = events.concat();
        let (head, tail) = bytes.split_at(cut.index(bytes.len() + 1));
        let mut decoder = StreamDecoder::default();
        let mut frames = decoder.feed(head);
        frames.extend(decoder.feed(tail));
        prop_assert_eq!(frames, read(&bytes));
    }

    #[test]
    fn a_stream_with_any_byte_changed_is_survived(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = stream();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = read(&bytes);
    }
}
