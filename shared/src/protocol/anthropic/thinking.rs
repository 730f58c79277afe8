//! How a call is told to think, in the words that its model knows.

use serde_json::{Value, json};

use crate::protocol::canonical::{ChatRequest, Family, Reasoning, Thinking};
use crate::protocol::claude::thinking::{budget_for, display, may_go_on, within};
use crate::protocol::claude::{Claude, ThinkingStyle};

/// `thinking` and `output_config.effort` of one call.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    pub thinking: Option<Value>,
    pub effort: Option<String>,
}

/// What the request asks for, inside an output limit of `max_output_tokens`.
pub(super) fn told(request: &ChatRequest, claude: Claude, max_output_tokens: u64) -> Told {
    let Some(reasoning) = &request.reasoning else {
        return Told::default();
    };
    let own = request.family == Family::Anthropic;
    match claude.thinking() {
        ThinkingStyle::Never => Told::default(),
        ThinkingStyle::Adaptive => adaptive(reasoning, own),
        ThinkingStyle::Budget => {
            let told = budgeted(reasoning, own, max_output_tokens);
            match told.thinking.as_ref().is_some_and(is_on) && !may_go_on(&request.messages) {
                true => Told { thinking: None, ..told },
                false => told,
            }
        }
    }
}

fn is_on(thinking: &Value) -> bool {
    thinking["type"] == "enabled"
}

fn budgeted(reasoning: &Reasoning, own: bool, max_output_tokens: u64) -> Told {
    let effort = reasoning.effort.as_deref().filter(|effort| *effort != "none");
    let (budget, effort) = match reasoning.thinking {
        Some(Thinking::Disabled) => return Told { thinking: off(own), effort: own_effort(reasoning, own) },
        Some(Thinking::Budget(tokens)) => (Some(tokens), own_effort(reasoning, own)),
        Some(Thinking::Adaptive) => (Some(budget_for(effort.unwrap_or("high"), max_output_tokens)), None),
        // To a Messages caller an effort is no wish to think.
        None if own => (None, own_effort(reasoning, own)),
        None => (effort.map(|effort| budget_for(effort, max_output_tokens)), None),
    };
    let fits = budget.and_then(|budget| within(budget, max_output_tokens));
    let thinking = fits.map(|budget| shown(json!({ "type": "enabled", "budget_tokens": budget }), reasoning));
    Told { thinking, effort }
}

fn adaptive(reasoning: &Reasoning, own: bool) -> Told {
    let effort = reasoning.effort.as_deref().filter(|effort| *effort != "none");
    let effort = effort.map(|effort| if effort == "minimal" { "low" } else { effort });
    let on = || Some(shown(json!({ "type": "adaptive" }), reasoning));
    let (thinking, effort) = match reasoning.thinking {
        Some(Thinking::Disabled) => (off(own), effort),
        Some(Thinking::Budget(tokens)) => (on(), effort.or(Some(effort_of(tokens)))),
        Some(Thinking::Adaptive) => (on(), effort),
        // To a Messages caller an effort is no wish to think.
        None if own => (None, effort),
        None => (effort.and_then(|_| on()), effort),
    };
    Told { thinking, effort: effort.map(str::to_owned) }
}

/// Some models think unless they are told not to; other dialects have no word for it.
fn off(own: bool) -> Option<Value> {
    own.then(|| json!({ "type": "disabled" }))
}

fn own_effort(reasoning: &Reasoning, own: bool) -> Option<String> {
    reasoning.effort.clone().filter(|_| own)
}

/// The effort that a budget amounts to, between the figures of [`budget_for`].
fn effort_of(budget: u64) -> &'static str {
    match budget {
        0..4096 => "low",
        4096..16_384 => "medium",
        _ => "high",
    }
}

