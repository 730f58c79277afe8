//! How a call is told to think, in the words that its model knows.

use serde_json::{Value, json};

use super::options::BUDGET_MIN;
use crate::protocol::canonical::{ChatRequest, Family, Message, Reasoning, Role, Thinking};
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
            // The vendor refuses to think on in a turn that it did not begin with thinking, such as
            // one that another vendor's model began.
            match told.thinking.as_ref().is_some_and(is_on) && !began_with_thinking(&request.messages) {
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
        Some(Thinking::Adaptive) => (Some(budget(effort.unwrap_or("high"))), None),
        // To a Messages caller an effort is no wish to think.
        None if own => (None, own_effort(reasoning, own)),
        None => (effort.map(budget), None),
    };
    let most = max_output_tokens.saturating_sub(1);
    let fits = budget.map(|budget| budget.min(most)).filter(|budget| *budget >= BUDGET_MIN);
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

/// Budgets for the efforts, in tokens. They are ours: the vendor publishes none.
fn budget(effort: &str) -> u64 {
    match effort {
        "minimal" => BUDGET_MIN,
        "low" => 2048,
        "medium" => 8192,
        "high" => 16_384,
        "xhigh" => 32_768,
        _ => 65_536,
    }
}

/// The other way round, between the same figures.
fn effort_of(budget: u64) -> &'static str {
    match budget {
        0..4096 => "low",
        4096..16_384 => "medium",
        _ => "high",
    }
}

/// OpenAI's words for a summary all ask for one.
fn shown(mut thinking: Value, reasoning: &Reasoning) -> Value {
    match reasoning.summary.as_deref() {
        None => {}
        Some("omitted") => thinking["display"] = json!("omitted"),
        Some(_) => thinking["display"] = json!("summarized"),
    }
    thinking
}

/// Whether the assistant's turn under way, if there is one, began with thinking that its vendor can
/// read: it lasts from what the user said last through every call of a tool.
fn began_with_thinking(messages: &[Message]) -> bool {
    let under_way = messages.rsplit(|message| message.role == Role::User).next().unwrap_or(messages);
    let begins = under_way.iter().find(|message| message.role == Role::Assistant);
    begins.is_none_or(|message| {
        let is_sealed =
            message.reasoning.iter().any(|block| block.signature.is_some() || block.redacted.is_some());
        message.tool_calls.is_empty() || is_sealed
    })
}
