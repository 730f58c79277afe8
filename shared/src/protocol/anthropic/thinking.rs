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
