use super::*;
use crate::protocol::canonical::{Message, Reasoning, Role, Sampling};
use crate::protocol::forced_tool;

const OLD: &str = "anthropic.claude-3-5-sonnet-20241022-v2:0";
const NEW: &str = "us.anthropic.claude-opus-4-7";
const LLAMA: &str = "meta.llama3-3-70b-instruct-v1:0";

fn asks() -> ChatRequest {
    ChatRequest { messages: vec![Message::text(Role::User, "hi")], choices: 1, ..ChatRequest::default() }
}

fn formatted(format: ResponseFormat) -> ChatRequest {
    ChatRequest { response_format: Some(format), ..asks() }
}

fn schema() -> ResponseFormat {
    ResponseFormat::JsonSchema(JsonSchema {
        name: "point".to_owned(),
        description: Some("where".to_owned()),
        schema: json!({ "type": "object" }),
        strict: Some(true),
    })
}

#[test]
fn a_plain_question_says_no_more_than_it_must() {
    let body = body(&asks(), LLAMA, 100);
    let turn = json!({ "role": "user", "content": [{ "text": "hi" }] });
    assert_eq!(body, json!({ "messages": [turn], "inferenceConfig": { "maxTokens": 100 } }));
}

#[test]
fn sampling_has_its_places() {
    let sampling = Sampling {
        temperature: Some(json!(0.5)),
        top_p: Some(json!(0.9)),
        top_k: Some(json!(40)),
        ..Sampling::default()
    };
    let mut request = ChatRequest { sampling, stop: vec!["END".to_owned()], ..asks() };
    request.messages.insert(0, Message::text(Role::System, "be brief"));
    let body = body(&request, OLD, 100);
    assert_eq!(body["system"], json!([{ "text": "be brief" }]));
    assert_eq!(
        body["inferenceConfig"],
        json!({ "maxTokens": 100, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"] })
    );
    assert_eq!(body["additionalModelRequestFields"], json!({ "top_k": 40 }));
    assert_eq!(body["additionalModelResponseFieldPaths"], json!(["/stop_sequence"]));
}

#[test]
fn sampling_at_the_default_is_told_only_to_others() {
    let sampling = Sampling { temperature: Some(json!(1)), top_p: Some(json!(1.0)), ..Sampling::default() };
    let request = ChatRequest { sampling, ..asks() };
    assert_eq!(body(&request, NEW, 100)["inferenceConfig"], json!({ "maxTokens": 100 }));
    let told = json!({ "maxTokens": 100, "temperature": 1, "topP": 1.0 });
    assert_eq!(body(&request, LLAMA, 100)["inferenceConfig"], told);
}

#[test]
fn a_schema_is_stated_where_it_can_be() {
    for model in [NEW, LLAMA] {
        let body = body(&formatted(schema()), model, 100);
        let closed = "{\"type\":\"object\",\"additionalProperties\":false}";
        let stated = json!({ "schema": closed, "name": "point", "description": "where" });
        let format = json!({ "type": "json_schema", "structure": { "jsonSchema": stated } });
        assert_eq!(body["outputConfig"], json!({ "textFormat": format }), "{model}");
        assert_eq!(body.get("toolConfig"), None, "{model}");
    }
}

#[test]
fn an_older_claude_is_made_to_call_a_tool_and_so_is_any_for_an_object() {
    for (format, model) in
        [(schema(), OLD), (ResponseFormat::JsonObject, OLD), (ResponseFormat::JsonObject, NEW)]
    {
        let request = formatted(format);
        let body = body(&request, model, 100);
        assert_eq!(body["toolConfig"]["toolChoice"]["tool"]["name"], forced_tool::NAME, "{model}");
        assert_eq!(body.get("outputConfig"), None, "{model}");
        assert!(forced_tool(&request, model).is_some());
    }
    assert_eq!(forced_tool(&formatted(ResponseFormat::Text), OLD), None);
    assert_eq!(forced_tool(&formatted(schema()), LLAMA), None);
}

#[test]
fn format_and_effort_share_their_place() {
    let reasoning = Reasoning { effort: Some("medium".to_owned()), ..Reasoning::default() };
    let body = body(&ChatRequest { reasoning: Some(reasoning), ..formatted(schema()) }, NEW, 100);
    assert_eq!(body["outputConfig"]["effort"], "medium");
    assert_eq!(body["outputConfig"]["textFormat"]["type"], "json_schema");
    assert_eq!(body["additionalModelRequestFields"], json!({ "thinking": { "type": "adaptive" } }));
}

#[test]
fn fields_of_other_dialects_are_never_sent() {
    let mut request = ChatRequest { user: Some("u".to_owned()), ..asks() };
    request.extra.insert("metadata".to_owned(), json!({ "a": 1 }));
    request.unlisted.insert("flux".to_owned(), json!(1));
    assert_eq!(body(&request, NEW, 100), body(&asks(), NEW, 100));
}
