use super::*;

const CLAUDE: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const LLAMA: &str = "meta.llama3-3-70b-instruct-v1:0";

fn turns(messages: &[Message]) -> Value {
    Writer::of(CLAUDE).turns(messages).into()
}

fn parts(role: Role, parts: Vec<Part>) -> Message {
    Message::new(role, Content::Parts(parts))
}

fn cached(text: &str, ttl: CacheTtl) -> Part {
    Part::Text { text: text.to_owned(), cache: Some(ttl), extra: serde_json::Map::new() }
}

fn calls(ids: &[&str]) -> Message {
    let call = |id: &&str| ToolCall {
        id: (*id).to_owned(),
        name: "f".to_owned(),
        arguments: "{\"a\":1}".to_owned(),
        signature: None,
    };
    Message { tool_calls: ids.iter().map(call).collect(), ..Message::new(Role::Assistant, Content::None) }
}

fn result(id: &str, content: Content) -> Message {
    Message { tool_call_id: Some(id.to_owned()), ..Message::new(Role::Tool, content) }
}

#[test]
fn what_the_system_and_the_developer_say_stands_apart_in_order() {
    let messages = [
        Message::text(Role::System, "one"),
        Message::text(Role::User, "hi"),
        parts(Role::Developer, vec![Part::text(""), cached("two", CacheTtl::OneHour)]),
    ];
    let system: Value = Writer::of(CLAUDE).system(&messages).into();
    assert_eq!(
        system,
        json!([{ "text": "one" }, { "text": "two" }, { "cachePoint": { "type": "default", "ttl": "1h" } }])
    );
    assert_eq!(turns(&messages), json!([{ "role": "user", "content": [{ "text": "hi" }] }]));
}

#[test]
fn neighbours_of_one_role_become_one_turn() {
    let messages = [
        Message::text(Role::User, "a"),
        Message::text(Role::User, "b"),
        Message::text(Role::Assistant, "c"),
        Message::text(Role::User, " \n"),
        parts(Role::Assistant, vec![Part::Refusal { text: "d".to_owned() }]),
    ];
    let turn = |role: &str, texts: [&str; 2]| json!({ "role": role, "content": texts.map(|text| json!({ "text": text })) });
    assert_eq!(turns(&messages), json!([turn("user", ["a", "b"]), turn("assistant", ["c", "d"])]));
}

#[test]
fn results_of_tools_come_in_the_users_turn() {
    let image = Part::Image { url: "data:image/png;base64,AAAA".to_owned(), detail: None, cache: None };
    let messages = [
        calls(&["c1", "c2"]),
        result("c1", Content::Text("42".to_owned())),
        Message { tool_failed: true, ..result("c2", Content::Parts(vec![Part::text("no"), image])) },
        Message::text(Role::User, "go on"),
    ];
    let tool_use = |id| json!({ "toolUse": { "toolUseId": id, "name": "f", "input": { "a": 1 } } });
    let image = json!({ "image": { "format": "png", "source": { "bytes": "AAAA" } } });
    assert_eq!(
        turns(&messages),
        json!([
            { "role": "assistant", "content": [tool_use("c1"), tool_use("c2")] },
            { "role": "user", "content": [
                { "toolResult": { "toolUseId": "c1", "content": [{ "text": "42" }] } },
                { "toolResult": { "toolUseId": "c2", "content": [{ "text": "no" }, image], "status": "error" } },
                { "text": "go on" },
            ] },
        ])
    );
}

#[test]
fn a_tool_that_said_nothing_has_an_empty_result() {
    let silent =
        json!([{ "role": "user", "content": [{ "toolResult": { "toolUseId": "c", "content": [] } }] }]);
    assert_eq!(turns(&[result("c", Content::None)]), silent);
    assert_eq!(turns(&[result("c", Content::Text(String::new()))]), silent);
}

