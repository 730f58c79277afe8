use super::*;
use crate::protocol::canonical::{Content, Family, Message, ReasoningBlock, Role, ToolCall};

fn asks(reasoning: Reasoning) -> ChatRequest {
    ChatRequest { reasoning: Some(reasoning), ..ChatRequest::default() }
}

fn effort_of(word: &str) -> Reasoning {
    Reasoning { effort: Some(word.to_owned()), ..Reasoning::default() }
}

fn says(asked: Asked) -> Reasoning {
    Reasoning { thinking: Some(asked), ..Reasoning::default() }
}

fn thinking(request: &ChatRequest, model: &str, most: u64) -> Thinking {
    Thinking::of(request, Claude::named(model), most)
}

fn budget(request: &ChatRequest, most: u64) -> Option<u64> {
    let field = thinking(request, "anthropic.claude-sonnet-4-5-20250929-v1:0", most).field?;
    assert_eq!(field["type"], "enabled");
    field["budget_tokens"].as_u64()
}

#[test]
fn an_effort_becomes_a_budget_inside_the_output_limit() {
    let cases = [
        ("minimal", 1024),
        ("low", 2048),
        ("medium", 8192),
        ("high", 16_384),
        ("xhigh", 32_768),
        ("max", 48_000),
    ];
    for (word, tokens) in cases {
        assert_eq!(budget(&asks(effort_of(word)), 64_000), Some(tokens), "{word}");
    }
    assert_eq!(budget(&asks(effort_of("high")), 4096), Some(3072), "a quarter is left for the answer");
    assert_eq!(budget(&asks(effort_of("high")), 1368), Some(1026));
    assert_eq!(budget(&asks(effort_of("high")), 1364), None);
    assert_eq!(budget(&asks(effort_of("high")), 0), None);
    assert_eq!(budget(&asks(effort_of("none")), 64_000), None);
}

#[test]
fn a_budget_of_the_callers_own_is_kept() {
    assert_eq!(budget(&asks(says(Asked::Budget(5000))), 64_000), Some(5000));
    assert_eq!(budget(&asks(says(Asked::Budget(5000))), 3000), Some(2999));
    assert_eq!(budget(&asks(says(Asked::Adaptive)), 64_000), Some(16_384));
    let off = Reasoning { thinking: Some(Asked::Disabled), ..effort_of("high") };
    assert_eq!(budget(&asks(off), 64_000), None);
}

#[test]
fn calls_without_their_sealed_reasoning_stop_a_model_with_budgets_from_thinking() {
    let mut request = asks(effort_of("low"));
    let called =
        Message { tool_calls: vec![ToolCall::default()], ..Message::new(Role::Assistant, Content::None) };
    request.messages = vec![Message::text(Role::User, "hi"), called.clone()];
    assert_eq!(budget(&request, 64_000), None);
    let adaptive = thinking(&request, "us.anthropic.claude-opus-4-6-v1", 64_000);
    assert_eq!(adaptive.field, Some(json!({ "type": "adaptive" })));
    for sealed in [
        ReasoningBlock { signature: Some("s".to_owned()), ..ReasoningBlock::default() },
        ReasoningBlock { redacted: Some("r".to_owned()), ..ReasoningBlock::default() },
    ] {
        request.messages[1] = Message { reasoning: vec![sealed], ..called.clone() };
        assert_eq!(budget(&request, 64_000), Some(2048));
    }
    let open = ReasoningBlock { text: "hm".to_owned(), ..ReasoningBlock::default() };
    request.messages[1] = Message { reasoning: vec![open], ..called };
    assert_eq!(budget(&request, 64_000), None);
}

#[test]
fn an_adaptive_model_is_told_an_effort() {
    let new = "global.anthropic.claude-opus-4-7";
    let cases = [
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "medium"),
        ("high", "high"),
        ("xhigh", "xhigh"),
        ("max", "max"),
    ];
    for (word, effort) in cases {
        let told = thinking(&asks(effort_of(word)), new, 64_000);
        assert_eq!(
            told,
            Thinking { field: Some(json!({ "type": "adaptive" })), effort: Some(effort) },
            "{word}"
        );
    }
    assert_eq!(thinking(&asks(effort_of("none")), new, 64_000), Thinking::default());
    assert_eq!(
        thinking(&asks(effort_of("xhigh")), "anthropic.claude-sonnet-4-6", 64_000).effort,
        Some("high")
    );
    let budgeted = thinking(&asks(says(Asked::Budget(5000))), new, 64_000);
    assert_eq!(budgeted, Thinking { field: Some(json!({ "type": "adaptive" })), effort: None });
    let off = Reasoning { thinking: Some(Asked::Disabled), ..effort_of("max") };
    assert_eq!(thinking(&asks(off), new, 64_000), Thinking { field: None, effort: Some("high") });
}

#[test]
fn how_much_is_shown_is_told_to_adaptive_models() {
    let shown = |summary: &str| {
        let reasoning = Reasoning { summary: Some(summary.to_owned()), ..effort_of("low") };
        let field = thinking(&asks(reasoning), "anthropic.claude-opus-4-7", 64_000).field;
        field.and_then(|field| field["display"].as_str().map(str::to_owned))
    };
    assert_eq!(shown("auto").as_deref(), Some("summarized"));
    assert_eq!(shown("omitted").as_deref(), Some("omitted"));
}

#[test]
fn nothing_is_said_to_models_that_cannot_think() {
    for model in ["anthropic.claude-3-5-sonnet-20240620-v1:0", "meta.llama3-1-70b-instruct-v1:0"] {
        assert_eq!(thinking(&asks(effort_of("high")), model, 64_000), Thinking::default(), "{model}");
    }
    assert_eq!(thinking(&ChatRequest::default(), "anthropic.claude-opus-4-7", 64_000), Thinking::default());
}

#[test]
fn to_a_messages_caller_an_effort_alone_is_no_wish_to_think() {
    let request = ChatRequest { family: Family::Anthropic, ..asks(effort_of("max")) };
    assert_eq!(thinking(&request, "anthropic.claude-sonnet-4-5", 64_000), Thinking::default());
    let newer = thinking(&request, "anthropic.claude-opus-4-8", 64_000);
    assert_eq!(newer, Thinking { field: None, effort: Some("high") });
}