fn shown(mut thinking: Value, reasoning: &Reasoning) -> Value {
    if let Some(display) = display(reasoning) {
        thinking["display"] = json!(display);
    }
    thinking
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::canonical::{Content, Message, ReasoningBlock, Role, ToolCall};

    const BUDGETED: &str = "claude-sonnet-4-5";
    const ADAPTIVE: &str = "claude-opus-4-8";

    fn asks(family: Family, effort: Option<&str>, thinking: Option<Thinking>) -> ChatRequest {
        let reasoning = Reasoning { effort: effort.map(str::to_owned), thinking, summary: None };
        let messages = vec![Message::text(Role::User, "hi")];
        ChatRequest { messages, family, reasoning: Some(reasoning), ..ChatRequest::default() }
    }

    fn told_to(model: &str, request: &ChatRequest, limit: u64) -> (Option<Value>, Option<String>) {
        let told = told(request, Claude::named(model), limit);
        (told.thinking, told.effort)
    }

    fn enabled(budget: u64) -> Option<Value> {
        Some(json!({ "type": "enabled", "budget_tokens": budget }))
    }

    #[test]
    fn an_effort_is_a_budget_within_the_output_limit() {
        let with = |effort: &str, limit| told_to(BUDGETED, &asks(Family::OpenAi, Some(effort), None), limit);
        assert_eq!(with("minimal", 50_000), (enabled(1024), None));
        assert_eq!(with("low", 50_000), (enabled(2048), None));
        assert_eq!(with("medium", 50_000), (enabled(8192), None));
        assert_eq!(with("high", 50_000), (enabled(16_384), None));
        assert_eq!(with("max", 50_000), (enabled(37_500), None), "a quarter is left for the answer");
        assert_eq!(with("high", 1368), (enabled(1026), None));
        assert_eq!(with("high", 1364), (None, None), "less than the least does not fit");
        assert_eq!(with("none", 50_000), (None, None));
        assert_eq!(
            told_to("claude-3-5-sonnet", &asks(Family::OpenAi, Some("low"), None), 50_000),
            (None, None)
        );
    }

    #[test]
    fn an_adaptive_model_is_guided_by_an_effort() {
        let on = || Some(json!({ "type": "adaptive" }));
        let with = |effort, thinking| told_to(ADAPTIVE, &asks(Family::OpenAi, effort, thinking), 50_000);
        assert_eq!(with(Some("minimal"), None), (on(), Some("low".to_owned())));
        assert_eq!(with(Some("xhigh"), None), (on(), Some("xhigh".to_owned())));
        assert_eq!(with(Some("none"), None), (None, None));
        assert_eq!(with(None, Some(Thinking::Budget(5000))), (on(), Some("medium".to_owned())));
    }

    #[test]
    fn what_a_messages_caller_says_is_said_again() {
        let with =
            |model, effort, thinking| told_to(model, &asks(Family::Anthropic, effort, thinking), 50_000);
        let low = || Some("low".to_owned());
        assert_eq!(with(ADAPTIVE, Some("low"), None), (None, low()));
        assert_eq!(with(BUDGETED, Some("low"), None), (None, low()));
        let off = Some(json!({ "type": "disabled" }));
        assert_eq!(with(ADAPTIVE, Some("low"), Some(Thinking::Disabled)), (off.clone(), low()));
        assert_eq!(with(BUDGETED, None, Some(Thinking::Disabled)), (off, None));
        assert_eq!(with(BUDGETED, Some("low"), Some(Thinking::Budget(5000))), (enabled(5000), low()));
        assert_eq!(with(BUDGETED, Some("low"), Some(Thinking::Adaptive)), (enabled(2048), None));
    }

    #[test]
    fn a_summary_is_asked_for_by_the_display() {
        let mut request = asks(Family::OpenAi, Some("low"), None);
        for (summary, display) in [("auto", "summarized"), ("omitted", "omitted")] {
            request.reasoning.as_mut().expect("asked for").summary = Some(summary.to_owned());
            let (thinking, _) = told_to(ADAPTIVE, &request, 50_000);
            assert_eq!(thinking, Some(json!({ "type": "adaptive", "display": display })));
        }
    }

    #[test]
    fn a_turn_under_way_that_began_without_thinking_goes_on_without() {
        let call = ToolCall { id: "c".into(), name: "f".into(), ..ToolCall::default() };
        let unthought = Message { tool_calls: vec![call], ..Message::new(Role::Assistant, Content::None) };
        let seal = ReasoningBlock { signature: Some("s".into()), ..ReasoningBlock::default() };
        let thought = Message { reasoning: vec![seal], ..unthought.clone() };
        let result = Message { tool_call_id: Some("c".into()), ..Message::text(Role::Tool, "r") };
        let asked = Message::text(Role::User, "hi");
        let thinks_after = |model, turns: &[&Message]| {
            let mut request = asks(Family::OpenAi, Some("low"), None);
            request.messages = turns.iter().map(|message| (*message).clone()).collect();
            told_to(model, &request, 50_000).0.is_some()
        };
        assert!(!thinks_after(BUDGETED, &[&asked, &unthought, &result]));
        assert!(thinks_after(BUDGETED, &[&asked, &thought, &result]));
        // It may call again without having thought anew.
        assert!(thinks_after(BUDGETED, &[&asked, &thought, &result, &unthought, &result]));
        assert!(thinks_after(BUDGETED, &[&asked, &unthought, &result, &asked]), "that turn is over");
        assert!(
            thinks_after(ADAPTIVE, &[&asked, &unthought, &result]),
            "adaptive thinking may begin anywhere"
        );
    }
}