#[test]
fn ids_that_bedrock_would_refuse_are_replaced_in_call_and_result_alike() {
    let written = turns(&[calls(&["a/b", "ok.1:2"]), result("a/b", Content::None)]);
    let id = &written[0]["content"][0]["toolUse"]["toolUseId"];
    assert_eq!(*id, json!(tool_id::fit("a/b", |_| false)));
    assert_eq!(written[1]["content"][0]["toolResult"]["toolUseId"], *id);
    assert_eq!(written[0]["content"][1]["toolUse"]["toolUseId"], "ok.1:2");
}

#[test]
fn arguments_of_nothing_are_an_empty_object() {
    let mut message = calls(&["c"]);
    message.tool_calls[0].arguments = String::new();
    assert_eq!(turns(&[message])[0]["content"][0]["toolUse"]["input"], json!({}));
}

#[test]
fn only_sealed_reasoning_goes_back_and_only_to_claude() {
    let sealed = ReasoningBlock { text: "hm".to_owned(), signature: Some("s".to_owned()), redacted: None };
    let open = ReasoningBlock { text: "so".to_owned(), ..ReasoningBlock::default() };
    let redacted = ReasoningBlock { redacted: Some("cmVk".to_owned()), ..ReasoningBlock::default() };
    let message =
        Message { reasoning: vec![sealed, open, redacted], ..Message::text(Role::Assistant, "yes") };
    assert_eq!(
        turns(std::slice::from_ref(&message))[0]["content"],
        json!([
            { "reasoningContent": { "reasoningText": { "text": "hm", "signature": "s" } } },
            { "reasoningContent": { "redactedContent": "cmVk" } },
            { "text": "yes" },
        ])
    );
    let llama = Writer::of(LLAMA).turns(&[message]);
    assert_eq!(llama[0]["content"], json!([{ "text": "yes" }]));
}

#[test]
fn cache_points_stand_behind_what_they_mark() {
    let point = json!({ "cachePoint": { "type": "default" } });
    let mut answered = result("c", Content::Parts(vec![cached("42", CacheTtl::FiveMinutes)]));
    let called = Message { cache: Some(CacheTtl::FiveMinutes), ..calls(&["c"]) };
    let written = turns(&[
        parts(Role::User, vec![cached("a", CacheTtl::FiveMinutes), Part::text("b")]),
        called,
        answered.clone(),
    ]);
    assert_eq!(written[0]["content"], json!([{ "text": "a" }, point, { "text": "b" }]));
    assert_eq!(written[1]["content"][1], point);
    assert_eq!(written[2]["content"][0]["toolResult"]["content"], json!([{ "text": "42" }]));
    assert_eq!(written[2]["content"][1], point);
    answered.cache = Some(CacheTtl::OneHour);
    assert_eq!(turns(&[answered])[0]["content"][1]["cachePoint"]["ttl"], "1h");
}

#[test]
fn a_cache_point_with_nothing_to_mark_is_left_out() {
    let sealed = ReasoningBlock { text: "hm".to_owned(), signature: Some("s".to_owned()), redacted: None };
    let empty = parts(Role::Assistant, vec![cached("", CacheTtl::FiveMinutes)]);
    assert_eq!(turns(std::slice::from_ref(&empty)), json!([]));
    let thought = Message { reasoning: vec![sealed], ..empty };
    assert_eq!(turns(&[thought])[0]["content"].as_array().map(Vec::len), Some(1));
    let twice = Message {
        cache: Some(CacheTtl::OneHour),
        ..parts(Role::User, vec![cached("a", CacheTtl::FiveMinutes)])
    };
    assert_eq!(turns(&[twice])[0]["content"].as_array().map(Vec::len), Some(2));
}

#[test]
fn models_without_cache_and_status_get_neither() {
    let failed = Message {
        tool_failed: true,
        cache: Some(CacheTtl::OneHour),
        ..result("c", Content::Text("no".to_owned()))
    };
    let written: Value = Writer::of(LLAMA).turns(std::slice::from_ref(&failed)).into();
    assert_eq!(
        written[0]["content"],
        json!([{ "toolResult": { "toolUseId": "c", "content": [{ "text": "no" }] } }])
    );
    let written: Value = Writer::of("us.amazon.nova-pro-v1:0").turns(&[failed]).into();
    assert_eq!(written[0]["content"][0]["toolResult"]["status"], "error");
}
