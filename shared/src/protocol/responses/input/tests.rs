use serde_json::json;

use super::*;
use crate::protocol::canonical::Part;

fn parse(input: Value) -> Result<Vec<Message>, BadRequest> {
    let body = json!({ "input": input });
    read(&mut Fields::new(body.as_object().cloned().expect("an object")))
}

fn messages(input: Value) -> Vec<Message> {
    parse(input.clone()).unwrap_or_else(|fault| panic!("{input}: {fault:?}"))
}

fn call(id: &str, signature: Option<&str>) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: "{}".to_owned(),
        signature: signature.map(str::to_owned),
    }
}

fn call_item(id: &str) -> Value {
    json!({ "type": "function_call", "id": "fc_1", "call_id": id, "name": "f", "arguments": "{}", "status": "completed" })
}

fn output_item(id: &str) -> Value {
    json!({ "type": "function_call_output", "call_id": id, "output": "r" })
}

fn result(id: &str) -> Message {
    Message { tool_call_id: Some(id.to_owned()), ..Message::text(Role::Tool, "r") }
}

fn thought(text: &str) -> ReasoningBlock {
    ReasoningBlock { text: text.to_owned(), ..ReasoningBlock::default() }
}

fn thought_item(text: &str) -> Value {
    json!({ "type": "reasoning", "id": "rs_1", "summary": [{ "type": "summary_text", "text": text }] })
}

#[test]
fn messages_are_read_in_every_way_of_writing_them() {
    let read = messages(json!([
        { "role": "developer", "content": "be brief" },
        { "type": "message", "role": "user", "content": [
            { "type": "input_text", "text": "what is this?" },
            { "type": "input_image", "image_url": "https://x/y.png", "detail": "low" },
        ] },
        { "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "final_answer", "content": [
            { "type": "output_text", "text": "a cat", "annotations": [], "logprobs": [], "parsed": { "a": 1 } },
        ] },
        { "role": "assistant", "content": [{ "type": "refusal", "refusal": "no" }] },
        { "role": "user", "content": [{ "type": "input_text", "text": "thanks" }] },
    ]));
    let image =
        Part::Image { url: "https://x/y.png".to_owned(), detail: Some("low".to_owned()), cache: None };
    let refusal = Part::Refusal { text: "no".to_owned() };
    let expected = [
        Message::text(Role::Developer, "be brief"),
        Message::new(Role::User, Content::Parts(vec![Part::text("what is this?"), image])),
        Message::text(Role::Assistant, "a cat"),
        Message::new(Role::Assistant, Content::Parts(vec![refusal])),
        Message::text(Role::User, "thanks"),
    ];
    assert_eq!(read, expected);
}

#[test]
fn the_items_of_one_turn_are_one_message() {
    let read = messages(json!([
        thought_item("hm"),
        { "role": "assistant", "content": "let me see" },
        call_item("a"), call_item("b"), output_item("a"), output_item("b"),
        call_item("c"), output_item("c"),
        { "role": "assistant", "content": "done" },
    ]));
    let first = Message {
        reasoning: vec![thought("hm")],
        tool_calls: vec![call("a", None), call("b", None)],
        ..Message::text(Role::Assistant, "let me see")
    };
    let second =
        Message { tool_calls: vec![call("c", None)], ..Message::new(Role::Assistant, Content::None) };
    let expected =
        [first, result("a"), result("b"), second, result("c"), Message::text(Role::Assistant, "done")];
    assert_eq!(read, expected);
}

#[test]
fn whatever_follows_calls_stays_in_their_turn() {
    let said = json!({ "role": "assistant", "content": "so" });
    let read = messages(json!([call_item("a"), thought_item("and"), call_item("b"), said, output_item("a")]));
    let turn = Message {
        reasoning: vec![thought("and")],
        tool_calls: vec![call("a", None), call("b", None)],
        ..Message::text(Role::Assistant, "so")
    };
    assert_eq!(read, [turn, result("a")]);
}

#[test]
fn thinking_between_two_texts_keeps_its_place() {
    let said = |text: &str| json!({ "role": "assistant", "content": text });
    let read = messages(json!([thought_item("1"), said("a"), thought_item("2"), said("b"), call_item("c")]));
    let turn = |thinks: &str, says: &str| Message {
        reasoning: vec![thought(thinks)],
        ..Message::text(Role::Assistant, says)
    };
    assert_eq!(read, [turn("1", "a"), Message { tool_calls: vec![call("c", None)], ..turn("2", "b") }]);
}

#[test]
fn a_thought_that_led_to_nothing_is_no_turn() {
    let read = messages(
        json!([{ "role": "user", "content": "hi" }, thought_item("hm"), { "role": "user", "content": "well?" }]),
    );
    assert_eq!(read, [Message::text(Role::User, "hi"), Message::text(Role::User, "well?")]);
}

