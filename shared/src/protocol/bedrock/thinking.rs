//! How a Claude on Bedrock is told to think. Source: the Bedrock user guide on extended and on
//! adaptive thinking; the effort has its place in `outputConfig`.

use serde_json::{Value, json};

use crate::protocol::canonical::{ChatRequest, Reasoning, Thinking as Asked};
use crate::protocol::claude::thinking::{budget_for, display, may_go_on, within};
use crate::protocol::claude::{Claude, ThinkingStyle};

/// What a request asks of a model's thinking; nothing where it cannot think.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Thinking {
    /// `thinking` of the model's own fields.
    pub(super) field: Option<Value>,
    /// `outputConfig.effort`.
    pub(super) effort: Option<&'static str>,
}

impl Thinking {
    pub(super) fn of(request: &ChatRequest, claude: Claude, max_output_tokens: u64) -> Self {
        let Some(reasoning) = request.reasoning.as_ref().filter(|_| claude.is_claude()) else {
            return Thinking::default();
        };
        match claude.thinking() {
            ThinkingStyle::Never => Thinking::default(),
            ThinkingStyle::Budget => {
                Thinking { field: budgeted(request, reasoning, max_output_tokens), effort: None }
            }
            ThinkingStyle::Adaptive => {
                let field = request.wants_thinking().then(|| adaptive(reasoning));
                let effort =
                    reasoning.effort.as_deref().and_then(|word| effort(word, claude, field.is_some()));
                Thinking { field, effort }
            }
        }
    }
}

fn budgeted(request: &ChatRequest, reasoning: &Reasoning, max_output_tokens: u64) -> Option<Value> {
    if !request.wants_thinking() || !may_go_on(&request.messages) {
        return None;
    }
    let asked = match reasoning.thinking {
        Some(Asked::Budget(tokens)) => tokens,
        // Without an effort it is high, as it is for models that know efforts.
        _ => budget_for(reasoning.effort.as_deref().unwrap_or("high"), max_output_tokens),
    };
    let tokens = within(asked, max_output_tokens)?;
    Some(json!({ "type": "enabled", "budget_tokens": tokens }))
}

fn adaptive(reasoning: &Reasoning) -> Value {
    match display(reasoning) {
        None => json!({ "type": "adaptive" }),
        Some(display) => json!({ "type": "adaptive", "display": display }),
    }
}

/// The effort in the model's words. More than high is refused of one that does not think.
fn effort(word: &str, claude: Claude, thinks: bool) -> Option<&'static str> {
    match word {
        "minimal" | "low" => Some("low"),
        "medium" => Some("medium"),
        "xhigh" if thinks && claude.takes_xhigh() => Some("xhigh"),
        "max" if thinks => Some("max"),
        "high" | "xhigh" | "max" => Some("high"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
