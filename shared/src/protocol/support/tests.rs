use serde_json::json;

use super::super::canonical::{Message, Part, Reasoning, Sampling, ToolCall};
use super::super::outbound::Flavour;
use super::super::{anthropic, openai};
use super::*;
use crate::protocol::canonical::{Content, JsonSchema, ResponseFormat, Role, Tool, ToolChoice};

const OPENAI: Outbound = Outbound::OpenAi(Flavour::Official);

fn asks() -> ChatRequest {
    ChatRequest { messages: vec![Message::text(Role::User, "hi")], choices: 1, ..ChatRequest::default() }
}

fn refused(request: &ChatRequest, outbound: Outbound, model: &str) -> Option<String> {
    check(request, outbound, model).err().map(|unsupported| unsupported.param)
}

#[test]
fn every_listed_field_has_its_row() {
    for name in openai::field_list::NEUTRAL.iter().chain(anthropic::field_list::NEUTRAL) {
        assert!(PARAMETERS.iter().any(|parameter| parameter.name == *name), "{name} has no row");
    }
}

#[test]
fn a_plain_question_can_be_asked_of_everybody() {
    for outbound in [OPENAI, Outbound::Anthropic, Outbound::Bedrock] {
        assert_eq!(check(&asks(), outbound, "any"), Ok(()), "{outbound:?}");
    }
}

#[test]
fn what_others_cannot_do_is_refused_by_name() {
    let seeded = Sampling { seed: Some(json!(7)), ..Sampling::default() };
    let request = ChatRequest { sampling: seeded, ..asks() };
    assert_eq!(refused(&request, OPENAI, "gpt-4o"), None);
    assert_eq!(refused(&request, Outbound::Anthropic, "claude-sonnet-4-5").as_deref(), Some("seed"));
    assert_eq!(refused(&request, Outbound::Bedrock, "meta.llama3").as_deref(), Some("seed"));
}

#[test]
fn a_penalty_of_zero_and_logprobs_switched_off_are_nothing() {
    let sampling = Sampling { presence_penalty: Some(json!(0.0)), ..Sampling::default() };
    let mut request = ChatRequest { sampling, ..asks() };
    request.extra.insert("logprobs".into(), json!(false));
    assert_eq!(refused(&request, Outbound::Anthropic, "claude-sonnet-4-5"), None);
}

#[test]
fn a_field_nobody_listed_reaches_its_own_family_only() {
    let mut request = asks();
    request.unlisted.insert("flux".into(), json!(1));
    assert_eq!(refused(&request, OPENAI, "gpt-4o"), None);
    assert_eq!(refused(&request, Outbound::Anthropic, "claude-sonnet-4-5").as_deref(), Some("flux"));
    request.family = Family::Anthropic;
    assert_eq!(refused(&request, Outbound::Anthropic, "claude-sonnet-4-5"), None);
    assert_eq!(refused(&request, OPENAI, "gpt-4o").as_deref(), Some("flux"));
}

#[test]
fn reasoning_rules_the_temperature_of_a_claude() {
    let reasoning = Reasoning { effort: Some("low".into()), ..Reasoning::default() };
    let sampling = Sampling { temperature: Some(json!(0.2)), ..Sampling::default() };
    let request = ChatRequest { reasoning: Some(reasoning), sampling, ..asks() };
    assert_eq!(refused(&request, OPENAI, "gpt-5"), None);
    assert_eq!(refused(&request, Outbound::Anthropic, "claude-sonnet-4-5").as_deref(), Some("temperature"));
    assert_eq!(
        refused(
            &ChatRequest { sampling: Sampling::default(), ..request },
            Outbound::Anthropic,
            "claude-3-5-sonnet"
        ),
        Some("reasoning_effort".to_owned())
    );
}

#[test]
fn to_a_messages_caller_an_effort_alone_is_no_wish_to_think() {
    let reasoning = Reasoning { effort: Some("low".into()), ..Reasoning::default() };
    let sampling = Sampling { temperature: Some(json!(0.2)), ..Sampling::default() };
    let request = ChatRequest { reasoning: Some(reasoning), sampling, family: Family::Anthropic, ..asks() };
    assert_eq!(refused(&request, Outbound::Anthropic, "claude-opus-4-6"), None);
}

#[test]
fn a_forced_call_and_a_budget_of_thinking_exclude_each_other() {
    let reasoning = Reasoning { effort: Some("low".into()), ..Reasoning::default() };
    let tool_choice = Some(ToolChoice::Required);
    let request = ChatRequest { reasoning: Some(reasoning), tool_choice, ..asks() };
    assert_eq!(refused(&request, Outbound::Anthropic, "claude-sonnet-4-5").as_deref(), Some("tool_choice"));
    assert_eq!(refused(&request, Outbound::Anthropic, "claude-opus-4-8"), None);
    let bedrock = |model| refused(&request, Outbound::Bedrock, model);
    assert_eq!(bedrock("anthropic.claude-sonnet-4-5-v1:0").as_deref(), Some("tool_choice"));
    assert_eq!(bedrock("anthropic.claude-opus-4-8"), None);
}

