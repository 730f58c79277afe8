use super::*;
use crate::protocol::canonical::{CacheTtl, Content, Role, ToolCall};

const CLAUDE: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

fn tool(name: &str) -> Tool {
    Tool { name: name.to_owned(), ..Tool::default() }
}

fn offers(tool_choice: Option<ToolChoice>) -> ChatRequest {
    ChatRequest { tools: vec![tool("f"), tool("g")], tool_choice, ..ChatRequest::default() }
}

fn called(names: &[&str]) -> Message {
    let call = |name: &&str| ToolCall { id: "c".to_owned(), name: (*name).to_owned(), ..ToolCall::default() };
    Message { tool_calls: names.iter().map(call).collect(), ..Message::new(Role::Assistant, Content::None) }
}

fn names(config: &Value) -> Vec<&str> {
    let tools = config["tools"].as_array().expect("tools");
    tools.iter().filter_map(|tool| tool["toolSpec"]["name"].as_str()).collect()
}

#[test]
fn a_tool_is_described_whole() {
    let whole = Tool {
        description: Some("finds".to_owned()),
        parameters: Some(json!({ "type": "object", "properties": { "q": {} } })),
        strict: Some(true),
        cache: Some(CacheTtl::OneHour),
        ..tool("f")
    };
    let bare = Tool {
        description: Some(String::new()),
        parameters: Some(json!({})),
        strict: Some(false),
        ..tool("g")
    };
    let request = ChatRequest { tools: vec![whole, bare], ..ChatRequest::default() };
    let schema = json!({ "type": "object", "properties": { "q": {} } });
    let mut expected = vec![
        json!({ "toolSpec": { "name": "f", "description": "finds", "inputSchema": { "json": schema }, "strict": true } }),
        json!({ "cachePoint": { "type": "default", "ttl": "1h" } }),
        json!({ "toolSpec": { "name": "g", "inputSchema": { "json": { "type": "object" } } } }),
    ];
    assert_eq!(config(&request, CLAUDE, None), Some(json!({ "tools": expected })));
    expected.remove(1);
    assert_eq!(config(&request, "meta.llama3-v1:0", None), Some(json!({ "tools": expected })));
}

#[test]
fn each_choice_has_its_word() {
    let allowed = |required| ToolChoice::Allowed { required, names: vec!["g".to_owned()] };
    let cases = [
        (ToolChoice::Auto, json!({ "auto": {} }), vec!["f", "g"]),
        (ToolChoice::Required, json!({ "any": {} }), vec!["f", "g"]),
        (ToolChoice::Tool("f".to_owned()), json!({ "tool": { "name": "f" } }), vec!["f", "g"]),
        (allowed(true), json!({ "any": {} }), vec!["g"]),
        (allowed(false), json!({ "auto": {} }), vec!["g"]),
    ];
    for (choice, word, offered) in cases {
        let config = config(&offers(Some(choice.clone())), CLAUDE, None).expect("tools");
        assert_eq!((&config["toolChoice"], names(&config)), (&word, offered), "{choice:?}");
    }
    assert_eq!(config(&offers(Some(ToolChoice::None)), CLAUDE, None), None);
    assert_eq!(config(&ChatRequest::default(), CLAUDE, None), None);
}

#[test]
fn tools_of_the_history_are_described_again_where_none_is_offered() {
    let messages = vec![called(&["f", "g"]), called(&["f"])];
    let request = ChatRequest { messages, ..ChatRequest::default() };
    let described = config(&request, CLAUDE, None).expect("what the history demands");
    assert_eq!(names(&described), ["f", "g"]);
    assert_eq!(described["tools"][0]["toolSpec"]["inputSchema"]["json"]["type"], "object");
    assert_eq!(described.get("toolChoice"), None);
    let offering = ChatRequest { tools: vec![tool("h")], ..request };
    assert_eq!(names(&config(&offering, CLAUDE, None).expect("tools")), ["h"]);
}

#[test]
fn the_hold_covers_what_the_history_demands() {
    let nothing_allowed = ToolChoice::Allowed { required: false, names: Vec::new() };
    let offers_none = ChatRequest { choices: 1, ..ChatRequest::default() };
    for request in [offers_none, offers(Some(nothing_allowed))] {
        let with_call = ChatRequest { messages: vec![called(&["find"])], ..request };
        let silent = Message { tool_calls: Vec::new(), ..with_call.messages[0].clone() };
        let without = ChatRequest { messages: vec![silent], tools: Vec::new(), ..with_call.clone() };
        let measured = |request: &ChatRequest| crate::protocol::size::measure(request).input_bytes;
        let written = config(&with_call, CLAUDE, None).expect("tools").to_string().len() as u64;
        assert!(measured(&with_call) >= measured(&without) + written + 530, "530 tokens introduce the tools");
    }
}

#[test]
fn a_forced_tool_is_the_only_one() {
    let forced = ForcedTool { description: "answer".to_owned(), schema: json!({ "type": "object" }) };
    let config = config(&ChatRequest::default(), CLAUDE, Some(&forced)).expect("the tool");
    assert_eq!(names(&config), [forced_tool::NAME]);
    assert_eq!(config["tools"][0]["toolSpec"]["description"], "answer");
    assert_eq!(config["toolChoice"], json!({ "tool": { "name": forced_tool::NAME } }));
}
