//! How a Claude on Bedrock is told to think. Source: the Bedrock user guide on extended and on
//! adaptive thinking; the effort has its place in `outputConfig`.

use serde_json::{Value, json};

use crate::protocol::canonical::{ChatRequest, Message, Reasoning, ReasoningBlock, Thinking as Asked};
use crate::protocol::claude::{Claude, ThinkingStyle};

/// The smallest budget there is, in tokens.
const BUDGET_MIN: u64 = 1024;

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
                let field = is_asked(reasoning).then(|| adaptive(reasoning));
                let effort =
                    reasoning.effort.as_deref().and_then(|word| effort(word, claude, field.is_some()));
                Thinking { field, effort }
            }
        }
    }
}

fn is_asked(reasoning: &Reasoning) -> bool {
    match (reasoning.thinking, reasoning.effort.as_deref()) {
        (Some(Asked::Disabled), _) | (None, None | Some("none")) => false,
        (Some(Asked::Budget(_) | Asked::Adaptive), _) | (None, Some(_)) => true,
    }
}

/// A model with budgets refuses to go on with tool calls whose reasoning is not sent back, and one
/// that may not think still answers. Adaptive models ask for nothing of the kind.
fn budgeted(request: &ChatRequest, reasoning: &Reasoning, max_output_tokens: u64) -> Option<Value> {
    let is_sealed = |block: &ReasoningBlock| block.signature.is_some() || block.redacted.is_some();
    let is_bare =
        |message: &Message| !message.tool_calls.is_empty() && !message.reasoning.iter().any(is_sealed);
    if !is_asked(reasoning) || request.messages.iter().any(is_bare) {
        return None;
    }
    let asked = match reasoning.thinking {
        Some(Asked::Budget(tokens)) => tokens,
        Some(Asked::Adaptive | Asked::Disabled) | None => budget_of(reasoning.effort.as_deref()),
    };
    let tokens = asked.min(max_output_tokens.saturating_sub(1));
    (tokens >= BUDGET_MIN).then(|| json!({ "type": "enabled", "budget_tokens": tokens }))
}

/// Tokens for an effort; the steps are ours. Without an effort it is high, as it is for models that
/// know efforts.
fn budget_of(effort: Option<&str>) -> u64 {
    match effort {
        Some("minimal") => BUDGET_MIN,
        Some("low") => 2048,
        Some("medium") => 8192,
        _ => 16_384,
    }
}

fn adaptive(reasoning: &Reasoning) -> Value {
    match reasoning.summary.as_deref() {
        None => json!({ "type": "adaptive" }),
        Some("omitted") => json!({ "type": "adaptive", "display": "omitted" }),
        Some(_) => json!({ "type": "adaptive", "display": "summarized" }),
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