#[test]
fn sealed_reasoning_comes_back_exactly() {
    let blocks = vec![
        ReasoningBlock { signature: Some("seal".to_owned()), ..thought("hm") },
        ReasoningBlock { redacted: Some("data".to_owned()), ..ReasoningBlock::default() },
        thought("open"),
    ];
    let sealed = Sealed { blocks: blocks.clone(), ..Sealed::default() }.write().expect("sealed");
    let mut item = thought_item("an edited summary");
    item["encrypted_content"] = json!(sealed);
    let read = messages(json!([item, { "role": "assistant", "content": "so" }]));
    assert_eq!(read[0].reasoning, blocks);
}

#[test]
fn what_another_vendor_encrypted_leaves_what_can_be_read() {
    let mut item = thought_item("hm");
    item["encrypted_content"] = json!("gAAAAABo");
    let said = json!({ "role": "assistant", "content": "so" });
    assert_eq!(messages(json!([item, said]))[0].reasoning, [thought("hm")]);
    item["content"] = json!([{ "type": "reasoning_text", "text": "all of it" }]);
    assert_eq!(messages(json!([item, said]))[0].reasoning, [thought("all of it")]);
}

#[test]
fn seals_of_calls_are_put_back_wherever_their_item_stands() {
    let calls = BTreeMap::from([("a".to_owned(), "seal".to_owned())]);
    let sealed = Sealed { calls, ..Sealed::default() }.write().expect("sealed");
    let item = json!({ "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed });
    let said = json!({ "role": "assistant", "content": "let me see" });
    let turn = Message {
        tool_calls: vec![call("a", Some("seal")), call("b", None)],
        ..Message::text(Role::Assistant, "let me see")
    };
    for order in [
        json!([said, item, call_item("a"), call_item("b"), output_item("a")]),
        json!([said, call_item("a"), call_item("b"), output_item("a"), item]),
    ] {
        assert_eq!(messages(order), [turn.clone(), result("a")]);
    }
}

#[test]
fn tools_may_answer_with_images() {
    let output = json!([
        { "type": "input_text", "text": "a chart" },
        { "type": "input_image", "image_url": "data:image/png;base64,AAAA" },
    ]);
    let read = messages(
        json!([call_item("a"), { "type": "function_call_output", "call_id": "a", "output": output }]),
    );
    assert_eq!((read[1].role, read[1].parts().len()), (Role::Tool, 2));
    assert!(read[1].parts()[1].is_image());
}

#[test]
fn each_fault_names_its_item() {
    let part = |part: Value| json!([{ "role": "user", "content": [part] }]);
    let reasoning =
        |member: &str, value: Value| json!([{ "type": "reasoning", "summary": [], member: value }]);
    let cases = [
        (json!(1), "input"),
        (json!([]), "input"),
        (json!([thought_item("hm")]), "input"),
        (json!(["hi"]), "input[0]"),
        (json!([{ "content": "hi" }]), "input[0].role"),
        (json!([{ "role": "tool", "content": "hi" }]), "input[0].role"),
        (json!([{ "role": "user" }]), "input[0].content"),
        (json!([{ "role": "user", "content": 1 }]), "input[0].content"),
        (json!([{ "role": "user", "content": "hi", "mood": "good" }]), "input[0].mood"),
        (json!([{ "type": "item_reference", "id": "msg_1" }]), "input[0]"),
        (json!([{ "role": "user", "content": "hi" }, { "id": "msg_1" }]), "input[1]"),
        (json!([{ "type": "web_search_call", "id": "ws_1" }]), "input[0].type"),
        (json!([{ "type": 1 }]), "input[0].type"),
        (part(json!({ "type": "input_file", "file_id": "file_1" })), "input[0].content[0].type"),
        (part(json!({ "type": "input_audio", "input_audio": {} })), "input[0].content[0].type"),
        (part(json!({ "type": "input_text" })), "input[0].content[0].text"),
        (part(json!({ "type": "input_image" })), "input[0].content[0].image_url"),
        (part(json!({ "type": "input_image", "file_id": "file_1" })), "input[0].content[0].file_id"),
        (
            part(json!({ "type": "input_image", "image_url": "file:///etc/passwd" })),
            "input[0].content[0].image_url",
        ),
        (part(json!({ "type": "input_text", "text": "a", "tone": "warm" })), "input[0].content[0].tone"),
        (json!([{ "type": "function_call", "name": "f" }]), "input[0].call_id"),
        (json!([{ "type": "function_call", "call_id": "a" }]), "input[0].name"),
        (
            json!([{ "type": "function_call", "call_id": "a", "name": "f", "arguments": {} }]),
            "input[0].arguments",
        ),
        (json!([{ "type": "function_call_output", "output": "r" }]), "input[0].call_id"),
        (json!([{ "type": "function_call_output", "call_id": "a" }]), "input[0].output"),
        (reasoning("summary", json!([{ "type": "text", "text": "a" }])), "input[0].summary[0].type"),
        (reasoning("content", json!([{ "type": "reasoning_text" }])), "input[0].content[0].text"),
        (reasoning("encrypted_content", json!("tgr1.!")), "input[0].encrypted_content"),
    ];
    for (input, param) in cases {
        assert_eq!(parse(input.clone()).expect_err(param).param, param, "{input}");
    }
}