#[test]
fn the_newest_claude_samples_as_it_will() {
    let newest = "claude-opus-4-8";
    let with = |sampling: Sampling, model: &str| {
        refused(&ChatRequest { sampling, ..asks() }, Outbound::Anthropic, model)
    };
    let hot = |number: f64| Sampling { temperature: Some(json!(number)), ..Sampling::default() };
    assert_eq!(with(hot(1.0), newest), None);
    assert_eq!(with(hot(0.5), newest).as_deref(), Some("temperature"));
    let both = Sampling { top_p: Some(json!(0.9)), ..hot(0.5) };
    assert_eq!(with(both.clone(), "claude-sonnet-4-5").as_deref(), Some("top_p"));
    assert_eq!(with(both, "claude-3-5-sonnet"), None);
    let top_k = Sampling { top_k: Some(json!(5)), ..Sampling::default() };
    assert_eq!(with(top_k.clone(), "claude-sonnet-4-5"), None);
    assert_eq!(with(top_k, newest).as_deref(), Some("top_k"));
}

#[test]
fn members_that_only_one_dialect_knows_stay_in_its_family() {
    let mut request = asks();
    let extra = serde_json::Map::from_iter([("flux".to_owned(), json!(1))]);
    let part = Part::Text { text: "hi".into(), cache: None, extra };
    request.messages[0].content = Content::Parts(vec![part]);
    let name = "messages[].content[] (other members)";
    assert_eq!(refused(&request, OPENAI, "gpt-4o"), None);
    assert_eq!(refused(&request, Outbound::Anthropic, "claude-sonnet-4-5").as_deref(), Some(name));
    request.family = Family::Anthropic;
    assert_eq!(refused(&request, Outbound::Anthropic, "claude-sonnet-4-5"), None);
    assert_eq!(refused(&request, OPENAI, "gpt-4o").as_deref(), Some(name));
}

#[test]
fn arguments_that_are_no_object_stay_with_those_who_take_text() {
    let mut request = asks();
    let call = ToolCall { id: "c".into(), name: "f".into(), arguments: "{\"a\":".into(), signature: None };
    request.messages.push(Message { tool_calls: vec![call], ..Message::new(Role::Assistant, Content::None) });
    request.tools.push(Tool { name: "f".into(), ..Tool::default() });
    assert_eq!(refused(&request, OPENAI, "gpt-4o"), None);
    let param = refused(&request, Outbound::Anthropic, "claude-sonnet-4-5");
    assert_eq!(param.as_deref(), Some("messages[].tool_calls[].function.arguments"));
}

#[test]
fn bedrock_takes_only_images_that_come_along() {
    let image = |url: &str| {
        let part = Part::Image { url: url.to_owned(), detail: None, cache: None };
        let message = Message::new(Role::User, Content::Parts(vec![part]));
        ChatRequest { messages: vec![message], choices: 1, ..ChatRequest::default() }
    };
    let linked = image("https://example.com/a.png");
    assert_eq!(refused(&linked, Outbound::Anthropic, "claude-sonnet-4-5"), None);
    assert!(refused(&linked, Outbound::Bedrock, "anthropic.claude-sonnet-4-5-v1:0").is_some());
    assert_eq!(refused(&image("data:image/png;base64,AAAA"), Outbound::Bedrock, "any"), None);
}

#[test]
fn bedrock_states_a_schema_and_makes_older_claudes_call_a_tool() {
    let schema = JsonSchema { name: "n".into(), description: None, schema: json!({}), strict: None };
    let plain = |format| ChatRequest { response_format: Some(format), ..asks() };
    let with_tools = |format| ChatRequest { tools: vec![Tool::default()], ..plain(format) };
    let schema = ResponseFormat::JsonSchema(schema);
    let param = |request: &ChatRequest, model| refused(request, Outbound::Bedrock, model);
    let (new, old, llama) =
        ("anthropic.claude-sonnet-4-5-v1:0", "anthropic.claude-3-haiku-v1:0", "meta.llama3-v1:0");
    for model in [new, old, llama] {
        assert_eq!(param(&plain(schema.clone()), model), None, "{model}");
        assert_eq!(param(&with_tools(ResponseFormat::Text), model), None, "{model}");
    }
    let named = Some("response_format".to_owned());
    assert_eq!(param(&with_tools(schema.clone()), new), None);
    assert_eq!(param(&with_tools(schema.clone()), llama), None);
    assert_eq!(param(&with_tools(schema), old), named);
    assert_eq!(param(&plain(ResponseFormat::JsonObject), new), None);
    assert_eq!(param(&with_tools(ResponseFormat::JsonObject), new), named);
    assert_eq!(param(&plain(ResponseFormat::JsonObject), llama), named);
}

#[test]
fn older_claudes_enforce_no_schema_on_their_tools() {
    let strict =
        |strict| ChatRequest { tools: vec![Tool { strict: Some(strict), ..Tool::default() }], ..asks() };
    let old = "anthropic.claude-3-5-sonnet-20241022-v2:0";
    assert_eq!(refused(&strict(true), Outbound::Bedrock, old).as_deref(), Some("tools[].strict"));
    assert_eq!(
        refused(&strict(true), Outbound::Anthropic, "claude-3-5-sonnet").as_deref(),
        Some("tools[].strict")
    );
    assert_eq!(refused(&strict(false), Outbound::Bedrock, old), None);
    assert_eq!(refused(&strict(true), Outbound::Bedrock, "anthropic.claude-haiku-4-5-v1:0"), None);
    assert_eq!(refused(&strict(true), Outbound::Bedrock, "qwen.qwen3-32b-v1:0"), None);
}
